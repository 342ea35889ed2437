#include <errno.h>
#include <string.h>
#include <sys/sunddi.h>
#include <sys/sunndi.h>

#include "base/log.h"
#include "ddi/devtree_impl.h"
#include "ddi/driver.h"
#include "ddi/sched_impl.h"

static devi_notify_fn notify_fn;
static void *notify_arg;

void
devi_set_notify(devi_notify_fn fn, void *arg)
{
	notify_fn = fn;
	notify_arg = arg;
}

static int
notify(enum devi_event event, dev_info_t *dip)
{
	return notify_fn == NULL ? 0 : notify_fn(event, dip, notify_arg);
}

/* move_begin() - one thread at a time brings a node from state to state */
static int
move_begin(dev_info_t *dip)
{
	void *self = sched_identity();
	int r = 0;

	(void)devi_ref(dip);
	mutex_enter(&dip->lock);
	while (dip->mover != NULL && dip->mover != self)
		cv_wait(&dip->cv, &dip->lock);
	if (dip->mover == self)
		r = -EDEADLK;
	else
		dip->mover = self;
	mutex_exit(&dip->lock);
	if (r < 0)
		devi_unref(dip);
	return r;
}

static void
move_end(dev_info_t *dip)
{
	mutex_enter(&dip->lock);
	dip->mover = NULL;
	cv_broadcast(&dip->cv);
	mutex_exit(&dip->lock);
	devi_unref(dip);
}

static struct bus_ops *
bus_of(dev_info_t *parent)
{
	struct dev_ops *ops = ddi_get_driver(parent);

	return ops == NULL ? NULL : ops->devo_bus_ops;
}

/* live_claim() - count a child that comes to life; false when @parent is not there for it */
static bool
live_claim(dev_info_t *parent)
{
	bool can;

	mutex_enter(&parent->lock);
	can = parent->state == DEVI_ATTACHED && !parent->is_detaching;
	parent->live_children += can;
	mutex_exit(&parent->lock);
	return can;
}

static void
live_drop(dev_info_t *parent)
{
	mutex_enter(&parent->lock);
	parent->live_children--;
	mutex_exit(&parent->lock);
}

/* root_initchild() - a child without an address gets its instance number, so paths are unique
 */
static void
root_initchild(dev_info_t *dip)
{
	char addr[16];

	if (dip->has_addr)
		return;
	(void)snprintf(addr, sizeof(addr), "%d", dip->instance);
	ddi_set_name_addr(dip, addr);
	dip->is_addr_default = true;
}

static int
child_init(dev_info_t *dip)
{
	dev_info_t *parent = dip->parent;
	struct bus_ops *bus = bus_of(parent);
	int r = DDI_SUCCESS;

	if (!live_claim(parent))
		return -EAGAIN;
	devi_enter(parent);
	if (parent->parent == NULL)
		root_initchild(dip);
	else if (bus != NULL && bus->bus_initchild != NULL)
		r = bus->bus_initchild(parent, dip);
	devi_exit(parent);
	if (r != DDI_SUCCESS) {
		live_drop(parent);
		return r == DDI_NOT_WELL_FORMED ? -EINVAL : -ENODEV;
	}
	devi_set_state(dip, DEVI_INITIALIZED);
	return 0;
}

static void
child_uninit(dev_info_t *dip)
{
	dev_info_t *parent = dip->parent;
	struct bus_ops *bus = bus_of(parent);

	devi_enter(parent);
	if (bus != NULL && bus->bus_uninitchild != NULL)
		bus->bus_uninitchild(parent, dip);
	if (dip->is_addr_default)
		ddi_set_name_addr(dip, NULL);
	dip->is_addr_default = false;
	devi_exit(parent);
	devi_set_state(dip, DEVI_BOUND);
	live_drop(parent);
}

static int
bind_by_compatible(dev_info_t *dip)
{
	char **names;
	uint_t count;
	int r = -ENOENT;

	if (ddi_prop_lookup_string_array(DDI_DEV_T_ANY, dip, DDI_PROP_DONTPASS, "compatible",
	    &names, &count) != DDI_PROP_SUCCESS)
		return -ENOENT;
	for (uint_t i = 0; i < count && r == -ENOENT; i++)
		r = driver_bind_node(dip, names[i]);
	ddi_prop_free(names);
	return r;
}

