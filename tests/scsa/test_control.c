/* abort, reset, reset notification, capabilities, quiesce, task management */
#include <string.h>

#include "check_main.h"
#include "scsa/config.h"
#include "tests/scsa/mock_hba.h"

static struct scsi_device *
start_one(void)
{
	mock.targets = 1;
	(void)mock_start();
	ck_assert_int_eq(scsa_bus_config_all(mock.dip), 1);
	return mock_unit(mock_port(), "0,0");
}

SIM_TEST(c70_abort_one_and_all)
{
	struct scsi_device *sd = start_one();
	struct scsi_pkt *p[4];

	mock.when = MOCK_LATER;
	for (int i = 0; i < 4; i++) {
		p[i] = mock_pkt(sd, NULL, SCMD_TEST_UNIT_READY, 0);
		ck_assert_int_eq(scsi_transport(p[i]), TRAN_ACCEPT);
	}
	ck_assert_int_eq(scsi_abort(&sd->sd_address, p[2]), 1);
	ck_assert_int_eq(mock.n_comp, 1);
	ck_assert_uint_eq(p[2]->pkt_reason, CMD_ABORTED);
	ck_assert_uint_eq(p[2]->pkt_statistics, STAT_ABORTED);
	/* it is gone: nothing to abort, and no second completion */
	ck_assert_int_eq(scsi_abort(&sd->sd_address, p[2]), 0);
	ck_assert_int_eq(scsi_abort(&sd->sd_address, NULL), 1);
	ck_assert_int_eq(mock.n_comp, 4);
	for (int i = 0; i < 4; i++)
		scsi_destroy_pkt(p[i]);
	mock_stop();
}

SIM_TEST(c71_levels_of_reset)
{
	struct scsi_device *sd = start_one();
	struct scsi_pkt *pkt = mock_pkt(sd, NULL, SCMD_TEST_UNIT_READY, 0);
	static const int caps[] = { 0, -1, 2 };

	for (int i = 0; i < 3; i++) {
		mock.caps[SCSI_CAP_LUN_RESET] = caps[i];
		ck_assert_int_eq(scsi_reset(&sd->sd_address, RESET_LUN), 0);
		ck_assert_int_eq(mock.n_reset, 0);
	}
	mock.caps[SCSI_CAP_LUN_RESET] = 1;
	ck_assert_int_eq(scsi_reset(&sd->sd_address, RESET_LUN), 1);
	ck_assert_int_eq(mock.last_level, RESET_LUN);
	mock.when = MOCK_LATER;
	ck_assert_int_eq(scsi_transport(pkt), TRAN_ACCEPT);
	ck_assert_int_eq(scsi_reset(&sd->sd_address, RESET_ALL), 1);
	ck_assert_int_eq(mock.last_level, RESET_ALL);
	ck_assert_uint_eq(pkt->pkt_reason, CMD_RESET);
	ck_assert_uint_eq(pkt->pkt_statistics, STAT_BUS_RESET);
	ck_assert_int_eq(scsi_reset(&sd->sd_address, RESET_TARGET), 1);
	scsi_destroy_pkt(pkt);
	mock_stop();
}

SIM_TEST(c71_no_reset_entry_means_no)
{
	struct scsi_device *sd;

	mock.has_no_reset = true;
	sd = start_one();
	ck_assert_int_eq(scsi_reset(&sd->sd_address, RESET_TARGET), 0);
	mock_stop();
}

static int
drop_entries(dev_info_t *dip, scsi_hba_tran_t *tran)
{
	(void)dip;
	tran->tran_abort = NULL;
	tran->tran_reset = NULL;
	tran->tran_getcap = NULL;
	tran->tran_setcap = NULL;
	return DDI_SUCCESS;
}

SIM_TEST(missing_entries_have_answers)
{
	char *cap = (char *)(uintptr_t)"disconnect";
	struct scsi_device *sd;

	mock.on_attach = drop_entries;
	sd = start_one();
	ck_assert_int_eq(scsi_abort(&sd->sd_address, NULL), 0);
	ck_assert_int_eq(scsi_reset(&sd->sd_address, RESET_LUN), 0);
	ck_assert_int_eq(scsi_ifgetcap(&sd->sd_address, cap, 1), -1);
	ck_assert_int_eq(scsi_ifsetcap(&sd->sd_address, cap, 1, 1), -1);
	mock_stop();
}

static int told_a, told_b;
static struct scsi_device *unit_b;

