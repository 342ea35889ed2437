/*
 * soft/soft.h - the software HBA as its owner sees it
 *
 * What      An HBA whose disks live in files or in memory. Its owner (the daemon, a test) says
 *           here which disks an adapter has and how they are connected, attaches the node like
 *           that of any other adapter, and changes it while it runs. Everything else goes
 *           through SCSA: towards the framework this is an ordinary driver, named "soft", with
 *           complex addresses and a target map on each of its iports.
 * Model     An adapter has ports, a port has targets, a target has units (LUNs). What hangs on
 *           a port is called by the port's label; the iport by which it is reached has a unit
 *           address of its own, and the two are the same except for ports that phys form:
 *
 *             plain     label "iport0": targets by number, as on a parallel bus. The default
 *             virtual   volumes: targets by number, capabilities and resets of its own, no bus
 *             phys      what is at the far end of a cable, known by its SAS address. When phys
 *                       come up towards it, the iport appears, called by their mask in
 *                       hexadecimal ("1" narrow, "f" wide); when the last one goes, so does it
 *
 *           An adapter is of one of two styles, chosen by its configuration. Static: its ports
 *           are plain or virtual, and there as long as it is. Dynamic (a port has a remote
 *           address, or @is_dynamic is set): all iports come through an iport map, and phys can
 *           be moved.
 * Addresses A target is a number, 0 .. SOFT_TARGETS - 1, or has a world wide name, as in
 *           "w5000c50012345678,0". Texts name things as people read them: "PORT/TARGET,LUN",
 *           where PORT is a label or the address of an iport that is there; "iport@" and
 *           "disk@" in front of the parts are skipped. So "iport0/0,3" and
 *           "iport@iport0/disk@0,3" are the same. Target and LUN are hexadecimal there, as in a
 *           device's path.
 * Life      soft_mod_init() -> soft_hba_new() (opens the stores, makes a node) -> devi_attach()
 *           of soft_hba_node() -> bus configuration -> ... -> devi_detach() -> soft_hba_free()
 *           (closes the stores).
 * Changes   soft_target_add() and the others return when the adapter has changed; what the
 *           framework makes of it (nodes, units) follows by itself: an appearance about 15 ms
 *           later, a loss when the drivers above have let go. A removed disk is gone at once
 *           for commands: those at work end with CMD_DEV_GONE, and so does what is sent to a
 *           removed target later; a unit that is missing from a target that stays is LOGICAL
 *           UNIT NOT SUPPORTED. Its store is closed after the last node of it is gone; until
 *           then its address, and its file, are in use.
 * Owner     The adapter owns its stores and its node. A text given to a function is copied.
 * Thread    Any that may block, several at a time; not in interrupt context. new, free,
 *           mod_init, mod_fini: one.
 * Limits    SOFT_PORTS ports, SOFT_TARGETS targets each, SOFT_LUNS units each, SOFT_PHYS phys.
 * Source    scsi_hba_attach_setup(9F), iport(9), scsi_hba_tgtmap_create(9F),
 *           sas_phymap_create(9F)
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
#define SOFT_IPORT	"iport0"	/* the port of disks that name none */
#define SOFT_PORTS	32
#define SOFT_TARGETS	1024		/* target numbers 0 .. 1023 */
#define SOFT_LUNS	16384		/* unit numbers 0 .. 16383 */
#define SOFT_PHYS	64
#define SOFT_ERR_LEN	320		/* room that every reterr text fits in */
#define SOFT_LABEL_LEN	18		/* label of a port with its NUL */
#define SOFT_TADDR_LEN	18		/* address of a target with its NUL */
#define SOFT_ADDR_LEN	48		/* "PORT/TARGET,LUN" with its NUL */
#define SOFT_SANITIZE_RATE	(120u << 20)	/* what a spinning disk does */
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
	bool is_unmap_any;		/* WRITE SAME with UNMAP unmaps, whatever block is sent */
	bool is_thin;			/* UNMAP gives space back; set by default */
	uint8_t pi_type;		/* T10 protection information is kept: 0 none, 1, 3 */
	int32_t app_tag;		/* with pi_type: what its application tags are; -1: no
					 * matter */
	int32_t target;			/* 0 .. SOFT_TARGETS - 1, or SOFT_ANY */
	int32_t lun;			/* 0 .. SOFT_LUNS - 1, or SOFT_ANY: 0 */
	char vendor[9];			/* INQUIRY texts; empty: "SCSAD" */
	char product[17];		/* empty: "FILE DISK", "MEMORY DISK" or "NULL DISK" */
	char revision[5];		/* empty: from the program's version */
	char serial[33];		/* empty: made from path or address, always the same */
	char port[SOFT_LABEL_LEN];	/* label; empty: SOFT_IPORT */
	uint64_t wwn;			/* the target's name, in place of a number; 0: none */
	uint32_t luns;			/* so many units of this kind, from lun on; 0 is 1 */
	uint64_t sanitize_rate;		/* bytes a second that SANITIZE and FORMAT UNIT write; 0:
					 * as fast as they can. SOFT_SANITIZE_RATE by default */
};

