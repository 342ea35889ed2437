/* registering a vector: what it gives, what it refuses, what detach takes back */
#include <string.h>

#include "check_main.h"
#include "scsa/config.h"
#include "tests/scsa/mock_hba.h"

#include "base/fault.h"

static scsi_hba_tran_t *seen_tran;
static dev_info_t *seen_dip;

static int
see_fresh(dev_info_t *dip, scsi_hba_tran_t *unused)
{
	scsi_hba_tran_t *tran = scsi_hba_tran_alloc(dip, SCSI_HBA_CANSLEEP);
	const scsi_hba_tran_t zero = { 0 };

	(void)unused;
	ck_assert_int_eq(tran->tran_interconnect_type, INTERCONNECT_PARALLEL);
	ck_assert_ptr_null(tran->tran_hba_dip);
	ck_assert_ptr_null(tran->tran_hba_private);
	ck_assert_ptr_null(tran->tran_tgt_private);
	ck_assert_ptr_null(tran->tran_sd);
	ck_assert_ptr_null(tran->tran_iport_dip);
	ck_assert_ptr_null(tran->tran_pkt_cache_ptr);
	ck_assert_mem_eq(&tran->tran_tgt_init, &zero.tran_tgt_init,
	    offsetof(scsi_hba_tran_t, tran_hba_flags) - offsetof(scsi_hba_tran_t, tran_tgt_init));
	ck_assert_mem_eq(&tran->tran_dma_attr, &zero.tran_dma_attr, sizeof(zero.tran_dma_attr));
	scsi_hba_tran_free(tran);
	return DDI_SUCCESS;
}

SIM_TEST(c1_vector_is_zeroed)
{
	mock.on_attach = see_fresh;
	(void)mock_start();
	mock_stop();
	scsi_hba_tran_free(NULL);
}

SIM_TEST(c2_vector_without_memory)
{
	fault_arm(1);
	ck_assert_ptr_null(scsi_hba_tran_alloc(NULL, 0));
	fault_disarm();
}

static int
see_before(dev_info_t *dip, scsi_hba_tran_t *tran)
{
	ck_assert_ptr_null(ddi_get_driver_private(dip));
	ck_assert_ptr_null(tran->tran_hba_dip);
	ck_assert_int_eq(scsi_hba_detach(dip), DDI_FAILURE);
	seen_tran = tran;
	seen_dip = dip;
	return DDI_SUCCESS;
}

SIM_TEST(c3_c5_slot_and_dip_are_set)
{
	mock.on_attach = see_before;
	(void)mock_start();
	ck_assert_ptr_eq(ddi_get_driver_private(seen_dip), seen_tran);
	ck_assert_ptr_eq(mock.tran->tran_hba_dip, mock.dip);
	ck_assert_ptr_eq(mock.tran->tran_iport_dip, mock.dip);
	ck_assert_ptr_eq(mock.tran->tran_hba_private, &mock);
	ck_assert_int_eq(mock.tran->tran_dma_attr.dma_attr_sgllen, 64);
	ck_assert_int_eq(mock.tran->tran_hba_flags & SCSI_HBA_TRAN_CDB, SCSI_HBA_TRAN_CDB);
	mock_stop();
}

SIM_TEST(c5_detach_clears)
{
	dev_info_t *dip = mock_start();
	scsi_hba_tran_t *tran = mock.tran;

	ck_assert_int_eq(scsi_hba_detach(dip), DDI_SUCCESS);
	ck_assert_ptr_null(tran->tran_hba_dip);
	ck_assert_ptr_null(ddi_get_driver_private(dip));
	ck_assert_uint_eq(tran->tran_dma_attr.dma_attr_maxxfer, 0);
	ck_assert_int_eq(scsi_hba_detach(dip), DDI_FAILURE);
	/* and again: the same vector may be registered anew */
	ck_assert_int_eq(scsi_hba_attach_setup(dip, &mock.attr, tran, mock.flags), DDI_SUCCESS);
	mock_stop();
}

