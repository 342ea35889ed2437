/*
 * sys/pci.h - the "reg" property of a PCI function, and offsets of its configuration space
 *
 * Source    pci(5), PCI Local Bus Specification 3.0 section 6.1, PCI bus binding to IEEE 1275
 */
#ifndef SYS_DDI_PCI_H
#define SYS_DDI_PCI_H

#include <sys/types.h>

/* one entry of "reg": five cells; entry 0 is configuration space */
struct pci_phys_spec {
	uint_t pci_phys_hi;	/* space code, bus, device, function, register */
	uint_t pci_phys_mid;
	uint_t pci_phys_low;
	uint_t pci_size_hi;
	uint_t pci_size_low;
};
typedef struct pci_phys_spec pci_regspec_t;

#define PCI_REG_REG_M		0x000000ffu
#define PCI_REG_FUNC_M		0x00000700u
#define PCI_REG_DEV_M		0x0000f800u
#define PCI_REG_BUS_M		0x00ff0000u
#define PCI_REG_ADDR_M		0x03000000u
#define PCI_REG_REG_G(x)	((x) & PCI_REG_REG_M)
#define PCI_REG_FUNC_G(x)	(((x) & PCI_REG_FUNC_M) >> 8)
#define PCI_REG_DEV_G(x)	(((x) & PCI_REG_DEV_M) >> 11)
#define PCI_REG_BUS_G(x)	(((x) & PCI_REG_BUS_M) >> 16)
#define PCI_REG_ADDR_G(x)	(((x) & PCI_REG_ADDR_M) >> 24)

#define PCI_ADDR_MASK		PCI_REG_ADDR_M
#define PCI_ADDR_CONFIG		0x00000000u
#define PCI_ADDR_IO		0x01000000u
#define PCI_ADDR_MEM32		0x02000000u
#define PCI_ADDR_MEM64		0x03000000u

#define PCI_CONF_VENID		0x0
#define PCI_CONF_DEVID		0x2
#define PCI_CONF_COMM		0x4
#define PCI_CONF_STAT		0x6
#define PCI_CONF_REVID		0x8
#define PCI_CONF_PROGCLASS	0x9
#define PCI_CONF_SUBCLASS	0xa
#define PCI_CONF_BASCLASS	0xb
#define PCI_CONF_CACHE_LINESZ	0xc
#define PCI_CONF_LATENCY_TIMER	0xd
#define PCI_CONF_HEADER		0xe
#define PCI_CONF_BIST		0xf
#define PCI_CONF_BASE0		0x10
#define PCI_CONF_BASE1		0x14
#define PCI_CONF_BASE2		0x18
#define PCI_CONF_BASE3		0x1c
#define PCI_CONF_BASE4		0x20
#define PCI_CONF_BASE5		0x24
#define PCI_CONF_SUBVENID	0x2c
#define PCI_CONF_SUBSYSID	0x2e
#define PCI_CONF_CAP_PTR	0x34
#define PCI_CONF_ILINE		0x3c
#define PCI_CONF_IPIN		0x3d

#define PCI_COMM_IO		0x1
#define PCI_COMM_MAE		0x2
#define PCI_COMM_ME		0x4
#define PCI_COMM_PARITY_DETECT	0x40
#define PCI_COMM_SERR_ENABLE	0x100
#define PCI_COMM_INTX_DISABLE	0x400

#define PCI_CONF_HDR_SIZE	256
#define PCI_EINVAL8		((uint8_t)0xff)
#define PCI_EINVAL16		((uint16_t)0xffff)
#define PCI_EINVAL32		((uint32_t)0xffffffff)

#endif /* SYS_DDI_PCI_H */
