/*
 * ddi/devtree.h - the tree of device nodes, for the framework and the daemon
 *
 * What      A node is a device or a bus: name, unit address, properties, driver, children.
 *           Drivers see it through sys/sunddi.h; this header is for those who make nodes, bring
 *           them to life and take them down.
 * Life      devi_alloc → linked → bound → initialized → attached, and back; devi_free.
 *
 *                    devi_bind            bus_initchild          probe, attach
 *             linked ─────────▶ bound ──────────────▶ initialized ───────────▶ attached
 *                    ◀─────────       ◀──────────────             ◀───────────
 *                    devi_free,         bus_uninitchild              detach
 *                    mod_remove
 *
 * Owner     The parent's child list owns a node. A reference (devi_ref) keeps the memory of a
 *           node that was freed; a hold (devi_hold) keeps it from being detached. A child holds
 *           a reference on its parent.
 * Locks     Each node has a configuration lock for its child list (devi_enter), recursive for a
 *           thread. bus_initchild and bus_uninitchild run with the parent's entered; probe,
 *           attach and detach run with no lock of the tree held, one at a time for each node.
 *           devi_attach(), devi_detach() and devi_free() enter the parent themselves: who calls
 *           them with it entered must be sure that no other thread moves the same node.
 * Thread    Everything where sleeping is allowed; plain getters anywhere.
 */
#ifndef DDI_DEVTREE_H
#define DDI_DEVTREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/dditypes.h>
#include <sys/types.h>

#include "base/compiler.h"

struct driver;

enum devi_state {
	DEVI_LINKED,		/* in the tree, no driver */
	DEVI_BOUND,		/* driver and instance number chosen */
	DEVI_INITIALIZED,	/* the parent has given it an address and its data */
	DEVI_ATTACHED,		/* the driver has attached it */
	DEVI_STATE_N
};

/**
 * struct bus_ops - what the driver of a node with children does for them
 *
 * Stored in dev_ops.devo_bus_ops; every member may be NULL. Results are DDI_SUCCESS,
 * DDI_FAILURE, and for bus_initchild DDI_NOT_WELL_FORMED (properties missing) as well.
 */
struct bus_ops {
	/* give @child its unit address (ddi_set_name_addr) and parent data; @parent is entered
	 */
	int (*bus_initchild)(dev_info_t *parent, dev_info_t *child);
	/* undo it; @parent is entered */
	void (*bus_uninitchild)(dev_info_t *parent, dev_info_t *child);
	/* find and attach children: all, or the one named by @arg ("disk@0,0", const char *);
	 * @ret_child (may be NULL): it, with a hold. No lock of the tree is held */
	int (*bus_config)(dev_info_t *parent, uint_t flags, ddi_bus_config_op_t op, void *arg,
	    dev_info_t **ret_child);
	/* detach children; likewise */
	int (*bus_unconfig)(dev_info_t *parent, uint_t flags, ddi_bus_config_op_t op,
	    void *arg);
};

/* Making nodes */

/* devi_root() - the root; always attached, its driver is "rootnex" */
dev_info_t *devi_root(void);

/**
 * devi_alloc() - a new node below @parent, in state linked
 *
 * @name     node name, "disk"; copied
 * @ret_dip  the node; borrowed from the tree
 *
 * Returns:  0
 *           -EINVAL  name empty or longer than 31
 *           -ENODEV  @parent is being detached
 *           -ENOMEM
 */
int devi_alloc(dev_info_t *parent, const char *name, dev_info_t **ret_dip) MUST_CHECK;

/**
 * devi_free() - take a node that is not attached out of the tree
 *
 * An initialized node is given back to its parent's bus_uninitchild first. The memory goes with
 * the last reference.
 *
 * Returns:  0
 *           -EBUSY  attached, held, or has children
 */
int devi_free(dev_info_t *dip);

/* devi_ref(), devi_unref() - keep the memory of a node; they are no promise that it lives on */
dev_info_t *devi_ref(dev_info_t *dip);
void devi_unref(dev_info_t *dip);

/* devi_hold(), devi_release() - keep it from being detached, with a reference; devi_hold()
 * answers false, and holds nothing, when the node is being detached already */
bool devi_hold(dev_info_t *dip);
void devi_release(dev_info_t *dip);

/* devi_set_compatible() - further names to find a driver by, best first, after the node name;
 * also stored as the property "compatible". 0 or -ENOMEM */
int devi_set_compatible(dev_info_t *dip, char *const *names, unsigned int count);

/* Life */