static int
node_bind(dev_info_t *dip)
{
	int r;

	if (dip->state != DEVI_LINKED)
		return 0;
	r = driver_bind_node(dip, dip->name);
	if (r == -ENOENT)
		r = bind_by_compatible(dip);
	if (r == 0)
		devi_set_state(dip, DEVI_BOUND);
	return r;
}

static int
node_init_by_parent(dev_info_t *dip)
{
	int r;

	if (dip->state >= DEVI_INITIALIZED)
		return 0;
	r = node_bind(dip);
	if (r < 0)
		return r;
	return child_init(dip);
}

static int
node_probe(dev_info_t *dip)
{
	const struct dev_ops *ops = driver_ops(dip->driver);
	int r;

	if (ops->devo_probe == NULL)
		return 0;
	r = ops->devo_probe(dip);
	if (r == DDI_PROBE_SUCCESS || r == DDI_PROBE_DONTCARE)
		return 0;
	return r == DDI_PROBE_PARTIAL ? -EAGAIN : -ENXIO;
}

/* driver_forget() - what a driver may leave behind on a node it no longer has */
static void
driver_forget(dev_info_t *dip)
{
	devi_minors_clear(dip);
	ddi_set_driver_private(dip, NULL);
}

static int
node_attach(dev_info_t *dip)
{
	const struct dev_ops *ops = driver_ops(dip->driver);
	int r;

	r = node_probe(dip);
	if (r < 0)
		return r;
	if (ops->devo_attach == NULL || ops->devo_attach(dip, DDI_ATTACH) != DDI_SUCCESS) {
		log_debug("%s%d: attach failed", ddi_driver_name(dip), dip->instance);
		return -EIO;
	}
	devi_set_state(dip, DEVI_ATTACHED);
	driver_count_attached(dip->driver, 1);
	(void)notify(DEVI_EV_ATTACHED, dip);
	return 0;
}

int
devi_bind(dev_info_t *dip)
{
	int r;

	r = move_begin(dip);
	if (r < 0)
		return r;
	r = node_bind(dip);
	move_end(dip);
	return r;
}

int
devi_init(dev_info_t *dip)
{
	int r;

	r = move_begin(dip);
	if (r < 0)
		return r;
	r = node_init_by_parent(dip);
	move_end(dip);
	return r;
}

int
devi_attach(dev_info_t *dip)
{
	bool was_initialized;
	int r;

	r = move_begin(dip);
	if (r < 0)
		return r;
	was_initialized = dip->state >= DEVI_INITIALIZED;
	r = node_init_by_parent(dip);
	if (r == 0 && dip->state == DEVI_INITIALIZED) {
		r = node_attach(dip);
		if (r < 0)
			driver_forget(dip);
		if (r < 0 && !was_initialized)
			child_uninit(dip);
	}
	move_end(dip);
	return r;
}

/* detach_claim() - from here on nobody gets a hold or brings a child to life; false: somebody
 * has */
static bool
detach_claim(dev_info_t *dip)
{
	bool can;

	mutex_enter(&dip->lock);
	can = dip->holds == 0 && dip->live_children == 0;
	dip->is_detaching = can;
	mutex_exit(&dip->lock);
	return can;
}

static void
detach_unclaim(dev_info_t *dip)
{
	mutex_enter(&dip->lock);
	dip->is_detaching = false;
	mutex_exit(&dip->lock);
}

static int
node_detach(dev_info_t *dip)
{
	const struct dev_ops *ops = driver_ops(dip->driver);

	if (!detach_claim(dip))
		return -EBUSY;
	if (notify(DEVI_EV_DETACHING, dip) != 0 || ops->devo_detach == NULL ||
	    ops->devo_detach(dip, DDI_DETACH) != DDI_SUCCESS) {
		detach_unclaim(dip);
		return -EBUSY;
	}
	driver_count_attached(dip->driver, -1);
	devi_set_state(dip, DEVI_INITIALIZED);
	(void)notify(DEVI_EV_DETACHED, dip);
	driver_forget(dip);
	child_uninit(dip);
	detach_unclaim(dip);
	return 0;
}

