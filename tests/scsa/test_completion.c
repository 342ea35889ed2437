/* one completion for each TRAN_ACCEPT, in order, without recursion, and misuse found out */
#include <string.h>

#include "check_main.h"
#include "ddi/sched.h"
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

SIM_TEST(c66_tran_returns_and_completions)
{
	static const struct mock_script script[] = {
		{ .tran = TRAN_BUSY }, { .tran = TRAN_BADPKT }, { .tran = TRAN_FATAL_ERROR },
		{ .tran = 7 }, MOCK_OK,
	};
	struct scsi_device *sd = start_one();
	struct scsi_pkt *pkt = mock_pkt(sd, NULL, SCMD_TEST_UNIT_READY, 0);
	struct scsa_stats stats;

	mock.script = script;
	mock.nscript = 5;
	ck_assert_int_eq(scsi_transport(pkt), TRAN_BUSY);
	ck_assert_int_eq(scsi_transport(pkt), TRAN_BADPKT);
	ck_assert_int_eq(scsi_transport(pkt), TRAN_FATAL_ERROR);
	ck_assert_int_eq(scsi_transport(pkt), TRAN_FATAL_ERROR);
	ck_assert_int_eq(mock.n_comp, 0);
	ck_assert_int_eq(scsi_transport(pkt), TRAN_ACCEPT);
	ck_assert_int_eq(mock.n_comp, 1);
	ck_assert_int_eq(scsa_stats_get(mock.dip, &stats), 0);
	ck_assert_uint_eq(stats.busy, 1);
	ck_assert_uint_eq(stats.refused, 3);
	scsi_destroy_pkt(pkt);
	mock_stop();
	ck_assert_int_eq(scsa_stats_get(devi_root(), &stats), -ENODEV);
}

/* the matrix of reasons: the framework hands on what the HBA driver said, untouched */
SIM_TEST(c19_results_reach_the_client_unchanged)
{
	static const struct mock_script script[] = {
		{ TRAN_ACCEPT, CMD_CMPLT, MOCK_STATE_ALL, 0, STATUS_GOOD, 0, 0, 0, 0, 0 },
		{ TRAN_ACCEPT, CMD_CMPLT, MOCK_STATE_ALL, 0, STATUS_QFULL, 0, 0, 0, 0, 0 },
		{ TRAN_ACCEPT, CMD_CMPLT, 0, 0, 0, true, KEY_MEDIUM_ERROR, 0x11, 0x01, 0 },
		{ TRAN_ACCEPT, CMD_INCOMPLETE, STATE_GOT_BUS, 0, 0, 0, 0, 0, 0, 0 },
		{ TRAN_ACCEPT, CMD_DEV_GONE, 0, 0, 0, 0, 0, 0, 0, 0 },
		{ TRAN_ACCEPT, CMD_RESET, STATE_GOT_BUS, STAT_BUS_RESET, 0, 0, 0, 0, 0, 0 },
		{ TRAN_ACCEPT, CMD_TIMEOUT, STATE_GOT_BUS, STAT_TIMEOUT | STAT_ABORTED, 0, 0, 0,
		    0, 0, 0 },
		{ TRAN_ACCEPT, CMD_DATA_OVR, STATE_GOT_BUS | STATE_XFERRED_DATA, 0, 0, 0, 0, 0, 0,
		    0 },
	};
	struct scsi_device *sd = start_one();
	struct scsi_pkt *pkt = mock_pkt(sd, NULL, SCMD_TEST_UNIT_READY, 0);
	struct scsi_arq_status *arq = (void *)pkt->pkt_scbp;

	mock.script = script;
	mock.nscript = 8;
	for (int i = 0; i < 8; i++) {
		pkt->pkt_reason = 99;
		pkt->pkt_statistics = 99;
		ck_assert_int_eq(scsi_transport(pkt), TRAN_ACCEPT);
		ck_assert_uint_eq(pkt->pkt_reason, script[i].reason);
		ck_assert_uint_eq(pkt->pkt_statistics, script[i].statistics);
		if (!script[i].has_sense) {
			ck_assert_uint_eq(pkt->pkt_state, script[i].state);
			continue;
		}
		ck_assert_uint_eq(*pkt->pkt_scbp, STATUS_CHECK);
		ck_assert_uint_ne(pkt->pkt_state & STATE_ARQ_DONE, 0);
		ck_assert_uint_eq(scsi_sense_key((uint8_t *)&arq->sts_sensedata), KEY_MEDIUM_ERROR);
	}
	scsi_destroy_pkt(pkt);
	mock_stop();
}

