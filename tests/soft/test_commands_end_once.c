/* C67-C72, C75: faults, aborts, resets, timeouts and quiesce: every packet ends once, for the
 * reason that came first */
#include <string.h>
#include <sys/taskq.h>

#include "check_main.h"
#include "ddi/sched.h"
#include "mock_flow.h"
#include "scsa/config.h"

static uint8_t cdb[CDB_BUF_LEN], data[4096];
static struct io io, other, third;

/* a packet on its way */
static void
send(struct io *one, struct scsi_device *sd, uint_t seconds)
{
	io_init(one, sd, cdb, cdb_read(cdb, CDB_10, 0, 8, 0), data, sizeof(data), true, IO_ARQ);
	one->pkt->pkt_time = seconds;
	io_send(one);
}

static bool
is_done(const struct io *one)
{
	return atomic_load(&one->done) > 0;
}

static struct soft_disk_info
info(void)
{
	struct soft_disk_info i;

	ck_assert_int_eq(soft_disk_info_get(flow_hba, 0, &i), 0);
	return i;
}

static void
take_attention(struct scsi_device *sd, uint16_t asc)
{
	ck_assert(!io_run(&io, sd, cdb, cdb_tur(cdb), NULL, 0, true));
	ck_assert_uint_eq(io.sense.asc, asc);
	io_fini(&io);
}

static void
answered_faults(void)
{
	static const struct {
		const char *text;
		uint8_t reason;
		uint_t state;
		uint8_t status;
	} rows[] = {
	    {"action=busy,count=1", CMD_CMPLT, 0x17, STATUS_BUSY},
	    {"action=qfull,count=1", CMD_CMPLT, 0x17, STATUS_QFULL},
	    {"action=gone,count=1", CMD_DEV_GONE, 0, 0},
	    {"action=tran_err,count=1", CMD_TRAN_ERR, 0x07, 0},
	    {"action=short,bytes=512,count=1", CMD_CMPLT, 0x1f, 0},
	    {"action=check,sense=4/44/00,count=1", CMD_CMPLT, 0x37, STATUS_CHECK},
	    {"action=medium,lba=3-5,count=1", CMD_CMPLT, 0x37, STATUS_CHECK},
	    {"action=dup,count=1", CMD_CMPLT, 0x1f, 0},
	    {"action=resid,bytes=123,count=1", CMD_CMPLT, 0x1f, 0},
	};
	struct scsi_device *sd = flow_sd(0, 0);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint32_t id = fault(rows[i].text);

		send(&io, sd, 10);
		io_wait(&io);
		ck_assert_msg(io_ended(&io, rows[i].reason, 0), "%s", rows[i].text);
		ck_assert_msg(io.pkt->pkt_state == rows[i].state, "%s: %x", rows[i].text,
		    io.pkt->pkt_state);
		if (rows[i].reason == CMD_CMPLT)
			ck_assert_uint_eq(*io.pkt->pkt_scbp, rows[i].status);
		ck_assert_int_eq(io.pkt->pkt_resid, i == 4 ? 3584 : i == 7 ? 0 :
		    i == 8 ? 123 : 4096);
		if (i == 6) {
			ck_assert_uint_eq(io.sense.asc, ASC_UNRECOVERED_READ_ERROR);
			ck_assert_uint_eq(io.sense.info, 3);
		}
		io_fini(&io);
		ck_assert_int_eq(soft_fault_remove(flow_hba, id), 0);
	}
	ck_assert_uint_eq(info().faults, 9);
	ck_assert_uint_eq(info().spurious, 1);
	ck_assert_int_eq(soft_fault_remove(flow_hba, 12345), -ENOENT);
}

/* neither abort nor time gets it back */
static void
stuck_until_reset(void)
{
	struct scsi_device *sd = flow_sd(0, 0);

	(void)fault("action=stuck,op=read,count=1");
	send(&io, sd, 2);
	ck_assert_int_eq(scsi_abort(&sd->sd_address, io.pkt), 0);
	ck_assert_int_eq(scsi_abort(&sd->sd_address, NULL), 0);
	sim_advance_us(10 * 1000000);
	ck_assert(!is_done(&io));
	ck_assert_int_eq(scsi_reset(&sd->sd_address, RESET_TARGET), 1);
	io_wait(&io);
	ck_assert(io_ended(&io, CMD_RESET, STAT_DEV_RESET));
	io_fini(&io);
	take_attention(sd, ASC_DEVICE_RESET);
}

