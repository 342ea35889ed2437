#define SCSA_MOD rtgt
#include "tests/scsa/random.h"

#include <check.h>
#include <string.h>
#include <sys/modctl.h>

#include "base/bytes.h"
#include "ddi/devtree.h"
#include "ddi/driver.h"
#include "tests/scsa/mock_hba.h"

#define UNITS		(RANDOM_PORTS * RANDOM_TARGETS * RANDOM_LUNS * 2)
#define HOLDS		16
#define BURST		64
#define DATA_MAX	(RANDOM_BLOCKS * 512)
#define RETRIES		3

/* a unit that the target driver has attached */
struct unit_state {
	struct scsi_device *sd;
	struct unit_state *next_of_port;
	int in_flight;
	bool is_closing;
};

/* one command, until its packet is destroyed */
struct io {
	struct unit_state *unit;
	struct buf *bp;
	struct scsi_pkt *pkt;
	int completions, submissions;
	bool is_waiting;		/* FLAG_NOINTR */
};

static struct {
	kmutex_t lock;
	kcondvar_t cv;
	struct unit_state *units[UNITS];
	int n_units;
	dev_info_t *holds[HOLDS];
	ddi_taskq_t *tq;
	uint32_t next_value;
	bool is_on;
} client;

/*
 * The end of a command.
 */

static void
io_free(struct io *io)
{
	struct unit_state *unit = io->unit;

	scsi_destroy_pkt(io->pkt);
	if (io->bp != NULL)
		scsi_free_consistent_buf(io->bp);
	kmem_free(io, sizeof(*io));
	mutex_enter(&client.lock);
	if (--unit->in_flight == 0)
		cv_broadcast(&client.cv);
	mutex_exit(&client.lock);
}

/* each block that was read holds one number, whole */
static void
io_check_data(const struct io *io)
{
	const uint32_t *data = (const uint32_t *)(const void *)io->bp->b_un.b_addr;
	size_t words = (io->bp->b_bcount - (size_t)io->pkt->pkt_resid) / sizeof(*data);

	ck_assert_int_eq(io->pkt->pkt_resid, 0);
	for (size_t i = 0; i < words; i++)
		ck_assert_uint_eq(data[i], data[i / 128 * 128]);
	world.n_checked++;
}

/* how it may end: 7.5, 7.6 of the contract */
static void
io_judge(const struct io *io)
{
	const struct scsi_pkt *pkt = io->pkt;

	switch (pkt->pkt_reason) {
	case CMD_CMPLT:
		ck_assert_uint_eq(pkt->pkt_state & STATE_GOT_STATUS, STATE_GOT_STATUS);
		ck_assert_uint_eq(pkt->pkt_statistics, 0);
		break;
	case CMD_TIMEOUT:
		ck_assert_uint_ne(pkt->pkt_time, 0);
		ck_assert_uint_ne(pkt->pkt_statistics & STAT_TIMEOUT, 0);
		break;
	case CMD_ABORTED:
		ck_assert_uint_eq(pkt->pkt_statistics, STAT_ABORTED);
		break;
	case CMD_RESET:
		ck_assert_uint_ne(pkt->pkt_statistics & (STAT_DEV_RESET | STAT_BUS_RESET), 0);
		break;
	case CMD_DEV_GONE:
		ck_assert_uint_eq(pkt->pkt_statistics, 0);
		break;
	default:
		ck_abort_msg("pkt_reason %u", pkt->pkt_reason);
	}
}

static bool
io_is_good(const struct io *io)
{
	return io->pkt->pkt_reason == CMD_CMPLT && *io->pkt->pkt_scbp == STATUS_GOOD;
}

static void io_submit(struct io *io);

static void
io_done(struct io *io)
{
	bool can_retry = io->submissions < RETRIES && !io->unit->is_closing;

	io_judge(io);
	world.n_done++;
	if (io_is_good(io)) {
		world.n_io_good++;
		if (io->bp != NULL && io->pkt->pkt_cdbp[0] == SCMD_READ_G1)
			io_check_data(io);
		io_free(io);
		return;
	}
	world.n_io_other++;
	if (can_retry && random_chance(2))
		io_submit(io);
	else
		io_free(io);
}

static void
io_comp(struct scsi_pkt *pkt)
{
	struct io *io = pkt->pkt_private;

	ck_assert_int_eq(++io->completions, io->submissions);
	ck_assert(!io->is_waiting);
	io_done(io);
}

static void
io_submit(struct io *io)
{
	bool is_waiting = io->is_waiting;

	io->submissions++;
	if (scsi_transport(io->pkt) != TRAN_ACCEPT) {
		io_free(io);
		return;
	}
	if (!is_waiting)
		return;		/* it may be gone by now */
	io->completions++;
	io_done(io);
}

/*
 * The begin.
 */

