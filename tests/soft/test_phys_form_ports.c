/* C40-C43: phys form ports, ports are iports with what is at the far end; phys can be moved */
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "check_main.h"
#include "ddi/devtree.h"
#include "mock_flow.h"
#include "scsa/config.h"

#define FAR_A	"5000c500aaaa0001"
#define FAR_B	"5000c500bbbb0001"
#define A	0x5000c500aaaa0001ull
#define B	0x5000c500bbbb0001ull
#define DISK_A	"w5000c50000000a01"
#define DISK_B	"w5000c50000000b01"

static char err[SOFT_ERR_LEN], addr[SOFT_ADDR_LEN];

static void
let_settle(void)
{
	sim_advance_us(500000);
}

static void
up(unsigned int phy, uint64_t remote)
{
	ck_assert_msg(soft_phy_up(flow_hba, phy, 0, remote, err) == 0, "%s", err);
}

static void
down(unsigned int phy)
{
	ck_assert_msg(soft_phy_down(flow_hba, phy, err) == 0, "%s", err);
}

static dev_info_t *
iport(const char *ua)
{
	return scsi_hba_iport_find(soft_hba_node(flow_hba), (char *)(uintptr_t)ua);
}

static int
num_phys(const char *ua)
{
	return ddi_prop_get_int(DDI_DEV_T_ANY, iport(ua), DDI_PROP_DONTPASS, "num-phys", -1);
}

/* at first: wide towards A, narrow towards B */
static void
named_by_their_mask(void)
{
	struct soft_phy_info phys[8];
	struct soft_disk_info info;
	struct soft_port_info ports[4];

	ck_assert_ptr_nonnull(flow_find("f/" DISK_A ",0"));
	ck_assert_ptr_nonnull(flow_find("f/" DISK_A ",1"));
	ck_assert_ptr_nonnull(flow_find("f/0,0"));
	ck_assert_ptr_nonnull(flow_find("100/" DISK_B ",0"));
	ck_assert_ptr_nonnull(flow_find("iport0/0,0"));
	ck_assert_int_eq(num_phys("f"), 4);
	ck_assert_int_eq(num_phys("100"), 1);
	ck_assert_uint_eq(soft_phys(flow_hba, phys, 8), 5);
	ck_assert_uint_eq(phys[4].phy, 8);
	ck_assert(phys[4].is_up && phys[4].remote == B);
	ck_assert_str_eq(phys[4].iport, "100");
	ck_assert_int_eq(soft_disk_info_at(flow_hba, "f", DISK_A ",1", &info), 0);
	ck_assert_str_eq(info.port, "a-side");
	ck_assert_int_eq(info.target, -1);
	ck_assert_str_eq(info.serial, "mem-5000c50000000a01-0001");
	ck_assert_uint_eq(soft_ports(flow_hba, ports, 4), 3);
	ck_assert_str_eq(ports[0].kind, "phys");
	ck_assert_uint_eq(ports[0].phys, 0xf);
	ck_assert_uint_eq(ports[0].remote, A);
	ck_assert_int_eq(scsi_ifgetcap(&flow_find("f/0,0")->sd_address,
	    (char *)(uintptr_t)"interconnect-type", 1), INTERCONNECT_SAS);
}

static void
join_and_leave(void)
{
	struct scsi_device *sd = flow_find("f/" DISK_A ",0");

	/* a port keeps its name, its iport and its units as long as one phy is left */
	up(9, A);
	down(0);
	down(1);
	let_settle();
	ck_assert_int_eq(num_phys("f"), 3);
	ck_assert_ptr_eq(flow_find("f/" DISK_A ",0"), sd);
	down(2);
	down(3);
	let_settle();
	ck_assert_ptr_eq(flow_find("f/" DISK_A ",0"), sd);
	ck_assert_int_eq(num_phys("f"), 1);
	/* the last one back in time: nobody notices */
	down(9);
	up(9, A);
	let_settle();
	ck_assert_ptr_eq(flow_find("f/" DISK_A ",0"), sd);
	ck_assert_uint_eq(flow_attaches(), 5);
	down(9);
	let_settle();
	ck_assert_ptr_null(iport("f"));
	ck_assert_uint_eq(flow_units(), 2);
	/* and back: its name is made anew */
	up(9, A);
	let_settle();
	ck_assert_ptr_nonnull(flow_find("200/" DISK_A ",0"));
	ck_assert_uint_eq(flow_units(), 5);
	ck_assert_uint_eq(flow_attaches(), 8);
}