/**
 * devi_bind() - find a driver for @dip and give it an instance number
 *
 * Tried in order: the node name, then each name of "compatible"; each as a driver's name, then
 * as an alias. The number is the lowest free one of the driver and stays until the node is
 * freed or the driver removed.
 *
 * Returns:  0        bound now, or was
 *           -ENOENT  no driver
 *           -ENOMEM
 */
int devi_bind(dev_info_t *dip);

/**
 * devi_init() - bind and let the parent initialize @dip, without attaching it
 *
 * Returns:  as devi_attach() up to that point
 */
int devi_init(dev_info_t *dip);

/**
 * devi_attach() - bring @dip to state attached
 *
 * Binds, initializes, probes, attaches, tells the notify hook. On failure everything done by
 * this call is undone, in reverse order, down to "bound".
 *
 * Returns:  0        attached now, or was
 *           -EAGAIN  the parent is not attached, or probe(9E) said "not now"
 *           -ENOENT  no driver
 *           -ENODEV  the parent refused the child (bus_initchild)
 *           -EINVAL  the parent called it not well formed
 *           -ENXIO   probe(9E) found nothing
 *           -EIO     attach(9E) failed
 *           -EDEADLK called from inside the node's own attach or detach
 *           -ENOMEM
 */
int devi_attach(dev_info_t *dip);

#define DEVI_DETACH_CHILDREN	0x1u	/* detach and free the children first, deepest first */
#define DEVI_DETACH_FREE	0x2u	/* free the node too */

/**
 * devi_detach() - bring @dip back to state bound
 *
 * Asks the notify hook, then detach(9E), then the parent's bus_uninitchild. If a child
 * refuses, the children gone by then stay gone.
 *
 * Returns:  0       not attached now
 *           -EBUSY  held, has attached children (without DEVI_DETACH_CHILDREN), the hook or
 *                   detach(9E) refused
 *           -EDEADLK called from inside the node's own attach or detach
 */
int devi_detach(dev_info_t *dip, unsigned int flags);

/**
 * devi_quiesce() - the last resort for a node that cannot be detached: its driver makes the
 * device silent, by devo_quiesce, without taking anything down
 *
 * Returns:  0
 *           -ENOTSUP  the driver has no such entry
 *           -EAGAIN   not attached
 *           -EIO      the driver cannot
 */
int devi_quiesce(dev_info_t *dip);

/* devi_config(), devi_unconfig() - ask the driver of @dip, which must be attached, for its
 * children (bus_config, bus_unconfig); 0, -ENOTSUP (driver has no such entry), -EAGAIN (not
 * attached), -EIO */
int devi_config(dev_info_t *dip, ddi_bus_config_op_t op, void *arg, dev_info_t **ret_child);
int devi_unconfig(dev_info_t *dip, ddi_bus_config_op_t op, void *arg);

/* Finding */

/* devi_enter(), devi_exit() - the configuration lock of @parent: its child list stands still */
void devi_enter(dev_info_t *parent);
void devi_exit(dev_info_t *parent);
bool devi_is_entered(dev_info_t *parent);	/* by the calling thread */

/* devi_first_child(), devi_next() - walk; the caller has entered the parent. NULL at the end */
dev_info_t *devi_first_child(dev_info_t *parent);
dev_info_t *devi_next(dev_info_t *dip);

/* devi_find() - child "name@addr", "name" or "@addr" (any name); a reference, or NULL */
dev_info_t *devi_find(dev_info_t *parent, const char *name);

/* devi_find_path() - "/soft@0/iport@iport0"; a reference, or NULL */
dev_info_t *devi_find_path(const char *path);

enum devi_walk { DEVI_WALK_CONTINUE, DEVI_WALK_PRUNE, DEVI_WALK_STOP };

/* devi_walk() - @fn for each node below @top (not itself), parents before children. @fn runs
 * with a reference and no lock, and may attach, detach or free the node */
typedef enum devi_walk (*devi_walk_fn)(dev_info_t *dip, void *arg);
void devi_walk(dev_info_t *top, devi_walk_fn fn, void *arg);

/* State and names */

enum devi_state devi_state(dev_info_t *dip);
const char *devi_state_name(enum devi_state state);
bool devi_is_attached(dev_info_t *dip);
struct driver *devi_driver(dev_info_t *dip);	/* NULL before bound */
unsigned int devi_depth(dev_info_t *dip);	/* root is 0 */

/* devi_path() - ddi_pathname() into @size bytes; @buf */
char *devi_path(dev_info_t *dip, char *buf, size_t size);

/* devi_nexus(), devi_set_nexus() - a pointer of the framework that runs the node as a bus (its
 * parent keeps its own in ddi_set_parent_data) */
void *devi_nexus(dev_info_t *dip);
void devi_set_nexus(dev_info_t *dip, void *data);

