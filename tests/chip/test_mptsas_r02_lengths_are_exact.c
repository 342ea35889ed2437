/* row 2: answers shorter than their buffers: the residual is exact, the rest is not touched */
#include "mptsas.h"

static const struct chip_spec spec = MPT_SPEC(.n_disks = 1, .disks = { MPT_DISK(0) });

/* @cdb into a buffer of @len bytes of 'x'; how many of them were left */
static size_t
left_by(struct chip *chip, const uint8_t *cdb, size_t cdb_len, size_t len)
{
	struct chip_cmd *cmd = chip_cmd_new(
	    chip, mpt_unit(chip, 0, 0), cdb, cdb_len, CHIP_IN, len);
	size_t resid;

	memset(cmd->data, 'x', len);
	ck_assert_int_eq(chip_cmd_start(cmd), TRAN_ACCEPT);
	chip_cmd_wait(cmd);
	ck_assert_uint_eq(cmd->pkt->pkt_reason, CMD_CMPLT);
	ck_assert_uint_eq(*cmd->pkt->pkt_scbp, STATUS_GOOD);
	ck_assert_uint_eq(cmd->pkt->pkt_state, STATE_GOT_BUS | STATE_GOT_TARGET |
	    STATE_SENT_CMD | STATE_XFERRED_DATA | STATE_GOT_STATUS);
	resid = (size_t)cmd->pkt->pkt_resid;
	ck_assert_uint_lt(resid, len);
	for (size_t i = len - resid; i < len; i++)
		ck_assert_uint_eq(cmd->data[i], 'x');
	chip_cmd_free(cmd);
	return resid;
}

START_TEST(inquiry)
{
	static const uint8_t lens[] = { 5, 36, 96, 255 };
	struct chip *chip = chip_start(&spec);

	for (size_t i = 0; i < sizeof(lens); i++) {
		const uint8_t cdb[6] = { SCMD_INQUIRY, [4] = lens[i] };
		size_t have = lens[i] < 36 ? lens[i] : 36;

		ck_assert_uint_le(left_by(chip, cdb, sizeof(cdb), lens[i]), lens[i] - have);
		/* a buffer beyond what the CDB asks for */
		ck_assert_uint_ge(left_by(chip, cdb, sizeof(cdb), 512), 512u - lens[i]);
	}
	chip_stop(chip);
}
END_TEST

START_TEST(lists_and_pages)
{
	struct chip *chip = chip_start(&spec);
	const uint8_t luns[12] = { SCMD_REPORT_LUNS, [9] = 255 };
	const uint8_t modes[6] = { SCMD_MODE_SENSE, [2] = 0x3f, [4] = 255 };

	ck_assert_int_eq(chip_tur(chip, mpt_unit(chip, 0, 0)), 0);
	ck_assert_uint_eq(left_by(chip, luns, sizeof(luns), 255), 255 - 16);
	(void)left_by(chip, modes, sizeof(modes), 255);
	chip_stop(chip);
}
END_TEST

CHECK_MAIN("mptsas: lengths", inquiry, lists_and_pages)
