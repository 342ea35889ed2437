/* allocation of packets in both styles */
#include <string.h>

#include "base/fault.h"
#include "check_main.h"
#include "scsa/config.h"
#include "tests/scsa/mock_hba.h"

#define ARQ_LEN	((int)sizeof(struct scsi_arq_status))

static struct scsi_device *
start_one(void)
{
	mock.targets = 1;
	(void)mock_start();
	ck_assert_int_eq(scsa_bus_config_all(mock.dip), 1);
	return mock_unit(mock_port(), "0,0");
}

static struct scsi_pkt *
init(struct scsi_device *sd, struct buf *bp, int cdb, int scb, int tgt, int (*cb)(caddr_t))
{
	return scsi_init_pkt(&sd->sd_address, NULL, bp, cdb, scb, tgt, 0, cb, NULL);
}

/* C27: what tran_setup_pkt sees */
static struct {
	int cdb, scb, tgt;
	struct scsi_device *sd;
	int n;
} expect;

static int
inspect_setup(struct scsi_pkt *pkt, int (*callback)(caddr_t), caddr_t arg)
{
	expect.n++;
	ck_assert_ptr_null(arg);
	ck_assert(callback == NULL_FUNC || callback == SLEEP_FUNC);
	ck_assert_ptr_nonnull(pkt->pkt_ha_private);
	ck_assert_ptr_nonnull(pkt->pkt_cdbp);
	ck_assert_ptr_nonnull(pkt->pkt_scbp);
	ck_assert_uint_eq(pkt->pkt_cdblen, (uint_t)expect.cdb);
	ck_assert_uint_eq(pkt->pkt_scblen, (uint_t)expect.scb);
	ck_assert_uint_eq(pkt->pkt_tgtlen, (uint_t)expect.tgt);
	ck_assert_mem_eq(&pkt->pkt_address, &expect.sd->sd_address, sizeof(pkt->pkt_address));
	ck_assert_ptr_null(pkt->pkt_comp);
	ck_assert_uint_eq(pkt->pkt_flags, 0);
	ck_assert_uint_eq(pkt->pkt_time, 0);
	ck_assert_int_eq(pkt->pkt_resid, 0);
	ck_assert_uint_eq(pkt->pkt_state, 0);
	ck_assert_uint_eq(pkt->pkt_statistics, 0);
	ck_assert_uint_eq(pkt->pkt_reason, 0);
	ck_assert_uint_eq(pkt->pkt_numcookies, 0);
	ck_assert_ptr_null(pkt->pkt_cookies);
	ck_assert_uint_eq(pkt->pkt_dma_flags, 0);
	/* leave traces: the client must find zeros all the same */
	memset(pkt->pkt_cdbp, 0xaa, pkt->pkt_cdblen);
	memset(pkt->pkt_scbp, 0xaa, pkt->pkt_scblen);
	return 0;
}

static void
check_zero(const void *p, int len)
{
	for (int i = 0; i < len; i++)
		ck_assert_uint_eq(((const uchar_t *)p)[i], 0);
}

SIM_TEST(c27_lengths_and_fields_at_setup)
{
	static const int cdbs[] = { 0, 6, 16 };
	static const int scbs[] = { 0, 1, ARQ_LEN, ARQ_LEN + 232, ARQ_LEN + 400 };
	static const int tgts[] = { 0, 1, 64, 65, 4096 };
	struct scsi_device *sd = start_one();

	expect.sd = sd;
	mock.on_setup = inspect_setup;
	for (int i = 0; i < 3 * 5 * 5; i++) {
		struct scsi_pkt *pkt;

		expect.cdb = cdbs[i % 3];
		expect.scb = scbs[i / 3 % 5];
		expect.tgt = tgts[i / 15];
		pkt = init(sd, NULL, expect.cdb, expect.scb, expect.tgt, NULL_FUNC);
		ck_assert_ptr_nonnull(pkt);
		check_zero(pkt->pkt_cdbp, expect.cdb);
		check_zero(pkt->pkt_scbp, expect.scb);
		if (expect.tgt == 0) {
			ck_assert_ptr_null(pkt->pkt_private);
			pkt->pkt_private = &expect;
		} else {
			check_zero(pkt->pkt_private, expect.tgt);
			memset(pkt->pkt_private, 0x55, (size_t)expect.tgt);
		}
		memset(pkt->pkt_cdbp, 0x55, (size_t)expect.cdb);
		memset(pkt->pkt_scbp, 0x55, (size_t)expect.scb);
		scsi_destroy_pkt(pkt);
	}
	ck_assert_int_eq(expect.n, 75);
	mock.on_setup = NULL;
	mock_stop();
}

