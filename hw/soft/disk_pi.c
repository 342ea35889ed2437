#include "hw/soft/disk_pi.h"

#include <isa-l/crc.h>

#include "base/bytes.h"
#include "base/num.h"
#include "scsi/asc.h"

static const uint8_t protect_checks[] = {
	[0] = PI_GUARD | PI_APP | PI_REF,
	[1] = PI_GUARD | PI_APP | PI_REF,
	[2] = PI_APP | PI_REF,
	[3] = 0,
	[4] = PI_GUARD,
	[5] = PI_GUARD | PI_APP | PI_REF,
};

bool
pi_is_protect(uint8_t protect)
{
	return protect < ARRAY_LEN(protect_checks);
}

uint8_t
pi_checks(uint8_t protect)
{
	return protect_checks[protect];
}

static uint32_t
pi_ref_of(const struct pi_rules *rules, uint64_t lba)
{
	return rules->type == 1 ? (uint32_t)lba : UINT32_MAX;
}

void
pi_make(const struct pi_rules *rules, const uint8_t *data, uint64_t lba, uint64_t blocks,
    uint8_t *tuples)
{
	uint16_t app = rules->app_tag < 0 ? 0 : (uint16_t)rules->app_tag;

	for (uint64_t i = 0; i < blocks; i++) {
		be16_put(tuples, crc16_t10dif(0, data, rules->block_bytes));
		be16_put(tuples + 2, app);
		be32_put(tuples + 4, pi_ref_of(rules, lba + i));
		data += rules->block_bytes;
		tuples += PI_BYTES;
	}
}

static bool
pi_is_escape(const struct pi_rules *rules, const uint8_t *tuple)
{
	return be16_get(tuple + 2) == UINT16_MAX &&
	    (rules->type == 1 || be32_get(tuple + 4) == UINT32_MAX);
}

static uint16_t
pi_check_one(const struct pi_rules *rules, uint8_t checks, const uint8_t *data, uint64_t lba,
    const uint8_t *tuple)
{
	if (pi_is_escape(rules, tuple))
		return 0;
	if ((checks & PI_GUARD) != 0 &&
	    crc16_t10dif(0, data, rules->block_bytes) != be16_get(tuple))
		return ASC_GUARD_CHECK_FAILED;
	if ((checks & PI_APP) != 0 && rules->app_tag >= 0 &&
	    be16_get(tuple + 2) != rules->app_tag)
		return ASC_APP_TAG_CHECK_FAILED;
	if ((checks & PI_REF) != 0 && rules->type == 1 && be32_get(tuple + 4) != (uint32_t)lba)
		return ASC_REF_TAG_CHECK_FAILED;
	return 0;
}

uint16_t
pi_check(const struct pi_rules *rules, uint8_t checks, const uint8_t *data, uint64_t lba,
    uint64_t blocks, const uint8_t *tuples, uint64_t *ret_lba)
{
	for (uint64_t i = 0; i < blocks; i++) {
		uint16_t asc = pi_check_one(rules, checks, data + i * rules->block_bytes,
		    lba + i, tuples + i * PI_BYTES);

		if (asc != 0) {
			*ret_lba = lba + i;
			return asc;
		}
	}
	return 0;
}

void
pi_step(const struct pi_rules *rules, uint8_t tuple[PI_BYTES])
{
	if (rules->type == 1)
		be32_put(tuple + 4, be32_get(tuple + 4) + 1);
}

void
pi_flip(uint8_t *tuples, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		tuples[i] ^= 0xff;
}