/* a port; one that is only named by a disk is plain */
struct soft_port_conf {
	char label[SOFT_LABEL_LEN];
	bool is_virtual;
	uint64_t phys;			/* mask of the phys that are up towards it at first */
	uint64_t local;			/* SAS address that it is reached by; 0: the adapter's */
	uint64_t remote;		/* SAS address at its end; 0: not reached by phys */
};

/* an expander on a port: answers SMP requests, and lists the port's named targets behind its
 * phys */
struct soft_expander_conf {
	char port[SOFT_LABEL_LEN];	/* empty: SOFT_IPORT */
	uint64_t wwn;
	uint8_t phys;			/* 1 .. 128 */
	char vendor[9], product[17], revision[5];	/* empty: "SCSAD", "EXPANDER" .. */
};

struct soft_hba_conf {
	const struct soft_disk_conf *disks;	/* @ndisks; all: read by soft_hba_new() only */
	size_t ndisks;
	unsigned int queues;		/* file I/O queues, one for each loop; 0: it blocks */
	const struct soft_port_conf *ports;	/* @nports */
	size_t nports;
	const struct soft_expander_conf *expanders;	/* @nexpanders */
	size_t nexpanders;
	bool is_dynamic;		/* ports may come and go though none has phys now */
	const char *state_dir;		/* where disks keep what outlives a restart (saved mode
					 * pages, a sanitize that is not finished), by serial
					 * number; NULL: nowhere, they say that they cannot */
};

