/*
 * ddi/devtree_impl.h - a node, as lib/ddi sees it
 *
 * Locks     node.lock guards state, counts, and who is moving the node or has entered it; it is
 *           held for moments, never across a call into a driver. Children lists are guarded by
 *           the parent being entered. Order: registry, then node, then a node's parent.
 */
#ifndef DDI_DEVTREE_IMPL_H
#define DDI_DEVTREE_IMPL_H

#include <stdatomic.h>
#include <sys/ksynch.h>
#include <sys/queue.h>

#ifndef HASH_NONFATAL_OOM
#define HASH_NONFATAL_OOM 1
#endif
#include <uthash.h>

#include "base/sm.h"
#include "ddi/devtree.h"
#include "ddi/prop.h"

#define DEVI_NAME_LEN	32
#define DEVI_ADDR_LEN	256
#define DEVI_PATH_LEN	1024

struct minor_node;

/* room for a unit address. A longer one gets more; what was read through ddi_get_name_addr()
 * stays in place until the node's memory goes */
struct addr_room {
	struct addr_room *older;
	size_t size;
	char text[];
};

struct dev_info {
	TAILQ_ENTRY(dev_info) link;		/* in the parent's children */
	TAILQ_ENTRY(dev_info) bound_link;	/* in the driver's nodes; registry lock */
	TAILQ_HEAD(devi_list, dev_info) children;
	dev_info_t *by_addr;			/* hash: children that have an address */
	UT_hash_handle hh;			/* in the parent's; hh.tbl NULL: not in it */
	unsigned int n_unhashed;		/* children that it had no memory for */
	dev_info_t *parent;			/* with a reference; NULL: root */
	unsigned int depth;
	bool is_linked;				/* in the parent's list */

	char name[DEVI_NAME_LEN];
	struct addr_room *addr_room;
	bool has_addr;
	bool is_addr_default;			/* the root's child got its instance number */
	const char *bound_by;			/* the name that the driver was found by */

	kmutex_t lock;
	kcondvar_t cv;
	unsigned int state;			/* enum devi_state */
	void *mover;				/* thread in attach or detach of this node */
	void *enterer;				/* thread that has entered it */
	unsigned int enter_depth;
	unsigned int live_children;		/* initialized or attached, or about to be */
	unsigned int holds;
	bool is_detaching;			/* no holds, no new children from now on */
	_Atomic unsigned int refs;

	struct driver *driver;
	int instance;				/* -1: none */

	void *driver_private;
	void *parent_data;
	void *nexus;

	const struct devi_dma_ops *dma;
	const struct devi_intr_ops *intr;
	const struct devi_reg_ops *regs;
	void *dma_arg, *intr_arg, *regs_arg;

	struct prop_list props;
	LIST_HEAD(, minor_node) minors;		/* node.lock */
};

/* devi_addr() - the unit address, or "" */
static inline const char *
devi_addr(const dev_info_t *dip)
{
	return dip->addr_room == NULL ? "" : dip->addr_room->text;
}

/* devi_unhash() - @dip is not found by its address any more; the parent is entered */
void devi_unhash(dev_info_t *dip);

/* devi_set_state() - a move of the chart in devtree.h */
void devi_set_state(dev_info_t *dip, enum devi_state to);

/* devi_minors_clear() - forget all minor nodes */
void devi_minors_clear(dev_info_t *dip);

/* The registry's side of a node, driver.c */

/* driver_bind_node() - the driver for @name, an instance number for @dip; -ENOENT, -ENOMEM */
int driver_bind_node(dev_info_t *dip, const char *name);
void driver_unbind_node(dev_info_t *dip);

/* driver_count_attached() - @delta is 1 or -1 */
void driver_count_attached(struct driver *drv, int delta);

/* driver_number() - from 1 on; for ddi_driver_major() */
unsigned int driver_number(const struct driver *drv);

#endif /* DDI_DEVTREE_IMPL_H */
