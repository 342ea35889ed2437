#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/fault.h"
#include "base/log.h"
#include "daemon/ex_live.h"
#include "lu/alua.h"
#include "lu/policy.h"

/* a unit that an object of a set is about */
struct mention {
	struct lu *unit;		/* a reference */
	const struct ex_export *e;	/* it is exported by this; or NULL */
	const struct ex_unit *policy;	/* or NULL */
};

struct mentions {
	struct mention *v;
	size_t n, room;
	bool is_short;			/* out of memory */
};

/* works that have not been done yet */
struct barrier {
	pthread_mutex_t lock;
	pthread_cond_t cond;
	size_t n;
};

/* what one unit is to learn, at its home */
struct unit_job {
	struct lu_work work;
	struct barrier *barrier;
	struct lu *unit;		/* borrowed from its mentions */
	const struct ex_set *set, *before;
	const struct ex_unit *policy;
	size_t n_ports;
	struct alua_port ports[ALUA_PORTS_MAX];
};

/* ------ whom it is about ------ */

static void
mention_add(struct mentions *m, const char *word, const struct ex_export *e,
    const struct ex_unit *policy)
{
	struct mention *grown;
	struct lu *unit;

	if (m->is_short || lu_find(word, &unit, NULL, 0) < 0)
		return;
	if (m->n == m->room) {
		m->room = m->room == 0 ? 64 : 2 * m->room;
		grown = fault_hit() ? NULL : reallocarray(m->v, m->room, sizeof(*grown));
		m->is_short = grown == NULL;
		if (grown == NULL) {
			lu_unref(unit);
			return;
		}
		m->v = grown;
	}
	m->v[m->n++] = (struct mention){ unit, e, policy };
}

/* @is_now: what the set says counts; else only that it has to be looked at */
static void
mentions_of(struct mentions *m, const struct ex_set *set, bool is_now)
{
	for (size_t i = 0; i < ex_set_count(set, EX_EXPORT); i++) {
		const struct ex_export *e = (const struct ex_export *)ex_set_at(set, EX_EXPORT,
		    i);

		mention_add(m, e->unit, is_now ? e : NULL, NULL);
	}
	for (size_t i = 0; i < ex_set_count(set, EX_UNIT); i++) {
		const struct ex_unit *u = (const struct ex_unit *)ex_set_at(set, EX_UNIT, i);

		mention_add(m, u->o.name, NULL, is_now ? u : NULL);
	}
}

static int
mention_order(const void *a, const void *b)
{
	uint64_t x = lu_id(((const struct mention *)a)->unit);
	uint64_t y = lu_id(((const struct mention *)b)->unit);

	return (x > y) - (x < y);
}

/* ------ at home ------ */

static bool
job_has_port(const struct unit_job *job, uint16_t rtpi)
{
	for (size_t i = 0; i < job->n_ports; i++)
		if (job->ports[i].rtpi == rtpi)
			return true;
	return false;
}

static void
ports_unbind(const struct unit_job *job)
{
	const struct alua_port *ports = NULL;
	struct lu_port gone[ALUA_PORTS_MAX];
	const struct alua *alua = lu_alua(job->unit);
	size_t n = alua == NULL ? 0 : alua_ports(alua, &ports), n_gone = 0;

	for (size_t i = 0; i < n; i++)
		if (ports[i].rtpi != LU_PORT_LOCAL_RTPI && !job_has_port(job, ports[i].rtpi))
			gone[n_gone++] = (struct lu_port){ .rtpi = ports[i].rtpi,
				.group = ports[i].group };
	for (size_t i = 0; i < n_gone; i++)
		lu_alua_unbind(job->unit, &gone[i]);
}

/* the configured state of a group. What SET TARGET PORT GROUPS saved wins, until the state is
 * configured anew; a group that has not changed may still be new to this unit */
static int
group_sync(const struct unit_job *job, uint16_t tag)
{
	char name[16];
	const struct ex_group *is, *was = NULL;
	int r;

	(void)snprintf(name, sizeof(name), "%u", tag);
	is = (const struct ex_group *)ex_set_find(job->set, EX_GROUP, name);
	if (job->before != NULL)
		was = (const struct ex_group *)ex_set_find(job->before, EX_GROUP, name);
	if (is == NULL && was == NULL)
		return 0;
	r = lu_alua_prefer(job->unit, tag, is != NULL && is->is_preferred);
	if (r < 0)
		return r;
	if (is != NULL && (job->before == NULL || is == was))
		return lu_alua_first(job->unit, tag, (enum alua_state)is->state);
	return lu_alua_set(job->unit, tag, is == NULL ? ALUA_OPTIMIZED :
	    (enum alua_state)is->state);
}

