/*
 * soft/fault.h - let commands go wrong on purpose
 *
 * What      A set of rules. Each says which commands (target, unit, opcode, block range), how
 *           often (count, probability from a seeded generator) and what happens to them. The
 *           HBA asks fault_match() once for every command while there is a rule.
 * Order     Rules are asked from the oldest to the newest. A delay is noted and the search goes
 *           on (the longest delay counts); the first other action ends it.
 * Owner     The set is embedded in its HBA, which guards it by a lock. No memory of its own.
 * Limits    FAULT_MAX rules.
 */
#ifndef SOFT_FAULT_H
#define SOFT_FAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/rng.h"

#define FAULT_MAX	64
#define FAULT_ANY	(-1)
#define FAULT_ERR_LEN	320

enum fault_action {
	FAULT_NONE,
	FAULT_DELAY,		/* execute it delay_us later */
	FAULT_DROP,		/* never answer it; abort, reset and timeout get it back */
	FAULT_DUP,		/* execute it, return its tag twice; the second is dropped */
	FAULT_BUSY,		/* status BUSY */
	FAULT_QFULL,		/* status TASK SET FULL */
	FAULT_CHECK,		/* CHECK CONDITION with key, asc, ascq */
	FAULT_MEDIUM,		/* CHECK CONDITION 3/11/00 or 3/0C/00 and the bad block */
	FAULT_SHORT,		/* execute it, move no more than bytes */
	FAULT_BUS_RESET,	/* the bus is reset while it is outstanding */
	FAULT_GONE,		/* the unit does not exist any more: CMD_DEV_GONE */
	FAULT_TRAN_ERR,		/* transport error: CMD_TRAN_ERR */
	FAULT_RESID,		/* execute it, lie: bytes is the residual told */
	FAULT_STUCK,		/* never answer it; nothing but a reset of rule.until gets it back */
	FAULT_ACTION_N
};

/* what gets a stuck command back: that, or anything harder */
enum fault_until {
	FAULT_UNTIL_LUN,	/* a reset of the unit */
	FAULT_UNTIL_TARGET,
	FAULT_UNTIL_BUS,	/* of everything behind the port */
	FAULT_UNTIL_HBA,	/* of the HBA (tran_bus_reset) */
	FAULT_UNTIL_QUIESCE,	/* devo_quiesce */
	FAULT_UNTIL_N
};

struct fault_rule {
	uint32_t id;		/* set by fault_add() */
	enum fault_action action;
	int32_t target, lun;	/* FAULT_ANY, or the only one */
	int32_t opcode;		/* FAULT_ANY, or the only one, 0 .. 255 */
	uint8_t class;		/* opcodes by kind: 0 any, 'r' every READ, 'w' every WRITE */
	bool has_lba;		/* only commands that touch a block of first .. last */
	uint64_t lba_first, lba_last;
	uint32_t count;		/* times it acts; 0: without end */
	uint32_t prob_permille;	/* chance, 1 .. 1000 */
	uint64_t seed;		/* of that chance */
	uint64_t delay_us;	/* FAULT_DELAY */
	uint8_t key, asc, ascq;	/* FAULT_CHECK */
	uint64_t bytes;		/* FAULT_SHORT */
	enum fault_until until;	/* FAULT_STUCK */
	uint64_t hits;		/* fault_match() only: times it has acted */
};

/* what is known of a command before it is executed */
struct fault_subject {
	int32_t target, lun;
	const uint8_t *cdb;	/* @cdb_len bytes */
	size_t cdb_len;
	bool has_lba;		/* it addresses blocks */
	uint64_t lba, blocks;
};

/* what shall happen to it */
struct fault_verdict {
	enum fault_action action;	/* FAULT_NONE: see delay_us. Never FAULT_DELAY */
	uint32_t id;			/* of the rule that decided, 0 if none */
	uint64_t delay_us;
	uint8_t key, asc, ascq;
	uint64_t lba;			/* FAULT_MEDIUM: the first bad block */
	uint64_t bytes;			/* FAULT_SHORT */
	enum fault_until until;		/* FAULT_STUCK */
};

struct fault_set {
	struct fault_slot {
		struct fault_rule rule;
		struct rng rng;
		bool is_done;		/* count used up */
	} slots[FAULT_MAX];
	size_t nslots;			/* in order of age */
	uint32_t last_id;
};

/**
 * fault_parse() - a rule in words
 *
 * @text     action=NAME[,WORD=VALUE]... with
 *             action  delay drop dup busy qfull check medium short bus_reset gone tran_err
 *                     resid stuck
 *             target=N lun=N          only there
 *             op=read|write|0xNN      only those; a name stands for all lengths of the command
 *             lba=N or lba=N-M        only commands that touch these blocks
 *             count=N                 N times, then the rule sleeps (default: without end)
 *             prob=N                  in N of 1000 cases (default 1000), drawn with seed=N
 *             us=N ms=N s=N           the time, at most an hour (delay: one of them, required)
 *             sense=K/ASC/ASCQ        hex (check: required)
 *             until=NAME              lun, target, bus, hba or quiesce (stuck only; default
 *             lun) bytes=SIZE              most bytes moved (short: required), residual told
 *             (resid:
 *                                     required)
 * @ret      the rule, without id
 * @reterr   FAULT_ERR_LEN bytes: the word, what is wrong, what would be right
 *
 * Returns:  0, or -EINVAL
 */
int fault_parse(const char *text, struct fault_rule *ret, char *reterr) MUST_CHECK;

#define FAULT_TEXT_LEN	256

/* fault_format() - the rule in the words of fault_parse() */
char *fault_format(const struct fault_rule *rule, char buf[FAULT_TEXT_LEN]);

/* fault_action_name() - "delay" .. "stuck"; "none" */
const char *fault_action_name(enum fault_action action);

/* fault_set_init() - no rules */
void fault_set_init(struct fault_set *set);

/* fault_add() - append a rule. Returns: 0, or -ENOSPC */
int
fault_add(struct fault_set *set, const struct fault_rule *rule, uint32_t *ret_id) MUST_CHECK;

/* fault_remove() - one rule, or all of them (0). Returns: 0, or -ENOENT */
int fault_remove(struct fault_set *set, uint32_t id) MUST_CHECK;

/* fault_is_armed() - is there a rule that may still act? */
bool fault_is_armed(const struct fault_set *set);

/* fault_match() - what shall happen to this command? Counts and draws as a side effect */
struct fault_verdict fault_match(struct fault_set *set, const struct fault_subject *subject);

#endif /* SOFT_FAULT_H */
