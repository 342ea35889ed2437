/*
 * daemon/drivers.h - the HBA drivers that are built in
 *
 * What      One row a driver: its name, where its HBAs are found, the PCI functions it drives,
 *           the keys that it has in the configuration, its _init(9E) and _fini(9E). A new
 *           driver is a row here, its keys in daemon/hba_words.h, and its library in
 *           daemon/CMakeLists.txt.
 * Keys      A key becomes a property of the HBA's node before the driver attaches it, under the
 *           name in its row; the driver reads it with ddi_prop_get_int(9F) and its family. A
 *           key that the configuration does not have makes no property: the driver's default.
 * Thread    Any; constant.
 * Source    scsad.conf(5)
 */
#ifndef DAEMON_DRIVERS_H
#define DAEMON_DRIVERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

#define DRIVER_ERR_LEN	320	/* room for what a driver says of a value */

enum driver_where {
	DRIVER_SOFT,	/* made by soft_hba_new() */
	DRIVER_PCI,	/* a PCI function */
	DRIVER_ROOT,	/* a node right below the root, with nothing but its properties */
	DRIVER_WHERE_N
};

enum driver_value {
	DRIVER_OWN,	/* read by the configuration itself; no property */
	DRIVER_NUMBER,	/* int, .min .. .max; suffixes K, M as everywhere */
	DRIVER_YES_NO,	/* int, 1 or 0 */
	DRIVER_TEXT,	/* string */
	DRIVER_FILE,	/* string: an absolute path */
	DRIVER_TEXTS,	/* string array: a list */
	DRIVER_VALUE_N
};

struct driver_key {
	const char *key;	/* one of HBA_WORDS */
	const char *prop;	/* of the node; NULL with DRIVER_OWN */
	enum driver_value value;
	uint32_t min, max;	/* of a number; max up to INT_MAX */
};

struct driver_id {
	uint16_t vendor, device;
};

struct hba_driver {
	const char *name;	/* what nodes bind to: [a-z0-9_], up to CONFIG_DRIVER_MAX */
	const char *what;	/* for people: "software HBA" */
	enum driver_where where;
	int (*init)(void);
	int (*fini)(void);
	/* what is wrong with a text of @key, into DRIVER_ERR_LEN bytes at @reterr; 0, -EINVAL
	 * or another -errno. NULL: any will do */
	int (*check)(const char *key, const char *text, char *reterr);
	const struct driver_id *ids;
	size_t n_ids;
	const struct driver_key *keys;
	size_t n_keys;
};

/* driver_row_count(), driver_row() - all of them */
size_t driver_row_count(void);
const struct hba_driver *driver_row(size_t i);

/* driver_row_find() - by name; NULL: it is not built in */
const struct hba_driver *driver_row_find(const char *name);

/* driver_row_of_pci() - the first that drives such a function; NULL */
const struct hba_driver *driver_row_of_pci(uint16_t vendor, uint16_t device);

/* driver_row_key() - how @row takes @key; NULL: it does not */
const struct driver_key *driver_row_key(const struct hba_driver *row, const char *key);

/* driver_row_names() - names of the drivers found in @where, or of all (DRIVER_WHERE_N),
 * separated by ", ", into @size bytes at @buf, which is returned */
char *driver_row_names(enum driver_where where, char *buf, size_t size);

#endif /* DAEMON_DRIVERS_H */
