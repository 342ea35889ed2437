#include "mock_port.h"

#include <stdlib.h>
#include <string.h>
#include <sys/conf.h>
#include <sys/modctl.h>
#include <sys/taskq.h>

#include "base/bytes.h"
#include "ddi/devtree.h"
#include "ddi/driver.h"
#include "ddi/sched.h"
#include "scsa/config.h"
#include "scsi/cdb.h"
#include "scsi/opcode.h"

struct port port;
struct lu_host port_host;
struct lu_exec *port_home;
int port_events[LU_EVENT_N];
int port_done_order;

/* ------ home: a loop on a thread of lib/ddi ------ */

static struct home {
	struct lu_exec exec;
	kmutex_t lock;
	kcondvar_t cv;
	struct lu_work_list inbox;
	struct lu_work_list deferred;
	bool is_ending, is_over;
} homes[PORT_HOMES];

static _Thread_local struct home *here;

static struct lu_worker *worker;

static struct home *
home_of(const struct lu_exec *x)
{
	return container_of((struct lu_exec *)(uintptr_t)x, struct home, exec);
}

static void
home_post(struct lu_exec *x, struct lu_work *w)
{
	struct home *home = home_of(x);

	mutex_enter(&home->lock);
	STAILQ_INSERT_TAIL(&home->inbox, w, entry);
	cv_broadcast(&home->cv);
	mutex_exit(&home->lock);
}

static void
home_defer(struct lu_exec *x, struct lu_work *w)
{
	ck_assert_ptr_eq(here, home_of(x));
	STAILQ_INSERT_TAIL(&here->deferred, w, entry);
}

static bool
home_is_here(const struct lu_exec *x)
{
	return here == home_of(x);
}

static void
list_run(struct lu_work_list *list)
{
	struct lu_work *w;
	bool was = sched_set_interrupt(true);

	while ((w = STAILQ_FIRST(list)) != NULL) {
		STAILQ_REMOVE_HEAD(list, entry);
		w->fn(w);
	}
	(void)sched_set_interrupt(was);
}

static void
home_main(void *arg)
{
	struct home *home = here = arg;
	struct lu_work_list list;

	mutex_enter(&home->lock);
	for (;;) {
		if (STAILQ_EMPTY(&home->inbox)) {
			if (home->is_ending)
				break;
			cv_wait(&home->cv, &home->lock);
			continue;
		}
		STAILQ_INIT(&list);
		STAILQ_CONCAT(&list, &home->inbox);
		mutex_exit(&home->lock);
		list_run(&list);
		list_run(&home->deferred);
		mutex_enter(&home->lock);
	}
	home->is_over = true;
	cv_broadcast(&home->cv);
	mutex_exit(&home->lock);
}

struct visit {
	struct lu_work work;
	void (*fn)(void *arg);
	void *arg;
	bool is_done;
};

static void
visit_run(struct lu_work *w)
{
	struct visit *v = container_of(w, struct visit, work);
	struct home *home = here;

	v->fn(v->arg);
	mutex_enter(&home->lock);
	v->is_done = true;
	cv_broadcast(&home->cv);
	mutex_exit(&home->lock);
}

void
port_at(struct lu_exec *x, void (*fn)(void *arg), void *arg)
{
	struct home *home = home_of(x);
	struct visit v = { .fn = fn, .arg = arg };

	lu_exec_post(x, &v.work, visit_run);
	mutex_enter(&home->lock);
	while (!v.is_done)
		cv_wait(&home->cv, &home->lock);
	mutex_exit(&home->lock);
}

void
port_at_home(void (*fn)(void *arg), void *arg)
{
	port_at(&homes[0].exec, fn, arg);
}

static struct lu_exec *
host_pick_home(struct lu_host *h UNUSED, const struct lu *unit)
{
	return &homes[port.has_two_homes ? lu_info(unit)->lun % PORT_HOMES : 0].exec;
}

static void
host_event(struct lu_host *h UNUSED, enum lu_event event, struct lu *unit UNUSED)
{
	port_events[event]++;
}

/* ------ the driver ------ */

static bool
is_there(const struct scsi_address *ap)
{
	return (ap->a_target == 0 && ap->a_lun < 2) || (ap->a_target == 1 && ap->a_lun == 0);
}

static int
port_tgt_init(dev_info_t *hba UNUSED, dev_info_t *tgt UNUSED, scsi_hba_tran_t *tran UNUSED,
    struct scsi_device *sd UNUSED)
{
	return DDI_SUCCESS;
}

