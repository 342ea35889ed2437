/*
 * Iport maps: iports that come and go by report; attach and detach are the news.
 */
#include <check.h>
#include <errno.h>
#include <string.h>

#include "ddi/sched.h"
#include "ddi/sim.h"
#include "scsa/config.h"
#include "tests/include/check_main.h"
#include "tests/scsa/mock_maps.h"

#define S_NS	(MAPS_SETTLE_US * 1000ull)

static scsi_hba_iportmap_t *imap;
static int csync_us;

static void
create_map(dev_info_t *dip)
{
	ck_assert_int_eq(scsi_hba_iportmap_create(dip, csync_us, MAPS_SETTLE_US, &imap),
	    DDI_SUCCESS);
}

static void
destroy_map(dev_info_t *dip)
{
	(void)dip;
	scsi_hba_iportmap_destroy(imap);
	imap = NULL;
}

static void
setup(void)
{
	maps_setup(SCSI_TM_PERADDR);
	mock.iports[0] = NULL;
	mock.on_attached = create_map;
	mock.on_detach = destroy_map;
	csync_us = 1;
}

static void
begin(void)
{
	setup();
	maps.hba = mock_start();
	maps_mark();
}

static void
add(const char *ua)
{
	ck_assert_int_eq(scsi_hba_iportmap_iport_add(imap, (char *)(uintptr_t)ua, NULL),
	    DDI_SUCCESS);
}

static void
take(const char *ua)
{
	ck_assert_int_eq(scsi_hba_iportmap_iport_remove(imap, (char *)(uintptr_t)ua),
	    DDI_SUCCESS);
}

static bool
is_up(const char *ua)
{
	return scsi_hba_iportmap_lookup(imap, (char *)(uintptr_t)ua) == DDI_SUCCESS;
}

SIM_TEST(c38_an_iport_attaches_and_detaches_when_settled)
{
	char name[] = "f";

	begin();
	add("f");
	maps_until(9);
	ck_assert_int_eq(mock.n_iports_attached, 0);
	ck_assert(!is_up("f"));
	maps_until(10);
	ck_assert_int_eq(mock.n_iports_attached, 1);
	ck_assert(is_up("f"));
	ck_assert_str_eq(scsi_hba_iport_unit_address(maps.iport), "f");
	ck_assert_ptr_eq(scsi_hba_iport_find(maps.hba, name), maps.iport);
	take("f");
	maps_until(19);
	ck_assert_int_eq(mock.n_iports_attached, 1);
	maps_until(21);
	ck_assert_int_eq(mock.n_iports_attached, 0);
	ck_assert(!is_up("f"));
	maps_end();
}

SIM_TEST(c38_jitter_yields_nothing)
{
	begin();
	for (int i = 0; i < 20; i++) {
		add("f");
		maps_until(i * 10 + 5);
		take("f");
		maps_until(i * 10 + 10);
	}
	maps_until(250);
	ck_assert_ptr_null(maps.iport);
	maps_end();
}

SIM_TEST(c38_targets_go_before_their_iport)
{
	begin();
	add("f");
	maps_until(11);
	maps_add("A", "p");
	maps_until(30);
	ck_assert(maps_has("A,0"));
	take("f");
	maps_until(50);
	maps_expect("2.1 +A(p) 4.0 -A(p)");
	ck_assert_int_eq(mock.n_iports_attached, 0);
	maps_end();
}

SIM_TEST(c38_an_iport_with_a_target_in_use_stays)
{
	begin();
	add("f");
	maps_until(11);
	maps_add("A", "p");
	maps_until(30);
	mock_tgt.refuses_detach = true;
	take("f");
	maps_until(60);
	ck_assert_int_eq(mock.n_iports_attached, 1);
	ck_assert(maps_has("A,0"));
	mock_tgt.refuses_detach = false;
	maps_until(90);
	ck_assert_int_eq(mock.n_iports_attached, 0);
	maps_end();
}

SIM_TEST(c38_an_iport_that_does_not_attach_is_tried_again_when_reported)
{
	begin();
	mock.iport_refusals = 1;
	add("f");
	maps_until(30);
	ck_assert_int_eq(mock.n_iports_attached, 0);
	ck_assert(!is_up("f"));
	add("f");
	maps_until(50);
	ck_assert_int_eq(mock.n_iports_attached, 1);
	maps_end();
}

