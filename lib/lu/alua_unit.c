/* asymmetric access of units: the machine of lu/alua.h, its commands, what is saved of it */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/fault.h"
#include "base/keep.h"
#include "lu/alua_impl.h"
#include "lu/lu_impl.h"
#include "lu/port.h"
#include "scsi/status.h"

#define SAVED_LEN	4	/* bytes of a group: id, state, 0 */
#define SAVED_MAX	(SAVED_LEN * ALUA_GROUPS_MAX)
#define EXTENDED	0x20	/* PARAMETER DATA FORMAT: extended header */
#define FORMAT_MASK	0xe0

/* ------ what is saved: the states that SET TARGET PORT GROUPS gave ------ */

/* false: this unit's states are not kept */
static bool
saved_name(const struct lu *lu, char name[KEEP_NAME_MAX + 1])
{
	const struct lu_info *info = &lu->info;
	char id[KEEP_NAME_MAX];
	int n;

	if (lu->host->state_dir == NULL || info->serial[0] == '\0')
		return false;
	n = snprintf(id, sizeof(id), "%s_%s_%s", info->vendor, info->product, info->serial);
	return n > 0 && (size_t)n < sizeof(id) && keep_name("alua-", id, (size_t)n, name) == 0;
}

static void
saved_take(struct alua *alua, const uint8_t *data, size_t len)
{
	bool is_changed;

	for (size_t at = 0; at + SAVED_LEN <= len; at += SAVED_LEN) {
		uint16_t id = be16_get(data + at);

		if (data[at + 2] <= ALUA_UNAVAILABLE &&
		    alua_set(alua, id, data[at + 2], &is_changed) == 0)
			alua_group_find(alua, id)->cause = ALUA_CAUSE_EXPLICIT;
	}
}

static size_t
saved_put(const struct alua *alua, const struct alua_plan *plan, unsigned int n_good,
    uint8_t data[SAVED_MAX])
{
	struct alua after = *alua;
	struct alua_plan copy = *plan;
	size_t len = 0;

	alua_begin(&after, &copy);
	(void)alua_end(&after, &copy, n_good);
	for (size_t i = 0; i < after.n_groups; i++) {
		if (after.groups[i].cause != ALUA_CAUSE_EXPLICIT)
			continue;
		be16_put(data + len, after.groups[i].id);
		data[len + 2] = after.groups[i].state;
		data[len + 3] = 0;
		len += SAVED_LEN;
	}
	return len;
}

static int
saved_write(const char *dir, const char *name, const void *data, size_t len)
{
	CLEANUP(close_fd) int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : keep_write(fd, name, data, len);
}

static int
saved_read(const char *dir, const char *name, void *data, size_t size, size_t *ret_len)
{
	CLEANUP(close_fd) int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : keep_read(fd, name, data, size, ret_len);
}

/* ------ life ------ */

/* the unit's machine, made when it is first needed; NULL: no memory */
static struct alua *
alua_of(struct lu *lu)
{
	if (lu->alua == NULL)
		lu->alua = alua_new();
	return lu->alua;
}

int
lu_alua_init(struct lu *lu)
{
	char name[KEEP_NAME_MAX + 1];
	uint8_t data[SAVED_MAX];
	size_t len;

	/* what cannot be read is as good as nothing: every group is optimized then, and the
	 * next SET TARGET PORT GROUPS writes anew */
	if (!saved_name(lu, name) ||
	    saved_read(lu->host->state_dir, name, data, sizeof(data), &len) < 0 || len == 0)
		return 0;
	if (alua_of(lu) == NULL)
		return -ENOMEM;
	saved_take(lu->alua, data, len);
	return 0;
}

void
lu_alua_fini(struct lu *lu)
{
	alua_free(STEAL(lu->alua));
}

const struct alua *
lu_alua(const struct lu *lu)
{
	return lu->alua;
}

/* ------ the API ------ */

int
lu_alua_bind(struct lu *lu, const struct lu_port *port)
{
	return alua_of(lu) == NULL ? -ENOMEM : alua_bind(lu->alua, port->rtpi, port->group);
}

