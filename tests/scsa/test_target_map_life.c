/*
 * Target maps around the table: values, failures, what refuses to go, who asks early, and locks
 * of the driver.
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

SIM_TEST(c46_callbacks_are_optional)
{
	maps_setup(SCSI_TM_FULLSET);
	maps.has_no_callbacks = true;
	maps_begin();
	maps_set("AB");
	maps_until(11);
	ck_assert(maps_has("A,0") && maps_has("B,0"));
	maps_set("B");
	maps_until(30);
	ck_assert(!maps_has("A,0") && maps_has("B,0"));
	maps_expect("");
	maps_end();
}

static int units_at_activate, units_at_gone;

static void
count_at_activate(char *addr, scsi_tgtmap_tgt_type_t type, void **privp)
{
	(void)addr;
	(void)type;
	(void)privp;
	units_at_activate = mock.n_init - mock.n_free;
	memset(addr, 'x', strlen(addr));	/* the text is the driver's to spoil */
}

static void
count_at_gone(char *addr, scsi_tgtmap_tgt_type_t type, void *priv, scsi_tgtmap_deact_rsn_t why)
{
	(void)addr;
	(void)type;
	(void)priv;
	if (why == SCSI_TGT_DEACT_RSN_GONE)
		units_at_gone = mock.n_init - mock.n_free;
}

SIM_TEST(c47_activate_is_before_attach_and_deactivate_after_detach)
{
	maps_setup(SCSI_TM_PERADDR);
	maps.on_activate = count_at_activate;
	maps.on_deactivate = count_at_gone;
	units_at_activate = units_at_gone = -1;
	maps_begin();
	maps_add("A", NULL);
	maps_until(11);
	ck_assert_int_eq(units_at_activate, 0);
	ck_assert_int_eq(mock.n_init - mock.n_free, 1);
	maps_remove("A");
	maps_until(30);
	ck_assert_int_eq(units_at_gone, 0);
	ck_assert_int_eq(mock_tgt.n_detach, 1);
	maps_end();
}

static void
change_value(char *addr, scsi_tgtmap_tgt_type_t type, void **privp)
{
	(void)addr;
	(void)type;
	ck_assert_str_eq(*privp, "p");
	*privp = (void *)(uintptr_t)"kept";
}

SIM_TEST(c48_the_value_that_activate_leaves_comes_back)
{
	maps_setup(SCSI_TM_FULLSET);
	maps.on_activate = change_value;
	maps_begin();
	maps_set("A");
	maps_until(11);
	maps_mark();
	/* the value of a later report of the same address goes nowhere */
	ck_assert_int_eq(scsi_hba_tgtmap_set_begin(maps.map), DDI_SUCCESS);
	maps_put("A", "q");
	ck_assert_int_eq(scsi_hba_tgtmap_set_end(maps.map, 0), DDI_SUCCESS);
	maps_until(20);
	maps_expect("");
	maps_set("");
	maps_until(40);
	maps_expect("3.0 -A(kept)");
	maps_end();
}

SIM_TEST(c49_the_next_full_set_tries_again)
{
	maps_setup(SCSI_TM_FULLSET);
	maps.want_return = true;
	mock.target[0].is_there = false;
	maps_begin();
	maps_set("AB");
	maps_until(100);
	if (strcmp(maps.log, "1.0 +B(p) 1.0 +A(p) 1.0 xA(p)") != 0 &&
	    strcmp(maps.log, "1.0 +A(p) 1.0 +B(p) 1.0 xA(p)") != 0)
		maps_expect("1.0 +A(p) 1.0 xA(p) 1.0 +B(p)");
	ck_assert(maps_has("B,0"));
	mock.target[0].is_there = true;
	maps_mark();
	maps_set("AB");
	maps_until(20);
	maps_expect("1.0 +A(p)");
	ck_assert(maps_has("A,0") && maps_has("B,0"));
	maps_end();
}

static bool
refuse_all(struct scsi_device *sd)
{
	(void)sd;
	return true;
}

