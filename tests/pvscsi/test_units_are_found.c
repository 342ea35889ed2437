/* attach finds the targets that answer, and what they hold can be read and written */
#include <string.h>

#include "check_main.h"
#include "mock_world.h"
#include "scsa/config.h"

static uint8_t cdb[CDB_BUF_LEN], data[MOCK_DISK_BYTES], other[MOCK_DISK_BYTES];
static struct io io;

static void
three_disks(struct mock_chip *c)
{
	c->disks[0].is_there = c->disks[3].is_there = c->disks[64].is_there = true;
}

static void
all_are_there(void)
{
	ck_assert_ptr_nonnull(world_find(0));
	ck_assert_ptr_nonnull(world_find(3));
	ck_assert_ptr_nonnull(world_find(64));
	ck_assert_ptr_null(world_find(1));
	ck_assert_uint_eq(world_attaches(), 3);
	ck_assert_uint_eq(chip->stray, 0);
	ck_assert_uint_eq(atomic_load(&hba->targets[3].block_bytes), MOCK_BLOCK);
	/* the attention of power on was taken on the way */
	ck_assert(io_run(&io, world_sd(3), cdb, cdb_tur(cdb), NULL, 0, false));
	io_fini(&io);
}

static void
few_targets(struct mock_chip *c)
{
	three_disks(c);
	c->has_config = true;
	c->config_targets = 4;
}

static void
only_those_the_chip_names(void)
{
	ck_assert_ptr_nonnull(world_find(3));
	ck_assert_ptr_null(world_find(64));
}

static void
nobody(struct mock_chip *c)
{
	(void)c;
}

static void
none_are_there(void)
{
	ck_assert_uint_eq(world_attaches(), 0);
	ck_assert_uint_lt(sim_now_us(), PVSCSI_CSYNC_US);
}

static void
data_moves(void)
{
	struct scsi_device *sd = world_sd(0);

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 7 + i / 512);
	for (uint32_t blocks = 1; blocks <= 128; blocks *= 2) {
		size_t len = blocks * MOCK_BLOCK;

		ck_assert(io_run(&io, sd, cdb, cdb_write(cdb, CDB_10, 0, blocks, 0), data, len,
		    false));
		ck_assert_int_eq(io.pkt->pkt_resid, 0);
		ck_assert_uint_eq(chip->last.flags, PV_REQ_DIR_OUT);
		ck_assert_uint_eq(chip->last.tag, PV_TAG_SIMPLE);
		io_fini(&io);
		memset(other, 0, sizeof(other));
		ck_assert(io_run(&io, sd, cdb, cdb_read(cdb, CDB_10, 0, blocks, 0), other, len,
		    true));
		ck_assert_uint_eq(io.pkt->pkt_state, STATE_GOT_BUS | STATE_GOT_TARGET |
		    STATE_SENT_CMD | STATE_XFERRED_DATA | STATE_GOT_STATUS);
		ck_assert_mem_eq(data, other, len);
		io_fini(&io);
	}
}

static void
short_answers_are_clean(void)
{
	struct scsi_device *sd = world_sd(0);

	static const uint8_t lens[] = { 5, 36, 96, 255 };

	for (size_t i = 0; i < sizeof(lens); i++) {
		memset(data, 0x5a, 256);
		ck_assert(io_run(&io, sd, cdb, cdb_inquiry(cdb, lens[i]), data, 255, true));
		ck_assert_int_eq(io.pkt->pkt_resid, 255 - lens[i]);
		ck_assert_uint_eq(data[2], 5);
		for (size_t k = lens[i] < 36 ? lens[i] : 36; k < 255; k++)
			ck_assert_uint_eq(data[k], 0);
		ck_assert_uint_eq(data[255], 0x5a);
		io_fini(&io);
	}
}

static void
lengths_that_are_told(void)
{
	chip->says_lengths = true;
	ck_assert(io_run(&io, world_sd(0), cdb, cdb_inquiry(cdb, 255), data, 255, true));
	ck_assert_int_eq(io.pkt->pkt_resid, 255 - 36);
	io_fini(&io);
}

static void
units_beyond_the_chip(void)
{
	dev_info_t *port = scsi_hba_iport_find(chip->dip, (char *)(uintptr_t)PVSCSI_IPORT);

	ck_assert_int_ne(scsa_bus_config_one(port, "9,0", NULL), 0);
	ck_assert_int_ne(scsa_bus_config_one(port, "41,0", NULL), 0);
	ck_assert_int_ne(scsa_bus_config_one(port, "0,100", NULL), 0);
	ck_assert_int_ne(scsa_bus_config_one(port, "x,0", NULL), 0);
}

WORLD_TEST(all_are_there, .prepare = three_disks)
WORLD_TEST(only_those_the_chip_names, .prepare = few_targets)
WORLD_TEST(none_are_there, .prepare = nobody)
WORLD_TEST(data_moves, .interrupt_types = DDI_INTR_TYPE_MSI)
WORLD_TEST(short_answers_are_clean)
WORLD_TEST(lengths_that_are_told)
WORLD_TEST(units_beyond_the_chip)

CHECK_MAIN("units are found", all_are_there_test, only_those_the_chip_names_test,
    none_are_there_test, data_moves_test, short_answers_are_clean_test,
    lengths_that_are_told_test, units_beyond_the_chip_test)
