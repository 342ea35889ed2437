/* C84: 256 addresses at four ports come, work and go at the same time, on real threads */
#define SCSA_MOD par
#include <sys/scsi/scsi.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/modctl.h>

#include "check_main.h"
#include "ddi/devtree.h"
#include "ddi/driver.h"
#include "scsa/config.h"
#include "tests/scsa/mock_hba.h"

#define PORTS	4
#define TARGETS	64
#ifdef SCSAD_TSAN
#define ROUNDS	1	/* each takes seconds there, also where nothing else runs */
#else
#define ROUNDS	3
#endif

struct port {
	dev_info_t *dip;
	scsi_hba_tgtmap_t *map;
	atomic_int n_active;
};

static struct port ports[PORTS];
static scsi_hba_tran_t *par_tran;
static ddi_taskq_t *par_tq;
static atomic_int n_inits, n_frees, n_starts, n_turn;

static void
inquiry_put(struct scsi_pkt *pkt)
{
	uint8_t data[36] = { 0, 0, 2, 2, 31 };

	memcpy(data + 8, "PAR     PARALLEL DISK   0001", 28);
	pkt->pkt_resid = (ssize_t)pkt->pkt_cookies[0].dmac_size - (ssize_t)sizeof(data);
	memcpy((void *)(uintptr_t)pkt->pkt_cookies[0].dmac_laddress, data, sizeof(data));
	pkt->pkt_state |= STATE_XFERRED_DATA;
}

static void
comp_task(void *arg)
{
	scsi_hba_pkt_comp(arg);
}

/* every other command is answered by another thread */
static int
par_start(struct scsi_address *ap, struct scsi_pkt *pkt)
{
	(void)ap;
	pkt->pkt_reason = CMD_CMPLT;
	pkt->pkt_state = STATE_GOT_BUS | STATE_GOT_TARGET | STATE_SENT_CMD | STATE_GOT_STATUS;
	*pkt->pkt_scbp = STATUS_GOOD;
	if (pkt->pkt_cdbp[0] == SCMD_INQUIRY && (pkt->pkt_cdbp[1] & 1) == 0)
		inquiry_put(pkt);
	else if (pkt->pkt_cdbp[0] != SCMD_TEST_UNIT_READY)
		*pkt->pkt_scbp = STATUS_CHECK;
	if (atomic_fetch_add(&n_starts, 1) % 2 == 0)
		scsi_hba_pkt_comp(pkt);
	else if (ddi_taskq_dispatch(par_tq, comp_task, pkt, DDI_SLEEP) != DDI_SUCCESS)
		return TRAN_BUSY;
	return TRAN_ACCEPT;
}

static int
par_none(struct scsi_address *ap, struct scsi_pkt *pkt)
{
	(void)ap;
	(void)pkt;
	return 0;
}

static int
par_reset(struct scsi_address *ap, int level)
{
	(void)ap;
	(void)level;
	return 1;
}

static int
par_getcap(struct scsi_address *ap, char *cap, int whom)
{
	(void)ap;
	(void)whom;
	return scsi_hba_lookup_capstr(cap) == SCSI_CAP_CDB_LEN ? 16 : -1;
}

static int
par_setcap(struct scsi_address *ap, char *cap, int value, int whom)
{
	(void)ap;
	(void)cap;
	(void)value;
	(void)whom;
	return 0;
}

static int
par_setup(struct scsi_pkt *pkt, int (*callback)(caddr_t), caddr_t arg)
{
	(void)pkt;
	(void)callback;
	(void)arg;
	return 0;
}

static int
par_tgt_init(dev_info_t *hba, dev_info_t *tgt, scsi_hba_tran_t *tran, struct scsi_device *sd)
{
	(void)hba;
	(void)tgt;
	(void)tran;
	scsi_device_hba_private_set(sd, &ports);
	atomic_fetch_add(&n_inits, 1);
	return DDI_SUCCESS;
}