static int rounds;
static int max_nesting, nesting;

static void
resubmit(struct scsi_pkt *pkt)
{
	ck_assert(sched_is_interrupt());
	ck_assert_uint_ne(pkt->pkt_flags & FLAG_PKT_COMP_CALLED, 0);
	if (++nesting > max_nesting)
		max_nesting = nesting;
	/* as sd does: or FLAG_HEAD in, rewrite nothing else */
	pkt->pkt_flags |= FLAG_HEAD;
	if (--rounds > 0)
		ck_assert_int_eq(scsi_transport(pkt), TRAN_ACCEPT);
	nesting--;
}

SIM_TEST(c86_c92_inline_chain_is_a_loop)
{
	struct scsi_device *sd = start_one();
	struct scsi_pkt *pkt = mock_pkt(sd, NULL, SCMD_TEST_UNIT_READY, 0);
	int starts = mock.n_start;

	rounds = 2000;
	pkt->pkt_comp = resubmit;
	ck_assert_int_eq(scsi_transport(pkt), TRAN_ACCEPT);
	ck_assert_int_eq(rounds, 0);
	ck_assert_int_eq(mock.n_start - starts, 2000);
	ck_assert_int_eq(max_nesting, 1);
	ck_assert_int_eq(mock.max_depth, 1);
	ck_assert(!sched_is_interrupt());
	scsi_destroy_pkt(pkt);
	mock_stop();
}

static void
destroy_self(struct scsi_pkt *pkt)
{
	mock.n_comp++;
	scsi_destroy_pkt(pkt);
}

SIM_TEST(c92_completion_may_destroy_its_packet)
{
	struct scsi_device *sd = start_one();

	for (int i = 0; i < 10; i++) {
		struct scsi_pkt *pkt = mock_pkt(sd, NULL, SCMD_TEST_UNIT_READY, 0);

		pkt->pkt_comp = destroy_self;
		mock.when = i % 2 ? MOCK_LATER : MOCK_INLINE;
		ck_assert_int_eq(scsi_transport(pkt), TRAN_ACCEPT);
		(void)mock_complete();
	}
	ck_assert_int_eq(mock.n_comp, 10);
	mock_stop();
}

static struct scsi_pkt *chain[3], *order[3];
static int n_order;

static void
note_order(struct scsi_pkt *pkt)
{
	order[n_order++] = pkt;
	if (n_order != 1)
		return;
	/* two more from inside: they complete inline, behind this one */
	ck_assert_int_eq(scsi_transport(chain[1]), TRAN_ACCEPT);
	ck_assert_int_eq(scsi_transport(chain[2]), TRAN_ACCEPT);
	ck_assert_int_eq(n_order, 1);
}

SIM_TEST(completions_of_one_turn_keep_their_order)
{
	struct scsi_device *sd = start_one();

	for (int i = 0; i < 3; i++) {
		chain[i] = mock_pkt(sd, NULL, SCMD_TEST_UNIT_READY, 0);
		chain[i]->pkt_comp = note_order;
	}
	ck_assert_int_eq(scsi_transport(chain[0]), TRAN_ACCEPT);
	ck_assert_int_eq(n_order, 3);
	for (int i = 0; i < 3; i++) {
		ck_assert_ptr_eq(order[i], chain[i]);
		scsi_destroy_pkt(chain[i]);
	}
	mock_stop();
}