SIM_TEST(c49_a_refusal_of_tgt_init_is_a_failure)
{
	maps_setup(SCSI_TM_PERADDR);
	mock.refuse = refuse_all;
	maps_begin();
	maps_add("A", "p");
	maps_until(20);
	maps_expect("1.0 +A(p) 1.0 xA(p)");
	maps_end();
}

static kmutex_t driver_lock;
static bool is_locking;

static void
lock_in_tgt_init(dev_info_t *hba, dev_info_t *tgt, scsi_hba_tran_t *tran,
    struct scsi_device *sd)
{
	(void)hba;
	(void)tgt;
	(void)tran;
	(void)sd;
	if (!is_locking)
		return;
	mutex_enter(&driver_lock);
	mutex_exit(&driver_lock);
}

SIM_TEST(c51_reports_are_fine_under_locks_of_the_driver)
{
	maps_setup(SCSI_TM_FULLSET);
	mock.on_tgt_init = lock_in_tgt_init;
	mutex_init(&driver_lock, NULL, MUTEX_DRIVER, NULL);
	is_locking = true;
	maps_begin();
	maps_set("A");
	mutex_enter(&driver_lock);
	maps_until(20);		/* the worker waits for the lock, inside tgt_init */
	maps_set("AB");
	scsi_hba_tgtmap_scan_luns(maps.map, (char[]){ "A" });
	ck_assert_int_eq(mock_tgt.n_attach, 0);
	mutex_exit(&driver_lock);
	maps_until(60);
	ck_assert(maps_has("A,0") && maps_has("B,0"));
	is_locking = false;
	mutex_destroy(&driver_lock);
	maps_end();
}

SIM_TEST(c52_destroy_drops_a_set_without_end)
{
	maps_setup(SCSI_TM_FULLSET);
	maps_begin();
	maps_set("A");
	maps_until(11);
	ck_assert_int_eq(scsi_hba_tgtmap_set_begin(maps.map), DDI_SUCCESS);
	maps_put("B", "q");
	scsi_hba_tgtmap_destroy(maps.map);
	maps.map = NULL;
	maps_expect("1.0 +A(p) 1.1 !B(q) 1.1 -A(p)");
	maps_end();
}

static void
destroy_inside(char *addr, scsi_tgtmap_tgt_type_t type, void **privp)
{
	(void)addr;
	(void)type;
	(void)privp;
	scsi_hba_tgtmap_destroy(maps.map);
}

SIM_TEST(c52_destroy_in_a_callback_is_refused)
{
	mock_violations();
	maps_setup(SCSI_TM_PERADDR);
	maps.on_activate = destroy_inside;
	maps_begin();
	maps_add("A", NULL);
	maps_until(20);
	ck_assert_int_eq(mock_violation_count(), 1);
	ck_assert_str_eq(mock_violation_rule(), "map-destroy-inside");
	ck_assert(maps_has("A,0"));
	maps_end();
}

