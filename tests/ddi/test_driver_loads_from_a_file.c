#include <string.h>
#include <sys/sunddi.h>

#include "base/fault.h"
#include "check_main.h"
#include "ddi/devtree.h"
#include "ddi/driver.h"

/* lib/ddi is a static library: what only the modules call is pulled in by naming it here */
void *const modules_need[] = {
	(void *)mod_install, (void *)mod_remove, (void *)mod_info, (void *)nodev,
	    (void *)nulldev,
	(void *)ddi_prop_update_int, (void *)ddi_prop_remove_all,
};

static void
use(const char *name)
{
	dev_info_t *dip;

	ck_assert_int_eq(devi_alloc(devi_root(), name, &dip), 0);
	ck_assert_int_eq(devi_attach(dip), 0);
	ck_assert_int_eq(ddi_prop_get_int(DDI_DEV_T_ANY, dip, 0, "tiny", 0), 1);
	ck_assert_int_eq(driver_unload(name), -EBUSY);
	ck_assert_int_eq(devi_detach(dip, DEVI_DETACH_FREE), 0);
}

START_TEST(loaded_used_unloaded)
{
	char err[128];

	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(driver_load(MODULE_DIR "/libtiny.so", err, sizeof(err)), 0);
		ck_assert_int_eq(driver_load(MODULE_DIR "/libown.so", NULL, 0), 0);
		ck_assert_str_eq(driver_name(driver_find("tiny")), "tiny");
		ck_assert_ptr_ne(driver_ops(driver_find("tiny")),
		    driver_ops(driver_find("own")));
		use("tiny");
		use("own");
		ck_assert_int_eq(driver_load(MODULE_DIR "/libown.so", err, sizeof(err)),
		    -EEXIST);
		ck_assert_ptr_nonnull(strstr(err, "there already"));
		ck_assert_int_eq(driver_unload("tiny"), 0);
		ck_assert_int_eq(driver_unload("own"), 0);
		ck_assert_ptr_null(driver_find("tiny"));
	}
}
END_TEST

START_TEST(what_is_no_driver_is_refused)
{
	char err[128] = "";

	ck_assert_int_eq(driver_load("/nowhere/libx.so", err, sizeof(err)), -ENOENT);
	ck_assert_ptr_nonnull(strstr(err, "/nowhere/libx.so"));
	ck_assert_int_eq(driver_load("/nowhere/.so", err, sizeof(err)), -ENOENT);
	ck_assert_ptr_nonnull(strstr(err, "no driver name"));
	ck_assert_int_eq(driver_load(MODULE_DIR "/libbroken.so", err, sizeof(err)), -ENOSYS);
	ck_assert_ptr_nonnull(strstr(err, "_fini"));
	for (int n = 1; n <= 2; n++) {
		fault_arm(n);
		ck_assert_int_eq(driver_load(MODULE_DIR "/libtiny.so", err, sizeof(err)),
		    -ENOMEM);
		ck_assert(fault_disarm());
		ck_assert_ptr_null(driver_find("tiny"));
	}
}
END_TEST

CHECK_MAIN("driver load", loaded_used_unloaded, what_is_no_driver_is_refused)
