#include <sys/scsi/scsi.h>

#include <string.h>

#include "ddi/violation.h"
#include "scsa/maps.h"
#include "scsa/pkt_dma.h"

/*
 * Completions that a driver delivers from inside its tran_start wait here until that has
 * returned: so pkt_comp never runs on top of the driver, and a chain of commands that all complete
 * inline is a loop instead of a recursion.
 */
static _Thread_local struct pump {
	unsigned int depth;		/* tran_start calls on this thread's stack */
	bool is_draining;
	STAILQ_HEAD(, scsa_pkt) done;
} pump;

/* one thread waiting for one FLAG_NOINTR packet */
struct pkt_waiter {
	kmutex_t lock;
	kcondvar_t cv;
	bool is_done;
};

static void
pkt_finish(struct scsi_pkt *pkt)
{
	bool was;

	pkt->pkt_flags |= FLAG_PKT_COMP_CALLED;
	TRACE(.kind = SCSA_EV_COMP, .tran = pkt->pkt_address.a_hba_tran, .pkt = pkt,
	    .arg = pkt->pkt_reason);
	if (pkt->pkt_comp == NULL)
		return;
	was = sched_set_interrupt(true);
	pkt->pkt_comp(pkt);
	(void)sched_set_interrupt(was);
}

static void
pump_enter(void)
{
	if (pump.depth++ == 0 && !pump.is_draining)
		STAILQ_INIT(&pump.done);
}

static void
pump_exit(void)
{
	struct scsa_pkt *sp;

	if (--pump.depth != 0 || pump.is_draining)
		return;
	if (LIKELY(STAILQ_EMPTY(&pump.done)))
		return;
	pump.is_draining = true;
	while ((sp = STAILQ_FIRST(&pump.done)) != NULL) {
		STAILQ_REMOVE_HEAD(&pump.done, link);
		pkt_finish(&sp->pkt);
	}
	pump.is_draining = false;
}

/* debug builds: how many packets of a unit its driver has, to catch tran_tgt_free in between */
static void
pkt_count_issued(struct scsa_pkt *sp, int change)
{
#ifdef SCSAD_DEBUG
	if (sp->unit != NULL && sp->is_cached)
		atomic_fetch_add(&sp->unit->issued, change);
#else
	(void)sp;
	(void)change;
#endif
}

/* may this packet be submitted? One that is "issued" may: old-style drivers complete past us */
static bool
pkt_may_issue(struct scsi_pkt *pkt, struct scsa_pkt *sp)
{
	unsigned int state = atomic_load_explicit(&sp->state, memory_order_acquire);

	if (LIKELY(state == PKT_ST_IDLE || state == PKT_ST_DONE))
		return true;
	if (state != PKT_ST_ISSUED) {
		ddi_violation("pkt-state", "packet submitted after it was destroyed");
		return false;
	}
	if (sp->is_cached) {
		PORT_COUNT(pkt->pkt_address.a_hba_tran, direct_comp);
		pkt_count_issued(sp, -1);
		ddi_violation("pkt-direct-completion",
		    "packet submitted again, its last completion did not use scsi_hba_pkt_comp");
	}
	return true;
}

/* the packet goes to the driver; what it held of an earlier use is wiped. False: it may not */
static bool
pkt_issue(struct scsi_pkt *pkt, struct scsa_pkt *sp)
{
	if (sp != NULL && !pkt_may_issue(pkt, sp))
		return false;
	pkt->pkt_flags &= ~FLAG_PKT_COMP_CALLED;
	pkt->pkt_reason = CMD_CMPLT;
	pkt->pkt_state = 0;
	pkt->pkt_statistics = 0;
	if (sp == NULL)
		return true;
#ifdef SCSAD_DEBUG
	if (sp->unit != NULL && mutex_owned(&sp->unit->sd.sd_mutex))
		ddi_violation("sd-mutex-held", "sd_mutex of %s held across scsi_transport",
		    scsi_device_unit_address(&sp->unit->sd));
#endif
	pkt_count_issued(sp, 1);
	atomic_store_explicit(&sp->state, PKT_ST_ISSUED, memory_order_relaxed);
	if (sp->is_cached)
		pkt_dma_sync_start(sp);
	return true;
}

/* the driver did not take it; TRAN_ACCEPT if it completed it nevertheless */
static int
pkt_refused(struct scsi_hba_tran *tran, struct scsa_pkt *sp, int r)
{
	unsigned int issued = PKT_ST_ISSUED;

	if (r == TRAN_BUSY)
		PORT_COUNT(tran, busy);
	else
		PORT_COUNT(tran, refused);
	if (sp == NULL)
		return r;
	if (atomic_compare_exchange_strong(&sp->state, &issued, PKT_ST_IDLE)) {
		pkt_count_issued(sp, -1);
		return r;
	}
	ddi_violation("pkt-comp-without-accept", "packet completed, yet tran_start said %d", r);
	return TRAN_ACCEPT;
}

int
transport_start(struct scsi_pkt *pkt)
{
	struct scsi_hba_tran *tran = pkt->pkt_address.a_hba_tran;
	struct scsa_pkt *sp = pkt_framework(pkt);
	int r;

	if (UNLIKELY(!pkt_issue(pkt, sp)))
		return TRAN_BADPKT;
	TRACE(.kind = SCSA_EV_SUBMIT, .tran = tran, .pkt = pkt, .arg = pkt->pkt_flags);
	pump_enter();
	r = tran_call_start(tran, pkt);
	if (UNLIKELY(r != TRAN_ACCEPT))
		r = pkt_refused(tran, sp, r);
	pump_exit();
	return r;
}

