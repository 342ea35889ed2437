/* row 3: data of all sizes, in one piece and in as many as a table takes; one more is
 * refused */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>

#include "hw/pci/dma.h"
#include "pvscsi.h"

#define MOST		(1u << 20)
#define PIECE		4096u
#define PIECES		257u		/* one more than a table has elements */

static const struct chip_spec one = PV_SPEC(.n_disks = 1, .disks = { { .target = 0 } });

/*
 * Memory in pieces: the function's memory, but what the test calls its buffer lies in PIECES
 * pieces of the pool in reverse order, and is copied at each sync.
 */
static struct {
	const struct devi_dma_ops *below;
	void *below_arg, *token;
	uint8_t *va, *pool;
	uint64_t iova;
	size_t piece;
} pieces;

static uint8_t *
piece_at(size_t off)
{
	size_t i = off / pieces.piece;

	return pieces.pool + (PIECES - 1 - i) * pieces.piece + off % pieces.piece;
}

static bool
is_mine(void *addr)
{
	return pieces.va != NULL && (uint8_t *)addr >= pieces.va &&
	    (uint8_t *)addr < pieces.va + PIECES * PIECE;
}

static int
pieces_map(void *arg, void *addr, size_t len, unsigned int flags, void **ret_token)
{
	(void)arg;
	if (!is_mine(addr))
		return pieces.below->map(pieces.below_arg, addr, len, flags, ret_token);
	*ret_token = &pieces;
	return 0;
}

static void
pieces_unmap(void *arg, void *token, void *addr, size_t len)
{
	(void)arg;
	if (token != &pieces)
		pieces.below->unmap(pieces.below_arg, token, addr, len);
}

static size_t
pieces_extent(void *arg, void *token, void *addr, size_t off, size_t len, uint64_t *ret_iova)
{
	size_t n;

	(void)arg;
	if (token != &pieces)
		return pieces.below->extent(pieces.below_arg, token, addr, off, len, ret_iova);
	off += (size_t)((uint8_t *)addr - pieces.va);
	n = pieces.piece - off % pieces.piece;
	*ret_iova = pieces.iova + (uint64_t)(piece_at(off) - pieces.pool);
	return n < len ? n : len;
}

static void
pieces_sync(void *arg, void *token, void *addr, size_t off, size_t len, unsigned int type)
{
	uint8_t *va = (uint8_t *)addr + off;

	(void)arg;
	if (token != &pieces) {
		if (pieces.below->sync != NULL)
			pieces.below->sync(pieces.below_arg, token, addr, off, len, type);
		return;
	}
	for (size_t i = 0; i < len; i++) {
		uint8_t *mem = piece_at((size_t)(va + i - pieces.va));

		if (type == DDI_DMA_SYNC_FORDEV)
			*mem = va[i];
		else
			va[i] = *mem;
	}
}

static void *
pieces_alloc(void *arg, size_t len, size_t align)
{
	(void)arg;
	return pieces.below->mem_alloc(pieces.below_arg, len, align);
}

static void
pieces_free(void *arg, void *mem, size_t len)
{
	(void)arg;
	pieces.below->mem_free(pieces.below_arg, mem, len);
}

static const struct devi_dma_ops pieces_ops = {
	.map = pieces_map, .unmap = pieces_unmap, .extent = pieces_extent, .sync = pieces_sync,
	.mem_alloc = pieces_alloc, .mem_free = pieces_free,
};

static struct chip *
pieces_start(void)
{
	struct chip_spec spec = one;
	struct chip *chip;

	spec.is_detached = true;
	chip = chip_start(&spec);
	pieces.below = devi_dma(chip_node(chip), &pieces.below_arg);
	devi_set_dma(chip_node(chip), &pieces_ops, NULL);
	pieces.va = aligned_alloc(4096, PIECES * PIECE);
	pieces.pool = pieces.below->mem_alloc(pieces.below_arg, PIECES * PIECE, 4096);
	ck_assert_ptr_nonnull(pieces.pool);
	ck_assert_int_eq(pieces.below->map(pieces.below_arg, pieces.pool, PIECES * PIECE,
	    DDI_DMA_RDWR, &pieces.token), 0);
	ck_assert_uint_eq(pieces.below->extent(pieces.below_arg, pieces.token, pieces.pool, 0,
	    PIECES * PIECE, &pieces.iova), PIECES * PIECE);
	pieces.piece = PIECE;
	chip_attach_all(chip);
	return chip;
}

static void
pieces_stop(struct chip *chip)
{
	ck_assert_int_eq(chip_detach(chip), 0);
	pieces.below->unmap(pieces.below_arg, pieces.token, pieces.pool, PIECES * PIECE);
	pieces.below->mem_free(pieces.below_arg, pieces.pool, PIECES * PIECE);
	devi_set_dma(chip_node(chip), pieces.below, pieces.below_arg);
	free(pieces.va);
	pieces.va = NULL;
	chip_stop(chip);
}

