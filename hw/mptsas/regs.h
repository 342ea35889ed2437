/*
 * mptsas/regs.h - registers, messages and pages of Fusion-MPT (MPI 1.x) SAS controllers
 *
 * What      Offsets and values only. Messages and pages are byte arrays read and written by
 *           base/bytes.h: 64-bit fields are not aligned, and what the chip wrote is foreign.
 * Limits    Everything is little-endian. Offsets of messages count from the first byte of the
 *           request or reply frame.
 * Source    MPI specification 1.5 (messages, pages); the 1068 and its model as observed
 */
#ifndef MPTSAS_REGS_H
#define MPTSAS_REGS_H

/* Functions of PCI vendor 1000h */
#define MPT_VENDOR		0x1000
#define MPT_DEV_1064		0x0050
#define MPT_DEV_1068		0x0054
#define MPT_DEV_1064E		0x0056
#define MPT_DEV_1068E		0x0058
#define MPT_DEV_1066E		0x005a
#define MPT_DEV_1066		0x005e
#define MPT_DEV_1078		0x0062

/* Registers, in the memory BAR; 32-bit accesses */
#define MPT_DOORBELL		0x00
#define MPT_WRITE_SEQUENCE	0x04
#define MPT_DIAGNOSTIC		0x08
#define MPT_INT_STATUS		0x30
#define MPT_INT_MASK		0x34
#define MPT_REQUEST_FIFO	0x40
#define MPT_REPLY_FIFO		0x44
#define MPT_HIPRI_FIFO		0x48
#define MPT_REGS_BYTES		0x4c	/* the least a register set must have */
#define MPT_RESET_1078		0x10fc

#define MPT_GONE		0xffffffffu	/* what a chip that has left reads as */

#define MPT_DB_STATE(v)		((v) >> 28)
#define MPT_DB_IS_ACTIVE(v)	(((v) & 0x08000000u) != 0)
#define MPT_DB_CODE(v)		((v) & 0xffffu)
#define MPT_DB_FUNCTION(f)	((uint32_t)(f) << 24)
#define MPT_DB_DWORDS(n)	((uint32_t)(n) << 16)
#define MPT_DB_MU_RESET		0x40	/* functions of the doorbell */
#define MPT_DB_HANDSHAKE	0x42

enum mpt_state { MPT_ST_RESET = 0, MPT_ST_READY = 1, MPT_ST_OPERATIONAL = 2, MPT_ST_FAULT = 4 };

#define MPT_DIAG_WRITABLE	0x80u
#define MPT_DIAG_BAD_FLASH	0x40u
#define MPT_DIAG_RESET		0x04u
#define MPT_DIAG_DISABLE_ARM	0x02u

#define MPT_INT_DOORBELL	0x00000001u	/* status and mask */
#define MPT_INT_REPLY		0x00000008u
#define MPT_INT_ALL		(MPT_INT_DOORBELL | MPT_INT_REPLY)
#define MPT_INT_DB_BUSY		0x80000000u	/* status: the doorbell is not consumed yet */

#define MPT_FIFO_EMPTY		0xffffffffu
#define MPT_REPLY_IS_ADDRESS(w)	(((w) & 0x80000000u) != 0)
#define MPT_REPLY_ADDRESS(w)	((w) << 1)
#define MPT_REPLY_TYPE(w)	((w) >> 29 & 3)	/* of a context reply: 0 is an initiator's */
#define MPT_REPLY_CONTEXT(w)	((w) & 0x1fffffffu)

/* Message functions */
#define MPT_FN_SCSI_IO		0x00
#define MPT_FN_TASK_MGMT	0x01
#define MPT_FN_IOC_INIT		0x02
#define MPT_FN_IOC_FACTS	0x03
#define MPT_FN_CONFIG		0x04
#define MPT_FN_PORT_FACTS	0x05
#define MPT_FN_PORT_ENABLE	0x06
#define MPT_FN_EVENTS		0x07
#define MPT_FN_EVENT_ACK	0x08
#define MPT_FN_SMP		0x1a
#define MPT_FN_IO_UNIT_CONTROL	0x1b