static void
delay_takes_its_time(void)
{
	struct fault_rule rules[2];
	uint64_t before = sim_now_us();

	(void)fault("action=delay,ms=50,op=read");
	send(&io, flow_sd(0, 0), 10);
	ck_assert(!is_done(&io));
	io_wait(&io);
	ck_assert(io_ended(&io, CMD_CMPLT, 0));
	ck_assert_uint_ge(sim_now_us() - before, 50000);
	ck_assert_uint_le(sim_now_us() - before, 75000);
	io_fini(&io);
	ck_assert_uint_eq(soft_fault_list(flow_hba, rules, 2), 1);
	ck_assert_uint_eq(rules[0].hits, 1);
	ck_assert_int_eq(soft_fault_remove(flow_hba, 0), 0);
	ck_assert_uint_eq(soft_fault_list(flow_hba, rules, 2), 0);
}

static void
delayed_duplicate_after_abort(void)
{
	struct scsi_device *sd = flow_sd(0, 0);

	(void)fault("action=delay,ms=20,count=2");
	(void)fault("action=dup,count=2");
	send(&io, sd, 10);
	send(&other, sd, 10);
	ck_assert_int_eq(scsi_abort(&sd->sd_address, io.pkt), 1);
	io_wait(&io);
	ck_assert(io_ended(&io, CMD_ABORTED, STAT_ABORTED));
	io_wait(&other);
	sim_advance_us(1000000);
	ck_assert(io_ended(&io, CMD_ABORTED, STAT_ABORTED));
	ck_assert(io_ended(&other, CMD_CMPLT, 0));
	io_fini(&io);
	io_fini(&other);
	ck_assert_uint_eq(info().spurious, 1);
}

static void
abort_one_and_all(void)
{
	struct scsi_device *sd = flow_sd(0, 0);
	struct scsi_address *ap = &sd->sd_address;

	(void)fault("action=drop,op=read");
	send(&io, sd, 0);
	send(&other, sd, 0);
	send(&third, flow_sd(1, 0), 0);
	ck_assert_int_eq(scsi_abort(ap, io.pkt), 1);
	sim_settle();
	ck_assert(io_ended(&io, CMD_ABORTED, STAT_ABORTED));
	ck_assert(!is_done(&other));
	ck_assert_int_eq(scsi_abort(ap, io.pkt), 0);
	ck_assert_int_eq(scsi_abort(ap, NULL), 1);
	sim_settle();
	ck_assert(io_ended(&other, CMD_ABORTED, STAT_ABORTED));
	ck_assert(!is_done(&third));
	ck_assert_int_eq(scsi_clear_task_set(&flow_sd(1, 0)->sd_address), 1);
	io_wait(&third);
	ck_assert(io_ended(&third, CMD_ABORTED, STAT_ABORTED));
	io_fini(&third);
	send(&third, flow_sd(1, 0), 0);
	ck_assert_int_eq(scsi_terminate_task(&flow_sd(1, 0)->sd_address, third.pkt), 1);
	io_wait(&third);
	ck_assert(io_ended(&third, CMD_TERMINATED, STAT_TERMINATED));
	ck_assert_int_eq(scsi_terminate_task(&flow_sd(1, 0)->sd_address, third.pkt), 0);
	ck_assert_uint_eq(info().aborted, 2);
	io_fini(&io);
	io_fini(&other);
	io_fini(&third);
}

static unsigned int told[2];

static void
on_reset(caddr_t arg)
{
	told[(uintptr_t)arg]++;
}

