/* a unit that goes and comes back while the process lives has its persistent reservations, also without
 * APTPL; another unit at its place has none */
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/fault.h"
#include "check_main.h"
#include "lu/lu_impl.h"
#include "lu/reserve_impl.h"
#include "mock_reserve.h"
#include "scsa/config.h"

#define APTPL	1

static struct rclient a, b, x;
static struct lu *unit;
static bool is_other;		/* the disk with LUN 0 */

static bool
answer_serial(struct scsi_address *ap, struct scsi_pkt *pkt)
{
	static const uint8_t page[8] = { 0, 0x80, 0, 4, 'E', 'L', 'S', 'E' };
	const uint8_t *cdb = pkt->pkt_cdbp;

	if (!is_other || ap->a_target != 0 || ap->a_lun != 0 || cdb[0] != 0x12 ||
	    (cdb[1] & 1) == 0 || cdb[2] != 0x80)
		return false;
	port_answer(pkt, page, sizeof(page));
	return true;
}

static void
come(void)
{
	unit = port_unit("disk@0,0");
	rc_open(&a, unit, 'a', 1);
	rc_open(&b, unit, 'b', 1);
	rc_open(&x, unit, 'x', 1);
}

static void
go(void)
{
	rc_leave(&a);
	rc_leave(&b);
	rc_leave(&x);
	lu_unref(unit);
}

static void
begin(void)
{
	is_other = false;
	port.answer = answer_serial;
	port_begin();
	come();
}

static void
end(void)
{
	go();
	port_end();
}

static void
detach(void)
{
	go();
	ck_assert_int_eq(scsa_bus_unconfig_one(port.dip, "0,0"), 0);
}

static void
attach(void)
{
	ck_assert_int_eq(scsa_bus_config_one(port.dip, "0,0", NULL), 0);
	come();
}

static void
reserve(uint8_t flags)
{
	ck_assert_uint_eq(rc_out(&a, PR_REGISTER, 0, 0, 1, flags), RC_GOOD);
	ck_assert_uint_eq(rc_out(&b, PR_REGISTER, 0, 0, 2, flags), RC_GOOD);
	ck_assert_uint_eq(rc_out(&a, PR_RESERVE, PR_EARO, 1, 0, 0), RC_GOOD);
}

/* as reserve() left it */
static void
check_reserved(uint32_t generation)
{
	ck_assert_int_eq(rc_in(&x, 0, 64), 24);
	ck_assert_uint_eq(be32_get(x.t.data), generation);
	ck_assert_uint_eq(be64_get(x.t.data + 8), 1);
	ck_assert_uint_eq(be64_get(x.t.data + 16), 2);
	ck_assert_int_eq(rc_in(&x, 1, 64), 24);
	ck_assert_uint_eq(be64_get(x.t.data + 8), 1);
	ck_assert_uint_eq(x.t.data[21], PR_EARO);
	ck_assert_uint_eq(rc_op(&a, OP_WRITE_10), RC_GOOD);
	ck_assert_uint_eq(rc_op(&b, OP_WRITE_10), RC_GOOD);
	ck_assert_uint_eq(rc_op(&x, OP_WRITE_10), RC_CONFLICT);
}

static void
check_free(void)
{
	ck_assert_int_eq(rc_in(&x, 0, 64), 8);
	ck_assert_uint_eq(be32_get(x.t.data), 0);
	ck_assert_uint_eq(rc_op(&x, OP_WRITE_10), RC_GOOD);
}

static void
back_scenario(void *arg UNUSED)
{
	begin();
	reserve(0);
	for (int i = 0; i < 3; i++) {
		detach();
		attach();
		check_reserved(2);
	}
	/* it goes on from there */
	ck_assert_uint_eq(rc_out(&b, PR_PREEMPT, PR_WE, 2, 1, 0), RC_GOOD);
	detach();
	attach();
	ck_assert_uint_eq(rc_op(&a, OP_WRITE_10), RC_CONFLICT);
	ck_assert_uint_eq(rc_out(&b, PR_CLEAR, 0, 2, 0, 0), RC_GOOD);
	detach();
	attach();
	check_free();
	end();
}

START_TEST(what_came_back_is_reserved)
{
	port_sim(back_scenario);
	rc_sim_with_dir(back_scenario);
}
END_TEST