SIM_TEST(c64_nointr_is_converted_for_a_thread_that_can_wait)
{
	struct scsi_device *sd = start_one();
	struct scsi_pkt *pkt = mock_pkt(sd, NULL, SCMD_TEST_UNIT_READY, 0);

	for (int when = MOCK_INLINE; when <= MOCK_TASKQ; when += MOCK_TASKQ) {
		mock.when = (enum mock_when)when;
		mock.n_nointr = 0;
		pkt->pkt_flags = FLAG_NOINTR | FLAG_STAG;
		ck_assert_int_eq(scsi_transport(pkt), TRAN_ACCEPT);
		ck_assert_uint_eq(pkt->pkt_flags, FLAG_NOINTR | FLAG_STAG);
		ck_assert(pkt->pkt_comp == mock_pkt_done);
		ck_assert_uint_eq(pkt->pkt_reason, CMD_CMPLT);
		ck_assert_int_eq(mock.n_nointr, 0);
		ck_assert_uint_eq(mock.last_flags & FLAG_IMMEDIATE_CB, FLAG_IMMEDIATE_CB);
	}
	ck_assert_int_eq(mock.n_comp, 0);
	scsi_destroy_pkt(pkt);
	mock_stop();
}

SIM_TEST(c64_interrupt_context_makes_the_hba_poll)
{
	struct scsi_device *sd = start_one();
	struct scsi_pkt *pkt = mock_pkt(sd, NULL, SCMD_TEST_UNIT_READY, 0);
	bool was = sched_set_interrupt(true);

	pkt->pkt_flags = FLAG_NOINTR;
	ck_assert_int_eq(scsi_transport(pkt), TRAN_ACCEPT);
	(void)sched_set_interrupt(was);
	ck_assert_int_eq(mock.n_nointr, 1);
	ck_assert_int_eq(mock.n_comp, 0);
	/* and again as an ordinary one */
	pkt->pkt_flags = 0;
	ck_assert_int_eq(scsi_transport(pkt), TRAN_ACCEPT);
	ck_assert_int_eq(mock.n_comp, 1);
	scsi_destroy_pkt(pkt);
	mock_stop();
}

SIM_TEST(nointr_refusals_come_back_at_once)
{
	static const struct mock_script script[] = { { .tran = TRAN_BUSY } };
	struct scsi_device *sd = start_one();
	struct scsi_pkt *pkt = mock_pkt(sd, NULL, SCMD_TEST_UNIT_READY, 0);
	bool was;

	mock.script = script;
	mock.nscript = 1;
	pkt->pkt_flags = FLAG_NOINTR;
	ck_assert_int_eq(scsi_transport(pkt), TRAN_BUSY);
	mock.script_at = 0;
	was = sched_set_interrupt(true);
	ck_assert_int_eq(scsi_transport(pkt), TRAN_BUSY);
	(void)sched_set_interrupt(was);
	scsi_destroy_pkt(pkt);
	mock_stop();
}

SIM_TEST(c33_double_completion_is_ignored_and_counted)
{
	struct scsi_device *sd = start_one();
	struct scsi_pkt *pkt = mock_pkt(sd, NULL, SCMD_TEST_UNIT_READY, 0);
	struct scsa_stats stats;

	mock_violations();
	mock.when = MOCK_LATER;
	ck_assert_int_eq(scsi_transport(pkt), TRAN_ACCEPT);
	ck_assert_int_eq(mock_complete(), 1);
	scsi_hba_pkt_comp(pkt);
	ck_assert_int_eq(mock.n_comp, 1);
	ck_assert_str_eq(mock_violation_rule(), "pkt-double-completion");
	ck_assert_int_eq(scsa_stats_get(mock.dip, &stats), 0);
	ck_assert_uint_eq(stats.double_comp, 1);
	scsi_destroy_pkt(pkt);
	mock_stop();
}

static void
complete_directly(struct scsi_address *ap, struct scsi_pkt *pkt)
{
	(void)ap;
	pkt->pkt_reason = CMD_CMPLT;
	pkt->pkt_comp(pkt);
	/* the mock goes on to keep it; that one is forgotten again */
}