static int
port_setup(struct scsi_pkt *pkt UNUSED, int (*cb)(caddr_t) UNUSED, caddr_t arg UNUSED)
{
	port.n_setup++;
	return 0;
}

static void
port_teardown(struct scsi_pkt *pkt UNUSED)
{
}

static void
pkt_put(struct scsi_pkt *pkt, const void *bytes, size_t len)
{
	uint8_t *dst;

	if (pkt->pkt_numcookies == 0)
		return;
	dst = (uint8_t *)(uintptr_t)pkt->pkt_cookies[0].dmac_laddress;
	if (len > pkt->pkt_dma_len)
		len = pkt->pkt_dma_len;
	memcpy(dst, bytes, len);
	pkt->pkt_resid = (ssize_t)(pkt->pkt_dma_len - len);
	pkt->pkt_state |= STATE_XFERRED_DATA;
}

#define STATE_ANSWERED	\
	(STATE_GOT_BUS | STATE_GOT_TARGET | STATE_SENT_CMD | STATE_GOT_STATUS)

void
port_answer(struct scsi_pkt *pkt, const void *data, size_t len)
{
	pkt->pkt_state = STATE_ANSWERED;
	if (len > 0)
		pkt_put(pkt, data, len);
}

void
port_take(struct scsi_pkt *pkt, void *data, size_t len)
{
	pkt->pkt_state = STATE_ANSWERED | STATE_XFERRED_DATA;
	ck_assert_uint_eq(pkt->pkt_dma_len, len);
	memcpy(data, (const void *)(uintptr_t)pkt->pkt_cookies[0].dmac_laddress, len);
}

void
port_refuse(struct scsi_pkt *pkt, uint8_t key, uint16_t asc)
{
	struct scsi_arq_status *arq = (void *)pkt->pkt_scbp;
	struct sense_data sense = sense_make(key, asc);

	pkt->pkt_state = STATE_ANSWERED | STATE_ARQ_DONE | STATE_XARQ_DONE;
	pkt->pkt_scbp[0] = STATUS_CHECK;
	pkt->pkt_resid = (ssize_t)pkt->pkt_dma_len;
	arq->sts_rqpkt_state = STATE_ANSWERED | STATE_XFERRED_DATA;
	arq->sts_rqpkt_resid = (uchar_t)(LU_SENSE_MAX -
	    sense_build(&sense, false, &arq->sts_sensedata, SENSE_LENGTH));
}

/* INQUIRY and its like are answered whatever the script says; false: not one of them */
static bool
answer_identity(struct scsi_address *ap, struct scsi_pkt *pkt)
{
	uint8_t data[96] = { 0 };
	const uint8_t *cdb = pkt->pkt_cdbp;

	pkt->pkt_state = STATE_GOT_BUS | STATE_GOT_TARGET | STATE_SENT_CMD | STATE_GOT_STATUS;
	switch (cdb[0]) {
	case 0x12:	/* INQUIRY */
		if ((cdb[1] & 1) != 0) {
			if (cdb[2] != 0x80) {
				pkt->pkt_scbp[0] = STATUS_CHECK;
				return true;
			}
			data[1] = 0x80;
			data[3] = 4;
			memcpy(data + 4, ap->a_target == 0 ? "T0L0" : "T1L0", 4);
			data[7] = (uint8_t)('0' + ap->a_lun);
			pkt_put(pkt, data, 8);
			return true;
		}
		data[0] = port.inquiry_type;
		data[2] = 6;
		data[3] = 2;
		data[4] = 91;
		memcpy(data + 8, "MOCK    PORT DISK       0001", 28);
		pkt_put(pkt, data, sizeof(data));
		return true;
	case 0xa0:	/* REPORT LUNS */
		be32_put(data, ap->a_target == 0 ? 16 : 8);
		data[17] = 1;
		pkt_put(pkt, data, ap->a_target == 0 ? 24 : 16);
		return true;
	case 0x25:	/* READ CAPACITY(10) */
		be32_put(data, port.last_lba);
		be32_put(data + 4, 512);
		pkt_put(pkt, data, 8);
		return true;
	case 0x9e:	/* READ CAPACITY(16) */
		be64_put(data, 0x1ffffffffull);
		be32_put(data + 8, 512);
		pkt_put(pkt, data, 32);
		return true;
	case 0x1a:	/* MODE SENSE(6) */
		data[0] = 3;
		data[2] = 0x80;
		pkt_put(pkt, data, 4);
		return true;
	default:
		return false;
	}
}

