/* asymmetric access: REPORT and SET TARGET PORT GROUPS parameter data (lu/alua.h) */
#include <errno.h>

#include "base/bytes.h"
#include "base/cursor.h"
#include "lu/alua_impl.h"
#include "lu/port.h"

#define FORMAT_EXTENDED		0x10	/* FORMAT TYPE of the header */
#define LENGTH_LEN		4	/* RETURN DATA LENGTH does not count itself */
#define PREF			0x80
/* transitioning, offline, unavailable, standby, active in both ways; no LBA dependence */
#define SUPPORTED		0xcf
#define STATE_MASK		0x0f
#define STPG_HDR		4
#define STPG_DESCR		4

/* ------ REPORT TARGET PORT GROUPS ------ */

/* ports of @group go behind its descriptor; how many */
static uint8_t
put_ports(struct cursor *c, const struct alua *alua, uint16_t group,
    const struct lu_port *asker)
{
	const struct alua_port *ports = NULL;
	size_t n = alua_ports(alua, &ports);
	bool has_asker = asker->group != group;
	uint8_t count = 0;

	for (size_t i = 0; i < n; i++) {
		if (ports[i].group != group)
			continue;
		cursor_put_be16(c, 0);
		cursor_put_be16(c, ports[i].rtpi);
		has_asker |= ports[i].rtpi == asker->rtpi;
		count++;
	}
	if (!has_asker) {
		cursor_put_be16(c, 0);
		cursor_put_be16(c, asker->rtpi);
		count++;
	}
	return count;
}

/* a group without ports is taken back: nobody could use it */
static void
put_group(struct cursor *c, const struct alua *alua, const struct alua_group *group,
    const struct lu_port *asker)
{
	size_t begin = c->pos;
	uint8_t count;

	cursor_put_u8(c, (uint8_t)((group->is_preferred ? PREF : 0) | group->state));
	cursor_put_u8(c, SUPPORTED);
	cursor_put_be16(c, group->id);
	cursor_put_u8(c, 0);
	cursor_put_u8(c, group->cause);
	cursor_put_be16(c, 0);
	count = put_ports(c, alua, group->id, asker);
	if (count == 0)
		c->pos = begin;
	else if (cursor_ok(c))
		c->base[begin + 7] = count;
}

size_t
alua_rtpg(const struct alua *alua, const struct lu_port *asker, bool is_extended, void *buf,
    size_t size)
{
	struct cursor c = cursor_write_init(buf, size);
	const struct alua_group *groups = NULL;
	size_t n = alua_groups(alua, &groups);
	bool has_asker = false;

	cursor_put_be32(&c, 0);
	if (is_extended)
		cursor_put_be32(&c, (uint32_t)FORMAT_EXTENDED << 24); /* no transition time */
	for (size_t i = 0; i < n; i++) {
		put_group(&c, alua, &groups[i], asker);
		has_asker |= groups[i].id == asker->group;
	}
	if (!has_asker)
		put_group(&c, alua, &(struct alua_group){ .id = asker->group }, asker);
	if (!cursor_ok(&c))
		return 0;
	be32_put(buf, (uint32_t)(c.pos - LENGTH_LEN));
	return c.pos;
}

/* ------ SET TARGET PORT GROUPS ------ */

static bool
is_reported(const struct alua *alua, const struct lu_port *asker, uint16_t group)
{
	const struct alua_port *ports = NULL;
	size_t n = alua_ports(alua, &ports);

	if (group == asker->group)
		return true;
	for (size_t i = 0; i < n; i++) {
		if (ports[i].group == group)
			return true;
	}
	return false;
}

/* is there a place for its state? */
static bool
has_room(const struct alua *alua, uint16_t group)
{
	const struct alua_group *groups = NULL;
	size_t n = alua_groups(alua, &groups);

	for (size_t i = 0; i < n; i++) {
		if (groups[i].id == group)
			return true;
	}
	return n < ALUA_GROUPS_MAX;
}

static bool
is_planned(const struct alua_plan *plan, uint16_t group)
{
	for (unsigned int i = 0; i < plan->n; i++) {
		if (plan->set[i].group == group)
			return true;
	}
	return false;
}

/* one descriptor at @at of the list */
static int
plan_add(struct alua_plan *plan, const struct alua *alua, const struct lu_port *asker,
    const uint8_t *list, uint16_t at, struct sense_data *reterr)
{
	uint8_t state = list[at] & STATE_MASK;
	uint16_t group = be16_get(list + at + 2);

	if (state > ALUA_UNAVAILABLE) {
		*reterr = sense_invalid_field_list(at, 3);
		return -EBADMSG;
	}
	if (!is_reported(alua, asker, group) || is_planned(plan, group)) {
		*reterr = sense_invalid_field_list((uint16_t)(at + 2), -1);
		return -EBADMSG;
	}
	if (plan->n == ALUA_GROUPS_MAX || !has_room(alua, group)) {
		*reterr = sense_make(SENSE_ILLEGAL_REQUEST, ASC_INSUFFICIENT_RESOURCES);
		return -EBADMSG;
	}
	plan->set[plan->n].group = group;
	plan->set[plan->n].state = state;
	plan->n++;
	return 0;
}

int
alua_stpg(const struct alua *alua, const struct lu_port *asker, const void *list, size_t len,
    struct alua_plan *ret, struct sense_data *reterr)
{
	struct alua_plan plan = { .n = 0 };
	int r;

	if (len > 0 && (len < STPG_HDR || len > ALUA_STPG_MAX ||
	    (len - STPG_HDR) % STPG_DESCR != 0)) {
		*reterr = sense_make(SENSE_ILLEGAL_REQUEST, ASC_PARAMETER_LIST_LENGTH);
		return -EBADMSG;
	}
	for (size_t at = STPG_HDR; at < len; at += STPG_DESCR) {
		r = plan_add(&plan, alua, asker, list, (uint16_t)at, reterr);
		if (r < 0)
			return r;
	}
	*ret = plan;
	return 0;
}