SIM_TEST(cdb_longer_than_the_hba_takes_is_refused)
{
	struct scsi_device *sd = start_one();
	struct scsi_pkt *pkt;
	struct buf *bp;

	bp = scsi_alloc_consistent_buf(&sd->sd_address, NULL, 512, B_READ, NULL_FUNC, NULL);
	ck_assert_ptr_null(init(sd, bp, 17, 1, 0, NULL_FUNC));
	ck_assert_int_eq(geterror(bp), EINVAL);
	ck_assert_ptr_null(init(sd, NULL, -1, 1, 0, NULL_FUNC));
	ck_assert_ptr_null(init(sd, NULL, 6, -1, 0, NULL_FUNC));
	ck_assert_ptr_null(init(sd, NULL, 6, 1, -1, NULL_FUNC));
	pkt = init(sd, bp, 16, 1, 0, NULL_FUNC);
	ck_assert_ptr_nonnull(pkt);
	ck_assert_int_eq(geterror(bp), 0);
	scsi_destroy_pkt(pkt);
	mock.caps[SCSI_CAP_CDB_LEN] = 32;
	pkt = init(sd, NULL, 32, 1, 0, NULL_FUNC);
	ck_assert_ptr_nonnull(pkt);
	memset(pkt->pkt_cdbp, 0xff, 32);
	scsi_destroy_pkt(pkt);
	mock.caps[SCSI_CAP_CDB_LEN] = 10000;
	ck_assert_ptr_null(init(sd, NULL, 261, 1, 0, NULL_FUNC));
	scsi_free_consistent_buf(bp);
	mock_stop();
}

SIM_TEST(an_hba_without_16_byte_cdbs_gets_none)
{
	struct scsi_device *sd;

	mock.caps[SCSI_CAP_CDB_LEN] = 12;
	sd = start_one();
	ck_assert_ptr_null(init(sd, NULL, 16, 1, 0, NULL_FUNC));
	/* nobody said: 16 is assumed */
	mock.caps[SCSI_CAP_CDB_LEN] = -1;
	scsi_destroy_pkt(init(sd, NULL, 16, 1, 0, NULL_FUNC));
	mock_stop();
}

static int
fail_setup(struct scsi_pkt *pkt, int (*callback)(caddr_t), caddr_t arg)
{
	(void)pkt;
	(void)callback;
	(void)arg;
	return -1;
}

SIM_TEST(c26_setup_failure_gives_null)
{
	struct scsi_device *sd = start_one();
	int teardowns = mock.n_teardown;
	struct scsa_stats stats;

	mock.on_setup = fail_setup;
	ck_assert_ptr_null(init(sd, NULL, 6, 1, 100, NULL_FUNC));
	ck_assert_ptr_null(init(sd, NULL, 6, 1, 0, SLEEP_FUNC));
	ck_assert_int_eq(mock.n_teardown, teardowns);
	ck_assert_int_eq(scsa_stats_get(mock.dip, &stats), 0);
	ck_assert_uint_eq(stats.no_packet, 2);
	mock.on_setup = NULL;
	mock_stop();
}

static int (*seen_cb)(caddr_t);
static int setups_failing;

static int
record_setup(struct scsi_pkt *pkt, int (*callback)(caddr_t), caddr_t arg)
{
	(void)pkt;
	ck_assert_ptr_null(arg);
	seen_cb = callback;
	return setups_failing > 0 ? (setups_failing--, -1) : 0;
}

