/* what is found behind a port: LUN lists, old devices, names and properties of nodes */
#include <stdio.h>
#include <string.h>
#include <sys/sunndi.h>

#include "base/fault.h"
#include "base/log.h"
#include "check_main.h"
#include "scsa/config.h"
#include "tests/scsa/mock_hba.h"

static int
count_with(int luns)
{
	int n;

	mock.targets = 1;
	mock_set_luns(0, luns);
	(void)mock_start();
	n = scsa_bus_config_all(mock.dip);
	return n;
}

SIM_TEST(c57_many_luns)
{
	/* SPI addresses end at LUN 255: the list is longer than the first buffer */
	ck_assert_int_eq(count_with(300), 256);
	(void)mock_unit(mock.dip, "0,ff");
	mock_stop();
}

SIM_TEST(c57_luns_of_a_complex_port)
{
	static uint64_t luns[300];

	mock.flags |= SCSI_HBA_ADDR_COMPLEX;
	mock_set_luns(0, 300);
	for (int i = 0; i < 300; i++)
		luns[i] = (uint64_t)i;
	luns[299] = 0x4005000000000000;
	luns[298] = 0x0102030400000000;
	mock.target[0].luns = luns;
	mock.target[0].wwn = "w1";
	(void)mock_start();
	ck_assert_int_eq(scsa_bus_config_one(mock.dip, "w1,*", NULL), 0);
	(void)mock_unit(mock.dip, "w1,4005000000000000");
	(void)mock_unit(mock.dip, "w1,102030400000000");
	(void)mock_unit(mock.dip, "w1,100");
	ck_assert_int_eq(mock_tgt.n_attach, 300);
	mock_stop();
}

SIM_TEST(c57_empty_list)
{
	/* nothing there that is a unit: LUN 0 answers INQUIRY with type 1Fh */
	ck_assert_int_eq(count_with(0), 0);
	mock_stop();
}

SIM_TEST(c57_list_without_lun_0)
{
	static uint64_t luns[] = { 3, 5 };

	mock.targets = 1;
	mock_set_luns(0, 2);
	mock.target[0].luns = luns;
	(void)mock_start();
	ck_assert_int_eq(scsa_bus_config_all(mock.dip), 2);
	(void)mock_unit(mock.dip, "0,3");
	ck_assert_ptr_null(devi_find(mock.dip, "@0,0"));
	/* LUN 0 is asked again, as it has no node */
	luns[1] = 7;
	ck_assert_int_eq(scsa_bus_config_all(mock.dip), 3);
	mock_stop();
}

SIM_TEST(c57_report_luns_refused)
{
	mock.target[0].has_no_report = true;
	ck_assert_int_eq(count_with(12), 12);
	mock_stop();
}

SIM_TEST(c57_old_devices_are_tried_lun_by_lun)
{
	static const struct {
		int ansi, options, want;
	} rows[] = {
		{ 0, SCSI_OPTIONS_DEFAULT, 8 }, { 1, SCSI_OPTIONS_DEFAULT, 8 },
		{ 1, SCSI_OPTIONS_DEFAULT | SCSI_OPTIONS_NLUNS_256, 8 },
		{ 2, SCSI_OPTIONS_DEFAULT, 8 }, { 3, SCSI_OPTIONS_DEFAULT, 16 },
		{ 6, SCSI_OPTIONS_DEFAULT | SCSI_OPTIONS_NLUNS_1, 1 },
		{ 2, SCSI_OPTIONS_DEFAULT | SCSI_OPTIONS_NLUNS_32, 20 },
	};

	mock.targets = 1;
	mock_set_luns(0, 20);
	mock.target[0].has_no_report = true;
	(void)mock_start();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		mock.target[0].ansi = rows[i].ansi;
		(void)ddi_prop_update_int(DDI_DEV_T_NONE, mock.dip, "scsi-options",
		    rows[i].options);
		ck_assert_int_eq(scsa_bus_config_all(mock.dip), rows[i].want);
		ck_assert_int_eq(scsa_bus_unconfig_all(mock.dip), 0);
	}
	mock_stop();
}

SIM_TEST(an_hba_with_short_cdbs_finds_luns_one_by_one)
{
	mock.caps[SCSI_CAP_CDB_LEN] = 10;
	ck_assert_int_eq(count_with(4), 4);
	mock_stop();
}

