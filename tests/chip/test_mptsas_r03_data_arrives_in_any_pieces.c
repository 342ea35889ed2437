/* row 3: one block to the largest transfer, one piece to as many as there can be, one too
 * many */
#include "mptsas.h"

#define PIECES	257u			/* RING_SEGS_MAX */
#define LARGEST	(1024u * 1024u)

static const struct chip_spec spec = MPT_SPEC(.n_disks = 1,
	.disks = { MPT_DISK(3, .store = CHIP_FILE) });

static ddi_dma_cookie_t pieces[PIECES + 1];

/* the packet's one piece as @n of them, none as long as another, none aligned */
static void
cut(struct scsi_pkt *pkt, size_t len, unsigned int n)
{
	uint64_t iova = pkt->pkt_cookies[0].dmac_laddress;

	ck_assert_uint_eq(pkt->pkt_numcookies, 1);
	for (unsigned int i = 0; i < n; i++) {
		size_t part = i + 1 == n ? len : len / (n - i) + i % 3;

		pieces[i] = (ddi_dma_cookie_t){ ._dmu._dmac_ll = iova, .dmac_size = part };
		iova += part;
		len -= part;
	}
	pkt->pkt_cookies = pieces;
	pkt->pkt_numcookies = n;
}

/* @len bytes at block @lba in @n pieces, out or in; the data is the caller's */
static void
move(struct chip *chip, bool is_write, uint32_t lba, uint8_t *data, size_t len, unsigned int n)
{
	uint8_t cdb[10];
	ddi_dma_cookie_t *cookies;
	struct chip_cmd *cmd;

	chip_cdb_rw10(cdb, is_write, lba, (uint32_t)len / 512);
	cmd = chip_cmd_new(
	    chip, mpt_unit(chip, 3, 0), cdb, sizeof(cdb), is_write ? CHIP_OUT : CHIP_IN, len);
	if (is_write)
		memcpy(cmd->data, data, len);
	cookies = cmd->pkt->pkt_cookies;
	cut(cmd->pkt, len, n);
	ck_assert_int_eq(chip_cmd_start(cmd), n > PIECES ? TRAN_BADPKT : TRAN_ACCEPT);
	if (n <= PIECES) {
		chip_cmd_wait(cmd);
		ck_assert_uint_eq(cmd->pkt->pkt_reason, CMD_CMPLT);
		ck_assert_uint_eq(*cmd->pkt->pkt_scbp, STATUS_GOOD);
		ck_assert_int_eq(cmd->pkt->pkt_resid, 0);
	}
	if (!is_write)
		memcpy(data, cmd->data, len);
	cmd->pkt->pkt_cookies = cookies;
	cmd->pkt->pkt_numcookies = 1;
	chip_cmd_free(cmd);
}

static void
round_trip(struct chip *chip, size_t len, unsigned int n)
{
	static uint8_t out[LARGEST], in[LARGEST];

	for (size_t i = 0; i < len; i++)
		out[i] = (uint8_t)(i * 7 + i / 512 + n);
	memset(in, 0, len);
	move(chip, true, n, out, len, n);
	move(chip, false, n, in, len, n > 1 ? n - 1 : 1);
	ck_assert_mem_eq(in, out, len);
}

START_TEST(sizes_and_pieces)
{
	struct chip *chip = chip_start(&spec);

	(void)chip_tur(chip, mpt_unit(chip, 3, 0));
	round_trip(chip, 512, 1);
	round_trip(chip, 512, 3);
	round_trip(chip, 4096, 8);
	/* around the end of the frame, and of each chain */
	for (unsigned int n = 36; n <= 60; n++)
		round_trip(chip, 65536, n);
	round_trip(chip, 262144, 128);
	round_trip(chip, LARGEST, PIECES);
	round_trip(chip, LARGEST, 1);
	chip_stop(chip);
}
END_TEST

START_TEST(one_too_many)
{
	static uint8_t data[LARGEST + 512];
	struct chip *chip = chip_start(&spec);
	struct chip_cmd *cmd;
	uint8_t cdb[10];

	move(chip, false, 0, data, LARGEST, PIECES + 1);
	/* and a transfer that is too large is refused where it is bound */
	chip_cdb_rw10(cdb, false, 0, LARGEST / 512 + 1);
	cmd = chip_cmd_new_at(
	    chip, mpt_unit(chip, 3, 0), cdb, sizeof(cdb), CHIP_IN, data, LARGEST + 512, 0);
	ck_assert_ptr_null(cmd);
	ck_assert_int_eq(chip_tur(chip, mpt_unit(chip, 3, 0)), 0);
	chip_stop(chip);
}
END_TEST

CHECK_MAIN("mptsas: data", sizes_and_pieces, one_too_many)