void
lu_alua_unbind(struct lu *lu, const struct lu_port *port)
{
	if (lu->alua != NULL)
		alua_unbind(lu->alua, port->rtpi);
}

int
lu_alua_set(struct lu *lu, uint16_t group, enum alua_state state)
{
	bool is_changed;
	int r = alua_of(lu) == NULL ? -ENOMEM :
	    alua_set(lu->alua, group, state, &is_changed);

	if (r == 0 && is_changed)
		lu_ua_raise_others(lu, NULL, ASC_ALUA_STATE_CHANGED);
	return r;
}

int
lu_alua_first(struct lu *lu, uint16_t group, enum alua_state state)
{
	const struct alua_group *there = NULL;

	if (alua_of(lu) == NULL)
		return -ENOMEM;
	there = alua_group_find(lu->alua, group);
	if (there != NULL && there->cause == ALUA_CAUSE_EXPLICIT)
		return 0;
	return lu_alua_set(lu, group, state);
}

void
lu_alua_failed(struct lu *lu)
{
	lu_ua_raise_others(lu, NULL, ASC_ALUA_TRANSITION_FAILED);
}

int
lu_alua_prefer(struct lu *lu, uint16_t group, bool is_preferred)
{
	return alua_of(lu) == NULL ? -ENOMEM : alua_prefer(lu->alua, group, is_preferred);
}

int
lu_alua_set_mode(struct lu *lu, enum alua_mode mode)
{
	if (alua_of(lu) == NULL)
		return -ENOMEM;
	alua_set_mode(lu->alua, mode);
	return 0;
}

enum alua_verdict
lu_alua_check(const struct lu *lu, const struct lu_nexus *nexus, const struct op_info *op,
    const uint8_t *cdb, struct sense_data *ret)
{
	if (LIKELY(lu->alua == NULL || !lu->alua->is_restricted))
		return ALUA_GO;
	return alua_check(alua_state_of(lu->alua, lu_port_or_local(nexus->port)->group), op, cdb,
	    ret);
}

/* ------ REPORT TARGET PORT GROUPS ------ */

void
lu_alua_do_report(struct lu *lu, struct lu_task *task)
{
	uint8_t buf[ALUA_RTPG_MAX];
	uint8_t format = task->cdb[1] & FORMAT_MASK;
	size_t len;

	if (alua_mode(lu->alua) == ALUA_MODE_NONE) {
		lu_local_bad_cdb(task, 1, 4);
		return;
	}
	if (format != 0 && format != EXTENDED) {
		lu_local_bad_cdb(task, 1, 7);
		return;
	}
	len = alua_rtpg(lu->alua, lu_port_or_local(task->nexus->port), format == EXTENDED, buf,
	    sizeof(buf));
	lu_local_reply(task, buf, len, be32_get(task->cdb + 6));
}

/* ------ SET TARGET PORT GROUPS ------ */

/* one at work */
struct stpg {
	struct lu_job job;
	struct lu *lu;
	struct alua *alua;		/* the states before, for the worker */
	struct alua_plan plan;
	unsigned int n_good;		/* groups that the host let move */
	char name[KEEP_NAME_MAX + 1];	/* empty: not saved */
};

static void
stpg_free(struct stpg *stpg)
{
	if (stpg != NULL)
		free(stpg->alua);
	free(stpg);
}

static struct stpg *
stpg_new(struct lu *lu, const struct alua_plan *plan)
{
	struct stpg *stpg = fault_hit() ? NULL : calloc(1, sizeof(*stpg));

	if (stpg == NULL)
		return NULL;
	stpg->lu = lu;
	stpg->plan = *plan;
	if (!saved_name(lu, stpg->name))
		stpg->name[0] = '\0';
	stpg->alua = fault_hit() ? NULL : malloc(sizeof(*stpg->alua));
	if (stpg->alua == NULL) {
		stpg_free(stpg);
		return NULL;
	}
	*stpg->alua = *lu->alua;
	return stpg;
}

