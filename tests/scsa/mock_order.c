#include "tests/scsa/mock_hba.h"

#include <check.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"
#include "ddi/devtree_impl.h"
#include "ddi/sim.h"
#include "scsa/trace.h"

/*
 * What is known of the things that events speak of. Lists are short in tests: a linear search
 * does.
 */
struct unit_rec {
	const void *sd, *tran, *dip, *port;
	char ua[80];
	bool is_initing, is_init, is_attached;
	const void *probing;		/* inside scsi_probe(): thread number, as a pointer */
};

struct pkt_rec {
	const void *pkt;
	bool is_constructed, is_setup, is_issued, is_synced;
	int accepts, comps, binds;
};

#define RECS	4096

static struct unit_rec unit_recs[RECS];
static int n_units;
static struct pkt_rec pkt_recs[RECS];
static int n_pkts;
static const void *trans[256];		/* vectors through which calls are legal now */
static int n_trans;
static char lun0_seen[RECS][160];	/* "port/taddr" whose LUN 0 was initialised at some time */
static int n_lun0;
static int n_resets, n_iports, n_clones;
static bool is_detached, is_on;
static uint64_t order_hash;		/* of every event: what, about whom, when */
static pthread_mutex_t order_lock = PTHREAD_MUTEX_INITIALIZER;

#define RULE(ok, rule, ev)                                                     \
	do {                                                                   \
		if (!(ok))                                                     \
			ck_abort_msg("%s broken at %s%s (%s)", rule,           \
			    scsa_event_name((ev)->kind), (ev)->is_end ? " end" : "", \
			    (ev)->text != NULL ? (ev)->text : "");             \
	} while (0)

static struct unit_rec *
unit_rec(const void *sd)
{
	for (int i = n_units - 1; i >= 0; i--) {
		if (unit_recs[i].sd == sd)
			return &unit_recs[i];
	}
	return NULL;
}

/* a place for one more; that of a unit that is gone, if there is one */
static struct unit_rec *
unit_rec_free(void)
{
	for (int i = 0; i < n_units; i++) {
		if (!unit_recs[i].is_init && !unit_recs[i].is_initing)
			return &unit_recs[i];
	}
	ck_assert_int_lt(n_units, RECS);
	return &unit_recs[n_units++];
}

static struct pkt_rec *
pkt_rec(const void *pkt)
{
	struct pkt_rec *p, *idle = NULL;

	for (int i = 0; i < n_pkts; i++) {
		p = &pkt_recs[i];
		if (p->pkt == pkt)
			return p;
		if (!p->is_constructed && !p->is_setup && !p->is_issued &&
		    p->accepts == p->comps && p->binds == 0)
			idle = p;
	}
	ck_assert_int_lt(n_pkts, RECS);
	p = n_pkts > RECS / 2 && idle != NULL ? idle : &pkt_recs[n_pkts++];
	*p = (struct pkt_rec){ .pkt = pkt };
	return p;
}

static void
tran_add(const void *tran)
{
	ck_assert_int_lt(n_trans, 256);
	trans[n_trans++] = tran;
}

static void
tran_remove(const void *tran)
{
	for (int i = 0; i < n_trans; i++) {
		if (trans[i] == tran) {
			trans[i] = trans[--n_trans];
			return;
		}
	}
}

static bool
tran_is_known(const void *tran)
{
	for (int i = 0; i < n_trans; i++) {
		if (trans[i] == tran)
			return true;
	}
	return false;
}

static bool
lun0_is_seen(const char *key)
{
	for (int i = 0; i < n_lun0; i++) {
		if (strcmp(lun0_seen[i], key) == 0)
			return true;
	}
	return false;
}

/* O12: LUN 0 of the target was initialised before; remembers LUN 0 */
static void
check_lun0(const struct scsa_event *ev, const void *port)
{
	const char *comma = strchr(ev->text, ',');
	char key[160];

	if (comma == NULL)
		return;
	(void)snprintf(key, sizeof(key), "%p/%.*s", port, (int)(comma - ev->text), ev->text);
	if (strcmp(comma, ",0") == 0) {
		if (lun0_is_seen(key))
			return;
		ck_assert_int_lt(n_lun0, RECS);
		(void)snprintf(lun0_seen[n_lun0++], sizeof(key), "%s", key);
		return;
	}
	RULE(lun0_is_seen(key), "O12", ev);
}

