/*
 * daemon/options.h - the command line
 *
 * What      Options only say what to change in a configuration: options_parse() reads them,
 *           options_apply() loads the file and puts them on top.
 * Thread    The main thread, before others.
 * Source    scsad(8)
 */
#ifndef DAEMON_OPTIONS_H
#define DAEMON_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "daemon/config.h"
#include "hw/iscsi/iscsi_hba.h"

#define OPTIONS_CONFIG_DEFAULT	CONFIG_DEFAULT
#define OPTIONS_DISKS_MAX	256

#define OPTIONS_EXPANDERS_MAX	32
#define OPTIONS_EXPORTS_MAX	16
#define OPTIONS_ISCSI_MAX	ISCSI_HBA_TARGETS
#define OPTIONS_TARGET_DEFAULT	"iqn.2026-11.internal.scsad:disks"

struct options {
	const char *config;		/* --config; NULL: not given */
	const char *disks[OPTIONS_DISKS_MAX];
	size_t n_disks;
	const char *ports[SOFT_PORTS];	/* of the same HBA */
	size_t n_ports;
	const char *expanders[OPTIONS_EXPANDERS_MAX];
	size_t n_expanders;
	const char *pci[CONFIG_HBAS_MAX];
	size_t n_pci;
	bool allow_unsafe_dma;
	const char *iscsi[OPTIONS_ISCSI_MAX];
	size_t n_iscsi;			/* targets, of one HBA */
	const char *exports[OPTIONS_EXPORTS_MAX];
	size_t n_exports;
	bool allow_anyone;
	const char *socket;
	const char *state_dir;
	unsigned int loops;		/* 0: not given */
	bool has_log_level;
	enum log_level log_level;
	bool want_check, want_demo, want_version, want_help;
};

/**
 * options_parse() - read the words of the command line; they are borrowed
 *
 * @reterr   CONFIG_ERR_LEN bytes
 *
 * Returns:  0, or -EINVAL
 */
int options_parse(int argc, char **argv, struct options *ret_options, char *reterr) MUST_CHECK;

/**
 * options_apply() - the configuration that options and file together mean
 *
 * With no file, no disk and no --demo, the file OPTIONS_CONFIG_DEFAULT is read.
 *
 * @conf     config_init() was done
 * @reterr   CONFIG_ERR_LEN bytes
 *
 * Returns:  0, or -errno; -EINVAL: an option or the file is wrong; -ENOENT: no file, and
 *           nothing else says what to serve. demo_remove() is due in any case
 */
int options_apply(const struct options *options, struct config *conf, char *reterr) MUST_CHECK;

/* options_help() - what --help prints */
const char *options_help(void);

#endif /* DAEMON_OPTIONS_H */
