/* as many commands as the ring has entries, less one; rings that start again; polling;
 * quiesce */
#include <sys/ddi.h>

#include "check_main.h"
#include "ddi/sched.h"
#include "mock_world.h"

#define S	((uint64_t)MICROSEC)
#define DEPTH	31

static struct io ios[DEPTH + 1], one;
static uint8_t cdb[CDB_BUF_LEN], data[512];

static void
full_ring(void)
{
	ck_assert_uint_eq(hba->depth, DEPTH);
	chip->disks[0].is_held = true;
	for (int i = 0; i < DEPTH; i++)
		io_tur(&ios[i], world_sd(0));
	io_init(&ios[DEPTH], world_sd(0), cdb, cdb_tur(cdb), NULL, 0, false);
	ck_assert_int_eq(scsi_transport(ios[DEPTH].pkt), TRAN_BUSY);
	ck_assert_uint_eq(atomic_load(&hba->stats.busy), 1);
	chip->disks[0].is_held = false;
	mock_release(chip, 0, 1);
	io_wait(&ios[0]);
	io_send(&ios[DEPTH]);
	mock_release(chip, 0, DEPTH);
	for (int i = 0; i <= DEPTH; i++) {
		io_wait(&ios[i]);
		ck_assert(io_ended(&ios[i], CMD_CMPLT, 0));
		io_fini(&ios[i]);
	}
}

/* every slot has a table and room for sense of its own, also in the largest ring */
static void
large_ring(void)
{
	ck_assert_uint_eq(hba->depth, 1023);
	ck_assert(io_run(&one, world_sd(0), cdb, cdb_tur(cdb), NULL, 0, false));
	io_fini(&one);
	for (uint32_t i = 0; i < hba->depth; i++) {
		const struct pvscsi_mem *mem = &hba->tables[i / PVSCSI_TABLES];

		ck_assert_uint_lt(i % PVSCSI_TABLES, mem->pages);
		ck_assert_uint_ne(mem->iova[i % PVSCSI_TABLES], 0);
	}
}

/* BUSY now and then, otherwise as if nothing were */
static void
rings_start_again(void)
{
	unsigned int busy = 0;

	io_init(&one, world_sd(0), cdb, cdb_tur(cdb), NULL, 0, false);
	for (int i = 0; i < 2000; i++) {
		atomic_store(&one.done, 0);
		if (scsi_transport(one.pkt) != TRAN_ACCEPT) {
			busy++;
			world_settle(1000);
			continue;
		}
		io_wait(&one);
		ck_assert(io_ended(&one, CMD_CMPLT, 0));
	}
	io_fini(&one);
	ck_assert_uint_ge(atomic_load(&hba->stats.refreshes), 4);
	ck_assert_uint_lt(busy, 100);
	ck_assert_uint_eq(chip->adapter_resets, 1);
	ck_assert_int_eq(world_state(), PVSCSI_READY);
	mock_plug(chip, 5);
	world_settle(S);
	ck_assert_ptr_nonnull(world_find(5));
}

/* a chip that does not take new rings without a reset gets one */
static void
rings_refused(void)
{
	io_init(&one, world_sd(0), cdb, cdb_tur(cdb), NULL, 0, false);
	while (atomic_load(&hba->stats.refreshes) == 0) {
		chip->has_no_rings = chip->adapter_resets == 1;
		atomic_store(&one.done, 0);
		if (scsi_transport(one.pkt) == TRAN_ACCEPT)
			io_wait(&one);
		else
			world_settle(1000);
	}
	chip->has_no_rings = false;
	world_settle(33 * S);
	ck_assert_uint_ge(chip->adapter_resets, 2);
	ck_assert_int_eq(world_state(), PVSCSI_READY);
	io_fini(&one);
}

/* in interrupt context a command is finished when it has been started; others are not lost */
static void
polled(void)
{
	bool was;

	chip->disks[0].is_held = true;
	io_tur(&ios[0], world_sd(0));
	chip->disks[0].is_held = false;
	io_init(&one, world_sd(0), cdb, cdb_read(cdb, CDB_10, 0, 1, 0), data, 512, true);
	one.pkt->pkt_flags |= FLAG_NOINTR;
	mock_release(chip, 0, 1);
	was = sched_set_interrupt(true);
	ck_assert_int_eq(scsi_transport(one.pkt), TRAN_ACCEPT);
	(void)sched_set_interrupt(was);
	ck_assert_uint_eq(one.pkt->pkt_reason, CMD_CMPLT);
	ck_assert_uint_eq(atomic_load(&one.done), 0);
	io_wait(&ios[0]);
	io_fini(&one);
	io_fini(&ios[0]);
	/* one that the driver does not even send */
	io_init(&one, world_sd(0), cdb, cdb_read(cdb, CDB_10, 0, 1, 0), data, 512, false);
	one.pkt->pkt_flags |= FLAG_NOINTR;
	was = sched_set_interrupt(true);
	ck_assert_int_eq(scsi_transport(one.pkt), TRAN_ACCEPT);
	(void)sched_set_interrupt(was);
	ck_assert_uint_eq(one.pkt->pkt_reason, CMD_DMA_DERR);
	io_fini(&one);
}