START_TEST(c32_direct_completion_is_found_at_resubmission)
{
	struct scsi_device *sd;
	struct scsi_pkt *pkt;
	struct scsa_stats stats;

	/* without the ordering checker: this driver breaks its rules */
	mock_defaults();
	mock_violations();
	sd = start_one();
	pkt = mock_pkt(sd, NULL, SCMD_TEST_UNIT_READY, 0);
	mock.when = MOCK_LATER;
	mock.on_start = complete_directly;
	ck_assert_int_eq(scsi_transport(pkt), TRAN_ACCEPT);
	ck_assert_int_eq(mock_violation_count(), 0);
	mock.n_pending = 0;
	mock.on_start = NULL;
	ck_assert_int_eq(scsi_transport(pkt), TRAN_ACCEPT);
	ck_assert_int_eq(mock_violation_count(), 1);
	ck_assert_str_eq(mock_violation_rule(), "pkt-direct-completion");
	ck_assert_int_eq(scsa_stats_get(mock.dip, &stats), 0);
	ck_assert_uint_eq(stats.direct_comp, 1);
	ck_assert_int_eq(mock_complete(), 1);
	scsi_destroy_pkt(pkt);
	mock_stop();
}
END_TEST

START_TEST(a_packet_destroyed_in_transport_is_freed_when_it_comes_back)
{
	struct scsi_device *sd;
	struct scsi_pkt *pkt;
	int teardowns;

	mock_defaults();
	mock_violations();
	sd = start_one();
	pkt = mock_pkt(sd, NULL, SCMD_TEST_UNIT_READY, 0);
	mock.when = MOCK_LATER;
	ck_assert_int_eq(scsi_transport(pkt), TRAN_ACCEPT);
	teardowns = mock.n_teardown;
	scsi_destroy_pkt(pkt);
	ck_assert_str_eq(mock_violation_rule(), "pkt-destroy-issued");
	ck_assert_int_eq(mock.n_teardown, teardowns);
	/* it cannot be used any more */
	ck_assert_int_eq(scsi_transport(pkt), TRAN_BADPKT);
	ck_assert_str_eq(mock_violation_rule(), "pkt-state");
	ck_assert_int_eq(mock_complete(), 1);
	ck_assert_int_eq(mock.n_comp, 0);
	ck_assert_int_eq(mock.n_teardown, teardowns + 1);
	mock_stop();
}
END_TEST

#ifdef SCSAD_DEBUG /* a check of debug builds */
START_TEST(a_unit_freed_with_packets_in_transport_is_found)
{
	struct scsi_device *sd;
	struct scsi_pkt *pkt;

	mock_defaults();
	mock_violations();
	sd = start_one();
	pkt = mock_pkt(sd, NULL, SCMD_TEST_UNIT_READY, 0);
	mock.when = MOCK_LATER;
	ck_assert_int_eq(scsi_transport(pkt), TRAN_ACCEPT);
	mock.when = MOCK_INLINE;
	ck_assert_int_eq(scsa_bus_unconfig_one(mock.dip, "0,0"), 0);
	ck_assert_str_eq(mock_violation_rule(), "tgt-free-busy");
	/* the process ends here: the packet still names a unit that is gone */
}
END_TEST
#endif

static struct scsi_pkt *early;

static void
complete_early(struct scsi_address *ap, struct scsi_pkt *pkt)
{
	(void)ap;
	early = pkt;
	scsi_hba_pkt_comp(pkt);
}

START_TEST(completion_without_accept_counts_as_accepted)
{
	static const struct mock_script script[] = { { .tran = TRAN_BUSY } };
	struct scsi_device *sd;
	struct scsi_pkt *pkt;

	mock_defaults();
	mock_violations();
	sd = start_one();
	pkt = mock_pkt(sd, NULL, SCMD_TEST_UNIT_READY, 0);
	mock.script = script;
	mock.nscript = 1;
	mock.on_start = complete_early;
	ck_assert_int_eq(scsi_transport(pkt), TRAN_ACCEPT);
	ck_assert_int_eq(mock.n_comp, 1);
	ck_assert_str_eq(mock_violation_rule(), "pkt-comp-without-accept");
	mock.on_start = NULL;
	scsi_destroy_pkt(pkt);
	mock_stop();
}
END_TEST

