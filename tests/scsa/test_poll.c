/* C65: scsi_poll and what it does about each outcome, on a virtual clock */
#include "base/clock.h"
#include "check_main.h"
#include "scsa/config.h"
#include "tests/scsa/mock_hba.h"

static struct scsi_device *sd;
static struct scsi_pkt *pkt;

static void
begin(void)
{
	mock.targets = 1;
	(void)mock_start();
	ck_assert_int_eq(scsa_bus_config_all(mock.dip), 1);
	sd = mock_unit(mock_port(), "0,0");
	pkt = mock_pkt(sd, NULL, SCMD_TEST_UNIT_READY, 0);
}

static void
end(void)
{
	scsi_destroy_pkt(pkt);
	mock_stop();
}

/* run a script; how many attempts and milliseconds it took, and what scsi_poll said */
static void
poll_script(const struct mock_script *script, int n, int want, int starts, uint64_t ms)
{
	uint64_t t0 = clock_now_ns();
	int s0 = mock.n_start;

	mock.script = script;
	mock.nscript = n;
	mock.script_at = 0;
	ck_assert_int_eq(scsi_poll(pkt), want);
	ck_assert_int_eq(mock.n_start - s0, starts);
	ck_assert_uint_eq((clock_now_ns() - t0) / NS_PER_MS, ms);
	/* as they were */
	ck_assert_uint_eq(pkt->pkt_flags, FLAG_STAG);
	ck_assert(pkt->pkt_comp == mock_pkt_done);
	ck_assert_int_eq(mock.n_comp, 0);
}

#define STATUS(s)	{ TRAN_ACCEPT, CMD_CMPLT, MOCK_STATE_ALL, 0, (s), 0, 0, 0, 0, 0 }
#define REASON(r, st)	{ TRAN_ACCEPT, (r), (st), 0, 0, 0, 0, 0, 0, 0 }
#define SENSE(k, a, q)	{ TRAN_ACCEPT, CMD_CMPLT, 0, 0, 0, true, (k), (a), (q), 0 }

SIM_TEST(c65_outcomes_of_poll)
{
	static const struct mock_script good[] = { STATUS(STATUS_GOOD) };
	static const struct mock_script busy_hba[] = {
		{ .tran = TRAN_BUSY }, { .tran = TRAN_BUSY }, STATUS(STATUS_GOOD) };
	static const struct mock_script bad[] = { { .tran = TRAN_BADPKT } };
	static const struct mock_script absent[] = {
		REASON(CMD_INCOMPLETE, 0), STATUS(STATUS_GOOD) };
	static const struct mock_script selected[] = { REASON(CMD_INCOMPLETE, STATE_GOT_BUS) };
	static const struct mock_script qfull[] = { STATUS(STATUS_QFULL), STATUS(STATUS_GOOD) };
	static const struct mock_script busy[] = { STATUS(STATUS_BUSY), STATUS(STATUS_GOOD) };
	static const struct mock_script becoming[] = {
		SENSE(KEY_NOT_READY, 0x04, 0x01), STATUS(STATUS_GOOD) };
	static const struct mock_script not_ready[] = { SENSE(KEY_NOT_READY, 0x3a, 0x00) };
	static const struct mock_script attention[] = { SENSE(KEY_UNIT_ATTENTION, 0x29, 0x00) };
	static const struct mock_script gone[] = { REASON(CMD_DEV_GONE, 0) };
	static const struct mock_script conflict[] = { STATUS(STATUS_RESERVATION_CONFLICT) };
	static const struct mock_script aborted[] = { STATUS(STATUS_TASK_ABORT) };

	begin();
	pkt->pkt_flags = FLAG_STAG;
	poll_script(good, 1, 0, 1, 0);
	poll_script(busy_hba, 3, 0, 3, 20);
	poll_script(bad, 1, -1, 1, 0);
	poll_script(absent, 2, 0, 2, 10);
	poll_script(selected, 1, -1, 1, 0);
	poll_script(qfull, 2, 0, 2, 10);
	poll_script(busy, 2, 0, 2, 1000);
	poll_script(becoming, 2, 0, 2, 1000);
	poll_script(not_ready, 1, -1, 1, 0);
	poll_script(attention, 1, -1, 1, 0);
	poll_script(gone, 1, -1, 1, 0);
	poll_script(conflict, 1, -1, 1, 0);
	poll_script(aborted, 1, -1, 1, 0);
	ck_assert_uint_eq(pkt->pkt_time, 5);
	end();
}

