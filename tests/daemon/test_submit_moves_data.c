/* packets through the socket: data both ways, lengths that disagree, refusals */
#include <string.h>

#include "check_main.h"
#include "mock_client.h"
#include "scsi/cdb.h"
#include <sys/scsi/scsi_pkt.h>

#define BLOCK	512u

static uint8_t cdb[CDB_BUF_LEN];

START_TEST(what_was_written_is_read)
{
	struct fixture f;
	struct mc c;
	static uint8_t out[8 * BLOCK];
	const Scsad__Completion *done;
	uint64_t h;

	fixture_simple(&f);
	mc_connect(&f, &c);
	h = mc_open(&c, "soft0/iport0/disk@0,0");
	for (size_t i = 0; i < sizeof(out); i++)
		out[i] = (uint8_t)(i * 7);
	done = mc_completion(&c, mc_submit(&c, h, cdb, mc_cdb_write(cdb, 3, 8),
	    SCSAD__DIRECTION__DIR_OUT, out, sizeof(out)));
	ck_assert_uint_eq(done->reason, CMD_CMPLT);
	ck_assert_uint_eq(done->scsi_status, 0);
	ck_assert_uint_eq(done->resid, 0);
	ck_assert_uint_gt(done->duration_ns, 0);
	done = mc_completion(&c, mc_submit(&c, h, cdb, mc_cdb_read(cdb, 3, 8),
	    SCSAD__DIRECTION__DIR_IN, NULL, sizeof(out)));
	ck_assert_uint_eq(done->scsi_status, 0);
	ck_assert_uint_eq(c.head.data_len, sizeof(out));
	ck_assert_mem_eq(mc_data(&c), out, sizeof(out));
	mc_close(&c);
	fixture_stop(&f);
}
END_TEST

START_TEST(large_write_in_small_pieces)
{
	struct fixture f;
	struct mc c;
	uint32_t len = 1u << 20, id;
	uint8_t *out = malloc(len), head[600];
	Scsad__SubmitRequest req = SCSAD__SUBMIT_REQUEST__INIT;
	struct frame_head fh = { .method = METHOD_SUBMIT, .id = 77, .data_len = len };
	ptrdiff_t n;

	fixture_simple(&f);
	mc_connect(&f, &c);
	for (size_t i = 0; i < len; i++)
		out[i] = (uint8_t)(i >> 9 ^ i);
	req.has_handle = req.has_cdb = req.has_direction = req.has_data_len = 1;
	req.handle = mc_open(&c, "disk@0,0");
	req.cdb.data = cdb;
	req.cdb.len = mc_cdb_write(cdb, 0, (uint16_t)(len / BLOCK));
	req.direction = SCSAD__DIRECTION__DIR_OUT;
	req.data_len = len;
	n = frame_pack(head, sizeof(head), &fh, &req.base);
	ck_assert_int_gt(n, 0);
	for (ptrdiff_t i = 0; i < n; i++)
		mc_write(&c, head + i, 1);
	for (uint32_t at = 0; at < len; at += 10007)
		mc_write(&c, out + at, len - at < 10007 ? len - at : 10007);
	ck_assert_uint_eq(mc_completion(&c, 77)->scsi_status, 0);
	id = mc_submit(&c, req.handle, cdb, mc_cdb_read(cdb, 0, (uint16_t)(len / BLOCK)),
	    SCSAD__DIRECTION__DIR_IN, NULL, len);
	ck_assert_uint_eq(mc_completion(&c, id)->scsi_status, 0);
	ck_assert_uint_eq(c.head.data_len, len);
	ck_assert(memcmp(mc_data(&c), out, len) == 0);
	free(out);
	mc_close(&c);
	fixture_stop(&f);
}
END_TEST

START_TEST(buffer_longer_than_cdb_leaves_residual)
{
	struct fixture f;
	struct mc c;
	const Scsad__Completion *done;
	uint64_t h;

	fixture_simple(&f);
	mc_connect(&f, &c);
	h = mc_open(&c, "disk@0,0");
	done = mc_completion(&c, mc_submit(&c, h, cdb, mc_cdb_read(cdb, 0, 1),
	    SCSAD__DIRECTION__DIR_IN, NULL, 4 * BLOCK));
	ck_assert_uint_eq(done->scsi_status, 0);
	ck_assert_uint_eq(done->resid, 3 * BLOCK);
	ck_assert_uint_eq(done->overflow, 0);
	ck_assert_uint_eq(c.head.data_len, BLOCK);
	mc_close(&c);
	fixture_stop(&f);
}
END_TEST

START_TEST(buffer_shorter_than_cdb_overflows)
{
	struct fixture f;
	struct mc c;
	const Scsad__Completion *done;
	uint64_t h;

	fixture_simple(&f);
	mc_connect(&f, &c);
	h = mc_open(&c, "disk@0,0");
	done = mc_completion(&c, mc_submit(&c, h, cdb, mc_cdb_read(cdb, 0, 4),
	    SCSAD__DIRECTION__DIR_IN, NULL, BLOCK));
	ck_assert_uint_eq(c.head.data_len, BLOCK);
	ck_assert_uint_eq(done->overflow, 3 * BLOCK);
	ck_assert_uint_eq(done->resid, 0);
	mc_check_alive(&c);
	mc_close(&c);
	fixture_stop(&f);
}
END_TEST