SIM_TEST(c4_drivers_may_not_set_the_slot)
{
	dev_info_t *dip = mock_start();

	mock_violations();
	ddi_set_driver_private(dip, &mock);
	ck_assert_int_eq(scsa_bus_config_all(dip), 1);
	ck_assert_int_eq(mock_violation_count(), 1);
	ck_assert_str_eq(mock_violation_rule(), "driver-private");
	ddi_set_driver_private(dip, mock.tran);
	mock_stop();
}

SIM_TEST(port_properties_have_defaults)
{
	dev_info_t *dip;
	char *text;

	mock.flags |= SCSI_HBA_ADDR_SPI;
	dip = mock_start();
	ck_assert_int_eq(ddi_prop_get_int(DDI_DEV_T_ANY, dip, 0, "scsi-options", 0),
	    SCSI_OPTIONS_DEFAULT);
	ck_assert_int_eq(ddi_prop_get_int(DDI_DEV_T_ANY, dip, 0, "scsi-reset-delay", 0), 3000);
	ck_assert_int_eq(ddi_prop_get_int(DDI_DEV_T_ANY, dip, 0, "scsi-watchdog-tick", 0), 10);
	ck_assert_int_eq(ddi_prop_get_int(DDI_DEV_T_ANY, dip, 0, "scsi-selection-timeout", 0), 250);
	ck_assert_int_eq(ddi_prop_get_int(DDI_DEV_T_ANY, dip, 0, "scsi-tag-age-limit", 0), 2);
	/* set by the administrator, before attach: kept */
	ck_assert_int_eq(ddi_prop_get_int(DDI_DEV_T_ANY, dip, 0, "scsi-initiator-id", 0), 255);
	ck_assert_int_eq(ddi_prop_lookup_string(DDI_DEV_T_ANY, dip, 0,
	    "initiator-interconnect-type", &text), DDI_PROP_SUCCESS);
	ck_assert_str_eq(text, "SPI");
	ddi_prop_free(text);
	ck_assert_int_eq(ddi_prop_lookup_string(DDI_DEV_T_ANY, dip, 0, "scsi-binding-set", &text),
	    DDI_PROP_SUCCESS);
	ck_assert_str_eq(text, "spi");
	ddi_prop_free(text);
	mock_stop();
}

/* what an attach that must fail does to the vector before the driver's own setup */
static int
unused_bus_addr(struct scsi_device *sd, char *name, int len)
{
	(void)sd;
	(void)name;
	return len;
}

static int
break_get_name(dev_info_t *dip, scsi_hba_tran_t *tran)
{
	(void)dip;
	tran->tran_get_name = NULL;
	tran->tran_get_bus_addr = unused_bus_addr;
	return DDI_SUCCESS;
}

static void
unused_destroy(struct scsi_address *ap, struct scsi_pkt *pkt)
{
	scsi_hba_pkt_free(ap, pkt);
}

static int
break_mixed(dev_info_t *dip, scsi_hba_tran_t *tran)
{
	(void)dip;
	tran->tran_destroy_pkt = unused_destroy;
	return DDI_SUCCESS;
}

static int
break_start(dev_info_t *dip, scsi_hba_tran_t *tran)
{
	(void)dip;
	tran->tran_start = NULL;
	return DDI_SUCCESS;
}

static int
break_packets(dev_info_t *dip, scsi_hba_tran_t *tran)
{
	(void)dip;
	tran->tran_setup_pkt = NULL;
	return DDI_SUCCESS;
}

static int
break_len(dev_info_t *dip, scsi_hba_tran_t *tran)
{
	(void)dip;
	tran->tran_hba_len = -1;
	return DDI_SUCCESS;
}

static int
break_attr(dev_info_t *dip, scsi_hba_tran_t *tran)
{
	ddi_dma_attr_t attr = mock.attr;

	attr.dma_attr_align = 3;
	ck_assert_int_eq(scsi_hba_attach_setup(dip, &attr, tran, 0), DDI_FAILURE);
	return DDI_FAILURE;
}

