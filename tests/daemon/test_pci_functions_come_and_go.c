/* an HBA that is a PCI function: what opening it is told, what it reads from the configuration,
 * and that it goes back to the system when that asks */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/modctl.h>
#include <sys/sunddi.h>

#include "check_main.h"
#include "daemon/config.h"
#include "daemon/hbas.h"
#include "ddi/devtree.h"
#include "ddi/driver.h"
#include "hw/pci/attach.h"
#include "lu/worker.h"

/* ------ a driver for it ------ */

static int attach_answer, detach_answer, queues_seen;

static int
chip_attach(dev_info_t *dip, ddi_attach_cmd_t cmd)
{
	queues_seen = ddi_prop_get_int(DDI_DEV_T_ANY, dip, 0, "virtio-scsi-queues", -1);
	(void)ddi_prop_update_string(DDI_DEV_T_NONE, dip, "hba-state", "held");
	return cmd == DDI_ATTACH ? attach_answer : DDI_FAILURE;
}

static int
chip_detach(dev_info_t *dip, ddi_detach_cmd_t cmd)
{
	(void)dip;
	return cmd == DDI_DETACH ? detach_answer : DDI_FAILURE;
}

static struct dev_ops chip_ops = {
	.devo_rev = DEVO_REV,
	.devo_attach = chip_attach,
	.devo_detach = chip_detach,
};

static struct modldrv modldrv = { &mod_driverops, "a chip", &chip_ops };
static struct modlinkage modlinkage = { MODREV_1, { &modldrv, NULL } };

static int
chip_init(void)
{
	return mod_install(&modlinkage);
}

static int
chip_fini(void)
{
	return mod_remove(&modlinkage);
}

/* ------ in place of hw/pci/attach.c ------ */

struct pci_attach {
	struct pci_attach_conf conf;
	dev_info_t *dip;
};

static struct pci_attach attach;
static int open_answer, n_open;

int
pci_attach_open(const struct pci_attach_conf *conf, struct pci_attach **ret_attach, char *reterr)
{
	if (open_answer < 0) {
		(void)snprintf(reterr, PCI_DETAIL_LEN, "group 7 is not viable");
		return open_answer;
	}
	attach.conf = *conf;
	ck_assert_int_eq(devi_alloc(devi_root(), conf->driver, &attach.dip), 0);
	n_open++;
	*ret_attach = &attach;
	return 0;
}

int
pci_attach_close(struct pci_attach *a)
{
	int r = devi_free(a->dip);

	if (r == 0)
		n_open--;
	return r;
}

dev_info_t *
pci_attach_node(struct pci_attach *a)
{
	return a->dip;
}

struct nexus *
pci_attach_nexus(struct pci_attach *a)
{
	(void)a;
	return NULL;
}

void
pci_attach_describe(struct pci_attach *a, char *buf, size_t size)
{
	(void)snprintf(buf, size, "%s 1af4:1048, vfio", a->conf.address);
}

int
pci_memory_add(void *va, size_t bytes)
{
	(void)va;
	return bytes > 0 ? 0 : -EINVAL;
}

int
pci_memory_remove(void *va)
{
	return va != NULL ? 0 : -ENOENT;
}

/* ------ the owner ------ */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static int n_changed;
static char last_state[16];

static void
changed(void *ctx, const struct hba *hba)
{
	(void)ctx;
	(void)pthread_mutex_lock(&lock);
	n_changed++;
	(void)hba_state_text(hba, last_state, sizeof(last_state));
	(void)pthread_cond_broadcast(&cond);
	(void)pthread_mutex_unlock(&lock);
}

static void
changed_wait(int n)
{
	(void)pthread_mutex_lock(&lock);
	while (n_changed < n)
		(void)pthread_cond_wait(&cond, &lock);
	(void)pthread_mutex_unlock(&lock);
}

static struct driver_key queues_key = { "queues", "virtio-scsi-queues", DRIVER_NUMBER, 0, 64 };
static struct config_prop prop = { .key = &queues_key, .number = 3 };
static struct config_hba conf_hba;
static struct config conf;
static struct hbas_conf hbas_conf;
static struct lu_worker *worker;

static void
setup(void)
{
	conf_hba = (struct config_hba){
		.name = (char *)(uintptr_t)"shelf",
		.driver = (char *)(uintptr_t)"chip",
		.pci = { .address = "0000:00:10.0", .bus = CONFIG_BUS_UIO,
		    .allow_unsafe_dma = true, .pool_bytes = 4u << 20 },
		.props = &prop,
		.n_props = 1,
	};
	conf = (struct config){ .hbas = &conf_hba, .n_hbas = 1 };
	n_changed = n_open = open_answer = 0;
	attach_answer = detach_answer = DDI_SUCCESS;
	ck_assert_int_eq(lu_worker_new(1, &worker), 0);
	hbas_conf = (struct hbas_conf){ .conf = &conf, .queues = 1,
		.worker = lu_worker_exec(worker), .changed = changed };
	ck_assert_int_eq(driver_init("chip", chip_init, chip_fini), 0);
}

static void
teardown(void)
{
	ck_assert_int_eq(driver_unload("chip"), 0);
	lu_worker_free(worker);
}