static int
stpg_ask_host(struct stpg *stpg)
{
	struct lu_host *host = stpg->lu->host;
	int r = 0;

	while (stpg->n_good < stpg->plan.n) {
		if (host->alua_gate != NULL)
			r = host->alua_gate(host, stpg->lu, stpg->plan.set[stpg->n_good].group,
			    stpg->plan.set[stpg->n_good].state);
		if (r < 0)
			break;
		stpg->n_good++;
	}
	return r;
}

/* on a worker */
static int
stpg_run(struct lu_job *job)
{
	struct stpg *stpg = container_of(job, struct stpg, job);
	uint8_t data[SAVED_MAX];
	int r = stpg_ask_host(stpg), saved = 0;

	if (stpg->name[0] != '\0')
		saved = saved_write(stpg->lu->host->state_dir, stpg->name, data,
		    saved_put(stpg->alua, &stpg->plan, stpg->n_good, data));
	/* what the host was not asked for has not happened below either: back it goes */
	if (saved < 0 && saved != -EUCLEAN && stpg->lu->host->alua_gate == NULL)
		stpg->n_good = 0;
	return r < 0 ? r : saved;
}

static void
stpg_then(struct lu_task *task, struct lu_job *job, int r)
{
	struct stpg *stpg = container_of(job, struct stpg, job);
	struct lu *lu = stpg->lu;

	/* without a host to ask nothing was in between: one indivisible step */
	if (lu->host->alua_gate == NULL)
		alua_begin(lu->alua, &stpg->plan);
	if (alua_end(lu->alua, &stpg->plan, stpg->n_good))
		lu_ua_raise_others(lu, task->nexus, ASC_ALUA_STATE_CHANGED);
	lu->alua->is_busy = false;
	stpg_free(stpg);
	if (r < 0)
		lu_local_check(task, SENSE_HARDWARE_ERROR, ASC_STPG_FAILED);
	else
		lu_local_good(task);
}

static void
stpg_start(struct lu *lu, struct lu_task *task, const struct alua_plan *plan)
{
	struct stpg *stpg;

	if (lu->alua->is_busy) {
		lu_local_status(task, SAM_STAT_BUSY);
		return;
	}
	stpg = stpg_new(lu, plan);
	if (stpg == NULL) {
		lu_local_no_room(task);
		return;
	}
	lu->alua->is_busy = true;
	if (lu->host->alua_gate != NULL)
		alua_begin(lu->alua, &stpg->plan);
	if (lu->host->alua_gate != NULL || stpg->name[0] != '\0') {
		lu_local_offload(task, &stpg->job, stpg_run, stpg_then);
		return;
	}
	stpg->n_good = plan->n;
	stpg_then(task, &stpg->job, 0);
}

void
lu_alua_do_set(struct lu *lu, struct lu_task *task)
{
	uint32_t list_len = be32_get(task->cdb + 6);
	uint8_t list[ALUA_STPG_MAX + 1];
	struct alua_plan plan;
	struct sense_data sense;
	size_t len;

	if ((alua_mode(lu->alua) & ALUA_MODE_EXPLICIT) == 0) {
		lu_local_bad_cdb(task, 1, 4);
		return;
	}
	/* one byte more than a list can have shows that it is too long */
	len = lu_local_take(task, list, list_len < sizeof(list) ? list_len : sizeof(list));
	if (len < list_len && len <= ALUA_STPG_MAX) {
		lu_local_check(task, SENSE_ILLEGAL_REQUEST, ASC_PARAMETER_LIST_LENGTH);
		return;
	}
	if (alua_of(lu) == NULL) {
		lu_local_no_room(task);
		return;
	}
	if (alua_stpg(lu->alua, lu_port_or_local(task->nexus->port), list, len, &plan,
	    &sense) < 0)
		lu_local_sense(task, &sense);
	else if (plan.n == 0)
		lu_local_good(task);
	else
		stpg_start(lu, task, &plan);
}
