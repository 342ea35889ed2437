#include <stddef.h>

#include "proto/method.h"

#define DESC(name)	(&scsad__##name##__descriptor)
#define ROLE(name)	SCSAD__ROLE__ROLE_##name

static const struct method_info methods[METHOD_N] = {
	[METHOD_HELLO] = {
		.name = "hello", .role = ROLE(NONE),
		.request = DESC(hello_request), .reply = DESC(hello_reply),
	},
	[METHOD_STATUS] = {
		.name = "status", .role = ROLE(MONITOR),
		.request = DESC(status_request), .reply = DESC(status_reply),
	},
	[METHOD_LIST] = {
		.name = "list", .role = ROLE(MONITOR), .can_stream = true,
		.request = DESC(list_request), .reply = DESC(list_reply),
	},
	[METHOD_SHOW] = {
		.name = "show", .role = ROLE(MONITOR), .can_stream = true,
		.request = DESC(show_request), .reply = DESC(show_reply),
	},
	[METHOD_PROBE] = {
		.name = "probe", .role = ROLE(IO),
		.request = DESC(probe_request), .reply = DESC(probe_reply),
	},
	[METHOD_OPEN] = {
		.name = "open", .role = ROLE(IO),
		.request = DESC(open_request), .reply = DESC(open_reply),
	},
	[METHOD_CLOSE] = {
		.name = "close", .role = ROLE(IO),
		.request = DESC(close_request), .reply = DESC(done),
	},
	[METHOD_SUBMIT] = {
		.name = "submit", .role = ROLE(IO), .has_data = true,
		.request = DESC(submit_request), .reply = DESC(completion),
	},
	[METHOD_ABORT] = {
		.name = "abort", .role = ROLE(IO),
		.request = DESC(abort_request), .reply = DESC(abort_reply),
	},
	[METHOD_RESET] = {
		.name = "reset", .role = ROLE(IO),
		.request = DESC(reset_request), .reply = DESC(reset_reply),
	},
	[METHOD_GETCAP] = {
		.name = "getcap", .role = ROLE(MONITOR),
		.request = DESC(get_cap_request), .reply = DESC(get_cap_reply),
	},
	[METHOD_SETCAP] = {
		.name = "setcap", .role = ROLE(ADMIN),
		.request = DESC(set_cap_request), .reply = DESC(set_cap_reply),
	},
	[METHOD_SUBSCRIBE] = {
		.name = "subscribe", .role = ROLE(MONITOR),
		.request = DESC(subscribe_request), .reply = DESC(done),
	},
	[METHOD_FAULT_ADD] = {
		.name = "fault-add", .role = ROLE(ADMIN),
		.request = DESC(fault_add_request), .reply = DESC(fault_add_reply),
	},
	[METHOD_FAULT_LIST] = {
		.name = "fault-list", .role = ROLE(MONITOR), .can_stream = true,
		.request = DESC(fault_list_request), .reply = DESC(fault_list_reply),
	},
	[METHOD_FAULT_CLEAR] = {
		.name = "fault-clear", .role = ROLE(ADMIN),
		.request = DESC(fault_clear_request), .reply = DESC(fault_clear_reply),
	},
	[METHOD_TARGET_ADD] = {
		.name = "target-add", .role = ROLE(ADMIN),
		.request = DESC(add_request), .reply = DESC(change_reply),
	},
	[METHOD_TARGET_REMOVE] = {
		.name = "target-remove", .role = ROLE(ADMIN),
		.request = DESC(remove_request), .reply = DESC(change_reply),
	},
	[METHOD_LUN_ADD] = {
		.name = "lun-add", .role = ROLE(ADMIN),
		.request = DESC(add_request), .reply = DESC(change_reply),
	},
	[METHOD_LUN_REMOVE] = {
		.name = "lun-remove", .role = ROLE(ADMIN),
		.request = DESC(remove_request), .reply = DESC(change_reply),
	},
	[METHOD_EXPANDER_ADD] = {
		.name = "expander-add", .role = ROLE(ADMIN),
		.request = DESC(add_request), .reply = DESC(change_reply),
	},
	[METHOD_PHY_UP] = {
		.name = "phy-up", .role = ROLE(ADMIN),
		.request = DESC(phy_up_request), .reply = DESC(change_reply),
	},
	[METHOD_PHY_DOWN] = {
		.name = "phy-down", .role = ROLE(ADMIN),
		.request = DESC(phy_down_request), .reply = DESC(change_reply),
	},
	[METHOD_SMP] = {
		.name = "smp", .role = ROLE(ADMIN),
		.request = DESC(smp_request), .reply = DESC(smp_reply),
	},
	[METHOD_EXPORT_LIST] = {
		.name = "export-list", .role = ROLE(MONITOR), .can_stream = true,
		.request = DESC(export_list_request), .reply = DESC(export_list_reply),
	},
	[METHOD_EXPORT_CHANGE] = {
		.name = "export-change", .role = ROLE(ADMIN),
		.request = DESC(export_change_request), .reply = DESC(export_change_reply),
	},
	[METHOD_EXPORT_RELOAD] = {
		.name = "export-reload", .role = ROLE(ADMIN),
		.request = DESC(export_reload_request), .reply = DESC(export_change_reply),
	},
	[METHOD_SESSION_LIST] = {
		.name = "session-list", .role = ROLE(MONITOR), .can_stream = true,
		.request = DESC(session_list_request), .reply = DESC(session_list_reply),
	},
	[METHOD_SESSION_CLOSE] = {
		.name = "session-close", .role = ROLE(ADMIN),
		.request = DESC(session_close_request), .reply = DESC(done),
	},
	[METHOD_RESERVE_STATUS] = {
		.name = "reserve-status", .role = ROLE(MONITOR), .can_stream = true,
		.request = DESC(reserve_status_request), .reply = DESC(reserve_status_reply),
	},
	[METHOD_RESIZE] = {
		.name = "resize", .role = ROLE(ADMIN),
		.request = DESC(resize_request), .reply = DESC(change_reply),
	},
	[METHOD_RESCAN] = {
		.name = "rescan", .role = ROLE(ADMIN),
		.request = DESC(rescan_request), .reply = DESC(rescan_reply),
	},
	[METHOD_MEMORY_NEW] = {
		.name = "memory-new", .role = ROLE(IO),
		.request = DESC(memory_new_request), .reply = DESC(memory_new_reply),
	},
	[METHOD_MEMORY_FREE] = {
		.name = "memory-free", .role = ROLE(IO),
		.request = DESC(memory_free_request), .reply = DESC(done),
	},
	[METHOD_RING_NEW] = {
		.name = "ring-new", .role = ROLE(IO),
		.request = DESC(ring_new_request), .reply = DESC(ring_new_reply),
	},
	[METHOD_RING_FREE] = {
		.name = "ring-free", .role = ROLE(IO),
		.request = DESC(ring_free_request), .reply = DESC(done),
	},
};

const struct method_info *
method_find(uint16_t number)
{
	if (number >= METHOD_N || methods[number].name == NULL)
		return NULL;
	return &methods[number];
}

const char *
method_name(uint16_t number)
{
	const struct method_info *method = method_find(number);

	return method == NULL ? "unknown" : method->name;
}

Scsad__Role
reset_level_role(Scsad__ResetLevel level)
{
	return level == SCSAD__RESET_LEVEL__RESET_LEVEL_LUN ? ROLE(IO) : ROLE(ADMIN);
}
