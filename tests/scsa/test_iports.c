/* static initiator ports: the same driver, attached again, with a vector of its own */
#include <stdio.h>
#include <string.h>
#include <sys/sunndi.h>

#include "check_main.h"
#include "scsa/config.h"
#include "tests/scsa/mock_hba.h"

static int
cap_virtual(struct scsi_address *ap, char *cap, int whom)
{
	(void)ap;
	(void)whom;
	return strcmp(cap, "interconnect-type") == 0 ? INTERCONNECT_SAS : 1;
}

static void
iport_checks(dev_info_t *dip, scsi_hba_tran_t *tran)
{
	/* C6, C34, C35, O15: all is there when attach is entered */
	ck_assert_ptr_nonnull(scsi_hba_iport_unit_address(dip));
	ck_assert_ptr_null(scsi_hba_iport_unit_address(ddi_get_parent(dip)));
	ck_assert_ptr_eq(ddi_get_parent(dip), mock.dip);
	ck_assert_ptr_eq(tran->tran_iport_dip, dip);
	ck_assert_ptr_eq(tran->tran_hba_dip, mock.dip);
	ck_assert_ptr_null(mock.tran->tran_iport_dip);
	ck_assert_int_eq(tran->tran_hba_flags & SCSI_HBA_HBA, 0);
	ck_assert_int_ne(mock.tran->tran_hba_flags & SCSI_HBA_HBA, 0);
	ck_assert_int_eq(tran->tran_open_flag, 0);
	ck_assert_uint_eq(tran->tran_dma_attr.dma_attr_granular, 512);
	if (strcmp(scsi_hba_iport_unit_address(dip), "v0") == 0)
		tran->tran_getcap = cap_virtual;
}

static void
two_ports(void)
{
	mock.flags |= SCSI_HBA_HBA;
	mock.iports[0] = "iport0";
	mock.iports[1] = "v0";
	mock.on_iport = iport_checks;
	mock.targets = 2;
}

SIM_TEST(c34_c35_c36_ports_have_their_own_vectors)
{
	struct scsi_device *a, *b;
	char *text, *cap = (char *)(uintptr_t)"interconnect-type";

	two_ports();
	(void)mock_start();
	ck_assert_int_eq(mock.n_iports_attached, 0);
	ck_assert_int_ne(scsi_hba_iport_exist(mock.dip), 0);
	ck_assert_int_eq(scsa_bus_config_all(mock.dip), 2);
	ck_assert_int_eq(mock.n_iports_attached, 2);
	ck_assert_ptr_ne(mock.iport_tran[0], mock.iport_tran[1]);
	a = mock_unit(mock.iport_dip[0], "0,0");
	b = mock_unit(mock.iport_dip[1], "0,0");
	ck_assert_ptr_eq(a->sd_address.a_hba_tran, mock.iport_tran[0]);
	ck_assert_ptr_eq(b->sd_address.a_hba_tran, mock.iport_tran[1]);
	ck_assert_int_eq(scsi_ifgetcap(&a->sd_address, cap, 1), 0);
	ck_assert_int_eq(scsi_ifgetcap(&b->sd_address, cap, 1), INTERCONNECT_SAS);
	ck_assert_ptr_eq(scsi_hba_iport_find(mock.dip, (char *)(uintptr_t)"v0"),
	    mock.iport_dip[1]);
	ck_assert_ptr_null(scsi_hba_iport_find(mock.dip, (char *)(uintptr_t)"v1"));
	ck_assert_ptr_null(scsi_hba_iport_find(mock.iport_dip[0], (char *)(uintptr_t)"v0"));
	ck_assert_int_eq(ddi_prop_lookup_string(DDI_DEV_T_ANY, mock.iport_dip[0],
	    DDI_PROP_DONTPASS, "scsi-iport", &text), DDI_PROP_SUCCESS);
	ck_assert_str_eq(text, "iport0");
	ddi_prop_free(text);
	/* instance numbers are the driver's: the iports' are not the HBA's */
	ck_assert_int_ne(ddi_get_instance(mock.iport_dip[0]), ddi_get_instance(mock.dip));
	ck_assert_int_eq(scsi_hba_attach_setup(mock.iport_dip[0], &mock.attr, mock.tran, 0),
	    DDI_FAILURE);
	mock_stop();
	ck_assert_int_eq(mock.n_iports_attached, 0);
}

