#include "ddi/devtree.h"

#include <errno.h>
#include <string.h>
#include <sys/sunddi.h>

#include "base/fault.h"
#include "base/log.h"
#include "base/text.h"
#include "ddi/devtree_impl.h"
#include "ddi/kmem_impl.h"
#include "ddi/sched_impl.h"
#include "ddi/violation.h"

static const struct sm_state devi_states[DEVI_STATE_N] = {
	[DEVI_LINKED]      = { "linked",      SM_TO(DEVI_BOUND) },
	[DEVI_BOUND]       = { "bound",       SM_TO(DEVI_INITIALIZED) | SM_TO(DEVI_LINKED) },
	[DEVI_INITIALIZED] = { "initialized", SM_TO(DEVI_ATTACHED) | SM_TO(DEVI_BOUND) },
	[DEVI_ATTACHED]    = { "attached",    SM_TO(DEVI_INITIALIZED) },
};

static dev_info_t *root;
static pthread_once_t root_once = PTHREAD_ONCE_INIT;

static void
node_init(dev_info_t *dip, const char *name)
{
	TAILQ_INIT(&dip->children);
	LIST_INIT(&dip->minors);
	mutex_init(&dip->lock, NULL, MUTEX_DRIVER, NULL);
	cv_init(&dip->cv, NULL, CV_DRIVER, NULL);
	prop_list_init(&dip->props);
	(void)text_copy(dip->name, sizeof(dip->name), name);
	dip->state = DEVI_LINKED;
	dip->instance = -1;
	atomic_init(&dip->refs, 1);
}

static void
node_free(dev_info_t *dip)
{
	dev_info_t *parent = dip->parent;

	struct addr_room *room;

	while ((room = dip->addr_room) != NULL) {
		dip->addr_room = room->older;
		free(room);
	}
	devi_minors_clear(dip);
	prop_list_fini(&dip->props);
	cv_destroy(&dip->cv);
	mutex_destroy(&dip->lock);
	free(dip);
	if (parent != NULL)
		devi_unref(parent);
}

static void
root_make(void)
{
	root = kmem_must(sizeof(*root));
	node_init(root, "rootnex");
	root->state = DEVI_ATTACHED;
	root->instance = 0;
}

dev_info_t *
devi_root(void)
{
	(void)pthread_once(&root_once, root_make);
	return root;
}

dev_info_t *
ddi_root_node(void)
{
	return devi_root();
}

int
devi_alloc(dev_info_t *parent, const char *name, dev_info_t **ret_dip)
{
	CLEANUP(free_ptr) dev_info_t *dip = NULL;
	bool is_detaching;

	if (*name == '\0' || strlen(name) >= DEVI_NAME_LEN)
		return -EINVAL;
	dip = fault_hit() ? NULL : calloc(1, sizeof(*dip));
	if (dip == NULL)
		return -ENOMEM;

	devi_enter(parent);
	mutex_enter(&parent->lock);
	is_detaching = parent->is_detaching;
	mutex_exit(&parent->lock);
	if (!is_detaching) {
		node_init(dip, name);
		dip->parent = devi_ref(parent);
		dip->depth = parent->depth + 1;
		dip->is_linked = true;
		TAILQ_INSERT_TAIL(&parent->children, dip, link);
	}
	devi_exit(parent);
	if (is_detaching)
		return -ENODEV;
	*ret_dip = STEAL(dip);
	return 0;
}

dev_info_t *
devi_ref(dev_info_t *dip)
{
	atomic_fetch_add_explicit(&dip->refs, 1, memory_order_relaxed);
	return dip;
}

void
devi_unref(dev_info_t *dip)
{
	if (atomic_fetch_sub_explicit(&dip->refs, 1, memory_order_acq_rel) == 1)
		node_free(dip);
}

bool
devi_hold(dev_info_t *dip)
{
	bool is_held;

	mutex_enter(&dip->lock);
	is_held = !dip->is_detaching;
	dip->holds += is_held;
	mutex_exit(&dip->lock);
	if (is_held)
		(void)devi_ref(dip);
	return is_held;
}

void
devi_release(dev_info_t *dip)
{
	bool was_held;

	mutex_enter(&dip->lock);
	was_held = dip->holds > 0;
	dip->holds -= was_held;
	mutex_exit(&dip->lock);
	if (was_held)
		devi_unref(dip);
	else
		ddi_violation("devi-not-held", "node '%s' released", dip->name);
}

void
devi_enter(dev_info_t *parent)
{
	void *self = sched_identity();

	mutex_enter(&parent->lock);
	while (parent->enterer != NULL && parent->enterer != self)
		(void)cv_wait_until(&parent->cv, &parent->lock, SCHED_FOREVER);
	parent->enterer = self;
	parent->enter_depth++;
	mutex_exit(&parent->lock);
}

