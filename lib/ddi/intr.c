#include <errno.h>
#include <sys/eventfd.h>
#include <sys/sunddi.h>

#include "base/fault.h"
#include "base/sm.h"
#include "ddi/intr_impl.h"
#include "ddi/sched_impl.h"

#define SOFT_VECTORS	64
#define SOFT_TYPES	DDI_INTR_TYPE_MSIX
#define PRI_DEFAULT	4
#define PRI_HIGH	11

static const struct sm_state intr_states[INTR_STATE_N] = {
	[INTR_ALLOCATED] = { "allocated", SM_TO(INTR_HANDLED) },
	[INTR_HANDLED]   = { "handled",   SM_TO(INTR_ALLOCATED) | SM_TO(INTR_ENABLED) },
	[INTR_ENABLED]   = { "enabled",   SM_TO(INTR_HANDLED) },
};

static kmutex_t intr_lock = KMUTEX_INITIALIZER;
static kcondvar_t intr_cv = KCV_INITIALIZER;
static TAILQ_HEAD(, intr_vector) vectors = TAILQ_HEAD_INITIALIZER(vectors);
static struct intr_dispatcher *dispatcher;

void
intr_set_dispatcher(struct intr_dispatcher *d)
{
	dispatcher = d;
}

void **
intr_vector_slot(struct intr_vector *v)
{
	return &v->slot;
}

/* fd_kick() - make @v's descriptor readable */
static void
fd_kick(struct intr_vector *v)
{
	uint64_t one = 1;

	/* full means readable already */
	if (write(v->fd, &one, sizeof(one)) < 0)
		return;
	if (sched_is_sim())
		intr_builtin_kick();
}

/* delivery_begin() - false: it cannot be delivered now, and is remembered */
static bool
delivery_begin(struct intr_vector *v)
{
	bool can;

	mutex_enter(&intr_lock);
	while (v->running != NULL && v->running != sched_identity())
		(void)cv_wait_until(&intr_cv, &intr_lock, SCHED_FOREVER);
	can = v->state == INTR_ENABLED && !v->is_masked && v->running == NULL;
	if (can)
		v->running = sched_identity();
	else
		v->is_pending = true;
	mutex_exit(&intr_lock);
	return can;
}

static void
delivery_end(struct intr_vector *v)
{
	mutex_enter(&intr_lock);
	v->running = NULL;
	cv_broadcast(&intr_cv);
	mutex_exit(&intr_lock);
}

void
intr_fire(struct intr_vector *v)
{
	uint64_t count;
	uint_t answer;
	bool was;

	if (read(v->fd, &count, sizeof(count)) < 0 || !delivery_begin(v))
		return;
	was = sched_set_interrupt(true);
	answer = v->handler(v->arg1, v->arg2);
	(void)sched_set_interrupt(was);
	if (v->type == DDI_INTR_TYPE_FIXED && v->ops != NULL && v->ops->rearm != NULL)
		v->ops->rearm(v->ops_arg, v->inum, answer == DDI_INTR_CLAIMED);
	delivery_end(v);
}

int
ddi_intr_get_supported_types(dev_info_t *dip, int *ret_types)
{
	const struct devi_intr_ops *ops;
	void *arg;

	ops = devi_intr(dip, &arg);
	*ret_types = ops == NULL ? SOFT_TYPES : ops->types(arg);
	return *ret_types == 0 ? DDI_INTR_NOTFOUND : DDI_SUCCESS;
}

int
ddi_intr_get_nintrs(dev_info_t *dip, int type, int *ret_count)
{
	const struct devi_intr_ops *ops;
	int types;
	void *arg;

	if (ddi_intr_get_supported_types(dip, &types) != DDI_SUCCESS || (types & type) == 0)
		return DDI_INTR_NOTFOUND;
	ops = devi_intr(dip, &arg);
	*ret_count = ops == NULL ? SOFT_VECTORS : ops->count(arg, type);
	return *ret_count <= 0 ? DDI_INTR_NOTFOUND : DDI_SUCCESS;
}

/* vector_find() - intr_lock is held */
static struct intr_vector *
vector_find(dev_info_t *dip, int type, unsigned int inum)
{
	struct intr_vector *v;

	TAILQ_FOREACH(v, &vectors, link)
		if (v->dip == dip && v->type == type && v->inum == inum)
			return v;
	return NULL;
}

int
ddi_intr_get_navail(dev_info_t *dip, int type, int *ret_count)
{
	int r, count, taken = 0;

	r = ddi_intr_get_nintrs(dip, type, &count);
	if (r != DDI_SUCCESS)
		return r;
	mutex_enter(&intr_lock);
	for (int i = 0; i < count; i++)
		taken += vector_find(dip, type, (unsigned int)i) != NULL;
	mutex_exit(&intr_lock);
	*ret_count = count - taken;
	return DDI_SUCCESS;
}