static int runouts, runout_answer;
static struct scsi_device *runout_sd;
static struct scsi_pkt *runout_pkt;

static int
runout(caddr_t arg)
{
	ck_assert_ptr_eq(arg, &runouts);
	runouts++;
	return runout_answer;
}

SIM_TEST(c29_setup_sees_null_func_or_sleep_func)
{
	struct scsi_device *sd = start_one();

	mock.on_setup = record_setup;
	scsi_destroy_pkt(init(sd, NULL, 6, 1, 0, NULL_FUNC));
	ck_assert_ptr_null((void *)seen_cb);
	scsi_destroy_pkt(init(sd, NULL, 6, 1, 0, SLEEP_FUNC));
	ck_assert(seen_cb == SLEEP_FUNC);
	scsi_destroy_pkt(init(sd, NULL, 6, 1, 0, runout));
	ck_assert_ptr_null((void *)seen_cb);
	mock.on_setup = NULL;
	mock_stop();
}

SIM_TEST(c59_runout_is_called_after_a_release)
{
	struct scsi_device *sd = start_one();
	struct scsi_pkt *held = init(sd, NULL, 6, 1, 0, NULL_FUNC);

	mock.on_setup = record_setup;
	setups_failing = 1;
	ck_assert_ptr_null(scsi_init_pkt(&sd->sd_address, NULL, NULL, 6, 1, 0, 0, runout,
	    (caddr_t)&runouts));
	ck_assert_int_eq(runouts, 0);
	/* not satisfied: called again at the next release */
	runout_answer = 0;
	scsi_destroy_pkt(held);
	ck_assert_int_eq(runouts, 1);
	held = init(sd, NULL, 6, 1, 0, NULL_FUNC);
	scsi_dmafree(held);
	ck_assert_int_eq(runouts, 2);
	runout_answer = 1;
	scsi_destroy_pkt(held);
	ck_assert_int_eq(runouts, 3);
	scsi_destroy_pkt(init(sd, NULL, 6, 1, 0, NULL_FUNC));
	scsi_free_consistent_buf(scsi_alloc_consistent_buf(&sd->sd_address, NULL, 8, B_READ,
	    NULL_FUNC, NULL));
	ck_assert_int_eq(runouts, 3);
	mock.on_setup = NULL;
	mock_stop();
}

static int
runout_retry(caddr_t arg)
{
	(void)arg;
	runouts++;
	/* as sd does: a new attempt, a new registration if that fails, and always "done" */
	runout_pkt = scsi_init_pkt(&runout_sd->sd_address, NULL, NULL, 6, 1, 0, 0, runout_retry,
	    NULL);
	if (runout_pkt != NULL) {
		ck_assert_int_eq(scsi_transport(runout_pkt), TRAN_ACCEPT);
		scsi_destroy_pkt(runout_pkt);
	}
	return 1;
}

SIM_TEST(c59_runout_may_allocate_submit_and_register_again)
{
	struct scsi_device *sd = start_one();
	struct scsi_pkt *held[8];

	for (int i = 0; i < 8; i++)
		held[i] = init(sd, NULL, 6, 1, 0, NULL_FUNC);
	runout_sd = sd;
	runouts = 0;
	mock.on_setup = record_setup;
	setups_failing = 3;
	ck_assert_ptr_null(scsi_init_pkt(&sd->sd_address, NULL, NULL, 6, 1, 0, 0, runout_retry,
	    NULL));
	for (int i = 0; i < 8; i++)
		scsi_destroy_pkt(held[i]);
	/* two more failures, then it had its packet */
	ck_assert_int_eq(setups_failing, 0);
	ck_assert_ptr_nonnull(runout_pkt);
	ck_assert_int_eq(runouts, 3);
	mock.on_setup = NULL;
	mock_stop();
}