static void
reset_levels(void)
{
	struct scsi_address *ap = &flow_sd(0, 0)->sd_address;
	struct scsi_address *other_ap = &flow_sd(1, 0)->sd_address;

	told[0] = told[1] = 0;
	ck_assert_int_eq(
	    scsi_reset_notify(other_ap, SCSI_RESET_NOTIFY, on_reset, (caddr_t)1), DDI_SUCCESS);
	ck_assert_int_eq(
	    scsi_reset_notify(ap, SCSI_RESET_NOTIFY, on_reset, (caddr_t)0), DDI_SUCCESS);
	ck_assert_int_eq(
	    scsi_reset_notify(ap, SCSI_RESET_NOTIFY, on_reset, (caddr_t)0), DDI_FAILURE);
	(void)fault("action=drop,op=read");

	/* a unit: its neighbours do not notice */
	send(&io, flow_sd(0, 0), 0);
	send(&other, flow_sd(0, 1), 0);
	send(&third, flow_sd(1, 0), 0);
	ck_assert_int_eq(scsi_reset(ap, RESET_LUN), 1);
	sim_settle();
	ck_assert(io_ended(&io, CMD_RESET, STAT_DEV_RESET));
	ck_assert(!is_done(&other) && !is_done(&third));
	ck_assert_uint_eq(told[0], 1);
	io_fini(&io);
	take_attention(flow_sd(0, 0), ASC_DEVICE_RESET);

	/* a target: all its units */
	send(&io, flow_sd(0, 0), 0);
	ck_assert_int_eq(scsi_reset(ap, RESET_TARGET), 1);
	sim_settle();
	ck_assert(io_ended(&io, CMD_RESET, STAT_DEV_RESET));
	ck_assert(io_ended(&other, CMD_RESET, STAT_DEV_RESET));
	ck_assert(!is_done(&third));
	io_fini(&io);
	ck_assert_uint_eq(told[1], 0);

	/* everything */
	ck_assert_int_eq(scsi_reset(ap, RESET_ALL), 1);
	sim_settle();
	ck_assert(io_ended(&third, CMD_RESET, STAT_BUS_RESET));
	take_attention(flow_sd(1, 0), ASC_BUS_RESET);
	ck_assert_uint_eq(told[0], 3);
	ck_assert_uint_eq(told[1], 1);
	io_fini(&other);
	io_fini(&third);

	send(&io, flow_sd(0, 0), 0);
	ck_assert_int_eq(scsa_bus_reset(soft_hba_node(flow_hba)), 0);
	sim_settle();
	ck_assert(io_ended(&io, CMD_RESET, STAT_BUS_RESET));
	ck_assert_uint_eq(told[0], 4);
	io_fini(&io);
	ck_assert_int_eq(scsi_reset_notify(ap, SCSI_RESET_CANCEL, NULL, NULL), DDI_SUCCESS);
	ck_assert_int_eq(scsi_reset_notify(other_ap, SCSI_RESET_CANCEL, NULL, NULL), DDI_SUCCESS);
	ck_assert_int_eq(scsi_reset(ap, RESET_BUS), 0);
	ck_assert_uint_eq(info().reset, 3);

	/* the gate */
	ck_assert_int_eq(scsi_ifsetcap(ap, (char *)(uintptr_t)"lun-reset", 0, 1), 1);
	ck_assert_int_eq(scsi_reset(ap, RESET_LUN), 0);
	ck_assert_int_eq(scsi_ifsetcap(ap, (char *)(uintptr_t)"lun-reset", 1, 1), 1);
}

static void
bus_reset_by_fault(void)
{
	(void)fault("action=drop,target=1");
	(void)fault("action=bus_reset,target=0,count=1");
	send(&other, flow_sd(1, 0), 0);
	send(&io, flow_sd(0, 0), 0);
	io_wait(&io);
	io_wait(&other);
	ck_assert(io_ended(&io, CMD_RESET, STAT_BUS_RESET));
	ck_assert(io_ended(&other, CMD_RESET, STAT_BUS_RESET));
	io_fini(&io);
	io_fini(&other);
	ck_assert_int_eq(soft_fault_remove(flow_hba, 0), 0);
	take_attention(flow_sd(0, 0), ASC_BUS_RESET);
	take_attention(flow_sd(1, 0), ASC_BUS_RESET);
}

static void
timeouts(void)
{
	struct scsi_device *sd = flow_sd(0, 0);
	uint64_t before;

	(void)fault("action=drop,op=read");
	before = sim_now_us();
	send(&io, sd, 3);
	send(&other, sd, 0);
	send(&third, sd, 60);
	io_wait(&io);
	ck_assert(io_ended(&io, CMD_TIMEOUT, STAT_TIMEOUT | STAT_ABORTED));
	ck_assert_uint_ge(sim_now_us() - before, 3000000);
	ck_assert_uint_le(sim_now_us() - before, 4100000);
	ck_assert(!is_done(&other) && !is_done(&third));
	/* without a limit there is none; the same packet gets a whole interval again */
	before = sim_now_us();
	io_send(&io);
	io_wait(&io);
	ck_assert_uint_ge(sim_now_us() - before, 3000000);
	io_wait(&third);
	sim_advance_us(3600ull * 1000000);
	ck_assert(!is_done(&other));
	ck_assert_int_eq(scsi_abort(&sd->sd_address, NULL), 1);
	io_wait(&other);
	ck_assert_uint_eq(info().timed_out, 3);
	io_fini(&io);
	io_fini(&other);
	io_fini(&third);
	/* a delay beyond its limit times out, and is not executed later */
	ck_assert_int_eq(soft_fault_remove(flow_hba, 0), 0);
	(void)fault("action=delay,s=5,count=1");
	send(&io, sd, 1);
	io_wait(&io);
	ck_assert(io_ended(&io, CMD_TIMEOUT, STAT_TIMEOUT | STAT_ABORTED));
	sim_advance_us(10000000);
	ck_assert(io_ended(&io, CMD_TIMEOUT, STAT_TIMEOUT | STAT_ABORTED));
	io_fini(&io);
}