void
devi_exit(dev_info_t *parent)
{
	bool is_mine;

	mutex_enter(&parent->lock);
	is_mine = parent->enterer == sched_identity();
	if (is_mine && --parent->enter_depth == 0) {
		parent->enterer = NULL;
		cv_broadcast(&parent->cv);
	}
	mutex_exit(&parent->lock);
	if (!is_mine)
		ddi_violation("devi-not-entered", "node '%s' left", parent->name);
}

bool
devi_is_entered(dev_info_t *parent)
{
	bool is_entered;

	mutex_enter(&parent->lock);
	is_entered = parent->enterer == sched_identity();
	mutex_exit(&parent->lock);
	return is_entered;
}

dev_info_t *
devi_first_child(dev_info_t *parent)
{
	return TAILQ_FIRST(&parent->children);
}

dev_info_t *
devi_next(dev_info_t *dip)
{
	return TAILQ_NEXT(dip, link);
}

static bool
is_named(const dev_info_t *dip, const char *name, size_t name_len, const char *addr)
{
	if (name_len > 0 && (strlen(dip->name) != name_len ||
	    memcmp(dip->name, name, name_len) != 0))
		return false;
	return addr == NULL || (dip->has_addr && strcmp(devi_addr(dip), addr) == 0);
}

void
devi_unhash(dev_info_t *dip)
{
	dev_info_t *parent = dip->parent;

	if (dip->hh.tbl != NULL)
		HASH_DEL(parent->by_addr, dip);
	else if (dip->has_addr)
		parent->n_unhashed--;
	dip->hh.tbl = NULL;
}

/* room for @size bytes of address; NULL: take what there is */
static struct addr_room *
addr_room_get(dev_info_t *dip, size_t size)
{
	struct addr_room *room = dip->addr_room;

	if (room != NULL && room->size >= size)
		return room;
	room = kmem_must(sizeof(*room) + size);
	room->size = size;
	room->older = dip->addr_room;
	dip->addr_room = room;
	return room;
}

static void
addr_set(dev_info_t *dip, const char *addr)
{
	size_t len = strnlen(addr, DEVI_ADDR_LEN - 1);
	struct addr_room *room = addr_room_get(dip, len + 1);

	(void)text_copy(room->text, len + 1, addr);
	dip->has_addr = true;
}

void
ddi_set_name_addr(dev_info_t *dip, const char *addr)
{
	dev_info_t *parent = dip->parent;

	if (parent == NULL)
		return;
	devi_enter(parent);
	if (dip->is_linked)
		devi_unhash(dip);
	dip->has_addr = false;
	if (addr != NULL)
		addr_set(dip, addr);
	else if (dip->addr_room != NULL)
		dip->addr_room->text[0] = '\0';
	if (addr != NULL && dip->is_linked) {
		HASH_ADD_KEYPTR(hh, parent->by_addr, dip->addr_room->text,
		    strlen(dip->addr_room->text), dip);
		parent->n_unhashed += dip->hh.tbl == NULL;
	}
	devi_exit(parent);
}

/* the child "name@addr"; the parent is entered */
static dev_info_t *
find_by_addr(dev_info_t *parent, const char *name, size_t name_len, const char *addr)
{
	dev_info_t *dip;

	HASH_FIND(hh, parent->by_addr, addr, strlen(addr), dip);
	if (dip != NULL ? is_named(dip, name, name_len, addr) : parent->n_unhashed == 0)
		return dip;
	/* children of different names may have the same address, as below the root */
	TAILQ_FOREACH(dip, &parent->children, link)
		if (is_named(dip, name, name_len, addr))
			break;
	return dip;
}

static dev_info_t *
find_by_name(dev_info_t *parent, const char *name, size_t name_len)
{
	dev_info_t *dip;

	TAILQ_FOREACH(dip, &parent->children, link)
		if (is_named(dip, name, name_len, NULL))
			break;
	return dip;
}

dev_info_t *
devi_find(dev_info_t *parent, const char *name)
{
	size_t name_len = strcspn(name, "@");
	const char *addr = name[name_len] == '@' ? name + name_len + 1 : NULL;
	dev_info_t *dip;

	devi_enter(parent);
	dip = addr != NULL ? find_by_addr(parent, name, name_len, addr) :
	    find_by_name(parent, name, name_len);
	if (dip != NULL)
		(void)devi_ref(dip);
	devi_exit(parent);
	return dip;
}

dev_info_t *
devi_find_path(const char *path)
{
	dev_info_t *dip = devi_ref(devi_root()), *child;
	char part[DEVI_NAME_LEN + DEVI_ADDR_LEN + 1];
	size_t len;

	while (dip != NULL) {
		path += strspn(path, "/");
		len = strcspn(path, "/");
		if (len == 0)
			break;
		child = NULL;
		if (len < sizeof(part)) {
			memcpy(part, path, len);
			part[len] = '\0';
			child = devi_find(dip, part);
		}
		devi_unref(dip);
		dip = child;
		path += len;
	}
	return dip;
}

/* child_after() - the child of @parent behind @dip (NULL: the first), with a reference. If @dip
 * has left the tree meanwhile there is no "behind" any more: NULL */