static int saw_type;

static void
iport_of_another_type(dev_info_t *dip, scsi_hba_tran_t *tran)
{
	saw_type = tran->tran_interconnect_type;
	if (strcmp(scsi_hba_iport_unit_address(dip), "v0") == 0)
		tran->tran_interconnect_type = INTERCONNECT_SAS;
}

static void
type_is(dev_info_t *dip, const char *want)
{
	char *text;

	ck_assert_int_eq(ddi_prop_lookup_string(DDI_DEV_T_ANY, dip, DDI_PROP_DONTPASS,
	    "initiator-interconnect-type", &text), DDI_PROP_SUCCESS);
	ck_assert_str_eq(text, want);
	ddi_prop_free(text);
}

SIM_TEST(the_type_of_a_port_is_what_its_attach_says)
{
	two_ports();
	mock.on_iport = iport_of_another_type;
	(void)mock_start();
	ck_assert_int_eq(scsa_bus_config_all(mock.dip), 2);
	type_is(mock.iport_dip[0], "SPI");
	type_is(mock.iport_dip[1], "SAS");
	/* and again: the property of the first time is not taken for the administrator's */
	ck_assert_int_eq(scsa_bus_unconfig_all(mock.iport_dip[1]), 0);
	ck_assert_int_eq(devi_detach(mock.iport_dip[1], 0), 0);
	ck_assert(!ddi_prop_exists(DDI_DEV_T_ANY, mock.iport_dip[1], DDI_PROP_DONTPASS,
	    "initiator-interconnect-type"));
	ck_assert_int_eq(ndi_prop_update_string(DDI_DEV_T_NONE, mock.iport_dip[1],
	    "initiator-interconnect-type", "FABRIC"), DDI_PROP_SUCCESS);
	ck_assert_int_eq(scsa_bus_config_all(mock.dip), 2);
	ck_assert_int_eq(saw_type, INTERCONNECT_PARALLEL);
	type_is(scsi_hba_iport_find(mock.dip, (char *)(uintptr_t)"v0"), "FABRIC");
	mock_stop();
}

SIM_TEST(c37_registration_has_limits)
{
	static char names[40][16];
	char **list;
	uint_t n;

	mock.flags |= SCSI_HBA_HBA;
	(void)mock_start();
	ck_assert_int_eq(scsi_hba_iport_exist(mock.dip), 0);
	for (int i = 0; i < 32; i++) {
		(void)snprintf(names[i], sizeof(names[i]), "p%d", i);
		ck_assert_int_eq(scsi_hba_iport_register(mock.dip, names[i]), DDI_SUCCESS);
		ck_assert_int_eq(scsi_hba_iport_register(mock.dip, names[i]), DDI_SUCCESS);
	}
	ck_assert_int_eq(scsi_hba_iport_register(mock.dip, names[31]), DDI_SUCCESS);
	ck_assert_int_eq(scsi_hba_iport_register(mock.dip, (char *)(uintptr_t)"p32"),
	    DDI_FAILURE);
	ck_assert_int_eq(scsi_hba_iport_register(mock.dip, NULL), DDI_FAILURE);
	ck_assert_int_eq(scsi_hba_iport_register(mock.dip, (char *)(uintptr_t)""), DDI_FAILURE);
	ck_assert_int_eq(scsi_hba_iport_register(NULL, names[0]), DDI_FAILURE);
	ck_assert_int_eq(ddi_prop_lookup_string_array(DDI_DEV_T_ANY, mock.dip, DDI_PROP_DONTPASS,
	    "scsi-iports", &list, &n), DDI_PROP_SUCCESS);
	ck_assert_uint_eq(n, 32);
	ddi_prop_free(list);
	/* nodes come with configuration, and only for what is registered */
	ck_assert_int_eq(scsa_bus_config_one(mock.dip, "nope", NULL), -ENXIO);
	ck_assert_int_eq(scsa_bus_config_one(mock.dip, "p7", NULL), 0);
	ck_assert_int_eq(mock.n_iports_attached, 1);
	ck_assert_int_eq(scsa_bus_config_one(mock.dip, "p7", NULL), 0);
	ck_assert_int_eq(mock.n_iports_attached, 1);
	mock_stop();
}