static int
vector_open(struct intr_vector *v)
{
	if (v->ops != NULL)
		return v->ops->open(v->ops_arg, v->type, v->inum, &v->fd);
	v->fd = fault_hit() ? -1 : eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	return v->fd < 0 ? -ENOMEM : 0;
}

/* vector_new() - vector @inum of @dip; NULL: taken, or the bus has none to give */
static struct ddi_intr_impl *
vector_new(dev_info_t *dip, int type, unsigned int inum)
{
	CLEANUP(free_ptr) struct ddi_intr_impl *h = fault_hit() ? NULL : calloc(1, sizeof(*h));
	bool is_taken;

	if (h == NULL)
		return NULL;
	h->v.dip = dip;
	h->v.ops = devi_intr(dip, &h->v.ops_arg);
	h->v.type = type;
	h->v.inum = inum;
	h->v.pri = PRI_DEFAULT;
	h->v.fd = -1;
	mutex_enter(&intr_lock);
	is_taken = vector_find(dip, type, inum) != NULL;
	if (!is_taken)
		TAILQ_INSERT_TAIL(&vectors, &h->v, link);
	mutex_exit(&intr_lock);
	if (is_taken)
		return NULL;
	if (vector_open(&h->v) < 0) {
		mutex_enter(&intr_lock);
		TAILQ_REMOVE(&vectors, &h->v, link);
		mutex_exit(&intr_lock);
		return NULL;
	}
	return STEAL(h);
}

int
ddi_intr_alloc(dev_info_t *dip, ddi_intr_handle_t *table, int type, int inum, int count,
    int *ret_actual, int behavior)
{
	int r, total, n = 0;

	if (table == NULL || inum < 0 || count < 1)
		return DDI_EINVAL;
	r = ddi_intr_get_nintrs(dip, type, &total);
	if (r != DDI_SUCCESS)
		return r;
	if (inum >= total || (behavior == DDI_INTR_ALLOC_STRICT && count > total - inum))
		return DDI_INTR_NOTFOUND;
	for (; n < count && n < total - inum; n++) {
		table[n] = vector_new(dip, type, (unsigned int)(inum + n));
		if (table[n] == NULL)
			break;
	}
	if (n == 0 || (behavior == DDI_INTR_ALLOC_STRICT && n < count)) {
		while (n > 0)
			(void)ddi_intr_free(table[--n]);
		return DDI_EAGAIN;
	}
	*ret_actual = n;
	return DDI_SUCCESS;
}

int
ddi_intr_free(ddi_intr_handle_t h)
{
	struct intr_vector *v = &h->v;

	if (v->state != INTR_ALLOCATED)
		return DDI_FAILURE;
	mutex_enter(&intr_lock);
	TAILQ_REMOVE(&vectors, v, link);
	mutex_exit(&intr_lock);
	if (v->ops != NULL)
		v->ops->close(v->ops_arg, v->type, v->inum);
	close_fd(&v->fd);
	free(h);
	return DDI_SUCCESS;
}

int
ddi_intr_get_cap(ddi_intr_handle_t h, int *ret_flags)
{
	*ret_flags = DDI_INTR_FLAG_MASKABLE | DDI_INTR_FLAG_PENDING;
	if (h->v.type == DDI_INTR_TYPE_FIXED)
		*ret_flags |= DDI_INTR_FLAG_LEVEL;
	else
		*ret_flags |= DDI_INTR_FLAG_EDGE;
	if (h->v.type == DDI_INTR_TYPE_MSI)
		*ret_flags |= DDI_INTR_FLAG_BLOCK;
	return DDI_SUCCESS;
}

int
ddi_intr_set_cap(ddi_intr_handle_t h, int flags)
{
	int have;

	(void)ddi_intr_get_cap(h, &have);
	return (flags & ~have) == 0 ? DDI_SUCCESS : DDI_ENOTSUP;
}

int
ddi_intr_get_pri(ddi_intr_handle_t h, uint_t *ret_pri)
{
	*ret_pri = h->v.pri;
	return DDI_SUCCESS;
}

int
ddi_intr_set_pri(ddi_intr_handle_t h, uint_t pri)
{
	if (pri < DDI_INTR_PRI_MIN || pri > DDI_INTR_PRI_MAX)
		return DDI_EINVAL;
	h->v.pri = pri;
	return DDI_SUCCESS;
}

uint_t
ddi_intr_get_hilevel_pri(void)
{
	return PRI_HIGH;
}

static int
vector_move(struct intr_vector *v, enum intr_state to)
{
	int r = DDI_FAILURE;

	mutex_enter(&intr_lock);
	if (sm_can(intr_states, v->state, to) && sm_move(intr_states, &v->state, to))
		r = DDI_SUCCESS;
	mutex_exit(&intr_lock);
	return r;
}

