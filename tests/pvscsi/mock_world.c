#include "mock_world.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ddi/devtree.h"
#include "ddi/driver.h"
#include "listener.h"
#include "scsa/config.h"

struct mock_chip *chip;
struct pvscsi *hba;

static const struct world *world_now;
static kmutex_t done_lock;
static kcondvar_t done_cv;
static struct scsi_device *units[PV_TARGETS];	/* LUN 0 of each; under done_lock */
static unsigned int attaches;

static unsigned int
unit_number(struct scsi_device *sd, bool *ret_is_lun0)
{
	char *comma;
	unsigned long target = strtoul(scsi_device_unit_address(sd), &comma, 16);

	*ret_is_lun0 = strcmp(comma, ",0") == 0;
	return (unsigned int)target;
}

static void
unit_set(struct scsi_device *sd, struct scsi_device *value)
{
	bool is_lun0;
	unsigned int target = unit_number(sd, &is_lun0);

	mutex_enter(&done_lock);
	if (is_lun0)
		units[target] = value;
	attaches += value != NULL;
	cv_broadcast(&done_cv);
	mutex_exit(&done_lock);
}

static void
unit_came(struct scsi_device *sd)
{
	unit_set(sd, sd);
}

static void
unit_left(struct scsi_device *sd)
{
	unit_set(sd, NULL);
}

static void
props_set(const struct world *world)
{
	char pages[] = "ring-pages", refresh[] = "ring-refresh-at", scan[] = "scan-interval";
	char types[] = "interrupt-types";

	if (world->ring_pages != 0)
		(void)ddi_prop_update_int(
		    DDI_DEV_T_NONE, chip->dip, pages, world->ring_pages);
	if (world->interrupt_types != 0)
		(void)ddi_prop_update_int(
		    DDI_DEV_T_NONE, chip->dip, types, world->interrupt_types);
	if (world->refresh_at != 0)
		(void)ddi_prop_update_int64(
		    DDI_DEV_T_NONE, chip->dip, refresh, world->refresh_at);
	(void)ddi_prop_update_int(DDI_DEV_T_NONE, chip->dip, scan, world->scan_s);
}

static void
world_up(const struct world *world)
{
	memset(units, 0, sizeof(units));
	attaches = 0;
	mutex_init(&done_lock, NULL, MUTEX_DRIVER, NULL);
	cv_init(&done_cv, NULL, CV_DRIVER, NULL);
	listener_load(unit_came, unit_left);
	ck_assert_int_eq(driver_init(PVSCSI_DRIVER, pvscsi_mod_init, pvscsi_mod_fini), 0);
	chip = calloc(1, sizeof(*chip));
	ck_assert_ptr_nonnull(chip);
	if (world->prepare != NULL)
		world->prepare(chip);
	else
		chip->disks[0].is_there = true;
	mock_chip_open(chip);
	props_set(world);
}

static void
world_down(void)
{
	mock_chip_close(chip);
	free(chip);
	ck_assert_int_eq(driver_unload(PVSCSI_DRIVER), 0);
	listener_unload();
	cv_destroy(&done_cv);
	mutex_destroy(&done_lock);
}

static void
world_body(void *arg)
{
	world_now = arg;
	world_up(world_now);
	if (world_now->is_refused) {
		ck_assert_int_ne(devi_attach(chip->dip), 0);
	} else {
		ck_assert_int_eq(devi_attach(chip->dip), 0);
		hba = pvscsi_of(chip->dip);
		ck_assert_int_ge(scsa_bus_config_all(chip->dip), 0);
		world_now->scenario();
		ck_assert_int_eq(scsa_bus_unconfig_all(chip->dip), 0);
		ck_assert_int_eq(devi_detach(chip->dip, 0), 0);
	}
	ck_assert_uint_eq(chip->config[4] & 4, 0);	/* no bus master is left behind */
	world_down();
}

