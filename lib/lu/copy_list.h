/*
 * lu/copy_list.h - EXTENDED COPY(LID1) parameter lists, RECEIVE COPY RESULTS data, page 8Fh
 *
 * What      The words of third-party copy, read and written; what they do is copy.h's. Limits
 *           that initiators are told and lists are held to stand here once.
 * Thread    Any; no state.
 * Source    SPC-4 5.16, 6.4 (EXTENDED COPY), 6.18 to 6.21 (RECEIVE COPY ...), 7.8.17 (page 8Fh)
 */
#ifndef LU_COPY_LIST_H
#define LU_COPY_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "scsi/sense.h"

#define COPY_HDR_LEN		16
#define COPY_CSCD_LEN		32
#define COPY_CSCD_MAX		16	/* CSCD descriptors of a list */
#define COPY_SEGMENT_MAX	64	/* segment descriptors of a list */
#define COPY_SEGMENT_LEN_MAX	32	/* bytes of the longest that is known */
#define COPY_DESCR_MAX	(COPY_CSCD_MAX * COPY_CSCD_LEN + COPY_SEGMENT_MAX * COPY_SEGMENT_LEN_MAX)
#define COPY_LIST_MAX		(COPY_HDR_LEN + COPY_DESCR_MAX)
#define COPY_BYTES_MAX		(256u << 20)	/* of one segment */
#define COPY_UNIT_MAX		8	/* copies at a time, of one unit */
#define COPY_TOTAL_MAX		64	/* of all units */
#define COPY_SELF		0xffff	/* CSCD identifier: the unit that got the command */
#define COPY_DESIG_MAX		20	/* bytes of a designator in a CSCD descriptor */
#define COPY_TOKEN_LEN		512	/* a ROD token */

/* LIST ID USAGE */
enum copy_usage {
	COPY_HOLD	= 0,	/* results are held */
	COPY_DISCARD	= 2,	/* they are not, when all went well */
	COPY_NO_ID	= 3,	/* there is no list identifier, and nothing is held */
};

/* a designator as a CSCD descriptor of type E4h has it */
struct copy_desig {
	uint8_t code_set;
	uint8_t type;			/* designator type; the association is the unit's */
	uint8_t len;			/* 1..COPY_DESIG_MAX */
	uint8_t data[COPY_DESIG_MAX];
};

struct copy_cscd {
	struct copy_desig desig;
	uint32_t block_bytes;		/* 0: not told */
	uint16_t at;			/* where its descriptor begins in the list */
};

struct copy_segment {
	uint16_t src, dst;		/* CSCD identifiers */
	uint16_t at;			/* where its descriptor begins in the list */
	bool is_in_bytes;		/* count is in bytes (0Ah), not blocks (02h) */
	bool is_of_dst;			/* blocks are those of the destination (DC) */
	uint32_t count;
	uint64_t src_lba, dst_lba;
	uint16_t src_offset, dst_offset;	/* bytes behind the LBA (0Ah) */
};

struct copy_list {
	uint8_t id;
	uint8_t usage;			/* enum copy_usage */
	uint8_t n_cscds;
	uint8_t n_segments;
	struct copy_cscd cscds[COPY_CSCD_MAX];
	struct copy_segment segments[COPY_SEGMENT_MAX];
};

/**
 * copy_list_parse() - read a parameter list, all of it, before anything is done
 *
 * @list     @len bytes of a private copy, at least 1
 * @ret      the list
 * @reterr   the sense data: ILLEGAL REQUEST with 1Ah/00h (lengths), 26h/00h and a field
 *           pointer, 26h/06h and /07h (CSCD descriptors: too many, type), 26h/08h and /09h
 *           (segment descriptors), 26h/0Bh (inline data)
 *
 * Only CSCD descriptors E4h (identification) of the logical unit and block devices, and segment
 * descriptors 02h and 0Ah are known. LU ID TYPE, NUL, PAD, CAT and PRIORITY are not looked at.
 *
 * Returns:  0
 *           -EBADMSG   @reterr is set
 */
int copy_list_parse(const uint8_t *list, size_t len, struct copy_list *ret,
    struct sense_data *reterr) MUST_CHECK;

/**
 * copy_segment_bytes() - a segment as bytes of both ends
 *
 * @src_block, @dst_block  bytes of a block there; above 0
 *
 * Returns:  0
 *           -EINVAL     neither end may begin or end inside a block; what the segment says does
 *           -EMSGSIZE   more than COPY_BYTES_MAX
 *           -ERANGE     an address wraps
 */
int copy_segment_bytes(const struct copy_segment *segment, uint32_t src_block,
    uint32_t dst_block, uint64_t *ret_src, uint64_t *ret_dst, uint32_t *ret_bytes) MUST_CHECK;

/* ------ data-in ------ */

#define COPY_PARAMETERS_LEN	47
#define COPY_STATUS_LEN		12
#define COPY_FAILURE_MAX	(60 + SENSE_LEN_MAX)
#define COPY_PAGE_MAX		512

/* COPY MANAGER STATUS */
enum copy_state {
	COPY_RUNNING	= 0,
	COPY_GOOD	= 1,
	COPY_FAILED	= 2,
};

/* RECEIVE COPY OPERATING PARAMETERS, RECEIVE COPY STATUS(LID1), RECEIVE COPY FAILURE
 * DETAILS(LID1); bytes at @buf */
size_t copy_put_parameters(uint8_t buf[COPY_PARAMETERS_LEN]);
size_t copy_put_status(enum copy_state state, uint16_t n_segments, uint64_t bytes,
    uint8_t buf[COPY_STATUS_LEN]);
size_t copy_put_failure(uint8_t status, const uint8_t *sense, size_t sense_len,
    uint8_t buf[COPY_FAILURE_MAX]);

/* copy_put_page() - page 8Fh of a unit with blocks of @block_bytes (0: not known); bytes at
 * @buf */
size_t copy_put_page(uint8_t type_qual, uint32_t block_bytes, uint8_t buf[COPY_PAGE_MAX]);

#endif /* LU_COPY_LIST_H */