/* what all requests, and all replies, have */
#define MPT_CHAIN_OFFSET	0x02	/* u8, dwords */
#define MPT_FUNCTION		0x03
#define MPT_FLAGS		0x07
#define MPT_CONTEXT		0x08
#define MPT_R_LENGTH		0x02	/* u8, dwords */
#define MPT_R_STATUS		0x0e
#define MPT_R_LOGINFO		0x10
#define MPT_REPLY_LEN_MIN	0x14
#define MPT_FLAG_CONTINUES	0x80	/* reply: the context stays in use */

#define MPT_STATUS_MASK		0x7fff
#define MPT_STATUS_HAS_LOGINFO	0x8000
#define MPT_LOGINFO_MISSING	0x31170000u	/* a SAS target is away; the firmware decides */

enum mpt_status {
	MPT_S_OK = 0x00,
	MPT_S_FUNCTION = 0x01,
	MPT_S_BUSY = 0x02,
	MPT_S_SGL = 0x03,
	MPT_S_INTERNAL = 0x04,
	MPT_S_RESOURCES = 0x06,
	MPT_S_FIELD = 0x07,
	MPT_S_CONFIG_TYPE = 0x21,
	MPT_S_CONFIG_PAGE = 0x22,
	MPT_S_RECOVERED = 0x40,
	MPT_S_BUS = 0x41,
	MPT_S_TARGET = 0x42,
	MPT_S_ABSENT = 0x43,
	MPT_S_OVERRUN = 0x44,
	MPT_S_UNDERRUN = 0x45,
	MPT_S_DATA = 0x46,
	MPT_S_PROTOCOL = 0x47,
	MPT_S_TERMINATED = 0x48,
	MPT_S_RESIDUAL = 0x49,
	MPT_S_TASK_MGMT = 0x4a,
	MPT_S_IOC_TERMINATED = 0x4b,
	MPT_S_EXT_TERMINATED = 0x4c,
	MPT_S_N = 0x50
};

/* IOC facts */
#define MPT_FACTS_REQ_LEN	0x0c
#define MPT_FACTS_VERSION	0x00
#define MPT_FACTS_EXCEPTIONS	0x0c
#define MPT_FACTS_CHAIN_DEPTH	0x14
#define MPT_FACTS_FLAGS		0x17	/* 1: firmware has to be downloaded first */
#define MPT_FACTS_REPLY_DEPTH	0x18
#define MPT_FACTS_FRAME_DWORDS	0x1a
#define MPT_FACTS_PRODUCT	0x1e
#define MPT_FACTS_CREDITS	0x24
#define MPT_FACTS_PORTS		0x26
#define MPT_FACTS_DEVICES	0x2e	/* 0 is 256 */
#define MPT_FACTS_BUSES		0x2f
#define MPT_FACTS_CAPS		0x34
#define MPT_FACTS_FW_VERSION	0x38
#define MPT_FACTS_HIPRI_DEPTH	0x3c
#define MPT_FACTS_LEN_MIN	0x30
#define MPT_CAP_HIPRI		0x1u

/* Port facts */
#define MPT_PORT_REQ_LEN	0x0c
#define MPT_PORT_NUMBER		0x06
#define MPT_PORT_TYPE		0x15
#define MPT_PORT_TYPE_SAS	0x30
#define MPT_PORT_DEVICES	0x16
#define MPT_PORT_OWN_ID		0x18
#define MPT_PORT_PROTOCOLS	0x1a
#define MPT_PORT_INITIATOR	0x0008
#define MPT_PORT_LEN_MIN	0x1c

/* IOC init */
#define MPT_INIT_LEN		0x2c
#define MPT_INIT_WHO		0x00
#define MPT_WHO_HOST		4
#define MPT_INIT_DEVICES	0x05
#define MPT_INIT_BUSES		0x06
#define MPT_INIT_REPLY_BYTES	0x0c
#define MPT_INIT_FRAME_HIGH	0x10
#define MPT_INIT_SENSE_HIGH	0x14
#define MPT_INIT_VERSION	0x28
#define MPT_VERSION_1_5		0x0105

#define MPT_PORT_ENABLE_LEN	0x0c
#define MPT_EVENTS_LEN		0x0c
#define MPT_EVENTS_SWITCH	0x00

/* SCSI I/O */
#define MPT_IO_TARGET		0x00
#define MPT_IO_BUS		0x01
#define MPT_IO_CDB_LEN		0x04
#define MPT_IO_SENSE_LEN	0x05
#define MPT_IO_LUN		0x0c
#define MPT_IO_CONTROL		0x14
#define MPT_IO_CDB		0x18
#define MPT_IO_DATA_LEN		0x28
#define MPT_IO_SENSE_LOW	0x2c
#define MPT_IO_SGL		0x30
#define MPT_IO_CDB_MAX		16