/* News for the daemon */

enum devi_event {
	DEVI_EV_ATTACHED,	/* is attached; the answer is not looked at */
	DEVI_EV_DETACHING,	/* will be detached; an answer other than 0 refuses */
	/* is detached (also when attach was undone); answer not looked at */
	DEVI_EV_DETACHED
};

/* runs on the thread that attaches or detaches, with no lock of the tree held */
typedef int (*devi_notify_fn)(enum devi_event event, dev_info_t *dip, void *arg);

/* devi_set_notify() - one hook for the process; NULL: none. While nothing is being attached */
void devi_set_notify(devi_notify_fn fn, void *arg);

/* Providers: what a bus does for the devices on it */

/**
 * struct devi_dma_ops - how memory becomes visible to the devices below a node
 *
 * The nearest node upwards (the device itself included) that has one serves. NULL members: the
 * identity, where the bus address is the virtual address; so a bus without hardware needs none.
 * All run in any context and may not sleep.
 */
struct devi_dma_ops {
	/* make @len bytes at @addr reachable; @flags DDI_DMA_READ.. ; *@ret_token is handed to
	 * the others. 0, -ENOMEM (try later), -EFAULT (never) */
	int (*map)(void *arg, void *addr, size_t len, unsigned int flags, void **ret_token);
	void (*unmap)(void *arg, void *token, void *addr, size_t len);
	/* bus address of byte @off; returns how many bytes from there are contiguous, at least
	 * 1, or 0 when the byte cannot be reached */
	size_t (*extent)(void *arg, void *token, void *addr, size_t off, size_t len,
	    uint64_t *ret_iova);
	/* @type DDI_DMA_SYNC_*: copy or flush; NULL: coherent */
	void (*sync)(void *arg, void *token, void *addr, size_t off, size_t len,
	    unsigned int type);
	/* memory for ddi_dma_mem_alloc(); NULL: the host's */
	void *(*mem_alloc)(void *arg, size_t len, size_t align);
	void (*mem_free)(void *arg, void *mem, size_t len);
};

void devi_set_dma(dev_info_t *dip, const struct devi_dma_ops *ops, void *arg);

/* devi_dma() - the provider that serves @dip and its @ret_arg; NULL: identity */
const struct devi_dma_ops *devi_dma(dev_info_t *dip, void **ret_arg);

/**
 * struct devi_intr_ops - interrupt vectors of a node; without one the framework gives "software
 * vectors": DDI_INTR_TYPE_MSIX, 64 of them, each an eventfd
 */
struct devi_intr_ops {
	int (*types)(void *arg);			/* mask of DDI_INTR_TYPE_* */
	int (*count)(void *arg, int type);		/* vectors of @type */
	/* the eventfd that vector @inum signals; 0 or -errno. The caller closes it after close
	 */
	int (*open)(void *arg, int type, unsigned int inum, int *ret_fd);
	void (*close)(void *arg, int type, unsigned int inum);
	/* let it interrupt, or not; 0 or -errno */
	int (*enable)(void *arg, int type, unsigned int inum, bool is_on);
	/* after the handler of a DDI_INTR_TYPE_FIXED vector has run: unmask. May be NULL */
	void (*rearm)(void *arg, unsigned int inum, bool was_claimed);
};

void devi_set_intr(dev_info_t *dip, const struct devi_intr_ops *ops, void *arg);
/* NULL: software vectors */
const struct devi_intr_ops *devi_intr(dev_info_t *dip, void **ret_arg);

/**
 * struct devi_reg_ops - register sets of a node; not inherited
 */
struct devi_reg_ops {
	unsigned int (*count)(void *arg);
	/* 0 or -errno */
	int (*size)(void *arg, unsigned int rnumber, uint64_t *ret_bytes);
	/* the address of byte @off of set @rnumber; 0 or -errno. With @get it need not be real
	 */
	int (*map)(void *arg, unsigned int rnumber, uint64_t off, uint64_t len,
	    void **ret_addr);
	void (*unmap)(void *arg, unsigned int rnumber, void *addr, uint64_t len);
	/* one access of @width 1, 2, 4 or 8 bytes; both NULL: plain loads and stores at the
	 * address */
	uint64_t (*get)(void *arg, unsigned int rnumber, uint64_t off, unsigned int width);
	void (*put)(void *arg, unsigned int rnumber, uint64_t off, unsigned int width,
	    uint64_t value);
};

void devi_set_regs(dev_info_t *dip, const struct devi_reg_ops *ops, void *arg);
const struct devi_reg_ops *devi_regs(dev_info_t *dip, void **ret_arg);	/* NULL: none */

#endif /* DDI_DEVTREE_H */
