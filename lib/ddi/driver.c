#include "ddi/driver.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <sys/modctl.h>
#include <sys/queue.h>
#include <sys/sunddi.h>

#include "base/fault.h"
#include "base/text.h"
#include "ddi/devtree_impl.h"
#include "ddi/driver_impl.h"
#include "ddi/sched_impl.h"

struct driver {
	TAILQ_ENTRY(driver) link;
	char name[DRIVER_NAME_LEN];
	struct dev_ops *ops;
	const struct modlinkage *linkage;	/* which mod_remove() takes it out */
	unsigned int number;
	unsigned int attached;
	uint8_t *instances;			/* 1: taken */
	size_t instances_len;
	size_t instances_from;			/* below it, all are taken */
	TAILQ_HEAD(, dev_info) nodes;		/* bound to it */
};

/* a name that nodes were bound by; kept, because nodes point to it. There are as many as there
 * are names of drivers and aliases */
struct bind_name {
	LIST_ENTRY(bind_name) link;
	char name[];
};

struct alias {
	LIST_ENTRY(alias) link;
	char alias[DEVI_ADDR_LEN];
	char driver[DRIVER_NAME_LEN];
};

static struct {
	kmutex_t lock;
	TAILQ_HEAD(, driver) drivers;
	LIST_HEAD(, alias) aliases;
	LIST_HEAD(, bind_name) bind_names;
	unsigned int next_number;
} reg = {
	.lock = KMUTEX_INITIALIZER,
	.drivers = TAILQ_HEAD_INITIALIZER(reg.drivers),
	.next_number = 1,
};

struct mod_ops mod_driverops = { 1 };
struct mod_ops mod_miscops = { 2 };

_Thread_local const char *driver_init_name;

static struct driver *
find_by_name(const char *name)
{
	struct driver *d;

	TAILQ_FOREACH(d, &reg.drivers, link)
		if (strcmp(d->name, name) == 0)
			return d;
	return NULL;
}

static struct alias *
alias_find(const char *name)
{
	struct alias *a;

	LIST_FOREACH(a, &reg.aliases, link)
		if (strcmp(a->alias, name) == 0)
			return a;
	return NULL;
}

static struct driver *
find_by_name_or_alias(const char *name)
{
	struct driver *d = find_by_name(name);
	const struct alias *a;

	if (d != NULL)
		return d;
	a = alias_find(name);
	return a == NULL ? NULL : find_by_name(a->driver);
}

struct driver *
driver_find(const char *name)
{
	struct driver *d;

	mutex_enter(&reg.lock);
	d = find_by_name_or_alias(name);
	mutex_exit(&reg.lock);
	return d;
}

const char *
driver_name(const struct driver *drv)
{
	return drv->name;
}

struct dev_ops *
driver_ops(const struct driver *drv)
{
	return drv->ops;
}

unsigned int
driver_attached(const struct driver *drv)
{
	unsigned int n;

	mutex_enter(&reg.lock);
	n = drv->attached;
	mutex_exit(&reg.lock);
	return n;
}

unsigned int
driver_number(const struct driver *drv)
{
	return drv->number;
}

void
driver_count_attached(struct driver *drv, int delta)
{
	mutex_enter(&reg.lock);
	drv->attached += (unsigned int)delta;
	drv->ops->devo_refcnt += delta;
	mutex_exit(&reg.lock);
}

int
driver_alias_add(const char *driver, const char *alias)
{
	struct alias *a, *new;

	if (*alias == '\0' || *driver == '\0' || strlen(alias) >= DEVI_ADDR_LEN ||
	    strlen(driver) >= DRIVER_NAME_LEN)
		return -EINVAL;
	new = fault_hit() ? NULL : calloc(1, sizeof(*new));
	if (new == NULL)
		return -ENOMEM;
	(void)text_copy(new->alias, sizeof(new->alias), alias);
	(void)text_copy(new->driver, sizeof(new->driver), driver);
	mutex_enter(&reg.lock);
	a = alias_find(alias);
	if (a != NULL)
		LIST_REMOVE(a, link);
	LIST_INSERT_HEAD(&reg.aliases, new, link);
	mutex_exit(&reg.lock);
	free(a);
	return 0;
}

void
driver_alias_remove(const char *alias)
{
	struct alias *a;

	mutex_enter(&reg.lock);
	a = alias_find(alias);
	if (a != NULL)
		LIST_REMOVE(a, link);
	mutex_exit(&reg.lock);
	free(a);
}

/* instance_take() - the lowest free number, or -1 without memory */
static int
instance_take(struct driver *d)
{
	size_t i = d->instances_from, len;
	uint8_t *grown;

	while (i < d->instances_len && d->instances[i] != 0)
		i++;
	if (i == d->instances_len) {
		len = d->instances_len + 16;
		grown = fault_hit() ? NULL : realloc(d->instances, len);
		if (grown == NULL)
			return -1;
		memset(grown + i, 0, len - i);
		d->instances = grown;
		d->instances_len = len;
	}
	d->instances[i] = 1;
	d->instances_from = i + 1;
	return (int)i;
}

static void
instance_drop(struct driver *d, int instance)
{
	d->instances[instance] = 0;
	if ((size_t)instance < d->instances_from)
		d->instances_from = (size_t)instance;
}

/* bind_name_get() - the lasting copy of @name; NULL without memory */
static const char *
bind_name_get(const char *name)
{
	size_t size = strlen(name) + 1;
	struct bind_name *b;

	LIST_FOREACH(b, &reg.bind_names, link)
		if (strcmp(b->name, name) == 0)
			return b->name;
	b = fault_hit() ? NULL : malloc(sizeof(*b) + size);
	if (b == NULL)
		return NULL;
	memcpy(b->name, name, size);
	LIST_INSERT_HEAD(&reg.bind_names, b, link);
	return b->name;
}