/*
 * FLAG_NOINTR: the driver sees an ordinary command, and this thread waits for it.
 */

static void
waiter_wake(struct scsi_pkt *pkt)
{
	struct pkt_waiter *w = pkt_framework(pkt)->waiter;

	/* an old-style driver that calls pkt_comp twice meets nobody the second time */
	if (w == NULL)
		return;
	mutex_enter(&w->lock);
	w->is_done = true;
	cv_signal(&w->cv);
	mutex_exit(&w->lock);
}

static int
transport_wait(struct scsi_pkt *pkt, struct scsa_pkt *sp)
{
	void (*comp)(struct scsi_pkt *) = pkt->pkt_comp;
	uint_t flags = pkt->pkt_flags;
	struct pkt_waiter w = { .is_done = false };
	int r;

	mutex_init(&w.lock, "pkt waiter", MUTEX_DRIVER, NULL);
	cv_init(&w.cv, "pkt waiter", CV_DRIVER, NULL);
	sp->waiter = &w;
	pkt->pkt_comp = waiter_wake;
	pkt->pkt_flags = (flags & ~FLAG_NOINTR) | FLAG_IMMEDIATE_CB;

	r = transport_start(pkt);
	mutex_enter(&w.lock);
	while (r == TRAN_ACCEPT && !w.is_done)
		cv_wait(&w.cv, &w.lock);
	mutex_exit(&w.lock);

	pkt->pkt_comp = comp;
	pkt->pkt_flags = flags & ~FLAG_PKT_COMP_CALLED;
	sp->waiter = NULL;
	cv_destroy(&w.cv);
	mutex_destroy(&w.lock);
	return r;
}

/* in interrupt context nobody can wait: the driver has to poll, and calls nobody back */
static int
transport_polled(struct scsi_pkt *pkt, struct scsa_pkt *sp)
{
	int r = transport_start(pkt);

	if (r != TRAN_ACCEPT)
		return r;
	if (sp != NULL) {
		pkt_count_issued(sp, -1);
		atomic_store_explicit(&sp->state, PKT_ST_DONE, memory_order_release);
		if (sp->is_cached)
			pkt_dma_sync_comp(sp);
	}
	TRACE(.kind = SCSA_EV_COMP, .tran = pkt->pkt_address.a_hba_tran, .pkt = pkt,
	    .arg = pkt->pkt_reason);
	return r;
}

static int __attribute__((noinline))
transport_nointr(struct scsi_pkt *pkt)
{
	struct scsa_pkt *sp = pkt_framework(pkt);

	if (sp == NULL || sched_is_interrupt())
		return transport_polled(pkt, sp);
	return transport_wait(pkt, sp);
}

int
scsi_transport(struct scsi_pkt *pkt)
{
	if (UNLIKELY(pkt->pkt_flags & FLAG_NOINTR))
		return transport_nointr(pkt);
	return transport_start(pkt);
}

/*
 * Completion.
 */

/* a packet that the framework did not make: only its flag tells */
static void
pkt_comp_foreign(struct scsi_pkt *pkt)
{
	if (pkt->pkt_flags & FLAG_PKT_COMP_CALLED) {
		PORT_COUNT(pkt->pkt_address.a_hba_tran, double_comp);
		ddi_violation("pkt-double-completion", "packet completed twice");
		return;
	}
	if (!(pkt->pkt_flags & FLAG_NOINTR))
		pkt_finish(pkt);
}

/* it was not "issued": destroyed meanwhile, or completed before */
static void
pkt_comp_late(struct scsi_pkt *pkt, struct scsa_pkt *sp)
{
	unsigned int doomed = PKT_ST_DOOMED;

	if (atomic_compare_exchange_strong(&sp->state, &doomed, PKT_ST_DONE)) {
		pkt_count_issued(sp, -1);
		tran_call_destroy_pkt(pkt);
		runout_run();
		return;
	}
	TRACE(.kind = SCSA_EV_COMP_DOUBLE, .tran = pkt->pkt_address.a_hba_tran, .pkt = pkt);
	PORT_COUNT(pkt->pkt_address.a_hba_tran, double_comp);
	ddi_violation("pkt-double-completion", "packet completed while %s",
	    pkt_states[doomed].name);
}

void
scsi_hba_pkt_comp(struct scsi_pkt *pkt)
{
	struct scsa_pkt *sp = pkt_framework(pkt);
	unsigned int issued = PKT_ST_ISSUED;

	if (UNLIKELY(sp == NULL)) {
		pkt_comp_foreign(pkt);
		return;
	}
	if (UNLIKELY(pkt->pkt_flags & FLAG_NOINTR) &&
	    atomic_load_explicit(&sp->state, memory_order_acquire) == PKT_ST_ISSUED) {
		ddi_violation("pkt-comp-nointr", "completion of a packet with FLAG_NOINTR");
		return;
	}
	if (UNLIKELY(!atomic_compare_exchange_strong_explicit(&sp->state, &issued, PKT_ST_DONE,
	    memory_order_acq_rel, memory_order_acquire))) {
		pkt_comp_late(pkt, sp);
		return;
	}
	pkt_count_issued(sp, -1);
	if (sp->is_cached)
		pkt_dma_sync_comp(sp);
	if (UNLIKELY(pkt->pkt_state & STATE_ARQ_DONE))
		tgtmap_watch(pkt);
	if (pump.depth != 0 && !(pkt->pkt_flags & FLAG_IMMEDIATE_CB))
		STAILQ_INSERT_TAIL(&pump.done, sp, link);
	else
		pkt_finish(pkt);
}