static int
check_arguments(dev_info_t *dip, scsi_hba_tran_t *tran)
{
	ck_assert_int_eq(scsi_hba_attach_setup(NULL, &mock.attr, tran, 0), DDI_FAILURE);
	ck_assert_int_eq(scsi_hba_attach_setup(dip, NULL, tran, 0), DDI_FAILURE);
	ck_assert_int_eq(scsi_hba_attach_setup(dip, &mock.attr, NULL, 0), DDI_FAILURE);
	/* a node whose driver is no SCSI nexus */
	ck_assert_int_eq(scsi_hba_attach_setup(devi_root(), &mock.attr, tran, 0), DDI_FAILURE);
	ck_assert_ptr_null(ddi_get_driver_private(dip));
	return DDI_SUCCESS;
}

/* attach must fail, leave nothing, and succeed once the cause is gone */
static void
attach_fails(int (*cause)(dev_info_t *, scsi_hba_tran_t *))
{
	static bool is_registered;
	dev_info_t *dip;

	if (!is_registered) {
		(void)mock_start();
		is_registered = true;
	}
	mock.on_attach = cause;
	ck_assert_int_eq(devi_alloc(devi_root(), "mock", &dip), 0);
	ck_assert_int_eq(devi_attach(dip), -EIO);
	ck_assert_ptr_null(ddi_get_driver_private(dip));
	ck_assert_ptr_null(devi_nexus(dip));
	ck_assert_int_eq(devi_free(dip), 0);
}

SIM_TEST(c78_c79_bad_vectors_are_refused)
{
	dev_info_t *dip;

	attach_fails(break_get_name);
	attach_fails(break_mixed);
	attach_fails(break_start);
	attach_fails(break_packets);
	attach_fails(break_len);
	attach_fails(break_attr);
	dip = ddi_get_child(devi_root());
	mock.on_attach = NULL;
	mock.dip = dip;
	mock_stop();
}

SIM_TEST(c79_bad_arguments_are_refused)
{
	mock.on_attach = check_arguments;
	(void)mock_start();
	ck_assert_int_eq(scsi_hba_attach_setup(mock.dip, &mock.attr, mock.tran, 0), DDI_FAILURE);
	mock_stop();
}

SIM_TEST(c80_detach_waits_for_control_sessions)
{
	dev_info_t *dip = mock_start();

	ck_assert_int_eq(scsa_control_open(dip, false), 0);
	ck_assert_int_eq(scsa_control_open(dip, true), -EBUSY);
	ck_assert_int_eq(scsi_hba_detach(dip), DDI_FAILURE);
	ck_assert_int_eq(devi_detach(dip, 0), -EBUSY);
	scsa_control_close(dip);
	ck_assert_int_eq(scsa_control_open(dip, true), 0);
	ck_assert_int_eq(scsa_control_open(dip, false), -EBUSY);
	scsa_control_close(dip);
	ck_assert_int_eq(scsa_control_open(devi_root(), false), -ENODEV);
	mock_stop();
}

SIM_TEST(freeing_a_registered_vector_is_a_violation)
{
	dev_info_t *dip = mock_start();
	scsi_hba_tran_t *tran = mock.tran;

	mock_violations();
	ck_assert_int_eq(scsa_bus_config_all(dip), 1);
	scsi_hba_tran_free(tran);
	ck_assert_str_eq(mock_violation_rule(), "tran-free-registered");
	/* it has children: it was kept */
	ck_assert_ptr_eq(ddi_get_driver_private(dip), tran);
	mock_stop();
}

SIM_TEST(init_needs_a_driver_module)
{
	struct modlinkage empty = { MODREV_1, { NULL } };

	ck_assert_int_eq(scsi_hba_init(NULL), EINVAL);
	ck_assert_int_eq(scsi_hba_init(&empty), EINVAL);
	scsi_hba_fini(&empty);
	ck_assert_int_eq(scsi_hba_in_panic(), 0);
}

CHECK_MAIN("attach setup", c1_vector_is_zeroed, c2_vector_without_memory,
    c3_c5_slot_and_dip_are_set, c5_detach_clears, c4_drivers_may_not_set_the_slot,
    port_properties_have_defaults, c78_c79_bad_vectors_are_refused,
    c79_bad_arguments_are_refused, c80_detach_waits_for_control_sessions,
    freeing_a_registered_vector_is_a_violation, init_needs_a_driver_module)