static void
tell_a(caddr_t arg)
{
	ck_assert_ptr_eq(arg, &told_a);
	told_a++;
	/* registering and cancelling from inside is legal */
	(void)scsi_reset_notify(&unit_b->sd_address, SCSI_RESET_CANCEL, NULL, NULL);
}

static void
tell_b(caddr_t arg)
{
	(void)arg;
	told_b++;
}

SIM_TEST(c72_reset_notification)
{
	struct scsi_address *a, *b;
	struct scsi_device *sd;

	mock_set_luns(0, 2);
	mock.targets = 1;
	(void)mock_start();
	ck_assert_int_eq(scsa_bus_config_all(mock.dip), 2);
	sd = mock_unit(mock.dip, "0,0");
	unit_b = mock_unit(mock.dip, "0,1");
	a = &sd->sd_address;
	b = &unit_b->sd_address;
	ck_assert_int_eq(scsi_reset_notify(a, SCSI_RESET_NOTIFY, NULL, NULL), DDI_FAILURE);
	ck_assert_int_eq(scsi_reset_notify(a, SCSI_RESET_NOTIFY, tell_a, (caddr_t)&told_a),
	    DDI_SUCCESS);
	ck_assert_int_eq(scsi_reset_notify(a, SCSI_RESET_NOTIFY, tell_a, (caddr_t)&told_a),
	    DDI_FAILURE);
	ck_assert_int_eq(scsi_reset_notify(b, SCSI_RESET_CANCEL, NULL, NULL), DDI_FAILURE);
	ck_assert_int_eq(scsi_reset_notify(b, SCSI_RESET_NOTIFY, tell_b, NULL), DDI_SUCCESS);
	ck_assert_int_eq(scsi_reset(a, RESET_TARGET), 1);
	ck_assert_int_eq(told_a, 1);
	/* the list was as it was when the reset happened */
	ck_assert_int_eq(told_b, 1);
	ck_assert_int_eq(scsi_reset(a, RESET_TARGET), 1);
	ck_assert_int_eq(told_a, 2);
	ck_assert_int_eq(told_b, 1);
	ck_assert_int_eq(scsi_reset_notify(a, SCSI_RESET_CANCEL, NULL, NULL), DDI_SUCCESS);
	ck_assert_int_eq(scsi_reset(a, RESET_TARGET), 1);
	ck_assert_int_eq(told_a, 2);
	/* one is left for tear_down */
	ck_assert_int_eq(scsi_reset_notify(a, SCSI_RESET_NOTIFY, tell_b, NULL), DDI_SUCCESS);
	scsi_hba_reset_notify_tear_down(mock.notify);
	mock.notify = NULL;
	mock_stop();
}

SIM_TEST(c72_without_entry_it_fails)
{
	struct scsi_device *sd;

	mock.has_no_reset_notify = true;
	sd = start_one();
	ck_assert_int_eq(scsi_reset_notify(&sd->sd_address, SCSI_RESET_NOTIFY, tell_b, NULL),
	    DDI_FAILURE);
	mock_stop();
}

static char *const cap_names[SCSI_CAP_N] = {
	(char *)"dma-max", (char *)"msg-out", (char *)"disconnect", (char *)"synchronous",
	(char *)"wide-xfer", (char *)"parity", (char *)"initiator-id", (char *)"untagged-qing",
	(char *)"tagged-qing", (char *)"auto-rqsense", (char *)"linked-cmds",
	(char *)"sector-size", (char *)"total-sectors", (char *)"geometry",
	(char *)"reset-notification", (char *)"qfull-retries", (char *)"qfull-retry-interval",
	(char *)"scsi-version", (char *)"interconnect-type", (char *)"lun-reset",
	(char *)"max-cdb-length", (char *)"dma-max-arch", (char *)"tran-layer-retries",
};

START_TEST(c73_capability_names)
{
	for (int i = 0; i < SCSI_CAP_N; i++)
		ck_assert_int_eq(scsi_hba_lookup_capstr(cap_names[i]), i);
	ck_assert_int_eq(scsi_hba_lookup_capstr((char *)(uintptr_t)"dma_max"), SCSI_CAP_DMA_MAX);
	ck_assert_int_eq(scsi_hba_lookup_capstr((char *)(uintptr_t)"msg_out"), SCSI_CAP_MSG_OUT);
	ck_assert_int_eq(scsi_hba_lookup_capstr((char *)(uintptr_t)"wide_xfer"),
	    SCSI_CAP_WIDE_XFER);
	ck_assert_int_eq(scsi_hba_lookup_capstr((char *)(uintptr_t)"dma-ma"), -1);
	ck_assert_int_eq(scsi_hba_lookup_capstr((char *)(uintptr_t)""), -1);
	ck_assert_int_eq(scsi_hba_lookup_capstr(NULL), -1);
}
END_TEST

