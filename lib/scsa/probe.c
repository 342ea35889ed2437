#include <sys/scsi/scsi.h>

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/num.h"
#include "base/text.h"
#include "ddi/violation.h"
#include "scsa/scsa_impl.h"

#define PROBE_TRIES	2			/* one retry at once */
#define PROBE_BUSY_NS	(10 * NS_PER_MS)	/* between attempts while the adapter is busy */

/* how the packet of a probe ended */
enum probe_end {
	PROBE_GOOD, PROBE_ABSENT, PROBE_CHECK, PROBE_DEVICE_BUSY, PROBE_ADAPTER_BUSY, PROBE_ERROR
};

int
probe_run(struct scsi_pkt *pkt)
{
	uint64_t deadline = clock_now_ns() + SCSI_POLL_TIMEOUT * NS_PER_S;
	int r;

	pkt->pkt_flags |= FLAG_NOINTR;
	for (;;) {
		r = scsi_transport(pkt);
		if (r != TRAN_BUSY || clock_now_ns() + PROBE_BUSY_NS > deadline)
			return r;
		sched_sleep_ns(PROBE_BUSY_NS);
	}
}

static enum probe_end
probe_end(struct scsi_pkt *pkt, int r)
{
	if (r == TRAN_BUSY)
		return PROBE_ADAPTER_BUSY;
	if (r != TRAN_ACCEPT)
		return PROBE_ERROR;
	if (pkt->pkt_reason == CMD_INCOMPLETE || pkt->pkt_reason == CMD_DEV_GONE)
		return PROBE_ABSENT;
	if (pkt->pkt_reason != CMD_CMPLT)
		return PROBE_ERROR;
	switch (*pkt->pkt_scbp) {
	case STATUS_GOOD:
		return PROBE_GOOD;
	case STATUS_CHECK:
		return PROBE_CHECK;
	case STATUS_BUSY:
		return PROBE_DEVICE_BUSY;
	default:
		return PROBE_ERROR;
	}
}

bool
probe_alloc(struct scsi_device *sd, size_t len, int cdblen, int (*callback)(caddr_t),
    struct buf **ret_bp, struct scsi_pkt **ret_pkt)
{
	struct scsi_address *ap = &sd->sd_address;
	struct scsi_pkt *pkt;
	struct buf *bp;

	bp = scsi_alloc_consistent_buf(ap, NULL, len, B_READ, callback, NULL);
	if (bp == NULL)
		return false;
	pkt = scsi_init_pkt(ap, NULL, bp, cdblen, (int)sizeof(struct scsi_arq_status), 0,
	    PKT_CONSISTENT, callback, NULL);
	if (pkt == NULL) {
		scsi_free_consistent_buf(bp);
		return false;
	}
	pkt->pkt_time = SCSI_POLL_TIMEOUT;
	*ret_bp = bp;
	*ret_pkt = pkt;
	return true;
}

/* fetch the sense of a check condition that came without; its contents do not matter */
static void
probe_clear_check(struct scsi_device *sd)
{
	struct scsi_pkt *pkt;
	struct buf *bp;

	if (!probe_alloc(sd, SENSE_LENGTH, CDB_GROUP0, NULL_FUNC, &bp, &pkt))
		return;
	pkt->pkt_flags |= FLAG_SENSING | FLAG_HEAD;
	pkt->pkt_cdbp[0] = SCMD_REQUEST_SENSE;
	pkt->pkt_cdbp[4] = (uchar_t)SENSE_LENGTH;
	(void)probe_run(pkt);
	scsi_destroy_pkt(pkt);
	scsi_free_consistent_buf(bp);
}

static enum probe_end
probe_inquiry(struct scsi_device *sd, struct scsi_pkt *pkt)
{
	enum probe_end end = PROBE_ERROR;

	for (int i = 0; i < PROBE_TRIES; i++) {
		memset(pkt->pkt_cdbp, 0, CDB_GROUP0);
		pkt->pkt_cdbp[0] = SCMD_INQUIRY;
		pkt->pkt_cdbp[4] = (uchar_t)SUN_INQSIZE;
		end = probe_end(pkt, probe_run(pkt));
		if (end == PROBE_GOOD || end == PROBE_ABSENT || end == PROBE_ADAPTER_BUSY)
			break;
		if (end == PROBE_CHECK && !(pkt->pkt_state & STATE_ARQ_DONE))
			probe_clear_check(sd);
	}
	return end;
}

/* bytes of INQUIRY data that arrived; a device may send fewer than it was asked for */
static int
probe_take(struct scsi_device *sd, const struct buf *bp, const struct scsi_pkt *pkt)
{
	size_t len = SUN_INQSIZE;

	if (pkt->pkt_resid > 0)
		len = (size_t)pkt->pkt_resid < len ? len - (size_t)pkt->pkt_resid : 0;
	if (len < SUN_MIN_INQLEN)
		return SCSIPROBE_NONCCS;
	memset(sd->sd_inq, 0, SUN_INQSIZE);
	memcpy(sd->sd_inq, bp->b_un.b_addr, len);
	probe_props(sd);
	return SCSIPROBE_EXISTS;
}

