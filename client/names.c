#include "base/compiler.h"
#include "client/scsac.h"
#include "proto/error.h"
#include "proto/limits.h"

/* The numbers of the public header are those of the wire. */
#define SAME(ours, theirs) _Static_assert((int)(ours) == (int)(theirs), #ours)
SAME(SCSAC_INTERNAL, SCSAD__ERROR_CODE__ERR_INTERNAL);
SAME(SCSAC_STALE_HANDLE, SCSAD__ERROR_CODE__ERR_STALE_HANDLE);
SAME(SCSAC_BAD_CDB, SCSAD__ERROR_CODE__ERR_BAD_CDB);
SAME(SCSAC_ROLE_MONITOR, SCSAD__ROLE__ROLE_MONITOR);
SAME(SCSAC_ROLE_ADMIN, SCSAD__ROLE__ROLE_ADMIN);
SAME(SCSAC_IN, SCSAD__DIRECTION__DIR_IN);
SAME(SCSAC_OUT, SCSAD__DIRECTION__DIR_OUT);
SAME(SCSAC_ATTR_SIMPLE, SCSAD__TASK_ATTRIBUTE__ATTR_SIMPLE);
SAME(SCSAC_ATTR_HEAD, SCSAD__TASK_ATTRIBUTE__ATTR_HEAD);
SAME(SCSAC_LEVEL_LUN, SCSAD__RESET_LEVEL__RESET_LEVEL_LUN);
SAME(SCSAC_LEVEL_HBA, SCSAD__RESET_LEVEL__RESET_LEVEL_HBA);
SAME(SCSAC_EVENT_UNIT_ADDED, SCSAD__EVENT_KIND__EVENT_UNIT_ADDED);
SAME(SCSAC_EVENT_LOST, SCSAD__EVENT_KIND__EVENT_LOST);
SAME(SCSAC_EVENT_TREE, SCSAD__EVENT_KIND__EVENT_TREE);
SAME(SCSAC_EVENT_EXPORTS, SCSAD__EVENT_KIND__EVENT_EXPORTS);
SAME(SCSAC_OBJECT_PORT, SCSAD__OBJECT_KIND__OBJECT_PORT);
SAME(SCSAC_EDIT_REMOVE, SCSAD__EDIT_VERB__EDIT_REMOVE);
SAME(SCSAC_SMP_MIN, PROTO_SMP_MIN);
SAME(SCSAC_SMP_MAX, PROTO_SMP_MAX);

const char *
scsac_strerror(enum scsac_code code)
{
	return code == SCSAC_LOCAL ? "local error" : error_code_name((Scsad__ErrorCode)code);
}

const char *
scsac_reason_name(uint32_t reason)
{
	static const char *const names[] = { "cmplt", "incomplete", "dma_derr", "tran_err",
		"reset", "aborted", "timeout", "data_ovr", "cmd_ovr", "sts_ovr", "badmsg",
		"nomsgout", "xid_fail", "ide_fail", "abort_fail", "reject_fail", "nop_fail",
		"per_fail", "bdr_fail", "id_fail", "unexpected_bus_free", "tag reject",
		"terminated", "tlr_off", "gone" };

	return reason < ARRAY_LEN(names) ? names[reason] : "unknown";
}

const char *
scsac_event_name(unsigned kind)
{
	static const char *const names[] = {
		[SCSAC_EVENT_UNIT_ADDED] = "unit-added",
		[SCSAC_EVENT_UNIT_GONE] = "unit-gone",
		[SCSAC_EVENT_UNIT_CHANGED] = "unit-changed",
		[SCSAC_EVENT_RESET] = "reset",
		[SCSAC_EVENT_FAULT] = "fault",
		[SCSAC_EVENT_HBA_STATE] = "hba-state",
		[SCSAC_EVENT_STOPPING] = "stopping",
		[SCSAC_EVENT_LOST] = "lost",
		[SCSAC_EVENT_PORT_ADDED] = "port-added",
		[SCSAC_EVENT_PORT_GONE] = "port-gone",
		[SCSAC_EVENT_EXPANDER_ADDED] = "expander-added",
		[SCSAC_EVENT_EXPANDER_GONE] = "expander-gone",
		[SCSAC_EVENT_TREE] = "tree",
		[SCSAC_EVENT_EXPORTS] = "exports",
	};

	return kind < ARRAY_LEN(names) && names[kind] != NULL ? names[kind] : "event";
}