SIM_TEST(c73_every_capability)
{
	struct scsi_device *sd = start_one();
	struct scsi_address *ap = &sd->sd_address;

	for (int i = 0; i < SCSI_CAP_N; i++) {
		if (i == SCSI_CAP_DMA_MAX_ARCH)
			continue;
		mock.caps[i] = 512 * (i + 1);
		ck_assert_int_eq(scsi_ifgetcap(ap, cap_names[i], 1), 512 * (i + 1));
		ck_assert_int_eq(scsi_ifgetcap(ap, cap_names[i], 0), 512 * (i + 1));
		ck_assert_int_eq(scsi_ifgetcap(ap, cap_names[i], -1), 512 * (i + 1));
		ck_assert_int_eq(scsi_ifsetcap(ap, cap_names[i], 512, -1), 1);
		ck_assert_int_eq(scsi_ifgetcap(ap, cap_names[i], 1), 512);
	}
	mock.setcap_answer = 0;
	ck_assert_int_eq(scsi_ifsetcap(ap, cap_names[1], 1, 1), 0);
	ck_assert_int_eq(scsi_ifgetcap(ap, (char *)(uintptr_t)"nonsense", 1), -1);
	ck_assert_int_eq(scsi_ifsetcap(ap, (char *)(uintptr_t)"nonsense", 1, 1), -1);
	ck_assert_int_eq(scsi_ifgetcap(ap, NULL, 1), -1);
	ck_assert_int_eq(scsi_ifsetcap(ap, NULL, 1, 1), -1);
	mock.caps[SCSI_CAP_CDB_LEN] = 16;
	mock_stop();
}

SIM_TEST(c73_dma_sizes_are_whole_granules)
{
	struct scsi_device *sd;
	char *max = cap_names[SCSI_CAP_DMA_MAX], *arch = cap_names[SCSI_CAP_DMA_MAX_ARCH];

	mock.attr.dma_attr_maxxfer = 1000000;
	sd = start_one();
	mock.caps[SCSI_CAP_DMA_MAX] = 1000;
	ck_assert_int_eq(scsi_ifgetcap(&sd->sd_address, max, 1), 512);
	mock.caps[SCSI_CAP_DMA_MAX] = -1;
	ck_assert_int_eq(scsi_ifgetcap(&sd->sd_address, max, 1), -1);
	ck_assert_int_eq(scsi_ifgetcap(&sd->sd_address, arch, 1), 1000000 / 512 * 512);
	ck_assert_int_eq(scsi_ifsetcap(&sd->sd_address, arch, 1, 1), -1);
	mock.tran->tran_dma_attr.dma_attr_count_max = 4095;
	mock.tran->tran_dma_attr.dma_attr_sgllen = 4;
	ck_assert_int_eq(scsi_ifgetcap(&sd->sd_address, arch, 1), 16384);
	mock.tran->tran_dma_attr.dma_attr_maxxfer = UINT64_MAX;
	mock.tran->tran_dma_attr.dma_attr_sgllen = -1;
	mock.tran->tran_dma_attr.dma_attr_granular = 1;
	ck_assert_int_eq(scsi_ifgetcap(&sd->sd_address, arch, 1), 0x7fffffff);
	mock_stop();
}

SIM_TEST(c74_sector_size_changes_the_granularity)
{
	static uint8_t data[32 * 1024];
	struct scsi_device *sd;
	struct scsi_pkt *pkt;
	struct buf b;

	mock.flags |= SCSI_HBA_TRAN_CLONE;
	mock.attr.dma_attr_maxxfer = 10240;
	sd = start_one();
	bioinit(&b);
	b.b_flags |= B_READ;
	b.b_un.b_addr = (caddr_t)data;
	b.b_bcount = sizeof(data);
	pkt = mock_pkt(sd, &b, SCMD_READ_G1, PKT_DMA_PARTIAL);
	ck_assert_uint_eq(pkt->pkt_dma_len, 10240);
	scsi_destroy_pkt(pkt);
	ck_assert_int_eq(scsi_ifsetcap(&sd->sd_address, cap_names[SCSI_CAP_SECTOR_SIZE], 4096, 1),
	    1);
	ck_assert_uint_eq(sd->sd_address.a_hba_tran->tran_dma_attr.dma_attr_granular, 4096);
	/* the clone's only */
	ck_assert_uint_eq(mock.tran->tran_dma_attr.dma_attr_granular, 512);
	pkt = mock_pkt(sd, &b, SCMD_READ_G1, PKT_DMA_PARTIAL);
	ck_assert_uint_eq(pkt->pkt_dma_len, 8192);
	scsi_destroy_pkt(pkt);
	mock.setcap_answer = 0;
	ck_assert_int_eq(scsi_ifsetcap(&sd->sd_address, cap_names[SCSI_CAP_SECTOR_SIZE], 512, 1),
	    0);
	ck_assert_uint_eq(sd->sd_address.a_hba_tran->tran_dma_attr.dma_attr_granular, 4096);
	mock_stop();
}

