/*
 * sys/scsi/scsi_pkt.h - one SCSI command between a target driver and an HBA driver
 *
 * What      A packet carries one CDB, at most one data phase, and one result.
 * Life      scsi_init_pkt -> (scsi_transport -> completion)* -> scsi_destroy_pkt
 * Owner     Target driver, except from the moment scsi_transport() is called until completion
 *           or until it returned something other than TRAN_ACCEPT: then the HBA driver. After
 *           TRAN_ACCEPT the target driver may not touch the packet: it may be completed, and
 *           even freed, already.
 * Limits    The size is private to the framework: packets come from scsi_init_pkt(), or, in an
 *           HBA driver's tran_init_pkt, from scsi_hba_pkt_alloc(), and from nowhere else.
 * Source    scsi_pkt(9S), scsi_init_pkt(9F), tran_start(9E)
 */
#ifndef SYS_SCSI_SCSI_PKT_H
#define SYS_SCSI_SCSI_PKT_H

#include <sys/types.h>
#include <sys/dditypes.h>
#include <sys/scsi/scsi_types.h>
#include <sys/scsi/scsi_address.h>

struct scsa_pkt;

struct scsi_pkt {
	opaque_t pkt_ha_private;	/* HBA driver's area for this command; constant for the
					 * life of the packet object; its size is tran_hba_len
					 * (setup_pkt) or hbalen (scsi_hba_pkt_alloc) */
	struct scsi_address pkt_address;	/* copy of the address given at allocation */
	opaque_t pkt_private;		/* target driver's: privatelen bytes, or, when it asked
					 * for 0, a pointer of its own */
	void (*pkt_comp)(struct scsi_pkt *);	/* set by target driver: called once for every
					 * TRAN_ACCEPT, in interrupt context, no HBA lock held;
					 * may submit or destroy this packet; NULL only with
					 * FLAG_NOINTR */
	uint_t pkt_flags;		/* set by target driver: FLAG_* */
	uint_t pkt_time;		/* set by target driver: seconds from the moment the
					 * device has the command; 0 = no limit */
	uchar_t *pkt_scbp;		/* status block; byte 0 is the SCSI status */
	uchar_t *pkt_cdbp;		/* the CDB; zeroed at allocation */
	ssize_t pkt_resid;		/* after scsi_init_pkt: bytes without DMA resources; after
					 * completion: bytes not transferred */
	uint_t pkt_state;		/* set by HBA driver: STATE_*, how far the command got */
	uint_t pkt_statistics;		/* set by HBA driver: STAT_*, what happened to it */
	uchar_t pkt_reason;		/* set by HBA driver: CMD_*, why it ended */

	uint_t pkt_cdblen;		/* lengths asked for; for the HBA driver to read */
	uint_t pkt_tgtlen;
	uint_t pkt_scblen;

	/* DMA of a setup_pkt driver; all 0 in tran_setup_pkt, valid in tran_start */
	ddi_dma_handle_t pkt_handle;	/* lib/scsa only */
	uint_t pkt_numcookies;		/* segments of the current window; 0 = no data */
	ddi_dma_cookie_t *pkt_cookies;	/* the segments; read only */
	off_t pkt_dma_offset;		/* where in the buffer the current window begins */
	size_t pkt_dma_len;		/* its length in bytes */
	uint_t pkt_dma_flags;		/* DDI_DMA_READ or DDI_DMA_WRITE, _CONSISTENT, _PARTIAL */

	int pkt_path_instance;		/* multipath; always 0 */
	hrtime_t pkt_stmp;		/* time of submission; statistics only */

	struct scsa_pkt *pkt_framework;	/* lib/scsa only: checked before use; NULL in a packet
					 * that a driver made by itself */
};

