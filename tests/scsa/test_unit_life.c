/* a unit's node: found, initialised, attached, removed; the rules of tgt_init, probe and
 * free */
#include <string.h>

#include "check_main.h"
#include "scsa/config.h"
#include "tests/scsa/mock_hba.h"

SIM_TEST(one_disk_is_found_and_removed)
{
	struct scsi_device *sd;

	mock.targets = 1;
	(void)mock_start();
	ck_assert_int_eq(scsa_bus_config_all(mock_port()), 1);
	sd = mock_unit(mock_port(), "0,0");
	ck_assert_str_eq(ddi_node_name(sd->sd_dev), "disk");
	ck_assert_str_eq(scsi_device_unit_address(sd), "0,0");
	ck_assert_int_eq(mock_tgt.n_attach, 1);
	/* probe node, then real node */
	ck_assert_int_eq(mock.n_init, 2);
	ck_assert_int_eq(mock.n_free, 1);
	mock_stop();
	ck_assert_int_eq(mock_tgt.n_detach, 1);
}

SIM_TEST(c7_tgt_init_and_free_may_be_absent)
{
	mock.has_no_tgt = true;
	mock_set_luns(1, 3);
	(void)mock_start();
	ck_assert_int_eq(scsa_bus_config_all(mock_port()), 4);
	mock_stop();
}

static bool
refuse_high(struct scsi_device *sd)
{
	return sd->sd_address.a_lun >= 8 || sd->sd_address.a_target >= 2;
}

SIM_TEST(c8_refused_addresses_have_no_node_and_no_inquiry)
{
	static uint64_t luns[] = { 0, 7, 8, 9 };

	mock.refuse = refuse_high;
	mock.target[0].luns = luns;
	mock.target[0].nluns = 4;
	mock_set_luns(2, 1);
	(void)mock_start();
	ck_assert_int_eq(scsa_bus_config_all(mock_port()), 2);
	ck_assert_ptr_null(devi_find(mock_port(), "@0,8"));
	ck_assert_ptr_null(devi_find(mock_port(), "@2,0"));
	/* 0,8  0,9  1,0 is absent, 2,0: none of the refused was given back by tgt_free */
	ck_assert_int_eq(mock.n_init_failed, 3);
	ck_assert_int_eq(scsa_bus_config_one(mock_port(), "2,0", NULL), -ENXIO);
	mock_stop();
}

SIM_TEST(c9_tgt_probe_only_through_scsi_probe)
{
	mock.has_probe = true;
	(void)mock_start();
	ck_assert_int_eq(scsa_bus_config_all(mock_port()), 1);
	/* probe nodes of targets 0 to 2, and the target driver's own call */
	ck_assert_int_eq(mock.n_probe, 3 + mock_tgt.n_probe_calls);
	mock_stop();
}

SIM_TEST(c10_c12_probe_is_repeatable_and_unprobe_releases)
{
	struct scsi_inquiry first;
	struct scsi_device *sd;

	(void)mock_start();
	ck_assert_int_eq(scsa_bus_config_all(mock_port()), 1);
	sd = mock_unit(mock_port(), "0,0");
	ck_assert_int_eq(scsi_probe(sd, SLEEP_FUNC), SCSIPROBE_EXISTS);
	first = *sd->sd_inq;
	ck_assert_int_eq(scsi_probe(sd, NULL_FUNC), SCSIPROBE_EXISTS);
	ck_assert_mem_eq(&first, sd->sd_inq, SUN_INQSIZE);
	ck_assert_mem_eq(sd->sd_inq->inq_vid, "MOCK    ", 8);
	scsi_unprobe(sd);
	ck_assert_ptr_null(sd->sd_inq);
	scsi_unprobe(sd);
	ck_assert_int_eq(scsi_slave(sd, SLEEP_FUNC), SCSIPROBE_EXISTS);
	scsi_unslave(sd);
	mock_stop();
}

static int
count_inquiries(bool has_probe)
{
	int n;

	mock.has_probe = has_probe;
	mock.n_inquiry = 0;
	(void)mock_start();
	ck_assert_int_eq(scsa_bus_config_all(mock_port()), 1);
	n = mock.n_inquiry;
	mock_stop();
	return n;
}

SIM_TEST(c11_explicit_probe_makes_the_same_traffic)
{
	ck_assert_int_eq(count_inquiries(false), count_inquiries(true));
}

static struct {
	struct scsi_device *sd;
	scsi_hba_tran_t *tran;
	int n;
} seen;