SIM_TEST(c75_quiesce)
{
	struct scsi_device *sd;
	struct scsi_pkt *pkt;

	mock.has_quiesce = true;
	sd = start_one();
	pkt = mock_pkt(sd, NULL, SCMD_TEST_UNIT_READY, 0);
	ck_assert_int_eq(scsa_bus_unquiesce(mock.dip), -EALREADY);
	ck_assert_int_eq(scsa_bus_quiesce(mock.dip), 0);
	ck_assert_int_eq(scsa_bus_quiesce(mock.dip), -EALREADY);
	ck_assert_int_eq(scsi_transport(pkt), TRAN_BUSY);
	ck_assert_int_eq(scsa_bus_unquiesce(mock.dip), 0);
	ck_assert_int_eq(scsi_transport(pkt), TRAN_ACCEPT);
	mock.quiesce_answer = -1;
	ck_assert_int_eq(scsa_bus_quiesce(mock.dip), -EIO);
	ck_assert_int_eq(scsa_bus_unquiesce(mock.dip), -EALREADY);
	(void)ddi_prop_create(DDI_DEV_T_NONE, mock.dip, 0, "scsi-no-quiesce", NULL, 0);
	ck_assert_int_eq(scsa_bus_quiesce(mock.dip), -ENOTSUP);
	ck_assert_int_eq(scsa_bus_quiesce(devi_root()), -ENODEV);
	scsi_destroy_pkt(pkt);
	mock_stop();
}

SIM_TEST(c75_c76_c77_absent_entries)
{
	struct scsi_device *sd = start_one();

	ck_assert_int_eq(scsa_bus_quiesce(mock.dip), -ENOTSUP);
	ck_assert_int_eq(scsa_bus_reset(mock.dip), -ENOTSUP);
	ck_assert_int_eq(scsi_clear_aca(&sd->sd_address), -1);
	ck_assert_int_eq(scsi_clear_task_set(&sd->sd_address), -1);
	ck_assert_int_eq(scsi_terminate_task(&sd->sd_address, NULL), -1);
	mock_stop();
}

SIM_TEST(c76_c77_present_entries)
{
	struct scsi_device *sd;
	struct scsi_pkt *pkt;

	mock.has_task_mgmt = true;
	mock.has_bus_reset = true;
	sd = start_one();
	ck_assert_int_eq(scsi_clear_aca(&sd->sd_address), 1);
	ck_assert_int_eq(scsi_clear_task_set(&sd->sd_address), 1);
	pkt = mock_pkt(sd, NULL, SCMD_TEST_UNIT_READY, 0);
	ck_assert_int_eq(scsi_terminate_task(&sd->sd_address, pkt), 0);
	mock.when = MOCK_LATER;
	ck_assert_int_eq(scsi_transport(pkt), TRAN_ACCEPT);
	ck_assert_int_eq(scsi_terminate_task(&sd->sd_address, pkt), 1);
	ck_assert_uint_eq(pkt->pkt_reason, CMD_TERMINATED);
	ck_assert_int_eq(scsa_bus_reset(mock.dip), 0);
	ck_assert_int_eq(mock.n_bus_reset, 1);
	ck_assert_int_eq(mock.last_level, RESET_BUS);
	ck_assert_int_eq(scsa_bus_reset(devi_root()), -ENODEV);
	scsi_destroy_pkt(pkt);
	mock_stop();
}

CHECK_MAIN("control", c70_abort_one_and_all, c71_levels_of_reset,
    c71_no_reset_entry_means_no, missing_entries_have_answers, c72_reset_notification,
    c72_without_entry_it_fails, c73_capability_names,
    c73_every_capability, c73_dma_sizes_are_whole_granules,
    c74_sector_size_changes_the_granularity, c75_quiesce, c75_c76_c77_absent_entries,
    c76_c77_present_entries)
