/* asymmetric access: groups, ports, and which commands a state lets through (lu/alua.h) */
#include "lu/alua.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "lu/alua_impl.h"

/* ------ groups and ports ------ */

struct alua *
alua_new(void)
{
	struct alua *alua = fault_hit() ? NULL : calloc(1, sizeof(*alua));

	if (alua != NULL)
		alua->mode = ALUA_MODE_BOTH;
	return alua;
}

void
alua_free(struct alua *alua)
{
	free(alua);
}

enum alua_mode
alua_mode(const struct alua *alua)
{
	return alua == NULL ? ALUA_MODE_BOTH : alua->mode;
}

void
alua_set_mode(struct alua *alua, enum alua_mode mode)
{
	alua->mode = mode;
}

struct alua_group *
alua_group_find(struct alua *alua, uint16_t id)
{
	for (size_t i = 0; i < alua->n_groups; i++) {
		if (alua->groups[i].id == id)
			return &alua->groups[i];
	}
	return NULL;
}

/* NULL: no room */
static struct alua_group *
group_get(struct alua *alua, uint16_t id)
{
	struct alua_group *group = alua_group_find(alua, id);

	if (group != NULL || alua->n_groups == ALUA_GROUPS_MAX)
		return group;
	group = &alua->groups[alua->n_groups++];
	*group = (struct alua_group){ .id = id, .state = ALUA_OPTIMIZED };
	return group;
}

static struct alua_port *
port_find(struct alua *alua, uint16_t rtpi)
{
	for (size_t i = 0; i < alua->n_ports; i++) {
		if (alua->ports[i].rtpi == rtpi)
			return &alua->ports[i];
	}
	return NULL;
}

int
alua_bind(struct alua *alua, uint16_t rtpi, uint16_t group)
{
	const struct alua_port *port = port_find(alua, rtpi);

	if (port != NULL)
		return port->group == group ? 0 : -EEXIST;
	if (alua->n_ports == ALUA_PORTS_MAX || group_get(alua, group) == NULL)
		return -ENOSPC;
	alua->ports[alua->n_ports++] = (struct alua_port){ rtpi, group };
	return 0;
}

void
alua_unbind(struct alua *alua, uint16_t rtpi)
{
	struct alua_port *port = port_find(alua, rtpi);

	if (port == NULL)
		return;
	alua->n_ports--;
	memmove(port, port + 1, (size_t)(alua->ports + alua->n_ports - port) * sizeof(*port));
}

enum alua_state
alua_state_of(const struct alua *alua, uint16_t group)
{
	for (size_t i = 0; alua != NULL && i < alua->n_groups; i++) {
		if (alua->groups[i].id == group)
			return alua->groups[i].state;
	}
	return ALUA_OPTIMIZED;
}

static void
restricted_update(struct alua *alua)
{
	alua->is_restricted = false;
	for (size_t i = 0; i < alua->n_groups; i++)
		alua->is_restricted |= alua->groups[i].state > ALUA_NON_OPTIMIZED;
}

static bool
is_state(enum alua_state state)
{
	switch (state) {
	case ALUA_OPTIMIZED:
	case ALUA_NON_OPTIMIZED:
	case ALUA_STANDBY:
	case ALUA_UNAVAILABLE:
	case ALUA_OFFLINE:
	case ALUA_TRANSITIONING:
		return true;
	}
	return false;
}

int
alua_set(struct alua *alua, uint16_t id, enum alua_state state, bool *ret_is_changed)
{
	struct alua_group *group;

	if (!is_state(state))
		return -EINVAL;
	group = group_get(alua, id);
	if (group == NULL)
		return -ENOSPC;
	*ret_is_changed = group->state != state;
	if (*ret_is_changed)
		group->cause = ALUA_CAUSE_IMPLICIT;
	group->state = (uint8_t)state;
	restricted_update(alua);
	return 0;
}

int
alua_prefer(struct alua *alua, uint16_t id, bool is_preferred)
{
	struct alua_group *group = group_get(alua, id);

	if (group == NULL)
		return -ENOSPC;
	group->is_preferred = is_preferred;
	return 0;
}

size_t
alua_groups(const struct alua *alua, const struct alua_group **ret)
{
	if (alua == NULL)
		return 0;
	*ret = alua->groups;
	return alua->n_groups;
}

size_t
alua_ports(const struct alua *alua, const struct alua_port **ret)
{
	if (alua == NULL)
		return 0;
	*ret = alua->ports;
	return alua->n_ports;
}

/* ------ a plan taking effect ------ */

void
alua_begin(struct alua *alua, struct alua_plan *plan)
{
	for (unsigned int i = 0; i < plan->n; i++) {
		struct alua_group *group = group_get(alua, plan->set[i].group);

		plan->set[i].before = group->state;
		group->state = ALUA_TRANSITIONING;
	}
	restricted_update(alua);
}

