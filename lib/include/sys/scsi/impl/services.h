/*
 * sys/scsi/impl/services.h - capabilities and words for humans
 *
 * What      Numbers of the capabilities, names of reasons, commands, messages, sense keys and
 *           device types, driver logging.
 * Source    scsi_ifgetcap(9F), scsi_hba_lookup_capstr(9F), scsi_cname(9F), scsi_errmsg(9F),
 *           scsi_log(9F)
 */
#ifndef SYS_SCSI_IMPL_SERVICES_H
#define SYS_SCSI_IMPL_SERVICES_H

#include <sys/types.h>
#include <sys/dditypes.h>
#include <sys/scsi/scsi_types.h>

/* capabilities: what scsi_hba_lookup_capstr() makes of their names */
#define SCSI_CAP_DMA_MAX		0	/* "dma-max": bytes of one transfer */
#define SCSI_CAP_MSG_OUT		1	/* "msg-out" */
#define SCSI_CAP_DISCONNECT		2	/* "disconnect" */
#define SCSI_CAP_SYNCHRONOUS		3	/* "synchronous" */
#define SCSI_CAP_WIDE_XFER		4	/* "wide-xfer" */
#define SCSI_CAP_PARITY			5	/* "parity" */
#define SCSI_CAP_INITIATOR_ID		6	/* "initiator-id" */
#define SCSI_CAP_UNTAGGED_QING		7	/* "untagged-qing" */
#define SCSI_CAP_TAGGED_QING		8	/* "tagged-qing" */
#define SCSI_CAP_ARQ			9	/* "auto-rqsense" */
#define SCSI_CAP_LINKED_CMDS		10	/* "linked-cmds" */
#define SCSI_CAP_SECTOR_SIZE		11	/* "sector-size": granularity of windows, bytes */
#define SCSI_CAP_TOTAL_SECTORS		12	/* "total-sectors" */
#define SCSI_CAP_GEOMETRY		13	/* "geometry": heads << 16 | sectors */
#define SCSI_CAP_RESET_NOTIFICATION	14	/* "reset-notification" */
#define SCSI_CAP_QFULL_RETRIES		15	/* "qfull-retries" */
#define SCSI_CAP_QFULL_RETRY_INTERVAL	16	/* "qfull-retry-interval": ms */
#define SCSI_CAP_SCSI_VERSION		17	/* "scsi-version" */
#define SCSI_CAP_INTERCONNECT_TYPE	18	/* "interconnect-type": INTERCONNECT_* */
#define SCSI_CAP_LUN_RESET		19	/* "lun-reset" */
#define SCSI_CAP_CDB_LEN		20	/* "max-cdb-length" */
#define SCSI_CAP_DMA_MAX_ARCH		21	/* "dma-max-arch": the framework answers */
#define SCSI_CAP_TRAN_LAYER_RETRIES	22	/* "tran-layer-retries" */
#define SCSI_CAP_N			23

#define SCSI_VERSION_1	1
#define SCSI_VERSION_2	2
#define SCSI_VERSION_3	3

/* largest "dma-max-arch": a transfer length is a 32-bit field in most drivers */
#define SCSI_DMA_MAX_ARCH	0x7fffffff

/* scsi_hba_lookup_capstr() - number of a capability, -1 unknown; also takes the old spellings
 * dma_max, msg_out and wide_xfer */
int scsi_hba_lookup_capstr(char *capstr);

/* scsi_rname() - pkt_reason in words; scsi_mname() message, scsi_sname() sense key,
 * scsi_dname() device type. Never NULL */
char *scsi_rname(uchar_t reason);
char *scsi_mname(uchar_t msg);
char *scsi_sname(uchar_t sense_key);
char *scsi_dname(int dtype);

/* scsi_cname() - opcode in words; @cmdvec ends with NULL, the first character of each entry is
 * the opcode and the rest its name; NULL means the framework's own names */
char *scsi_cname(uchar_t cmd, char **cmdvec);

/* words for numbers, as drivers bring them along for scsi_errmsg(); ends with key -1 */
struct scsi_key_strings {
	int key;
	char *message;
};

/* severities of scsi_errmsg() */
#define SCSI_ERR_ALL		0
#define SCSI_ERR_UNKNOWN	1
#define SCSI_ERR_INFO		2
#define SCSI_ERR_RECOVERED	3
#define SCSI_ERR_RETRYABLE	4
#define SCSI_ERR_FATAL		5
#define SCSI_ERR_NONE		6

/**
 * scsi_errmsg() - log what a device complained about
 *
 * @label    name of the driver
 * @blkno    block the request began at
 * @err_blkno  block in error
 * @cmdlist  names of commands, or NULL
 * @sensep   fixed or descriptor sense of at least SENSE_LENGTH bytes
 */
void scsi_errmsg(struct scsi_device *sd, struct scsi_pkt *pkt, char *label, int severity,
    daddr_t blkno, daddr_t err_blkno, struct scsi_key_strings *cmdlist,
    struct scsi_extended_sense *sensep);

/* levels of scsi_log() beyond those of cmn_err() */
#define SCSI_DEBUG	0xDEB00000

/* scsi_log() - one line about a device: "@label: text" after the node's path; @level as for
 * cmn_err(), or SCSI_DEBUG */
void scsi_log(dev_info_t *dip, char *label, uint_t level, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

#endif /* SYS_SCSI_IMPL_SERVICES_H */