static void
polling_is_not_kept_waiting(void)
{
	struct scsi_device *sd = flow_sd(0, 0);
	bool was;

	(void)fault("action=drop,op=0x12");
	(void)fault("action=delay,s=100,op=0x28");
	was = sched_set_interrupt(true);
	io_init(&io, sd, cdb, cdb_inquiry(cdb, 36), data, 36, true, IO_ARQ);
	io.pkt->pkt_flags |= FLAG_NOINTR;
	ck_assert_int_eq(scsi_transport(io.pkt), TRAN_ACCEPT);
	ck_assert_int_eq(io.pkt->pkt_reason, CMD_TIMEOUT);
	io_fini(&io);
	io_init(&io, sd, cdb, cdb_read(cdb, CDB_10, 0, 1, 0), data, 512, true, IO_ARQ);
	io.pkt->pkt_flags |= FLAG_NOINTR;
	ck_assert_int_eq(scsi_transport(io.pkt), TRAN_ACCEPT);
	ck_assert_int_eq(io.pkt->pkt_reason, CMD_CMPLT);
	ck_assert_uint_eq(atomic_load(&io.done), 0);
	io_fini(&io);
	(void)sched_set_interrupt(was);
}

static int
try_transport(void)
{
	return scsi_transport(io.pkt);
}

static void
abort_later(void *arg)
{
	struct scsi_device *sd = arg;

	sched_sleep_ns(1000000000);
	(void)scsi_abort(&sd->sd_address, NULL);
}

static void
quiesce_waits_and_holds_back(void)
{
	struct scsi_device *sd = flow_sd(0, 0);
	dev_info_t *node = soft_hba_node(flow_hba);
	taskq_t *tq = taskq_create("abort", 1, 0, 1, 1, 0);
	uint64_t before = sim_now_us();

	(void)fault("action=drop,op=read,count=1");
	send(&other, sd, 0);
	ck_assert_uint_ne(taskq_dispatch(tq, abort_later, sd, TQ_SLEEP), 0);
	ck_assert_int_eq(scsa_bus_quiesce(node), 0);
	ck_assert_uint_ge(sim_now_us() - before, 1000000);
	ck_assert(atomic_load(&other.done) == 1 || other.pkt->pkt_reason == CMD_ABORTED);
	ck_assert_int_eq(scsa_bus_quiesce(node), -EALREADY);
	io_init(&io, sd, cdb, cdb_tur(cdb), NULL, 0, true, IO_ARQ);
	ck_assert_int_eq(try_transport(), TRAN_BUSY);
	ck_assert_int_eq(scsa_bus_unquiesce(node), 0);
	ck_assert_int_eq(try_transport(), TRAN_ACCEPT);
	io_wait(&io);
	io_wait(&other);
	io_fini(&io);
	io_fini(&other);
	taskq_destroy(tq);
}

static void
malformed_packets(void)
{
	struct scsi_device *sd = flow_sd(0, 0);
	uint_t len;

	io_init(&io, sd, cdb, cdb_tur(cdb), NULL, 0, true, IO_ARQ);
	len = io.pkt->pkt_cdblen;
	io.pkt->pkt_cdblen = 0;
	ck_assert_int_eq(try_transport(), TRAN_BADPKT);
	io.pkt->pkt_cdblen = 17;
	ck_assert_int_eq(try_transport(), TRAN_BADPKT);
	io.pkt->pkt_cdblen = len;
	ck_assert_uint_eq(atomic_load(&io.done), 0);
	io_fini(&io);
}

#define FLOW_TEST(name)                                                        \
	START_TEST(flow_##name)                                                \
	{                                                                      \
		struct flow flow = { .scenario = name, .disks = {              \
			"mem:1M,target=0", "mem:1M,target=0,lun=1", "mem:1M,target=1" } }; \
                                                                               \
		for (flow.seed = 1; flow.seed <= 5; flow.seed++)               \
			flow_run(&flow);                                       \
	}                                                                      \
	END_TEST

FLOW_TEST(answered_faults)
FLOW_TEST(stuck_until_reset)
FLOW_TEST(delay_takes_its_time)
FLOW_TEST(delayed_duplicate_after_abort)
FLOW_TEST(abort_one_and_all)
FLOW_TEST(reset_levels)
FLOW_TEST(bus_reset_by_fault)
FLOW_TEST(timeouts)
FLOW_TEST(polling_is_not_kept_waiting)
FLOW_TEST(quiesce_waits_and_holds_back)
FLOW_TEST(malformed_packets)

CHECK_MAIN("commands end once", flow_answered_faults, flow_stuck_until_reset,
    flow_delay_takes_its_time,
    flow_delayed_duplicate_after_abort, flow_abort_one_and_all, flow_reset_levels,
    flow_bus_reset_by_fault, flow_timeouts, flow_polling_is_not_kept_waiting,
    flow_quiesce_waits_and_holds_back, flow_malformed_packets)