static int
probe_judge(struct scsi_device *sd, const struct buf *bp, const struct scsi_pkt *pkt,
    enum probe_end end)
{
	switch (end) {
	case PROBE_GOOD:
		return probe_take(sd, bp, pkt);
	case PROBE_ABSENT:
		return SCSIPROBE_NORESP;
	case PROBE_DEVICE_BUSY:
		return SCSIPROBE_BUSY;
	case PROBE_CHECK:
	case PROBE_ADAPTER_BUSY:
	case PROBE_ERROR:
		break;
	}
	return SCSIPROBE_FAILURE;
}

/* no memory: shall the caller be called back? */
static int
probe_no_memory(int (*waitfunc)(void))
{
	if (waitfunc == NULL_FUNC || waitfunc == SLEEP_FUNC)
		return SCSIPROBE_NOMEM;
	/* a function without argument, called with one that it does not look at */
	runout_add((int (*)(caddr_t))(void *)waitfunc, NULL);
	return SCSIPROBE_NOMEM_CB;
}

int
scsi_hba_probe_pi(struct scsi_device *sd, int (*waitfunc)(void), int pi)
{
	int (*wait)(caddr_t) = waitfunc == SLEEP_FUNC ? SLEEP_FUNC : NULL_FUNC;
	struct scsi_pkt *pkt;
	struct buf *bp;
	int r;

	(void)pi;
	if (sd->sd_inq == NULL)
		sd->sd_inq = kmem_zalloc(SUN_INQSIZE,
		    wait == SLEEP_FUNC ? KM_SLEEP : KM_NOSLEEP);
	if (sd->sd_inq == NULL ||
	    !probe_alloc(sd, SUN_INQSIZE, CDB_GROUP0, wait, &bp, &pkt))
		return probe_no_memory(waitfunc);
	if (scsi_ifgetcap(&sd->sd_address, "tagged-qing", 1) == 1)
		pkt->pkt_flags |= FLAG_STAG;
	r = probe_judge(sd, bp, pkt, probe_inquiry(sd, pkt));
	scsi_destroy_pkt(pkt);
	scsi_free_consistent_buf(bp);
	return r;
}

int
scsi_hba_probe(struct scsi_device *sd, int (*waitfunc)(void))
{
	return scsi_hba_probe_pi(sd, waitfunc, 0);
}

int
scsi_probe(struct scsi_device *sd, int (*waitfunc)(void))
{
	TRACE(.kind = SCSA_EV_PROBE, .tran = sd->sd_address.a_hba_tran, .dip = sd->sd_dev,
	    .sd = sd);
	ddi_check_may_sleep("scsi_probe");
	return tran_call_tgt_probe(sd, waitfunc);
}

void
scsi_unprobe(struct scsi_device *sd)
{
	if (sd->sd_inq == NULL)
		return;
	kmem_free(sd->sd_inq, SUN_INQSIZE);
	sd->sd_inq = NULL;
}

int
scsi_slave(struct scsi_device *sd, int (*waitfunc)(void))
{
	return scsi_probe(sd, waitfunc);
}

void
scsi_unslave(struct scsi_device *sd)
{
	scsi_unprobe(sd);
}

/*
 * INQUIRY data as properties. What is there already stays: the first definition wins.
 */

int
scsi_hba_prop_update_inqstring(struct scsi_device *sd, char *name, char *data, size_t len)
{
	char text[sizeof(((struct scsi_inquiry *)0)->inq_pid) + 1];

	if (sd->sd_dev == NULL || len >= sizeof(text))
		return DDI_PROP_INVAL_ARG;
	(void)text_trim_field(data, len, text);
	if (text[0] == '\0')
		return DDI_PROP_SUCCESS;
	return ndi_prop_update_string(DDI_DEV_T_NONE, sd->sd_dev, name, text);
}

static void
probe_prop_string(struct scsi_device *sd, char *name, char *data, size_t len)
{
	if (!ddi_prop_exists(DDI_DEV_T_ANY, sd->sd_dev, DDI_PROP_DONTPASS, name))
		(void)scsi_hba_prop_update_inqstring(sd, name, data, len);
}

void
probe_props(struct scsi_device *sd)
{
	struct scsi_inquiry *inq = sd->sd_inq;
	dev_info_t *dip = sd->sd_dev;

	if (dip == NULL)
		return;
	if (!ddi_prop_exists(DDI_DEV_T_ANY, dip, DDI_PROP_DONTPASS, "inquiry-device-type"))
		(void)ndi_prop_update_int(DDI_DEV_T_NONE, dip, "inquiry-device-type",
		    inq->inq_dtype & DTYPE_MASK);
	probe_prop_string(sd, "inquiry-vendor-id", inq->inq_vid, sizeof(inq->inq_vid));
	probe_prop_string(sd, "inquiry-product-id", inq->inq_pid, sizeof(inq->inq_pid));
	probe_prop_string(sd, "inquiry-revision-id", inq->inq_revision,
	    sizeof(inq->inq_revision));
	probe_prop_string(sd, "inquiry-serial-no", inq->inq_serial, sizeof(inq->inq_serial));
}