SIM_TEST(initiator_and_disabled_ports_are_skipped)
{
	mock_set_luns(1, 1);
	mock_set_luns(2, 1);
	(void)mock_start();
	(void)ddi_prop_update_int(DDI_DEV_T_NONE, mock.dip, "scsi-initiator-id", 1);
	ck_assert_int_eq(scsa_bus_config_all(mock.dip), 2);
	ck_assert_ptr_null(devi_find(mock.dip, "@1,0"));
	ck_assert_int_eq(scsa_bus_unconfig_all(mock.dip), 0);
	(void)ddi_prop_update_int(DDI_DEV_T_NONE, mock.dip, "scsi-enumeration", 0);
	ck_assert_int_eq(scsa_bus_config_all(mock.dip), 0);
	ck_assert_int_eq(scsa_bus_config_one(mock.dip, "2,0", NULL), 0);
	mock_stop();
}

SIM_TEST(config_one_looks_at_lun_0_first)
{
	dev_info_t *dip = NULL;

	mock_set_luns(0, 6);
	(void)mock_start();
	ck_assert_int_eq(scsa_bus_config_one(mock.dip, "0,5", &dip), 0);
	ck_assert_str_eq(ddi_get_name_addr(dip), "0,5");
	(void)mock_unit(mock.dip, "0,0");
	ck_assert_int_eq(mock_tgt.n_attach, 2);
	ck_assert_int_eq(scsa_bus_config_one(mock.dip, "0,9", &dip), -ENXIO);
	ck_assert_int_eq(scsa_bus_config_one(mock.dip, "1,0", &dip), -ENXIO);
	ck_assert_int_eq(scsa_bus_config_one(devi_root(), "1,0", &dip), -ENODEV);
	ck_assert_int_eq(scsa_bus_config_one(NULL, "1,0", &dip), -ENODEV);
	ck_assert_str_eq(ddi_get_name_addr(dip), "0,5");
	/* again: it is there */
	ck_assert_int_eq(scsa_bus_config_one(mock.dip, "0,5", &dip), 0);
	ck_assert_int_eq(mock_tgt.n_attach, 2);
	mock_stop();
}

SIM_TEST(new_luns_are_found_without_disturbing_others)
{
	struct scsi_device *sd;
	int inits;

	ck_assert_int_eq(count_with(2), 2);
	sd = mock_unit(mock.dip, "0,0");
	inits = mock.n_init;
	mock_set_luns(0, 3);
	ck_assert_int_eq(scsa_bus_config_one(mock.dip, "0,*", NULL), 0);
	/* probe node and node of the new one */
	ck_assert_int_eq(mock.n_init, inits + 2);
	ck_assert_ptr_eq(mock_unit(mock.dip, "0,0"), sd);
	(void)mock_unit(mock.dip, "0,2");
	mock_stop();
}

SIM_TEST(an_enclosure_function_gets_its_own_node)
{
	struct scsi_device *sd;

	mock.target[0].has_encserv = true;
	ck_assert_int_eq(count_with(1), 2);
	sd = mock_unit(mock.dip, "0,0,d");
	ck_assert_str_eq(ddi_node_name(sd->sd_dev), "enclosure");
	ck_assert_uint_eq(sd->sd_address.a_sublun, 0xe);
	ck_assert_int_eq(ddi_prop_get_int(DDI_DEV_T_ANY, sd->sd_dev, 0, "sfunc", -1), 0xd);
	mock_stop();
}

static void
check_string(dev_info_t *dip, const char *name, const char *want)
{
	char *text = NULL;

	ck_assert_msg(ddi_prop_lookup_string(DDI_DEV_T_ANY, dip, DDI_PROP_DONTPASS, name,
	    &text) == DDI_PROP_SUCCESS, "%s", name);
	ck_assert_str_eq(text, want);
	ddi_prop_free(text);
}

