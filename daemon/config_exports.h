/*
 * daemon/config_exports.h - exports out of a configuration file
 *
 * What      Objects from the parts of a file that say what is exported to whom; complaints name
 *           the line and column of the word that is wrong.
 * Thread    Any; no state.
 */
#ifndef DAEMON_CONFIG_EXPORTS_H
#define DAEMON_CONFIG_EXPORTS_H

#include "base/compiler.h"
#include "daemon/config.h"
#include "daemon/config_raw.h"
#include "daemon/ex_impl.h"

/**
 * config_exports_load() - the administrator's exports into @c->exports, which is made
 *
 * They are checked as a whole, as far as they are all of it.
 *
 * @reterr   CONFIG_ERR_LEN bytes
 *
 * Returns:  0, -EINVAL (@reterr), -ENOMEM
 */
int config_exports_load(const struct config_raw *raw, struct config *c, char *reterr)
    MUST_CHECK;

/**
 * config_exports_read() - the objects of a file, added to @set, which is not sealed
 *
 * @from     as objects have it
 *
 * Returns:  0, -EINVAL, -ENOSPC, -errno of a file that an object names (all with @reterr),
 *           -ENOMEM
 */
int config_exports_read(const struct config_raw *raw, enum ex_from from, struct ex_set *set,
    char *reterr) MUST_CHECK;

/* config_exports_complain() - "path:line:column: text" about a fault in an object of that
 * file */
void config_exports_complain(const struct config_raw *raw, const struct ex_fault *f,
    char *reterr);

/**
 * config_exports_check() - would this set do? A copy is sealed and judged
 *
 * Returns:  0, -EEXIST, -EINVAL, -ENOENT (@reterr), -ENOMEM (@reterr)
 */
int config_exports_check(const struct ex_set *set, struct ex_fault *reterr) MUST_CHECK;

#endif /* DAEMON_CONFIG_EXPORTS_H */