static int
ports_bind(const struct unit_job *job)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < job->n_ports; i++) {
		const struct lu_port *port = lu_port_find(job->ports[i].rtpi);

		if (port == NULL)
			continue;
		r = lu_alua_bind(job->unit, port);
		if (r == -EEXIST) {
			/* its group has another tag now */
			lu_alua_unbind(job->unit, port);
			r = lu_alua_bind(job->unit, port);
		}
		lu_port_unref(port);
		if (r == 0)
			r = group_sync(job, job->ports[i].group);
	}
	return r;
}

static void
policy_sync(const struct unit_job *job)
{
	static const struct ex_unit none;
	const struct ex_unit *p = job->policy == NULL ? &none : job->policy;
	const uint32_t answers[LU_POLICY_N] = {
		[LU_POLICY_RESERVATIONS] = p->reservations,
		[LU_POLICY_ALUA] = p->alua,
		[LU_POLICY_INQUIRY] = p->inquiry,
		[LU_POLICY_OPCODES] = p->opcodes,
		[LU_POLICY_COPY] = p->copy,
		[LU_POLICY_PREVENT] = p->prevent,
	};

	for (unsigned int i = 0; i < LU_POLICY_N; i++) {
		bool is_passed = answers[i] == EX_PASS;

		if (lu_policy_is_passed(job->unit, (enum lu_policy)i) != is_passed)
			lu_policy_set(job->unit, (enum lu_policy)i, is_passed);
	}
}

/* what differs only: a depth that is set begins to adapt anew */
static void
limits_sync(const struct unit_job *job)
{
	const struct ex_unit *p = job->policy;

	if (lu_depth(job->unit) != (p == NULL ? 0 : p->depth))
		lu_set_depth(job->unit, p == NULL ? 0 : p->depth);
	lu_set_timeout(job->unit, p == NULL ? 0 : p->timeout_s * 1000);
	lu_recover_set(job->unit, p == NULL ? NULL : &p->times);
}

static void
job_run(struct lu_work *w)
{
	struct unit_job *job = container_of(w, struct unit_job, work);
	struct barrier *b = job->barrier;
	int r = 0;

	policy_sync(job);
	limits_sync(job);
	ports_unbind(job);
	r = ports_bind(job);
	if (r < 0)
		log_warning("%s: does not know all target ports it is exported through: %s",
		    lu_info(job->unit)->path, strerror(-r));
	free(job);
	(void)pthread_mutex_lock(&b->lock);
	b->n--;
	(void)pthread_cond_signal(&b->cond);
	(void)pthread_mutex_unlock(&b->lock);
}

/* ------ from here ------ */

static void
job_ports(struct unit_job *job, const struct ex_export *e)
{
	const struct ex_target *target = ex_set_target(job->set, e->target);

	for (size_t g = 0; target != NULL && g < target->groups.n; g++) {
		uint16_t rtpi = ex_target_rtpi(job->set, target, target->tags[g]);

		if (rtpi != 0 && !job_has_port(job, rtpi) && job->n_ports < ALUA_PORTS_MAX)
			job->ports[job->n_ports++] =
			    (struct alua_port){ .rtpi = rtpi, .group = target->tags[g] };
	}
}

/* the mentions @first and on that are about one unit; how many */
static size_t
job_start(const struct mentions *m, size_t first, const struct ex_set *set,
    const struct ex_set *before, struct barrier *barrier)
{
	struct unit_job *job = fault_hit() ? NULL : calloc(1, sizeof(*job));
	size_t n = 0;

	if (job != NULL) {
		job->barrier = barrier;
		job->unit = m->v[first].unit;
		job->set = set;
		job->before = before;
	}
	for (; first + n < m->n && m->v[first + n].unit == m->v[first].unit; n++) {
		const struct mention *one = &m->v[first + n];

		if (job != NULL && one->e != NULL)
			job_ports(job, one->e);
		if (job != NULL && one->policy != NULL)
			job->policy = one->policy;
	}
	if (job == NULL)
		return n;
	(void)pthread_mutex_lock(&barrier->lock);
	barrier->n++;
	(void)pthread_mutex_unlock(&barrier->lock);
	lu_exec_post(lu_home(job->unit), &job->work, job_run);
	return n;
}

void
ex_units_sync(const struct ex_set *set, const struct ex_set *before)
{
	struct barrier barrier = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0 };
	struct mentions m = { 0 };

	mentions_of(&m, set, true);
	if (before != NULL && before != set)
		mentions_of(&m, before, false);
	if (m.n > 0)
		qsort(m.v, m.n, sizeof(*m.v), mention_order);
	for (size_t i = 0; i < m.n;)
		i += job_start(&m, i, set, before, &barrier);
	(void)pthread_mutex_lock(&barrier.lock);
	while (barrier.n > 0)
		(void)pthread_cond_wait(&barrier.cond, &barrier.lock);
	(void)pthread_mutex_unlock(&barrier.lock);
	for (size_t i = 0; i < m.n; i++)
		lu_unref(m.v[i].unit);
	free(m.v);
	if (m.is_short)
		log_warning("exports: out of memory, some units do not know all of their "
		    "target ports");
}
