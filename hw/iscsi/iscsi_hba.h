/*
 * iscsi/iscsi_hba.h - the iSCSI initiator HBA as its owner sees it
 *
 * What      An HBA whose bus is the network: each target of its configuration is a remote iSCSI
 *           target, found at a portal, logged in to, and shown to the framework as a target of
 *           a target map. Its logical units are found by the framework (REPORT LUNS), like
 *           those of any other adapter. The owner (the daemon, a test) puts the configuration
 *           into properties of a node that is called ISCSI_HBA_DRIVER, attaches it, and may
 *           look at what has become of the targets.
 * Addresses One port, "iport0". A target's address is its place in the configuration, in
 *           hexadecimal from "0".
 * Sessions  One session of one connection each, in a thread of its own: a target that does not
 *           answer, or whose name does not resolve, holds nobody else up.
 *
 *             login          the target is reported, its units appear
 *             session lost   commands that were under way end with CMD_TRAN_ERR: nobody knows
 *                            how far they came. New ones wait. Logins are tried again at once,
 *                            and then after pauses that double up to retry=
 *             grace= over    the target is reported gone: what waits ends with CMD_DEV_GONE.
 *                            Logins go on; it comes back when one succeeds
 *
 *           A redirected login (RFC 7143 11.13.5, status class 1) goes to the new address, for
 *           this login only. The ISID depends on the names of HBA and target alone, so that a
 *           new session takes the place of a lost one and persistent reservations stay ours.
 * Trust     What a target sends is judged before libiscsi acts on it (screen.h): a lie ends its
 *           session and nothing else.
 * Life      iscsi_mod_init() -> node with properties -> devi_attach() -> ... -> devi_detach().
 *           Attach waits up to ISCSI_HBA_FIRST_MS for the first word of each target.
 * Thread    Any that may block.
 * Limits    ISCSI_HBA_TARGETS targets; LUNs of one level (the first two bytes); CDBs of up to
 *           16 bytes; all commands go out with the task attribute SIMPLE; no data digests
 *           (libiscsi has none); automatic sense only.
 * Source    RFC 7143; scsi_hba_attach_setup(9F), scsi_hba_tgtmap_create(9F)
 */
#ifndef ISCSI_ISCSI_HBA_H
#define ISCSI_ISCSI_HBA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/dditypes.h>

#include "base/compiler.h"

#define ISCSI_HBA_DRIVER	"iscsi"		/* name of driver and node */
#define ISCSI_HBA_IPORT		"iport0"
#define ISCSI_HBA_TARGETS	64
#define ISCSI_HBA_FIRST_MS	3000
#define ISCSI_HBA_ERR_LEN	320		/* room that every reterr text fits in */
#define ISCSI_HBA_NAME_LEN	224		/* iSCSI name with its NUL (RFC 7143 4.2.7.1) */
#define ISCSI_HBA_PORTAL_LEN	240		/* "host:port", "[v6]:port" with its NUL */
#define ISCSI_HBA_USER_LEN	256
#define ISCSI_HBA_SECRET_MIN	12		/* bytes: RFC 7143 9.2.1 asks for 96 bits */
#define ISCSI_HBA_SECRET_MAX	255
#define ISCSI_HBA_DEPTH_MAX	256		/* commands of one session */

/* properties of the node, read by attach(9E) */
#define ISCSI_HBA_PROP_TARGETS	"targets"	/* string array: see iscsi_hba_target_parse() */
#define ISCSI_HBA_PROP_NAME	"initiator"	/* string: iSCSI name of the initiator; without
						 * it one is made from the host's name */

enum iscsi_hba_digest {
	ISCSI_HBA_DIGEST_NONE,		/* offers None */
	ISCSI_HBA_DIGEST_PREFER,	/* offers CRC32C,None */
	ISCSI_HBA_DIGEST_CRC32C,	/* offers CRC32C, and takes nothing else */
	ISCSI_HBA_DIGEST_N,
};

struct iscsi_hba_chap {
	char user[ISCSI_HBA_USER_LEN];	/* empty: none */
	char secret[ISCSI_HBA_SECRET_MAX + 1];
};

