/*
 * pvscsi/regs.h - what the chip sees: registers, commands, rings, descriptors
 *
 * What      Offsets in BAR0 and layouts of the memory that driver and chip share. All values
 *           are little-endian, all registers 32 bits wide.
 * Rings     Indices run free and wrap at 2^32; the place of an entry is its index modulo the
 *           entries, which are a power of two. A page number (PPN) is a bus address >> 12.
 * Limits    The structures are written and read by both sides: whoever reads what the chip
 *           wrote copies it first and believes nothing (ring.c, complete.c).
 * Source    VMware's published interface of the paravirtual SCSI adapter; marked "model": seen
 *           on QEMU's
 */
#ifndef PVSCSI_REGS_H
#define PVSCSI_REGS_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#define PV_PCI_VENDOR		0x15ad
#define PV_PCI_DEVICE		0x07c0
#define PV_BAR			1	/* register set of BAR0; set 0 is configuration space */
#define PV_BAR_BYTES		0x8000

/* registers */
#define PV_COMMAND		0x0000	/* number of a command; its descriptor follows below */
#define PV_COMMAND_DATA		0x0004
#define PV_COMMAND_STATUS	0x0008	/* how the last command ended */
#define PV_INTR_STATUS		0x100c	/* PV_INTR_*; write 1 to clear */
#define PV_INTR_MASK		0x2010	/* PV_INTR_* that may interrupt */
#define PV_KICK_NON_RW		0x3014	/* look at the request ring, now */
#define PV_KICK_RW		0x4018	/* look at it, perhaps a little later */

#define PV_INTR_CMPL		0x00000003u	/* bits 0, 1: completions */
#define PV_INTR_MSG		0x0000000cu	/* bits 2, 3: messages */
#define PV_INTR_ALL		(PV_INTR_CMPL | PV_INTR_MSG)
#define PV_ALL_ONES		0xffffffffu	/* what a chip that is gone reads as */

/* commands */
#define PV_CMD_ADAPTER_RESET	1
#define PV_CMD_SETUP_RINGS	3
#define PV_CMD_RESET_BUS	4
#define PV_CMD_RESET_DEVICE	5
#define PV_CMD_ABORT_CMD	6
#define PV_CMD_CONFIG		7
#define PV_CMD_SETUP_MSG_RING	8

#define PV_STATUS_FAILED	0xffffffffu	/* or unknown; SETUP_MSG_RING of the model ends
						 * with 34, so anything else is success */

#define PV_PAGE			4096u
#define PV_PAGE_SHIFT		12
#define PV_RING_PAGES_MAX	32u
#define PV_REQ_PER_PAGE		32u
#define PV_CMP_PER_PAGE		128u
#define PV_MSG_PER_PAGE		32u
#define PV_SGE_PER_PAGE		256u	/* a table stays inside one page */
#define PV_CDB_MAX		16u
#define PV_TARGETS		65u	/* 0 .. 64 */

struct pv_setup_rings {
	uint32_t req_pages;
	uint32_t cmp_pages;
	uint64_t state_ppn;
	uint64_t req_ppn[PV_RING_PAGES_MAX];
	uint64_t cmp_ppn[PV_RING_PAGES_MAX];
};
static_assert(sizeof(struct pv_setup_rings) == 528, "SETUP_RINGS takes 132 words");

struct pv_setup_msg_ring {
	uint32_t pages;
	uint32_t pad;
	uint64_t ppn[16];
};
static_assert(sizeof(struct pv_setup_msg_ring) == 136, "SETUP_MSG_RING takes 34 words");

struct pv_reset_device {
	uint32_t target;
	uint8_t lun[8];
};
static_assert(sizeof(struct pv_reset_device) == 12, "RESET_DEVICE takes 3 words");

struct pv_abort {
	uint64_t context;
	uint32_t target;
	uint32_t pad;
};
static_assert(sizeof(struct pv_abort) == 16, "ABORT_CMD takes 4 words");

struct pv_config {
	uint64_t answer_iova;		/* where the page is written */
	uint64_t address;		/* what is asked about: PV_CONFIG_CONTROLLER */
	uint32_t page;
	uint32_t pad;
};
static_assert(sizeof(struct pv_config) == 24, "CONFIG takes 6 words");