void
world_run(const struct world *world)
{
	for (uint64_t seed = 1; seed <= 5; seed++) {
		struct sim_opts opts = { .seed = seed, .yield_per_1024 = 64 };

		sim_run(&opts, world_body, (void *)(uintptr_t)world);
	}
}

struct scsi_device *
world_find(unsigned int target)
{
	struct scsi_device *sd;

	mutex_enter(&done_lock);
	sd = units[target];
	mutex_exit(&done_lock);
	return sd;
}

struct scsi_device *
world_sd(unsigned int target)
{
	struct scsi_device *sd = world_find(target);

	ck_assert_msg(sd != NULL, "no unit at target %u", target);
	return sd;
}

unsigned int
world_attaches(void)
{
	unsigned int n;

	mutex_enter(&done_lock);
	n = attaches;
	mutex_exit(&done_lock);
	return n;
}

void
world_settle(uint64_t us)
{
	sim_settle();
	sim_advance_us(us);
	sim_settle();
}

enum pvscsi_state
world_state(void)
{
	enum pvscsi_state state;

	mutex_enter(&hba->lock);
	state = hba->state;
	mutex_exit(&hba->lock);
	return state;
}

static void
io_comp(struct scsi_pkt *pkt)
{
	struct io *io = pkt->pkt_private;

	mutex_enter(&done_lock);
	atomic_fetch_add(&io->done, 1);
	io->done_us = sim_now_us();
	cv_broadcast(&done_cv);
	mutex_exit(&done_lock);
}

void
io_init(struct io *io, struct scsi_device *sd, const uint8_t *cdb, size_t cdb_len, void *buf,
    size_t len, bool is_read)
{
	memset(io, 0, sizeof(*io));
	bioinit(&io->buf);
	io->buf.b_flags |= is_read ? B_READ : B_WRITE;
	io->buf.b_bcount = len;
	io->buf.b_un.b_addr = buf;
	io->pkt = scsi_init_pkt(&sd->sd_address, NULL, buf == NULL ? NULL : &io->buf,
	    (int)cdb_len, (int)sizeof(struct scsi_arq_status), 0, 0, NULL_FUNC, NULL);
	ck_assert_ptr_nonnull(io->pkt);
	memcpy(io->pkt->pkt_cdbp, cdb, cdb_len);
	io->pkt->pkt_private = io;
	io->pkt->pkt_comp = io_comp;
	io->pkt->pkt_flags = FLAG_STAG;
	io->pkt->pkt_time = 30;
}

void
io_fini(struct io *io)
{
	scsi_destroy_pkt(io->pkt);
	biofini(&io->buf);
}

void
io_send(struct io *io)
{
	atomic_store(&io->done, 0);
	ck_assert_int_eq(scsi_transport(io->pkt), TRAN_ACCEPT);
}

void
io_wait(struct io *io)
{
	mutex_enter(&done_lock);
	while (atomic_load(&io->done) == 0)
		cv_wait(&done_cv, &done_lock);
	mutex_exit(&done_lock);
	ck_assert_uint_eq(atomic_load(&io->done), 1);
}

bool
io_ended(const struct io *io, uint8_t reason, uint_t stats)
{
	return atomic_load(&io->done) == 1 && io->pkt->pkt_reason == reason &&
	    io->pkt->pkt_statistics == stats;
}

void
io_tur(struct io *io, struct scsi_device *sd)
{
	uint8_t cdb[CDB_BUF_LEN];

	io_init(io, sd, cdb, cdb_tur(cdb), NULL, 0, false);
	io_send(io);
}

bool
io_run(struct io *io, struct scsi_device *sd, const uint8_t *cdb, size_t cdb_len, void *buf,
    size_t len, bool is_read)
{
	io_init(io, sd, cdb, cdb_len, buf, len, is_read);
	io_send(io);
	io_wait(io);
	return io->pkt->pkt_reason == CMD_CMPLT && *io->pkt->pkt_scbp == STATUS_GOOD;
}
