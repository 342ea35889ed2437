/* an adapter comes up with its targets, whatever they are like, and goes down; capabilities;
 * what it is made of */
#include <sched.h>
#include <string.h>

#include "base/clock.h"
#include "check_main.h"
#include "hw/iscsi/iscsi_hba_impl.h"
#include "mock_gate.h"
#include "scsa/config.h"

START_TEST(lines_are_judged)
{
	ck_assert_int_lt(gate_up(NULL, NULL), 0);
	gate_down();
	ck_assert_int_lt(gate_up("iscsi://127.0.0.1", NULL), 0);
	gate_down();
	ck_assert_int_lt(gate_up("iscsi://h:1/iqn.2001-01.com.example",
	    "iscsi://h:1/iqn.2001-01.com.example", NULL), 0);
	gate_down();
}
END_TEST

/* a label of 64 letters: no name server has to be asked for it */
#define EIGHT	"nobodies"
#define NOBODY	EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT ".invalid"

static void
wait_for_refusal(size_t index)
{
	while (gate_info(index).refused_logins == 0)
		(void)sched_yield();
}

/* two that answer, one that refuses connections, one whose name is of nobody */
START_TEST(each_for_itself)
{
	struct far *one = far_open(), *two = far_open();

	ck_assert_int_eq(gate_up(one->line, "iscsi://127.0.0.1:1/" FAR_NAME,
	    "iscsi://" NOBODY "/" FAR_NAME, two->line, NULL), 0);
	ck_assert_ptr_nonnull(gate_sd("0,0"));
	ck_assert_ptr_nonnull(gate_sd("3,1"));
	ck_assert_ptr_null(gate_find("1,0"));
	ck_assert_ptr_null(gate_find("2,0"));
	ck_assert_str_eq(gate_info(0).state, "up");
	ck_assert_str_eq(gate_info(3).address, "3");
	ck_assert_str_eq(gate_info(3).name, FAR_NAME);
	wait_for_refusal(1);
	ck_assert(strstr(gate_info(1).error, "no connection") != NULL);
	wait_for_refusal(2);
	ck_assert_int_lt(iscsi_hba_info_get(gate_dip, 4, &(struct iscsi_hba_info){ .state = "" }), 0);
	gate_down();
	far_close(one);
	far_close(two);
}
END_TEST

static bool
mute(struct far *far, const struct far_pdu *pdu)
{
	(void)far;
	(void)pdu;
	return true;
}

/* attach does not wait for ever, and the end comes at once */
START_TEST(login_without_an_answer)
{
	struct far *far = far_open();
	uint64_t began = clock_now_ns();

	atomic_store(&far->hook, mute);
	gate_far_up(far, "login=200ms");
	ck_assert_uint_lt(clock_now_ns() - began, 30 * NS_PER_S);
	wait_for_refusal(0);
	ck_assert(strstr(gate_info(0).error, "no login in time") != NULL);
	atomic_store(&far->hook, NULL);
	ck_assert_ptr_nonnull(gate_sd("0,0"));
	gate_down();
	far_close(far);
}
END_TEST

START_TEST(luns_come_and_go)
{
	struct far *far = far_open();

	gate_far_up(far, "ping=0");
	(void)gate_sd("0,1");
	atomic_store(&far->luns, 3);
	/* a session again is a reason to look again */
	far_hang_up(far);
	(void)gate_sd("0,2");
	atomic_store(&far->luns, 1);
	far_hang_up(far);
	gate_gone("0,2");
	gate_gone("0,1");
	ck_assert_ptr_nonnull(gate_find("0,0"));
	gate_down();
	far_close(far);
}
END_TEST