SIM_TEST(c59_null_func_gives_null_without_memory)
{
	struct scsi_device *sd = start_one();
	struct buf *bp;

	fault_arm(1);
	bp = scsi_alloc_consistent_buf(&sd->sd_address, NULL, 512, B_READ, NULL_FUNC, NULL);
	ck_assert_ptr_null(bp);
	ck_assert(fault_disarm());
	/* every allocation on the way to a packet with long parts, one after the other */
	for (int64_t n = 1;; n++) {
		struct scsi_pkt *pkt;

		fault_arm(n);
		pkt = init(sd, NULL, 16, ARQ_LEN + 400, 4096, NULL_FUNC);
		if (!fault_disarm()) {
			scsi_destroy_pkt(pkt);
			break;
		}
		ck_assert_ptr_null(pkt);
	}
	mock_stop();
}

SIM_TEST(c30_driver_may_own_cdb_and_status)
{
	struct scsi_device *sd;
	struct scsi_pkt *pkt;

	mock.flags = 0;
	mock.has_own_areas = true;
	sd = start_one();
	pkt = mock_pkt(sd, NULL, SCMD_TEST_UNIT_READY, 0);
	ck_assert_int_eq(scsi_poll(pkt), 0);
	ck_assert_uint_eq(*pkt->pkt_scbp, STATUS_GOOD);
	scsi_destroy_pkt(pkt);
	mock_stop();
}

SIM_TEST(c30_a_driver_that_forgets_its_areas_gives_null)
{
	struct scsi_device *sd;

	mock.flags = SCSI_HBA_TRAN_SCB;
	mock.targets = 1;
	(void)mock_start();
	/* enumeration finds nothing: no packet can be made, each setup is torn down */
	ck_assert_int_eq(scsa_bus_config_all(mock.dip), 0);
	ck_assert_int_gt(mock.n_setup, 0);
	(void)sd;
	mock_stop();
}

static int ctor_seen;

static void
inspect_ctor(struct scsi_pkt *pkt, scsi_hba_tran_t *tran, int kmflag)
{
	ck_assert_ptr_eq(tran, ddi_get_driver_private(mock.dip));
	ck_assert(kmflag == KM_SLEEP || kmflag == KM_NOSLEEP);
	ck_assert_ptr_eq(pkt->pkt_address.a_hba_tran, tran);
	ck_assert_ptr_nonnull(pkt->pkt_ha_private);
	ck_assert_ptr_nonnull(pkt->pkt_cdbp);
	ck_assert_ptr_nonnull(pkt->pkt_scbp);
	ck_assert_ptr_null(pkt->pkt_private);
	ck_assert_uint_eq(pkt->pkt_cdblen, 16);
	ck_assert_uint_eq(pkt->pkt_tgtlen, 0);
	ck_assert_uint_eq(pkt->pkt_scblen, ARQ_LEN);
	ck_assert_ptr_nonnull(pkt->pkt_handle);
	check_zero((char *)pkt->pkt_ha_private + 4, mock.hba_len - 4);
	ctor_seen++;
}

SIM_TEST(c31_constructor_once_an_object)
{
	struct scsi_device *sd;
	struct scsi_pkt *many[20];
	int ctors;

	mock.on_ctor = inspect_ctor;
	sd = start_one();
	for (int i = 0; i < 20; i++)
		many[i] = init(sd, NULL, 6, 1, 0, NULL_FUNC);
	for (int i = 0; i < 20; i++)
		scsi_destroy_pkt(many[i]);
	ctors = mock.n_ctor;
	ck_assert_int_ge(ctors, 20);
	for (int i = 0; i < 100; i++)
		scsi_destroy_pkt(init(sd, NULL, 6, 1, 0, NULL_FUNC));
	ck_assert_int_eq(mock.n_ctor, ctors);
	ck_assert_int_eq(mock.n_dtor, 0);
	mock_stop();
	ck_assert_int_eq(mock.n_dtor, ctor_seen);
}

