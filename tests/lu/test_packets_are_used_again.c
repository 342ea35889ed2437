/* a packet that came back serves the next task; many of another length are not in its way */
#include <string.h>

#include "base/bytes.h"
#include "check_main.h"
#include "lu/lu_impl.h"
#include "mock_port.h"

static struct lu *unit;
static struct pnexus n;
static struct ptask t[LU_SPARES_MAX + 1];

static void
begin(enum port_how how)
{
	port.how = how;
	port_begin();
	unit = port_unit("disk@0,0");
	pnexus_open(&n, unit);
	ptask_init(&t[0], &n.lu);
}

static void
end(void)
{
	pnexus_leave(&n);
	lu_unref(unit);
	port_end();
}

static void
submit_read(struct ptask *p, uint8_t opcode)
{
	uint8_t cdb[16] = { opcode };

	cdb[opcode == 0x88 ? 13 : 8] = 1;
	ptask_init(p, &n.lu);
	ptask_cdb(p, cdb, opcode == 0x88 ? 16 : 10, LU_DIR_IN, 512);
	ck_assert_int_eq(ptask_submit(p), 0);
}

/* one after the other; the packets that were made for them */
static int
made_for(uint8_t opcode, int tasks)
{
	int before = port.n_setup;

	for (int i = 0; i < tasks; i++) {
		submit_read(&t[0], opcode);
		ptask_wait(&t[0]);
		ck_assert_int_eq(t[0].lu.status, STATUS_GOOD);
		ck_assert_uint_eq(t[0].lu.moved, 512);
	}
	return port.n_setup - before;
}

static void
one_scenario(void *arg UNUSED)
{
	begin(PORT_INLINE);
	ck_assert_int_le(made_for(0x28, 10), 1);
	ck_assert_int_le(made_for(0x88, 10), 1);
	end();
}

START_TEST(one_is_enough_for_one_at_a_time)
{
	port_sim(one_scenario);
}
END_TEST

/* more at a time than are kept, all with long CDBs; then short ones */
static void
burst_scenario(void *arg UNUSED)
{
	begin(PORT_LATER);
	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		submit_read(&t[i], 0x88);
	sim_settle();
	ck_assert_int_eq(port_complete(), ARRAY_LEN(t));
	sim_settle();
	port.how = PORT_INLINE;
	ck_assert_int_le(made_for(0x28, 20), 1);
	ck_assert_int_le(made_for(0x88, 20), 1);
	end();
}

START_TEST(a_burst_of_others_costs_one)
{
	port_sim(burst_scenario);
}
END_TEST

CHECK_MAIN("packets", one_is_enough_for_one_at_a_time, a_burst_of_others_costs_one)
