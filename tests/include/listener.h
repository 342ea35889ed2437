/*
 * listener.h - a target driver that takes every unit, and only listens
 *
 * What      For tests of HBA drivers: units stay attached while their HBA has them, and the test
 *           hears of them. One to a program; it is the driver "listener", of class "scsiclass".
 * Life      listener_load() before the HBA is configured, listener_unload() when its units are
 *           gone.
 */
#ifndef TESTS_LISTENER_H
#define TESTS_LISTENER_H

#include <sys/modctl.h>
#include <sys/scsi/scsi.h>

#include <check.h>

#include "ddi/driver.h"

#define LISTENER	"listener"

/* a unit came, or is about to go; on whatever thread attaches it */
static void (*listener_came)(struct scsi_device *sd), (*listener_left)(struct scsi_device *sd);

static int
listener_attach(dev_info_t *dip, ddi_attach_cmd_t cmd)
{
	struct scsi_device *sd = ddi_get_driver_private(dip);

	if (cmd != DDI_ATTACH || scsi_probe(sd, SLEEP_FUNC) != SCSIPROBE_EXISTS)
		return DDI_FAILURE;
	listener_came(sd);
	return DDI_SUCCESS;
}

static int
listener_detach(dev_info_t *dip, ddi_detach_cmd_t cmd)
{
	struct scsi_device *sd = ddi_get_driver_private(dip);

	if (cmd != DDI_DETACH)
		return DDI_FAILURE;
	listener_left(sd);
	scsi_unprobe(sd);
	return DDI_SUCCESS;
}

static struct dev_ops listener_ops = {
	.devo_rev = DEVO_REV,
	.devo_attach = listener_attach,
	.devo_detach = listener_detach,
};
static struct modldrv listener_drv = { &mod_driverops, LISTENER, &listener_ops };
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

/* listener_load() - from now on every unit is taken */
static inline void
listener_load(void (*came)(struct scsi_device *sd), void (*left)(struct scsi_device *sd))
{
	listener_came = came;
	listener_left = left;
	ck_assert_int_eq(driver_init(LISTENER, listener_init, listener_fini), 0);
	ck_assert_int_eq(driver_alias_add(LISTENER, "scsiclass"), 0);
}

static inline void
listener_unload(void)
{
	driver_alias_remove("scsiclass");
	ck_assert_int_eq(driver_unload(LISTENER), 0);
}

#endif /* TESTS_LISTENER_H */