static void
other_scenario(void *arg UNUSED)
{
	begin();
	reserve(0);
	detach();
	is_other = true;
	attach();
	check_free();
	detach();
	is_other = false;
	attach();
	check_reserved(2);
	end();
}

START_TEST(another_unit_is_free)
{
	port_sim(other_scenario);
}
END_TEST

/* without APTPL they end with the process, which is the loss of power */
static void
power_scenario(void *arg UNUSED)
{
	begin();
	reserve(0);
	detach();
	attach();
	end();
	begin();
	check_free();
	end();
}

START_TEST(a_loss_of_power_ends_them)
{
	port_sim(power_scenario);
	rc_sim_with_dir(power_scenario);
}
END_TEST

/* what is saved is what counts; from then on that it is not any more */
static void
saved_scenario(void *arg UNUSED)
{
	begin();
	reserve(APTPL);
	detach();
	attach();
	check_reserved(0);
	ck_assert_uint_eq(rc_out(&b, PR_REGISTER, 0, 2, 2, 0), RC_GOOD);
	detach();
	attach();
	check_reserved(1);
	end();
	begin();
	check_free();
	end();
}

START_TEST(saved_ones_are_read)
{
	rc_sim_with_dir(saved_scenario);
}
END_TEST

static void
reserve6_scenario(void *arg UNUSED)
{
	begin();
	ck_assert_uint_eq(rc_op(&a, OP_RESERVE_6), RC_GOOD);
	ck_assert_uint_eq(rc_op(&x, OP_WRITE_10), RC_CONFLICT);
	detach();
	attach();
	check_free();
	end();
}

START_TEST(reserve_ends)
{
	port_sim(reserve6_scenario);
}
END_TEST

/* a unit that cannot come for lack of memory has them the next time */
static void
memory_scenario(void *arg UNUSED)
{
	int n_failed = 0;

	begin();
	reserve(0);
	for (int i = 1;; i++) {
		int r;

		lu_reserve_fini(unit);
		fault_arm(i);
		r = lu_reserve_init(unit);
		if (!fault_disarm()) {
			ck_assert_int_eq(r, 0);
			break;
		}
		n_failed += r < 0;
		ck_assert_int_eq(r < 0 ? lu_reserve_init(unit) : 0, 0);
		ck_assert_uint_eq(unit->reservations->pr->n, 2);
	}
	ck_assert_int_ge(n_failed, 3);
	ck_assert_uint_eq(unit->reservations->pr->type, PR_EARO);
	end();
}

START_TEST(a_failed_attach_loses_nothing)
{
	port_sim(memory_scenario);
}
END_TEST

/* the unit becomes one with serial number @serial; registrations that one has */
static uint32_t
become(const char *serial)
{
	lu_reserve_fini(unit);
	unit->info.serial = serial;
	ck_assert_int_eq(lu_reserve_init(unit), 0);
	return unit->reservations->pr->n;
}

/* as many as may be are kept, and the one that went first is forgotten */
static void
many_scenario(void *arg UNUSED)
{
	const char *own;
	char serial[8];

	begin();
	own = unit->info.serial;
	reserve(0);
	for (unsigned int i = 0; i < RESERVE_AWAY_MAX; i++) {
		(void)snprintf(serial, sizeof(serial), "%u", i);
		ck_assert_uint_eq(become(serial), 0);
		ck_assert_uint_eq(rc_out(&a, PR_REGISTER_AND_IGNORE, 0, 0, 1, 0), RC_GOOD);
	}
	ck_assert_uint_eq(become("none"), 0);
	ck_assert_uint_eq(become(own), 0);
	ck_assert_uint_eq(become("0"), 1);
	ck_assert_uint_eq(become(own), 0);
	end();
}

START_TEST(they_are_bounded)
{
	port_defaults();
	sim_run(&(struct sim_opts){ .seed = 1 }, many_scenario, NULL);
}
END_TEST

CHECK_MAIN("outlives a detach", what_came_back_is_reserved, another_unit_is_free,
    a_loss_of_power_ends_them, saved_ones_are_read, reserve_ends,
    a_failed_attach_loses_nothing, they_are_bounded)