SIM_TEST(c44_create_checks_its_arguments)
{
	scsi_hba_tgtmap_t *map = NULL;
	char a[] = "A", bad[] = "A,1", none[] = "";
	dev_info_t *iport;

	maps_setup(SCSI_TM_FULLSET);
	maps_begin();
	iport = maps.iport;
	ck_assert_int_eq(scsi_hba_tgtmap_create(iport, SCSI_TM_FULLSET, 1, 1, NULL, NULL, NULL,
	    &map), DDI_FAILURE);	/* there is one */
	maps_iport_detach(iport);
	ck_assert_int_eq(scsi_hba_tgtmap_create(maps.hba, SCSI_TM_FULLSET, 1, 1, NULL, NULL,
	    NULL, &map), DDI_FAILURE);
	ck_assert_int_eq(scsi_hba_tgtmap_create(NULL, SCSI_TM_FULLSET, 1, 1, NULL, NULL, NULL,
	    &map), DDI_FAILURE);
	ck_assert_int_eq(scsi_hba_tgtmap_create(iport, SCSI_TM_FULLSET, 0, 1, NULL, NULL, NULL,
	    &map), DDI_FAILURE);
	ck_assert_int_eq(scsi_hba_tgtmap_create(iport, SCSI_TM_FULLSET, 1, 0, NULL, NULL, NULL,
	    &map), DDI_FAILURE);
	ck_assert_int_eq(scsi_hba_tgtmap_create(iport, (scsi_tgtmap_mode_t)7, 1, 1, NULL, NULL,
	    NULL, &map), DDI_FAILURE);
	ck_assert_int_eq(scsi_hba_tgtmap_create(iport, SCSI_TM_FULLSET, 1, 1, NULL, NULL, NULL,
	    NULL), DDI_FAILURE);
	ck_assert_ptr_null(map);
	maps_iport(iport, NULL);
	ck_assert(!ddi_prop_exists(DDI_DEV_T_ANY, iport, DDI_PROP_DONTPASS,
	    "scsi-binding-set"));
	/* reports of the other mode, bad types, bad addresses */
	ck_assert_int_eq(scsi_hba_tgtmap_tgt_add(maps.map, SCSI_TGT_SCSI_DEVICE, a, NULL),
	    DDI_FAILURE);
	ck_assert_int_eq(scsi_hba_tgtmap_tgt_remove(maps.map, SCSI_TGT_SCSI_DEVICE, a),
	    DDI_FAILURE);
	ck_assert_int_eq(scsi_hba_tgtmap_set_begin(maps.map), DDI_SUCCESS);
	ck_assert_int_eq(scsi_hba_tgtmap_set_add(maps.map, SCSI_TGT_NTYPES, a, NULL),
	    DDI_FAILURE);
	ck_assert_int_eq(scsi_hba_tgtmap_set_add(maps.map, SCSI_TGT_SCSI_DEVICE, bad, NULL),
	    DDI_FAILURE);
	ck_assert_int_eq(scsi_hba_tgtmap_set_add(maps.map, SCSI_TGT_SCSI_DEVICE, none, NULL),
	    DDI_FAILURE);
	ck_assert_int_eq(scsi_hba_tgtmap_set_end(maps.map, 1), DDI_FAILURE);
	ck_assert_int_eq(scsi_hba_tgtmap_set_begin(NULL), DDI_FAILURE);
	scsi_hba_tgtmap_destroy(NULL);
	scsi_hba_tgtmap_scan_luns(maps.map, NULL);
	maps_end();
}

SIM_TEST(c45_a_peraddr_map_takes_no_sets)
{
	char a[] = "A";

	maps_setup(SCSI_TM_PERADDR);
	maps_begin();
	ck_assert_int_eq(scsi_hba_tgtmap_set_begin(maps.map), DDI_FAILURE);
	ck_assert_int_eq(scsi_hba_tgtmap_set_end(maps.map, 0), DDI_FAILURE);
	ck_assert_int_eq(scsi_hba_tgtmap_set_flush(maps.map), DDI_FAILURE);
	ck_assert_int_eq(scsi_hba_tgtmap_set_add(maps.map, SCSI_TGT_SCSI_DEVICE, a, NULL),
	    DDI_FAILURE);
	maps_end();
}

SIM_TEST(c90_a_unit_in_use_goes_when_it_is_free)
{
	maps_setup(SCSI_TM_PERADDR);
	maps_begin();
	maps_add("A", "p");
	maps_until(11);
	maps_mark();
	mock_tgt.refuses_detach = true;
	maps_remove("A");
	maps_until(50);
	maps_expect("");
	ck_assert(maps_has("A,0"));
	mock_tgt.refuses_detach = false;
	maps_until(70);
	maps_expect("6.0 -A(p)");
	ck_assert(!maps_has("A,0"));
	maps_end();
}

SIM_TEST(c90_a_unit_in_use_that_comes_back_stays)
{
	maps_setup(SCSI_TM_PERADDR);
	maps_begin();
	maps_add("A", "p");
	maps_until(11);
	maps_mark();
	mock_tgt.refuses_detach = true;
	maps_remove("A");
	maps_until(25);
	maps_add("A", "q");
	maps_until(45);
	mock_tgt.refuses_detach = false;
	maps_until(100);
	maps_expect("");
	ck_assert(maps_has("A,0"));
	maps_end();
}

