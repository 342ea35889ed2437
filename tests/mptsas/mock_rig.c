#include "mock_ioc.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/pci.h>

#include "base/bytes.h"
#include "ddi/devtree.h"
#include "ddi/driver.h"
#include "listener.h"
#include "scsa/config.h"
#include "scsa/smp.h"

#define UNITS	16

static dev_info_t *node;
static kmutex_t lock;
static kcondvar_t cv;
static struct scsi_device *units[UNITS];	/* under lock */

static struct {
	void (*prepare)(void);
	void (*scenario)(void);
	bool want_failure;
} run;

static void
unit_came(struct scsi_device *sd)
{
	unsigned int i = 0;

	mutex_enter(&lock);
	while (units[i] != NULL)
		ck_assert_uint_lt(++i, UNITS);
	units[i] = sd;
	mutex_exit(&lock);
}

static void
unit_left(struct scsi_device *sd)
{
	mutex_enter(&lock);
	for (unsigned int i = 0; i < UNITS; i++) {
		if (units[i] == sd)
			units[i] = NULL;
	}
	mutex_exit(&lock);
}

/* as after power on: one disk behind phy 0 */
static void
ioc_default(void)
{
	memset(&ioc, 0, sizeof(ioc));
	ioc.device_id = MPT_DEV_1068E;
	ioc.frame_dwords = 32;
	ioc.credits = 32;
	ioc.nphys = IOC_PHYS;
	ioc_phy(0, 0, 9);
	ioc_disk(0, 0x5000c50000000001, 9, 1, 0);
}

static void
rig_up(void)
{
	/* configuration space, an I/O BAR, the memory BAR */
	static const int cells[] = {
		0, 0, 0, 0, 0,
		0x01000010, 0, 0, 0, 256,
		0x02000014, 0, 0, 0, 0x2000,
	};

	memset(units, 0, sizeof(units));
	mutex_init(&lock, NULL, MUTEX_DRIVER, NULL);
	cv_init(&cv, NULL, CV_DRIVER, NULL);
	listener_load(unit_came, unit_left);
	ck_assert_int_eq(scsa_smp_init(), 0);
	ck_assert_int_eq(driver_init(MPTSAS_DRIVER, mptsas_mod_init, mptsas_mod_fini), 0);
	ioc_default();
	if (run.prepare != NULL)
		run.prepare();
	ck_assert_int_eq(devi_alloc(devi_root(), MPTSAS_DRIVER, &node), 0);
	ck_assert_int_eq(ddi_prop_update_int_array(DDI_DEV_T_NONE, node, "reg", cells,
	    ARRAY_LEN(cells)), DDI_PROP_SUCCESS);
	ioc_power_on(node);
}

static void
rig_down(void)
{
	ck_assert_int_eq(devi_free(node), 0);
	node = NULL;
	ioc_power_off();
	ck_assert_uint_eq(rig_units(), 0);
	ck_assert_int_eq(driver_unload(MPTSAS_DRIVER), 0);
	ck_assert_int_eq(scsa_smp_fini(), 0);
	listener_unload();
	cv_destroy(&cv);
	mutex_destroy(&lock);
}

static void
rig_body(void *arg)
{
	(void)arg;
	rig_up();
	if (run.want_failure) {
		ck_assert_int_eq(devi_attach(node), -EIO);
	} else {
		ck_assert_int_eq(devi_attach(node), 0);
		ck_assert_int_ge(scsa_bus_config_all(node), 0);
		rig_settle();
		run.scenario();
		ck_assert_int_eq(scsa_bus_unconfig_all(node), 0);
		ck_assert_int_eq(devi_detach(node, 0), 0);
	}
	rig_down();
}

void
rig_run(void (*prepare)(void), void (*scenario)(void))
{
	struct sim_opts opts = { .seed = 7, .yield_per_1024 = 64 };

	run.prepare = prepare;
	run.scenario = scenario;
	run.want_failure = false;
	sim_run(&opts, rig_body, NULL);
}

void
rig_attach_fails(void (*prepare)(void))
{
	struct sim_opts opts = { .seed = 7 };

	run.prepare = prepare;
	run.want_failure = true;
	sim_run(&opts, rig_body, NULL);
}

dev_info_t *
rig_node(void)
{
	return node;
}

struct mptsas_hba *
rig_hba(void)
{
	return node == NULL || ddi_get_instance(node) < 0 ? NULL : mptsas_of(node);
}

void
rig_settle(void)
{
	sim_advance_us(5000000);
}

bool
rig_state_is(const char *want)
{
	char *state;
	bool is_so;

	ck_assert_int_eq(ddi_prop_lookup_string(DDI_DEV_T_ANY, node, DDI_PROP_DONTPASS,
	    "hba-state", &state), DDI_PROP_SUCCESS);
	is_so = strcmp(state, want) == 0;
	ddi_prop_free(state);
	return is_so;
}

struct scsi_device *
rig_unit(uint64_t sas)
{
	struct scsi_device *sd = NULL;
	char name[40];

	(void)snprintf(name, sizeof(name), "w%016llx,0", (unsigned long long)sas);
	mutex_enter(&lock);
	for (unsigned int i = 0; i < UNITS && sd == NULL; i++) {
		if (units[i] != NULL && strcmp(scsi_device_unit_address(units[i]), name) == 0)
			sd = units[i];
	}
	mutex_exit(&lock);
	return sd;
}

unsigned int
rig_units(void)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < UNITS; i++)
		n += units[i] != NULL;
	return n;
}

static void
io_comp(struct scsi_pkt *pkt)
{
	struct io *io = pkt->pkt_private;

	mutex_enter(&lock);
	io->done++;
	cv_broadcast(&cv);
	mutex_exit(&lock);
}

int
io_start(struct io *io, struct scsi_device *sd, void *buf, size_t len, bool is_read,
    unsigned int time)
{
	memset(io, 0, sizeof(*io));
	bioinit(&io->buf);
	io->buf.b_flags |= is_read ? B_READ : B_WRITE;
	io->buf.b_bcount = len;
	io->buf.b_un.b_addr = buf;
	io->pkt = scsi_init_pkt(&sd->sd_address, NULL, &io->buf, 10,
	    (int)sizeof(struct scsi_arq_status), 0, 0, NULL_FUNC, NULL);
	ck_assert_ptr_nonnull(io->pkt);
	io->pkt->pkt_cdbp[0] = is_read ? SCMD_READ_G1 : SCMD_WRITE_G1;
	be16_put(io->pkt->pkt_cdbp + 7, (uint16_t)(len / 512));
	io->pkt->pkt_private = io;
	io->pkt->pkt_comp = io_comp;
	io->pkt->pkt_time = time;
	return scsi_transport(io->pkt);
}

void
io_wait(struct io *io)
{
	mutex_enter(&lock);
	while (io->done == 0)
		cv_wait(&cv, &lock);
	mutex_exit(&lock);
}

void
io_end(struct io *io, uint8_t reason, uint_t stats)
{
	io_wait(io);
	ck_assert_uint_eq(io->done, 1);
	ck_assert_uint_eq(io->pkt->pkt_reason, reason);
	ck_assert_uint_eq(io->pkt->pkt_statistics, stats);
	scsi_destroy_pkt(io->pkt);
	biofini(&io->buf);
}
