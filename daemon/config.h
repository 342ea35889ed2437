/*
 * daemon/config.h - what the operator wants
 *
 * What      One struct, filled with defaults, then from a YAML file, then from the command
 *           line. A file is judged completely before anything is done: its form by schema
 *           (libcyaml), its meaning here; each complaint is "file:line:column: text".
 * Owner     The caller owns the struct; config_fini() gives back what hangs from it.
 * Thread    One, before loops exist; constant afterwards.
 * Source    scsad.conf(5)
 */
#ifndef DAEMON_CONFIG_H
#define DAEMON_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/compiler.h"
#include "base/log.h"
#include "daemon/drivers.h"
#include "daemon/ex_set.h"
#include "daemon/sandbox.h"
#include "host/addr.h"
#include "hw/soft/soft.h"
#include "proto/method.h"

#define CONFIG_ERR_LEN		1024
#define CONFIG_HBAS_MAX		32
#define CONFIG_ACCESS_MAX	256
#define CONFIG_DRIVER_MAX	20	/* bytes of a driver's name, and of an HBA's */
#define CONFIG_DEFAULT		"/etc/scsad/scsad.conf"

enum config_bus { CONFIG_BUS_VFIO, CONFIG_BUS_UIO, CONFIG_BUS_N };

/* the PCI function that an HBA is */
struct config_pci {
	char address[HOST_ADDR_LEN];	/* "0000:00:10.0"; "": it is none */
	enum config_bus bus;
	bool allow_unsafe_dma;		/* it may reach all memory of this machine */
	bool is_identity;		/* bus addresses equal physical ones also with vfio */
	uint32_t pool_bytes;		/* memory for DMA; 0: the default */
};

/* what a driver is told: a property of its node */
struct config_prop {
	const struct driver_key *key;
	int number;			/* of DRIVER_NUMBER and DRIVER_YES_NO */
	char **texts;			/* of the others; n of them */
	size_t n;
};

/* one HBA */
struct config_hba {
	char *name;			/* NULL: driver and number */
	char *driver;			/* "soft", or the name a module registers; up to
					 * CONFIG_DRIVER_MAX letters, digits, '_' and '-'. NULL:
					 * the one that drives the PCI function */
	char *module;			/* path of a driver's shared object; NULL: built in */
	struct config_pci pci;
	struct config_prop *props;
	size_t n_props;
	/* of a soft HBA */
	struct soft_disk_conf *disks;
	size_t n_disks;
	struct soft_port_conf *ports;
	size_t n_ports;
	struct soft_expander_conf *expanders;
	size_t n_expanders;
	bool is_dynamic;		/* its ports may come and go */
};

/* one rule: this user or the members of this group have that role */
struct config_access {
	bool is_group;
	uint32_t id;
	Scsad__Role role;
};

struct config {
	struct config_hba *hbas;
	size_t n_hbas;

	char *socket_path;		/* NULL: the default, see rpc_socket.h */
	mode_t socket_mode;
	gid_t socket_gid;		/* (gid_t)-1: leave it */

	struct config_access *access;	/* the highest role of all that fit counts */
	size_t n_access;

	uint32_t connections;		/* at one time */
	uint32_t connections_per_uid;	/* the same, of one user; root is not counted */
	uint32_t requests;		/* submits in flight a connection */
	uint32_t data_bytes;		/* largest bulk data of one frame */
	uint64_t client_bytes;		/* data of submits in flight, a connection */
	uint32_t unsent_bytes;		/* replies not taken: above this a client is not read */
	uint32_t handles;		/* open units, a connection */

	unsigned int loops;		/* 0: one for each CPU */
	uint32_t busy_poll_us;
	uint32_t drain_ms;		/* shutdown: patience with packets in flight */
	enum log_level log_level;
	char *user;			/* who to become after start; NULL: stay */
	enum sandbox_mode seccomp;
	char *isns_server;		/* "HOST[:PORT]" that is told of targets; NULL: none */
	char *isns_entity;		/* NULL: name of this machine */
	uint32_t isns_period_s;
	char *state_dir;		/* what outlives a restart, and the file of --demo; NULL:
					 * see config_state_dir() */
	char *demo_dir;			/* the folder that demo_add() made, or NULL */