/* as a target driver does: no detach while a command is out */
static struct scsi_pkt *io_pkt;

static void
io_done(struct scsi_pkt *pkt)
{
	ck_assert_int_eq(pkt->pkt_reason, CMD_ABORTED);
	mock_tgt.refuses_detach = false;
	mock.n_comp++;
}

SIM_TEST(c90_packets_end_before_tgt_free)
{
	struct scsi_device *sd;

	maps_setup(SCSI_TM_PERADDR);
	maps_begin();
	maps_add("A", "p");
	maps_until(11);
	maps_mark();
	mock.when = MOCK_LATER;
	sd = mock_unit(maps.iport, "A,0");
	io_pkt = mock_pkt(sd, NULL, SCMD_TEST_UNIT_READY, 0);
	io_pkt->pkt_comp = io_done;
	ck_assert_int_eq(scsi_transport(io_pkt), TRAN_ACCEPT);
	mock_tgt.refuses_detach = true;
	maps_remove("A");
	maps_until(15);
	maps_expect("");
	ck_assert_int_eq(mock.n_comp, 0);
	ck_assert_int_eq(scsi_abort(&sd->sd_address, io_pkt), 1);
	ck_assert_int_eq(mock.n_comp, 1);
	scsi_destroy_pkt(io_pkt);
	mock.when = MOCK_INLINE;
	maps_until(40);
	ck_assert_int_eq(mock_tgt.n_detach, 1);
	ck_assert(!maps_has("A,0"));
	maps_end();
}

SIM_TEST(c82_who_asks_in_the_window_waits_for_the_device)
{
	dev_info_t *dip = NULL;

	maps_setup(SCSI_TM_PERADDR);
	maps.csync_us = 20 * MAPS_SETTLE_US;
	maps_begin();
	maps_add("A", NULL);
	ck_assert_int_eq(scsa_bus_config_one(maps.iport, "A,0", &dip), 0);
	ck_assert_ptr_nonnull(dip);
	ck_assert_uint_eq((sim_now_us() - maps.base_us) / 1000, MAPS_SETTLE_US / 1000);
	/* the window is closed now: an absent device is absent at once, save for one wait for
	 * calm */
	ck_assert_int_eq(scsa_bus_config_one(maps.iport, "B,0", &dip), -ENXIO);
	ck_assert_uint_le(sim_now_us() - maps.base_us, 3 * MAPS_SETTLE_US);
	maps_mark();
	ck_assert_int_eq(scsa_bus_config_one(maps.iport, "B,0", &dip), -ENXIO);
	ck_assert_uint_eq(sim_now_us(), maps.base_us);
	maps_end();
}

SIM_TEST(c82_the_window_ends)
{
	dev_info_t *dip = NULL;

	maps_setup(SCSI_TM_PERADDR);
	maps.csync_us = 4 * MAPS_SETTLE_US;
	maps_begin();
	ck_assert_int_eq(scsa_bus_config_one(maps.iport, "A,0", &dip), -ENXIO);
	ck_assert_uint_ge(sim_now_us() - maps.base_us, 4 * MAPS_SETTLE_US);
	ck_assert_uint_le(sim_now_us() - maps.base_us, 6 * MAPS_SETTLE_US);
	maps_end();
}

static void
report_late(void *arg)
{
	(void)arg;
	sched_sleep_ns(5 * S_NS);
	maps_set("AB");
}

SIM_TEST(c82_a_request_for_all_waits_for_first_reports)
{
	ddi_taskq_t *tq;

	maps_setup(SCSI_TM_FULLSET);
	maps.csync_us = 100 * MAPS_SETTLE_US;
	maps_begin();
	tq = ddi_taskq_create(NULL, "reporter", 1, TASKQ_DEFAULTPRI, 0);
	(void)ddi_taskq_dispatch(tq, report_late, NULL, DDI_SLEEP);
	ck_assert_int_eq(scsa_bus_config_all(maps.iport), 2);
	/* 5 until the report, 1 until it settled, 1 of calm */
	ck_assert_uint_eq((sim_now_us() - maps.base_us) / 1000, 7 * MAPS_SETTLE_US / 1000);
	ddi_taskq_destroy(tq);
	ck_assert_int_eq(scsa_bus_config_all(maps.hba), 2);
	maps_end();
}