static void
fill(uint8_t *data, size_t len, uint32_t seed)
{
	for (size_t i = 0; i < len; i++) {
		seed = seed * 1103515245 + 12345;
		data[i] = (uint8_t)(seed >> 16);
	}
}

/* what is on the disk, from the host's side */
static void
image_is(struct chip *chip, uint32_t lba, const uint8_t *data, size_t len)
{
	int fd = open(chip_disk_path(chip, 0, 0), O_RDONLY | O_CLOEXEC);
	uint8_t *have = malloc(len);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(pread(fd, have, len, (off_t)lba * 512), (ssize_t)len);
	ck_assert_mem_eq(have, data, len);
	free(have);
	close(fd);
}

START_TEST(in_one_piece)
{
	struct chip *chip = chip_start(&one);
	struct scsi_device *sd = chip_unit(chip, 0, 0);
	uint8_t *out = malloc(MOST), *in = malloc(MOST);

	for (uint32_t blocks = 1; blocks <= MOST / 512; blocks *= 2) {
		fill(out, blocks * 512, blocks);
		chip_write(chip, sd, blocks, blocks, out);
		image_is(chip, blocks, out, blocks * 512);
		memset(in, 0, blocks * 512);
		chip_read(chip, sd, blocks, blocks, in);
		ck_assert_mem_eq(in, out, blocks * 512);
	}
	free(out);
	free(in);
	chip_stop(chip);
}
END_TEST

/* write and read back @len bytes that lie at @off of the buffer, so in so many pieces */
static void
move_pieces(struct chip *chip, size_t off, size_t len, uint32_t segments)
{
	struct scsi_device *sd = chip_unit(chip, 0, 0);
	uint8_t *copy = malloc(len), cdb[10];
	struct chip_cmd *cmd;

	fill(pieces.va + off, len, segments);
	memcpy(copy, pieces.va + off, len);
	for (int is_write = 1; is_write >= 0; is_write--) {
		chip_cdb_rw10(cdb, is_write, 64, (uint32_t)len / 512);
		cmd = chip_cmd_new_at(chip, sd, cdb, sizeof(cdb),
		    is_write ? CHIP_OUT : CHIP_IN, pieces.va + off, len, 0);
		ck_assert_ptr_nonnull(cmd);
		ck_assert_uint_eq(cmd->pkt->pkt_numcookies, segments);
		ck_assert_int_eq(chip_cmd_start(cmd), TRAN_ACCEPT);
		chip_cmd_wait(cmd);
		ck_assert_uint_eq(cmd->pkt->pkt_reason, CMD_CMPLT);
		ck_assert_uint_eq(*cmd->pkt->pkt_scbp, STATUS_GOOD);
		ck_assert_int_eq(cmd->pkt->pkt_resid, 0);
		chip_cmd_free(cmd);
		if (!is_write)
			break;
		image_is(chip, 64, copy, len);
		memset(pieces.va + off, 0, len);
		memset(pieces.pool, 0, PIECES * PIECE);
	}
	ck_assert_mem_eq(pieces.va + off, copy, len);
	free(copy);
}

START_TEST(in_many_pieces)
{
	struct chip *chip = pieces_start();
	uint8_t cdb[10];

	for (uint32_t n = 2; n <= 256; n *= 2)
		move_pieces(chip, 0, n * PIECE, n);
	move_pieces(chip, 100, 3 * PIECE, 4);
	move_pieces(chip, 3000, 255 * PIECE, 256);
	/* small ones, so that a table is full before a transfer is large */
	pieces.piece = 512;
	move_pieces(chip, 0, 256 * 512, 256);
	/* one more than fits is refused when it is set up; a part of it can be had */
	chip_cdb_rw10(cdb, false, 0, PIECES);
	ck_assert_ptr_null(chip_cmd_new_at(chip, chip_unit(chip, 0, 0), cdb, sizeof(cdb),
	    CHIP_IN, pieces.va, PIECES * 512, 0));
	pieces_stop(chip);
}
END_TEST

START_TEST(more_than_a_transfer)
{
	struct chip *chip = chip_start(&one);
	uint8_t *data = malloc(MOST + 512), cdb[10];
	struct chip_cmd *cmd;

	chip_cdb_rw10(cdb, false, 0, MOST / 512 + 1);
	ck_assert_ptr_null(chip_cmd_new_at(
	    chip, chip_unit(chip, 0, 0), cdb, sizeof(cdb), CHIP_IN, data, MOST + 512, 0));
	cmd = chip_cmd_new_at(chip, chip_unit(chip, 0, 0), cdb, sizeof(cdb), CHIP_IN, data,
	    MOST + 512, PKT_DMA_PARTIAL);
	ck_assert_ptr_nonnull(cmd);
	ck_assert_int_eq(cmd->pkt->pkt_resid, 512);
	chip_cmd_free(cmd);
	free(data);
	chip_stop(chip);
}
END_TEST

CHECK_MAIN("pvscsi: data", in_one_piece, in_many_pieces, more_than_a_transfer)