static dev_info_t *
child_after(dev_info_t *parent, const dev_info_t *dip)
{
	dev_info_t *next = NULL;

	devi_enter(parent);
	if (dip == NULL)
		next = TAILQ_FIRST(&parent->children);
	else if (dip->is_linked)
		next = TAILQ_NEXT(dip, link);
	if (next != NULL)
		(void)devi_ref(next);
	devi_exit(parent);
	return next;
}

/* walk_up() - the next node that is not below @dip, whose reference is given up */
static dev_info_t *
walk_up(dev_info_t *top, dev_info_t *dip)
{
	dev_info_t *next = NULL, *parent;

	while (next == NULL && dip != top) {
		parent = devi_ref(dip->parent);
		next = child_after(parent, dip);
		devi_unref(dip);
		dip = parent;
	}
	devi_unref(dip);
	return next;
}

void
devi_walk(dev_info_t *top, devi_walk_fn fn, void *arg)
{
	dev_info_t *dip = child_after(top, NULL), *next, *child;
	enum devi_walk how = DEVI_WALK_CONTINUE;

	while (dip != NULL && how != DEVI_WALK_STOP) {
		/* where to go on is looked up before @fn, which may free the node it gets */
		next = walk_up(top, devi_ref(dip));
		how = fn(dip, arg);
		child = how == DEVI_WALK_CONTINUE ? child_after(dip, NULL) : NULL;
		if (next != NULL && (child != NULL || how == DEVI_WALK_STOP))
			devi_unref(next);
		devi_unref(dip);
		dip = child != NULL ? child : next;
	}
}

void
devi_set_state(dev_info_t *dip, enum devi_state to)
{
	mutex_enter(&dip->lock);
	log_debug("%s@%s: %s -> %s", dip->name, devi_addr(dip), devi_states[dip->state].name,
	    devi_states[to].name);
	(void)sm_move(devi_states, &dip->state, to);
	mutex_exit(&dip->lock);
}

enum devi_state
devi_state(dev_info_t *dip)
{
	unsigned int state;

	mutex_enter(&dip->lock);
	state = dip->state;
	mutex_exit(&dip->lock);
	return (enum devi_state)state;
}

const char *
devi_state_name(enum devi_state state)
{
	return devi_states[state].name;
}

bool
devi_is_attached(dev_info_t *dip)
{
	return devi_state(dip) == DEVI_ATTACHED;
}

struct driver *
devi_driver(dev_info_t *dip)
{
	return dip->driver;
}

unsigned int
devi_depth(dev_info_t *dip)
{
	return dip->depth;
}

static size_t
part_put(const dev_info_t *dip, char *end, size_t room)
{
	char part[DEVI_NAME_LEN + DEVI_ADDR_LEN + 2];
	int n = snprintf(part, sizeof(part), "/%s%s%s", dip->name, dip->has_addr ? "@" : "",
	    dip->has_addr ? devi_addr(dip) : "");
	size_t len = (size_t)n < room ? (size_t)n : room;

	memcpy(end - len, part + (size_t)n - len, len);
	return len;
}

/* the text is made from its end; what does not fit is missing at the front */
char *
devi_path(dev_info_t *dip, char *buf, size_t size)
{
	size_t used = 1;

	buf[size - 1] = '\0';
	for (; dip->parent != NULL; dip = dip->parent)
		used += part_put(dip, buf + size - used, size - used);
	if (used == 1)
		(void)text_copy(buf, size, "/");
	else
		memmove(buf, buf + size - used, used);
	return buf;
}

void *
devi_nexus(dev_info_t *dip)
{
	return dip->nexus;
}

void
devi_set_nexus(dev_info_t *dip, void *data)
{
	dip->nexus = data;
}

void
devi_set_dma(dev_info_t *dip, const struct devi_dma_ops *ops, void *arg)
{
	dip->dma = ops;
	dip->dma_arg = arg;
}

const struct devi_dma_ops *
devi_dma(dev_info_t *dip, void **ret_arg)
{
	while (dip != NULL && dip->dma == NULL)
		dip = dip->parent;
	*ret_arg = dip == NULL ? NULL : dip->dma_arg;
	return dip == NULL ? NULL : dip->dma;
}

void
devi_set_intr(dev_info_t *dip, const struct devi_intr_ops *ops, void *arg)
{
	dip->intr = ops;
	dip->intr_arg = arg;
}

const struct devi_intr_ops *
devi_intr(dev_info_t *dip, void **ret_arg)
{
	while (dip != NULL && dip->intr == NULL)
		dip = dip->parent;
	*ret_arg = dip == NULL ? NULL : dip->intr_arg;
	return dip == NULL ? NULL : dip->intr;
}

void
devi_set_regs(dev_info_t *dip, const struct devi_reg_ops *ops, void *arg)
{
	dip->regs = ops;
	dip->regs_arg = arg;
}

const struct devi_reg_ops *
devi_regs(dev_info_t *dip, void **ret_arg)
{
	*ret_arg = dip->regs_arg;
	return dip->regs;
}