#define PV_CONFIG_CONTROLLER	(0x2120ull << 32)
#define PV_CONFIG_PAGE		0x1958u
#define PV_CONFIG_HOST_STATUS	6	/* u16; preset to a failure to see the answer */
#define PV_CONFIG_SCSI_STATUS	8	/* u16 */
#define PV_CONFIG_TARGETS	472	/* u32 */

/* the ring state page: who writes what */
struct pv_ring_state {
	uint32_t req_prod;		/* driver */
	uint32_t req_cons;		/* chip, as all below unless it says otherwise */
	uint32_t req_log2;
	uint32_t cmp_prod;
	uint32_t cmp_cons;		/* driver */
	uint32_t cmp_log2;
	uint32_t req_threshold;
	uint8_t pad[100];
	uint32_t msg_prod;
	uint32_t msg_cons;		/* driver */
	uint32_t msg_log2;
};
static_assert(offsetof(struct pv_ring_state, msg_prod) == 128, "messages have their own line");

/* pv_req.flags */
#define PV_REQ_SG_LIST		0x01u
#define PV_REQ_OOB_CDB		0x02u
#define PV_REQ_DIR_NONE		0x04u
#define PV_REQ_DIR_IN		0x08u	/* to the host */
#define PV_REQ_DIR_OUT		0x10u	/* to the device */

/* pv_req.tag */
#define PV_TAG_SIMPLE		0x20
#define PV_TAG_HEAD		0x21
#define PV_TAG_ORDERED		0x22

struct pv_req {
	uint64_t context;		/* not 0; the upper half is 0 */
	uint64_t data_iova;		/* the data, or the table */
	uint64_t data_len;
	uint64_t sense_iova;
	uint32_t sense_len;
	uint32_t flags;
	uint8_t cdb[PV_CDB_MAX];
	uint8_t cdb_len;
	uint8_t lun[8];			/* the number is in byte 1 */
	uint8_t tag;
	uint8_t bus;
	uint8_t target;
	uint8_t vcpu_hint;
	uint8_t pad[59];
};
static_assert(sizeof(struct pv_req) == 128, "32 requests a page");
static_assert(offsetof(struct pv_req, target) == 67, "packed by itself");

struct pv_sge {
	uint64_t iova;
	uint32_t len;
	uint32_t flags;			/* 0 */
};
static_assert(sizeof(struct pv_sge) == 16, "256 elements a page");

struct pv_cmp {
	uint64_t context;
	uint64_t data_len;		/* moved; model: always 0 */
	uint32_t sense_len;
	uint16_t host_status;		/* PV_HS_* */
	uint16_t scsi_status;
	uint32_t pad[2];
};
static_assert(sizeof(struct pv_cmp) == 32, "128 completions a page");

/* pv_cmp.host_status */
#define PV_HS_SUCCESS		0x00
#define PV_HS_LINKED		0x0a
#define PV_HS_LINKED_FLAG	0x0b
#define PV_HS_UNDERRUN		0x0c
#define PV_HS_SELTIMEO		0x11	/* nobody answers */
#define PV_HS_DATARUN		0x12	/* not the length that was asked for */
#define PV_HS_BUSFREE		0x13
#define PV_HS_INVPHASE		0x14
#define PV_HS_LUNMISMATCH	0x17
#define PV_HS_INVPARAM		0x1a
#define PV_HS_SENSFAILED	0x1b
#define PV_HS_TAGREJECT		0x1c
#define PV_HS_BADMSG		0x1d
#define PV_HS_HAHARDWARE	0x20
#define PV_HS_NORESPONSE	0x21
#define PV_HS_SENTRST		0x22
#define PV_HS_RECVRST		0x23
#define PV_HS_DISCONNECT	0x24
#define PV_HS_BUSRESET		0x25
#define PV_HS_ABORTQUEUE	0x26
#define PV_HS_HASOFTWARE	0x27
#define PV_HS_HATIMEOUT		0x30
#define PV_HS_SCSIPARITY	0x34
#define PV_HS_N			0x35

#define PV_MSG_DEV_ADDED	0
#define PV_MSG_DEV_REMOVED	1

struct pv_msg {
	uint32_t type;
	uint32_t bus;
	uint32_t target;
	uint8_t lun[8];
	uint8_t pad[108];
};
static_assert(sizeof(struct pv_msg) == 128, "32 messages a page");

#endif /* PVSCSI_REGS_H */
