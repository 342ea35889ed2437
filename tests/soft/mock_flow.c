#include "mock_flow.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <uthash.h>

#include "ddi/devtree.h"
#include "ddi/driver.h"
#include "listener.h"
#include "scsa/config.h"
#include "scsa/smp.h"

struct soft_hba *flow_hba;
dev_info_t *flow_port;

static const struct flow *flow_now;
static kmutex_t done_lock;
static kcondvar_t done_cv;

/* units that are attached, by "iport/address" */
struct device {
	UT_hash_handle hh;
	struct scsi_device *sd;
	char name[64];
};

static struct device *devices;		/* under done_lock */
static unsigned int attaches;

static struct device *
device_find(const char *name)
{
	struct device *device;

	HASH_FIND_STR(devices, name, device);
	return device;
}

static void
unit_came(struct scsi_device *sd)
{
	struct device *device = calloc(1, sizeof(*device));

	ck_assert_ptr_nonnull(device);
	(void)snprintf(device->name, sizeof(device->name), "%s/%s",
	    ddi_get_name_addr(ddi_get_parent(sd->sd_dev)), scsi_device_unit_address(sd));
	device->sd = sd;
	sd->sd_private = (caddr_t)device;
	mutex_enter(&done_lock);
	if (device_find(device->name) != NULL)
		ck_abort_msg("%s came twice", device->name);
	HASH_ADD_STR(devices, name, device);
	attaches++;
	mutex_exit(&done_lock);
}

static void
unit_left(struct scsi_device *sd)
{
	struct device *device = (struct device *)(void *)sd->sd_private;

	mutex_enter(&done_lock);
	HASH_DEL(devices, device);
	mutex_exit(&done_lock);
	free(device);
}

static void
take_attentions(void)
{
	struct device *device, *next;

	HASH_ITER(hh, devices, device, next) {
		uint8_t cdb[CDB_BUF_LEN];
		struct io io;

		ck_assert(!io_run(&io, device->sd, cdb, cdb_tur(cdb), NULL, 0, true));
		ck_assert_uint_eq(io.sense.asc, ASC_POWER_ON_OR_RESET);
		io_fini(&io);
	}
}

/* the lines of @flow; how many units they are */
static int
flow_conf(const struct flow *flow, struct soft_hba_conf *conf)
{
	static struct soft_disk_conf disks[FLOW_DISKS];
	static struct soft_port_conf ports[FLOW_DISKS];
	static struct soft_expander_conf expanders[FLOW_DISKS];
	char err[SOFT_ERR_LEN];
	int units = 0;

	*conf = (struct soft_hba_conf){ .disks = disks, .ports = ports,
		.expanders = expanders, .queues = flow->queues,
		.is_dynamic = flow->is_dynamic, .state_dir = flow->state_dir };
	for (size_t i = 0; i < FLOW_DISKS && flow->disks[i] != NULL; i++) {
		ck_assert_msg(soft_conf_parse(flow->disks[i], &disks[i], err) == 0, "%s", err);
		units += disks[i].luns == 0 ? 1 : (int)disks[i].luns;
		conf->ndisks++;
	}
	for (size_t i = 0; i < FLOW_DISKS && flow->ports[i] != NULL; i++) {
		ck_assert_msg(soft_port_parse(flow->ports[i], &ports[i], err) == 0, "%s", err);
		conf->nports++;
	}
	for (size_t i = 0; i < FLOW_DISKS && flow->expanders[i] != NULL; i++) {
		ck_assert_msg(soft_expander_parse(flow->expanders[i], &expanders[i], err) == 0,
		    "%s", err);
		conf->nexpanders++;
		units++;
	}
	return units;
}

static void
flow_up(const struct flow *flow)
{
	struct soft_hba_conf conf;
	int units = flow_conf(flow, &conf);
	char err[SOFT_ERR_LEN];

	devices = NULL;
	attaches = 0;
	mutex_init(&done_lock, NULL, MUTEX_DRIVER, NULL);
	cv_init(&done_cv, NULL, CV_DRIVER, NULL);
	listener_load(unit_came, unit_left);
	ck_assert_int_eq(scsa_smp_init(), 0);
	ck_assert_int_eq(driver_init(SOFT_DRIVER, soft_mod_init, soft_mod_fini), 0);
	ck_assert_msg(soft_hba_new(&conf, &flow_hba, err) == 0, "%s", err);
	ck_assert_int_eq(devi_attach(soft_hba_node(flow_hba)), 0);
	ck_assert_int_eq(scsa_bus_config_all(soft_hba_node(flow_hba)), units);
	flow_port = scsi_hba_iport_find(soft_hba_node(flow_hba), (char *)(uintptr_t)SOFT_IPORT);
	if (!flow->keep_attention)
		take_attentions();
}

static void
flow_down(void)
{
	ck_assert_int_eq(scsa_bus_unconfig_all(soft_hba_node(flow_hba)), 0);
	ck_assert_int_eq(devi_detach(soft_hba_node(flow_hba), 0), 0);
	soft_hba_free(flow_hba);
	ck_assert_ptr_null(devices);
	ck_assert_int_eq(driver_unload(SOFT_DRIVER), 0);
	ck_assert_int_eq(scsa_smp_fini(), 0);
	listener_unload();
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
flow_find(const char *name)
{
	struct device *device;

	mutex_enter(&done_lock);
	device = device_find(name);
	mutex_exit(&done_lock);
	return device == NULL ? NULL : device->sd;
}

struct scsi_device *
flow_sd(unsigned int target, unsigned int lun)
{
	char name[64];

	(void)snprintf(name, sizeof(name), SOFT_IPORT "/%x,%x", target, lun);
	ck_assert_msg(flow_find(name) != NULL, "no unit %s", name);
	return flow_find(name);
}

unsigned int
flow_units(void)
{
	unsigned int n;

	mutex_enter(&done_lock);
	n = HASH_COUNT(devices);
	mutex_exit(&done_lock);
	return n;
}

unsigned int
flow_attaches(void)
{
	unsigned int n;

	mutex_enter(&done_lock);
	n = attaches;
	mutex_exit(&done_lock);
	return n;
}

struct scsi_device *
flow_absent(unsigned int target, unsigned int lun)
{
	char taddr[16];
	dev_info_t *dip;

	(void)snprintf(taddr, sizeof(taddr), "%x", target);
	ck_assert_int_eq(devi_alloc(flow_port, LISTENER, &dip), 0);
	ck_assert_int_eq(ddi_prop_update_string(DDI_DEV_T_NONE, dip, "target-port", taddr), 0);
	ck_assert_int_eq(ddi_prop_update_int64(DDI_DEV_T_NONE, dip, "lun64", lun), 0);
	if (devi_init(dip) == 0) {
		/* nothing is attached to it: the framework would take it away with the target */
		ck_assert(devi_hold(dip));
		return ddi_get_driver_private(dip);
	}
	ck_assert_int_eq(devi_free(dip), 0);
	return NULL;
}

void
flow_absent_free(struct scsi_device *sd)
{
	dev_info_t *dip = devi_ref(sd->sd_dev);
	int r;

	devi_release(dip);
	/* when the target has gone, the framework may be at it already */
	r = devi_free(dip);
	ck_assert(r == 0 || r == -EBUSY);
	devi_unref(dip);
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
	io->pkt->pkt_time = IO_SECONDS;
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
