/* what each answer of the chip means, and which no honest chip gives */
#include <errno.h>

#include "check_main.h"
#include "hw/pvscsi/pvscsi.h"

#define SENT	(STATE_GOT_BUS | STATE_GOT_TARGET | STATE_SENT_CMD)
#define DONE	(SENT | STATE_GOT_STATUS)

static const struct pvscsi_want data = { .data_len = 512, .sense_len = 20 };
static const struct pvscsi_want exact = { .data_len = 512, .sense_len = 20, .is_exact = true };
static const struct pvscsi_want known = { .data_len = 512, .sense_len = 20, .is_known = true };
static const struct pvscsi_want none = { .sense_len = 20 };

static const struct row {
	const struct pvscsi_want *want;
	uint16_t host, status;
	uint64_t len;
	uint32_t sense;
	int r;
	uint8_t reason;
	uint_t state, stats;
	uint64_t moved;
} rows[] = {
	{ &none, 0, 0, 0, 0, 0, CMD_CMPLT, DONE, 0, 0 },
	{ &data, 0, 0, 0, 0, 0, CMD_CMPLT, DONE | STATE_XFERRED_DATA, 0, 512 },
	{ &data, 0, 0, 512, 0, 0, CMD_CMPLT, DONE | STATE_XFERRED_DATA, 0, 512 },
	{ &data, 0, 0, 100, 0, 0, CMD_CMPLT, DONE | STATE_XFERRED_DATA, 0, 100 },
	{ &data, 0x0a, 0, 0, 0, 0, CMD_CMPLT, DONE | STATE_XFERRED_DATA, 0, 512 },
	{ &data, 0x0b, 0, 0, 0, 0, CMD_CMPLT, DONE | STATE_XFERRED_DATA, 0, 512 },
	{ &data, 0x0c, 0, 36, 0, 0, CMD_CMPLT, DONE | STATE_XFERRED_DATA, 0, 36 },
	{ &data, 0x12, 0, 36, 0, 0, CMD_CMPLT, DONE | STATE_XFERRED_DATA, 0, 36 },
	{ &data, 0x12, 0, 0, 0, 0, CMD_CMPLT, DONE | STATE_XFERRED_DATA, 0, 512 },
	{ &exact, 0x12, 0, 0, 0, 0, CMD_DATA_OVR, DONE | STATE_XFERRED_DATA, 0, 512 },
	{ &exact, 0x12, 0, 1024, 0, 0, CMD_DATA_OVR, DONE | STATE_XFERRED_DATA, 0, 512 },
	{ &data, 0, 2, 0, 18, 0, CMD_CMPLT, DONE, 0, 0 },
	{ &exact, 0x12, 2, 0, 18, 0, CMD_CMPLT, DONE, 0, 0 },
	{ &data, 0, 2, 128, 18, 0, CMD_CMPLT, DONE | STATE_XFERRED_DATA, 0, 128 },
	{ &data, 0, 8, 0, 0, 0, CMD_CMPLT, DONE, 0, 0 },
	{ &data, 0, 0x28, 0, 0, 0, CMD_CMPLT, DONE, 0, 0 },
	{ &data, 0, 0x18, 0, 0, 0, CMD_CMPLT, DONE, 0, 0 },
	{ &data, 0x1b, 0, 0, 0, 0, CMD_CMPLT, DONE, 0, 0 },
	{ &data, 0x11, 0, 0, 0, 0, CMD_INCOMPLETE, STATE_GOT_BUS, 0, 0 },
	{ &known, 0x11, 0, 0, 0, 0, CMD_DEV_GONE, STATE_GOT_BUS, 0, 0 },
	{ &known, 0x17, 0, 0, 0, 0, CMD_INCOMPLETE, STATE_GOT_BUS, 0, 0 },
	{ &data, 0x21, 0, 0, 0, 0, CMD_INCOMPLETE, STATE_GOT_BUS, 0, 0 },
	{ &data, 0x13, 0, 0, 0, 0, CMD_UNX_BUS_FREE, SENT, 0, 0 },
	{ &data, 0x14, 0, 0, 0, 0, CMD_TRAN_ERR, SENT, 0, 0 },
	{ &data, 0x1a, 0, 0, 0, 0, CMD_TRAN_ERR, STATE_GOT_BUS, 0, 0 },
	{ &data, 0x1c, 0, 0, 0, 0, CMD_TAG_REJECT, SENT, 0, 0 },
	{ &data, 0x1d, 0, 0, 0, 0, CMD_BADMSG, SENT, 0, 0 },
	{ &data, 0x20, 0, 0, 0, 0, CMD_TRAN_ERR, STATE_GOT_BUS, 0, 0 },
	{ &data, 0x22, 0, 0, 0, 0, CMD_RESET, SENT, STAT_DEV_RESET, 0 },
	{ &data, 0x23, 0, 0, 0, 0, CMD_RESET, SENT, STAT_DEV_RESET, 0 },
	{ &data, 0x24, 0, 0, 0, 0, CMD_TRAN_ERR, SENT, 0, 0 },
	{ &data, 0x25, 0, 0, 0, 0, CMD_RESET, SENT, STAT_BUS_RESET, 0 },
	{ &data, 0x26, 0, 0, 0, 0, CMD_ABORTED, SENT, STAT_ABORTED, 0 },
	{ &data, 0x27, 0, 0, 0, 0, CMD_TRAN_ERR, STATE_GOT_BUS, 0, 0 },
	{ &data, 0x30, 0, 0, 0, 0, CMD_TIMEOUT, SENT, STAT_TIMEOUT, 0 },
	{ &data, 0x34, 0, 0, 0, 0, CMD_TRAN_ERR, STATE_GOT_BUS, STAT_PERR, 0 },
	/* numbers nobody has given a meaning */
	{ &data, 0x15, 0, 0, 0, 0, CMD_TRAN_ERR, STATE_GOT_BUS, 0, 0 },
	{ &data, 0x35, 0, 0, 0, 0, CMD_TRAN_ERR, STATE_GOT_BUS, 0, 0 },
	{ &data, 0xffff, 0, 0, 0, 0, CMD_TRAN_ERR, STATE_GOT_BUS, 0, 0 },
	/* lies */
	{ &data, 0, 0, 513, 0, -EPROTO, 0, 0, 0, 0 },
	{ &none, 0, 0, 1, 0, -EPROTO, 0, 0, 0, 0 },
	{ &data, 0x0c, 0, 513, 0, -EPROTO, 0, 0, 0, 0 },
	{ &data, 0x25, 0, UINT64_MAX, 0, -EPROTO, 0, 0, 0, 0 },
	{ &data, 0, 2, 0, 21, -EPROTO, 0, 0, 0, 0 },
	{ &data, 0, 0, 0, UINT32_MAX, -EPROTO, 0, 0, 0, 0 },
	{ &data, 0, 0x100, 0, 0, -EPROTO, 0, 0, 0, 0 },
};

START_TEST(each_answer)
{
	const struct row *row = &rows[_i];
	struct pv_cmp cmp = { .host_status = row->host, .scsi_status = row->status,
		.data_len = row->len, .sense_len = row->sense };
	struct pvscsi_result result;

	ck_assert_int_eq(result_judge(&cmp, row->want, &result), row->r);
	if (row->r < 0)
		return;
	ck_assert_uint_eq(result.reason, row->reason);
	ck_assert_uint_eq(result.state, row->state);
	ck_assert_uint_eq(result.stats, row->stats);
	ck_assert_uint_eq(result.moved, row->moved);
	ck_assert_uint_eq(result.is_adapter_error, row->host == 0x20);
	if ((result.state & STATE_GOT_STATUS) != 0)
		ck_assert_uint_eq(result.status, row->host == 0x1b ? 2 : row->status);
	ck_assert_uint_eq(result.sense_len, row->status == 2 ? row->sense : 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("results are judged");
	TCase *tcase = tcase_create("rows");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tcase, each_answer, 0, (int)ARRAY_LEN(rows));
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