SIM_TEST(c38_destroy_removes_all_iports)
{
	begin();
	add("f");
	maps_until(11);
	maps_add("A", "p");
	maps_until(30);
	destroy_map(maps.hba);
	ck_assert_int_eq(mock.n_iports_attached, 0);
	maps_expect("2.1 +A(p) 3.0 -A(p)");
	ck_assert_ptr_null(mock.tran->tran_iportmap);
	maps_end();
}

SIM_TEST(c39_create_checks_its_arguments)
{
	scsi_hba_iportmap_t *other = NULL;
	char bad[] = "a/b", none[] = "", f[] = "f";

	begin();
	ck_assert_int_eq(scsi_hba_iportmap_create(maps.hba, 1, 1, &other), DDI_FAILURE);
	add("f");
	maps_until(11);
	ck_assert_int_eq(scsi_hba_iportmap_create(maps.iport, 1, 1, &other), DDI_FAILURE);
	ck_assert_int_eq(scsi_hba_iportmap_iport_add(imap, bad, NULL), DDI_FAILURE);
	ck_assert_int_eq(scsi_hba_iportmap_iport_add(imap, none, NULL), DDI_FAILURE);
	ck_assert_int_eq(scsi_hba_iportmap_iport_add(NULL, f, NULL), DDI_FAILURE);
	ck_assert_int_eq(scsi_hba_iportmap_iport_remove(NULL, f), DDI_FAILURE);
	ck_assert_int_eq(scsi_hba_iportmap_lookup(NULL, f), DDI_FAILURE);
	destroy_map(NULL);
	ck_assert_int_eq(scsi_hba_iportmap_create(maps.hba, 0, 1, &other), DDI_FAILURE);
	ck_assert_int_eq(scsi_hba_iportmap_create(maps.hba, 1, 0, &other), DDI_FAILURE);
	ck_assert_int_eq(scsi_hba_iportmap_create(maps.hba, 1, 1, NULL), DDI_FAILURE);
	ck_assert_int_eq(scsi_hba_iportmap_create(NULL, 1, 1, &other), DDI_FAILURE);
	scsi_hba_iportmap_destroy(NULL);
	maps_end();
}

static void
report_in_attach(dev_info_t *dip)
{
	create_map(dip);
	add("f");
	sched_sleep_ns(3 * S_NS);
	ck_assert_int_eq(mock.n_iports_attached, 0);
}

SIM_TEST(o2_no_iport_before_the_hba_is_attached)
{
	setup();
	mock.on_attached = report_in_attach;
	maps.hba = mock_start();
	maps_mark();
	maps_until(1);
	ck_assert_int_eq(mock.n_iports_attached, 1);
	maps_end();
}

SIM_TEST(c82_requests_wait_for_iports_and_their_targets)
{
	dev_info_t *dip = NULL;

	setup();
	csync_us = 20 * MAPS_SETTLE_US;
	maps.csync_us = 20 * MAPS_SETTLE_US;
	maps.hba = mock_start();
	maps_mark();
	add("f");
	ck_assert_int_eq(scsa_bus_config_one(maps.hba, "f", &dip), 0);
	ck_assert_ptr_eq(dip, maps.iport);
	ck_assert_uint_eq((sim_now_us() - maps.base_us) / 1000, MAPS_SETTLE_US / 1000);
	ck_assert_int_eq(scsa_bus_config_one(maps.hba, "e", &dip), -ENXIO);
	ck_assert_int_eq(scsa_bus_config_one(maps.hba, "", &dip), -EINVAL);
	maps_add("A", NULL);
	maps_add("B", NULL);
	ck_assert_int_eq(scsa_bus_config_all(maps.hba), 2);
	ck_assert(maps_has("A,0") && maps_has("B,0"));
	/* everything away; what the driver reports anew comes back */
	ck_assert_int_eq(scsa_bus_unconfig_all(maps.hba), 0);
	ck_assert_int_eq(mock.n_iports_attached, 0);
	maps_mark();
	add("f");
	maps_until(11);
	ck_assert_int_eq(mock.n_iports_attached, 1);
	maps_end();
}

CHECK_MAIN("iport map",
    c38_an_iport_attaches_and_detaches_when_settled,
    c38_jitter_yields_nothing,
    c38_targets_go_before_their_iport,
    c38_an_iport_with_a_target_in_use_stays,
    c38_an_iport_that_does_not_attach_is_tried_again_when_reported,
    c38_destroy_removes_all_iports,
    c39_create_checks_its_arguments,
    o2_no_iport_before_the_hba_is_attached,
    c82_requests_wait_for_iports_and_their_targets)