	char *path;			/* of the file that was read; NULL: none was */
	struct ex_set *exports;		/* what file and command line export; not sealed, NULL:
					 * nothing */
	char *export_target;		/* --export: target of all disks of the command line */
	bool export_anyone;		/* --allow-anyone */
};

/* config_init() - every default; config_fini() - free what hangs from it, any half-filled
 * state */
void config_init(struct config *c);
void config_fini(struct config *c);

/**
 * config_state_dir() - where to keep what outlives a restart
 *
 * @buf      PATH_MAX bytes
 *
 * Returns:  state_dir; else the first directory of $STATE_DIRECTORY, as systemd sets it; else
 *           NULL: nothing is kept
 */
const char *config_state_dir(const struct config *c, char *buf) MUST_CHECK;

/**
 * config_load() - read a file on top of what is in @c
 *
 * @path     YAML, UTF-8
 * @reterr   CONFIG_ERR_LEN bytes: "path:line:column: what is wrong"
 *
 * Returns:  0
 *           -EINVAL   the file is wrong
 *           -errno    it cannot be read
 */
int config_load(struct config *c, const char *path, char *reterr) MUST_CHECK;

/* config_add_hba() - a further HBA of @driver (NULL: see config_hba); NULL when there are
 * CONFIG_HBAS_MAX or no memory */
struct config_hba *config_add_hba(struct config *c, const char *driver);

/* config_add_disk(), config_add_port(), config_add_expander() - a copy for @hba; 0 or -ENOMEM */
int config_add_disk(struct config_hba *hba, const struct soft_disk_conf *disk) MUST_CHECK;
int config_add_port(struct config_hba *hba, const struct soft_port_conf *port) MUST_CHECK;
int config_add_expander(struct config_hba *hba, const struct soft_expander_conf *exp) MUST_CHECK;

/**
 * config_add_texts() - give an HBA of a built-in driver a key of texts
 *
 * @key      one that the driver has
 * @reterr   DRIVER_ERR_LEN bytes: what the driver says of a text
 *
 * Returns:  0; -ENOMEM; -EINVAL, or what else the driver finds (@reterr)
 */
int config_add_texts(struct config_hba *hba, const char *key, const char *const *texts,
    size_t n, char *reterr) MUST_CHECK;

/**
 * config_pci_parse() - an HBA in one line: "ADDRESS[,DRIVER][,BUS]"
 *
 * @reterr   CONFIG_ERR_LEN bytes, without the line
 *
 * Returns:  0, -EINVAL (@reterr), -ENOMEM. Whether its DMA may be unsafe is not said there:
 *           config_hba_check() is due
 */
int config_pci_parse(const char *line, struct config_hba *hba, char *reterr) MUST_CHECK;

/**
 * config_hba_check() - does the newest HBA of @c make sense, by itself and with those before it?
 *
 * @ret_key  key of the file that is wrong, or ""
 * @reterr   CONFIG_ERR_LEN bytes
 *
 * Returns:  0, -EINVAL
 */
int config_hba_check(const struct config *c, const char **ret_key, char *reterr) MUST_CHECK;

/* config_bus_name() - "vfio", "uio" */
const char *config_bus_name(enum config_bus bus);

/* config_add_access() - one more rule; 0, -ENOMEM, or -ENOSPC at CONFIG_ACCESS_MAX */
int config_add_access(struct config *c, bool is_group, uint32_t id,
    Scsad__Role role) MUST_CHECK;

/* config_user_find(), config_group_find() - numbers of names of this system; false: no such */
bool config_user_find(const char *name, uid_t *ret_uid);
bool config_group_find(const char *name, gid_t *ret_gid);

/* role_parse() - "monitor", "io", "admin"; false for anything else. role_name() - the way
 * back */
bool role_parse(const char *name, Scsad__Role *ret_role);
const char *role_name(Scsad__Role role);

#endif /* DAEMON_CONFIG_H */
