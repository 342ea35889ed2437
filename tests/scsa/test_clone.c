/* one vector for each unit: who sees which */
#include <string.h>

#include "check_main.h"
#include "scsa/config.h"
#include "tests/scsa/mock_hba.h"

static int live_private;

static void
clone_init(dev_info_t *hba, dev_info_t *tgt, scsi_hba_tran_t *tran, struct scsi_device *sd)
{
	scsi_hba_tran_t *base = ddi_get_driver_private(hba);
	scsi_hba_tran_t copy = *tran;

	(void)tgt;
	/* 4, 5: byte for byte the base vector, but for the device */
	ck_assert_ptr_ne(tran, base);
	ck_assert_ptr_eq(tran->tran_sd, sd);
	ck_assert_ptr_null(tran->tran_tgt_private);
	copy.tran_sd = NULL;
	ck_assert_mem_eq(&copy, base, sizeof(copy));
	ck_assert_ptr_eq(sd->sd_address.a_hba_tran, tran);
	tran->tran_tgt_private = kmem_alloc(sizeof(int), KM_SLEEP);
	*(int *)tran->tran_tgt_private = MOCK_PRIVATE + sd->sd_address.a_lun;
	live_private++;
}

static void
clone_free(scsi_hba_tran_t *tran, struct scsi_device *sd)
{
	ck_assert_ptr_eq(tran, sd->sd_address.a_hba_tran);
	ck_assert_ptr_eq(tran->tran_sd, sd);
	kmem_free(tran->tran_tgt_private, sizeof(int));
	live_private--;
}

static void
clone_start(struct scsi_address *ap, struct scsi_pkt *pkt)
{
	/* 6: every packet leads to its own unit's state */
	ck_assert_ptr_eq(ap->a_hba_tran, pkt->pkt_address.a_hba_tran);
	ck_assert_int_eq(*(int *)ap->a_hba_tran->tran_tgt_private, MOCK_PRIVATE + ap->a_lun);
	ck_assert_uint_eq(ap->a_hba_tran->tran_sd->sd_address.a_lun, ap->a_lun);
}

static void
clone_setup(void)
{
	mock.flags |= SCSI_HBA_TRAN_CLONE;
	mock.on_tgt_init = clone_init;
	mock.on_tgt_free = clone_free;
	mock.on_start = clone_start;
	mock_set_luns(0, 2);
}

SIM_TEST(c20_c22_units_have_their_own_vectors)
{
	struct scsi_device *d0, *d1;
	scsi_hba_tran_t *base;
	struct scsi_pkt *pkt;

	clone_setup();
	(void)mock_start();
	ck_assert_int_eq(scsa_bus_config_all(mock_port()), 2);
	base = mock.tran;
	d0 = mock_unit(mock_port(), "0,0");
	d1 = mock_unit(mock_port(), "0,1");
	ck_assert_ptr_ne(d0->sd_address.a_hba_tran, base);
	ck_assert_ptr_ne(d1->sd_address.a_hba_tran, base);
	ck_assert_ptr_ne(d0->sd_address.a_hba_tran, d1->sd_address.a_hba_tran);
	ck_assert_ptr_eq(d0->sd_address.a_hba_tran->tran_sd, d0);
	ck_assert_ptr_eq(d0->sd_address.a_hba_tran->tran_hba_private, &mock);
	ck_assert_ptr_eq(d0->sd_address.a_hba_tran->tran_hba_dip, mock.dip);
	ck_assert_ptr_null(base->tran_sd);
	ck_assert_ptr_null(base->tran_tgt_private);
	ck_assert_int_eq(live_private, 2);
	pkt = mock_pkt(d1, NULL, SCMD_TEST_UNIT_READY, 0);
	ck_assert_ptr_eq(pkt->pkt_address.a_hba_tran, d1->sd_address.a_hba_tran);
	ck_assert_int_eq(scsi_poll(pkt), 0);
	scsi_destroy_pkt(pkt);
	mock_stop();
	ck_assert_int_eq(live_private, 0);
}