struct iscsi_hba_target {
	char portal[ISCSI_HBA_PORTAL_LEN];
	char name[ISCSI_HBA_NAME_LEN];
	struct iscsi_hba_chap chap;	/* what we prove to the target */
	struct iscsi_hba_chap mutual;	/* what it proves to us; needs the former */
	enum iscsi_hba_digest header_digest;
	uint32_t depth;			/* commands given to the target at one time */
	uint32_t login_ms;		/* connect and login together */
	uint32_t grace_ms;		/* from the loss of a session to that of the target */
	uint32_t retry_ms;		/* longest pause between logins */
	uint32_t ping_ms;		/* quiet for so long: NOP-Out, and as long for its answer;
					 * 0: never */
	uint32_t task_ms;		/* for the answer to a task management function */
};

/* how a target is now */
struct iscsi_hba_info {
	char address[8];		/* "0" */
	char portal[ISCSI_HBA_PORTAL_LEN];	/* where the session is, or is tried */
	char name[ISCSI_HBA_NAME_LEN];
	const char *state;		/* "down", "opening", "up", "ending", "over" */
	bool is_reported;		/* the framework knows it */
	char error[ISCSI_HBA_ERR_LEN];	/* why the last session or login ended; "" */
	uint32_t queued, sent;		/* commands that wait, and that the target has */
	uint64_t logins, losses, redirects, refused_logins;
	uint64_t commands, read_bytes, written_bytes;
	uint64_t aborted, reset, timed_out, lost;	/* packets ended by these */
	uint64_t liars;			/* answers that cannot be */
};

/* iscsi_mod_init(), iscsi_mod_fini() - register and remove the driver: its _init(9E),
 * _fini(9E).
 * Returns: 0, or an errno value (positive, as the manual page says) */
int iscsi_mod_init(void);
int iscsi_mod_fini(void);

/* iscsi_hba_target_init() - a target with every default, without portal and name */
void iscsi_hba_target_init(struct iscsi_hba_target *target);

/**
 * iscsi_hba_target_parse() - one line that names a target
 *
 * @text     iscsi://HOST[:PORT]/NAME[,OPTION]... HOST may be [an IPv6 address]; PORT is 3260
 *           unless given; options, each at most once:
 *             user=NAME,secret_file=PATH    CHAP; the file is read now
 *             mutual_user=NAME,mutual_secret_file=PATH
 *             header_digest=none|prefer|crc32c  data_digest=none
 *             depth=N  login=TIME  grace=TIME  retry=TIME  ping=TIME  task=TIME
 *           A TIME is seconds, or milliseconds with "ms" behind
 * @ret      the target; complete, defaults included. Holds secrets: iscsi_hba_target_wipe()
 * @reterr   ISCSI_HBA_ERR_LEN bytes: what is wrong with which word, and what would be right
 *
 * Returns:  0
 *           -EINVAL   not understood, contradictory, or a secret of a wrong length
 *           -EACCES, -ENOENT ...  a secret's file cannot be read
 */
int iscsi_hba_target_parse(
    const char *text, struct iscsi_hba_target *ret, char *reterr) MUST_CHECK;

/* iscsi_hba_target_wipe() - forget its secrets */
void iscsi_hba_target_wipe(struct iscsi_hba_target *target);

/**
 * iscsi_hba_name_check() - is this an iSCSI name in its normal form?
 *
 * Returns:  0; -EINVAL (@reterr, ISCSI_HBA_ERR_LEN bytes, says why)
 */
int iscsi_hba_name_check(const char *name, char *reterr) MUST_CHECK;

/**
 * iscsi_hba_info_get() - one target of an attached adapter
 *
 * @dip      the adapter's node
 * @index    from 0, in the order of the configuration
 *
 * Returns:  0; -ENOENT: no such target, or @dip is none of ours
 */
int iscsi_hba_info_get(dev_info_t *dip, size_t index, struct iscsi_hba_info *ret) MUST_CHECK;

#endif /* ISCSI_ISCSI_HBA_H */