static void
cdb_fill(struct io *io, bool is_write, size_t len)
{
	uint32_t *data;

	if (io->bp == NULL) {
		io->pkt->pkt_cdbp[0] = SCMD_TEST_UNIT_READY;
		return;
	}
	io->pkt->pkt_cdbp[0] = is_write ? SCMD_WRITE_G1 : SCMD_READ_G1;
	be32_put(io->pkt->pkt_cdbp + 2,
	    (uint32_t)rng_below(&world.rng, (uint64_t)RANDOM_BLOCKS + 1 - len / 512));
	be16_put(io->pkt->pkt_cdbp + 7, (uint16_t)(len / 512));
	data = (uint32_t *)(void *)io->bp->b_un.b_addr;
	for (size_t i = 0; i < len / sizeof(*data); i++) {
		if (i % 128 == 0)
			client.next_value++;
		data[i] = is_write ? client.next_value : (uint32_t)i;
	}
}

/* a command for @unit, whose in_flight counts it already; NULL: no packet */
static struct io *
io_new(struct unit_state *unit)
{
	struct io *io = kmem_zalloc(sizeof(*io), KM_SLEEP);
	struct scsi_address *ap = &unit->sd->sd_address;
	bool is_write = random_chance(2), has_data = !random_chance(4);
	size_t len = has_data ? 512 * (1 + rng_below(&world.rng, RANDOM_BLOCKS)) : 0;

	io->unit = unit;
	if (has_data)
		io->bp = scsi_alloc_consistent_buf(ap, NULL, len, is_write ? B_WRITE : B_READ,
		    SLEEP_FUNC, NULL);
	io->pkt = scsi_init_pkt(ap, NULL, io->bp, CDB_GROUP1,
	    random_chance(3) ? 1 : (int)sizeof(struct scsi_arq_status),
	    (int)rng_below(&world.rng, 100), has_data ? PKT_CONSISTENT : 0,
	    random_chance(2) ? NULL_FUNC : SLEEP_FUNC, NULL);
	if (io->pkt == NULL) {
		if (io->bp != NULL)
			scsi_free_consistent_buf(io->bp);
		kmem_free(io, sizeof(*io));
		return NULL;
	}
	cdb_fill(io, is_write, len);
	io->pkt->pkt_comp = io_comp;
	io->pkt->pkt_private = io;
	io->pkt->pkt_time = (uint_t)rng_below(&world.rng, 6);
	io->is_waiting = random_chance(5);
	io->pkt->pkt_flags = io->is_waiting ? FLAG_NOINTR : FLAG_STAG;
	return io;
}

/* some unit, counted as in flight; NULL when there is none */
static struct unit_state *
unit_pick(void)
{
	struct unit_state *unit = NULL;

	mutex_enter(&client.lock);
	if (client.n_units > 0)
		unit = client.units[rng_below(&world.rng, (uint64_t)client.n_units)];
	if (unit != NULL && unit->is_closing)
		unit = NULL;
	if (unit != NULL)
		unit->in_flight++;
	mutex_exit(&client.lock);
	return unit;
}

static void
unit_drop(struct unit_state *unit)
{
	mutex_enter(&client.lock);
	if (--unit->in_flight == 0)
		cv_broadcast(&client.cv);
	mutex_exit(&client.lock);
}

static void
send_task(void *arg)
{
	struct unit_state *unit = unit_pick();
	struct io *io;

	(void)arg;
	if (unit == NULL)
		return;
	io = io_new(unit);
	if (io == NULL)
		unit_drop(unit);
	else
		io_submit(io);
}

void
random_client_burst(void)
{
	for (uint64_t n = 1 + rng_below(&world.rng, BURST); n > 0; n--)
		(void)ddi_taskq_dispatch(client.tq, send_task, NULL, DDI_SLEEP);
}

/* the unit of some command that the HBA has, counted as in flight, and the command; NULL */
static struct unit_state *
unit_pick_busy(struct scsi_pkt **ret_pkt)
{
	struct unit_state *unit = NULL;
	struct random_cmd *cmd;

	mutex_enter(&world.lock);
	TAILQ_FOREACH(cmd, &world.cmds, link) {
		if (cmd->pkt->pkt_comp != io_comp)
			continue;
		unit = (void *)cmd->sd->sd_private;
		*ret_pkt = cmd->pkt;
		if (random_chance(3))
			break;
	}
	if (unit != NULL) {
		mutex_enter(&client.lock);
		unit->in_flight++;
		mutex_exit(&client.lock);
	}
	mutex_exit(&world.lock);
	return unit;
}

void
random_client_abort(void)
{
	struct scsi_pkt *pkt;
	struct unit_state *unit = unit_pick_busy(&pkt);

	if (unit == NULL)
		return;
	(void)scsi_abort(&unit->sd->sd_address, random_chance(2) ? pkt : NULL);
	unit_drop(unit);
}

