/*
 * soft/soft.h - the software HBA as its owner sees it
 *
 * What      An HBA whose disks live in files or in memory. Its owner (the daemon, a test) says
 *           here which disks an adapter has, attaches the node like that of any other adapter,
 *           and looks at counters. Everything else goes through SCSA: towards the framework
 *           this is an ordinary driver, named "soft".
 * Life      soft_mod_init() -> soft_hba_new() (opens the stores, makes a node) -> devi_attach()
 *           of soft_hba_node() -> bus configuration of "iport0" -> ... -> devi_detach() ->
 *           soft_hba_free() (closes the stores).
 * Owner     The adapter owns its stores and its node. A text given to a function is copied.
 * Thread    Counters and faults: any. The rest: one thread, not in interrupt context.
 * Limits    SOFT_TARGETS targets of SOFT_LUNS units each.
 * Source    scsi_hba_attach_setup(9F), scsi_hba_iport_register(9F)
 */
#ifndef SOFT_SOFT_H
#define SOFT_SOFT_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sys/types.h>

#include "base/compiler.h"
#include "hw/soft/fault.h"

#define SOFT_DRIVER	"soft"		/* name of driver and node */
#define SOFT_IPORT	"iport0"	/* unit address of the one port */
#define SOFT_TARGETS	16		/* target numbers 0 .. 15 */
#define SOFT_LUNS	256		/* unit numbers 0 .. 255 */
#define SOFT_ERR_LEN	320		/* room that every reterr text fits in */
#define SOFT_ANY	(-1)		/* target, lun: the adapter picks the lowest free one */

enum soft_store_kind { SOFT_STORE_NULL, SOFT_STORE_MEM, SOFT_STORE_FILE, SOFT_STORE_N };

struct soft_disk_conf {
	enum soft_store_kind kind;
	char path[PATH_MAX];		/* file: image or block device; else empty */
	uint64_t size_bytes;		/* 0: as large as the file. No file: it is made */
	uint32_t block_bytes;		/* logical block: 512 or 4096 */
	uint32_t physical_bytes;	/* physical block: power of two, block_bytes .. 65536 */
	bool is_direct;			/* file: O_DIRECT, past the page cache */
	bool is_readonly;		/* write protected, store opened read-only */
	bool is_removable;		/* RMB set; START STOP UNIT ejects and loads */
	bool is_thin;			/* UNMAP gives space back; set by default */
	int32_t target;			/* 0 .. SOFT_TARGETS - 1, or SOFT_ANY */
	int32_t lun;			/* 0 .. SOFT_LUNS - 1, or SOFT_ANY: 0 */
	char vendor[9];			/* INQUIRY texts; empty: "SCSAD" */
	char product[17];		/* empty: "FILE DISK", "MEMORY DISK" or "NULL DISK" */
	char revision[5];		/* empty: from the program's version */
	char serial[33];		/* empty: made from path or address, always the same */
};

struct soft_hba_conf {
	const struct soft_disk_conf *disks;	/* @ndisks; read during soft_hba_new() only */
	size_t ndisks;
	unsigned int queues;		/* file I/O queues, one for each loop; 0: it blocks */
};

/* one row of `scsactl show`; texts live as long as the adapter */
struct soft_disk_info {
	int32_t target, lun;
	enum soft_store_kind kind;
	const char *path;		/* "" unless a file */
	const char *serial;
	uint64_t blocks;
	uint32_t block_bytes, physical_bytes;
	bool is_readonly, is_removable, is_thin, is_direct;
	uint64_t commands;		/* given to the device server */
	uint64_t reads, writes;		/* those that moved blocks */
	uint64_t read_bytes, written_bytes;
	uint64_t checks;		/* ended with CHECK CONDITION */
	uint64_t store_errors;		/* the store failed a read, write, flush or unmap */
	uint64_t queued;		/* could not be answered inline, went to an I/O queue */
	uint64_t faults;		/* an injected fault was taken */
	uint64_t aborted, reset, timed_out;	/* packets ended by these */
	uint64_t spurious;		/* completions that named a finished command; dropped */
};

struct soft_hba;

/* soft_mod_init(), soft_mod_fini() - register and remove the driver: its _init(9E), _fini(9E).
 * Returns: 0, or an errno value (positive, as the manual page says) */
int soft_mod_init(void);
int soft_mod_fini(void);