SIM_TEST(nodes_tell_what_they_are)
{
	struct scsi_device *sd;
	uchar_t *page;
	char **compatible;
	uint_t n;

	ck_assert_int_eq(count_with(1), 1);
	sd = mock_unit(mock.dip, "0,0");
	check_string(sd->sd_dev, "class", "scsi");
	check_string(sd->sd_dev, "inquiry-vendor-id", "MOCK");
	check_string(sd->sd_dev, "inquiry-product-id", "SIMULATED DISK");
	check_string(sd->sd_dev, "inquiry-revision-id", "0001");
	ck_assert_int_eq(scsi_device_prop_get_int(sd, SCSI_DEVICE_PROP_PATH,
	    (char *)(uintptr_t)"inquiry-device-type", -1), 0);
	ck_assert_int_eq(scsi_device_prop_lookup_byte_array(sd, SCSI_DEVICE_PROP_PATH,
	    (char *)(uintptr_t)"inquiry-page-80", &page, &n), DDI_PROP_SUCCESS);
	ck_assert_uint_eq(n, 12);
	ck_assert_mem_eq(page + 4, "SER00000", 8);
	scsi_device_prop_free(sd, SCSI_DEVICE_PROP_PATH, page);
	ck_assert_int_eq(scsi_device_prop_lookup_byte_array(sd, SCSI_DEVICE_PROP_PATH,
	    (char *)(uintptr_t)"inquiry-page-83", &page, &n), DDI_PROP_SUCCESS);
	ck_assert_uint_eq(n, 16);
	scsi_device_prop_free(sd, SCSI_DEVICE_PROP_PATH, page);
	ck_assert_int_eq(ddi_prop_lookup_string_array(DDI_DEV_T_ANY, sd->sd_dev,
	    DDI_PROP_DONTPASS, "compatible", &compatible, &n), DDI_PROP_SUCCESS);
	ck_assert_str_eq(compatible[0], "scsiclass,00.vMOCK.pSIMULATED_DISK.r0001");
	ck_assert_str_eq(compatible[n - 1], "scsiclass");
	ck_assert_str_eq(compatible[n - 2], "scsiclass,00");
	ddi_prop_free(compatible);
	mock_stop();
}

SIM_TEST(devices_without_vpd_or_with_old_versions_have_no_pages)
{
	struct scsi_device *sd;

	mock.target[0].has_no_vpd = true;
	ck_assert_int_eq(count_with(1), 1);
	sd = mock_unit(mock.dip, "0,0");
	ck_assert_int_eq(ddi_prop_exists(DDI_DEV_T_ANY, sd->sd_dev, DDI_PROP_DONTPASS,
	    "inquiry-page-80"), 0);
	mock_stop();
}

SIM_TEST(device_properties_can_be_set_and_removed)
{
	struct scsi_device *sd;
	char *name = (char *)(uintptr_t)"p", *text;
	uchar_t bytes[2] = { 1, 2 };

	ck_assert_int_eq(count_with(1), 1);
	sd = mock_unit(mock.dip, "0,0");
	ck_assert_int_eq(scsi_device_prop_update_int(sd, 1, name, 4), DDI_PROP_SUCCESS);
	ck_assert_int_eq(scsi_device_prop_get_int(sd, 1, name, 0), 4);
	ck_assert_int_eq(scsi_device_prop_update_int64(sd, 1, name, 5), DDI_PROP_SUCCESS);
	ck_assert_int_eq(scsi_device_prop_get_int64(sd, 1, name, 0), 5);
	ck_assert_int_eq(scsi_device_prop_update_string(sd, 1, name, name), DDI_PROP_SUCCESS);
	ck_assert_int_eq(scsi_device_prop_lookup_string(sd, 1, name, &text), DDI_PROP_SUCCESS);
	ck_assert_str_eq(text, "p");
	scsi_device_prop_free(sd, 1, text);
	ck_assert_int_eq(scsi_device_prop_update_byte_array(sd, 1, name, bytes, 2),
	    DDI_PROP_SUCCESS);
	ck_assert_int_eq(scsi_device_prop_remove(sd, 1, name), DDI_PROP_SUCCESS);
	ck_assert_int_eq(scsi_device_prop_get_int(sd, 1, name, -7), -7);
	mock_stop();
}

/* the driver enumerates by itself: one unit, at address 5,0 */
static int n_config, n_unconfig;
static ddi_bus_config_op_t last_op;
static char last_arg[32];

static int
own_unit_make(dev_info_t *parent, dev_info_t **childp)
{
	char *const compatible[] = { (char *)(uintptr_t)"scsiclass" };
	dev_info_t *child = ndi_devi_find(parent, "disk", "5,0");

	if (child == NULL) {
		ndi_devi_alloc_sleep(parent, "disk", DEVI_SID_NODEID, &child);
		(void)ndi_prop_update_string(DDI_DEV_T_NONE, child, "target-port", "5");
		(void)ndi_prop_update_int64(DDI_DEV_T_NONE, child, "lun64", 0);
		(void)ndi_prop_update_string_array(DDI_DEV_T_NONE, child, "compatible",
		    compatible, 1);
	}
	if (ndi_devi_online(child, 0) != NDI_SUCCESS) {
		(void)ndi_devi_free(child);
		return DDI_FAILURE;
	}
	*childp = child;
	return DDI_SUCCESS;
}

