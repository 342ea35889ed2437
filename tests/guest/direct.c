/* a PCI function with scsad's driver (guest/direct.h) */
#define SCSA_MOD direct
#include "direct.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/modctl.h>
#include <sys/sunddi.h>

#include "ddi/devtree.h"
#include "ddi/driver.h"
#include "hw/mptsas/module.h"
#include "hw/pci/attach.h"
#include "hw/pvscsi/module.h"
#include "hw/virtio_scsi/module.h"
#include "scsa/scsa.h"

#define TARGET_DRIVER	"direct"

struct direct {
	struct pci_attach *attach;
	struct scsi_device *sd;
};

static const struct chip {
	const char *name;
	int (*init)(void), (*fini)(void);
} chips[] = {
	{ VIRTIO_SCSI_DRIVER, virtio_scsi_mod_init, virtio_scsi_mod_fini },
	{ PVSCSI_DRIVER, pvscsi_mod_init, pvscsi_mod_fini },
	{ MPTSAS_DRIVER, mptsas_mod_init, mptsas_mod_fini },
};

void
direct_die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)fprintf(stderr, "%s: ", program_invocation_short_name);
	(void)vfprintf(stderr, fmt, ap);
	(void)fputs("\n", stderr);
	va_end(ap);
	exit(1);
}

/* ------ a target driver, so that units stay ------ */

static int
unit_attach(dev_info_t *dip, ddi_attach_cmd_t cmd)
{
	struct scsi_device *sd = ddi_get_driver_private(dip);

	return cmd == DDI_ATTACH && scsi_probe(sd, SLEEP_FUNC) == SCSIPROBE_EXISTS ?
	    DDI_SUCCESS : DDI_FAILURE;
}

static int
unit_detach(dev_info_t *dip, ddi_detach_cmd_t cmd)
{
	(void)dip;
	return cmd == DDI_DETACH ? DDI_SUCCESS : DDI_FAILURE;
}

static struct dev_ops unit_ops = {
	.devo_rev = DEVO_REV,
	.devo_probe = nulldev,
	.devo_attach = unit_attach,
	.devo_detach = unit_detach,
	.devo_reset = nodev,
};

static struct modldrv unit_modldrv = { &mod_driverops, "units", &unit_ops };
static struct modlinkage unit_modlinkage = { MODREV_1, { &unit_modldrv, NULL } };

static int
unit_mod_init(void)
{
	return mod_install(&unit_modlinkage);
}

static int
unit_mod_fini(void)
{
	return mod_remove(&unit_modlinkage);
}

static enum devi_walk
unit_step(dev_info_t *dip, void *arg)
{
	struct scsi_device **found = arg;

	if (!devi_is_attached(dip) || devi_driver(dip) == NULL ||
	    strcmp(driver_name(devi_driver(dip)), TARGET_DRIVER) != 0)
		return DEVI_WALK_CONTINUE;
	*found = ddi_get_driver_private(dip);
	return DEVI_WALK_STOP;
}

/* ------ the function ------ */

static const struct chip *
chip_find(const char *name)
{
	for (size_t i = 0; i < sizeof(chips) / sizeof(chips[0]); i++)
		if (strcmp(name, chips[i].name) == 0)
			return &chips[i];
	direct_die("there is no driver %s", name);
}

struct direct *
direct_open(const char *name, const char *address)
{
	const struct chip *chip = chip_find(name);
	/* the emulated pvscsi reads and writes its rings around the IOMMU */
	const struct pci_attach_conf conf = { .address = address, .driver = chip->name,
	    .via = PCI_VIA_VFIO, .is_identity = strcmp(chip->name, PVSCSI_DRIVER) == 0 };
	struct direct *d = calloc(1, sizeof(*d));
	char detail[PCI_DETAIL_LEN];
	int r;

	if (d == NULL || driver_init(TARGET_DRIVER, unit_mod_init, unit_mod_fini) < 0 ||
	    driver_alias_add(TARGET_DRIVER, "scsiclass") < 0 ||
	    driver_init(chip->name, chip->init, chip->fini) < 0)
		direct_die("drivers");
	r = pci_attach_open(&conf, &d->attach, detail);
	if (r < 0)
		direct_die("%s: %s", address, detail);
	r = devi_attach(pci_attach_node(d->attach));
	if (r < 0)
		direct_die("%s: not attached: %s", address, strerror(-r));
	r = scsa_bus_config_all(pci_attach_node(d->attach));
	if (r < 0)
		direct_die("%s: no units: %s", address, strerror(-r));
	devi_walk(pci_attach_node(d->attach), unit_step, &d->sd);
	if (d->sd == NULL)
		direct_die("%s: no unit", address);
	return d;
}

struct scsi_device *
direct_unit(struct direct *d)
{
	return d->sd;
}

void
direct_close(struct direct *d)
{
	dev_info_t *node = pci_attach_node(d->attach);

	if (scsa_bus_unconfig_all(node) < 0 || devi_detach(node, DEVI_DETACH_CHILDREN) < 0 ||
	    pci_attach_close(d->attach) < 0)
		direct_die("not detached");
	free(d);
}
