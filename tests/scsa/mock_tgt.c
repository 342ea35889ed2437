#define SCSA_MOD mocktgt
#include "tests/scsa/mock_hba.h"

#include <check.h>
#include <sys/modctl.h>

#include "ddi/driver.h"

/* units are attached by several threads */
#define COUNT(n)	((void)__atomic_fetch_add(&(n), 1, __ATOMIC_RELAXED))

struct mock_tgt mock_tgt;

static int
tgt_attach(dev_info_t *dip, ddi_attach_cmd_t cmd)
{
	struct scsi_device *sd = ddi_get_driver_private(dip);

	if (cmd != DDI_ATTACH)
		return DDI_FAILURE;
	ck_assert_ptr_nonnull(sd);
	ck_assert_ptr_eq(sd->sd_dev, dip);
	COUNT(mock_tgt.n_probe_calls);
	if (scsi_probe(sd, SLEEP_FUNC) != SCSIPROBE_EXISTS)
		return DDI_FAILURE;
	if (mock_tgt.want_unprobe)
		scsi_unprobe(sd);
	if (mock_tgt.fail_attach > 0) {
		mock_tgt.fail_attach--;
		return DDI_FAILURE;
	}
	COUNT(mock_tgt.n_attach);
	mock_order_tgt_attach(sd);
	return DDI_SUCCESS;
}

static int
tgt_detach(dev_info_t *dip, ddi_detach_cmd_t cmd)
{
	struct scsi_device *sd = ddi_get_driver_private(dip);

	if (cmd != DDI_DETACH || mock_tgt.refuses_detach)
		return DDI_FAILURE;
	/* as target drivers do, whether or not it was registered */
	(void)scsi_reset_notify(&sd->sd_address, SCSI_RESET_CANCEL, NULL, NULL);
	COUNT(mock_tgt.n_detach);
	mock_order_tgt_detach(sd);
	return DDI_SUCCESS;
}

static struct dev_ops tgt_ops = {
	.devo_rev = DEVO_REV,
	.devo_probe = nulldev,
	.devo_attach = tgt_attach,
	.devo_detach = tgt_detach,
	.devo_reset = nodev,
};

static struct modldrv tgt_modldrv = { &mod_driverops, "mock target driver", &tgt_ops };
static struct modlinkage tgt_modlinkage = { MODREV_1, { &tgt_modldrv, NULL } };

int
_init(void)
{
	return mod_install(&tgt_modlinkage);
}

int
_fini(void)
{
	return mod_remove(&tgt_modlinkage);
}

int
_info(struct modinfo *modinfop)
{
	return mod_info(&tgt_modlinkage, modinfop);
}

int
mock_tgt_init(void)
{
	int r = driver_init("mocktgt", _init, _fini);

	return r == 0 ? driver_alias_add("mocktgt", "scsiclass") : r;
}

int
mock_tgt_fini(void)
{
	driver_alias_remove("scsiclass");
	return _fini();
}