static int
own_config(dev_info_t *parent, uint_t flags, ddi_bus_config_op_t op, void *arg,
    dev_info_t **childp)
{
	(void)flags;
	ck_assert_ptr_nonnull(childp);
	n_config++;
	last_op = op;
	(void)snprintf(last_arg, sizeof(last_arg), "%s", arg == NULL ? "" : (const char *)arg);
	if (op == BUS_CONFIG_ONE && strcmp(strchr(arg, '@'), "@5,0") != 0)
		return DDI_FAILURE;
	return own_unit_make(parent, childp);
}

static int
own_unconfig(dev_info_t *parent, uint_t flags, ddi_bus_config_op_t op, void *arg)
{
	dev_info_t *child = ndi_devi_find(parent, "disk", "5,0");

	(void)flags;
	n_unconfig++;
	last_op = op;
	(void)snprintf(last_arg, sizeof(last_arg), "%s", arg == NULL ? "" : (const char *)arg);
	if (child == NULL)
		return DDI_SUCCESS;
	return ndi_devi_offline(child, NDI_DEVI_REMOVE) == NDI_SUCCESS ? DDI_SUCCESS :
	    DDI_FAILURE;
}

static int
set_own_config(dev_info_t *dip, scsi_hba_tran_t *tran)
{
	(void)dip;
	tran->tran_bus_config = own_config;
	tran->tran_bus_unconfig = own_unconfig;
	return DDI_SUCCESS;
}

static void
six_targets(void)
{
	mock.targets = 6;
	for (int i = 0; i < 6; i++)
		mock_set_luns(i, 1);
}

static void
last_was(ddi_bus_config_op_t op, const char *arg)
{
	ck_assert_int_eq(last_op, op);
	ck_assert_str_eq(last_arg, arg);
}

SIM_TEST(a_driver_may_enumerate_by_itself)
{
	dev_info_t *dip = NULL;

	six_targets();
	mock.on_attach = set_own_config;
	(void)mock_start();
	/* the framework would have found six */
	ck_assert_int_eq(scsa_bus_config_all(mock.dip), 1);
	last_was(BUS_CONFIG_ALL, "");
	ck_assert_int_eq(scsa_bus_config_one(mock.dip, "0,0", NULL), -ENXIO);
	ck_assert_int_eq(scsa_bus_config_one(mock.dip, "5,0", &dip), 0);
	last_was(BUS_CONFIG_ONE, "@5,0");
	ck_assert_str_eq(ddi_get_name_addr(dip), "5,0");
	ck_assert_int_eq(n_config, 3);
	ck_assert_int_eq(scsa_bus_unconfig_one(mock.dip, "4,0"), -ENOENT);
	ck_assert_int_eq(n_unconfig, 0);
	ck_assert(devi_hold(dip));
	ck_assert_int_eq(scsa_bus_unconfig_one(mock.dip, "5,0"), -EBUSY);
	ck_assert_int_eq(scsa_bus_unconfig_all(mock.dip), -EBUSY);
	devi_release(dip);
	ck_assert_int_eq(scsa_bus_unconfig_one(mock.dip, "5,0"), 0);
	last_was(BUS_UNCONFIG_ONE, "@5,0");
	ck_assert_ptr_null(ddi_get_child(mock.dip));
	ck_assert_int_eq(scsa_bus_unconfig_all(mock.dip), 0);
	last_was(BUS_UNCONFIG_ALL, "");
	mock_stop();
}

SIM_TEST(the_tree_asks_the_driver_itself)
{
	dev_info_t *dip = NULL;

	six_targets();
	mock.on_attach = set_own_config;
	(void)mock_start();
	ck_assert_int_eq(devi_config(mock.dip, BUS_CONFIG_ONE, (char *)(uintptr_t)"disk@5,0",
	    &dip), 0);
	last_was(BUS_CONFIG_ONE, "disk@5,0");
	ck_assert_str_eq(ddi_get_name_addr(dip), "5,0");
	devi_release(dip);
	ck_assert_int_eq(devi_config(mock.dip, BUS_CONFIG_DRIVER, NULL, NULL), 0);
	last_was(BUS_CONFIG_DRIVER, "");
	ck_assert_int_eq(devi_unconfig(mock.dip, BUS_UNCONFIG_DRIVER, NULL), 0);
	last_was(BUS_UNCONFIG_DRIVER, "");
	ck_assert_ptr_null(ddi_get_child(mock.dip));
	mock_stop();
}