#define MPT_CONTROL_WRITE	0x01000000u
#define MPT_CONTROL_READ	0x02000000u
#define MPT_CONTROL_SIMPLE	0x000u
#define MPT_CONTROL_HEAD	0x100u
#define MPT_CONTROL_ORDERED	0x200u
#define MPT_CONTROL_UNTAGGED	0x500u

#define MPT_IOR_SCSI_STATUS	0x0c
#define MPT_IOR_STATE		0x0d
#define MPT_IOR_MOVED		0x14
#define MPT_IOR_SENSE_COUNT	0x18
#define MPT_IOR_RESPONSE	0x1c
#define MPT_IOR_LEN_MIN		0x20
#define MPT_IO_STATE_SENSE	0x01
#define MPT_IO_STATE_SENSE_BAD	0x02
#define MPT_IO_STATE_NO_STATUS	0x04
#define MPT_IO_STATE_TERMINATED	0x08

/* Scatter/gather elements */
#define MPT_SGE_LAST		0x80000000u	/* of the segment */
#define MPT_SGE_END_BUFFER	0x40000000u
#define MPT_SGE_SIMPLE		0x10000000u
#define MPT_SGE_CHAIN		0x30000000u
#define MPT_SGE_TYPE		0x30000000u
#define MPT_SGE_LOCAL		0x08000000u
#define MPT_SGE_TO_DEVICE	0x04000000u
#define MPT_SGE_ADDR64		0x02000000u
#define MPT_SGE_END_LIST	0x01000000u
#define MPT_SGE_LEN_MAX		0x00ffffffu
#define MPT_SGE_END		(MPT_SGE_LAST | MPT_SGE_END_BUFFER | MPT_SGE_END_LIST)
#define MPT_SGE_CHAIN_NEXT(n)	((uint32_t)(n) << 16)
#define MPT_SGE32_BYTES		8
#define MPT_SGE64_BYTES		12

/* Task management */
#define MPT_TM_LEN		0x34
#define MPT_TM_TYPE		0x05
#define MPT_TM_LUN		0x0c
#define MPT_TM_TASK		0x30
#define MPT_TMR_RESPONSE	0x04
#define MPT_TMR_COUNT		0x14
#define MPT_TMR_LEN_MIN		0x18
enum mpt_tm {
	MPT_TM_ABORT_TASK = 1,
	MPT_TM_ABORT_TASK_SET = 2,
	MPT_TM_TARGET_RESET = 3,
	MPT_TM_BUS_RESET = 4,
	MPT_TM_LUN_RESET = 5,
	MPT_TM_CLEAR_TASK_SET = 6,
	MPT_TM_QUERY_TASK = 7,
};
#define MPT_TM_COMPLETE		0x00	/* responses */
#define MPT_TM_SUCCEEDED	0x08

/* Configuration */
#define MPT_CFG_LEN		0x28
#define MPT_CFG_ACTION		0x00
#define MPT_CFG_EXT_LEN		0x04	/* u16, dwords; in replies too */
#define MPT_CFG_EXT_TYPE	0x06
#define MPT_CFG_VERSION		0x14	/* the page's head: four bytes, in replies too */
#define MPT_CFG_PAGE_LEN	0x15	/* dwords */
#define MPT_CFG_NUMBER		0x16
#define MPT_CFG_TYPE		0x17
#define MPT_CFG_ADDRESS		0x18
#define MPT_CFG_SGE		0x1c
#define MPT_CFGR_LEN_MIN	0x18
#define MPT_CFG_HEADER		0
#define MPT_CFG_READ		1
#define MPT_PAGE_TYPE_MASK	0x0f
#define MPT_PAGE_EXTENDED	0x0f
#define MPT_PAGE_MANUFACTURING	0x09
#define MPT_PAGE_SAS_IO_UNIT	0x10
#define MPT_PAGE_SAS_EXPANDER	0x11
#define MPT_PAGE_SAS_DEVICE	0x12
#define MPT_PAGE_SAS_PHY	0x13
#define MPT_ADDR_NEXT_HANDLE	0x00000000u
#define MPT_ADDR_HANDLE		0x20000000u
#define MPT_HANDLE_FIRST	0xffff		/* before the first handle */