static void
move(void)
{
	for (unsigned int phy = 0; phy < 4; phy++)
		down(phy);
	for (unsigned int phy = 0; phy < 4; phy++)
		up(phy, B);
	let_settle();
	/* a side is away, b side is wide and called as before */
	ck_assert_ptr_null(flow_find("f/" DISK_A ",0"));
	ck_assert_ptr_nonnull(flow_find("100/" DISK_B ",0"));
	ck_assert_int_eq(num_phys("100"), 5);
	ck_assert_uint_eq(flow_attaches(), 5);
	down(8);
	up(8, A);
	let_settle();
	/* the mask is the name of another port, so it is called by its addresses */
	ck_assert_uint_eq(flow_units(), 5);
	ck_assert_ptr_null(flow_find("f/" DISK_A ",0"));
	ck_assert_ptr_nonnull(flow_find("100/" DISK_B ",0"));
}

/* the cables have left, and the iport not yet: others take its name */
static void
name_taken(unsigned int settled_us)
{
	for (unsigned int phy = 0; phy < 4; phy++)
		down(phy);
	down(8);
	sim_advance_us(settled_us);
	for (unsigned int phy = 0; phy < 4; phy++)
		up(phy, B);
	let_settle();
}

static uint32_t
last_block(const char *name)
{
	uint8_t cdb[CDB_BUF_LEN], data[8] = { 0 };
	bool is_good = false;
	struct io io;

	ck_assert_msg(flow_find(name) != NULL, "%s", name);
	/* one that is new has something to say first */
	for (unsigned int i = 0; i < 2 && !is_good; i++) {
		is_good = io_run(&io, flow_find(name), cdb, cdb_readcap10(cdb), data,
		    sizeof(data), true);
		io_fini(&io);
	}
	ck_assert(is_good);
	return be32_get(data);
}

static void
another_port_at_once(void)
{
	struct soft_disk_info info;

	ck_assert_int_eq(soft_target_add(
	    flow_hba, "mem:2M,port=b-side,target=0", addr, err), 0);
	let_settle();
	ck_assert_uint_eq(last_block("f/0,0"), 2047);
	/* from when the phys have settled to after the iport has gone */
	for (unsigned int us = 6000; us < 40000; us += 1500) {
		name_taken(us);
		ck_assert_ptr_null(flow_find("f/" DISK_A ",0"));
		ck_assert_ptr_nonnull(flow_find("f/" DISK_B ",0"));
		ck_assert_uint_eq(flow_units(), 3);
		ck_assert_uint_eq(last_block("f/0,0"), 4095);
		ck_assert_int_eq(num_phys("f"), 4);
		ck_assert_int_eq(soft_disk_info_at(flow_hba, "f", "0,0", &info), 0);
		ck_assert_str_eq(info.port, "b-side");
		for (unsigned int phy = 0; phy < 4; phy++)
			down(phy);
		let_settle();
		for (unsigned int phy = 0; phy < 4; phy++)
			up(phy, A);
		up(8, B);
		let_settle();
		ck_assert_uint_eq(flow_units(), 6);
		ck_assert_uint_eq(last_block("f/0,0"), 2047);
	}
}

/* the same disks by two ways, as two cables into different ports of the adapter give */
static void
two_paths(void)
{
	uint8_t cdb[CDB_BUF_LEN], data[512];
	struct scsi_device *one, *two;
	struct io io;

	ck_assert_int_eq(soft_phy_up(flow_hba, 20, 0x5000c50099990001ull, A, err), 0);
	let_settle();
	one = flow_find("f/" DISK_A ",0");
	two = flow_find("100000/" DISK_A ",0");
	ck_assert(one != NULL && two != NULL && one != two);
	ck_assert_uint_eq(flow_units(), 8);
	memset(data, 0x77, sizeof(data));
	ck_assert(io_run(&io, one, cdb, cdb_write(cdb, CDB_10, 1, 1, 0), data, 512, false));
	io_fini(&io);
	memset(data, 0, sizeof(data));
	ck_assert(io_run(&io, two, cdb, cdb_read(cdb, CDB_10, 1, 1, 0), data, 512, true));
	io_fini(&io);
	ck_assert_uint_eq(data[511], 0x77);
	ck_assert_int_eq(soft_target_remove(flow_hba, "a-side/" DISK_A, err), 0);
	let_settle();
	ck_assert_uint_eq(flow_units(), 4);
}

static void
changes_by_any_name(void)
{
	/* what hangs on a port may change while it is away, and is there when it comes back */
	ck_assert_int_eq(soft_lun_add(
	    flow_hba, "mem:1M,port=f,wwn=5000c50000000a01", addr, err), 0);
	ck_assert_str_eq(addr, "a-side/" DISK_A ",2");
	ck_assert_int_eq(soft_target_add(flow_hba, "mem:1M,port=b-side", addr, err), 0);
	ck_assert_str_eq(addr, "b-side/0,0");
	let_settle();
	ck_assert_ptr_nonnull(flow_find("f/" DISK_A ",2"));
	ck_assert_ptr_nonnull(flow_find("100/0,0"));
	down(8);
	let_settle();
	ck_assert_int_eq(soft_target_remove(flow_hba, "100/0", err), -ENOENT);
	ck_assert_int_eq(soft_target_remove(flow_hba, "b-side/0", err), 0);
	ck_assert_int_eq(soft_target_add(
	    flow_hba, "mem:1M,port=b-side,target=5", addr, err), 0);
	up(8, B);
	let_settle();
	ck_assert_ptr_nonnull(flow_find("100/5,0"));
	ck_assert_ptr_null(flow_find("100/0,0"));
	/* a port nobody has heard of */
	ck_assert_int_eq(soft_target_add(flow_hba, "mem:1M,port=late", addr, err), 0);
	let_settle();
	ck_assert_ptr_nonnull(flow_find("late/0,0"));
}

