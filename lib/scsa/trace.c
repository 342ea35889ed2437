#include "scsa/trace.h"

#include <stdatomic.h>
#include <stddef.h>

#include "base/clock.h"
#include "base/compiler.h"
#include "scsa/scsa_impl.h"

bool scsa_trace_is_on;
static scsa_trace_fn trace_fn;
static void *trace_arg;

static const char *const event_names[SCSA_EV_N] = {
	[SCSA_EV_TGT_INIT] = "tgt_init",
	[SCSA_EV_TGT_PROBE] = "tgt_probe",
	[SCSA_EV_TGT_FREE] = "tgt_free",
	[SCSA_EV_START] = "start",
	[SCSA_EV_RESET] = "reset",
	[SCSA_EV_ABORT] = "abort",
	[SCSA_EV_GETCAP] = "getcap",
	[SCSA_EV_SETCAP] = "setcap",
	[SCSA_EV_INIT_PKT] = "init_pkt",
	[SCSA_EV_DESTROY_PKT] = "destroy_pkt",
	[SCSA_EV_DMAFREE] = "dmafree",
	[SCSA_EV_SYNC_PKT] = "sync_pkt",
	[SCSA_EV_SETUP_PKT] = "setup_pkt",
	[SCSA_EV_TEARDOWN_PKT] = "teardown_pkt",
	[SCSA_EV_PKT_CONSTRUCT] = "pkt_construct",
	[SCSA_EV_PKT_DESTRUCT] = "pkt_destruct",
	[SCSA_EV_RESET_NOTIFY] = "reset_notify",
	[SCSA_EV_GET_NAME] = "get_name",
	[SCSA_EV_GET_BUS_ADDR] = "get_bus_addr",
	[SCSA_EV_CLEAR_ACA] = "clear_aca",
	[SCSA_EV_CLEAR_TASK_SET] = "clear_task_set",
	[SCSA_EV_TERMINATE_TASK] = "terminate_task",
	[SCSA_EV_QUIESCE] = "quiesce",
	[SCSA_EV_UNQUIESCE] = "unquiesce",
	[SCSA_EV_BUS_RESET] = "bus_reset",
	[SCSA_EV_BUS_CONFIG] = "bus_config",
	[SCSA_EV_BUS_UNCONFIG] = "bus_unconfig",
	[SCSA_EV_TGT_ACTIVATE] = "tgt_activate",
	[SCSA_EV_TGT_DEACTIVATE] = "tgt_deactivate",
	[SCSA_EV_SMP_INIT] = "smp_init",
	[SCSA_EV_SMP_FREE] = "smp_free",
	[SCSA_EV_SMP_START] = "smp_start",
	[SCSA_EV_SCAN_LUNS] = "scan_luns",
	[SCSA_EV_RESCAN] = "rescan",
	[SCSA_EV_PROBE] = "probe",
	[SCSA_EV_SUBMIT] = "submit",
	[SCSA_EV_COMP] = "comp",
	[SCSA_EV_COMP_DOUBLE] = "comp_double",
	[SCSA_EV_BIND] = "bind",
	[SCSA_EV_UNBIND] = "unbind",
	[SCSA_EV_SYNC_CPU] = "sync_cpu",
	[SCSA_EV_NOTIFY] = "notify",
	[SCSA_EV_ATTACH_SETUP] = "attach_setup",
	[SCSA_EV_DETACH] = "detach",
	[SCSA_EV_IPORT_INIT] = "iport_init",
	[SCSA_EV_IPORT_FREE] = "iport_free",
	[SCSA_EV_CLONE] = "clone",
	[SCSA_EV_CLONE_FREE] = "clone_free",
	[SCSA_EV_MAP_CREATE] = "map_create",
	[SCSA_EV_MAP_DESTROY] = "map_destroy",
	[SCSA_EV_PHY_ACTIVATE] = "phy_activate",
	[SCSA_EV_PHY_DEACTIVATE] = "phy_deactivate",
};

const char *
scsa_event_name(enum scsa_event_kind kind)
{
	return kind < SCSA_EV_N ? event_names[kind] : "unknown";
}

void
scsa_trace_set(scsa_trace_fn fn, void *arg)
{
	scsa_trace_is_on = false;
	trace_fn = fn;
	trace_arg = arg;
	scsa_trace_is_on = fn != NULL;
}

static uint64_t
trace_thread(void)
{
	static _Atomic uint64_t next;
	static _Thread_local uint64_t mine;

	if (mine == 0)
		mine = atomic_fetch_add(&next, 1) + 1;
	return mine;
}

void
trace_emit(struct scsa_event ev)
{
	ev.thread = trace_thread();
	ev.time_ns = clock_now_ns();
	trace_fn(&ev, trace_arg);
}
