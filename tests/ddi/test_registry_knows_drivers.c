#include <string.h>
#include <sys/sunddi.h>

#include "base/fault.h"
#include "check_main.h"
#include "ddi/devtree.h"
#include "ddi/driver.h"

static struct dev_ops ops = { .devo_rev = DEVO_REV, .devo_getinfo = nodev,
    .devo_attach = nodev };
static struct modldrv drv = { &mod_driverops, "Speedy SCSI adapter", &ops };
static struct modlinkage link_ok = { MODREV_1, { &drv, NULL } };
static struct modlmisc misc = { &mod_miscops, "helper" };
static struct modlinkage link_misc = { MODREV_1, { &misc, NULL } };

static int
init_ok(void)
{
	return mod_install(&link_ok);
}

static int
fini_ok(void)
{
	return mod_remove(&link_ok);
}

static int
init_nothing(void)
{
	return 0;
}

static int
init_fails(void)
{
	return EIO;
}

START_TEST(names_of_drivers)
{
	struct modinfo info;

	ck_assert_int_eq(mod_install(&link_ok), 0);
	ck_assert_str_eq(driver_name(driver_find("speedy")), "speedy");
	ck_assert_int_eq(mod_install(&link_ok), EEXIST);
	ck_assert_int_eq(mod_remove(&link_ok), 0);
	ck_assert_int_eq(mod_remove(&link_ok), ENXIO);
	ck_assert_int_eq(scsad_mod_install(&link_ok, "other"), 0);
	ck_assert_ptr_eq(driver_ops(driver_find("other")), &ops);
	ck_assert_int_eq(mod_remove(&link_ok), 0);
	ck_assert_int_eq(driver_init("third", init_ok, fini_ok), 0);
	ck_assert_int_eq(driver_init("third", init_ok, fini_ok), -EEXIST);
	ck_assert_ptr_nonnull(driver_find("third"));
	ck_assert_int_eq(driver_unload("third"), 0);
	ck_assert_int_eq(mod_info(&link_ok, &info), 1);
	ck_assert_str_eq(info.mi_linkinfo, "Speedy SCSI adapter");
	ck_assert_str_eq(info.mi_name, "speedy");
}
END_TEST

START_TEST(malformed_is_refused)
{
	struct modlinkage bad = link_ok;
	struct modldrv bad_drv = drv;
	struct dev_ops bad_ops = { 0 };
	struct modinfo info;

	bad.ml_rev = 7;
	ck_assert_int_eq(mod_install(&bad), EINVAL);
	ck_assert_int_eq(mod_remove(&bad), EINVAL);
	ck_assert_int_eq(mod_info(&bad, &info), 0);
	ck_assert_int_eq(mod_install(NULL), EINVAL);
	bad = (struct modlinkage){ MODREV_1, { &bad_drv, NULL } };
	bad_drv.drv_dev_ops = NULL;
	ck_assert_int_eq(mod_install(&bad), EINVAL);
	bad_drv.drv_dev_ops = &bad_ops;
	ck_assert_int_eq(mod_install(&bad), EINVAL);
	bad_drv = drv;
	bad_drv.drv_linkinfo = " x";
	ck_assert_int_eq(mod_install(&bad), EINVAL);
	ck_assert_int_eq(scsad_mod_install(&link_ok, "a-name-of-more-than-31-characters"),
	    EINVAL);
	ck_assert_int_eq(mod_install(&link_misc), 0);
	ck_assert_int_eq(mod_remove(&link_misc), 0);
	ck_assert_int_eq(driver_init("none", init_nothing, init_nothing), -EINVAL);
	ck_assert_int_eq(driver_init("none", init_fails, init_nothing), -EIO);
	ck_assert_int_eq(driver_init("a-name-of-more-than-31-characters", init_ok, fini_ok),
	    -EINVAL);
}
END_TEST

START_TEST(aliases_lead_to_drivers)
{
	ck_assert_int_eq(driver_alias_add("speedy", "scsiclass"), 0);
	ck_assert_ptr_null(driver_find("scsiclass"));
	ck_assert_int_eq(mod_install(&link_ok), 0);
	ck_assert_ptr_eq(driver_find("scsiclass"), driver_find("speedy"));
	ck_assert_int_eq(driver_alias_add("nobody", "scsiclass"), 0);
	ck_assert_ptr_null(driver_find("scsiclass"));
	ck_assert_int_eq(driver_alias_add("speedy", "scsiclass"), 0);
	ck_assert_ptr_nonnull(driver_find("scsiclass"));
	driver_alias_remove("scsiclass");
	driver_alias_remove("scsiclass");
	ck_assert_ptr_null(driver_find("scsiclass"));
	ck_assert_int_eq(driver_alias_add("speedy", ""), -EINVAL);
	ck_assert_int_eq(driver_alias_add("", "x"), -EINVAL);
	fault_arm(1);
	ck_assert_int_eq(driver_alias_add("speedy", "x"), -ENOMEM);
	ck_assert(fault_disarm());
	ck_assert_int_eq(mod_remove(&link_ok), 0);
}
END_TEST

START_TEST(stand_ins_answer)
{
	int (*getinfo)(dev_info_t *, ddi_info_cmd_t, void *, void **) = nodev;
	int (*probe)(dev_info_t *) = nulldev;
	char in[4] = "abc", out[4];

	ck_assert_int_eq(getinfo(NULL, DDI_INFO_DEVT2DEVINFO, NULL, NULL), ENXIO);
	ck_assert_int_eq(probe(NULL), 0);
	ck_assert_int_eq(ddi_no_info(), DDI_FAILURE);
	ck_assert_int_eq(nochpoll(), ENXIO);
	ck_assert_int_eq(ddi_prop_op(), DDI_PROP_NOT_FOUND);
	ck_assert_int_eq(ddi_quiesce_not_needed(), DDI_SUCCESS);
	ck_assert_int_eq(ddi_quiesce_not_supported(), DDI_FAILURE);
	ck_assert_int_eq(ddi_copyin(in, out, 4, 0), 0);
	ck_assert_int_eq(ddi_copyout(out, in, 4, 0), 0);
	ck_assert_str_eq(out, "abc");
}
END_TEST

CHECK_MAIN("registry", names_of_drivers, malformed_is_refused, aliases_lead_to_drivers,
    stand_ins_answer)