static void
answer_script(struct scsi_pkt *pkt)
{
	struct scsi_arq_status *arq = (void *)pkt->pkt_scbp;

	pkt->pkt_reason = port.reason;
	pkt->pkt_statistics = port.statistics;
	pkt->pkt_state = port.state != 0 ? port.state : STATE_GOT_BUS | STATE_GOT_TARGET |
	    STATE_SENT_CMD | STATE_GOT_STATUS | (pkt->pkt_dma_len > 0 ? STATE_XFERRED_DATA : 0);
	pkt->pkt_resid = port.resid < 0 ? 0 : port.resid;
	pkt->pkt_scbp[0] = port.status;
	if (!port.has_sense)
		return;
	pkt->pkt_state |= STATE_ARQ_DONE | (port.is_xarq ? STATE_XARQ_DONE : 0);
	*(uint8_t *)&arq->sts_rqpkt_status = port.rq_status;
	arq->sts_rqpkt_reason = port.rq_reason;
	arq->sts_rqpkt_resid = port.rq_resid;
	arq->sts_rqpkt_state = port.rq_state;
	memset(&arq->sts_sensedata, 0x70, SENSE_LENGTH);
}

static void
comp_task(void *arg)
{
	scsi_hba_pkt_comp(arg);
}

static void
pending_add(struct scsi_pkt *pkt)
{
	mutex_enter(&port.lock);
	port.pending[port.n_pending++] = pkt;
	mutex_exit(&port.lock);
}

static int
port_start(struct scsi_address *ap, struct scsi_pkt *pkt)
{
	bool is_first_tur = pkt->pkt_cdbp[0] == 0 && (pkt->pkt_flags & FLAG_SILENT) != 0;

	pkt->pkt_scbp[0] = 0;
	if (!is_there(ap)) {
		pkt->pkt_reason = CMD_INCOMPLETE;
		pkt->pkt_state = STATE_GOT_BUS;
		scsi_hba_pkt_comp(pkt);
		return TRAN_ACCEPT;
	}
	if (port.kept != 0 && pkt->pkt_cdbp[0] == port.kept) {
		pending_add(pkt);
		return TRAN_ACCEPT;
	}
	if ((port.answer != NULL && port.answer(ap, pkt)) || answer_identity(ap, pkt) ||
	    is_first_tur) {
		scsi_hba_pkt_comp(pkt);
		return TRAN_ACCEPT;
	}
	if (port.busy != 0) {
		if (port.busy > 0)
			port.busy--;
		return TRAN_BUSY;
	}
	if (port.tran != TRAN_ACCEPT)
		return port.tran;
	port.n_start++;
	port.last_flags = pkt->pkt_flags;
	port.last_time = pkt->pkt_time;
	answer_script(pkt);
	if (port.how == PORT_INLINE) {
		scsi_hba_pkt_comp(pkt);
	} else if (port.how == PORT_THREAD) {
		ck_assert(taskq_dispatch(port.tq, comp_task, pkt, TQ_NOSLEEP) != 0);
	} else {
		pending_add(pkt);
	}
	return TRAN_ACCEPT;
}

/* take packets of @ap (NULL: all), only @only if not NULL; complete them as @reason */
static int
pending_end(const struct scsi_address *ap, int level, const struct scsi_pkt *only, int reason,
    uint_t statistics)
{
	struct scsi_pkt *taken[PORT_PENDING];
	int n = 0, kept = 0;

	mutex_enter(&port.lock);
	for (int i = 0; i < port.n_pending; i++) {
		struct scsi_pkt *pkt = port.pending[i];
		bool fits = ap == NULL || level == RESET_ALL ||
		    (pkt->pkt_address.a_target == ap->a_target &&
		    (level == RESET_TARGET || pkt->pkt_address.a_lun == ap->a_lun));

		if (fits && (only == NULL || only == pkt))
			taken[n++] = pkt;
		else
			port.pending[kept++] = pkt;
	}
	port.n_pending = kept;
	mutex_exit(&port.lock);
	for (int i = 0; i < n; i++) {
		if (reason >= 0) {
			taken[i]->pkt_reason = (uchar_t)reason;
			taken[i]->pkt_statistics |= statistics;
			taken[i]->pkt_state = STATE_GOT_BUS;
		}
		scsi_hba_pkt_comp(taken[i]);
	}
	return n;
}