static void
polled_in_vain(void)
{
	bool was;

	chip->disks[0].is_held = true;
	io_init(&one, world_sd(0), cdb, cdb_tur(cdb), NULL, 0, false);
	one.pkt->pkt_flags |= FLAG_NOINTR;
	one.pkt->pkt_time = 1;
	was = sched_set_interrupt(true);
	ck_assert_int_eq(scsi_transport(one.pkt), TRAN_ACCEPT);
	(void)sched_set_interrupt(was);
	ck_assert_uint_eq(one.pkt->pkt_reason, CMD_TIMEOUT);
	ck_assert_uint_eq(one.pkt->pkt_statistics, STAT_TIMEOUT | STAT_ABORTED);
	io_fini(&one);
	chip->disks[0].is_held = false;
}

/* a completion starts a polled command, and that is late itself: each is seen to by somebody */
static struct scsi_pkt *chained;
static int chained_r;

static void
chain(struct scsi_pkt *pkt)
{
	struct io *io = pkt->pkt_private;

	chained_r = scsi_transport(chained);
	atomic_fetch_add(&io->done, 1);
}

static void
chain_of(struct io *first, void (*fn)(struct scsi_pkt *))
{
	io_init(first, world_sd(0), cdb, cdb_tur(cdb), NULL, 0, false);
	first->pkt->pkt_time = 1;
	first->pkt->pkt_comp = fn;
	io_init(&one, world_sd(0), cdb, cdb_tur(cdb), NULL, 0, false);
	one.pkt->pkt_time = 1;
	one.pkt->pkt_flags |= FLAG_NOINTR;
	chained = one.pkt;
}

static void
polled_inside_completions(void)
{
	chip->disks[0].is_held = true;
	chain_of(&ios[0], chain);
	io_send(&ios[0]);
	world_settle(4 * S);
	ck_assert(io_ended(&ios[0], CMD_TIMEOUT, STAT_TIMEOUT | STAT_ABORTED));
	ck_assert_int_eq(chained_r, TRAN_ACCEPT);
	ck_assert_int_eq(one.pkt->pkt_reason, CMD_TIMEOUT);
	/* and while the adapter fails: refused, or ended with the others */
	atomic_store(&ios[0].done, 0);
	ck_assert_int_eq(scsi_transport(ios[0].pkt), TRAN_ACCEPT);
	mock_return(chip, &(struct pv_cmp){ .context = 5 });
	world_settle(S / 2);
	ck_assert(io_ended(&ios[0], CMD_TRAN_ERR, 0));
	ck_assert_int_eq(chained_r, TRAN_FATAL_ERROR);
	io_fini(&ios[0]);
	io_fini(&one);
	chip->disks[0].is_held = false;
}

static void
release_later(void *arg)
{
	(void)arg;
	mock_release(chip, 0, 1);
}

static void
quiesced(void)
{
	chip->disks[0].is_held = true;
	io_tur(&ios[0], world_sd(0));
	chip->disks[0].is_held = false;
	(void)timeout(release_later, NULL, drv_usectohz(1000000));
	ck_assert_int_eq(hba->tran->tran_quiesce(chip->dip), 0);
	io_wait(&ios[0]);
	ck_assert_int_eq(scsi_transport(ios[0].pkt), TRAN_BUSY);
	ck_assert_int_eq(hba->tran->tran_unquiesce(chip->dip), 0);
	io_send(&ios[0]);
	io_wait(&ios[0]);
	io_fini(&ios[0]);
}

static void
on_a_line(struct mock_chip *c)
{
	c->disks[0].is_there = true;
	c->intr_type = DDI_INTR_TYPE_FIXED;
}

static void
shared_line(void)
{
	uint64_t before = atomic_load(&hba->stats.interrupts);

	for (int i = 0; i < 1000; i++)
		mock_interrupt(chip);
	world_settle(1000);
	ck_assert_uint_eq(atomic_load(&hba->stats.interrupts), before);
	ck_assert(io_run(&one, world_sd(0), cdb, cdb_tur(cdb), NULL, 0, false));
	io_fini(&one);
	ck_assert_uint_gt(atomic_load(&hba->stats.interrupts), before);
	ck_assert_uint_eq(chip->intr_status, 0);
}

WORLD_TEST(full_ring, .ring_pages = 1)
WORLD_TEST(large_ring, .ring_pages = 32)
WORLD_TEST(rings_start_again, .refresh_at = 300)
WORLD_TEST(rings_refused, .refresh_at = 100)
WORLD_TEST(polled)
WORLD_TEST(polled_in_vain)
WORLD_TEST(polled_inside_completions)
WORLD_TEST(quiesced)
WORLD_TEST(shared_line, .prepare = on_a_line)

CHECK_MAIN("rings fill and wrap", full_ring_test, large_ring_test, rings_start_again_test,
    rings_refused_test, polled_test, polled_in_vain_test, polled_inside_completions_test,
    quiesced_test, shared_line_test)
