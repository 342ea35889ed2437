/*
 * ddi/driver.h - which drivers there are
 *
 * What      The registry behind mod_install(9F): names, aliases, loading of shared objects.
 * Owner     The registry owns struct driver; its dev_ops are the driver's.
 * Thread    Where sleeping is allowed.
 */
#ifndef DDI_DRIVER_H
#define DDI_DRIVER_H

#include <stddef.h>
#include <sys/devops.h>

#include "base/compiler.h"

struct driver;

/**
 * driver_init() - run the _init(9E) of a driver linked into the program
 *
 * @name     what nodes bind to, and the prefix of SCSA_MOD
 * @init     soft_mod_init
 * @fini     soft_mod_fini; for driver_fini()
 *
 * Returns:  0, or what @init answered as negative errno; -EINVAL when it registered no driver
 */
int driver_init(const char *name, int (*init)(void), int (*fini)(void)) MUST_CHECK;

/**
 * driver_load() - load a shared object with a driver in it
 *
 * @path     "/usr/lib/scsad/libfoo.so": the driver's name is foo; its entry points are
 *           foo_mod_init (compiled with -DSCSA_MOD=foo) or scsa_mod_init
 * @err      room for @err_size bytes of reason; may be NULL with 0
 *
 * Returns:  0
 *           -ENOENT  cannot be loaded; @err says why
 *           -ENOSYS  no _init or _fini in it
 *           -EEXIST  a driver of this name exists
 *           else     what its _init answered
 */
int driver_load(const char *path, char *err, size_t err_size) MUST_CHECK;

/**
 * driver_unload() - run _fini(9E) and let the driver go
 *
 * Nodes that are bound but not attached are unbound.
 *
 * Returns:  0
 *           -ENOENT  no such driver
 *           -EBUSY   nodes are attached, or _fini refused
 */
int driver_unload(const char *name);

/* driver_find() - by name or alias; NULL when there is none */
struct driver *driver_find(const char *name);
const char *driver_name(const struct driver *drv);
struct dev_ops *driver_ops(const struct driver *drv);
unsigned int driver_attached(const struct driver *drv);	/* instances attached */

/* driver_alias_add() - nodes with @alias as name or compatible bind to @driver, whether or not
 * it is there yet; a later line for the same alias wins. 0, -EINVAL (empty or too long) or
 * -ENOMEM */
int driver_alias_add(const char *driver, const char *alias);
void driver_alias_remove(const char *alias);

#endif /* DDI_DRIVER_H */
