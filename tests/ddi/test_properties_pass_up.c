#include <string.h>
#include <sys/sunddi.h>
#include <sys/sunndi.h>

#include "base/fault.h"
#include "check_main.h"
#include "ddi/devtree.h"

static dev_info_t *bus, *dip;

static void
tree_make(void)
{
	ck_assert_int_eq(devi_alloc(devi_root(), "bus", &bus), 0);
	ck_assert_int_eq(devi_alloc(bus, "dev", &dip), 0);
}

static void
tree_free(void)
{
	ck_assert_int_eq(devi_free(dip), 0);
	ck_assert_int_eq(devi_free(bus), 0);
}

START_TEST(types_round_trip)
{
	static const int ints[] = { 1, -2, 3 };
	static const int64_t longs[] = { INT64_MAX, -1 };
	char one[] = "one", two[] = "", three[] = "three";
	char *const strings[] = { one, two, three };
	static const uchar_t bytes[] = { 0, 1, 0xff };
	int *ri;
	int64_t *rl;
	char *rs, **ra;
	uchar_t *rb;
	uint_t n;

	tree_make();
	ck_assert_int_eq(ddi_prop_update_int_array(DDI_DEV_T_NONE, dip, "ints", ints, 3),
	    DDI_PROP_SUCCESS);
	ck_assert_int_eq(ddi_prop_lookup_int_array(DDI_DEV_T_ANY, dip, 0, "ints", &ri, &n),
	    DDI_PROP_SUCCESS);
	ck_assert_uint_eq(n, 3);
	ck_assert_mem_eq(ri, ints, sizeof(ints));
	ddi_prop_free(ri);
	ck_assert_int_eq(ddi_prop_update_int64_array(DDI_DEV_T_NONE, dip, "longs", longs, 2),
	    0);
	ck_assert_int_eq(ddi_prop_lookup_int64_array(DDI_DEV_T_ANY, dip, 0, "longs", &rl, &n),
	    0);
	ck_assert_uint_eq(n, 2);
	ck_assert_int_eq(rl[0], INT64_MAX);
	ddi_prop_free(rl);
	ck_assert_int_eq(ddi_prop_update_string(DDI_DEV_T_NONE, dip, "name", "disk"), 0);
	ck_assert_int_eq(ddi_prop_lookup_string(DDI_DEV_T_ANY, dip, 0, "name", &rs), 0);
	ck_assert_str_eq(rs, "disk");
	ddi_prop_free(rs);
	ck_assert_int_eq(ddi_prop_update_string_array(DDI_DEV_T_NONE, dip, "names", strings, 3),
	    0);
	ck_assert_int_eq(ddi_prop_lookup_string_array(DDI_DEV_T_ANY, dip, 0, "names", &ra, &n),
	    0);
	ck_assert_uint_eq(n, 3);
	ck_assert_str_eq(ra[0], "one");
	ck_assert_str_eq(ra[1], "");
	ck_assert_str_eq(ra[2], "three");
	ddi_prop_free(ra);
	ck_assert_int_eq(ddi_prop_update_byte_array(DDI_DEV_T_NONE, dip, "bytes", bytes, 3), 0);
	ck_assert_int_eq(ddi_prop_lookup_byte_array(DDI_DEV_T_ANY, dip, 0, "bytes", &rb, &n),
	    0);
	ck_assert_uint_eq(n, 3);
	ck_assert_mem_eq(rb, bytes, 3);
	ddi_prop_free(rb);
	/* another type is not found */
	ck_assert_int_eq(ddi_prop_lookup_string(DDI_DEV_T_ANY, dip, 0, "ints", &rs),
	    DDI_PROP_NOT_FOUND);
	tree_free();
}
END_TEST