/* the port is gone: its address may be that of another, later */
static void
lun0_forget(const void *port)
{
	char key[160];
	size_t len;

	(void)snprintf(key, sizeof(key), "%p/", port);
	len = strlen(key);
	for (int i = 0; i < n_lun0; i++) {
		if (strncmp(lun0_seen[i], key, len) == 0 && i != --n_lun0)
			memcpy(lun0_seen[i--], lun0_seen[n_lun0], sizeof(lun0_seen[0]));
	}
}

static void
on_tgt_init(const struct scsa_event *ev)
{
	const void *port = ddi_get_parent((dev_info_t *)(uintptr_t)ev->dip);
	struct unit_rec *u;

	if (ev->is_end) {
		u = unit_rec(ev->sd);
		RULE(u != NULL && u->is_initing, "O3", ev);
		u->is_initing = false;
		u->is_init = ev->result == DDI_SUCCESS;
		return;
	}
	RULE(ev->sd != NULL && ev->text != NULL && ev->dip != NULL, "O3", ev);
	for (int i = 0; i < n_units; i++)
		RULE(!unit_recs[i].is_init || unit_recs[i].port != port ||
		    strcmp(unit_recs[i].ua, ev->text) != 0, "O8", ev);
	check_lun0(ev, port);
	u = unit_rec(ev->sd);
	if (u == NULL)
		u = unit_rec_free();
	RULE(!u->is_init, "O7", ev);
	*u = (struct unit_rec){ .sd = ev->sd, .tran = ev->tran, .dip = ev->dip, .port = port,
		.is_initing = true };
	(void)snprintf(u->ua, sizeof(u->ua), "%s", ev->text);
}

static void
on_tgt_free(const struct scsa_event *ev)
{
	struct unit_rec *u = unit_rec(ev->sd);

	if (ev->is_end)
		return;
	RULE(u != NULL && u->is_init, "O5/O7", ev);
	RULE(u->tran == ev->tran, "O7", ev);
	RULE(!u->is_attached, "O9", ev);
	u->is_init = false;
}

static void
on_probe(const struct scsa_event *ev)
{
	struct unit_rec *u = unit_rec(ev->sd);

	if (ev->dip == NULL)
		return;
	RULE(u != NULL && u->is_init, "O4", ev);
	if (ev->kind == SCSA_EV_PROBE)
		u->probing = (const void *)(uintptr_t)ev->thread;
	else if (ev->is_end)
		u->probing = NULL;
	else
		RULE(u->probing == (const void *)(uintptr_t)ev->thread, "O6", ev);
}

static void
on_start(const struct scsa_event *ev)
{
	struct pkt_rec *p = pkt_rec(ev->pkt);

	if (!ev->is_end) {
		RULE(!p->is_constructed || p->is_setup, "O16", ev);
		return;
	}
	if (ev->result == TRAN_ACCEPT)
		p->accepts++;
	else
		p->is_issued = false;
}

static void
on_submit(const struct scsa_event *ev)
{
	struct pkt_rec *p = pkt_rec(ev->pkt);

	RULE(!p->is_issued, "O19", ev);
	p->is_issued = true;
	p->is_synced = false;
}

static void
on_sync(const struct scsa_event *ev)
{
	pkt_rec(ev->pkt)->is_synced = true;
}

/* does the packet's buffer wait to be made visible? The packet is there: it is about to be
 * handed to its owner */
static bool
is_consistent_read(const struct pkt_rec *p)
{
	const struct scsi_pkt *pkt = p->pkt;
	const uint_t both = DDI_DMA_CONSISTENT | DDI_DMA_READ;

	return p->is_constructed && p->binds == 1 && (pkt->pkt_dma_flags & both) == both;
}

static void
on_comp(const struct scsa_event *ev)
{
	struct pkt_rec *p = pkt_rec(ev->pkt);

	RULE(p->is_issued, "O19", ev);
	RULE(!is_consistent_read(p) || p->is_synced, "O18", ev);
	p->is_issued = false;
	p->comps++;
}