#define MPT_M5_WWID		0x04
#define MPT_M5_LEN_MIN		0x0c

#define MPT_IOU0_NPHYS		0x0c
#define MPT_IOU0_PHYS		0x10
#define MPT_IOU0_PHY_BYTES	0x10
#define MPT_IOU0_PHY_PORT	0x00
#define MPT_IOU0_PHY_FLAGS	0x02
#define MPT_IOU0_PHY_RATE	0x03
#define MPT_IOU0_PHY_INFO	0x04
#define MPT_IOU0_PHY_ATTACHED	0x08
#define MPT_IOU0_PHY_OWN	0x0a
#define MPT_PHY_DISABLED	0x04
#define MPT_RATE_1_5		0x08	/* the slowest of a link that is up */

#define MPT_DEV0_SAS		0x0c
#define MPT_DEV0_PARENT		0x14
#define MPT_DEV0_PHY		0x16
#define MPT_DEV0_ACCESS		0x17
#define MPT_DEV0_HANDLE		0x18
#define MPT_DEV0_TARGET		0x1a
#define MPT_DEV0_BUS		0x1b
#define MPT_DEV0_INFO		0x1c
#define MPT_DEV0_FLAGS		0x20
#define MPT_DEV0_PORT		0x22
#define MPT_DEV0_LEN_MIN	0x24
#define MPT_DEV_PRESENT		0x0001
#define MPT_INFO_TYPE(i)	((i) & 7)	/* 1 end, 2 edge expander, 3 fanout expander */
#define MPT_INFO_END		1
#define MPT_INFO_EDGE		2
#define MPT_INFO_FANOUT		3
#define MPT_INFO_SSP_INITIATOR	0x00000040u
#define MPT_INFO_SATA		0x00000080u
#define MPT_INFO_STP_TARGET	0x00000200u
#define MPT_INFO_SSP_TARGET	0x00000400u
#define MPT_INFO_TARGETS	(MPT_INFO_SATA | MPT_INFO_STP_TARGET | MPT_INFO_SSP_TARGET)

/* Events */
#define MPT_EV_DATA_DWORDS	0x00
#define MPT_EV_WANTS_ACK	0x06
#define MPT_EV_EVENT		0x14
#define MPT_EV_CONTEXT		0x18
#define MPT_EV_DATA		0x1c
#define MPT_ACK_LEN		0x14
#define MPT_ACK_EVENT		0x0c
#define MPT_ACK_CONTEXT		0x10
enum mpt_event {
	MPT_EV_IOC_BUS_RESET = 0x04,
	MPT_EV_EXT_BUS_RESET = 0x05,
	MPT_EV_CHANGE = 0x0a,
	MPT_EV_QUEUE_FULL = 0x0e,
	MPT_EV_DEVICE_STATUS = 0x0f,
	MPT_EV_PHY_LINK = 0x12,
	MPT_EV_DISCOVERY = 0x16,
	MPT_EV_BROADCAST = 0x17,
	MPT_EV_EXPANDER = 0x1b,
};
#define MPT_EVD_TARGET		0x00	/* device status, queue full */
#define MPT_EVD_BUS		0x01
#define MPT_EVD_REASON		0x02	/* device status */
#define MPT_EVD_HANDLE		0x06
#define MPT_EVD_DEPTH		0x02	/* queue full: u16 */
#define MPT_EVD_NOT_RESPONDING	0x04	/* reason */

/* SMP passthrough */
#define MPT_SMP_REQ_LEN		0x20	/* without elements */
#define MPT_SMP_PORT		0x01
#define MPT_SMP_REQ_BYTES	0x04
#define MPT_SMP_SAS		0x10
#define MPT_SMPR_BYTES		0x04
#define MPT_SMPR_SAS_STATUS	0x0d
#define MPT_SMPR_LEN_MIN	0x14

/* SAS I/O unit control */
#define MPT_IUC_LEN		0x28
#define MPT_IUC_OPERATION	0x00
#define MPT_IUC_HANDLE		0x04
#define MPT_IUC_TARGET		0x0c
#define MPT_IUC_BUS		0x0d
#define MPT_IUC_REMOVE		0x0d	/* operation */

#endif /* MPTSAS_REGS_H */