/* soft_disk_conf_init() - a disk with every default */
void soft_disk_conf_init(struct soft_disk_conf *conf);

/**
 * soft_conf_parse() - one line that names a disk
 *
 * @text     WHAT[,OPTION]...
 *             PATH or file:PATH   an image file or a block device (no comma in PATH)
 *             mem:SIZE            memory, gone at the end
 *             null:SIZE           writes are thrown away, reads are zeros
 *           options: size=SIZE block=512|4096 physical=SIZE direct[=0|1] readonly[=0|1]
 *           removable[=0|1] thin[=0|1] type=disk target=N lun=N serial=TEXT vendor=TEXT
 *           product=TEXT revision=TEXT; each at most once
 * @ret      the disk; complete, defaults included
 * @reterr   SOFT_ERR_LEN bytes: what is wrong with which word, and what would be right
 *
 * Returns:  0
 *           -EINVAL   not understood or contradictory; @reterr says why
 */
int soft_conf_parse(const char *text, struct soft_disk_conf *ret, char *reterr) MUST_CHECK;

/* soft_store_kind_name() - "null", "mem", "file" */
const char *soft_store_kind_name(enum soft_store_kind kind);

/**
 * soft_hba_new() - open the stores and make the adapter's node below the root
 *
 * @conf     disks and queues; addresses of SOFT_ANY are given out in the order of the list
 * @reterr   SOFT_ERR_LEN bytes: "disk 'path': what is wrong; what to do"
 * @ret_hba  the adapter; its node is linked, not attached
 *
 * Returns:  0
 *           -EINVAL   an address used twice or out of range, a size that does not fit
 *           -EBUSY    a file is in use by another process
 *           -EISDIR, -ENOENT, -EACCES, ... from the file; -ENOMEM
 * Owner:    caller; give back with soft_hba_free() when the node is detached
 */
int soft_hba_new(
    const struct soft_hba_conf *conf, struct soft_hba **ret_hba, char *reterr) MUST_CHECK;

/* soft_hba_free() - close the stores, remove the node; it must be detached. NULL is fine */
void soft_hba_free(struct soft_hba *hba);

/* soft_hba_node() - the node to attach */
dev_info_t *soft_hba_node(struct soft_hba *hba);

/* soft_hba_find() - the adapter @dip belongs to (its node, port or a unit below), or NULL */
struct soft_hba *soft_hba_find(dev_info_t *dip);

/* soft_hba_disks() - how many disks it has */
size_t soft_hba_disks(const struct soft_hba *hba);

/* soft_disk_info_get() - disk @index (0 .. soft_hba_disks() - 1, in order of declaration).
 * Returns: 0, or -ENOENT */
int
soft_disk_info_get(struct soft_hba *hba, size_t index, struct soft_disk_info *ret) MUST_CHECK;

/* soft_disk_index() - the number of the disk at an address. Returns: 0, or -ENOENT */
int soft_disk_index(
    struct soft_hba *hba, int32_t target, int32_t lun, size_t *ret_index) MUST_CHECK;

/**
 * soft_fault_add() - from now on let commands go wrong as @text says
 *
 * @text     a rule in words: see fault_parse() in fault.h
 * @ret_id   names the rule; never 0, never used again
 * @reterr   SOFT_ERR_LEN bytes
 *
 * Returns:  0; -EINVAL (@reterr says why); -ENOSPC (FAULT_MAX rules are there)
 */
int soft_fault_add(
    struct soft_hba *hba, const char *text, uint32_t *ret_id, char *reterr) MUST_CHECK;

/* soft_fault_remove() - take one rule away; 0: all. Returns: 0, or -ENOENT.
 * Commands that a rule has already caught stay caught */
int soft_fault_remove(struct soft_hba *hba, uint32_t id) MUST_CHECK;

/* soft_fault_list() - copy up to @max rules, oldest first; how many there are */
size_t soft_fault_list(struct soft_hba *hba, struct fault_rule *rules, size_t max);

/* soft_unit_attention() - let the disk at an address report UNIT ATTENTION @asc/@ascq once, as
 * if something had happened to it. Returns: 0, or -ENOENT */
int soft_unit_attention(
    struct soft_hba *hba, int32_t target, int32_t lun, uint8_t asc, uint8_t ascq) MUST_CHECK;

#endif /* SOFT_SOFT_H */
