/* vectors: memory, private pointers, the device of a clone, reports from tgt_init */
#include <string.h>

#include "base/fault.h"
#include "check_main.h"
#include "ddi/sim.h"
#include "scsa/config.h"
#include "tests/scsa/mock_hba.h"
#include "tests/scsa/mock_maps.h"

SIM_TEST(c2_who_may_sleep_gets_a_vector)
{
	scsi_hba_tran_t *tran;

	/* the first try finds no memory */
	fault_arm(1);
	tran = scsi_hba_tran_alloc(NULL, SCSI_HBA_CANSLEEP);
	fault_disarm();
	ck_assert_ptr_nonnull(tran);
	scsi_hba_tran_free(tran);
}

static int n_iports_seen;

static int
private_in_attach(dev_info_t *dip, scsi_hba_tran_t *tran)
{
	(void)dip;
	ck_assert_ptr_eq(tran->tran_hba_private, &mock);
	return DDI_SUCCESS;
}

/* the mock's attach has checked that it was NULL, and has set it since */
static void
private_in_iport(dev_info_t *dip, scsi_hba_tran_t *tran)
{
	scsi_hba_tran_t *base = ddi_get_driver_private(ddi_get_parent(dip));

	n_iports_seen++;
	ck_assert_ptr_eq(base->tran_hba_private, &mock);
	tran->tran_hba_private = &n_iports_seen;
	ck_assert_ptr_eq(base->tran_hba_private, &mock);
}

SIM_TEST(c6_the_private_pointer_is_kept_at_the_hba_and_cleared_at_its_ports)
{
	mock.flags |= SCSI_HBA_HBA;
	mock.iports[0] = "p0";
	mock.iports[1] = "p1";
	mock.on_attach = private_in_attach;
	mock.on_iport = private_in_iport;
	ck_assert_int_ge(scsa_bus_config_all(mock_start()), 0);
	ck_assert_int_eq(n_iports_seen, 2);
	ck_assert_ptr_eq(mock.tran->tran_hba_private, &mock);
	mock_stop();
}

static int n_seen;

static void
device_is_set(const struct scsi_device *sd)
{
	n_seen++;
	ck_assert_ptr_eq(sd->sd_address.a_hba_tran->tran_sd, sd);
}

static void
sd_in_init(dev_info_t *hba, dev_info_t *tgt, scsi_hba_tran_t *tran, struct scsi_device *sd)
{
	(void)hba;
	(void)tgt;
	ck_assert_ptr_eq(tran, sd->sd_address.a_hba_tran);
	device_is_set(sd);
}

static void
sd_in_start(struct scsi_address *ap, struct scsi_pkt *pkt)
{
	(void)pkt;
	device_is_set(ap->a_hba_tran->tran_sd);
}

static int
sd_in_get_name(struct scsi_device *sd, char *name, int len)
{
	device_is_set(sd);
	(void)snprintf(name, (size_t)len, "%x,%x", sd->sd_address.a_target,
	    sd->sd_address.a_lun);
	return 1;
}

static int
sd_in_probe(struct scsi_device *sd, int (*waitfunc)(void))
{
	device_is_set(sd);
	return scsi_hba_probe(sd, waitfunc);
}

static int
sd_attach(dev_info_t *dip, scsi_hba_tran_t *tran)
{
	(void)dip;
	tran->tran_get_name = sd_in_get_name;
	tran->tran_get_bus_addr = sd_in_get_name;
	tran->tran_tgt_probe = sd_in_probe;
	return DDI_SUCCESS;
}

SIM_TEST(c21_a_clone_knows_its_device_at_every_call)
{
	mock.flags |= SCSI_HBA_TRAN_CLONE;
	mock.on_attach = sd_attach;
	mock.on_tgt_init = sd_in_init;
	mock.on_start = sd_in_start;
	ck_assert_int_eq(scsa_bus_config_all(mock_start()), 1);
	/* probe node and real node: tgt_init, name, probe, INQUIRY each */
	ck_assert_int_ge(n_seen, 8);
	mock_stop();
}

/* a driver that learns in tgt_init that there is more: tells its map, under its own lock */
static kmutex_t report_lock;
static int n_reports;

static void
report_in_init(dev_info_t *hba, dev_info_t *tgt, scsi_hba_tran_t *tran, struct scsi_device *sd)
{
	(void)hba;
	(void)tgt;
	(void)tran;
	(void)sd;
	if (maps.map == NULL)
		return;
	n_reports++;
	mutex_enter(&report_lock);
	scsi_hba_tgtmap_scan_luns(maps.map, (char[]){ "A" });
	maps_add("B", "q");
	mutex_exit(&report_lock);
}

SIM_TEST(c94_tgt_init_may_report_and_ask_for_a_scan)
{
	maps_setup(SCSI_TM_PERADDR);
	mutex_init(&report_lock, NULL, MUTEX_DRIVER, NULL);
	mock.on_tgt_init = report_in_init;
	maps_begin();
	maps_add("A", "p");
	maps_until(60);
	ck_assert_int_ge(n_reports, 2);
	ck_assert(maps_has("A,0") && maps_has("B,0"));
	mock.on_tgt_init = NULL;
	maps_end();
	mutex_destroy(&report_lock);
}

CHECK_MAIN("vectors", c2_who_may_sleep_gets_a_vector,
    c6_the_private_pointer_is_kept_at_the_hba_and_cleared_at_its_ports,
    c21_a_clone_knows_its_device_at_every_call, c94_tgt_init_may_report_and_ask_for_a_scan)
