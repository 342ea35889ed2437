#include <sys/sunddi.h>

static int
tiny_attach(dev_info_t *dip, ddi_attach_cmd_t cmd)
{
	if (cmd != DDI_ATTACH)
		return DDI_FAILURE;
	return ddi_prop_update_int(DDI_DEV_T_NONE, dip, "tiny", 1) == DDI_PROP_SUCCESS ?
	    DDI_SUCCESS : DDI_FAILURE;
}

static int
tiny_detach(dev_info_t *dip, ddi_detach_cmd_t cmd)
{
	ddi_prop_remove_all(dip);
	return cmd == DDI_DETACH ? DDI_SUCCESS : DDI_FAILURE;
}

static struct dev_ops tiny_ops = {
	.devo_rev = DEVO_REV,
	.devo_getinfo = nodev,
	.devo_identify = nulldev,
	.devo_probe = nulldev,
	.devo_attach = tiny_attach,
	.devo_detach = tiny_detach,
	.devo_reset = nodev,
};

static struct modldrv modldrv = { &mod_driverops, "a driver from a file", &tiny_ops };
static struct modlinkage modlinkage = { MODREV_1, { &modldrv, NULL } };

int
_init(void)
{
	return mod_install(&modlinkage);
}

int
_fini(void)
{
	return mod_remove(&modlinkage);
}

int
_info(struct modinfo *modinfop)
{
	return mod_info(&modlinkage, modinfop);
}