/* pkt_flags */
#define FLAG_NOINTR		0x00000001u	/* finish before tran_start returns, no pkt_comp */
#define FLAG_NODISCON		0x00000002u	/* run without disconnects */
#define FLAG_NOPARITY		0x00000008u	/* run without parity checking */
#define FLAG_ACA		0x00000100u	/* internal */
#define FLAG_SENSING		0x00000400u	/* target driver's own REQUEST SENSE */
#define FLAG_IMMEDIATE_CB	0x00000800u	/* complete directly, not through another thread */
#define FLAG_HTAG		0x00001000u	/* HEAD OF QUEUE task */
#define FLAG_OTAG		0x00002000u	/* ORDERED task */
#define FLAG_STAG		0x00004000u	/* SIMPLE task */
#define FLAG_TAGMASK		(FLAG_HTAG | FLAG_OTAG | FLAG_STAG)	/* none set: untagged */
#define FLAG_HEAD		0x00008000u	/* ahead of what the HBA driver has queued itself */
#define FLAG_SILENT		0x00010000u	/* log nothing about this command */
#define FLAG_DIAGNOSE		0x00020000u
#define FLAG_ISOLATE		0x00040000u
#define FLAG_TLR		0x00080000u	/* transport layer retries wanted */
#define FLAG_RENEGOTIATE_WIDE_SYNC 0x01000000u	/* parallel bus: negotiate again first */
#define FLAG_PKT_COMP_CALLED	0x20000000u	/* lib/scsa only: completion was delivered */
#define FLAG_PKT_PATH_INSTANCE	0x40000000u	/* multipath */
#define FLAG_NOQUEUE		0x80000000u	/* multipath */

/* flags of scsi_init_pkt() */
#define PKT_CONSISTENT		0x00000001	/* buffer is from scsi_alloc_consistent_buf() */
#define PKT_CONSISTENT_OLD	0x00001000	/* the same, spelled by old drivers */
#define PKT_DMA_PARTIAL		0x00040000	/* a part of the buffer (a window) will do */
#define PKT_XARQ		0x00080000	/* statuslen has room for more than 20 sense bytes */

/* what scsi_transport() and tran_start return */
#define TRAN_ACCEPT		1	/* accepted: exactly one completion follows, or happened */
#define TRAN_BUSY		0	/* not accepted: try again later */
#define TRAN_BADPKT		(-1)	/* not accepted: the packet is malformed */
#define TRAN_FATAL_ERROR	(-2)	/* not accepted: the adapter is unusable */

/* pkt_reason: the first one stored is kept; later events add to pkt_statistics only */
#define CMD_CMPLT		0	/* the command ended at protocol level: see the status */
#define CMD_INCOMPLETE		1	/* transport stopped; without STATE_GOT_TARGET: no device */
#define CMD_DMA_DERR		2	/* DMA failed */
#define CMD_TRAN_ERR		3	/* transport error without a better name */
#define CMD_RESET		4	/* ended by a reset */
#define CMD_ABORTED		5	/* ended by an abort */
#define CMD_TIMEOUT		6	/* pkt_time ran out */
#define CMD_DATA_OVR		7	/* more data than room for it */
#define CMD_CMD_OVR		8
#define CMD_STS_OVR		9
#define CMD_BADMSG		10	/* 10 .. 21: message failures of a parallel bus */
#define CMD_NOMSGOUT		11
#define CMD_XID_FAIL		12
#define CMD_IDE_FAIL		13
#define CMD_ABORT_FAIL		14
#define CMD_REJECT_FAIL		15
#define CMD_NOP_FAIL		16
#define CMD_PER_FAIL		17
#define CMD_BDR_FAIL		18
#define CMD_ID_FAIL		19
#define CMD_UNX_BUS_FREE	20
#define CMD_TAG_REJECT		21
#define CMD_TERMINATED		22	/* terminated on request */
#define CMD_TLR_OFF		23	/* transport layer retries are not supported */
#define CMD_DEV_GONE		24	/* no such device any more: retries are pointless */

/* pkt_state: cumulative; the status byte means something only with STATE_GOT_STATUS */
#define STATE_GOT_BUS		0x01
#define STATE_GOT_TARGET	0x02
#define STATE_SENT_CMD		0x04
#define STATE_XFERRED_DATA	0x08	/* only if data moved */
#define STATE_GOT_STATUS	0x10
#define STATE_ARQ_DONE		0x20	/* the status block is a scsi_arq_status, filled */
#define STATE_XARQ_DONE		0x40	/* its sense goes on behind the structure */