START_TEST(contradictions_are_typed_errors)
{
	struct fixture f;
	struct mc c;
	static uint8_t out[BLOCK];
	uint8_t six[6] = { 0x28 };
	uint64_t h;

	fixture_simple(&f);
	mc_connect(&f, &c);
	h = mc_open(&c, "disk@0,0");
	/* READ with data from the client */
	ck_assert_int_eq(mc_error(&c, mc_submit(&c, h, cdb, mc_cdb_read(cdb, 0, 1),
	    SCSAD__DIRECTION__DIR_OUT, out, BLOCK)), SCSAD__ERROR_CODE__ERR_BAD_CDB);
	/* WRITE with data to the client */
	ck_assert_int_eq(mc_error(&c, mc_submit(&c, h, cdb, mc_cdb_write(cdb, 0, 1),
	    SCSAD__DIRECTION__DIR_IN, NULL, BLOCK)), SCSAD__ERROR_CODE__ERR_BAD_CDB);
	/* READ(10) in six bytes */
	ck_assert_int_eq(mc_error(&c, mc_submit(&c, h, six, 6, SCSAD__DIRECTION__DIR_IN, NULL,
	    BLOCK)), SCSAD__ERROR_CODE__ERR_BAD_CDB);
	/* data_len above the limit */
	ck_assert_int_eq(mc_error(&c, mc_submit(&c, h, cdb, mc_cdb_read(cdb, 0, 1),
	    SCSAD__DIRECTION__DIR_IN, NULL, PROTO_DATA_DEFAULT + 1)),
	    SCSAD__ERROR_CODE__ERR_LIMIT);
	/* too short for any command */
	ck_assert_int_eq(mc_error(&c, mc_submit(&c, h, six, 3, SCSAD__DIRECTION__DIR_NONE, NULL,
	    0)), SCSAD__ERROR_CODE__ERR_BAD_MESSAGE);
	mc_check_alive(&c);
	mc_close(&c);
	fixture_wait(&f, 0, 0);
	fixture_stop(&f);
}
END_TEST

START_TEST(check_condition_brings_sense)
{
	struct fixture f;
	struct mc c;
	const Scsad__Completion *done;
	uint64_t h;

	fixture_simple(&f);
	mc_connect(&f, &c);
	h = mc_open(&c, "disk@0,0");
	/* far behind the end */
	done = mc_completion(&c, mc_submit(&c, h, cdb, mc_cdb_read(cdb, 0x7fffffff, 1),
	    SCSAD__DIRECTION__DIR_IN, NULL, BLOCK));
	ck_assert_uint_eq(done->reason, CMD_CMPLT);
	ck_assert_uint_eq(done->scsi_status, 2);
	ck_assert_uint_ge(done->sense.len, 8);
	ck_assert_uint_eq(done->sense.data[2] & 0xf, 5);
	ck_assert_uint_eq(c.head.data_len, 0);
	ck_assert_uint_eq(done->resid, BLOCK);
	mc_close(&c);
	fixture_stop(&f);
}
END_TEST

START_TEST(many_at_once_each_answered_once)
{
	struct fixture f;
	struct mc c;
	bool seen[200] = { false };
	uint32_t first = 0, id;
	uint64_t h;

	fixture_simple(&f);
	mc_connect(&f, &c);
	h = mc_open(&c, "disk@0,0");
	for (size_t i = 0; i < ARRAY_LEN(seen); i++) {
		id = mc_submit(&c, h, cdb, mc_cdb_read(cdb, (uint32_t)i, 8),
		    SCSAD__DIRECTION__DIR_IN, NULL, 8 * BLOCK);
		if (i == 0)
			first = id;
	}
	for (size_t i = 0; i < ARRAY_LEN(seen); i++) {
		const Scsad__Completion *done = mc_msg(&c, &scsad__completion__descriptor);

		ck_assert_uint_eq(done->scsi_status, 0);
		ck_assert_uint_lt(c.head.id - first, ARRAY_LEN(seen));
		ck_assert(!seen[c.head.id - first]);
		seen[c.head.id - first] = true;
	}
	mc_check_alive(&c);
	mc_close(&c);
	fixture_stop(&f);
}
END_TEST

START_TEST(duplicate_id_closes)
{
	struct fixture f;
	struct mc c;
	uint64_t h;
	Scsad__SubmitRequest req = SCSAD__SUBMIT_REQUEST__INIT;

	fixture_simple(&f);
	mc_connect(&f, &c);
	h = mc_open(&c, "disk@0,0");
	(void)mc_fault(&c, "action=delay,s=60");
	req.has_handle = req.has_cdb = 1;
	req.handle = h;
	req.cdb.data = cdb;
	req.cdb.len = cdb_tur(cdb);
	mc_send_id(&c, 500, METHOD_SUBMIT, &req.base, NULL, 0);
	mc_send_id(&c, 500, METHOD_SUBMIT, &req.base, NULL, 0);
	ck_assert_int_eq(mc_error(&c, 500), SCSAD__ERROR_CODE__ERR_DUPLICATE_ID);
	mc_expect_end(&c);
	mc_close(&c);
	fixture_stop(&f);
}
END_TEST

CHECK_MAIN("submit", what_was_written_is_read, large_write_in_small_pieces,
    buffer_longer_than_cdb_leaves_residual, buffer_shorter_than_cdb_overflows,
    contradictions_are_typed_errors, check_condition_brings_sense,
    many_at_once_each_answered_once, duplicate_id_closes)
