/*
 * sys/dditypes.h - types of the device driver interface: DMA, registers, interrupts
 *
 * Source    ddi_dma_attr(9S), ddi_dma_cookie(9S), ddi_device_acc_attr(9S)
 */
#ifndef SYS_DDI_DDITYPES_H
#define SYS_DDI_DDITYPES_H

#include <sys/types.h>

typedef struct ddi_dma_impl *ddi_dma_handle_t;	/* one binding of memory; see ddi/dma.h */
typedef struct ddi_acc_impl *ddi_acc_handle_t;	/* mapped registers or DMA memory */
typedef struct ddi_intr_impl *ddi_intr_handle_t;	/* one interrupt vector */
typedef void *ddi_iblock_cookie_t;
typedef void *ddi_idevice_cookie_t;
typedef void *ddi_softintr_t;

/* what a device can address; copied wherever it is passed */
typedef struct ddi_dma_attr {
	uint_t dma_attr_version;	/* DMA_ATTR_V0 or DMA_ATTR_V1 */
	uint64_t dma_attr_addr_lo;	/* lowest bus address */
	uint64_t dma_attr_addr_hi;	/* highest bus address, inclusive */
	uint64_t dma_attr_count_max;	/* longest cookie, minus 1 */
	uint64_t dma_attr_align;	/* of memory, a power of two */
	uint_t dma_attr_burstsizes;	/* kept, not used */
	uint32_t dma_attr_minxfer;	/* kept, not used */
	uint64_t dma_attr_maxxfer;	/* most bytes of a window */
	uint64_t dma_attr_seg;		/* no cookie crosses a multiple of this plus 1 */
	int dma_attr_sgllen;		/* most cookies of a window; negative: no limit */
	uint32_t dma_attr_granular;	/* windows but the last are multiples of this */
	uint_t dma_attr_flags;
} ddi_dma_attr_t;

#define DMA_ATTR_V0		0
#define DMA_ATTR_V1		1
#define DMA_ATTR_VERSION	DMA_ATTR_V0

#define DDI_DMA_FORCE_PHYSICAL		0x0100	/* dma_attr_flags: kept, not used */
#define DDI_DMA_FLAGERR			0x0200
#define DDI_DMA_RELAXED_ORDERING	0x0400

/* one contiguous range of bus addresses */
typedef struct {
	union {
		uint64_t _dmac_ll;
		uint32_t _dmac_la[2];
	} _dmu;
	size_t dmac_size;
	uint_t dmac_type;
} ddi_dma_cookie_t;

#define dmac_laddress	_dmu._dmac_ll
#define dmac_address	_dmu._dmac_la[0]

/* how registers or DMA memory are accessed */
typedef struct ddi_device_acc_attr {
	ushort_t devacc_attr_version;
	uchar_t devacc_attr_endian_flags;
	uchar_t devacc_attr_dataorder;
	uchar_t devacc_attr_access;
} ddi_device_acc_attr_t;

#define DDI_DEVICE_ATTR_V0	0x0001
#define DDI_DEVICE_ATTR_V1	0x0002

#define DDI_NEVERSWAP_ACC	0x00
#define DDI_STRUCTURE_LE_ACC	0x01
#define DDI_STRUCTURE_BE_ACC	0x02

#define DDI_STRICTORDER_ACC	0x00
#define DDI_UNORDERED_OK_ACC	0x01
#define DDI_MERGING_OK_ACC	0x02
#define DDI_LOADCACHING_OK_ACC	0x03
#define DDI_STORECACHING_OK_ACC	0x04

#define DDI_DEFAULT_ACC		0x00
#define DDI_FLAGERR_ACC		0x01
#define DDI_CAUTIOUS_ACC	0x02

#define DDI_DEV_NO_AUTOINCR	0x0000
#define DDI_DEV_AUTOINCR	0x0001

typedef enum {
	DDI_INFO_DEVT2DEVINFO = 0,
	DDI_INFO_DEVT2INSTANCE = 1
} ddi_info_cmd_t;

typedef enum {
	DDI_ATTACH = 0,
	DDI_RESUME = 1,
	DDI_PM_RESUME = 2
} ddi_attach_cmd_t;

typedef enum {
	DDI_DETACH = 0,
	DDI_SUSPEND = 1,
	DDI_PM_SUSPEND = 2,
	DDI_HOTPLUG_DETACH = 3
} ddi_detach_cmd_t;

typedef enum {
	DDI_RESET_FORCE = 0
} ddi_reset_cmd_t;

typedef enum {
	PROP_LEN = 0,
	PROP_LEN_AND_VAL_BUF = 1,
	PROP_LEN_AND_VAL_ALLOC = 2,
	PROP_EXISTS = 3
} ddi_prop_op_t;

/* what a bus is asked to find or to let go */
typedef enum {
	BUS_CONFIG_ONE = 0,
	BUS_CONFIG_ALL = 1,
	BUS_CONFIG_DRIVER = 2,
	BUS_UNCONFIG_ONE = 3,
	BUS_UNCONFIG_DRIVER = 4,
	BUS_UNCONFIG_ALL = 5
} ddi_bus_config_op_t;

#endif /* SYS_DDI_DDITYPES_H */
