#include "tests/scsa/mock_hba.h"

#include <check.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"
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
	bool is_constructed, is_setup, is_issued;
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
	for (int i = 0; i < n_pkts; i++) {
		if (pkt_recs[i].pkt == pkt)
			return &pkt_recs[i];
	}
	ck_assert_int_lt(n_pkts, RECS);
	pkt_recs[n_pkts] = (struct pkt_rec){ .pkt = pkt };
	return &pkt_recs[n_pkts++];
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
		if (!lun0_is_seen(key))
			(void)snprintf(lun0_seen[n_lun0++], sizeof(key), "%s", key);
		return;
	}
	RULE(lun0_is_seen(key), "O12", ev);
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
}

static void
on_comp(const struct scsa_event *ev)
{
	struct pkt_rec *p = pkt_rec(ev->pkt);

	RULE(p->is_issued, "O19", ev);
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
order_event(const struct scsa_event *ev, void *arg)
{
	(void)arg;
	(void)pthread_mutex_lock(&order_lock);
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

void
mock_order_begin(void)
{
	is_on = true;
	scsa_trace_set(order_event, NULL);
}

void
mock_order_tgt_attach(const void *sd)
{
	struct unit_rec *u = unit_rec(sd);

	if (!is_on)
		return;
	ck_assert_msg(u != NULL && u->is_init, "O9: target attached before tgt_init");
	u->is_attached = true;
}

void
mock_order_tgt_detach(const void *sd)
{
	if (is_on)
		unit_rec(sd)->is_attached = false;
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