static void
see_init(dev_info_t *hba, dev_info_t *tgt, scsi_hba_tran_t *tran, struct scsi_device *sd)
{
	/* C14, C21: everything is there before tgt_init */
	ck_assert_ptr_eq(hba, mock_port());
	ck_assert_ptr_eq(sd->sd_dev, tgt);
	ck_assert_ptr_eq(sd->sd_address.a_hba_tran, tran);
	ck_assert_ptr_null(sd->sd_inq);
	mutex_enter(&sd->sd_mutex);
	mutex_exit(&sd->sd_mutex);
	ck_assert_str_eq(scsi_device_unit_address(sd), "0,0");
	ck_assert_int_eq(ddi_prop_get_int(DDI_DEV_T_ANY, tgt, DDI_PROP_DONTPASS, "target", -1), 0);
	ck_assert_int_eq(ddi_prop_get_int(DDI_DEV_T_ANY, tgt, DDI_PROP_DONTPASS, "lun", -1), 0);
	ck_assert_int_eq(ddi_prop_get_int64(DDI_DEV_T_ANY, tgt, DDI_PROP_DONTPASS, "lun64", -1), 0);
	ck_assert_int_eq(ddi_prop_exists(DDI_DEV_T_ANY, tgt, DDI_PROP_DONTPASS, "target-port"), 1);
	seen.sd = sd;
	seen.tran = tran;
	seen.n++;
}

static void
see_free(scsi_hba_tran_t *tran, struct scsi_device *sd)
{
	ck_assert_ptr_eq(seen.sd, sd);
	ck_assert_ptr_eq(seen.tran, tran);
	ck_assert_str_eq(scsi_device_unit_address(sd), "0,0");
	seen.n--;
}

SIM_TEST(c13_c14_c54_init_and_free_see_the_same_device)
{
	mock.targets = 1;
	mock.on_tgt_init = see_init;
	mock.on_tgt_free = see_free;
	(void)mock_start();
	ck_assert_int_eq(scsa_bus_config_all(mock_port()), 1);
	ck_assert_int_eq(seen.n, 1);
	mock_stop();
	ck_assert_int_eq(seen.n, 0);
}

SIM_TEST(c15_target_private_is_the_device)
{
	struct scsi_device *sd;
	dev_info_t *dip = NULL;

	(void)mock_start();
	ck_assert_int_eq(scsa_bus_config_one(mock_port(), "0,0", &dip), 0);
	ck_assert_ptr_nonnull(dip);
	sd = ddi_get_driver_private(dip);
	ck_assert_ptr_eq(sd->sd_dev, dip);
	mock_stop();
}

SIM_TEST(c17_framework_leaves_target_drivers_fields_alone)
{
	struct scsi_extended_sense sense;
	struct scsi_device *sd;
	char soft[1];
	struct scsi_pkt *pkt;

	(void)mock_start();
	ck_assert_int_eq(scsa_bus_config_all(mock_port()), 1);
	sd = mock_unit(mock_port(), "0,0");
	sd->sd_sense = &sense;
	sd->sd_private = soft;
	pkt = mock_pkt(sd, NULL, SCMD_TEST_UNIT_READY, 0);
	ck_assert_int_eq(scsi_poll(pkt), 0);
	scsi_destroy_pkt(pkt);
	ck_assert_int_eq(scsi_probe(sd, SLEEP_FUNC), SCSIPROBE_EXISTS);
	ck_assert_ptr_eq(sd->sd_sense, &sense);
	ck_assert_ptr_eq(sd->sd_private, soft);
	mock_stop();
}

SIM_TEST(c18_spi_address_matches_the_node)
{
	struct scsi_device *sd;

	mock.targets = 12;
	mock_set_luns(11, 200);
	(void)mock_start();
	ck_assert_int_eq(scsa_bus_config_all(mock_port()), 201);
	sd = mock_unit(mock_port(), "b,c7");
	ck_assert_uint_eq(sd->sd_address.a_target, 11);
	ck_assert_uint_eq(sd->sd_address.a_lun, 199);
	ck_assert_uint_eq(sd->sd_address.a_sublun, 0);
	ck_assert_ptr_eq(sd->sd_address.a_hba_tran, mock.tran);
	/* above 31 there is no "lun", always a "lun64" */
	ck_assert_int_eq(ddi_prop_exists(DDI_DEV_T_ANY, sd->sd_dev, DDI_PROP_DONTPASS, "lun"), 0);
	ck_assert_int_eq(scsi_device_prop_get_int64(sd, SCSI_DEVICE_PROP_PATH, "lun64", -1), 199);
	mock_stop();
}

SIM_TEST(c23_without_clone_base_fields_stay_null)
{
	(void)mock_start();
	ck_assert_int_eq(scsa_bus_config_all(mock_port()), 1);
	ck_assert_ptr_null(mock.tran->tran_sd);
	ck_assert_ptr_null(mock.tran->tran_tgt_private);
	ck_assert_ptr_eq(mock_unit(mock_port(), "0,0")->sd_address.a_hba_tran, mock.tran);
	mock_stop();
}

