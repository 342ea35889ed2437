#include "client/scsactl/settle.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"

#define LOOK_MS	100	/* most time between two looks at the list */

/* the target part of "iport0/3,0", as a length from @ret_part on */
static size_t
target_part(const char *address, const char **ret_part)
{
	const char *slash = strrchr(address, '/');
	const char *part = slash == NULL ? address : slash + 1;
	const char *at = strchr(part, '@');

	*ret_part = at == NULL ? part : at + 1;
	return strcspn(*ret_part, ",");
}

/* behind ',' in an address; 0 when there is none */
static uint64_t
lun_part(const char *address)
{
	const char *comma = strchr(address, ',');

	return comma == NULL ? 0 : strtoull(comma + 1, NULL, 16);
}

/* @rest begins with the name of an iport of the change */
static bool
iport_fits(const struct scsac_change *change, const char *rest)
{
	for (size_t i = 0; i < change->n_iports; i++) {
		size_t len = strlen(change->iports[i]);

		if (strncmp(rest, change->iports[i], len) == 0 && rest[len] == '/')
			return true;
	}
	return false;
}

/* "soft0/iport0/disk@3,0": is it behind an iport of the change, at its target, one of its
 * units? */
static bool
path_fits(const struct settle *s, const char *path)
{
	const struct scsac_change *change = s->change;
	const char *at = strrchr(path, '@');
	size_t hba_len = strlen(change->hba), len;
	uint64_t first, n = s->kind == SCSAC_EVENT_UNIT_GONE ? 1 : change->units;
	const char *part;

	len = target_part(change->address, &part);
	if (at == NULL || strncmp(path, change->hba, hba_len) != 0 || path[hba_len] != '/' ||
	    strncmp(at + 1, part, len) != 0 || (at[1 + len] != ',' && at[1 + len] != '\0') ||
	    !iport_fits(change, path + hba_len + 1))
		return false;
	first = lun_part(part);
	return !s->want_lun || (lun_part(at) >= first && lun_part(at) - first < n);
}

/* ------ events ------ */

static void
early_keep(struct settle *s, const char *subject)
{
	char **grown;

	if (s->n_early == s->early_room) {
		size_t room = s->early_room == 0 ? 64 : 2 * s->early_room;

		grown = reallocarray(s->early, room, sizeof(*grown));
		if (grown == NULL) {
			s->is_lost = true;
			return;
		}
		s->early = grown;
		s->early_room = room;
	}
	s->early[s->n_early] = strdup(subject);
	if (s->early[s->n_early] == NULL)
		s->is_lost = true;
	else
		s->n_early++;
}

static void
settle_event(struct scsac *c, const struct scsac_event *event, void *arg)
{
	struct settle *s = arg;

	(void)c;
	if (event->kind == SCSAC_EVENT_LOST)
		s->is_lost = true;
	else if (event->kind == s->kind && s->change == NULL)
		early_keep(s, event->subject);
	else if (event->kind == s->kind)
		s->seen += path_fits(s, event->subject);
}

enum ctl_exit
settle_begin(struct settle *s, struct ctl *ctl, unsigned kind, unsigned ms)
{
	int r;

	*s = (struct settle){ .ctl = ctl, .ms = ms, .kind = kind };
	if (ms == 0)
		return CTL_OK;
	r = scsac_subscribe(ctl->conn, 1u << kind | 1u << SCSAC_EVENT_PORT_ADDED |
	    1u << SCSAC_EVENT_PORT_GONE | 1u << SCSAC_EVENT_LOST, settle_event, s);
	return r < 0 ? ctl_refused(ctl, r, NULL) : CTL_OK;
}

void
settle_end(struct settle *s)
{
	if (s->ms != 0)
		(void)scsac_subscribe(s->ctl->conn, 0, NULL, NULL);
	for (size_t i = 0; i < s->n_early; i++)
		free(s->early[i]);
	free(s->early);
}

/* ------ waiting ------ */

static uint64_t
deadline_of(const struct settle *s)
{
	return clock_now_ns() + s->ms * NS_PER_MS;
}

/* one wait, of @ms at most; false: time is up, or the daemon is gone */
static bool
wait_once(struct settle *s, uint64_t deadline_ns, unsigned ms)
{
	uint64_t now_ns = clock_now_ns();
	uint64_t left_ms = now_ns >= deadline_ns ? 0 : (deadline_ns - now_ns) / NS_PER_MS + 1;
	int r;

	if (left_ms == 0)
		return false;
	r = scsac_wait(s->ctl->conn, left_ms < ms ? (int)left_ms : (int)ms);
	return r >= 0 || r == -EINTR;
}

/* units that are to be seen when all is done: none, or all behind each iport */
static size_t
units_wanted(const struct settle *s)
{
	return s->kind == SCSAC_EVENT_UNIT_GONE ? 0 : s->change->units * s->change->n_iports;
}

static bool
units_are_right(const struct scsac_list *list, void *arg)
{
	const struct settle *s = arg;
	size_t n = 0;

	for (size_t i = 0; i < list->n_units; i++)
		n += path_fits(s, list->units[i].path);
	return n == units_wanted(s);
}

static bool
look(struct settle *s, bool (*is_done)(const struct scsac_list *list, void *arg), void *arg)
{
	struct scsac_list *list = NULL;
	bool is;

	if (scsac_list(s->ctl->conn, &list) < 0)
		return false;
	is = is_done(list, arg);
	scsac_list_free(list);
	return is;
}

bool
settle_units(struct settle *s, const struct scsac_change *change)
{
	/* what goes is counted by the daemon behind all iports, what comes is behind each */
	size_t events = s->kind == SCSAC_EVENT_UNIT_GONE ? change->units :
	    change->units * change->n_iports;
	uint64_t deadline_ns = deadline_of(s);

	if (s->ms == 0)
		return false;
	s->change = change;
	for (size_t i = 0; i < s->n_early; i++)
		s->seen += path_fits(s, s->early[i]);
	while (s->seen < events && !s->is_lost)
		if (!wait_once(s, deadline_ns, s->ms))
			break;
	if (s->seen >= events)
		return true;
	return s->is_lost ? settle_list(s, units_are_right, s) :
	    look(s, units_are_right, s);
}

bool
settle_list(struct settle *s, bool (*is_done)(const struct scsac_list *list, void *arg),
    void *arg)
{
	uint64_t deadline_ns = deadline_of(s);

	if (s->ms == 0)
		return false;
	while (!look(s, is_done, arg))
		if (!wait_once(s, deadline_ns, LOOK_MS))
			return false;
	return true;
}
