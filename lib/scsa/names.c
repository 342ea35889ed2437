#include <sys/scsi/scsi.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "scsa/scsa_impl.h"
#include "scsi/asc.h"
#include "scsi/opcode.h"
#include "scsi/sense.h"

static const char *const reason_names[] = {
	[CMD_CMPLT] = "cmplt",
	[CMD_INCOMPLETE] = "incomplete",
	[CMD_DMA_DERR] = "dma_derr",
	[CMD_TRAN_ERR] = "tran_err",
	[CMD_RESET] = "reset",
	[CMD_ABORTED] = "aborted",
	[CMD_TIMEOUT] = "timeout",
	[CMD_DATA_OVR] = "data_ovr",
	[CMD_CMD_OVR] = "cmd_ovr",
	[CMD_STS_OVR] = "sts_ovr",
	[CMD_BADMSG] = "badmsg",
	[CMD_NOMSGOUT] = "nomsgout",
	[CMD_XID_FAIL] = "xid_fail",
	[CMD_IDE_FAIL] = "ide_fail",
	[CMD_ABORT_FAIL] = "abort_fail",
	[CMD_REJECT_FAIL] = "reject_fail",
	[CMD_NOP_FAIL] = "nop_fail",
	[CMD_PER_FAIL] = "per_fail",
	[CMD_BDR_FAIL] = "bdr_fail",
	[CMD_ID_FAIL] = "id_fail",
	[CMD_UNX_BUS_FREE] = "unexpected_bus_free",
	[CMD_TAG_REJECT] = "tag reject",
	[CMD_TERMINATED] = "terminated",
	[CMD_TLR_OFF] = "",
	[CMD_DEV_GONE] = "gone",
};

static const struct {
	uchar_t msg;
	const char *name;
} message_names[] = {
	{ MSG_COMMAND_COMPLETE, "command complete" },
	{ MSG_EXTENDED, "extended message" },
	{ MSG_SAVE_DATA_PTR, "save data pointer" },
	{ MSG_RESTORE_PTRS, "restore pointers" },
	{ MSG_DISCONNECT, "disconnect" },
	{ MSG_INITIATOR_ERROR, "initiator detected error" },
	{ MSG_ABORT, "abort" },
	{ MSG_REJECT, "message reject" },
	{ MSG_NOP, "no operation" },
	{ MSG_MSG_PARITY, "message parity error" },
	{ MSG_LINK_CMPLT, "linked command complete" },
	{ MSG_LINK_CMPLT_FLAG, "linked command complete with flag" },
	{ MSG_DEVICE_RESET, "device reset" },
	{ MSG_ABORT_TAG, "abort tag" },
	{ MSG_CLEAR_QUEUE, "clear queue" },
	{ MSG_INITIATE_RECOVERY, "initiate recovery" },
	{ MSG_RELEASE_RECOVERY, "release recovery" },
	{ MSG_TERMINATE_PROCESS, "terminate process" },
	{ MSG_SIMPLE_QTAG, "simple queue tag" },
	{ MSG_HEAD_QTAG, "head of queue tag" },
	{ MSG_ORDERED_QTAG, "ordered queue tag" },
	{ MSG_IGNORE_WIDE_RESID, "ignore wide residue" },
	{ MSG_IDENTIFY, "identify" },
};

static const char *const sense_names[NUM_SENSE_KEYS] = {
	[KEY_NO_SENSE] = "No_Additional_Sense",
	[KEY_RECOVERABLE_ERROR] = "Soft_Error",
	[KEY_NOT_READY] = "Not_Ready",
	[KEY_MEDIUM_ERROR] = "Media_Error",
	[KEY_HARDWARE_ERROR] = "Hardware_Error",
	[KEY_ILLEGAL_REQUEST] = "Illegal_Request",
	[KEY_UNIT_ATTENTION] = "Unit_Attention",
	[KEY_WRITE_PROTECT] = "Write_Protected",
	[KEY_BLANK_CHECK] = "Blank_Check",
	[KEY_VENDOR_UNIQUE] = "Vendor_Unique",
	[KEY_COPY_ABORTED] = "Copy_Aborted",
	[KEY_ABORTED_COMMAND] = "Aborted_Command",
	[KEY_EQUAL] = "Equal_Error",
	[KEY_VOLUME_OVERFLOW] = "Volume_Overflow",
	[KEY_MISCOMPARE] = "Miscompare_Error",
	[KEY_RESERVED] = "Reserved",
};