SIM_TEST(a_port_of_a_classic_hba_cannot_register_iports)
{
	(void)mock_start();
	ck_assert_int_eq(scsi_hba_iport_register(mock.dip, (char *)(uintptr_t)"iport0"),
	    DDI_FAILURE);
	ck_assert_int_eq(scsi_hba_iport_exist(mock.dip), 0);
	mock_stop();
}

SIM_TEST(o13_an_hba_with_iports_stays)
{
	two_ports();
	(void)mock_start();
	ck_assert_int_eq(scsa_bus_config_all(mock.dip), 2);
	ck_assert_int_eq(devi_detach(mock.dip, 0), -EBUSY);
	mock_tgt.refuses_detach = true;
	ck_assert_int_eq(scsa_bus_unconfig_all(mock.dip), -EBUSY);
	ck_assert_int_eq(mock.n_iports_attached, 2);
	mock_tgt.refuses_detach = false;
	ck_assert_int_eq(scsa_bus_unconfig_all(mock.dip), 0);
	ck_assert_int_eq(mock.n_iports_attached, 0);
	/* and come again */
	ck_assert_int_eq(scsa_bus_config_all(mock.dip), 2);
	mock_stop();
}

SIM_TEST(the_tree_can_be_taken_down_from_the_top)
{
	two_ports();
	(void)mock_start();
	ck_assert_int_eq(scsa_bus_config_all(mock.dip), 2);
	ck_assert_int_eq(devi_detach(mock.dip, DEVI_DETACH_CHILDREN), 0);
	ck_assert_int_eq(mock_tgt.n_detach, 2);
	ck_assert_int_eq(devi_attach(mock.dip), 0);
	mock_stop();
}

static dev_info_t *failing;

static int
attach_not(dev_info_t *dip, scsi_hba_tran_t *tran)
{
	(void)tran;
	failing = dip;
	return DDI_FAILURE;
}

SIM_TEST(an_hba_whose_attach_fails_leaves_nothing)
{
	dev_info_t *dip;

	two_ports();
	(void)mock_start();
	mock.on_attach = attach_not;
	ck_assert_int_eq(devi_alloc(devi_root(), "mock", &dip), 0);
	ck_assert_int_eq(devi_attach(dip), -EIO);
	ck_assert_ptr_eq(failing, dip);
	ck_assert_int_eq(scsa_bus_config_all(dip), -ENODEV);
	ck_assert_int_eq(scsa_bus_config_one(dip, "0,0", NULL), -ENODEV);
	ck_assert_int_eq(scsa_bus_unconfig_all(dip), 0);
	ck_assert_int_eq(devi_free(dip), 0);
	mock.on_attach = NULL;
	mock.dip = ddi_get_child(devi_root());
	mock_stop();
}

CHECK_MAIN("iports", c34_c35_c36_ports_have_their_own_vectors,
    the_type_of_a_port_is_what_its_attach_says, c37_registration_has_limits,
    a_port_of_a_classic_hba_cannot_register_iports, o13_an_hba_with_iports_stays,
    the_tree_can_be_taken_down_from_the_top, an_hba_whose_attach_fails_leaves_nothing)