START_TEST(completion_of_a_polled_packet_is_a_violation)
{
	struct scsi_device *sd;
	struct scsi_pkt *pkt;
	bool was;

	mock_defaults();
	mock_violations();
	sd = start_one();
	pkt = mock_pkt(sd, NULL, SCMD_TEST_UNIT_READY, 0);
	mock.on_start = complete_early;
	pkt->pkt_flags = FLAG_NOINTR;
	was = sched_set_interrupt(true);
	ck_assert_int_eq(scsi_transport(pkt), TRAN_ACCEPT);
	(void)sched_set_interrupt(was);
	ck_assert_str_eq(mock_violation_rule(), "pkt-comp-nointr");
	ck_assert_int_eq(mock.n_comp, 0);
	mock.on_start = NULL;
	scsi_destroy_pkt(pkt);
	mock_stop();
}
END_TEST

#ifdef SCSAD_DEBUG /* a check of debug builds */
SIM_TEST(c16_sd_mutex_across_transport_is_found)
{
	struct scsi_device *sd = start_one();
	struct scsi_pkt *pkt = mock_pkt(sd, NULL, SCMD_TEST_UNIT_READY, 0);

	mock_violations();
	ck_assert_int_eq(scsi_poll(pkt), 0);
	ck_assert_int_eq(mock_violation_count(), 0);
	mutex_enter(&sd->sd_mutex);
	ck_assert_int_eq(scsi_poll(pkt), 0);
	ck_assert_str_eq(mock_violation_rule(), "sd-mutex-held");
	ck_assert_int_eq(scsi_transport(pkt), TRAN_ACCEPT);
	ck_assert_int_eq(mock_violation_count(), 2);
	mutex_exit(&sd->sd_mutex);
	scsi_destroy_pkt(pkt);
	mock_stop();
}
#endif

/* a packet that a driver made without the framework: only its flags tell */
SIM_TEST(foreign_packets_complete_once)
{
	struct scsi_device *sd = start_one();
	struct mock_script pass[] = { MOCK_OK };
	uchar_t cdb[16] = { SCMD_TEST_UNIT_READY }, status;
	struct scsi_pkt *pkt = mock_pkt(sd, NULL, SCMD_TEST_UNIT_READY, 0);
	struct scsi_pkt foreign = {
		.pkt_address = sd->sd_address, .pkt_cdbp = cdb, .pkt_scbp = &status,
		.pkt_scblen = 1, .pkt_cdblen = 6, .pkt_comp = mock_pkt_done,
		.pkt_ha_private = pkt->pkt_ha_private,
	};

	mock_violations();
	mock.script = pass;
	ck_assert_int_eq(scsi_transport(&foreign), TRAN_ACCEPT);
	ck_assert_int_eq(mock.n_comp, 1);
	scsi_hba_pkt_comp(&foreign);
	ck_assert_int_eq(mock.n_comp, 1);
	ck_assert_str_eq(mock_violation_rule(), "pkt-double-completion");
	foreign.pkt_flags = FLAG_NOINTR;
	ck_assert_int_eq(scsi_transport(&foreign), TRAN_ACCEPT);
	ck_assert_int_eq(mock.n_comp, 1);
	scsi_destroy_pkt(pkt);
	mock_stop();
}

#ifdef SCSAD_DEBUG
#define DEBUG_TESTS                                                            \
	, a_unit_freed_with_packets_in_transport_is_found,                     \
	    c16_sd_mutex_across_transport_is_found
#else
#define DEBUG_TESTS
#endif

CHECK_MAIN("completion", c66_tran_returns_and_completions,
    c19_results_reach_the_client_unchanged, c86_c92_inline_chain_is_a_loop,
    c92_completion_may_destroy_its_packet, completions_of_one_turn_keep_their_order,
    c64_nointr_is_converted_for_a_thread_that_can_wait,
    c64_interrupt_context_makes_the_hba_poll, nointr_refusals_come_back_at_once,
    c33_double_completion_is_ignored_and_counted,
    c32_direct_completion_is_found_at_resubmission,
    a_packet_destroyed_in_transport_is_freed_when_it_comes_back,
    completion_without_accept_counts_as_accepted,
    completion_of_a_polled_packet_is_a_violation, foreign_packets_complete_once DEBUG_TESTS)