SIM_TEST(c82_sync_gives_up_when_reports_never_end)
{
	maps_setup(SCSI_TM_FULLSET);
	maps_begin();
	ck_assert_int_eq(scsi_hba_tgtmap_set_begin(maps.map), DDI_SUCCESS);
	ck_assert_int_eq(scsa_bus_config_all(maps.iport), 0);
	ck_assert_uint_ge(sim_now_us() - maps.base_us, 10 * MAPS_SETTLE_US);
	ck_assert_uint_le(sim_now_us() - maps.base_us, 11 * MAPS_SETTLE_US);
	maps_end();
}

SIM_TEST(c82_unconfigured_by_hand_comes_back_on_request)
{
	dev_info_t *dip = NULL;

	maps_setup(SCSI_TM_FULLSET);
	mock_set_luns(1, 3);
	maps_begin();
	maps_set("AB");
	maps_until(11);
	maps_mark();
	ck_assert_int_eq(scsa_bus_unconfig_one(maps.iport, "B,2"), 0);
	ck_assert_int_eq(scsa_bus_unconfig_one(maps.iport, "B,7"), -ENOENT);
	ck_assert(!maps_has("B,2") && maps_has("B,1"));
	ck_assert_int_eq(scsa_bus_config_one(maps.iport, "B,2", &dip), 0);
	ck_assert(maps_has("B,2"));
	ck_assert_int_eq(scsa_bus_unconfig_one(maps.iport, "B,1"), 0);
	ck_assert_int_eq(scsa_bus_config_one(maps.iport, "B,*", NULL), 0);
	ck_assert(maps_has("B,1"));
	ck_assert_int_eq(scsa_bus_unconfig_all(maps.iport), 0);
	ck_assert(!maps_has("A,0") && !maps_has("B,0"));
	ck_assert_int_eq(scsa_bus_config_all(maps.iport), 4);
	/* none of it was news for the driver */
	maps_expect("");
	ck_assert_int_eq(scsa_bus_config_one(maps.iport, "", NULL), -EINVAL);
	ck_assert_int_eq(scsa_bus_config_one(maps.iport, "w5000000000000001", NULL), -ENXIO);
	mock_tgt.refuses_detach = true;
	ck_assert_int_eq(scsa_bus_unconfig_all(maps.iport), -EBUSY);
	ck_assert_int_eq(scsa_bus_unconfig_one(maps.iport, "A,0"), -EBUSY);
	ck_assert_int_eq(scsa_bus_unconfig_all(maps.hba), -EBUSY);
	ck_assert(maps_has("A,0"));
	mock_tgt.refuses_detach = false;
	maps_end();
}

SIM_TEST(c83_one_address_one_node)
{
	dev_info_t *twin;
	int init;

	maps_setup(SCSI_TM_PERADDR);
	maps_begin();
	maps_add("A", NULL);
	maps_until(11);
	init = mock.n_init;
	ck_assert_int_eq(devi_alloc(maps.iport, "mocktgt", &twin), 0);
	(void)ddi_prop_update_string(DDI_DEV_T_NONE, twin, "target-port", "A");
	(void)ddi_prop_update_int64(DDI_DEV_T_NONE, twin, "lun64", 0);
	ck_assert_int_eq(devi_attach(twin), -ENODEV);
	ck_assert_int_eq(mock.n_init, init);
	ck_assert_int_eq(devi_free(twin), 0);
	maps_end();
}

static bool was_quiet;

static void
report_in_attach(dev_info_t *dip, scsi_hba_tran_t *tran)
{
	maps_iport(dip, tran);
	maps_add("A", "p");
	sched_sleep_ns(3 * S_NS);
	/* it has settled, and nothing has happened: attach is not over */
	ck_assert_int_eq(mock.n_init, 0);
	was_quiet = maps.log[0] == '\0';
}