int
driver_bind_node(dev_info_t *dip, const char *name)
{
	const char *bound_by = NULL;
	struct driver *d;
	int r = -ENOENT;

	mutex_enter(&reg.lock);
	d = find_by_name_or_alias(name);
	if (d != NULL) {
		bound_by = bind_name_get(name);
		dip->instance = bound_by == NULL ? -1 : instance_take(d);
		r = dip->instance < 0 ? -ENOMEM : 0;
	}
	if (r == 0) {
		dip->driver = d;
		dip->bound_by = bound_by;
		TAILQ_INSERT_TAIL(&d->nodes, dip, bound_link);
	}
	mutex_exit(&reg.lock);
	return r;
}

/* node_unbind() - the registry's lock is held */
static void
node_unbind(dev_info_t *dip)
{
	struct driver *d = dip->driver;

	instance_drop(d, dip->instance);
	TAILQ_REMOVE(&d->nodes, dip, bound_link);
	dip->driver = NULL;
	dip->instance = -1;
	dip->bound_by = NULL;
}

void
driver_unbind_node(dev_info_t *dip)
{
	mutex_enter(&reg.lock);
	node_unbind(dip);
	mutex_exit(&reg.lock);
}

/* nodes_unbind() - all nodes of @d back to "linked"; false, and none is, when one is in use */
static bool
nodes_unbind(struct driver *d)
{
	dev_info_t *dip;
	bool is_busy = d->attached > 0;

	TAILQ_FOREACH(dip, &d->nodes, bound_link) {
		mutex_enter(&dip->lock);
		is_busy = is_busy || dip->state != DEVI_BOUND || dip->mover != NULL;
		mutex_exit(&dip->lock);
	}
	if (is_busy)
		return false;
	while ((dip = TAILQ_FIRST(&d->nodes)) != NULL) {
		node_unbind(dip);
		devi_set_state(dip, DEVI_LINKED);
	}
	return true;
}

static const struct modldrv *
linkage_driver(const struct modlinkage *modlp)
{
	const struct modldrv *drv;

	if (modlp == NULL || modlp->ml_rev != MODREV_1 || modlp->ml_linkage[0] == NULL)
		return NULL;
	drv = modlp->ml_linkage[0];
	return drv->drv_modops == &mod_driverops || drv->drv_modops == &mod_miscops ?
	    drv : NULL;
}

/* name_from_info() - the first word of drv_linkinfo, in lower case */
static void
name_from_info(const char *info, char name[DRIVER_NAME_LEN])
{
	size_t i;

	for (i = 0; i < DRIVER_NAME_LEN - 1 && isgraph((unsigned char)info[i]); i++)
		name[i] = (char)tolower((unsigned char)info[i]);
	name[i] = '\0';
}

static int
driver_add(const struct modlinkage *modlp, const struct modldrv *drv, const char *name)
{
	CLEANUP(free_ptr) struct driver *d = fault_hit() ? NULL : calloc(1, sizeof(*d));
	bool is_new;

	if (d == NULL)
		return ENOMEM;
	(void)text_copy(d->name, sizeof(d->name), name);
	d->ops = drv->drv_dev_ops;
	d->linkage = modlp;
	TAILQ_INIT(&d->nodes);
	mutex_enter(&reg.lock);
	is_new = find_by_name(name) == NULL;
	if (is_new) {
		d->number = reg.next_number++;
		TAILQ_INSERT_TAIL(&reg.drivers, d, link);
		d = NULL;
	}
	mutex_exit(&reg.lock);
	return is_new ? 0 : EEXIST;
}

int
scsad_mod_install(struct modlinkage *modlp, const char *name)
{
	const struct modldrv *drv = linkage_driver(modlp);
	char from_info[DRIVER_NAME_LEN];

	if (drv == NULL)
		return EINVAL;
	if (drv->drv_modops == &mod_miscops)
		return 0;
	if (drv->drv_dev_ops == NULL || drv->drv_dev_ops->devo_rev <= 0)
		return EINVAL;
	if (driver_init_name != NULL)
		name = driver_init_name;
	if (name == NULL) {
		name_from_info(drv->drv_linkinfo, from_info);
		name = from_info;
	}
	if (*name == '\0' || strlen(name) >= DRIVER_NAME_LEN)
		return EINVAL;
	return driver_add(modlp, drv, name);
}

int
mod_remove(struct modlinkage *modlp)
{
	const struct modldrv *drv = linkage_driver(modlp);
	struct driver *d;
	int r = 0;

	if (drv == NULL)
		return EINVAL;
	if (drv->drv_modops == &mod_miscops)
		return 0;
	mutex_enter(&reg.lock);
	TAILQ_FOREACH(d, &reg.drivers, link)
		if (d->linkage == modlp)
			break;
	if (d == NULL)
		r = ENXIO;
	else if (!nodes_unbind(d))
		r = EBUSY;
	else
		TAILQ_REMOVE(&reg.drivers, d, link);
	mutex_exit(&reg.lock);
	if (r != 0)
		return r;
	free(d->instances);
	free(d);
	return 0;
}

int
mod_info(struct modlinkage *modlp, struct modinfo *modinfop)
{
	const struct modldrv *drv = linkage_driver(modlp);

	if (drv == NULL)
		return 0;
	*modinfop = (struct modinfo){ .mi_rev = modlp->ml_rev };
	(void)text_copy(modinfop->mi_linkinfo, sizeof(modinfop->mi_linkinfo),
	    drv->drv_linkinfo);
	name_from_info(drv->drv_linkinfo, modinfop->mi_name);
	return 1;
}