SIM_TEST(c31_iports_share_the_cache_of_the_base)
{
	mock.flags |= SCSI_HBA_HBA;
	mock.iports[0] = "iport0";
	mock.on_ctor = inspect_ctor;
	(void)mock_start();
	ck_assert_int_eq(scsa_bus_config_all(mock.dip), 1);
	ck_assert_ptr_eq(mock.iport_tran[0]->tran_pkt_cache_ptr, mock.tran->tran_pkt_cache_ptr);
	mock_stop();
}

SIM_TEST(c89_packet_address_is_a_copy)
{
	struct scsi_device *sd = start_one();
	struct scsi_pkt *pkt = mock_pkt(sd, NULL, SCMD_TEST_UNIT_READY, 0);
	struct scsi_address keep = sd->sd_address;

	sd->sd_address.a_target = 9;
	ck_assert_uint_eq(pkt->pkt_address.a_target, 0);
	ck_assert_int_eq(scsi_poll(pkt), 0);
	sd->sd_address = keep;
	scsi_destroy_pkt(pkt);
	mock_stop();
}

SIM_TEST(old_style_packets_have_the_parts_asked_for)
{
	struct scsi_address ap = { 0 };
	struct scsi_pkt *pkt;

	pkt = scsi_hba_pkt_alloc(NULL, &ap, 12, 0, 100, 200, NULL_FUNC, NULL);
	ck_assert_ptr_nonnull(pkt);
	ck_assert_ptr_null(pkt->pkt_scbp);
	check_zero(pkt->pkt_cdbp, 12);
	check_zero(pkt->pkt_private, 100);
	check_zero(pkt->pkt_ha_private, 200);
	ck_assert_uint_eq(pkt->pkt_cdblen, 12);
	ck_assert_uint_eq(pkt->pkt_scblen, 0);
	ck_assert_uint_eq(pkt->pkt_tgtlen, 100);
	ck_assert_uint_eq((uintptr_t)pkt->pkt_private % 8, 0);
	scsi_hba_pkt_free(&ap, pkt);
	ck_assert_ptr_null(scsi_hba_pkt_alloc(NULL, &ap, -1, 0, 0, 0, NULL_FUNC, NULL));
	fault_arm(1);
	ck_assert_ptr_null(scsi_hba_pkt_alloc(NULL, &ap, 6, 1, 0, 0, NULL_FUNC, NULL));
	fault_disarm();
}

SIM_TEST(old_style_driver_enumerates_and_runs)
{
	struct scsi_device *sd;
	struct scsi_pkt *pkt;

	mock.has_init_pkt = true;
	mock.has_ctor = false;
	mock_set_luns(0, 2);
	mock.targets = 1;
	(void)mock_start();
	ck_assert_int_eq(scsa_bus_config_all(mock.dip), 2);
	sd = mock_unit(mock_port(), "0,1");
	pkt = mock_pkt(sd, NULL, SCMD_TEST_UNIT_READY, 0);
	ck_assert_ptr_eq(scsi_init_pkt(&sd->sd_address, pkt, NULL, 0, 0, 0, 0, NULL_FUNC, NULL),
	    pkt);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(scsi_transport(pkt), TRAN_ACCEPT);
	ck_assert_int_eq(mock.n_comp, 3);
	scsi_destroy_pkt(pkt);
	mock_stop();
}

CHECK_MAIN("packets", c27_lengths_and_fields_at_setup, cdb_longer_than_the_hba_takes_is_refused,
    an_hba_without_16_byte_cdbs_gets_none, c26_setup_failure_gives_null,
    c29_setup_sees_null_func_or_sleep_func, c59_runout_is_called_after_a_release,
    c59_runout_may_allocate_submit_and_register_again,
    c59_null_func_gives_null_without_memory, c30_driver_may_own_cdb_and_status,
    c30_a_driver_that_forgets_its_areas_gives_null, c31_constructor_once_an_object,
    c31_iports_share_the_cache_of_the_base, c89_packet_address_is_a_copy,
    old_style_packets_have_the_parts_asked_for, old_style_driver_enumerates_and_runs)