/* of an HBA, too: then nobody else makes iports */
SIM_TEST(a_driver_may_make_its_iports_itself)
{
	mock.flags |= SCSI_HBA_HBA;
	mock.iports[0] = "iport0";
	mock.on_attach = set_own_config;
	(void)mock_start();
	ck_assert_int_eq(scsa_bus_config_one(mock.dip, "iport0", NULL), -ENXIO);
	last_was(BUS_CONFIG_ONE, "@iport0");
	/* its child has no name of an iport: that is none */
	ck_assert_int_eq(scsa_bus_config_all(mock.dip), -EIO);
	ck_assert_int_eq(scsa_bus_unconfig_all(mock.dip), 0);
	ck_assert_int_eq(n_config, 2);
	ck_assert_int_eq(n_unconfig, 1);
	mock_stop();
}

/* the log says where a unit is, in the driver's words if it has any */
static char reports[512];

static void
keep_report(enum log_level level, const char *line, void *arg)
{
	size_t len = strlen(reports);

	(void)arg;
	if (level == LOG_LEVEL_INFO)
		(void)snprintf(reports + len, sizeof(reports) - len, "%s|", line);
}

SIM_TEST(units_are_reported_with_their_bus_address)
{
	log_set_sink(keep_report, NULL);
	log_set_level(LOG_LEVEL_INFO);
	six_targets();
	mock.has_names = true;
	(void)mock_start();
	ck_assert_int_eq(scsa_bus_config_all(mock.dip), 6);
	ck_assert_ptr_nonnull(strstr(reports, " at mock0: bus 0|"));
	ck_assert_ptr_nonnull(strstr(reports, " at mock0: bus 5|"));
	mock_stop();
}

SIM_TEST(the_tree_asks_through_bus_ops)
{
	dev_info_t *dip = NULL;

	mock_set_luns(0, 2);
	(void)mock_start();
	ck_assert_int_eq(devi_config(mock.dip, BUS_CONFIG_ONE, (char *)(uintptr_t)"disk@0,1", &dip),
	    0);
	ck_assert_str_eq(ddi_get_name_addr(dip), "0,1");
	ck_assert_int_eq(devi_unconfig(mock.dip, BUS_UNCONFIG_ONE, (char *)(uintptr_t)"disk@0,1"),
	    -EIO);
	devi_release(dip);
	ck_assert_int_eq(devi_unconfig(mock.dip, BUS_UNCONFIG_ONE, (char *)(uintptr_t)"disk@0,1"),
	    0);
	ck_assert_int_eq(devi_config(mock.dip, BUS_CONFIG_ALL, NULL, NULL), 0);
	ck_assert_int_eq(devi_config(mock.dip, BUS_CONFIG_ONE, (char *)(uintptr_t)"disk@7,0", NULL),
	    -EIO);
	ck_assert_int_eq(devi_unconfig(mock.dip, BUS_UNCONFIG_ALL, NULL), 0);
	mock_stop();
}

/* each allocation of an enumeration fails once: nothing is left half made */
SIM_TEST(enumeration_survives_lack_of_memory)
{
	mock.targets = 1;
	mock_set_luns(0, 2);
	mock.target[0].has_encserv = true;
	(void)mock_start();
	for (int64_t n = 1; n < 400; n++) {
		fault_arm(n);
		ck_assert_int_le(scsa_bus_config_all(mock.dip), 3);
		if (!fault_disarm())
			break;
		ck_assert_int_eq(scsa_bus_config_all(mock.dip), 3);
		ck_assert_int_eq(scsa_bus_unconfig_all(mock.dip), 0);
		ck_assert_int_eq(mock.n_init, mock.n_free);
	}
	mock_stop();
}

CHECK_MAIN("enumeration", c57_many_luns, c57_luns_of_a_complex_port, c57_empty_list,
    c57_list_without_lun_0, c57_report_luns_refused, c57_old_devices_are_tried_lun_by_lun,
    an_hba_with_short_cdbs_finds_luns_one_by_one, initiator_and_disabled_ports_are_skipped,
    config_one_looks_at_lun_0_first, new_luns_are_found_without_disturbing_others,
    an_enclosure_function_gets_its_own_node, nodes_tell_what_they_are,
    devices_without_vpd_or_with_old_versions_have_no_pages,
    device_properties_can_be_set_and_removed, a_driver_may_enumerate_by_itself,
    the_tree_asks_the_driver_itself, a_driver_may_make_its_iports_itself,
    units_are_reported_with_their_bus_address, the_tree_asks_through_bus_ops,
    enumeration_survives_lack_of_memory)