START_TEST(capabilities)
{
	struct far *far = far_open();
	struct scsi_address *ap;
	struct scsi_device *sd;

	gate_far_up(far, "ping=0");
	sd = gate_sd("0,0");
	ap = &sd->sd_address;
	ck_assert_int_eq(scsi_ifgetcap(ap, "interconnect-type", 1), INTERCONNECT_ISCSI);
	ck_assert_int_eq(scsi_ifgetcap(ap, "tagged-qing", 1), 1);
	ck_assert_int_eq(scsi_ifgetcap(ap, "max-cdb-length", 1), 16);
	ck_assert_int_eq(scsi_ifgetcap(ap, "wide-xfer", 1), -1);
	ck_assert_int_eq(scsi_ifgetcap(ap, "nonsense", 1), -1);
	ck_assert_int_eq(scsi_ifgetcap(ap, "dma-max", 1), 16 << 20);
	ck_assert_int_eq(scsi_ifsetcap(ap, "dma-max", 1, 1), 0);
	ck_assert_int_eq(scsi_ifsetcap(ap, "wide-xfer", 1, 1), -1);
	ck_assert_int_eq(scsi_ifsetcap(ap, "auto-rqsense", 0, 1), 0);
	ck_assert_int_eq(scsi_ifsetcap(ap, "lun-reset", 0, 1), 1);
	ck_assert_int_eq(scsi_ifgetcap(ap, "lun-reset", 1), 0);
	ck_assert_int_eq(scsi_ifgetcap(ap, "lun-reset", 0), 1);
	ck_assert_int_eq(scsi_reset(ap, RESET_LUN), 0);
	ck_assert_int_eq(scsi_ifsetcap(ap, "qfull-retries", 9, 0), 1);
	ck_assert_int_eq(scsi_ifgetcap(ap, "qfull-retries", 1), 9);
	ck_assert_int_eq(scsi_ifsetcap(ap, "total-sectors", 9, 1), 1);
	ck_assert_int_eq(scsi_ifgetcap(ap, "total-sectors", 1), -1);
	ck_assert_int_eq(scsi_ifsetcap(ap, "sector-size", 513, 1), 0);
	gate_down();
	far_close(far);
}
END_TEST

START_TEST(quiesce)
{
	struct far *far = far_open();
	struct scsi_device *sd;
	uint8_t data[FAR_BLOCK];
	struct io io;

	gate_far_up(far, "ping=0");
	sd = gate_sd("0,0");
	ck_assert_int_eq(ih_quiesce(gate_dip), 0);
	io_init(&io, sd, true, 0, 1, data);
	ck_assert_int_eq(io_send(&io), TRAN_BUSY);
	ck_assert_int_eq(ih_unquiesce(gate_dip), 0);
	ck_assert_int_eq(io_send(&io), TRAN_ACCEPT);
	ck_assert(io_ended(&io, CMD_CMPLT, 0));
	io_fini(&io);
	ck_assert_int_eq(ih_bus_reset(gate_dip, RESET_BUS), 1);
	ck_assert_int_eq(ih_bus_reset(gate_dip, RESET_LUN), 0);
	gate_down();
	far_close(far);
}
END_TEST

START_TEST(pauses_double)
{
	uint64_t before = 0;

	ck_assert_uint_eq(ih_pause_ns(0, 30000, 0), 0);
	ck_assert_uint_eq(ih_pause_ns(1, 30000, 0), 100 * NS_PER_MS);
	for (unsigned int n = 1; n < 100; n++) {
		uint64_t pause = ih_pause_ns(n, 30000, 0), less = ih_pause_ns(n, 30000, 255);

		ck_assert(pause == 30000 * NS_PER_MS || pause == (100ull << (n - 1)) * NS_PER_MS);
		ck_assert_uint_ge(pause, before);
		ck_assert(less <= pause && less >= pause / 4 * 3);
		before = pause;
	}
	ck_assert_uint_eq(before, 30000 * NS_PER_MS);
	ck_assert_uint_eq(ih_pause_ns(5, 0, 0), 0);
	ck_assert_uint_eq(ih_pause_ns(1000000, 86400000, 0), 86400000 * NS_PER_MS);
}
END_TEST

START_TEST(luns_on_the_wire)
{
	uint16_t lun = 0xffff;

	ck_assert(ih_lun_wire(0, &lun) && lun == 0);
	ck_assert(ih_lun_wire(255, &lun) && lun == 255);
	ck_assert(ih_lun_wire(0x412c000000000000ll, &lun) && lun == 0x412c);
	ck_assert(ih_lun_wire((scsi_lun64_t)0xc101000000000000ull, &lun) && lun == 0xc101);
	ck_assert(!ih_lun_wire(0x0100020000000000ll, &lun));
	ck_assert(!ih_lun_wire(SCSI_LUN64_ILLEGAL, &lun));
}
END_TEST

CHECK_MAIN("adapter has targets", lines_are_judged, each_for_itself, login_without_an_answer,
    luns_come_and_go, capabilities, quiesce, pauses_double, luns_on_the_wire)