int
port_complete(void)
{
	return pending_end(NULL, RESET_ALL, NULL, -1, 0);
}

void
port_release(void)
{
	struct scsi_pkt *taken[PORT_PENDING];
	int n = 0, left = 0;

	mutex_enter(&port.lock);
	for (int i = 0; i < port.n_pending; i++) {
		if (port.pending[i]->pkt_cdbp[0] == port.kept)
			taken[n++] = port.pending[i];
		else
			port.pending[left++] = port.pending[i];
	}
	port.n_pending = left;
	mutex_exit(&port.lock);
	port.kept = 0;
	for (int i = 0; i < n; i++) {
		struct scsi_address *ap = &taken[i]->pkt_address;

		if (port.answer == NULL || !port.answer(ap, taken[i]))
			(void)answer_identity(ap, taken[i]);
		scsi_hba_pkt_comp(taken[i]);
	}
}

static int
port_abort(struct scsi_address *ap, struct scsi_pkt *pkt)
{
	port.n_abort++;
	if (port.is_abort_late)
		(void)pending_end(ap, RESET_LUN, pkt, -1, 0);
	else if (port.abort_answer == 1 && !port.is_abort_silent)
		(void)pending_end(ap, RESET_LUN, pkt, CMD_ABORTED, STAT_ABORTED);
	return port.abort_answer;
}

static int
port_reset(struct scsi_address *ap, int level)
{
	port.n_reset++;
	port.last_level = level;
	if (port.reset_answer != 1)
		return 0;
	if (!port.is_reset_silent)
		(void)pending_end(ap, level, NULL, CMD_RESET, STAT_DEV_RESET);
	mutex_enter(&port.lock);
	scsi_hba_reset_notify_callback(&port.lock, &port.notify);
	mutex_exit(&port.lock);
	return 1;
}

static int
port_reset_notify(struct scsi_address *ap, int flag, void (*cb)(caddr_t), caddr_t arg)
{
	return scsi_hba_reset_notify_setup(ap, flag, cb, arg, &port.lock, &port.notify);
}

static int
port_getcap(struct scsi_address *ap UNUSED, char *cap, int whom UNUSED)
{
	switch (scsi_hba_lookup_capstr(cap)) {
	case SCSI_CAP_LUN_RESET:
		return 1;
	case SCSI_CAP_CDB_LEN:
		return 16;
	case SCSI_CAP_DMA_MAX:
		return 1 << 20;
	default:
		return -1;
	}
}

static int
port_setcap(struct scsi_address *ap UNUSED, char *cap UNUSED, int value UNUSED, int whom UNUSED)
{
	return 1;
}

static ddi_dma_attr_t attr = {
	.dma_attr_version = DMA_ATTR_V0,
	.dma_attr_addr_hi = UINT64_MAX,
	.dma_attr_count_max = UINT32_MAX,
	.dma_attr_align = 1,
	.dma_attr_burstsizes = 1,
	.dma_attr_minxfer = 1,
	.dma_attr_maxxfer = UINT32_MAX,
	.dma_attr_seg = UINT64_MAX,
	.dma_attr_sgllen = 1,
	.dma_attr_granular = 512,
};

static int
port_attach(dev_info_t *dip, ddi_attach_cmd_t cmd UNUSED)
{
	scsi_hba_tran_t *tran = scsi_hba_tran_alloc(dip, SCSI_HBA_CANSLEEP);

	tran->tran_tgt_init = port_tgt_init;
	tran->tran_start = port_start;
	tran->tran_abort = port_abort;
	tran->tran_reset = port_reset;
	tran->tran_reset_notify = port_reset_notify;
	tran->tran_getcap = port_getcap;
	tran->tran_setcap = port_setcap;
	tran->tran_setup_pkt = port_setup;
	tran->tran_teardown_pkt = port_teardown;
	(void)ddi_prop_update_int(DDI_DEV_T_NONE, dip, "scsi-max-targets", 2);
	(void)ddi_prop_update_int(DDI_DEV_T_NONE, dip, "scsi-initiator-id", 7);
	if (scsi_hba_attach_setup(dip, &attr, tran, SCSI_HBA_TRAN_CDB | SCSI_HBA_TRAN_SCB) !=
	    DDI_SUCCESS) {
		scsi_hba_tran_free(tran);
		return DDI_FAILURE;
	}
	return DDI_SUCCESS;
}

