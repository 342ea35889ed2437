/*
 * virtio_scsi/regs.h - a virtio SCSI adapter as it is specified: registers, rings, messages
 *
 * What      Offsets, bits and sizes, and the reader of the PCI capabilities that say where the
 *           register blocks are. Everything is little-endian.
 * Access    Registers in their natural width only; 64-bit addresses as two halves.
 * Source    Virtual I/O Device (VIRTIO) 1.2: section 2 (rings), 4.1 (PCI), 5.6 (SCSI host)
 */
#ifndef VIRTIO_SCSI_REGS_H
#define VIRTIO_SCSI_REGS_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

/*
 * PCI: a vendor capability for each block (4.1.4)
 */

#define VS_PCI_STATUS_CAPS	0x10		/* in the low byte of the status register */
#define VS_PCI_CAP_VENDOR	0x09
#define VS_PCI_CONFIG_BYTES	256
#define VS_PCI_BARS		6

enum vs_block {
	VS_BLOCK_COMMON, VS_BLOCK_NOTIFY, VS_BLOCK_ISR, VS_BLOCK_DEVICE, VS_BLOCK_N
};

struct vs_place {
	uint8_t bar;
	uint32_t off;
	uint32_t len;		/* 0: the function has no such block */
};

struct vs_places {
	struct vs_place block[VS_BLOCK_N];
	uint32_t notify_step;	/* bytes between the doorbells of two queues; 0: one for all */
};

/**
 * vs_places_read() - where the register blocks are
 *
 * @config   configuration space, as read
 *
 * The first capability of a kind counts. Kinds that are not known, and BARs above 5, are
 * skipped; a list that runs in a circle ends.
 *
 * Returns:  0
 *           -ENODEV  one of the four blocks is missing, or too short for its registers
 */
int vs_places_read(const uint8_t config[VS_PCI_CONFIG_BYTES], struct vs_places *ret) MUST_CHECK;

/*
 * Common configuration (4.1.4.3)
 */

#define VS_COMMON_DEVICE_FEATURE_SELECT	0
#define VS_COMMON_DEVICE_FEATURE	4
#define VS_COMMON_DRIVER_FEATURE_SELECT	8
#define VS_COMMON_DRIVER_FEATURE	12
#define VS_COMMON_CONFIG_VECTOR		16
#define VS_COMMON_NUM_QUEUES		18
#define VS_COMMON_STATUS		20
#define VS_COMMON_GENERATION		21
#define VS_COMMON_QUEUE_SELECT		22
#define VS_COMMON_QUEUE_SIZE		24
#define VS_COMMON_QUEUE_VECTOR		26
#define VS_COMMON_QUEUE_ENABLE		28
#define VS_COMMON_QUEUE_NOTIFY_OFF	30
#define VS_COMMON_QUEUE_DESC		32
#define VS_COMMON_QUEUE_DRIVER		40
#define VS_COMMON_QUEUE_DEVICE		48
#define VS_COMMON_BYTES			56

#define VS_NO_VECTOR		0xffff

#define VS_STATUS_ACKNOWLEDGE	0x01
#define VS_STATUS_DRIVER	0x02
#define VS_STATUS_DRIVER_OK	0x04
#define VS_STATUS_FEATURES_OK	0x08
#define VS_STATUS_NEEDS_RESET	0x40
#define VS_STATUS_FAILED	0x80
#define VS_STATUS_GONE		0xff		/* nobody answers the read */

#define VS_ISR_QUEUE		0x01		/* reading clears */
#define VS_ISR_CONFIG		0x02
#define VS_ISR_KNOWN		(VS_ISR_QUEUE | VS_ISR_CONFIG)

#define VS_F_HOTPLUG		(1ull << 1)
#define VS_F_CHANGE		(1ull << 2)
#define VS_F_INDIRECT_DESC	(1ull << 28)
#define VS_F_EVENT_IDX		(1ull << 29)
#define VS_F_VERSION_1		(1ull << 32)
#define VS_F_ACCESS_PLATFORM	(1ull << 33)

/* what we take when it is offered */
#define VS_F_WANTED                                                            \
	(VS_F_HOTPLUG | VS_F_CHANGE | VS_F_INDIRECT_DESC | VS_F_EVENT_IDX |    \
	    VS_F_VERSION_1 | VS_F_ACCESS_PLATFORM)

/*
 * Device configuration (5.6.4)
 */

#define VS_DEVICE_NUM_QUEUES	0		/* request queues */
#define VS_DEVICE_SEG_MAX	4
#define VS_DEVICE_MAX_SECTORS	8		/* of 512 bytes */
#define VS_DEVICE_CMD_PER_LUN	12
#define VS_DEVICE_EVENT_BYTES	16
#define VS_DEVICE_SENSE_BYTES	20
#define VS_DEVICE_CDB_BYTES	24
#define VS_DEVICE_MAX_CHANNEL	28		/* 16 bits */
#define VS_DEVICE_MAX_TARGET	30		/* 16 bits, inclusive */
#define VS_DEVICE_MAX_LUN	32		/* inclusive */
#define VS_DEVICE_BYTES		36