static void
found_ports(void)
{
	struct soft_port_info ports[SOFT_PORTS];

	/* cables to places that nobody has described: ports without targets */
	for (unsigned int i = 0; i < 100; i++) {
		up(30, 0x5000c500cccc0000ull + i);
		if (i % 10 == 0)
			let_settle();
		down(30);
	}
	let_settle();
	up(30, 0x5000c500cccc1000ull);
	let_settle();
	ck_assert_ptr_nonnull(iport("40000000"));
	ck_assert_int_eq(soft_target_add(
	    flow_hba, "mem:1M,port=w5000c500cccc1000", addr, err), 0);
	let_settle();
	ck_assert_ptr_nonnull(flow_find("40000000/0,0"));
	ck_assert_uint_le(soft_ports(flow_hba, ports, SOFT_PORTS), SOFT_PORTS);
}

static void
refusals(void)
{
	ck_assert_int_eq(soft_phy_up(flow_hba, 64, 0, A, err), -EINVAL);
	ck_assert_int_eq(soft_phy_up(flow_hba, 40, 0, 0, err), -EINVAL);
	ck_assert_int_eq(soft_phy_up(flow_hba, 0, 0, B, err), -EEXIST);
	ck_assert(strstr(err, "take it down first") != NULL);
	ck_assert_int_eq(soft_phy_down(flow_hba, 40, err), -ENOENT);
	ck_assert_int_eq(soft_phy_down(flow_hba, 64, err), -EINVAL);
	ck_assert_int_eq(soft_target_add(flow_hba, "mem:1M,port=bad name", addr, err), -EINVAL);
	ck_assert_int_eq(soft_target_add(flow_hba, "mem:1M,port=abc", addr, err), -EINVAL);
	ck_assert(strstr(err, "mask of phys") != NULL);
}

#define FLOW_TEST(name)                                                        \
	START_TEST(c43_##name)                                                 \
	{                                                                      \
		struct flow flow = { .scenario = name, .ports = {              \
			"a-side,remote=" FAR_A ",phys=f", "b-side,remote=" FAR_B ",phys=100", \
			}, .disks = { "mem:1M,port=a-side,wwn=5000c50000000a01", \
			"mem:1M,port=a-side,wwn=5000c50000000a01,lun=1",       \
			"mem:1M,port=a-side,target=0",                         \
			"mem:1M,port=b-side,wwn=5000c50000000b01", "mem:1M" } }; \
                                                                               \
		for (flow.seed = 1; flow.seed <= 5; flow.seed++)               \
			flow_run(&flow);                                       \
	}                                                                      \
	END_TEST

FLOW_TEST(named_by_their_mask)
FLOW_TEST(join_and_leave)
FLOW_TEST(move)
FLOW_TEST(another_port_at_once)
FLOW_TEST(two_paths)
FLOW_TEST(changes_by_any_name)
FLOW_TEST(found_ports)
FLOW_TEST(refusals)

static void
nothing_yet(void)
{
	ck_assert_uint_eq(flow_units(), 0);
	up(0, A);
	let_settle();
	ck_assert_ptr_nonnull(iport("1"));
	ck_assert_int_eq(soft_target_add(flow_hba, "mem:1M,port=1", addr, err), 0);
	let_settle();
	ck_assert_ptr_nonnull(flow_find("1/0,0"));
}

START_TEST(c43_dynamic_without_anything)
{
	struct flow flow = { .scenario = nothing_yet, .is_dynamic = true };

	flow_run(&flow);
}
END_TEST

static void
no_phys(void)
{
	ck_assert_int_eq(soft_phy_up(flow_hba, 0, 0, A, err), -ENOTSUP);
	ck_assert_int_eq(soft_phy_down(flow_hba, 0, err), -ENOTSUP);
}

START_TEST(static_adapters_have_no_phys)
{
	struct flow flow = { .scenario = no_phys };

	flow_run(&flow);
}
END_TEST

CHECK_MAIN("phys form ports", c43_named_by_their_mask, c43_join_and_leave, c43_move,
    c43_another_port_at_once, c43_two_paths, c43_changes_by_any_name, c43_found_ports, c43_refusals,
    c43_dynamic_without_anything, static_adapters_have_no_phys)