static struct mock_script always[7000];

SIM_TEST(c65_poll_gives_up_when_the_time_is_over)
{
	begin();
	pkt->pkt_flags = FLAG_STAG;
	for (int i = 0; i < 7000; i++)
		always[i] = (struct mock_script){ .tran = TRAN_BUSY };
	pkt->pkt_time = 2;
	poll_script(always, 7000, -1, 201, 2000);
	/* 0 means a minute */
	pkt->pkt_time = 0;
	poll_script(always, 7000, -1, 6001, 60000);
	ck_assert_uint_eq(pkt->pkt_time, 0);
	end();
}

SIM_TEST(probe_waits_for_a_busy_adapter)
{
	uint64_t t0;

	begin();
	t0 = clock_now_ns();
	for (int i = 0; i < 50; i++)
		always[i] = (struct mock_script){ .tran = TRAN_BUSY };
	mock.script = always;
	mock.nscript = 50;
	ck_assert_int_eq(scsi_probe(sd, SLEEP_FUNC), SCSIPROBE_EXISTS);
	ck_assert_uint_eq((clock_now_ns() - t0) / NS_PER_MS, 500);
	for (int i = 0; i < 7000; i++)
		always[i] = (struct mock_script){ .tran = TRAN_BUSY };
	mock.nscript = 7000;
	mock.script_at = 0;
	t0 = clock_now_ns();
	ck_assert_int_eq(scsi_probe(sd, SLEEP_FUNC), SCSIPROBE_FAILURE);
	ck_assert_uint_eq((clock_now_ns() - t0) / NS_PER_MS, 60000);
	mock.nscript = 0;
	end();
}

SIM_TEST(probe_judges_each_end)
{
	static const struct mock_script absent[] = { REASON(CMD_INCOMPLETE, STATE_GOT_BUS) };
	static const struct mock_script twice[] = { REASON(CMD_TRAN_ERR, 0), MOCK_OK };
	static const struct mock_script failing[] = {
		REASON(CMD_TRAN_ERR, 0), REASON(CMD_TRAN_ERR, 0) };
	static const struct mock_script busy[] = { STATUS(STATUS_BUSY), STATUS(STATUS_BUSY) };
	static const struct mock_script check[] = { SENSE(KEY_UNIT_ATTENTION, 0x29, 0), MOCK_OK };
	static const struct mock_script no_arq[] = { STATUS(STATUS_CHECK), MOCK_OK, MOCK_OK };
	static const struct mock_script odd[] = {
		STATUS(STATUS_INTERMEDIATE), STATUS(STATUS_INTERMEDIATE) };
	static const struct {
		const struct mock_script *script;
		int n, want;
	} rows[] = {
		{ absent, 1, SCSIPROBE_NORESP }, { twice, 2, SCSIPROBE_EXISTS },
		{ failing, 2, SCSIPROBE_FAILURE }, { busy, 2, SCSIPROBE_BUSY },
		{ check, 2, SCSIPROBE_EXISTS }, { no_arq, 3, SCSIPROBE_EXISTS },
		{ odd, 2, SCSIPROBE_FAILURE },
	};

	begin();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		mock.script = rows[i].script;
		mock.nscript = rows[i].n;
		mock.script_at = 0;
		ck_assert_int_eq(scsi_probe(sd, SLEEP_FUNC), rows[i].want);
		ck_assert_int_eq(mock.script_at, rows[i].n);
	}
	ck_assert_uint_eq(mock.last_flags & FLAG_TAGMASK, FLAG_STAG);
	end();
}

CHECK_MAIN("poll", c65_outcomes_of_poll, c65_poll_gives_up_when_the_time_is_over,
    probe_waits_for_a_busy_adapter, probe_judges_each_end)
