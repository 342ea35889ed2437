/*
 * scsa/trace.h - every call between framework and drivers, as events in order
 *
 * What      A hook that sees each crossing of the SCSA border: calls of entry points (begin and
 *           end), packet submission and completion, DMA binding, nodes coming and going. The
 *           ordering checker of the tests and the debug log hang on it.
 * Cost      One load and one branch at each point while no hook is set.
 * Thread    The hook runs on whatever thread crosses the border, several at a time; it must not
 *           block and must not call the framework. Set it while nothing is going on.
 */
#ifndef SCSA_TRACE_H
#define SCSA_TRACE_H

#include <stdbool.h>
#include <stdint.h>

enum scsa_event_kind {
	/* calls of entry points: one event before, one after (is_end) */
	SCSA_EV_TGT_INIT,
	SCSA_EV_TGT_PROBE,
	SCSA_EV_TGT_FREE,
	SCSA_EV_START,
	SCSA_EV_RESET,		/* arg: level */
	SCSA_EV_ABORT,
	SCSA_EV_GETCAP,		/* text: the capability */
	SCSA_EV_SETCAP,		/* text: the capability; arg: the value */
	SCSA_EV_INIT_PKT,
	SCSA_EV_DESTROY_PKT,
	SCSA_EV_DMAFREE,
	SCSA_EV_SYNC_PKT,
	SCSA_EV_SETUP_PKT,
	SCSA_EV_TEARDOWN_PKT,
	SCSA_EV_PKT_CONSTRUCT,
	SCSA_EV_PKT_DESTRUCT,
	SCSA_EV_RESET_NOTIFY,	/* arg: flag */
	SCSA_EV_GET_NAME,
	SCSA_EV_GET_BUS_ADDR,
	SCSA_EV_CLEAR_ACA,
	SCSA_EV_CLEAR_TASK_SET,
	SCSA_EV_TERMINATE_TASK,
	SCSA_EV_QUIESCE,
	SCSA_EV_UNQUIESCE,
	SCSA_EV_BUS_RESET,	/* arg: level */
	SCSA_EV_BUS_CONFIG,
	SCSA_EV_BUS_UNCONFIG,
	SCSA_EV_TGT_ACTIVATE,	/* dip: the iport; text: the address; arg: type; pkt: the value,
				 * at the end */
	SCSA_EV_TGT_DEACTIVATE,	/* the same; result, at begin too: the reason */
	SCSA_EV_SMP_INIT,	/* sd: the smp_device; so for the next two */
	SCSA_EV_SMP_FREE,
	SCSA_EV_SMP_START,	/* pkt: the smp_pkt */
	SCSA_EV_SCAN_LUNS,	/* somebody says that LUNs may have changed; text: the target */
	SCSA_EV_RESCAN,		/* the framework looks; text: the target */

	/* things the framework does itself: one event */
	SCSA_EV_PROBE,		/* scsi_probe() was called */
	SCSA_EV_SUBMIT,		/* scsi_transport() was called; arg: pkt_flags */
	SCSA_EV_COMP,		/* pkt_comp is about to be called, or a waiter woken; arg: reason */
	SCSA_EV_COMP_DOUBLE,	/* a completion was ignored */
	SCSA_EV_BIND,		/* a window was bound; arg: its length; result: cookies */
	SCSA_EV_UNBIND,
	SCSA_EV_SYNC_CPU,	/* consistent read data made visible before completion */
	SCSA_EV_NOTIFY,		/* a reset-notify callback is about to be called */
	SCSA_EV_ATTACH_SETUP,	/* the vector is registered */
	SCSA_EV_DETACH,		/* the vector is unregistered */
	SCSA_EV_IPORT_INIT,	/* an iport's vector is registered, before its attach */
	SCSA_EV_IPORT_FREE,	/* and gone, after its detach */
	SCSA_EV_CLONE,		/* a clone was made */
	SCSA_EV_CLONE_FREE,
	SCSA_EV_MAP_CREATE,	/* a target map (dip: the iport) or iport map (dip: the HBA) */
	SCSA_EV_MAP_DESTROY,	/* all its addresses are gone */
	SCSA_EV_PHY_ACTIVATE,	/* a SAS port is stable; text: its name */
	SCSA_EV_PHY_DEACTIVATE,	/* and has been without phys for the settle time */
	SCSA_EV_N
};

/* Pointers are identities: they may be compared, never followed. What does not apply is
 * NULL. */
struct scsa_event {
	enum scsa_event_kind kind;
	bool is_end;		/* entry points: the call has returned, result is valid */
	const void *tran;	/* vector the call goes through */
	const void *dip;	/* node: the target for tgt_*, else HBA or iport */
	const void *sd;
	const void *pkt;
	const char *text;	/* unit address or capability; valid during the hook only */
	int64_t arg;
	int64_t result;
	uint64_t thread;	/* number of the thread, 1 .. n in order of first event */
	uint64_t time_ns;	/* clock_now_ns() */
};

typedef void (*scsa_trace_fn)(const struct scsa_event *ev, void *arg);

/* scsa_trace_set() - send events to @fn(@arg); NULL: to nobody */
void scsa_trace_set(scsa_trace_fn fn, void *arg);

/* scsa_event_name() - "tgt_init", ...; never NULL */
const char *scsa_event_name(enum scsa_event_kind kind);

#endif /* SCSA_TRACE_H */