/* detach_one() - without children */
static int
detach_one(dev_info_t *dip, bool want_free)
{
	int r;

	r = move_begin(dip);
	if (r < 0)
		return r;
	if (dip->state == DEVI_ATTACHED)
		r = node_detach(dip);
	else if (dip->state == DEVI_INITIALIZED)
		child_uninit(dip);
	if (r == 0 && want_free) {
		move_end(devi_ref(dip));
		r = devi_free(dip);
		devi_unref(dip);
		return r;
	}
	move_end(dip);
	return r;
}

/* leaf_below() - some node below @top without children, with a reference; NULL: @top has none
 */
static dev_info_t *
leaf_below(dev_info_t *top)
{
	dev_info_t *dip = devi_ref(top), *child;

	for (;;) {
		devi_enter(dip);
		child = TAILQ_FIRST(&dip->children);
		if (child != NULL)
			(void)devi_ref(child);
		devi_exit(dip);
		if (child == NULL)
			break;
		devi_unref(dip);
		dip = child;
	}
	if (dip != top)
		return dip;
	devi_unref(dip);
	return NULL;
}

static int
children_detach(dev_info_t *dip)
{
	dev_info_t *leaf;
	int r = 0;

	while (r == 0 && (leaf = leaf_below(dip)) != NULL) {
		r = detach_one(leaf, true);
		devi_unref(leaf);
	}
	return r;
}

int
devi_detach(dev_info_t *dip, unsigned int flags)
{
	int r = 0;

	if ((flags & DEVI_DETACH_CHILDREN) != 0)
		r = children_detach(dip);
	if (r < 0)
		return r;
	return detach_one(dip, (flags & DEVI_DETACH_FREE) != 0);
}

/* unlink_claim() - may @dip leave the tree? */
static bool
unlink_claim(dev_info_t *dip)
{
	bool can;

	mutex_enter(&dip->lock);
	can = dip->holds == 0 && dip->state != DEVI_ATTACHED && TAILQ_EMPTY(&dip->children) &&
	    dip->is_linked;
	if (can)
		dip->is_detaching = true;
	mutex_exit(&dip->lock);
	return can;
}

int
devi_free(dev_info_t *dip)
{
	dev_info_t *parent = dip->parent;
	bool can;
	int r;

	r = move_begin(dip);
	if (r < 0)
		return -EBUSY;
	devi_enter(parent);
	devi_enter(dip);
	can = unlink_claim(dip);
	devi_exit(dip);
	if (can && dip->state == DEVI_INITIALIZED)
		child_uninit(dip);
	if (can && dip->state == DEVI_BOUND) {
		driver_unbind_node(dip);
		devi_set_state(dip, DEVI_LINKED);
	}
	if (can) {
		TAILQ_REMOVE(&parent->children, dip, link);
		devi_unhash(dip);
		dip->is_linked = false;
	}
	devi_exit(parent);
	move_end(dip);
	if (!can)
		return -EBUSY;
	devi_unref(dip);
	return 0;
}

int
devi_set_compatible(dev_info_t *dip, char *const *names, unsigned int count)
{
	int r = ndi_prop_update_string_array(DDI_DEV_T_NONE, dip, "compatible", names, count);

	return r == DDI_PROP_SUCCESS ? 0 : -ENOMEM;
}

int
devi_quiesce(dev_info_t *dip)
{
	const struct dev_ops *ops = ddi_get_driver(dip);

	if (!devi_is_attached(dip))
		return -EAGAIN;
	if (ops == NULL || ops->devo_quiesce == NULL)
		return -ENOTSUP;
	return ops->devo_quiesce(dip) == DDI_SUCCESS ? 0 : -EIO;
}

int
devi_config(dev_info_t *dip, ddi_bus_config_op_t op, void *arg, dev_info_t **ret_child)
{
	struct bus_ops *bus = bus_of(dip);

	if (!devi_is_attached(dip))
		return -EAGAIN;
	if (bus == NULL || bus->bus_config == NULL)
		return -ENOTSUP;
	return bus->bus_config(dip, 0, op, arg, ret_child) == DDI_SUCCESS ? 0 : -EIO;
}

int
devi_unconfig(dev_info_t *dip, ddi_bus_config_op_t op, void *arg)
{
	struct bus_ops *bus = bus_of(dip);

	if (!devi_is_attached(dip))
		return -EAGAIN;
	if (bus == NULL || bus->bus_unconfig == NULL)
		return -ENOTSUP;
	return bus->bus_unconfig(dip, 0, op, arg) == DDI_SUCCESS ? 0 : -EIO;
}