void
random_client_reset(void)
{
	static const int levels[] = { RESET_LUN, RESET_LUN, RESET_TARGET, RESET_ALL };
	struct scsi_pkt *pkt;
	struct unit_state *unit = random_chance(2) ? unit_pick() : unit_pick_busy(&pkt);

	if (unit == NULL)
		return;
	ck_assert_int_eq(scsi_reset(&unit->sd->sd_address, levels[rng_below(&world.rng, 4)]),
	    1);
	unit_drop(unit);
}

void
random_client_hold(void)
{
	dev_info_t **hold = &client.holds[rng_below(&world.rng, HOLDS)];
	struct unit_state *unit;

	if (*hold != NULL) {
		devi_release(*hold);
		*hold = NULL;
		return;
	}
	unit = unit_pick();
	if (unit == NULL)
		return;
	if (devi_hold(unit->sd->sd_dev))
		*hold = unit->sd->sd_dev;
	unit_drop(unit);
}

void
random_client_release(void)
{
	for (int i = 0; i < HOLDS; i++) {
		if (client.holds[i] != NULL)
			devi_release(client.holds[i]);
		client.holds[i] = NULL;
	}
}

int
random_client_units(void)
{
	return client.n_units;
}

void
random_client_begin(void)
{
	memset(&client, 0, sizeof(client));
	mutex_init(&client.lock, NULL, MUTEX_DRIVER, NULL);
	cv_init(&client.cv, NULL, CV_DRIVER, NULL);
	client.tq = ddi_taskq_create(NULL, "client", 4, TASKQ_DEFAULTPRI, 0);
	client.is_on = true;
}

void
random_client_end(void)
{
	client.is_on = false;
	random_client_release();
	ddi_taskq_destroy(client.tq);
	client.tq = NULL;
}

/*
 * The driver.
 */

static void
reset_seen(caddr_t arg)
{
	ck_assert_ptr_nonnull(arg);
	world.n_notified++;
}

static int
rtgt_attach(dev_info_t *dip, ddi_attach_cmd_t cmd)
{
	struct scsi_device *sd = ddi_get_driver_private(dip);
	struct unit_state *unit;

	if (cmd != DDI_ATTACH || scsi_probe(sd, SLEEP_FUNC) != SCSIPROBE_EXISTS ||
	    random_chance(50))
		return DDI_FAILURE;
	unit = kmem_zalloc(sizeof(*unit), KM_SLEEP);
	unit->sd = sd;
	sd->sd_private = (caddr_t)unit;
	ck_assert_int_eq(scsi_reset_notify(&sd->sd_address, SCSI_RESET_NOTIFY, reset_seen,
	    (caddr_t)unit), DDI_SUCCESS);
	mutex_enter(&client.lock);
	ck_assert_int_lt(client.n_units, UNITS);
	client.units[client.n_units++] = unit;
	if (client.n_units > world.units_max)
		world.units_max = client.n_units;
	world.n_attach++;
	mutex_exit(&client.lock);
	mock_order_tgt_attach(sd);
	return DDI_SUCCESS;
}

static int
rtgt_detach(dev_info_t *dip, ddi_detach_cmd_t cmd)
{
	struct scsi_device *sd = ddi_get_driver_private(dip);
	struct unit_state *unit = (void *)sd->sd_private;

	if (cmd != DDI_DETACH)
		return DDI_FAILURE;
	if (client.is_on && random_chance(16)) {
		world.n_refused_detach++;
		return DDI_FAILURE;
	}
	mutex_enter(&client.lock);
	unit->is_closing = true;
	while (unit->in_flight > 0)
		cv_wait(&client.cv, &client.lock);
	for (int i = 0; i < client.n_units; i++) {
		if (client.units[i] == unit)
			client.units[i--] = client.units[--client.n_units];
	}
	world.n_detach++;
	mutex_exit(&client.lock);
	ck_assert_int_eq(scsi_reset_notify(&sd->sd_address, SCSI_RESET_CANCEL, NULL, NULL),
	    DDI_SUCCESS);
	kmem_free(unit, sizeof(*unit));
	mock_order_tgt_detach(sd);
	return DDI_SUCCESS;
}

static struct dev_ops rtgt_ops = {
	.devo_rev = DEVO_REV, .devo_probe = nulldev, .devo_attach = rtgt_attach,
	.devo_detach = rtgt_detach, .devo_reset = nodev,
};
static struct modldrv rtgt_modldrv = { &mod_driverops, "random target driver", &rtgt_ops };
static struct modlinkage rtgt_modlinkage = { MODREV_1, { &rtgt_modldrv, NULL } };

int
_init(void)
{
	return mod_install(&rtgt_modlinkage);
}

int
_fini(void)
{
	return mod_remove(&rtgt_modlinkage);
}

int
_info(struct modinfo *modinfop)
{
	return mod_info(&rtgt_modlinkage, modinfop);
}

int
random_client_init(void)
{
	return _init();
}

int
random_client_fini(void)
{
	return _fini();
}