static void
on_setup(const struct scsa_event *ev)
{
	struct pkt_rec *p = pkt_rec(ev->pkt);

	if (!ev->is_end) {
		RULE(!p->is_setup, "O16", ev);
		RULE(p->binds == 0, "O17", ev);
		p->is_setup = true;
	} else if (ev->result != 0) {
		p->is_setup = false;
	}
}

static void
on_teardown(const struct scsa_event *ev)
{
	struct pkt_rec *p = pkt_rec(ev->pkt);

	if (ev->is_end)
		return;
	RULE(p->is_setup, "O16", ev);
	RULE(!p->is_issued, "O19", ev);
	p->is_setup = false;
}

static void
on_bind(const struct scsa_event *ev)
{
	struct pkt_rec *p = pkt_rec(ev->pkt);

	RULE(p->is_setup, "O17", ev);
	p->binds = 1;		/* the next window replaces the last */
}

static void
on_unbind(const struct scsa_event *ev)
{
	struct pkt_rec *p = pkt_rec(ev->pkt);

	RULE(p->binds == 1, "O17", ev);
	p->binds = 0;
}

static void
on_construct(const struct scsa_event *ev)
{
	struct pkt_rec *p = pkt_rec(ev->pkt);

	if (ev->kind == SCSA_EV_PKT_CONSTRUCT) {
		if (!ev->is_end)
			*p = (struct pkt_rec){ .pkt = ev->pkt };
		p->is_constructed = ev->result == 0;
	} else if (!ev->is_end) {
		RULE(p->is_constructed && !p->is_setup, "O16", ev);
		p->is_constructed = false;
	}
}

static void
on_iport_free(const struct scsa_event *ev)
{
	for (int i = 0; i < n_units; i++)
		RULE(!unit_recs[i].is_init || unit_recs[i].port != ev->dip, "O13", ev);
	n_iports--;
	tran_remove(ev->tran);
	lun0_forget(ev->dip);
}

/* does the driver of @dip have it? Read without the node's lock: it stands still while a child
 * of it is attached */
static bool
node_is_attached(const void *dip)
{
	return ((const struct dev_info *)dip)->state == DEVI_ATTACHED;
}

static void
on_life(const struct scsa_event *ev)
{
	switch ((int)ev->kind) {
	case SCSA_EV_ATTACH_SETUP:
		is_detached = false;
		tran_add(ev->tran);
		break;
	case SCSA_EV_DETACH:
		RULE(n_iports == 0, "O13", ev);
		is_detached = true;
		break;
	case SCSA_EV_IPORT_INIT:
		RULE(node_is_attached(((const struct dev_info *)ev->dip)->parent), "O2", ev);
		n_iports++;
		tran_add(ev->tran);
		break;
	case SCSA_EV_IPORT_FREE:
		on_iport_free(ev);
		break;
	case SCSA_EV_CLONE:
		n_clones++;
		tran_add(ev->tran);
		break;
	case SCSA_EV_CLONE_FREE:
		n_clones--;
		tran_remove(ev->tran);
		break;
	default:
		break;
	}
}

typedef void (*event_fn)(const struct scsa_event *);

static const event_fn event_fns[SCSA_EV_N] = {
	[SCSA_EV_TGT_INIT] = on_tgt_init,
	[SCSA_EV_TGT_FREE] = on_tgt_free,
	[SCSA_EV_TGT_PROBE] = on_probe,
	[SCSA_EV_PROBE] = on_probe,
	[SCSA_EV_START] = on_start,
	[SCSA_EV_SUBMIT] = on_submit,
	[SCSA_EV_COMP] = on_comp,
	[SCSA_EV_SYNC_CPU] = on_sync,
	[SCSA_EV_SETUP_PKT] = on_setup,
	[SCSA_EV_TEARDOWN_PKT] = on_teardown,
	[SCSA_EV_BIND] = on_bind,
	[SCSA_EV_UNBIND] = on_unbind,
	[SCSA_EV_PKT_CONSTRUCT] = on_construct,
	[SCSA_EV_PKT_DESTRUCT] = on_construct,
	[SCSA_EV_ATTACH_SETUP] = on_life,
	[SCSA_EV_DETACH] = on_life,
	[SCSA_EV_IPORT_INIT] = on_life,
	[SCSA_EV_IPORT_FREE] = on_life,
	[SCSA_EV_CLONE] = on_life,
	[SCSA_EV_CLONE_FREE] = on_life,
};

