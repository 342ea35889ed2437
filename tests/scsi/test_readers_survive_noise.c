/* every reader of foreign bytes, fed noise of every length, stays inside it */
#include "check_main.h"
#include "base/rng.h"
#include "scsi/cdb.h"
#include "scsi/inquiry.h"
#include "scsi/lun.h"
#include "scsi/mode.h"
#include "scsi/sense.h"
#include "scsi/vpd.h"

#include <string.h>

#define ROUNDS	200
#define LEN_MAX	96

static void
read_sense(const uint8_t *buf, size_t len)
{
	struct sense_data s;
	char text[SENSE_TEXT_LEN];

	if (sense_parse(buf, len, &s) == 0)
		ck_assert_uint_gt(strlen(sense_format(&s, text, sizeof(text))), 0);
}

static void
read_cdb(const uint8_t *buf, size_t len)
{
	struct cdb_info info;
	uint8_t byte, bit;

	(void)op_find(buf, len);
	if (cdb_decode(buf, len, 4096, &info) == 0 && info.is_known) {
		ck_assert_uint_le(info.cdb_len, len);
		(void)cdb_reserved_bit(info.op, buf, len, &byte, &bit);
		(void)cdb_fua(info.op, buf);
	}
}

static void
read_inquiry(const uint8_t *buf, size_t len)
{
	struct inq_std inq;
	struct vpd_limits limits;
	struct vpd_desig_walk walk;
	struct vpd_desig d;
	char text[32];
	uint8_t pages[256];
	size_t n;

	(void)!inq_parse_std(buf, len, &inq);
	(void)!vpd_parse_limits(buf, len, &limits);
	(void)!vpd_parse_serial(buf, len, text, sizeof(text));
	(void)!vpd_parse_supported(buf, len, pages, &n);
	if (vpd_desig_begin(buf, len, &walk) == 0) {
		while (vpd_desig_next(&walk, &d) == 1)
			ck_assert_uint_lt(strlen(vpd_desig_format(&d, text, sizeof(text))), 32);
	}
}

static void
read_mode(const uint8_t *buf, size_t len, bool is_10)
{
	static const uint8_t mask[20] = { 0, 0, 0xff };
	uint8_t current[20] = { 0x08, 0x12 };
	struct modepage page = { 0x08, 0, 20, current, mask, current, NULL };
	struct mode_unit unit = { .has_bd = true, .blocks = 8, .block_size = 512 };
	struct mode_select sel = { .is_10 = is_10, .unit = &unit };
	struct sense_data s;
	struct mode_walk walk;
	struct mode_view v;
	uint64_t changed;

	if (mode_walk_begin(buf, len, is_10, &walk) == 0) {
		while (mode_walk_next(&walk, &v) == 1)
			ck_assert_uint_le(v.offset + v.len, len);
	}
	(void)!mode_select_apply(&sel, buf, len, &page, 1, &changed, &s);
}

static void
read_all(const uint8_t *buf, size_t len)
{
	uint64_t luns[8];
	size_t n, total;

	read_sense(buf, len);
	read_cdb(buf, len);
	read_inquiry(buf, len);
	read_mode(buf, len, false);
	read_mode(buf, len, true);
	(void)!lunfmt_report_parse(buf, len, luns, 8, &n, &total);
}

/* pure noise rarely gets past a first byte: half of it starts as something known does */
static void
shape(uint8_t *buf, size_t len, uint32_t what)
{
	static const uint8_t heads[][5] = {{0x70}, {0x72, 5, 0x24, 0, 0}, {0x00, 0x83, 0, 90},
	    {0x00, 0xb0, 0, 60}, {0x7f, 0, 0, 0, 0}, {0, 0, 0, 0, 0x08}, {0, 0, 0, 8},
	    {0x00, 0x80, 0xff, 0xff}, {0, 0, 0, 24}};
	const uint8_t *head = heads[what % ARRAY_LEN(heads)];

	memcpy(buf, head, len < 5 ? len : 5);
}

START_TEST(noise)
{
	struct rng rng = rng_init(42);

	for (unsigned round = 0; round < ROUNDS; round++) {
		for (size_t len = 0; len < LEN_MAX; len++) {
			uint8_t *buf = malloc(len + (len == 0));

			for (size_t i = 0; i < len; i++)
				buf[i] = (uint8_t)rng_next(&rng);
			if (round % 2 == 0)
				shape(buf, len, (uint32_t)rng_next(&rng));
			read_all(buf, len);
			free(buf);
		}
	}
}
END_TEST

CHECK_MAIN("scsi noise", noise)