#define VS_TARGET_MAX		255		/* one byte on the wire */
#define VS_LUN_MAX		16383		/* 14 bits */

/*
 * Split rings (2.7)
 */

#define VS_DESC_NEXT		0x01
#define VS_DESC_WRITE		0x02		/* the device writes */
#define VS_DESC_INDIRECT	0x04

struct vs_desc {
	uint64_t iova;
	uint32_t len;
	uint16_t flags;
	uint16_t next;
};

_Static_assert(sizeof(struct vs_desc) == 16, "descriptor");

#define VS_AVAIL_NO_INTERRUPT	0x01
#define VS_USED_NO_NOTIFY	0x01
#define VS_RING_SIZE_MAX	32768

/* queues by number */
#define VS_CONTROL_QUEUE	0
#define VS_EVENT_QUEUE		1
#define VS_REQUEST_QUEUE	2		/* the first of them */

/*
 * Messages (5.6.6)
 */

#define VS_CDB_BYTES		32		/* defaults of the adapter, which we leave */
#define VS_SENSE_BYTES		96

/* a command: what the device reads */
#define VS_REQ_LUN		0		/* 8 bytes */
#define VS_REQ_ID		8
#define VS_REQ_ATTR		16
#define VS_REQ_PRIO		17
#define VS_REQ_CRN		18
#define VS_REQ_CDB		19
#define VS_REQ_BYTES		(VS_REQ_CDB + VS_CDB_BYTES)

#define VS_ATTR_SIMPLE		0
#define VS_ATTR_ORDERED		1
#define VS_ATTR_HEAD		2

/* and what it writes */
#define VS_RESP_SENSE_LEN	0
#define VS_RESP_RESIDUAL	4
#define VS_RESP_QUALIFIER	8
#define VS_RESP_STATUS		10
#define VS_RESP_RESPONSE	11
#define VS_RESP_SENSE		12
#define VS_RESP_BYTES		(VS_RESP_SENSE + VS_SENSE_BYTES)

enum vs_response {
	VS_RESPONSE_OK			= 0,	/* of a TMF: complete */
	VS_RESPONSE_OVERRUN		= 1,
	VS_RESPONSE_ABORTED		= 2,
	VS_RESPONSE_BAD_TARGET		= 3,
	VS_RESPONSE_RESET		= 4,
	VS_RESPONSE_BUSY		= 5,
	VS_RESPONSE_TRANSPORT_FAILURE	= 6,
	VS_RESPONSE_TARGET_FAILURE	= 7,
	VS_RESPONSE_NEXUS_FAILURE	= 8,
	VS_RESPONSE_FAILURE		= 9,
	VS_RESPONSE_TMF_SUCCEEDED	= 10,
	VS_RESPONSE_TMF_REJECTED	= 11,
	VS_RESPONSE_INCORRECT_LUN	= 12,
	VS_RESPONSE_N			= 13,
	VS_RESPONSE_NONE		= 0xff,	/* ours: the device has written nothing */
};

/* task management: 24 bytes out, one back */
#define VS_TMF_TYPE		0		/* 32 bits, 0 */
#define VS_TMF_SUBTYPE		4
#define VS_TMF_LUN		8
#define VS_TMF_TAG		16
#define VS_TMF_BYTES		24

enum vs_tmf_subtype {
	VS_TMF_ABORT_TASK		= 0,
	VS_TMF_ABORT_TASK_SET		= 1,
	VS_TMF_CLEAR_ACA		= 2,
	VS_TMF_CLEAR_TASK_SET		= 3,
	VS_TMF_I_T_NEXUS_RESET		= 4,
	VS_TMF_LOGICAL_UNIT_RESET	= 5,
	VS_TMF_QUERY_TASK		= 6,
	VS_TMF_QUERY_TASK_SET		= 7,
};

/* events: buffers that the device fills */
#define VS_EVENT_EVENT		0
#define VS_EVENT_LUN		4
#define VS_EVENT_REASON		12
#define VS_EVENT_BYTES		16

#define VS_EVENT_MISSED		0x80000000u	/* others were lost before this one */

enum vs_event_kind {
	VS_EVENT_NONE		= 0,
	VS_EVENT_TRANSPORT_RESET = 1,
	VS_EVENT_ASYNC_NOTIFY	= 2,
	VS_EVENT_PARAM_CHANGE	= 3,
};

#define VS_EVENT_RESET_HARD	0		/* reasons of a transport reset */
#define VS_EVENT_RESET_RESCAN	1
#define VS_EVENT_RESET_REMOVED	2

#endif /* VIRTIO_SCSI_REGS_H */
