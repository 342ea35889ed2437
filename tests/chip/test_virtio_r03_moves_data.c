/* verified data of one block to the largest transfer, in one piece and in as many as there may
 * be; one piece too many never reaches the chip */
#include "base/rng.h"
#include "virtio.h"

#define SEGS_MAX	254
#define LARGE_BLOCKS	2048		/* 1 MiB */
#define LARGEST_BLOCKS	65535

static const struct chip_spec spec = {
	VIRTIO_SPEC, .disks = { { .target = 0, .lun = 0 } }, .n_disks = 1,
	.pool_bytes = 44u << 20,
};

static void
fill(uint8_t *data, size_t len, uint64_t seed)
{
	struct rng rng = rng_init(seed);

	for (size_t i = 0; i + 8 <= len; i += 8) {
		uint64_t v = rng_next(&rng);

		memcpy(data + i, &v, 8);
	}
}

/* chop the data of @cmd into @n cookies of even sizes, the last takes the rest */
static void
chop(struct chip_cmd *cmd, ddi_dma_cookie_t *cookies, unsigned int n)
{
	uint64_t iova = cmd->pkt->pkt_cookies[0].dmac_laddress;
	size_t each = cmd->len / n & ~(size_t)7;

	ck_assert_uint_eq(cmd->pkt->pkt_numcookies, 1);
	for (unsigned int i = 0; i < n; i++) {
		cookies[i] = (ddi_dma_cookie_t){ ._dmu._dmac_ll = iova + i * each,
		    .dmac_size = i + 1 < n ? each : cmd->len - i * each };
	}
	cmd->pkt->pkt_cookies = cookies;
	cmd->pkt->pkt_numcookies = n;
}

static int
move(struct chip *chip, bool is_write, uint32_t lba, uint32_t blocks, unsigned int segs,
    uint8_t *data)
{
	struct scsi_device *sd = chip_await_unit(chip, 0, 0);
	ddi_dma_cookie_t cookies[SEGS_MAX + 1];
	struct chip_cmd *cmd;
	uint8_t cdb[10];
	int r;

	chip_cdb_rw10(cdb, is_write, lba, blocks);
	cmd = chip_cmd_new(chip, sd, cdb, sizeof(cdb), is_write ? CHIP_OUT : CHIP_IN,
	    (size_t)blocks * 512);
	if (is_write)
		memcpy(cmd->data, data, cmd->len);
	if (segs > 1)
		chop(cmd, cookies, segs);
	r = chip_cmd_start(cmd);
	if (r == TRAN_ACCEPT) {
		chip_cmd_wait(cmd);
		virtio_expect(cmd, CMD_CMPLT, VIRTIO_MOVED, 0);
		ck_assert_uint_eq(*cmd->pkt->pkt_scbp, STATUS_GOOD);
		ck_assert_int_eq(cmd->pkt->pkt_resid, 0);
		if (!is_write)
			memcpy(data, cmd->data, cmd->len);
	}
	chip_cmd_free(cmd);
	return r;
}

static void
verify(struct chip *chip, uint32_t blocks, unsigned int segs)
{
	size_t len = (size_t)blocks * 512;
	uint8_t *out = malloc(len), *in = calloc(1, len);

	fill(out, len, blocks * 1000ull + segs);
	ck_assert_int_eq(move(chip, true, 5, blocks, segs, out), TRAN_ACCEPT);
	ck_assert_int_eq(move(chip, false, 5, blocks, segs == 1 ? 1 : segs - 1, in),
	    TRAN_ACCEPT);
	ck_assert_mem_eq(out, in, len);
	free(out);
	free(in);
}

START_TEST(blocks_in_pieces)
{
	static const unsigned int segs[] = { 1, 2, 3, 17, 18, 19, 31, 128, 253, SEGS_MAX };
	struct chip *chip = chip_start(&spec);

	(void)chip_tur(chip, chip_await_unit(chip, 0, 0));
	verify(chip, 1, 1);
	verify(chip, 1, 3);
	for (size_t i = 0; i < sizeof(segs) / sizeof(segs[0]); i++) {
		verify(chip, 8, segs[i] > 256 ? 256 : segs[i]);
		verify(chip, LARGE_BLOCKS, segs[i]);
	}
	chip_stop(chip);
}
END_TEST

START_TEST(the_largest_transfer)
{
	struct chip *chip = chip_start(&spec);
	struct scsi_device *sd = chip_await_unit(chip, 0, 0);
	int max;

	(void)chip_tur(chip, sd);
	max = scsi_ifgetcap(&sd->sd_address, "dma-max", 1);
	ck_assert_int_eq(max, LARGEST_BLOCKS * 512);
	verify(chip, LARGEST_BLOCKS, 1);
	chip_stop(chip);
}
END_TEST

START_TEST(one_piece_too_many)
{
	struct chip *chip = chip_start(&spec);
	uint8_t data[4096];
	uint64_t before;

	(void)chip_tur(chip, chip_await_unit(chip, 0, 0));
	before = chip_accesses(chip);
	ck_assert_int_eq(move(chip, false, 0, 8, SEGS_MAX + 1, data), TRAN_BADPKT);
	ck_assert_uint_eq(chip_accesses(chip), before);
	chip_stop(chip);
}
END_TEST

START_TEST(one_byte_too_many)
{
	static const uint8_t cdb[10] = { 0x28 };
	struct chip *chip = chip_start(&spec);
	struct scsi_device *sd = chip_await_unit(chip, 0, 0);
	size_t len = (LARGEST_BLOCKS + 1) * 512u;
	uint8_t *data = malloc(len);

	ck_assert_ptr_null(chip_cmd_new_at(chip, sd, cdb, sizeof(cdb), CHIP_IN, data, len, 0));
	free(data);
	chip_stop(chip);
}
END_TEST

CHECK_MAIN("virtio data", blocks_in_pieces, the_largest_transfer, one_piece_too_many,
    one_byte_too_many)