/* one row of `scsactl show` */
struct soft_disk_info {
	char port[SOFT_LABEL_LEN];	/* its label */
	char taddr[SOFT_TADDR_LEN];	/* the target's address */
	int32_t target;			/* its number; -1 when it has a name */
	int32_t lun;
	enum soft_store_kind kind;
	char path[PATH_MAX];		/* "" unless a file */
	char serial[33];
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

/* a port as it is now */
struct soft_port_info {
	char label[SOFT_LABEL_LEN];
	const char *kind;		/* "plain", "virtual", "phys" */
	uint64_t remote;		/* "phys": the address at the far end */
	uint64_t phys;			/* mask of the phys that are up towards it */
	unsigned int iports;		/* by how many iports it is reached now */
	size_t targets, units, expanders;
};

/* a phy as it is now */
struct soft_phy_info {
	unsigned int phy;
	bool is_up;
	uint64_t local, remote;		/* when it is up */
	char iport[64];			/* address of its iport; empty: none yet */
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
 *             mem:SIZE            memory, gone at the end null:SIZE           writes are thrown
 *             away, reads are zeros
 *           options: size=SIZE block=512|4096 physical=SIZE direct[=0|1] readonly[=0|1]
 *           removable[=0|1] thin[=0|1] type=disk target=N lun=N serial=TEXT vendor=TEXT
 *           pi=0|1|3 (T10 protection information; a file's is in PATH.pi) app_tag=N
 *           product=TEXT revision=TEXT port=LABEL wwn=16DIGITS luns=N sanitize_rate=SIZE (a
 *           second; 0: no limit); each at most once.
 *           luns makes N units of the same kind (mem, null); wwn stands for target
 * @ret      the disk; complete, defaults included
 * @reterr   SOFT_ERR_LEN bytes: what is wrong with which word, and what would be right
 *
 * Returns:  0
 *           -EINVAL   not understood or contradictory; @reterr says why
 */
int soft_conf_parse(const char *text, struct soft_disk_conf *ret, char *reterr) MUST_CHECK;

/**
 * soft_port_parse(), soft_expander_parse() - one line that describes a port, an expander
 *
 * @text     a port: LABEL[,OPTION]... with
 *             virtual[=0|1]  remote=16DIGITS  local=16DIGITS  phys=HEXMASK (needs remote)
 *           an expander: 16DIGITS[,OPTION]... (its name) with
 *             phys=N (default 12)  port=LABEL  vendor=TEXT  product=TEXT  revision=TEXT
 *
 * Returns:  0; -EINVAL (@reterr, SOFT_ERR_LEN bytes, says why)
 */
int soft_port_parse(const char *text, struct soft_port_conf *ret, char *reterr) MUST_CHECK;
int
soft_expander_parse(const char *text, struct soft_expander_conf *ret, char *reterr) MUST_CHECK;

/* soft_store_kind_name() - "null", "mem", "file" */
const char *soft_store_kind_name(enum soft_store_kind kind);

/**
 * soft_hba_new() - open the stores and make the adapter's node below the root
 *
 * @conf     disks, ports, expanders and queues; addresses of SOFT_ANY are given out in the
 *           order of the list
 * @reterr   SOFT_ERR_LEN bytes: "disk 'path': what is wrong; what to do"
 * @ret_hba  the adapter; its node is linked, not attached
 *
 * Returns:  0
 *           -EINVAL   an address used twice or out of range, a size that does not fit, a port
 *                     that is described twice or amiss
 *           -EBUSY    a file is in use by another process
 *           -EISDIR, -ENOENT, -EACCES, ... from the file or the state directory; -ENOMEM
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

/* soft_hba_disks() - how many disks (units) it has */
size_t soft_hba_disks(struct soft_hba *hba);

/* soft_disk_info_get() - disk @index (0 .. soft_hba_disks() - 1, in order of declaration; when
 * one is removed those behind it move up).
 * Returns: 0, or -ENOENT */
int
soft_disk_info_get(struct soft_hba *hba, size_t index, struct soft_disk_info *ret) MUST_CHECK;

/* soft_disk_index() - the number of the disk at a numeric address, of the first port that has
 * it.
 * Returns: 0, or -ENOENT */
int soft_disk_index(
    struct soft_hba *hba, int32_t target, int32_t lun, size_t *ret_index) MUST_CHECK;

/* soft_disk_info_at() - the disk behind a unit: @iport and @address are what the unit is called
 * ("iport0" and "0,3"; "f" and "w5000c50012345678,0"). Returns: 0, or -ENOENT */
int soft_disk_info_at(struct soft_hba *hba, const char *iport, const char *address,
    struct soft_disk_info *ret) MUST_CHECK;

/* soft_ports(), soft_phys() - copy up to @max ports in order of appearance; the phys that have
 * ever been up. How many there are */
size_t soft_ports(struct soft_hba *hba, struct soft_port_info *ports, size_t max);
size_t soft_phys(struct soft_hba *hba, struct soft_phy_info *phys, size_t max);

/**
 * soft_target_add() - connect a target while the adapter runs
 *
 * @line      as soft_conf_parse(); without target= or wwn= the lowest free number of the port
 * @ret_addr  SOFT_ADDR_LEN bytes: "iport0/3,0", its first unit. May be NULL
 * @reterr    SOFT_ERR_LEN bytes
 *
 * Returns:  0
 *           -EINVAL   the line is wrong
 *           -EEXIST   the port has such a target; soft_lun_add() adds units to it
 *           -EBUSY    a target that was removed still has this address: a driver above has not
 *                     let it go yet. Or its file is in use
 *           -ENOENT   no such port: static adapters get no ports once they are attached
 *           -ENOSPC   no number is free
 *           -ENOMEM, and what the file says
 * Effect:   asynchronous; the target's units appear when the report has settled
 */
int soft_target_add(
    struct soft_hba *hba, const char *line, char *ret_addr, char *reterr) MUST_CHECK;

/**
 * soft_target_remove() - pull a target with all its units, or an expander
 *
 * @addr      "iport0/3"; a LUN behind it is not looked at. An expander: "iport0/w5000..."
 *
 * Returns:  0; -EINVAL (not understood); -ENOENT (no such target)
 * Effect:   commands of it have ended, or end as soon as the store lets go, with CMD_DEV_GONE;
 *           the nodes go when the drivers above allow it
 */
int soft_target_remove(struct soft_hba *hba, const char *addr, char *reterr) MUST_CHECK;

/**
 * soft_lun_add() - one or more units for a target that is there
 *
 * @line      as soft_conf_parse(), with target= or wwn=; without lun= the lowest free number
 * @ret_addr  as above: of the first unit
 *
 * Returns:  as soft_target_add(); -ENOENT also for an unknown target; -EEXIST when one of the
 *           units is there
 * Effect:   asynchronous; all units of the target report UNIT ATTENTION 3F/0E once, and the
 *           framework is asked to look (scsi_hba_tgtmap_scan_luns). Other units are not touched
 */
int
soft_lun_add(struct soft_hba *hba, const char *line, char *ret_addr, char *reterr) MUST_CHECK;

/* soft_lun_remove() - take one unit, "iport0/3,1", away; the target stays even without units.
 * Returns, and effect, as soft_target_remove(), with news as soft_lun_add() */
int soft_lun_remove(struct soft_hba *hba, const char *addr, char *reterr) MUST_CHECK;

/**
 * soft_disk_resize() - give a disk another size, or let it look at its file now
 *
 * @addr        "iport0/0,3"; without a LUN 0 is meant
 * @size_bytes  a multiple of the block; 0: what its file or device has
 *
 * A file that has grown or shrunk is noticed by itself within about a second.
 *
 * Returns:  0; -EINVAL; -ENOENT; -ENOTSUP (block devices, less memory); -ENOMEM (memory: more
 *           than was set aside); what the file system says
 * Effect:   initiators hear UNIT ATTENTION 2Ah/09h; commands behind a new end, LBA OUT OF RANGE
 */
int soft_disk_resize(
    struct soft_hba *hba, const char *addr, uint64_t size_bytes, char *reterr) MUST_CHECK;

/**
 * soft_disk_medium() - take the medium of a removable disk out, or put it in again
 *
 * Returns:  0; -EINVAL; -ENOENT; -ENOTSUP: not removable
 *           -EBUSY  an initiator prevents removal
 * Effect:   out: commands that need it fail with MEDIUM NOT PRESENT; in: UNIT ATTENTION 28h/00h
 */
int soft_disk_medium(
    struct soft_hba *hba, const char *addr, bool is_there, char *reterr) MUST_CHECK;

/**
 * soft_expander_add() - connect an expander
 *
 * @line      as soft_expander_parse()
 *
 * Returns:  0; -EINVAL; -EEXIST; -ENOENT (no such port); -ENOMEM
 * Effect:   asynchronous; a node "smp@w..." if the process has the driver "smp"
 */
int soft_expander_add(struct soft_hba *hba, const char *line, char *reterr) MUST_CHECK;

/**
 * soft_phy_up() - a cable now leads from @phy to @remote; soft_phy_down() - it does not any
 * more
 *
 * @local     the adapter's address for it; 0: its own
 * @remote    an address that a port has; any other makes a port without targets, labelled "w"
 *            and 16 digits
 *
 * To move a phy, take it down and up. A phy more or less for a port that stays does not rename
 * its iport.
 *
 * Returns:  0
 *           -EINVAL   no such phy, or @remote 0
 *           -ENOTSUP  the adapter is static
 *           -EEXIST   up: it is up already; -ENOENT: down: it is not up
 *           -ENOSPC   SOFT_PORTS ports are there
 * Effect:   asynchronous; the iport with its targets appears, or goes, when that has settled
 */
int soft_phy_up(struct soft_hba *hba, unsigned int phy, uint64_t local, uint64_t remote,
    char *reterr) MUST_CHECK;
int soft_phy_down(struct soft_hba *hba, unsigned int phy, char *reterr) MUST_CHECK;

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

/* soft_unit_attention() - let the disk at a numeric address report UNIT ATTENTION @asc/@ascq
 * once, as if something had happened to it. Returns: 0, or -ENOENT */
int soft_unit_attention(
    struct soft_hba *hba, int32_t target, int32_t lun, uint8_t asc, uint8_t ascq) MUST_CHECK;

#endif /* SOFT_SOFT_H */