int
ddi_intr_add_handler(ddi_intr_handle_t h, ddi_intr_handler_t *handler, void *arg1, void *arg2)
{
	if (handler == NULL)
		return DDI_EINVAL;
	if (vector_move(&h->v, INTR_HANDLED) != DDI_SUCCESS)
		return DDI_FAILURE;
	h->v.handler = handler;
	h->v.arg1 = arg1;
	h->v.arg2 = arg2;
	return DDI_SUCCESS;
}

int
ddi_intr_remove_handler(ddi_intr_handle_t h)
{
	if (h->v.state == INTR_ENABLED)
		return DDI_FAILURE;
	return vector_move(&h->v, INTR_ALLOCATED);
}

int
ddi_intr_dup_handler(ddi_intr_handle_t org, int vector, ddi_intr_handle_t *ret_dup)
{
	ddi_intr_handle_t dup;
	int n, r;

	if (org->v.type != DDI_INTR_TYPE_MSIX || org->v.handler == NULL)
		return DDI_EINVAL;
	r = ddi_intr_alloc(org->v.dip, &dup, org->v.type, vector, 1, &n, DDI_INTR_ALLOC_STRICT);
	if (r != DDI_SUCCESS)
		return r;
	(void)ddi_intr_add_handler(dup, org->v.handler, org->v.arg1, org->v.arg2);
	*ret_dup = dup;
	return DDI_SUCCESS;
}

/* pending_retry() - what came while it could not be delivered comes again */
static void
pending_retry(struct intr_vector *v)
{
	bool is_pending;

	mutex_enter(&intr_lock);
	is_pending = v->is_pending;
	v->is_pending = false;
	mutex_exit(&intr_lock);
	if (is_pending)
		fd_kick(v);
}

int
ddi_intr_enable(ddi_intr_handle_t h)
{
	struct intr_vector *v = &h->v;
	int r;

	if (vector_move(v, INTR_ENABLED) != DDI_SUCCESS)
		return DDI_EINVAL;
	v->dispatcher = dispatcher != NULL ? dispatcher : intr_builtin();
	r = v->dispatcher->arm(v->dispatcher, v, v->fd, v->inum);
	if (r == 0 && v->ops != NULL) {
		r = v->ops->enable(v->ops_arg, v->type, v->inum, true);
		if (r < 0)
			v->dispatcher->disarm(v->dispatcher, v);
	}
	if (r < 0) {
		(void)vector_move(v, INTR_HANDLED);
		return DDI_FAILURE;
	}
	pending_retry(v);
	return DDI_SUCCESS;
}

int
ddi_intr_disable(ddi_intr_handle_t h)
{
	struct intr_vector *v = &h->v;

	if (vector_move(v, INTR_HANDLED) != DDI_SUCCESS)
		return DDI_EINVAL;
	if (v->ops != NULL)
		(void)v->ops->enable(v->ops_arg, v->type, v->inum, false);
	v->dispatcher->disarm(v->dispatcher, v);
	mutex_enter(&intr_lock);
	while (v->running != NULL && v->running != sched_identity())
		(void)cv_wait_until(&intr_cv, &intr_lock, SCHED_FOREVER);
	mutex_exit(&intr_lock);
	return DDI_SUCCESS;
}

int
ddi_intr_block_enable(ddi_intr_handle_t *table, int count)
{
	for (int i = 0; i < count; i++) {
		if (ddi_intr_enable(table[i]) == DDI_SUCCESS)
			continue;
		while (i > 0)
			(void)ddi_intr_disable(table[--i]);
		return DDI_FAILURE;
	}
	return DDI_SUCCESS;
}

int
ddi_intr_block_disable(ddi_intr_handle_t *table, int count)
{
	int r = DDI_SUCCESS;

	for (int i = 0; i < count; i++)
		if (ddi_intr_disable(table[i]) != DDI_SUCCESS)
			r = DDI_FAILURE;
	return r;
}

int
ddi_intr_set_mask(ddi_intr_handle_t h)
{
	mutex_enter(&intr_lock);
	h->v.is_masked = true;
	mutex_exit(&intr_lock);
	return DDI_SUCCESS;
}

int
ddi_intr_clr_mask(ddi_intr_handle_t h)
{
	mutex_enter(&intr_lock);
	h->v.is_masked = false;
	mutex_exit(&intr_lock);
	pending_retry(&h->v);
	return DDI_SUCCESS;
}

int
ddi_intr_get_pending(ddi_intr_handle_t h, int *ret_pending)
{
	mutex_enter(&intr_lock);
	*ret_pending = h->v.is_pending;
	mutex_exit(&intr_lock);
	return DDI_SUCCESS;
}

int
scsad_intr_fd(ddi_intr_handle_t h)
{
	return h->v.fd;
}

void
scsad_intr_trigger(ddi_intr_handle_t h)
{
	fd_kick(&h->v);
}