START_TEST(ancestors_are_asked)
{
	tree_make();
	ck_assert_int_eq(ddi_prop_update_int(DDI_DEV_T_NONE, bus, "speed", 5), 0);
	ck_assert_int_eq(ddi_prop_get_int(DDI_DEV_T_ANY, dip, 0, "speed", -1), 5);
	ck_assert_int_eq(ddi_prop_get_int(DDI_DEV_T_ANY, dip, DDI_PROP_DONTPASS, "speed", -1),
	    -1);
	ck_assert(ddi_prop_exists(DDI_DEV_T_ANY, dip, 0, "speed"));
	ck_assert(!ddi_prop_exists(DDI_DEV_T_ANY, dip, DDI_PROP_DONTPASS, "speed"));
	ck_assert_int_eq(ddi_prop_update_int(DDI_DEV_T_NONE, dip, "speed", 7), 0);
	ck_assert_int_eq(ddi_getprop(DDI_DEV_T_ANY, dip, 0, "speed", -1), 7);
	ck_assert_int_eq(ddi_prop_undefine(DDI_DEV_T_NONE, dip, 0, "speed"), 0);
	ck_assert(!ddi_prop_exists(DDI_DEV_T_ANY, dip, 0, "speed"));
	ck_assert_int_eq(ddi_prop_get_int(DDI_DEV_T_ANY, dip, 0, "speed", -1), -1);
	ck_assert_int_eq(ddi_prop_remove(DDI_DEV_T_NONE, dip, "speed"), 0);
	ck_assert_int_eq(ddi_prop_get_int(DDI_DEV_T_ANY, dip, 0, "speed", -1), 5);
	ck_assert_int_eq(ddi_prop_remove(DDI_DEV_T_NONE, dip, "speed"), DDI_PROP_NOT_FOUND);
	tree_free();
}
END_TEST

START_TEST(numbers_and_flags)
{
	char *text;

	tree_make();
	ck_assert_int_eq(ddi_prop_create(DDI_DEV_T_NONE, dip, 0, "flag", NULL, 0), 0);
	ck_assert_int_eq(ddi_prop_get_int(DDI_DEV_T_ANY, dip, 0, "flag", 0), 1);
	ck_assert_int_eq(ddi_prop_create(DDI_DEV_T_NONE, dip, 0, "bytes", "ab", 2), 0);
	ck_assert_int_eq(ddi_prop_get_int(DDI_DEV_T_ANY, dip, 0, "bytes", 9), 9);
	ck_assert_int_eq(ddi_prop_create(DDI_DEV_T_NONE, dip, 0, "bytes", "ab", -1),
	    DDI_PROP_INVAL_ARG);
	ck_assert_int_eq(ndi_prop_update_int64(DDI_DEV_T_NONE, dip, "big", 1ll << 40), 0);
	ck_assert_int_eq(ddi_prop_get_int64(DDI_DEV_T_ANY, dip, 0, "big", 0), 1ll << 40);
	ck_assert_int_eq(ddi_prop_get_int(DDI_DEV_T_ANY, dip, 0, "big", 3), 3);
	ck_assert_int_eq(ddi_prop_update_int(5, dip, "minor", 5), 0);
	ck_assert_int_eq(ddi_prop_update_int(6, dip, "minor", 6), 0);
	ck_assert_int_eq(ddi_prop_get_int(6, dip, 0, "minor", 0), 6);
	ck_assert_int_eq(ddi_prop_get_int(7, dip, 0, "minor", 0), 0);
	ck_assert_int_eq(ddi_prop_update_int(DDI_DEV_T_NONE, dip, "", 1), DDI_PROP_INVAL_ARG);
	ck_assert_int_eq(ddi_prop_update_string(DDI_DEV_T_NONE, dip, "s", NULL),
	    DDI_PROP_INVAL_ARG);
	ck_assert_int_eq(ddi_prop_update_string_array(DDI_DEV_T_NONE, dip, "s", NULL, 1),
	    DDI_PROP_INVAL_ARG);
	ck_assert_int_eq(ddi_prop_lookup_string(DDI_DEV_T_ANY, dip, 0, "", &text),
	    DDI_PROP_INVAL_ARG);
	ck_assert_int_eq(ddi_prop_remove(DDI_DEV_T_NONE, dip, ""), DDI_PROP_INVAL_ARG);
	ck_assert_int_eq(ndi_prop_update_int(DDI_DEV_T_NONE, dip, "i", 1), 0);
	ck_assert_int_eq(ndi_prop_update_string(DDI_DEV_T_NONE, dip, "t", "x"), 0);
	ck_assert_int_eq(ndi_prop_update_string_array(DDI_DEV_T_NONE, dip, "a",
	    &(char *){ NULL }, 0), 0);
	ck_assert_int_eq(ndi_prop_update_byte_array(DDI_DEV_T_NONE, dip, "b",
	    (const uchar_t *)"x", 1), 0);
	ck_assert_int_eq(ndi_prop_remove(DDI_DEV_T_NONE, dip, "i"), 0);
	ndi_prop_remove_all(dip);
	ck_assert(!ddi_prop_exists(DDI_DEV_T_ANY, dip, 0, "t"));
	ddi_prop_free(NULL);
	tree_free();
}
END_TEST

