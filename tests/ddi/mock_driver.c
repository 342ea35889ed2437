#include "mock_driver.h"

#include <stdio.h>
#include <string.h>
#include <sys/ddi.h>

#include "ddi/driver.h"

struct mock_driver mock;

static void
note(const char *what, dev_info_t *dip)
{
	size_t at = strlen(mock.calls);

	(void)snprintf(mock.calls + at, sizeof(mock.calls) - at, "%s:%s ", what,
	    ddi_node_name(dip));
}

static int
mock_probe(dev_info_t *dip)
{
	note("probe", dip);
	return mock.probe_answer;
}

static int
mock_attach(dev_info_t *dip, ddi_attach_cmd_t cmd)
{
	if (cmd != DDI_ATTACH)
		return DDI_FAILURE;
	note("attach", dip);
	delay(mock.attach_ticks);
	if (mock.in_attach != NULL)
		return mock.in_attach(dip);
	ddi_set_driver_private(dip, &mock);
	return mock.attach_answer;
}

static int
mock_detach(dev_info_t *dip, ddi_detach_cmd_t cmd)
{
	if (cmd != DDI_DETACH)
		return DDI_FAILURE;
	note("detach", dip);
	return mock.detach_answer;
}

static int
mock_initchild(dev_info_t *parent, dev_info_t *child)
{
	if (!devi_is_entered(parent))
		return DDI_FAILURE;
	note("init", child);
	if (mock.initchild_answer == DDI_SUCCESS && ddi_get_name_addr(child) == NULL)
		ddi_set_name_addr(child, "7");
	return mock.initchild_answer;
}

static void
mock_uninitchild(dev_info_t *parent, dev_info_t *child)
{
	(void)parent;
	note("uninit", child);
	ddi_set_name_addr(child, NULL);
}

static int
mock_config(dev_info_t *parent, uint_t flags, ddi_bus_config_op_t op, void *arg,
    dev_info_t **ret_child)
{
	(void)flags;
	if (op != BUS_CONFIG_ONE)
		return DDI_FAILURE;
	*ret_child = devi_find(parent, arg);
	return *ret_child == NULL ? DDI_FAILURE : DDI_SUCCESS;
}

static int
mock_unconfig(dev_info_t *parent, uint_t flags, ddi_bus_config_op_t op, void *arg)
{
	(void)flags;
	(void)arg;
	note("unconfig", parent);
	return op == BUS_UNCONFIG_ALL ? DDI_SUCCESS : DDI_FAILURE;
}

static struct bus_ops mock_bus_ops = {
	.bus_initchild = mock_initchild,
	.bus_uninitchild = mock_uninitchild,
	.bus_config = mock_config,
	.bus_unconfig = mock_unconfig,
};

static struct dev_ops mock_ops = {
	.devo_rev = DEVO_REV,
	.devo_getinfo = ddi_no_info,
	.devo_identify = nulldev,
	.devo_probe = mock_probe,
	.devo_attach = mock_attach,
	.devo_detach = mock_detach,
	.devo_reset = nodev,
	.devo_bus_ops = &mock_bus_ops,
	.devo_quiesce = ddi_quiesce_not_needed,
};

static struct modldrv modldrv = { &mod_driverops, "Mock driver for tests", &mock_ops };
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

void
mock_driver_reset(void)
{
	mock = (struct mock_driver){ .probe_answer = DDI_PROBE_SUCCESS };
}

int
mock_driver_install(const char *name)
{
	mock_driver_reset();
	return driver_init(name, _init, _fini);
}
