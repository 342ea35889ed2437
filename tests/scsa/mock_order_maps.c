#include <check.h>
#include <string.h>

#include "scsa/trace.h"
#include "tests/scsa/mock_hba.h"

#define ADDRS	1024
#define THREADS	4096

/* one address of one set; or the name of a SAS port (dip: the HBA, type PHY) */
struct addr_rec {
	const void *dip;
	int type;
	char addr[80];
	bool is_active, is_activating;
	const void *value;
};

struct smp_rec {
	const void *smp, *port;
	char addr[80];
	bool is_init;
};

#define TYPE_PHY	100

static struct addr_rec addrs[ADDRS];
static int n_addrs;
static struct smp_rec smps[ADDRS];
static int n_smps;
static const void *maps[64];
static int n_maps;
static bool is_scanning[THREADS];	/* the thread is inside scan_luns */
static bool has_phys;

#define RULE(ok, rule, ev)                                                     \
	do {                                                                   \
		if (!(ok))                                                     \
			ck_abort_msg("%s broken at %s%s (%s)", rule,           \
			    scsa_event_name((ev)->kind), (ev)->is_end ? " end" : "", \
			    (ev)->text != NULL ? (ev)->text : "");             \
	} while (0)

static struct addr_rec *
addr_rec(const void *dip, int type, const char *addr)
{
	struct addr_rec *a, *idle = NULL;

	for (int i = 0; i < n_addrs; i++) {
		a = &addrs[i];
		if (a->dip == dip && a->type == type && strcmp(a->addr, addr) == 0)
			return a;
		if (!a->is_active && !a->is_activating)
			idle = a;
	}
	ck_assert_int_lt(n_addrs, ADDRS);
	a = n_addrs > ADDRS / 2 && idle != NULL ? idle : &addrs[n_addrs++];
	*a = (struct addr_rec){ .dip = dip, .type = type };
	(void)snprintf(a->addr, sizeof(a->addr), "%s", addr);
	return a;
}

static int
map_find(const void *dip)
{
	for (int i = 0; i < n_maps; i++) {
		if (maps[i] == dip)
			return i;
	}
	return -1;
}

static const void *
parent_of(const void *dip)
{
	return ddi_get_parent((dev_info_t *)(uintptr_t)dip);
}

static void
on_activate(const struct scsa_event *ev)
{
	struct addr_rec *a = addr_rec(ev->dip, (int)ev->arg, ev->text);

	RULE(map_find(ev->dip) >= 0, "O13", ev);
	if (ev->is_end) {
		a->is_activating = false;
		a->value = ev->pkt;
		return;
	}
	RULE(!a->is_active, "O10", ev);
	a->is_active = a->is_activating = true;
}

static bool
smp_is_init(const void *port, const char *addr)
{
	for (int i = 0; i < n_smps; i++) {
		if (smps[i].is_init && smps[i].port == port && strcmp(smps[i].addr, addr) == 0)
			return true;
	}
	return false;
}

static void
on_gone(const struct scsa_event *ev, struct addr_rec *a)
{
	RULE(a->is_active, "O10", ev);
	RULE(a->value == ev->pkt, "O25", ev);
	RULE(!mock_order_has_unit(ev->dip, ev->text) || ev->arg != SCSI_TGT_SCSI_DEVICE, "O10",
	    ev);
	RULE(!smp_is_init(ev->dip, ev->text) || ev->arg != SCSI_TGT_SMP_DEVICE, "O23", ev);
	for (int i = 0; i < n_addrs && ev->result == SCSI_TGT_DEACT_RSN_GONE; i++)
		RULE(!addrs[i].is_activating || addrs[i].dip != ev->dip ||
		    addrs[i].type != ev->arg, "O11", ev);
}

static void
on_deactivate(const struct scsa_event *ev)
{
	struct addr_rec *a = addr_rec(ev->dip, (int)ev->arg, ev->text);

	if (ev->result == SCSI_TGT_DEACT_RSN_UNSTBL) {
		RULE(ev->pkt != NULL, "13.4", ev);
		return;
	}
	if (ev->is_end)
		a->is_active = false;
	else
		on_gone(ev, a);
}

static void
on_tgt_init(const struct scsa_event *ev)
{
	const void *port = parent_of(ev->dip);
	char taddr[80];
	struct addr_rec *a;

	if (ev->is_end || map_find(port) < 0)
		return;
	(void)snprintf(taddr, sizeof(taddr), "%.*s", (int)strcspn(ev->text, ","), ev->text);
	a = addr_rec(port, SCSI_TGT_SCSI_DEVICE, taddr);
	RULE(a->is_active && !a->is_activating, "O10", ev);
}