/* the driver and the framework each take away only what is theirs */
START_TEST(owners_stay_apart)
{
	char *text;

	tree_make();
	ck_assert_int_eq(ndi_prop_update_string(DDI_DEV_T_NONE, dip, "target-port", "w1"), 0);
	ck_assert_int_eq(ndi_prop_update_int64(DDI_DEV_T_NONE, dip, "lun64", 3), 0);
	ck_assert_int_eq(ddi_prop_update_int(DDI_DEV_T_NONE, dip, "mine", 1), 0);
	/* by the same name: the driver's hides the other, and is removed alone */
	ck_assert_int_eq(ddi_prop_update_int64(DDI_DEV_T_NONE, dip, "lun64", 4), 0);
	ck_assert_int_eq(ddi_prop_get_int64(DDI_DEV_T_ANY, dip, 0, "lun64", 0), 4);
	ck_assert_int_eq(ddi_prop_remove(DDI_DEV_T_NONE, dip, "target-port"),
	    DDI_PROP_NOT_FOUND);
	ck_assert_int_eq(ndi_prop_remove(DDI_DEV_T_NONE, dip, "mine"), DDI_PROP_NOT_FOUND);
	ddi_prop_remove_all(dip);
	ck_assert(!ddi_prop_exists(DDI_DEV_T_ANY, dip, 0, "mine"));
	ck_assert_int_eq(ddi_prop_get_int64(DDI_DEV_T_ANY, dip, 0, "lun64", 0), 3);
	ck_assert_int_eq(ddi_prop_lookup_string(DDI_DEV_T_ANY, dip, 0, "target-port", &text), 0);
	ck_assert_str_eq(text, "w1");
	ddi_prop_free(text);
	ck_assert_int_eq(ddi_prop_update_int(DDI_DEV_T_NONE, dip, "mine", 1), 0);
	ndi_prop_remove_all(dip);
	ck_assert(!ddi_prop_exists(DDI_DEV_T_ANY, dip, 0, "lun64"));
	ck_assert_int_eq(ddi_prop_get_int(DDI_DEV_T_ANY, dip, 0, "mine", 0), 1);
	tree_free();
}
END_TEST

START_TEST(shortage_changes_nothing)
{
	char *text;

	tree_make();
	ck_assert_int_eq(ddi_prop_update_string(DDI_DEV_T_NONE, dip, "s", "old"), 0);
	fault_arm(1);
	ck_assert_int_eq(ddi_prop_update_string(DDI_DEV_T_NONE, dip, "s", "new"),
	    DDI_PROP_NO_MEMORY);
	ck_assert(fault_disarm());
	fault_arm(1);
	ck_assert_int_eq(ddi_prop_update_string_array(DDI_DEV_T_NONE, dip, "s", NULL, 0),
	    DDI_PROP_NO_MEMORY);
	ck_assert(fault_disarm());
	fault_arm(1);
	ck_assert_int_eq(ddi_prop_lookup_string(DDI_DEV_T_ANY, dip, 0, "s", &text),
	    DDI_PROP_NO_MEMORY);
	ck_assert(fault_disarm());
	ck_assert_int_eq(ddi_prop_lookup_string(DDI_DEV_T_ANY, dip, 0, "s", &text), 0);
	ck_assert_str_eq(text, "old");
	ddi_prop_free(text);
	tree_free();
}
END_TEST

CHECK_MAIN("properties", types_round_trip, ancestors_are_asked, numbers_and_flags,
    owners_stay_apart, shortage_changes_nothing)