static void
par_tgt_free(dev_info_t *hba, dev_info_t *tgt, scsi_hba_tran_t *tran, struct scsi_device *sd)
{
	(void)hba;
	(void)tgt;
	(void)tran;
	ck_assert_ptr_eq(scsi_device_hba_private_get(sd), &ports);
	atomic_fetch_add(&n_frees, 1);
}

static void
par_activate(void *priv, char *addr, scsi_tgtmap_tgt_type_t type, void **privp)
{
	struct port *port = priv;

	(void)addr;
	(void)type;
	*privp = port;
	atomic_fetch_add(&port->n_active, 1);
}

static boolean_t
par_deactivate(void *priv, char *addr, scsi_tgtmap_tgt_type_t type, void *tgt_priv,
    scsi_tgtmap_deact_rsn_t why)
{
	struct port *port = priv;

	(void)addr;
	(void)type;
	if (why == SCSI_TGT_DEACT_RSN_UNSTBL)
		return B_FALSE;
	ck_assert_ptr_eq(tgt_priv, port);
	atomic_fetch_sub(&port->n_active, 1);
	return B_FALSE;
}

static int
par_iport_attach(dev_info_t *dip)
{
	struct port *port = &ports[scsi_hba_iport_unit_address(dip)[1] - '0'];

	port->dip = dip;
	return scsi_hba_tgtmap_create(dip, SCSI_TM_FULLSET, 60000000, 1000, port, par_activate,
	    par_deactivate, &port->map);
}

static int
par_attach(dev_info_t *dip, ddi_attach_cmd_t cmd)
{
	static char names[PORTS][3] = { "p0", "p1", "p2", "p3" };
	ddi_dma_attr_t attr = {
		.dma_attr_addr_hi = UINT64_MAX, .dma_attr_count_max = UINT32_MAX,
		.dma_attr_align = 1, .dma_attr_burstsizes = 1, .dma_attr_minxfer = 1,
		.dma_attr_maxxfer = UINT32_MAX, .dma_attr_seg = UINT64_MAX,
		.dma_attr_sgllen = 64, .dma_attr_granular = 1,
	};

	(void)cmd;
	if (scsi_hba_iport_unit_address(dip) != NULL)
		return par_iport_attach(dip);
	par_tran = scsi_hba_tran_alloc(dip, SCSI_HBA_CANSLEEP);
	par_tran->tran_start = par_start;
	par_tran->tran_abort = par_none;
	par_tran->tran_reset = par_reset;
	par_tran->tran_getcap = par_getcap;
	par_tran->tran_setcap = par_setcap;
	par_tran->tran_setup_pkt = par_setup;
	par_tran->tran_tgt_init = par_tgt_init;
	par_tran->tran_tgt_free = par_tgt_free;
	ck_assert_int_eq(scsi_hba_attach_setup(dip, &attr, par_tran, SCSI_HBA_HBA |
	    SCSI_HBA_ADDR_COMPLEX | SCSI_HBA_TRAN_CDB | SCSI_HBA_TRAN_SCB), DDI_SUCCESS);
	par_tq = ddi_taskq_create(dip, "par", 3, TASKQ_DEFAULTPRI, 0);
	for (int i = 0; i < PORTS; i++)
		ck_assert_int_eq(scsi_hba_iport_register(dip, names[i]), DDI_SUCCESS);
	return DDI_SUCCESS;
}

static int
par_detach(dev_info_t *dip, ddi_detach_cmd_t cmd)
{
	(void)cmd;
	if (scsi_hba_iport_unit_address(dip) != NULL) {
		struct port *port = &ports[scsi_hba_iport_unit_address(dip)[1] - '0'];

		scsi_hba_tgtmap_destroy(port->map);
		ck_assert_int_eq(atomic_load(&port->n_active), 0);
		return DDI_SUCCESS;
	}
	ck_assert_int_eq(scsi_hba_detach(dip), DDI_SUCCESS);
	ddi_taskq_destroy(par_tq);
	scsi_hba_tran_free(par_tran);
	return DDI_SUCCESS;
}

static struct dev_ops par_ops = {
	.devo_rev = DEVO_REV, .devo_probe = nulldev, .devo_attach = par_attach,
	.devo_detach = par_detach,
};
static struct modldrv par_modldrv = { &mod_driverops, "parallel", &par_ops };
static struct modlinkage par_modlinkage = { MODREV_1, { &par_modldrv, NULL } };

