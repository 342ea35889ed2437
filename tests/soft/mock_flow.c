#include "mock_flow.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "ddi/devtree.h"
#include "ddi/driver.h"
#include "scsa/config.h"

struct soft_hba *flow_hba;
dev_info_t *flow_port;

static const struct flow *flow_now;
static struct scsi_device *devices[SOFT_TARGETS][SOFT_LUNS];
static kmutex_t done_lock;
static kcondvar_t done_cv;

static int
listener_attach(dev_info_t *dip, ddi_attach_cmd_t cmd)
{
	struct scsi_device *sd = ddi_get_driver_private(dip);

	if (cmd != DDI_ATTACH || scsi_probe(sd, SLEEP_FUNC) != SCSIPROBE_EXISTS)
		return DDI_FAILURE;
	devices[sd->sd_address.a_target][sd->sd_address.a_lun] = sd;
	return DDI_SUCCESS;
}

static int
listener_detach(dev_info_t *dip, ddi_detach_cmd_t cmd)
{
	struct scsi_device *sd = ddi_get_driver_private(dip);

	if (cmd != DDI_DETACH)
		return DDI_FAILURE;
	devices[sd->sd_address.a_target][sd->sd_address.a_lun] = NULL;
	scsi_unprobe(sd);
	return DDI_SUCCESS;
}

static struct dev_ops listener_ops = {
	.devo_rev = DEVO_REV,
	.devo_attach = listener_attach,
	.devo_detach = listener_detach,
};
static struct modldrv listener_drv = { &mod_driverops, "listener", &listener_ops };
static struct modlinkage listener_linkage = { MODREV_1, { &listener_drv, NULL } };

static int
listener_init(void)
{
	return mod_install(&listener_linkage);
}

static int
listener_fini(void)
{
	return mod_remove(&listener_linkage);
}

static void
take_attentions(void)
{
	for (unsigned int t = 0; t < SOFT_TARGETS; t++) {
		for (unsigned int l = 0; l < SOFT_LUNS; l++) {
			uint8_t cdb[CDB_BUF_LEN];
			struct io io;

			if (devices[t][l] == NULL)
				continue;
			ck_assert(
			    !io_run(&io, devices[t][l], cdb, cdb_tur(cdb), NULL, 0, true));
			ck_assert_uint_eq(io.sense.asc, ASC_POWER_ON_OR_RESET);
			io_fini(&io);
		}
	}
}

static void
flow_up(const struct flow *flow)
{
	static struct soft_disk_conf disks[FLOW_DISKS];
	struct soft_hba_conf conf = { .disks = disks, .queues = flow->queues };
	char err[SOFT_ERR_LEN];

	for (; conf.ndisks < FLOW_DISKS && flow->disks[conf.ndisks] != NULL; conf.ndisks++)
		ck_assert_msg(
		    soft_conf_parse(flow->disks[conf.ndisks], &disks[conf.ndisks], err) == 0,
		    "%s", err);
	mutex_init(&done_lock, NULL, MUTEX_DRIVER, NULL);
	cv_init(&done_cv, NULL, CV_DRIVER, NULL);
	ck_assert_int_eq(driver_init("listener", listener_init, listener_fini), 0);
	ck_assert_int_eq(driver_alias_add("listener", "scsiclass"), 0);
	ck_assert_int_eq(driver_init(SOFT_DRIVER, soft_mod_init, soft_mod_fini), 0);
	ck_assert_msg(soft_hba_new(&conf, &flow_hba, err) == 0, "%s", err);
	ck_assert_int_eq(devi_attach(soft_hba_node(flow_hba)), 0);
	ck_assert_int_eq(scsa_bus_config_all(soft_hba_node(flow_hba)), (int)conf.ndisks);
	flow_port = scsi_hba_iport_find(soft_hba_node(flow_hba), (char *)(uintptr_t)SOFT_IPORT);
	ck_assert_ptr_nonnull(flow_port);
	if (!flow->keep_attention)
		take_attentions();
}

static void
flow_down(void)
{
	ck_assert_int_eq(scsa_bus_unconfig_all(soft_hba_node(flow_hba)), 0);
	ck_assert_int_eq(devi_detach(soft_hba_node(flow_hba), 0), 0);
	soft_hba_free(flow_hba);
	ck_assert_int_eq(driver_unload(SOFT_DRIVER), 0);
	driver_alias_remove("scsiclass");
	ck_assert_int_eq(driver_unload("listener"), 0);
	cv_destroy(&done_cv);
	mutex_destroy(&done_lock);
}

static void
flow_body(void *arg)
{
	flow_now = arg;
	flow_up(flow_now);
	flow_now->scenario();
	flow_down();
}

void
flow_run(const struct flow *flow)
{
	struct sim_opts opts = { .seed = flow->seed, .yield_per_1024 = 64 };

	sim_run(&opts, flow_body, (void *)(uintptr_t)flow);
}

void
flow_native(const struct flow *flow)
{
	flow_body((void *)(uintptr_t)flow);
}

struct scsi_device *
flow_sd(unsigned int target, unsigned int lun)
{
	ck_assert_ptr_nonnull(devices[target][lun]);
	return devices[target][lun];
}

static void
io_comp(struct scsi_pkt *pkt)
{
	struct io *io = pkt->pkt_private;

	mutex_enter(&done_lock);
	atomic_fetch_add(&io->done, 1);
	cv_broadcast(&done_cv);
	mutex_exit(&done_lock);
}

void
io_init(struct io *io, struct scsi_device *sd, const uint8_t *cdb, size_t cdb_len, void *buf,
    size_t len, bool is_read, int scblen)
{
	memset(io, 0, sizeof(*io));
	bioinit(&io->buf);
	io->buf.b_flags |= is_read ? B_READ : B_WRITE;
	io->buf.b_bcount = len;
	io->buf.b_un.b_addr = buf;
	io->pkt = scsi_init_pkt(&sd->sd_address, NULL, buf == NULL ? NULL : &io->buf,
	    (int)cdb_len, scblen, 0, scblen > IO_ARQ ? PKT_XARQ : 0, NULL_FUNC, NULL);
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
	struct scsi_pkt *pkt = io->pkt;

	mutex_enter(&done_lock);
	while (atomic_load(&io->done) == 0)
		cv_wait(&done_cv, &done_lock);
	mutex_exit(&done_lock);
	ck_assert_uint_eq(atomic_load(&io->done), 1);
	if ((pkt->pkt_state & STATE_ARQ_DONE) == 0)
		return;
	ck_assert_int_eq(
	    sense_parse(pkt->pkt_scbp + offsetof(struct scsi_arq_status, sts_sensedata),
		pkt->pkt_scblen - offsetof(struct scsi_arq_status, sts_sensedata), &io->sense),
	    0);
}

bool
io_ended(const struct io *io, uint8_t reason, uint_t stats)
{
	return atomic_load(&io->done) == 1 && io->pkt->pkt_reason == reason &&
	    io->pkt->pkt_statistics == stats;
}

bool
io_run(struct io *io, struct scsi_device *sd, const uint8_t *cdb, size_t cdb_len, void *buf,
    size_t len, bool is_read)
{
	io_init(io, sd, cdb, cdb_len, buf, len, is_read, IO_ARQ);
	io_send(io);
	io_wait(io);
	return io->pkt->pkt_reason == CMD_CMPLT && *io->pkt->pkt_scbp == STATUS_GOOD;
}

uint32_t
fault(const char *text)
{
	char err[SOFT_ERR_LEN];
	uint32_t id;

	ck_assert_msg(soft_fault_add(flow_hba, text, &id, err) == 0, "%s", err);
	return id;
}
