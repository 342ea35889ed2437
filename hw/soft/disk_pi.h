/*
 * soft/disk_pi.h - protection information: eight bytes that say what a block should be
 *
 * What      A tuple follows each block where it travels, and stays in a store of its own: guard
 *           (CRC of the data), application tag, reference tag. With type 1 the reference tag is
 *           the end of the block's address, with type 3 nobody knows what it is.
 * Escape    Application tag FFFFh (type 3: and reference tag FFFFFFFFh): nothing is checked. A
 *           block that was never written, or was unmapped, has all ones. The store keeps the
 *           complement, so that its holes are just that.
 * Limits    Protection interval: the whole block. Types 1 and 3.
 * Source    SBC-3 4.22
 */
#ifndef SOFT_DISK_PI_H
#define SOFT_DISK_PI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PI_BYTES	8u	/* of a tuple */

/* what is looked at */
#define PI_GUARD	0x01
#define PI_APP		0x02
#define PI_REF		0x04

struct pi_rules {
	uint8_t type;		/* 1 or 3 */
	int32_t app_tag;	/* what all application tags are; below 0: not known */
	uint32_t block_bytes;
};

/* pi_is_protect() - RDPROTECT, WRPROTECT, VRPROTECT: is there such a value? */
bool pi_is_protect(uint8_t protect);

/* pi_checks() - what @protect wants checked (0 too: of what is read) */
uint8_t pi_checks(uint8_t protect);

/* pi_make() - tuples for @blocks blocks of @data from @lba on */
void pi_make(const struct pi_rules *rules, const uint8_t *data, uint64_t lba, uint64_t blocks,
    uint8_t *tuples);

/**
 * pi_check() - do the tuples fit the blocks?
 *
 * @checks   PI_*; what the type does not define, or nobody knows, is not checked
 * @ret_lba  the first block that is wrong
 *
 * Returns:  0, or the sense code: ASC_GUARD_CHECK_FAILED, ASC_APP_TAG_CHECK_FAILED,
 *           ASC_REF_TAG_CHECK_FAILED
 */
uint16_t pi_check(const struct pi_rules *rules, uint8_t checks, const uint8_t *data,
    uint64_t lba, uint64_t blocks, const uint8_t *tuples, uint64_t *ret_lba);

/* pi_step() - the tuple of the block behind the one that has @tuple: type 1 counts */
void pi_step(const struct pi_rules *rules, uint8_t tuple[PI_BYTES]);

/* pi_flip() - between tuples and what the store keeps of them */
void pi_flip(uint8_t *tuples, size_t bytes);

#endif /* SOFT_DISK_PI_H */