static int
port_detach(dev_info_t *dip, ddi_detach_cmd_t cmd UNUSED)
{
	scsi_hba_tran_t *tran = ddi_get_driver_private(dip);

	if (scsi_hba_detach(dip) != DDI_SUCCESS)
		return DDI_FAILURE;
	scsi_hba_tran_free(tran);
	return DDI_SUCCESS;
}

static struct dev_ops port_ops = {
	.devo_rev = DEVO_REV,
	.devo_getinfo = ddi_no_info,
	.devo_probe = nulldev,
	.devo_attach = port_attach,
	.devo_detach = port_detach,
};

static struct modldrv port_modldrv = {
	.drv_modops = &mod_driverops,
	.drv_linkinfo = "port",
	.drv_dev_ops = &port_ops,
};

static struct modlinkage port_modlinkage = {
	.ml_rev = MODREV_1,
	.ml_linkage = { &port_modldrv, NULL },
};

/* ------ life ------ */

void
port_defaults(void)
{
	memset(&port, 0, sizeof(port));
	port.tran = TRAN_ACCEPT;
	port.resid = -1;
	port.abort_answer = port.reset_answer = 1;
	port.last_lba = 999;
	port.rq_state = STATE_GOT_BUS | STATE_GOT_TARGET | STATE_SENT_CMD | STATE_XFERRED_DATA |
	    STATE_GOT_STATUS;
	memset(port_events, 0, sizeof(port_events));
	port_done_order = 0;
}

void
port_home_begin(void)
{
	memset(homes, 0, sizeof(homes));
	for (size_t i = 0; i < PORT_HOMES; i++) {
		homes[i].exec = (struct lu_exec){ home_post, home_defer, home_is_here };
		STAILQ_INIT(&homes[i].inbox);
		STAILQ_INIT(&homes[i].deferred);
		mutex_init(&homes[i].lock, NULL, MUTEX_DRIVER, NULL);
		cv_init(&homes[i].cv, NULL, CV_DRIVER, NULL);
		(void)thread_create(NULL, 0, home_main, &homes[i], 0, NULL, TS_RUN, 0);
	}
	port_home = &homes[0].exec;
	ck_assert_int_eq(lu_worker_new(2, &worker), 0);
	port_host = (struct lu_host){
		.pick_home = host_pick_home,
		.event = host_event,
		.worker = lu_worker_exec(worker),
		.state_dir = port.state_dir,
		.drain_ms = 100,
	};
	ck_assert_int_eq(lu_init(&port_host), 0);
}

void
port_home_end(void)
{
	ck_assert_int_eq(lu_fini(), 0);
	lu_worker_free(worker);
	for (size_t i = 0; i < PORT_HOMES; i++) {
		mutex_enter(&homes[i].lock);
		homes[i].is_ending = true;
		cv_broadcast(&homes[i].cv);
		while (!homes[i].is_over)
			cv_wait(&homes[i].cv, &homes[i].lock);
		mutex_exit(&homes[i].lock);
	}
}

void
port_begin(void)
{
	port_home_begin();
	mutex_init(&port.lock, NULL, MUTEX_DRIVER, NULL);
	port.tq = taskq_create("port", 1, 0, 1, 1000, 0);
	ck_assert_int_eq(scsi_hba_init(&port_modlinkage), 0);
	ck_assert_int_eq(scsad_mod_install(&port_modlinkage, "port"), 0);
	ck_assert_int_eq(devi_alloc(devi_root(), "port", &port.dip), 0);
	ck_assert_int_eq(devi_attach(port.dip), 0);
	ck_assert_int_eq(scsa_bus_config_all(port.dip), 3);
}

void
port_end(void)
{
	ck_assert_int_eq(scsa_bus_unconfig_all(port.dip), 0);
	ck_assert_int_eq(devi_detach(port.dip, DEVI_DETACH_FREE), 0);
	ck_assert_int_eq(mod_remove(&port_modlinkage), 0);
	scsi_hba_fini(&port_modlinkage);
	port_home_end();
	taskq_destroy(port.tq);
	mutex_destroy(&port.lock);
}

void
port_sim(void (*fn)(void *))
{
	for (uint64_t seed = 1; seed <= 5; seed++) {
		const struct sim_opts opts = { .seed = seed, .yield_per_1024 = seed == 1 ? 0 :
		    256 };

		port_defaults();
		sim_run(&opts, fn, NULL);
	}
}

