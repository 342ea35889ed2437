#include <sys/scsi/scsi.h>

#include "base/clock.h"
#include "ddi/violation.h"
#include "scsa/scsa_impl.h"

#define POLL_SHORT_NS	(10 * NS_PER_MS)	/* busy adapter, full queue, absent for a moment */
#define POLL_LONG_NS	(1 * NS_PER_S)		/* busy device, device becoming ready */

enum poll_next { POLL_GOOD, POLL_FAILED, POLL_SOON, POLL_LATER };

/* "becoming ready": NOT READY, 04h/01h, in automatic sense */
static bool
poll_is_becoming_ready(const struct scsi_pkt *pkt)
{
	struct scsi_arq_status *arq = (void *)pkt->pkt_scbp;
	uint8_t *sense;

	if (!(pkt->pkt_state & STATE_ARQ_DONE) || pkt->pkt_scblen < sizeof(*arq))
		return false;
	sense = (uint8_t *)&arq->sts_sensedata;
	if (scsi_validate_sense(sense, (int)SENSE_LENGTH, NULL) == SENSE_UNUSABLE)
		return false;
	return scsi_sense_key(sense) == KEY_NOT_READY && scsi_sense_asc(sense) == 0x04 &&
	    scsi_sense_ascq(sense) == 0x01;
}

static enum poll_next
poll_judge(const struct scsi_pkt *pkt, int r)
{
	uchar_t status = pkt->pkt_scbp != NULL ? *pkt->pkt_scbp : STATUS_GOOD;

	if (r == TRAN_BUSY)
		return POLL_SOON;
	if (r != TRAN_ACCEPT)
		return POLL_FAILED;
	if (pkt->pkt_reason == CMD_INCOMPLETE && pkt->pkt_state == 0)
		return POLL_SOON;
	if (pkt->pkt_reason != CMD_CMPLT)
		return POLL_FAILED;

	switch (status & STATUS_MASK) {
	case STATUS_GOOD:
		return status == STATUS_TASK_ABORT ? POLL_FAILED : POLL_GOOD;
	case STATUS_QFULL:
		return POLL_SOON;
	case STATUS_BUSY:
		return POLL_LATER;
	case STATUS_CHECK:
		return poll_is_becoming_ready(pkt) ? POLL_LATER : POLL_FAILED;
	default:
		return POLL_FAILED;
	}
}

static int
poll_loop(struct scsi_pkt *pkt)
{
	uint64_t deadline = clock_now_ns() + (uint64_t)pkt->pkt_time * NS_PER_S;
	enum poll_next next;

	for (;;) {
		uint64_t rest_ns;

		next = poll_judge(pkt, scsi_transport(pkt));
		if (next == POLL_GOOD) {
			scsi_sync_pkt(pkt);
			return 0;
		}
		rest_ns = next == POLL_SOON ? POLL_SHORT_NS : POLL_LONG_NS;
		if (next == POLL_FAILED || clock_now_ns() + rest_ns > deadline)
			return -1;
		sched_sleep_ns(rest_ns);
	}
}

int
scsi_poll(struct scsi_pkt *pkt)
{
	void (*comp)(struct scsi_pkt *) = pkt->pkt_comp;
	uint_t flags = pkt->pkt_flags;
	uint_t time = pkt->pkt_time;
	int r;

	ddi_check_may_sleep("scsi_poll");
	pkt->pkt_comp = NULL;
	pkt->pkt_flags |= FLAG_NOINTR;
	if (pkt->pkt_time == 0)
		pkt->pkt_time = SCSI_POLL_TIMEOUT;
	r = poll_loop(pkt);
	pkt->pkt_comp = comp;
	pkt->pkt_flags = flags;
	pkt->pkt_time = time;
	return r;
}