SIM_TEST(o2_nothing_comes_to_life_before_attach_has_returned)
{
	maps_setup(SCSI_TM_PERADDR);
	mock.on_iport = report_in_attach;
	maps_begin();
	ck_assert(was_quiet);
	maps_until(1);
	ck_assert(maps_has("A,0"));
	maps_end();
}

SIM_TEST(c54_units_know_their_address)
{
	struct scsi_device *sd;

	maps_setup(SCSI_TM_PERADDR);
	mock_set_luns(0, 3);
	maps_begin();
	maps_add("A", NULL);
	maps_until(11);
	sd = mock_unit(maps.iport, "A,2");
	ck_assert_str_eq(scsi_device_unit_address(sd), "A,2");
	ck_assert_ptr_eq(scsi_address_device(&sd->sd_address), sd);
	maps_end();
}

/* property @name as number, -1 without one */
static int64_t
unit_number(struct scsi_device *sd, const char *name)
{
	return ddi_prop_get_int64(DDI_DEV_T_ANY, sd->sd_dev, DDI_PROP_DONTPASS, name, -1);
}

SIM_TEST(c55_physical_targets_have_names_and_virtual_ones_numbers)
{
	struct scsi_device *sd;

	maps_setup(SCSI_TM_PERADDR);
	mock.target[0].wwn = "w5000c5001234abcd";
	mock.target[1].wwn = "d";
	mock_set_luns(1, 3);
	maps_begin();
	maps_add("w5000c5001234abcd", NULL);
	maps_add("d", NULL);
	maps_until(11);
	sd = mock_unit(maps.iport, "w5000c5001234abcd,0");
	ck_assert(!ddi_prop_exists(DDI_DEV_T_ANY, sd->sd_dev, DDI_PROP_DONTPASS, "target"));
	sd = mock_unit(maps.iport, "d,2");
	ck_assert_int_eq(ddi_prop_get_int(DDI_DEV_T_ANY, sd->sd_dev, DDI_PROP_DONTPASS,
	    "target", -1), 0xd);
	ck_assert_int_eq(unit_number(sd, "lun64"), 2);
	maps_end();
}

SIM_TEST(c44_targets_one_after_another_when_the_administrator_says_so)
{
	maps_setup(SCSI_TM_FULLSET);
	maps.hba = mock_start();
	(void)ddi_prop_update_int(DDI_DEV_T_NONE, maps.hba, "scsi-enumeration",
	    SCSI_ENUMERATION_MT_TARGET_DISABLE | SCSI_ENUMERATION_MT_LUN_DISABLE);
	ck_assert_int_eq(scsa_bus_config_one(maps.hba, "iport0", NULL), 0);
	maps_mark();
	maps_set("ABC");
	maps_until(11);
	/* in order: each is finished before the next begins */
	maps_expect("1.0 +A(p) 1.0 +B(p) 1.0 +C(p)");
	maps_end();
}

CHECK_MAIN("target map life",
    c46_callbacks_are_optional,
    c47_activate_is_before_attach_and_deactivate_after_detach,
    c48_the_value_that_activate_leaves_comes_back,
    c49_the_next_full_set_tries_again,
    c49_a_refusal_of_tgt_init_is_a_failure,
    c51_reports_are_fine_under_locks_of_the_driver,
    c52_destroy_drops_a_set_without_end,
    c52_destroy_in_a_callback_is_refused,
    c44_create_checks_its_arguments,
    c45_a_peraddr_map_takes_no_sets,
    c90_a_unit_in_use_goes_when_it_is_free,
    c90_a_unit_in_use_that_comes_back_stays,
    c90_packets_end_before_tgt_free,
    c82_who_asks_in_the_window_waits_for_the_device,
    c82_the_window_ends,
    c82_a_request_for_all_waits_for_first_reports,
    c82_sync_gives_up_when_reports_never_end,
    c82_unconfigured_by_hand_comes_back_on_request,
    c83_one_address_one_node,
    o2_nothing_comes_to_life_before_attach_has_returned,
    c54_units_know_their_address,
    c55_physical_targets_have_names_and_virtual_ones_numbers,
    c44_targets_one_after_another_when_the_administrator_says_so)
