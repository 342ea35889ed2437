/*
 * lu/token.h - ROD tokens: data of a unit at a point in time, under a name nobody can guess
 *
 * What      POPULATE TOKEN makes a token for ranges of a unit, WRITE USING TOKEN writes what it
 *           stands for. Nothing is copied meanwhile: tokens are "point in time, change
 *           vulnerable" (00800001h). A token is worth nothing any more as soon as a command
 *           that could change one of its blocks is sent to the device, when nobody used it for
 *           its inactivity timeout, and when the unit goes. A WRITE USING TOKEN that reads
 *           while that happens stops before the changed data is written.
 * Zeros     The well known token FFFF0001h stands for zeros and is never made.
 * Access    A token alone opens nothing: who uses it needs the source unit in its view with
 *           READ, and reads it as itself (mover.h), so reservations and access states hold.
 * Ends      05h 23h/.. for tokens: 01h type, 04h unknown (also: not in the view), 05h corrupt,
 *           06h revoked because of a change, 07h expired, 08h cancelled, 0Ah length; 05h
 *           55h/0Dh when TOKEN_MAX are in use; and those of copy.h.
 * Thread    Tokens: any, one short lock. Commands: the home of the unit that got them.
 * Limits    TOKEN_MAX tokens in the process, TOKEN_UNIT_MAX of a unit; token_list.h
 * Source    SBC-3 4.28, 5.7, 5.43; SPC-4 5.16.6
 */
#ifndef LU_TOKEN_H
#define LU_TOKEN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "lu/token_list.h"

struct lu;
struct lu_task;
struct token;

#define TOKEN_MAX		256
#define TOKEN_UNIT_MAX		64

/* ------ tokens ------ */

/**
 * token_new() - a token for the ranges of @list
 *
 * @ret      its bytes
 *
 * Returns:  0
 *           -EBUSY    the device is at work on a command that may change them
 *           -ENOSPC   too many tokens
 *           -ENOMEM
 *           -EIO      no random numbers
 * Thread:   the unit's home
 */
int token_new(struct lu *lu, const struct token_list *list,
    uint8_t ret[COPY_TOKEN_LEN]) MUST_CHECK;

/**
 * token_find() - the token that @bytes are; using it makes it live on
 *
 * @ret      a reference
 *
 * Returns:  ASC_NONE, or the ASC_* that says why not
 */
uint16_t token_find(const uint8_t bytes[COPY_TOKEN_LEN], struct token **ret) MUST_CHECK;
void token_unref(struct token *token);		/* NULL is fine */

/* token_is_good() - nothing that it stands for has changed; any thread */
bool token_is_good(const struct token *token);

/* token_cancel() - nobody needs it any more */
void token_cancel(struct token *token);

/* what it stands for; constant */
uint64_t token_unit_id(const struct token *token);
uint32_t token_block_bytes(const struct token *token);
uint64_t token_blocks(const struct token *token);
const struct token_range *token_ranges(const struct token *token, unsigned int *ret_n);

/* token_report() - the parts in the clear (TOKEN_MANAGE_LEN bytes each) of a unit's good
 * tokens; how many, at most @max */
size_t token_report(uint64_t unit_id, uint8_t *buf, size_t max);

/**
 * lu_token_note() - @task goes to the device: tokens of blocks that it may change are over
 *
 * Thread:   the unit's home; for every command, while the unit has tokens
 */
void lu_token_note(struct lu *lu, const struct lu_task *task);

/* lu_token_lost() - another medium: all tokens of the unit are over */
void lu_token_lost(struct lu *lu);

/* lu_token_fini() - the unit goes, and its tokens with it */
void lu_token_fini(struct lu *lu);

/* ------ handlers (lu_local_ops) ------ */

void lu_token_do_populate(struct lu *lu, struct lu_task *task);
void lu_token_do_write(struct lu *lu, struct lu_task *task);
void lu_token_do_receive(struct lu *lu, struct lu_task *task);
void lu_token_do_report(struct lu *lu, struct lu_task *task);

#endif /* LU_TOKEN_H */
