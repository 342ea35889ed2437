/*
 * lu/copy_result.h - what is told of third-party copies: while they run, and afterwards
 *
 * What      A unit keeps a list of copies; each belongs to a nexus and has a list identifier.
 *           Those that run bound how many may; those that are over are held until the same
 *           identifier is used again, the nexus goes, or too many younger ones are held.
 * Thread    The unit's home; the bound over all units is an atomic counter.
 * Limits    COPY_UNIT_MAX, COPY_TOTAL_MAX running; COPY_HELD_MAX held of a unit
 * Source    SPC-4 5.16.4
 */
#ifndef LU_COPY_RESULT_H
#define LU_COPY_RESULT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/compiler.h"
#include "lu/copy_list.h"
#include "scsi/sense.h"

struct lu;
struct lu_nexus;

#define COPY_HELD_MAX	64	/* results held for all nexuses of a unit */

/* service actions that results are of: their identifiers are apart */
enum copy_family { COPY_FAMILY_LID1, COPY_FAMILY_TOKEN };

struct copy_result {
	TAILQ_ENTRY(copy_result) entry;	/* copy_result.c only */
	const struct lu_nexus *nexus;
	enum copy_family family;
	bool has_id;
	uint32_t id;
	uint8_t action;			/* service action */
	enum copy_state state;
	bool is_partial;		/* a token held more than was asked for */
	uint16_t n_segments;		/* processed */
	uint64_t bytes;			/* moved, or represented by the token */
	uint32_t block_bytes;		/* of the unit when it began; 0 unless a token's */
	uint8_t sense_len;
	uint8_t sense[SENSE_LEN_MAX];
	bool has_token;
	uint8_t token[COPY_TOKEN_LEN];
};

/* copy_result_new() - NULL: no memory */
struct copy_result *copy_result_new(void);

/* copy_result_find() - NULL if there is none */
struct copy_result *copy_result_find(const struct lu *lu, const struct lu_nexus *nexus,
    enum copy_family family, uint32_t id);

/**
 * copy_result_begin() - @result runs; older ones with its identifier are forgotten
 *
 * Returns:  0
 *           -EEXIST   one with this identifier runs
 *           -EBUSY    too many run
 *           -ENOMEM
 * Owner:    the list, until copy_result_end()
 */
int copy_result_begin(struct lu *lu, struct copy_result *result) MUST_CHECK;

/* copy_result_end() - it is over; @sense NULL: it went well. Held or freed. Not for
 * one that was not begun: that is free()d */
void copy_result_end(struct lu *lu, struct copy_result *result, bool is_held,
    const struct sense_data *sense);

/* copy_result_drop() - forget one that is over */
void copy_result_drop(struct lu *lu, struct copy_result *result);

#endif /* LU_COPY_RESULT_H */