bool
alua_end(struct alua *alua, const struct alua_plan *plan, unsigned int n_good)
{
	bool is_changed = false;

	for (unsigned int i = 0; i < plan->n; i++) {
		struct alua_group *group = alua_group_find(alua, plan->set[i].group);

		/* set by the API meanwhile: that is news from below, and stays */
		if (group->state != ALUA_TRANSITIONING)
			continue;
		group->state = plan->set[i].before;
		if (i >= n_good || plan->set[i].state == group->state)
			continue;
		group->state = plan->set[i].state;
		group->cause = ALUA_CAUSE_EXPLICIT;
		is_changed = true;
	}
	restricted_update(alua);
	return is_changed;
}

/* ------ which commands a state lets through ------ */

#define STANDBY		0x01u
#define ELSEWHERE	0x02u		/* unavailable, offline, transitioning */
#define ECHO		0x04u		/* echo modes of buffers in any state */
#define DOWNLOAD	0x08u		/* microcode in ELSEWHERE */

/* SPC-4 5.15.2.4.4, .5, .6; REPORT SUPPORTED ... may be let through, and is */
static const uint8_t allowed[OP_N] = {
	[OP_INQUIRY] = STANDBY | ELSEWHERE,
	[OP_REPORT_LUNS] = STANDBY | ELSEWHERE,
	[OP_REQUEST_SENSE] = STANDBY | ELSEWHERE,
	[OP_REPORT_TARGET_PORT_GROUPS] = STANDBY | ELSEWHERE,
	[OP_SET_TARGET_PORT_GROUPS] = STANDBY | ELSEWHERE,
	[OP_REPORT_SUPPORTED_OPCODES] = STANDBY | ELSEWHERE,
	[OP_REPORT_SUPPORTED_TMFS] = STANDBY | ELSEWHERE,
	[OP_LOG_SELECT] = STANDBY,
	[OP_LOG_SENSE] = STANDBY,
	[OP_MODE_SELECT_6] = STANDBY,
	[OP_MODE_SELECT_10] = STANDBY,
	[OP_MODE_SENSE_6] = STANDBY,
	[OP_MODE_SENSE_10] = STANDBY,
	[OP_RECEIVE_DIAGNOSTIC] = STANDBY,
	[OP_SEND_DIAGNOSTIC] = STANDBY,
	[OP_PRIN_READ_KEYS] = STANDBY,
	[OP_PRIN_READ_RESERVATION] = STANDBY,
	[OP_PRIN_REPORT_CAPABILITIES] = STANDBY,
	[OP_PRIN_READ_FULL_STATUS] = STANDBY,
	[OP_PROUT_REGISTER] = STANDBY,
	[OP_PROUT_RESERVE] = STANDBY,
	[OP_PROUT_RELEASE] = STANDBY,
	[OP_PROUT_CLEAR] = STANDBY,
	[OP_PROUT_PREEMPT] = STANDBY,
	[OP_PROUT_PREEMPT_AND_ABORT] = STANDBY,
	[OP_PROUT_REGISTER_AND_IGNORE] = STANDBY,
	[OP_PROUT_REGISTER_AND_MOVE] = STANDBY,
	[OP_PROUT_REPLACE_LOST] = STANDBY,
	[OP_READ_BUFFER_10] = ECHO,
	[OP_WRITE_BUFFER] = ECHO | DOWNLOAD,
};

/* MODE of READ BUFFER and WRITE BUFFER */
static bool
is_echo(uint8_t mode)
{
	return mode == 0x0a || mode == 0x0b;
}

static bool
is_download(uint8_t mode)
{
	return (mode >= 0x04 && mode <= 0x07) || (mode >= 0x0d && mode <= 0x0f);
}

static uint16_t
state_asc(enum alua_state state)
{
	switch (state) {
	case ALUA_STANDBY:
		return ASC_ALUA_STANDBY;
	case ALUA_UNAVAILABLE:
		return ASC_ALUA_UNAVAILABLE;
	case ALUA_OFFLINE:
		return ASC_OFFLINE;
	case ALUA_TRANSITIONING:
		return ASC_ALUA_TRANSITION;
	case ALUA_OPTIMIZED:
	case ALUA_NON_OPTIMIZED:
		break;
	}
	return ASC_NONE;
}

enum alua_verdict
alua_check(enum alua_state state, const struct op_info *op, const uint8_t *cdb,
    struct sense_data *ret)
{
	uint8_t row = op == NULL ? 0 : allowed[op->id];
	uint8_t mode = cdb[1] & 0x1f;

	if (state == ALUA_OPTIMIZED || state == ALUA_NON_OPTIMIZED ||
	    (row & (state == ALUA_STANDBY ? STANDBY : ELSEWHERE)) != 0 ||
	    ((row & ECHO) != 0 && is_echo(mode)) ||
	    ((row & DOWNLOAD) != 0 && state != ALUA_STANDBY && is_download(mode)))
		return ALUA_GO;
	*ret = sense_make(SENSE_NOT_READY, state_asc(state));
	return ALUA_REFUSE;
}