/* device types: for people, and as names of nodes */
static const struct {
	const char *text;
	const char *node;
} type_names[DTYPE_MASK + 1] = {
	[DTYPE_DIRECT] = { "Direct Access", "disk" },
	[DTYPE_SEQUENTIAL] = { "Sequential Access", "tape" },
	[DTYPE_PRINTER] = { "Printer", "printer" },
	[DTYPE_PROCESSOR] = { "Processor", "processor" },
	[DTYPE_WORM] = { "Write-Once/Read-Many", "worm" },
	[DTYPE_RODIRECT] = { "Read-Only Direct Access", "cdrom" },
	[DTYPE_SCANNER] = { "Scanner", "scanner" },
	[DTYPE_OPTICAL] = { "Optical", "optical-disk" },
	[DTYPE_CHANGER] = { "Changer", "medium-changer" },
	[DTYPE_COMM] = { "Communications", NULL },
	[DTYPE_ARRAY_CTRL] = { "Array Controller", "array-controller" },
	[DTYPE_ESI] = { "Enclosure Services", "enclosure" },
	[DTYPE_RBC] = { "Reduced Block Direct Access", "disk" },
	[DTYPE_OCRW] = { "Optical Card Reader/Writer", "card-reader" },
	[DTYPE_BRIDGE] = { "Bridge", "bridge" },
	[DTYPE_OSD] = { "Object-based Storage", "object-store" },
	[DTYPE_ADC] = { "Automation/Drive Interface", "adapter" },
	[DTYPE_WELLKNOWN] = { "Well-known Logical Unit", "well-known-lun" },
	[DTYPE_UNKNOWN] = { "Unknown", "unknown" },
};

/* published functions answer char *: the texts are constant all the same */
static char *
constant(const char *text)
{
	return (char *)(uintptr_t)text;
}

char *
scsi_rname(uchar_t reason)
{
	if (reason >= ARRAY_LEN(reason_names))
		return constant("unknown reason");
	return constant(reason_names[reason]);
}

char *
scsi_mname(uchar_t msg)
{
	for (size_t i = 0; i < ARRAY_LEN(message_names); i++) {
		if (message_names[i].msg == msg)
			return constant(message_names[i].name);
	}
	return constant(msg & MSG_IDENTIFY ? "identify" : "unknown message");
}

char *
scsi_sname(uchar_t sense_key)
{
	if (sense_key >= NUM_SENSE_KEYS)
		return constant("unknown sense key");
	return constant(sense_names[sense_key]);
}

char *
scsi_dname(int dtype)
{
	const char *text = type_names[dtype & DTYPE_MASK].text;

	return constant(text != NULL ? text : "Unknown");
}

const char *
scsi_node_name(int dtype)
{
	const char *node = type_names[dtype & DTYPE_MASK].node;

	return node != NULL ? node : "unknown";
}

char *
scsi_cname(uchar_t cmd, char **cmdvec)
{
	const uint8_t cdb[SCSI_CDB_SIZE] = { cmd };
	const struct op_info *op;

	for (; cmdvec != NULL && *cmdvec != NULL; cmdvec++) {
		if ((uchar_t)**cmdvec == cmd)
			return *cmdvec + 1;
	}
	op = op_find(cdb, sizeof(cdb));
	return constant(op != NULL ? op->name : "unknown command");
}

/*
 * What drivers log about devices.
 */

static const char *const severity_names[] = {
	[SCSI_ERR_ALL] = "All",
	[SCSI_ERR_UNKNOWN] = "Unknown",
	[SCSI_ERR_INFO] = "Informational",
	[SCSI_ERR_RECOVERED] = "Recovered",
	[SCSI_ERR_RETRYABLE] = "Retryable",
	[SCSI_ERR_FATAL] = "Fatal",
};

void
scsi_log(dev_info_t *dip, char *label, uint_t level, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	/* levels above the published ones are debug lines */
	if (level > CE_PANIC)
		cmn_err(CE_CONT, "?%s: %s", label, text);
	else if (dip == NULL)
		cmn_err((int)level, "%s: %s", label, text);
	else
		dev_err(dip, (int)level, "%s: %s", label, text);
}

static const char *
errmsg_command(uchar_t cmd, const struct scsi_key_strings *cmdlist)
{
	for (; cmdlist != NULL && cmdlist->key != -1; cmdlist++) {
		if (cmdlist->key == cmd)
			return cmdlist->message;
	}
	return scsi_cname(cmd, NULL);
}

void
scsi_errmsg(struct scsi_device *sd, struct scsi_pkt *pkt, char *label, int severity,
    daddr_t blkno, daddr_t err_blkno, struct scsi_key_strings *cmdlist,
    struct scsi_extended_sense *sensep)
{
	const char *what = "None";
	struct sense_data sense;

	if (severity >= 0 && severity < (int)ARRAY_LEN(severity_names))
		what = severity_names[severity];
	if (sense_parse(sensep, SENSE_LENGTH, &sense) < 0)
		sense = (struct sense_data){ 0 };
	scsi_log(sd->sd_dev, label, severity >= SCSI_ERR_FATAL ? CE_WARN : CE_NOTE,
	    "error for command: %s, level: %s, requested block: %ld, error block: %ld, "
	    "sense key: %s, ASC: 0x%x (%s), ASCQ: 0x%x",
	    errmsg_command(pkt->pkt_cdbp[0], cmdlist), what, (long)blkno, (long)err_blkno,
	    scsi_sname(sense.key), (unsigned int)(sense.asc >> 8),
	    asc_name((uint8_t)(sense.asc >> 8), (uint8_t)sense.asc),
	    (unsigned int)(sense.asc & 0xff));
}
