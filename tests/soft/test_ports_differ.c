/* several static ports on one adapter: plain ones by number or name, virtual ones with entries
 * of their own */
#include <errno.h>
#include <string.h>

#include "check_main.h"
#include "mock_flow.h"
#include "scsa/config.h"

#define WWN	"5000c50000000001"

static char err[SOFT_ERR_LEN];
static uint8_t cdb[CDB_BUF_LEN], data[4096];
static struct io io, held;

static int
getcap(struct scsi_device *sd, const char *name)
{
	return scsi_ifgetcap(&sd->sd_address, (char *)(uintptr_t)name, 1);
}

static void
several_ports(void)
{
	struct soft_disk_info info;

	/* the same number on two ports is two disks, and they can be told apart */
	ck_assert_ptr_nonnull(flow_find("iport0/0,0"));
	ck_assert_ptr_nonnull(flow_find("iport0/w" WWN ",0"));
	ck_assert_ptr_nonnull(flow_find("raid/0,0"));
	ck_assert_ptr_nonnull(flow_find("raid/1,0"));
	ck_assert_ptr_nonnull(flow_find("extra/0,0"));
	ck_assert_int_eq(soft_disk_info_at(flow_hba, "raid", "1,0", &info), 0);
	ck_assert_str_eq(info.serial, "mem-raid-00010000");
	ck_assert_int_eq(soft_disk_info_at(flow_hba, "iport0", "w" WWN ",0", &info), 0);
	ck_assert_str_eq(info.serial, "mem-" WWN "-0000");
	ck_assert_int_eq(soft_target_remove(flow_hba, "raid/0", err), 0);
	sim_advance_us(500000);
	ck_assert_uint_eq(flow_units(), 4);
	ck_assert_ptr_nonnull(flow_find("iport0/0,0"));
}

static void
virtual_capabilities(void)
{
	static const char *const of_bus[] = { "disconnect", "synchronous", "wide-xfer",
	    "parity", "initiator-id" };
	struct scsi_device *plain = flow_find("iport0/0,0"), *volume = flow_find("raid/0,0");

	ck_assert_int_eq(getcap(plain, "interconnect-type"), INTERCONNECT_PARALLEL);
	ck_assert_int_eq(getcap(volume, "interconnect-type"), INTERCONNECT_FABRIC);
	for (size_t i = 0; i < sizeof(of_bus) / sizeof(of_bus[0]); i++) {
		ck_assert_int_ge(getcap(plain, of_bus[i]), 1);
		ck_assert_int_eq(getcap(volume, of_bus[i]), -1);
		ck_assert_int_eq(scsi_ifsetcap(
		    &volume->sd_address, (char *)(uintptr_t)of_bus[i], 1, 1), -1);
	}
	ck_assert_int_eq(getcap(volume, "tagged-qing"), 1);
	ck_assert_int_eq(
	    scsi_ifsetcap(&volume->sd_address, (char *)(uintptr_t)"tagged-qing", 0, 1), 1);
	ck_assert_int_eq(getcap(volume, "tagged-qing"), 0);
	ck_assert_int_eq(getcap(plain, "tagged-qing"), 1);
}

/* volumes share no bus that could be reset, their units can */
static void
virtual_resets(void)
{
	struct scsi_device *volume = flow_find("raid/0,0");

	(void)fault("action=drop,op=read");
	io_init(&held, volume, cdb, cdb_read(cdb, CDB_10, 0, 8, 0), data, 4096, true, IO_ARQ);
	held.pkt->pkt_time = 0;
	io_send(&held);
	ck_assert_int_eq(scsi_reset(&volume->sd_address, RESET_ALL), 0);
	ck_assert_uint_eq(atomic_load(&held.done), 0);
	ck_assert_int_eq(scsi_reset(&volume->sd_address, RESET_LUN), 1);
	io_wait(&held);
	ck_assert(io_ended(&held, CMD_RESET, STAT_DEV_RESET));
	io_fini(&held);
	ck_assert(!io_run(&io, volume, cdb, cdb_tur(cdb), NULL, 0, true));
	io_fini(&io);
}

#define FLOW_TEST(name)                                                        \
	START_TEST(flow_##name)                                                \
	{                                                                      \
		struct flow flow = { .scenario = name, .ports = { "raid,virtual" }, \
			.disks = { "mem:1M", "mem:1M,wwn=" WWN, "mem:1M,port=raid", \
			"mem:1M,port=raid", "mem:1M,port=extra" } };           \
                                                                               \
		for (flow.seed = 1; flow.seed <= 3; flow.seed++)               \
			flow_run(&flow);                                       \
	}                                                                      \
	END_TEST

FLOW_TEST(several_ports)
FLOW_TEST(virtual_capabilities)
FLOW_TEST(virtual_resets)

/* a start takes a small part of a second of waiting, whatever there is */
static uint64_t began_us;

static void
soon(void)
{
	ck_assert_uint_le(sim_now_us() - began_us, 200000);
}

START_TEST(everything_is_there_soon)
{
	struct flow flows[] = {
		{ .scenario = soon, .disks = { "mem:1M" } },
		{ .scenario = soon },
		{ .scenario = soon, .disks = { "mem:1M", "mem:1M,port=a-b", "mem:1M,port=c-d",
		    "mem:1M,port=e-f" } },
		{ .scenario = soon, .disks = { "mem:1M,port=far", "mem:1M" },
		    .ports = { "far,remote=5000c500aaaa0001,phys=f" } },
		{ .scenario = soon, .is_dynamic = true },
	};

	for (size_t i = 0; i < sizeof(flows) / sizeof(flows[0]); i++)
		flow_run(&flows[i]);
}
END_TEST

static void
comes_back(void)
{
	dev_info_t *node = soft_hba_node(flow_hba);

	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(scsa_bus_unconfig_all(node), 0);
		ck_assert_uint_eq(flow_units(), 0);
		if (i == 1)
			ck_assert_int_eq(soft_target_add(flow_hba, "mem:1M", NULL, err), 0);
		ck_assert_int_eq(scsa_bus_config_all(node), i == 0 ? 1 : 2);
	}
}

START_TEST(iports_may_be_taken_away_and_found_again)
{
	struct flow flow = { .scenario = comes_back, .disks = { "mem:1M" } };

	flow_run(&flow);
}
END_TEST

CHECK_MAIN("ports differ", flow_several_ports, flow_virtual_capabilities, flow_virtual_resets,
    everything_is_there_soon, iports_may_be_taken_away_and_found_again)
