/* an HBA that does not detach is asked to be silent, once for each try */
#include <string.h>
#include <sys/modctl.h>
#include <sys/sunddi.h>

#include "check_main.h"
#include "daemon/config.h"
#include "daemon/hbas.h"
#include "ddi/driver.h"

static int n_quiesced, quiesce_answer, detach_answer;

static int
stuck_attach(dev_info_t *dip, ddi_attach_cmd_t cmd)
{
	(void)dip;
	return cmd == DDI_ATTACH ? DDI_SUCCESS : DDI_FAILURE;
}

static int
stuck_detach(dev_info_t *dip, ddi_detach_cmd_t cmd)
{
	(void)dip;
	return cmd == DDI_DETACH ? detach_answer : DDI_FAILURE;
}

static int
stuck_quiesce(dev_info_t *dip)
{
	(void)dip;
	n_quiesced++;
	return quiesce_answer;
}

static struct dev_ops stuck_ops = {
	.devo_rev = DEVO_REV,
	.devo_attach = stuck_attach,
	.devo_detach = stuck_detach,
	.devo_quiesce = stuck_quiesce,
};

static struct modldrv modldrv = { &mod_driverops, "a driver that stays", &stuck_ops };
static struct modlinkage modlinkage = { MODREV_1, { &modldrv, NULL } };

static int
stuck_init(void)
{
	return mod_install(&modlinkage);
}

static int
stuck_fini(void)
{
	return mod_remove(&modlinkage);
}

START_TEST(a_stuck_hba_is_silenced)
{
	struct config_hba conf_hba = { .driver = (char *)(uintptr_t)"stuck" };
	struct config conf = { .hbas = &conf_hba, .n_hbas = 1 };
	struct hbas_conf hbas_conf = { .conf = &conf, .queues = 1 };
	struct hbas *hbas = NULL;

	ck_assert_int_eq(driver_init("stuck", stuck_init, stuck_fini), 0);
	ck_assert_int_eq(hbas_attach(&hbas_conf, &hbas), 0);
	detach_answer = DDI_FAILURE;
	ck_assert(!hbas_detach(hbas));
	ck_assert_int_eq(n_quiesced, 1);
	ck_assert_int_eq(hbas_get(hbas, 0)->state, HBA_READY);
	quiesce_answer = DDI_FAILURE;
	ck_assert(!hbas_detach(hbas));
	ck_assert_int_eq(n_quiesced, 2);
	/* a driver without the entry */
	stuck_ops.devo_quiesce = NULL;
	ck_assert(!hbas_detach(hbas));
	ck_assert_int_eq(n_quiesced, 2);
	/* who goes is not asked */
	stuck_ops.devo_quiesce = stuck_quiesce;
	detach_answer = DDI_SUCCESS;
	ck_assert(hbas_detach(hbas));
	ck_assert_int_eq(n_quiesced, 2);
	hbas_free(hbas);
	ck_assert_int_eq(driver_unload("stuck"), 0);
}
END_TEST

CHECK_MAIN("stuck hba", a_stuck_hba_is_silenced)