static void
on_map(const struct scsa_event *ev)
{
	int at = map_find(ev->dip);

	if (ev->kind == SCSA_EV_MAP_CREATE) {
		RULE(at < 0, "13.1", ev);
		ck_assert_int_lt(n_maps, 64);
		maps[n_maps++] = ev->dip;
		return;
	}
	RULE(at >= 0, "13.1", ev);
	for (int i = 0; i < n_addrs; i++)
		RULE(!addrs[i].is_active || addrs[i].dip != ev->dip ||
		    addrs[i].type == TYPE_PHY, "O24", ev);
	maps[at] = maps[--n_maps];
}

static void
on_iport(const struct scsa_event *ev)
{
	if (ev->kind == SCSA_EV_IPORT_FREE) {
		RULE(map_find(ev->dip) < 0, "O13", ev);
		return;
	}
	/* names of phy maps are masks; others are virtual ports */
	if (has_phys && strspn(ev->text, "0123456789abcdef") == strlen(ev->text))
		RULE(addr_rec(parent_of(ev->dip), TYPE_PHY, ev->text)->is_active, "O14", ev);
}

static void
on_phy(const struct scsa_event *ev)
{
	struct addr_rec *a = addr_rec(ev->dip, TYPE_PHY, ev->text);
	bool is_activation = ev->kind == SCSA_EV_PHY_ACTIVATE;

	has_phys = true;
	RULE(a->is_active != is_activation, "O14", ev);
	a->is_active = is_activation;
}

static struct smp_rec *
smp_rec(const void *smp)
{
	for (int i = n_smps - 1; i >= 0; i--) {
		if (smps[i].smp == smp)
			return &smps[i];
	}
	ck_assert_int_lt(n_smps, ADDRS);
	smps[n_smps] = (struct smp_rec){ .smp = smp };
	return &smps[n_smps++];
}

static void
on_smp(const struct scsa_event *ev)
{
	struct smp_rec *s = smp_rec(ev->sd);

	if (ev->kind == SCSA_EV_SMP_START) {
		RULE(ev->is_end || s->is_init, "O23", ev);
	} else if (ev->kind == SCSA_EV_SMP_INIT && !ev->is_end) {
		s->port = parent_of(ev->dip);
		(void)snprintf(s->addr, sizeof(s->addr), "%s", ev->text);
		RULE(!s->is_init, "O23", ev);
		RULE(addr_rec(s->port, SCSI_TGT_SMP_DEVICE, ev->text)->is_active, "O23", ev);
	} else if (ev->kind == SCSA_EV_SMP_INIT) {
		s->is_init = ev->result == DDI_SUCCESS;
	} else if (!ev->is_end) {
		RULE(s->is_init, "O23", ev);
		s->is_init = false;
	}
}

void
mock_order_maps_event(const struct scsa_event *ev)
{
	bool *scans = &is_scanning[ev->thread % THREADS];

	if (ev->kind == SCSA_EV_SCAN_LUNS)
		*scans = !ev->is_end;
	else if (ev->kind <= SCSA_EV_TGT_DEACTIVATE)
		RULE(!*scans, "O22", ev);
	switch ((int)ev->kind) {
	case SCSA_EV_TGT_ACTIVATE:
		on_activate(ev);
		break;
	case SCSA_EV_TGT_DEACTIVATE:
		on_deactivate(ev);
		break;
	case SCSA_EV_TGT_INIT:
		on_tgt_init(ev);
		break;
	case SCSA_EV_MAP_CREATE:
	case SCSA_EV_MAP_DESTROY:
		on_map(ev);
		break;
	case SCSA_EV_IPORT_INIT:
	case SCSA_EV_IPORT_FREE:
		on_iport(ev);
		break;
	case SCSA_EV_PHY_ACTIVATE:
	case SCSA_EV_PHY_DEACTIVATE:
		on_phy(ev);
		break;
	case SCSA_EV_SMP_INIT:
	case SCSA_EV_SMP_FREE:
	case SCSA_EV_SMP_START:
		on_smp(ev);
		break;
	default:
		break;
	}
}

void
mock_order_maps_end(void)
{
	for (int i = 0; i < n_addrs; i++)
		ck_assert_msg(!addrs[i].is_active, "%s is still active", addrs[i].addr);
	ck_assert_int_eq(n_maps, 0);
}