static void
hash_mix(const void *data, size_t len)
{
	const uint8_t *p = data;

	for (size_t i = 0; i < len; i++)
		order_hash = (order_hash ^ p[i]) * 0x100000001b3ull;
}

/* addresses and counts that follow from them are no part of it: they differ from run to run */
static void
hash_event(const struct scsa_event *ev)
{
	hash_mix(&ev->kind, sizeof(ev->kind));
	hash_mix(&ev->is_end, sizeof(ev->is_end));
	hash_mix(&ev->time_ns, sizeof(ev->time_ns));
	if (ev->text != NULL)
		hash_mix(ev->text, strlen(ev->text));
}

static void
order_event(const struct scsa_event *ev, void *arg)
{
	(void)arg;
	(void)pthread_mutex_lock(&order_lock);
	hash_event(ev);
	if (ev->kind == SCSA_EV_RESET || ev->kind == SCSA_EV_BUS_RESET)
		n_resets++;
	if (ev->kind == SCSA_EV_NOTIFY)
		RULE(n_resets > 0, "O21", ev);
	/* O1: no entry point of a vector that is not registered, nor after it is gone */
	if (ev->kind <= SCSA_EV_BUS_UNCONFIG && ev->kind != SCSA_EV_PKT_CONSTRUCT &&
	    ev->kind != SCSA_EV_PKT_DESTRUCT)
		RULE(tran_is_known(ev->tran), "O1", ev);
	mock_order_maps_event(ev);
	if (event_fns[ev->kind] != NULL)
		event_fns[ev->kind](ev);
	(void)pthread_mutex_unlock(&order_lock);
}

bool
mock_order_has_unit(const void *port, const char *taddr)
{
	size_t len = strlen(taddr);

	for (int i = 0; i < n_units; i++) {
		const struct unit_rec *u = &unit_recs[i];

		if (u->is_init && u->port == port && strncmp(u->ua, taddr, len) == 0 &&
		    u->ua[len] == ',')
			return true;
	}
	return false;
}

uint64_t
mock_order_hash(void)
{
	return order_hash;
}

void
mock_order_begin(void)
{
	is_on = true;
	order_hash = 0xcbf29ce484222325ull;
	scsa_trace_set(order_event, NULL);
}

void
mock_order_tgt_attach(const void *sd)
{
	struct unit_rec *u;

	if (!is_on)
		return;
	(void)pthread_mutex_lock(&order_lock);
	u = unit_rec(sd);
	ck_assert_msg(u != NULL && u->is_init, "O9: target attached before tgt_init");
	ck_assert_msg(node_is_attached(u->port), "O2: target attached before its port");
	u->is_attached = true;
	(void)pthread_mutex_unlock(&order_lock);
}

void
mock_order_tgt_detach(const void *sd)
{
	if (!is_on)
		return;
	(void)pthread_mutex_lock(&order_lock);
	unit_rec(sd)->is_attached = false;
	(void)pthread_mutex_unlock(&order_lock);
}

void
mock_order_end(void)
{
	scsa_trace_set(NULL, NULL);
	is_on = false;
	for (int i = 0; i < n_units; i++)
		ck_assert_msg(!unit_recs[i].is_init, "%s was never freed", unit_recs[i].ua);
	for (int i = 0; i < n_pkts; i++) {
		struct pkt_rec *p = &pkt_recs[i];

		ck_assert_msg(!p->is_issued && p->accepts == p->comps,
		    "O19: %d accepted, %d completed", p->accepts, p->comps);
		ck_assert_msg(!p->is_setup && p->binds == 0, "packet was never torn down");
		ck_assert_msg(!is_detached || !p->is_constructed, "packet was never destructed");
	}
	mock_order_maps_end();
	ck_assert_int_eq(n_clones, 0);
	ck_assert_int_eq(n_iports, 0);
}

void
mock_sim(void (*body)(void *))
{
	const struct sim_opts opts = { .seed = 1, .yield_per_1024 = 64 };

	mock_defaults();
	mock_order_begin();
	sim_run(&opts, body, NULL);
	mock_order_end();
}