SIM_TEST(c83_an_address_exists_once)
{
	dev_info_t *twin;

	(void)mock_start();
	ck_assert_int_eq(scsa_bus_config_all(mock_port()), 1);
	ck_assert_int_eq(devi_alloc(mock_port(), "disk", &twin), 0);
	(void)ddi_prop_update_int(DDI_DEV_T_NONE, twin, "target", 0);
	(void)ddi_prop_update_int(DDI_DEV_T_NONE, twin, "lun", 0);
	(void)devi_set_compatible(twin, (char *[]){ (char *)(uintptr_t)"scsiclass" }, 1);
	ck_assert_int_eq(devi_attach(twin), -ENODEV);
	ck_assert_int_eq(devi_free(twin), 0);
	/* nor does enumeration disturb what is there */
	ck_assert_int_eq(scsa_bus_config_all(mock_port()), 1);
	ck_assert_int_eq(mock_tgt.n_attach, 1);
	mock_stop();
}

SIM_TEST(a_node_without_address_is_not_well_formed)
{
	dev_info_t *dip;

	(void)mock_start();
	ck_assert_int_eq(devi_alloc(mock_port(), "disk", &dip), 0);
	(void)devi_set_compatible(dip, (char *[]){ (char *)(uintptr_t)"scsiclass" }, 1);
	ck_assert_int_eq(devi_attach(dip), -EINVAL);
	(void)ddi_prop_update_int(DDI_DEV_T_NONE, dip, "target", 0);
	(void)ddi_prop_update_int64(DDI_DEV_T_NONE, dip, "lun64", 0x4005000000000000);
	ck_assert_int_eq(devi_attach(dip), -EINVAL);
	ck_assert_int_eq(devi_free(dip), 0);
	mock_stop();
}

SIM_TEST(a_failed_attach_leaves_nothing_and_may_be_repeated)
{
	mock_tgt.fail_attach = 1;
	(void)mock_start();
	ck_assert_int_eq(scsa_bus_config_one(mock_port(), "0,0", NULL), -EIO);
	ck_assert_ptr_null(devi_find(mock_port(), "@0,0"));
	ck_assert_int_eq(mock.n_init, mock.n_free);
	ck_assert_int_eq(scsa_bus_config_one(mock_port(), "0,0", NULL), 0);
	mock_stop();
}

SIM_TEST(a_detached_unit_is_attached_again_by_enumeration)
{
	struct scsi_device *sd;

	mock_set_luns(0, 2);
	(void)mock_start();
	ck_assert_int_eq(scsa_bus_config_all(mock_port()), 2);
	for (int lun = 0; lun < 2; lun++) {
		sd = mock_unit(mock_port(), lun == 0 ? "0,0" : "0,1");
		ck_assert_int_eq(devi_detach(sd->sd_dev, 0), 0);
		ck_assert_int_eq(scsa_bus_config_all(mock_port()), 2);
	}
	ck_assert_int_eq(mock_tgt.n_attach, 4);
	mock_stop();
}

SIM_TEST(a_target_driver_may_refuse_to_detach)
{
	(void)mock_start();
	ck_assert_int_eq(scsa_bus_config_all(mock_port()), 1);
	mock_tgt.refuses_detach = true;
	ck_assert_int_eq(scsa_bus_unconfig_one(mock_port(), "0,0"), -EBUSY);
	ck_assert_int_eq(scsa_bus_unconfig_all(mock_port()), -EBUSY);
	ck_assert_int_eq(devi_detach(mock.dip, 0), -EBUSY);
	mock_tgt.refuses_detach = false;
	ck_assert_int_eq(scsa_bus_unconfig_one(mock_port(), "0,0"), 0);
	ck_assert_int_eq(scsa_bus_unconfig_one(mock_port(), "0,0"), -ENOENT);
	mock_stop();
}

SIM_TEST(driver_names_are_used_when_it_has_them)
{
	mock.has_names = true;
	(void)mock_start();
	ck_assert_int_eq(scsa_bus_config_all(mock_port()), 1);
	ck_assert_str_eq(scsi_device_unit_address(mock_unit(mock_port(), "n0,0")), "n0,0");
	mock_stop();
}

CHECK_MAIN("unit life", one_disk_is_found_and_removed, c7_tgt_init_and_free_may_be_absent,
    c8_refused_addresses_have_no_node_and_no_inquiry, c9_tgt_probe_only_through_scsi_probe,
    c10_c12_probe_is_repeatable_and_unprobe_releases,
    c11_explicit_probe_makes_the_same_traffic,
    c13_c14_c54_init_and_free_see_the_same_device, c15_target_private_is_the_device,
    c17_framework_leaves_target_drivers_fields_alone, c18_spi_address_matches_the_node,
    c23_without_clone_base_fields_stay_null, c83_an_address_exists_once,
    a_node_without_address_is_not_well_formed,
    a_failed_attach_leaves_nothing_and_may_be_repeated,
    a_detached_unit_is_attached_again_by_enumeration,
    a_target_driver_may_refuse_to_detach, driver_names_are_used_when_it_has_them)