/* pkt_statistics: history, independent of pkt_reason */
#define STAT_DISCON		0x01
#define STAT_SYNC		0x02
#define STAT_PERR		0x04
#define STAT_BUS_RESET		0x08
#define STAT_DEV_RESET		0x10
#define STAT_ABORTED		0x20
#define STAT_TIMEOUT		0x40
#define STAT_TERMINATED		0x80

/**
 * scsi_init_pkt() - take a packet, bind a buffer to it, or move it to the next window
 *
 * @ap         device the packet is for; copied
 * @pkt        NULL: take a new packet. Otherwise only DMA is done: bind @bp again after
 *             scsi_dmafree(), or bind its next window; the lengths and @flags are ignored
 * @bp         data buffer or NULL; b_bcount 0 is as good as NULL; B_READ is device to memory
 * @cmdlen     length of the CDB
 * @statuslen  length of the status block: 1, or sizeof (struct scsi_arq_status) to get sense,
 *             or more together with PKT_XARQ
 * @privatelen bytes at pkt_private; 0 leaves the pointer itself to the caller
 * @flags      PKT_CONSISTENT, PKT_DMA_PARTIAL, PKT_XARQ
 * @callback   NULL_FUNC, SLEEP_FUNC, or a function called with @arg when it may be worth
 *             trying again; it runs in an unspecified context, must not sleep, and cannot be
 *             cancelled
 *
 * Shape:    CDB, private area and status zeroed; pkt_flags, pkt_time 0; pkt_comp NULL;
 *           pkt_resid = bytes of @bp that have no resources yet (0 without PKT_DMA_PARTIAL)
 * Returns:  the packet
 *           NULL with B_ERROR in @bp: permanent; b_error is EFAULT or EINVAL
 *           NULL without B_ERROR: no resources now
 * Owner:    caller; gives it back with scsi_destroy_pkt()
 * Thread:   any with NULL_FUNC or a function; SLEEP_FUNC may block
 * Source:   scsi_init_pkt(9F)
 */
struct scsi_pkt *
scsi_init_pkt(struct scsi_address *ap, struct scsi_pkt *pkt, struct buf *bp, int cmdlen,
    int statuslen, int privatelen, int flags, int (*callback)(caddr_t), caddr_t arg);

/**
 * scsi_destroy_pkt() - give a packet and its DMA resources back
 *
 * @pkt      not in transport
 *
 * Thread:   any; runs waiting callbacks of scsi_init_pkt()
 * Source:   scsi_destroy_pkt(9F)
 */
void scsi_destroy_pkt(struct scsi_pkt *pkt);

/* scsi_dmafree() - release the DMA resources, keep the packet; harmless when there are none */
void scsi_dmafree(struct scsi_pkt *pkt);

/* scsi_dmaget() - obsolete: bind the buf @token to @pkt; @pkt or NULL */
struct scsi_pkt *scsi_dmaget(struct scsi_pkt *pkt, opaque_t token, int (*callback)(void));

/* scsi_sync_pkt() - make the packet's data coherent in its direction; idempotent; any
 * context */
void scsi_sync_pkt(struct scsi_pkt *pkt);

/**
 * scsi_transport() - start a command
 *
 * @pkt      prepared; the caller holds neither sd_mutex nor a lock its pkt_comp takes
 *
 * With FLAG_NOINTR the call returns when the command is finished, and pkt_comp is not called.
 * The HBA driver sees FLAG_NOINTR only if the calling thread is in interrupt context.
 *
 * Returns:  TRAN_ACCEPT, TRAN_BUSY, TRAN_BADPKT, TRAN_FATAL_ERROR
 * Thread:   any, also from inside pkt_comp; blocks only for FLAG_NOINTR
 * Source:   scsi_transport(9F)
 */
int scsi_transport(struct scsi_pkt *pkt);

/**
 * scsi_poll() - run a command to its end, with retries while the device is busy
 *
 * Retries until pkt_time (60 s when 0) is over; pkt_flags, pkt_comp and pkt_time are as before
 * when it returns.
 *
 * Returns:  0 completed with GOOD status, -1 otherwise: the packet says why
 * Thread:   may block; not in interrupt context
 * Source:   scsi_poll(9F)
 */
int scsi_poll(struct scsi_pkt *pkt);

#endif /* SYS_SCSI_SCSI_PKT_H */