SIM_TEST(c20_control_calls_arrive_with_the_clone)
{
	struct scsi_device *d1;

	clone_setup();
	(void)mock_start();
	ck_assert_int_eq(scsa_bus_config_all(mock_port()), 2);
	d1 = mock_unit(mock_port(), "0,1");
	(void)scsi_ifgetcap(&d1->sd_address, (char *)(uintptr_t)"disconnect", 1);
	ck_assert_ptr_eq(mock.last_ap_tran, d1->sd_address.a_hba_tran);
	mock.last_ap_tran = NULL;
	(void)scsi_ifsetcap(&d1->sd_address, (char *)(uintptr_t)"disconnect", 1, 1);
	ck_assert_ptr_eq(mock.last_ap_tran, d1->sd_address.a_hba_tran);
	mock.last_ap_tran = NULL;
	(void)scsi_abort(&d1->sd_address, NULL);
	ck_assert_ptr_eq(mock.last_ap_tran, d1->sd_address.a_hba_tran);
	mock.last_ap_tran = NULL;
	(void)scsi_reset(&d1->sd_address, RESET_TARGET);
	ck_assert_ptr_eq(mock.last_ap_tran, d1->sd_address.a_hba_tran);
	mock_stop();
}

static int
other_getcap(struct scsi_address *ap, char *cap, int whom)
{
	(void)ap;
	(void)cap;
	(void)whom;
	return 42;
}

SIM_TEST(c20_changes_of_the_base_reach_later_units_only)
{
	struct scsi_device *d0, *d1;
	char *cap = (char *)(uintptr_t)"disconnect";

	clone_setup();
	(void)mock_start();
	ck_assert_int_eq(scsa_bus_config_one(mock_port(), "0,0", NULL), 0);
	mock.tran->tran_getcap = other_getcap;
	ck_assert_int_eq(scsa_bus_config_one(mock_port(), "0,1", NULL), 0);
	d0 = mock_unit(mock_port(), "0,0");
	d1 = mock_unit(mock_port(), "0,1");
	ck_assert_int_eq(scsi_ifgetcap(&d0->sd_address, cap, 1), 0);
	ck_assert_int_eq(scsi_ifgetcap(&d1->sd_address, cap, 1), 42);
	mock_stop();
}

static bool
refuse_all(struct scsi_device *sd)
{
	ck_assert_ptr_eq(sd->sd_address.a_hba_tran->tran_sd, sd);
	return true;
}

SIM_TEST(c22_a_refused_unit_leaves_no_clone)
{
	clone_setup();
	mock.refuse = refuse_all;
	(void)mock_start();
	ck_assert_int_eq(scsa_bus_config_all(mock_port()), 0);
	ck_assert_int_eq(mock.n_free, 0);
	mock_stop();
}

SIM_TEST(c24_complex_addressing_wins_over_clone)
{
	struct scsi_device *sd;

	mock.flags |= SCSI_HBA_TRAN_CLONE | SCSI_HBA_ADDR_COMPLEX;
	mock.target[0].wwn = "w5000c5001234abcd";
	(void)mock_start();
	ck_assert_int_eq(scsa_bus_config_one(mock_port(), "w5000c5001234abcd,0", NULL), 0);
	sd = mock_unit(mock_port(), "w5000c5001234abcd,0");
	ck_assert_ptr_eq(sd->sd_address.a_hba_tran, mock.tran);
	ck_assert_ptr_null(mock.tran->tran_sd);
	mock_stop();
}

SIM_TEST(clones_of_an_iport_come_from_its_vector)
{
	struct scsi_device *sd;

	clone_setup();
	mock.flags |= SCSI_HBA_HBA;
	mock.iports[0] = "iport0";
	(void)mock_start();
	ck_assert_int_eq(scsa_bus_config_all(mock.dip), 2);
	sd = mock_unit(mock_port(), "0,0");
	ck_assert_ptr_ne(sd->sd_address.a_hba_tran, mock.iport_tran[0]);
	ck_assert_ptr_eq(sd->sd_address.a_hba_tran->tran_iport_dip, mock.iport_dip[0]);
	ck_assert_ptr_eq(sd->sd_address.a_hba_tran->tran_hba_dip, mock.dip);
	mock_stop();
}

CHECK_MAIN("clone", c20_c22_units_have_their_own_vectors,
    c20_control_calls_arrive_with_the_clone,
    c20_changes_of_the_base_reach_later_units_only, c22_a_refused_unit_leaves_no_clone,
    c24_complex_addressing_wins_over_clone, clones_of_an_iport_come_from_its_vector)