START_TEST(it_is_opened_as_configured)
{
	struct hbas *hbas = NULL;
	const struct hba *hba;
	char state[16];

	setup();
	ck_assert_int_eq(hbas_attach(&hbas_conf, &hbas), 0);
	hba = hbas_get(hbas, 0);
	ck_assert_str_eq(hba->name, "shelf");
	ck_assert_str_eq(hba->pci, "0000:00:10.0");
	ck_assert_str_eq(hba->detail, "0000:00:10.0 1af4:1048, vfio");
	ck_assert_str_eq(attach.conf.driver, "chip");
	ck_assert_int_eq(attach.conf.via, PCI_VIA_UIO);
	ck_assert(attach.conf.allow_unsafe_dma && !attach.conf.is_identity);
	ck_assert_uint_eq(attach.conf.pool_bytes, 4u << 20);
	ck_assert_int_eq(queues_seen, 3);
	ck_assert_str_eq(hba_state_text(hba, state, sizeof(state)), "held");
	ck_assert_ptr_nonnull(hba_port(hba, NULL));
	devi_unref(hba->dip);
	ck_assert(hbas_detach(hbas));
	ck_assert_int_eq(n_open, 0);
	ck_assert_str_eq(hba_state_text(hba, state, sizeof(state)), "detached");
	hbas_free(hbas);
	teardown();
}
END_TEST

START_TEST(it_cannot_be_opened)
{
	struct hbas *hbas = NULL;

	setup();
	open_answer = -EBUSY;
	ck_assert_int_eq(hbas_attach(&hbas_conf, &hbas), -EBUSY);
	ck_assert_str_eq(hbas_get(hbas, 0)->detail, "0000:00:10.0: group 7 is not viable");
	ck_assert_int_eq(hbas_get(hbas, 0)->state, HBA_FAILED);
	ck_assert(hbas_detach(hbas));
	hbas_free(hbas);
	/* its ids say which driver: there is no such function here */
	conf_hba.driver = NULL;
	(void)snprintf(conf_hba.pci.address, sizeof(conf_hba.pci.address), "ffff:ff:1f.7");
	ck_assert_int_eq(hbas_attach(&hbas_conf, &hbas), -ENODEV);
	ck_assert_str_eq(hbas_get(hbas, 0)->detail, "ffff:ff:1f.7: there is no such PCI function");
	ck_assert(hbas_detach(hbas));
	hbas_free(hbas);
	teardown();
}
END_TEST

START_TEST(the_driver_does_not_want_it)
{
	struct hbas *hbas = NULL;

	setup();
	attach_answer = DDI_FAILURE;
	ck_assert_int_eq(hbas_attach(&hbas_conf, &hbas), -EIO);
	ck_assert_int_eq(n_open, 0);
	ck_assert(hbas_detach(hbas));
	hbas_free(hbas);
	teardown();
}
END_TEST

START_TEST(the_system_wants_it_back)
{
	struct hbas *hbas = NULL;

	setup();
	ck_assert_int_eq(hbas_attach(&hbas_conf, &hbas), 0);
	/* it is busy: asked again later */
	detach_answer = DDI_FAILURE;
	attach.conf.event(PCI_EV_REQUEST, "unbind", attach.conf.arg);
	changed_wait(1);
	ck_assert_int_eq(n_open, 1);
	ck_assert_int_eq(hbas_get(hbas, 0)->state, HBA_READY);
	detach_answer = DDI_SUCCESS;
	/* the lock may still be held where it was told: the event comes until it is done */
	while (hbas_get(hbas, 0)->state == HBA_READY)
		attach.conf.event(PCI_EV_REQUEST, "unbind", attach.conf.arg);
	changed_wait(2);
	ck_assert_int_eq(n_open, 0);
	ck_assert_str_eq(last_state, "detached");
	ck_assert(hbas_detach(hbas));
	hbas_free(hbas);
	teardown();
}
END_TEST

START_TEST(asked_while_it_goes)
{
	struct hbas *hbas = NULL;

	setup();
	ck_assert_int_eq(hbas_attach(&hbas_conf, &hbas), 0);
	attach.conf.event(PCI_EV_REQUEST, "unbind", attach.conf.arg);
	/* the end of the daemon meets the worker: one of them does it */
	ck_assert(hbas_detach(hbas));
	ck_assert_int_eq(n_open, 0);
	hbas_free(hbas);
	ck_assert_int_eq(n_changed, 1);
	teardown();
}
END_TEST

START_TEST(it_has_failed)
{
	struct hbas *hbas = NULL;

	setup();
	ck_assert_int_eq(hbas_attach(&hbas_conf, &hbas), 0);
	attach.conf.event(PCI_EV_ERROR, "uncorrected", attach.conf.arg);
	ck_assert_int_eq(n_changed, 1);
	ck_assert_str_eq(last_state, "held");
	ck_assert(hbas_detach(hbas));
	hbas_free(hbas);
	teardown();
}
END_TEST

CHECK_MAIN("pci functions", it_is_opened_as_configured, it_cannot_be_opened,
    the_driver_does_not_want_it, the_system_wants_it_back, asked_while_it_goes, it_has_failed)
