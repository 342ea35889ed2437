#include <errno.h>
#include <string.h>
#include <sys/sunddi.h>
#include <sys/sunndi.h>

#include "base/fault.h"
#include "base/log.h"
#include "base/text.h"
#include "ddi/devtree_impl.h"
#include "ddi/driver.h"

/* the published names for a node's parts */

struct minor_node {
	LIST_ENTRY(minor_node) link;
	minor_t minor;
	char name[DEVI_NAME_LEN * 2];
};

dev_info_t *
ddi_get_parent(dev_info_t *dip)
{
	return dip->parent;
}

dev_info_t *
ddi_get_child(dev_info_t *dip)
{
	return devi_first_child(dip);
}

dev_info_t *
ddi_get_next_sibling(dev_info_t *dip)
{
	return devi_next(dip);
}

int
ddi_get_instance(dev_info_t *dip)
{
	return dip->instance;
}

char *
ddi_node_name(dev_info_t *dip)
{
	return dip->name;
}

char *
ddi_binding_name(dev_info_t *dip)
{
	return dip->bound_by != NULL ? (char *)(uintptr_t)dip->bound_by : dip->name;
}

char *
ddi_get_name(dev_info_t *dip)
{
	return ddi_binding_name(dip);
}

const char *
ddi_driver_name(dev_info_t *dip)
{
	return dip->driver != NULL ? driver_name(dip->driver) : dip->name;
}

char *
ddi_get_name_addr(dev_info_t *dip)
{
	return dip->has_addr ? dip->addr_room->text : NULL;
}

char *
ddi_pathname(dev_info_t *dip, char *path)
{
	return devi_path(dip, path, MAXPATHLEN);
}

char *
ddi_deviname(dev_info_t *dip, char *name)
{
	(void)snprintf(name, MAXNAMELEN, "/%s%s%.*s", dip->name, dip->has_addr ? "@" : "",
	    MAXNAMELEN - DEVI_NAME_LEN - 2, devi_addr(dip));
	return name;
}

struct dev_ops *
ddi_get_driver(dev_info_t *dip)
{
	return dip->driver == NULL ? NULL : driver_ops(dip->driver);
}

major_t
ddi_driver_major(dev_info_t *dip)
{
	return dip->driver == NULL ? DDI_MAJOR_T_NONE : driver_number(dip->driver);
}

int
i_ddi_devi_attached(dev_info_t *dip)
{
	return devi_is_attached(dip);
}

void *
ddi_get_driver_private(dev_info_t *dip)
{
	return dip->driver_private;
}

void
ddi_set_driver_private(dev_info_t *dip, void *data)
{
	dip->driver_private = data;
}

void *
ddi_get_parent_data(dev_info_t *dip)
{
	return dip->parent_data;
}

void
ddi_set_parent_data(dev_info_t *dip, void *data)
{
	dip->parent_data = data;
}

void
ddi_report_dev(dev_info_t *dip)
{
	char path[DEVI_PATH_LEN];

	log_debug("%s%d: is %s", ddi_driver_name(dip), dip->instance,
	    devi_path(dip, path, sizeof(path)));
}

int
ddi_create_minor_node(dev_info_t *dip, const char *name, int spec_type UNUSED, minor_t minor,
    const char *node_type UNUSED, int flag UNUSED)
{
	struct minor_node *m = fault_hit() ? NULL : calloc(1, sizeof(*m));

	if (m == NULL)
		return DDI_FAILURE;
	m->minor = minor;
	(void)text_copy(m->name, sizeof(m->name), name);
	mutex_enter(&dip->lock);
	LIST_INSERT_HEAD(&dip->minors, m, link);
	mutex_exit(&dip->lock);
	return DDI_SUCCESS;
}

void
ddi_remove_minor_node(dev_info_t *dip, const char *name)
{
	struct minor_node *m, *next;

	mutex_enter(&dip->lock);
	for (m = LIST_FIRST(&dip->minors); m != NULL; m = next) {
		next = LIST_NEXT(m, link);
		if (name != NULL && strcmp(m->name, name) != 0)
			continue;
		LIST_REMOVE(m, link);
		free(m);
	}
	mutex_exit(&dip->lock);
}

void
devi_minors_clear(dev_info_t *dip)
{
	ddi_remove_minor_node(dip, NULL);
}

/* the nexus names */

void
ndi_devi_enter(dev_info_t *dip, int *circ)
{
	devi_enter(dip);
	*circ = 0;
}

void
ndi_devi_exit(dev_info_t *dip, int circ UNUSED)
{
	devi_exit(dip);
}

int
ndi_devi_busy_owned(dev_info_t *dip)
{
	return devi_is_entered(dip);
}

int
ndi_devi_alloc(dev_info_t *parent, const char *name, int nodeid UNUSED, dev_info_t **ret_dip)
{
	int r = devi_alloc(parent, name, ret_dip);

	return r == 0 ? NDI_SUCCESS : r == -ENOMEM ? NDI_NOMEM : NDI_FAILURE;
}

void
ndi_devi_alloc_sleep(dev_info_t *parent, const char *name, int nodeid UNUSED,
    dev_info_t **ret_dip)
{
	int r;

	do
		r = devi_alloc(parent, name, ret_dip);
	while (r == -ENOMEM);
	if (r < 0)
		panic("node '%s' cannot be made: error %d", name, -r);
}

int
ndi_devi_free(dev_info_t *dip)
{
	return devi_free(dip) == 0 ? NDI_SUCCESS : NDI_FAILURE;
}

int
ndi_devi_online(dev_info_t *dip, uint_t flags UNUSED)
{
	int r = devi_attach(dip);

	return r == 0 ? NDI_SUCCESS : r == -ENOENT ? NDI_UNBOUND : NDI_FAILURE;
}

int
ndi_devi_offline(dev_info_t *dip, uint_t flags)
{
	unsigned int how = 0;
	int r;

	if ((flags & NDI_UNCONFIG) != 0)
		how |= DEVI_DETACH_CHILDREN;
	if ((flags & NDI_DEVI_REMOVE) != 0)
		how |= DEVI_DETACH_FREE;
	r = devi_detach(dip, how);
	return r == 0 ? NDI_SUCCESS : r == -EBUSY ? NDI_BUSY : NDI_FAILURE;
}

dev_info_t *
ndi_devi_find(dev_info_t *parent, const char *name, const char *addr)
{
	char full[DEVI_NAME_LEN + DEVI_ADDR_LEN + 1];
	dev_info_t *dip;

	(void)snprintf(full, sizeof(full), "%s@%s", name, addr);
	dip = devi_find(parent, full);
	if (dip != NULL)
		devi_unref(dip);	/* callers have entered the parent */
	return dip;
}

void
ndi_hold_devi(dev_info_t *dip)
{
	(void)devi_hold(dip);
}

void
ndi_rele_devi(dev_info_t *dip)
{
	devi_release(dip);
}