struct lu *
port_unit(const char *name)
{
	struct lu *unit;

	ck_assert_int_eq(lu_find(name, &unit, NULL, 0), 0);
	return unit;
}

/* ------ tasks and nexuses ------ */

static void
ptask_done(struct lu_task *lu)
{
	struct ptask *t = container_of(lu, struct ptask, lu);

	ck_assert_ptr_nonnull(here);
	t->n_done++;
	t->order = ++port_done_order;
}

void
ptask_init(struct ptask *t, struct lu_nexus *nexus)
{
	memset(t, 0, sizeof(*t));
	lu_task_init(&t->lu);
	t->lu.nexus = nexus;
	t->lu.done = ptask_done;
	ptask_tur(t);
}

void
ptask_tur(struct ptask *t)
{
	t->lu.cdb_len = (uint16_t)cdb_tur(t->lu.cdb);
	t->lu.dir = LU_DIR_NONE;
	t->lu.data = NULL;
	t->lu.data_len = 0;
}

void
ptask_read(struct ptask *t, uint16_t blocks, uint32_t len)
{
	t->lu.cdb_len = (uint16_t)cdb_read(t->lu.cdb, CDB_10, 0, blocks, 0);
	t->lu.dir = len > 0 ? LU_DIR_IN : LU_DIR_NONE;
	t->lu.data = len > 0 ? t->data : NULL;
	t->lu.data_len = len;
}

static void
submit_visit(void *arg)
{
	struct ptask *t = arg;
	int before = t->n_done;

	t->refusal = lu_submit(&t->lu);
	/* never from inside */
	ck_assert_int_eq(t->n_done, before);
}

int
ptask_submit(struct ptask *t)
{
	port_at(lu_home(t->lu.nexus->unit), submit_visit, t);
	return t->refusal;
}

void
ptask_wait(struct ptask *t)
{
	for (int i = 0; i < 1000 && t->n_done == 0; i++)
		sim_advance_us(1000);
	ck_assert_int_eq(t->n_done, 1);
}

void
ptask_cdb(struct ptask *t, const void *cdb, size_t cdb_len, enum lu_dir dir, uint32_t len)
{
	memcpy(t->lu.cdb, cdb, cdb_len);
	t->lu.cdb_len = (uint16_t)cdb_len;
	t->lu.dir = len > 0 ? dir : LU_DIR_NONE;
	t->lu.data = len > 0 ? t->data : NULL;
	t->lu.data_len = len;
}

void
ptask_run(struct ptask *t)
{
	t->n_done = 0;
	ck_assert_int_eq(ptask_submit(t), 0);
	ptask_wait(t);
}

uint32_t
ptask_sense(const struct ptask *t)
{
	struct sense_data sense;

	ck_assert_uint_eq(t->lu.reason, CMD_CMPLT);
	ck_assert_uint_eq(t->lu.status, STATUS_CHECK);
	ck_assert_int_eq(sense_parse(t->lu.sense, t->lu.sense_len, &sense), 0);
	return (uint32_t)sense.key << 16 | sense.asc;
}

static void
pnexus_gone(struct lu_nexus *lu)
{
	container_of(lu, struct pnexus, lu)->n_gone++;
}

struct open_visit {
	struct pnexus *n;
	struct lu *unit;
};

static void
open_visit(void *arg)
{
	struct open_visit *v = arg;

	ck_assert_int_eq(lu_nexus_open(&v->n->lu, v->unit), 0);
}

void
pnexus_open(struct pnexus *n, struct lu *unit)
{
	pnexus_open_at(n, unit, NULL, NULL);
}

void
pnexus_open_at(struct pnexus *n, struct lu *unit, const struct lu_port *lu_port,
    struct lu_view *view)
{
	struct open_visit v = { n, unit };

	memset(n, 0, sizeof(*n));
	n->lu.port = lu_port;
	n->lu.view = view;
	n->lu.classes = LU_CLASS(OP_POLICY_N) - 1;
	n->lu.gone = pnexus_gone;
	port_at(lu_home(unit), open_visit, &v);
}

static void
leave_visit(void *arg)
{
	lu_nexus_gone(arg);
}

void
pnexus_leave(struct pnexus *n)
{
	port_at(lu_home(n->lu.unit), leave_visit, &n->lu);
	for (int i = 0; i < 1000 && n->n_gone == 0; i++)
		sim_advance_us(1000);
	ck_assert_int_eq(n->n_gone, 1);
}