int
_init(void)
{
	return scsi_hba_init(&par_modlinkage) != 0 ? EINVAL : mod_install(&par_modlinkage);
}

int
_fini(void)
{
	return mod_remove(&par_modlinkage);
}

int
_info(struct modinfo *modinfop)
{
	return mod_info(&par_modlinkage, modinfop);
}

/* all of a port, or none */
static void
port_report(struct port *port, int n)
{
	char addr[16];

	ck_assert_int_eq(scsi_hba_tgtmap_set_begin(port->map), DDI_SUCCESS);
	for (int i = 0; i < n; i++) {
		(void)snprintf(addr, sizeof(addr), "w%x", (unsigned int)i);
		ck_assert_int_eq(scsi_hba_tgtmap_set_add(port->map, SCSI_TGT_SCSI_DEVICE, addr,
		    NULL), DDI_SUCCESS);
	}
	ck_assert_int_eq(scsi_hba_tgtmap_set_end(port->map, 0), DDI_SUCCESS);
}

/* a command to each unit of the port, while others come and go */
static void
port_use(struct port *port)
{
	char key[16];

	for (int i = 0; i < TARGETS; i++) {
		struct scsi_pkt *pkt;
		dev_info_t *dip;

		(void)snprintf(key, sizeof(key), "@w%x,0", (unsigned int)i);
		dip = devi_find(port->dip, key);
		ck_assert_ptr_nonnull(dip);
		ck_assert(devi_hold(dip));
		pkt = mock_pkt(ddi_get_driver_private(dip), NULL, SCMD_TEST_UNIT_READY, 0);
		ck_assert_int_eq(scsi_poll(pkt), 0);
		scsi_destroy_pkt(pkt);
		devi_release(dip);
		devi_unref(dip);
	}
}

static void *
port_main(void *arg)
{
	struct port *port = arg;

	for (int i = 0; i < ROUNDS; i++) {
		port_report(port, TARGETS);
		while (scsa_bus_config_all(port->dip) < TARGETS)
			sched_yield();
		ck_assert_int_eq(atomic_load(&port->n_active), TARGETS);
		port_use(port);
		port_report(port, 0);
		while (scsa_bus_config_all(port->dip) > 0)
			sched_yield();
		atomic_fetch_add(&n_turn, 1);
	}
	port_report(port, TARGETS / 2);
	return NULL;
}

START_TEST(c84_256_addresses_on_real_threads)
{
	pthread_t threads[PORTS];
	dev_info_t *hba;

	mock_order_begin();
	ck_assert_int_eq(mock_tgt_init(), 0);
	ck_assert_int_eq(driver_init("par", _init, _fini), 0);
	ck_assert_int_eq(devi_alloc(devi_root(), "par", &hba), 0);
	ck_assert_int_eq(devi_attach(hba), 0);
	for (int i = 0; i < PORTS; i++) {
		const char name[] = { 'p', (char)('0' + i), '\0' };

		ck_assert_int_eq(scsa_bus_config_one(hba, name, NULL), 0);
	}
	for (int i = 0; i < PORTS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, port_main, &ports[i]), 0);
	for (int i = 0; i < PORTS; i++)
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
	ck_assert_int_eq(atomic_load(&n_turn), PORTS * ROUNDS);
	/* with reports pending */
	ck_assert_int_eq(scsa_bus_unconfig_all(hba), 0);
	ck_assert_int_eq(devi_detach(hba, DEVI_DETACH_FREE), 0);
	ck_assert_int_eq(driver_unload("par"), 0);
	ck_assert_int_eq(mock_tgt_fini(), 0);
	ck_assert_int_eq(atomic_load(&n_inits), atomic_load(&n_frees));
	ck_assert_int_ge(atomic_load(&n_inits), 2 * PORTS * TARGETS * ROUNDS);
	mock_order_end();
}
END_TEST

CHECK_MAIN("parallel enumeration", c84_256_addresses_on_real_threads)
