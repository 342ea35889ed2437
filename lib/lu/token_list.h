/*
 * lu/token_list.h - parameter lists and answers of the commands about ROD tokens
 *
 * What      The words of POPULATE TOKEN, WRITE USING TOKEN, RECEIVE ROD TOKEN INFORMATION and
 *           REPORT ALL ROD TOKENS, read and written; what they mean is token.h's.
 * Thread    Any; no state.
 * Source    SBC-3 5.7 (POPULATE TOKEN), 5.43 (WRITE USING TOKEN), 6.6.6; SPC-4 5.16.6, 6.22,
 *           6.37
 */
#ifndef LU_TOKEN_LIST_H
#define LU_TOKEN_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "lu/copy_list.h"
#include "scsi/sense.h"

#define TOKEN_RANGE_MAX		64	/* range descriptors of a list */
#define TOKEN_RANGE_LEN		16
#define TOKEN_POPULATE_HDR	16
#define TOKEN_WRITE_HDR		536
#define TOKEN_LIST_MAX		(TOKEN_WRITE_HDR + TOKEN_RANGE_MAX * TOKEN_RANGE_LEN)
#define TOKEN_BYTES_MAX		COPY_BYTES_MAX	/* of one command */
#define TOKEN_IDLE_DEFAULT_S	60
#define TOKEN_IDLE_MAX_S	600
#define TOKEN_MANAGE_LEN	96	/* of a token: what REPORT ALL ROD TOKENS gives away */

/* ROD types */
#define TOKEN_TYPE_DEFAULT	0x00000000u	/* as we like */
#define TOKEN_TYPE_VULNERABLE	0x00800001u	/* point in time, change vulnerable */
#define TOKEN_TYPE_ANY_POINT	0x0080ffffu	/* point in time, any */
#define TOKEN_TYPE_ZERO		0xffff0001u	/* block device zeros: needs no POPULATE */

struct token_range {
	uint64_t lba;
	uint32_t blocks;
};

struct token_list {
	bool is_del;			/* DEL_TKN: not needed any more */
	uint32_t idle_s;		/* INACTIVITY TIMEOUT, 1..TOKEN_IDLE_MAX_S */
	uint64_t offset;		/* OFFSET INTO ROD, in blocks */
	unsigned int n_ranges;
	uint64_t blocks;		/* of all ranges */
	struct token_range ranges[TOKEN_RANGE_MAX];
	uint8_t token[COPY_TOKEN_LEN];
};

/**
 * token_populate_parse(), token_write_parse() - read a parameter list
 *
 * @list     @len bytes of a private copy, at least 1
 * @capacity blocks of the unit, @block_bytes of each: ranges must lie inside
 * @reterr   the sense data: 05h with 1Ah/00h, 26h/00h (a field; ranges that overlap; more bytes
 *           than TOKEN_BYTES_MAX), 26h/08h (too many ranges), 21h/00h
 *
 * IMMED is not looked at: commands end when the work is done.
 *
 * Returns:  0
 *           -EBADMSG   @reterr is set
 */
int token_populate_parse(const uint8_t *list, size_t len, uint64_t capacity,
    uint32_t block_bytes, struct token_list *ret, struct sense_data *reterr) MUST_CHECK;
int token_write_parse(const uint8_t *list, size_t len, uint64_t capacity, uint32_t block_bytes,
    struct token_list *ret, struct sense_data *reterr) MUST_CHECK;

/* what a token says in the clear; the rest of it is a secret */
struct token_says {
	uint32_t type;
	uint64_t id;			/* COPY MANAGER ROD TOKEN IDENTIFIER */
	const struct copy_desig *creator;	/* of the unit; NULL: it has none */
	uint32_t block_bytes;
	uint64_t bytes;
	uint8_t secret[32];
};

/* token_put() - the token */
void token_put(const struct token_says *says, uint8_t token[COPY_TOKEN_LEN]);

/**
 * token_read() - is this a token that could be one of ours?
 *
 * @ret_type   ROD TYPE
 * @ret_id     its identifier
 *
 * Returns:  ASC_NONE, or why not: ASC_TOKEN_TYPE, ASC_TOKEN_LENGTH
 */
uint16_t token_read(const uint8_t token[COPY_TOKEN_LEN], uint32_t *ret_type, uint64_t *ret_id);

/* what RECEIVE ROD TOKEN INFORMATION tells */
struct token_info {
	uint8_t action;			/* service action of the command */
	enum copy_state state;
	bool is_partial;
	uint16_t n_segments;
	uint64_t blocks;		/* TRANSFER COUNT */
	const uint8_t *sense;		/* sense_len bytes */
	uint8_t sense_len;
	const uint8_t *token;		/* NULL: none */
};

#define TOKEN_INFO_MAX		(32 + SENSE_LEN_MAX + 4 + 2 + COPY_TOKEN_LEN)

/* token_put_info() - its parameter data; bytes at @buf */
size_t token_put_info(const struct token_info *info, uint8_t buf[TOKEN_INFO_MAX]);

#endif /* LU_TOKEN_LIST_H */
