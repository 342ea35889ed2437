/* targets are connected and pulled while the adapter runs */
#include <errno.h>
#include <string.h>

#include "check_main.h"
#include "mock_flow.h"
#include "scsa/config.h"

#define WWN	"5000c50012345678"

static char err[SOFT_ERR_LEN], addr[SOFT_ADDR_LEN];
static uint8_t cdb[CDB_BUF_LEN];
static struct io io;

/* reports settle, and what follows from them happens */
static void
let_settle(void)
{
	sim_advance_us(300000);
}

static void
add(const char *line, const char *want)
{
	addr[0] = '\0';
	ck_assert_msg(soft_target_add(flow_hba, line, addr, err) == 0, "%s", err);
	ck_assert_str_eq(addr, want);
}

static void
gets(const char *line, int want, const char *says)
{
	int r = soft_target_add(flow_hba, line, NULL, err);

	ck_assert_msg(r == want && strstr(err, says) != NULL, "%s: %d %s", line, r, err);
}

static void
appear_and_go(void)
{
	struct scsi_device *old = flow_sd(0, 0);

	add("mem:1M", "iport0/1,0");
	ck_assert_uint_eq(soft_hba_disks(flow_hba), 2);
	ck_assert_ptr_null(flow_find("iport0/1,0"));
	let_settle();
	ck_assert_ptr_nonnull(flow_find("iport0/1,0"));
	add("null:1G,target=1023,luns=3", "iport0/3ff,0");
	add("mem:1M,wwn=" WWN ",lun=5", "iport0/w" WWN ",5");
	let_settle();
	ck_assert_ptr_nonnull(flow_find("iport0/3ff,2"));
	ck_assert_ptr_nonnull(flow_find("iport0/w" WWN ",5"));
	ck_assert_uint_eq(flow_units(), 6);

	ck_assert_int_eq(soft_target_remove(flow_hba, "iport@iport0/disk@1", err), 0);
	ck_assert_int_eq(soft_target_remove(flow_hba, "w" WWN ",5", err), 0);
	ck_assert_uint_eq(soft_hba_disks(flow_hba), 4);
	let_settle();
	ck_assert_ptr_null(flow_find("iport0/1,0"));
	ck_assert_ptr_null(flow_find("iport0/w" WWN ",5"));
	ck_assert_ptr_eq(flow_sd(0, 0), old);
	ck_assert_uint_eq(flow_attaches(), 6);

	/* the address is free again */
	add("mem:2M", "iport0/1,0");
	let_settle();
	ck_assert_uint_eq(flow_attaches(), 7);
}

static void
refusals(void)
{
	gets("mem:1M,target=0", -EEXIST, "there is such a target");
	gets("mem:1M,port=other", -ENOENT, "no port 'other'");
	gets("mem:lots", -EINVAL, "needs a size");
	gets("/nowhere/at/all.img", -ENOENT, "does not exist");
	ck_assert_int_eq(soft_target_remove(flow_hba, "iport0/9", err), -ENOENT);
	ck_assert_int_eq(soft_target_remove(flow_hba, "port9/0", err), -ENOENT);
	ck_assert(strstr(err, "no port 'port9'") != NULL);
	ck_assert_int_eq(soft_target_remove(flow_hba, "", err), -EINVAL);
	ck_assert_int_eq(soft_target_remove(flow_hba, "iport0/", err), -EINVAL);
	ck_assert_int_eq(soft_target_remove(flow_hba, "iport0/0,xyz", err), -EINVAL);
	ck_assert_uint_eq(soft_hba_disks(flow_hba), 1);
	let_settle();
	ck_assert_uint_eq(flow_units(), 1);
	for (int i = 1; i < SOFT_TARGETS; i++)
		ck_assert_int_eq(soft_target_add(flow_hba, "null:1M", NULL, err), 0);
	gets("null:1M", -ENOSPC, "no target number is free");
}

/* gone and back before anybody noticed: the address is still that of the old one */
static void
too_early(void)
{
	ck_assert_int_eq(soft_target_remove(flow_hba, "0", err), 0);
	gets("mem:1M,target=0", -EBUSY, "in use");
	add("mem:1M", "iport0/1,0");
	let_settle();
	add("mem:1M,target=0", "iport0/0,0");
	let_settle();
	ck_assert_uint_eq(flow_units(), 2);
	/* one that nobody has seen is free at once */
	add("mem:1M", "iport0/2,0");
	ck_assert_int_eq(soft_target_remove(flow_hba, "2", err), 0);
	add("mem:1M", "iport0/2,0");
	let_settle();
	ck_assert_uint_eq(flow_units(), 3);
}

/* what did not answer when it came is asked again when it says that it has changed */
static void
late_answer(void)
{
	uint32_t id = fault("action=gone,op=0x12,target=1");

	add("mem:1M", "iport0/1,0");
	let_settle();
	ck_assert_uint_eq(flow_units(), 1);
	ck_assert_int_eq(soft_fault_remove(flow_hba, id), 0);
	ck_assert_int_eq(soft_lun_add(flow_hba, "mem:1M,target=1", addr, err), 0);
	ck_assert_str_eq(addr, "iport0/1,1");
	let_settle();
	ck_assert_uint_eq(flow_units(), 3);
}

static void
information(void)
{
	struct soft_disk_info info;
	struct soft_port_info ports[2];
	size_t index;

	add("null:1G,target=16,lun=9", "iport0/10,9");
	let_settle();
	ck_assert_int_eq(soft_disk_info_at(flow_hba, "iport0", "10,9", &info), 0);
	ck_assert_int_eq(info.target, 16);
	ck_assert_str_eq(info.port, "iport0");
	ck_assert_str_eq(info.taddr, "10");
	ck_assert_str_eq(info.serial, "null-1009");
	ck_assert_int_eq(soft_disk_index(flow_hba, 16, 9, &index), 0);
	ck_assert_uint_eq(index, 1);
	ck_assert_int_eq(soft_disk_info_at(flow_hba, "iport0", "10,8", &info), -ENOENT);
	ck_assert_int_eq(soft_disk_info_at(flow_hba, "iport0", "10", &info), -ENOENT);
	ck_assert_int_eq(soft_disk_info_at(flow_hba, "f", "10,9", &info), -ENOENT);
	ck_assert_uint_eq(soft_ports(flow_hba, ports, 2), 1);
	ck_assert_str_eq(ports[0].kind, "plain");
	ck_assert_uint_eq(ports[0].targets, 2);
	ck_assert_uint_eq(ports[0].units, 2);
	ck_assert_uint_eq(ports[0].iports, 1);
	/* those behind move up */
	ck_assert_int_eq(soft_target_remove(flow_hba, "0", err), 0);
	ck_assert_int_eq(soft_disk_index(flow_hba, 16, 9, &index), 0);
	ck_assert_uint_eq(index, 0);
	ck_assert_int_eq(soft_unit_attention(flow_hba, 0, 0, 0x2a, 0x09), -ENOENT);
}

/* a disk is a disk: it works as one that was there from the beginning */
static void
works_at_once(void)
{
	struct scsi_device *sd;
	uint8_t data[512];

	add("mem:1M,wwn=" WWN, "iport0/w" WWN ",0");
	let_settle();
	sd = flow_find("iport0/w" WWN ",0");
	ck_assert_ptr_nonnull(sd);
	ck_assert(!io_run(&io, sd, cdb, cdb_tur(cdb), NULL, 0, true));
	ck_assert_uint_eq(io.sense.asc, ASC_POWER_ON_OR_RESET);
	io_fini(&io);
	memset(data, 0x5c, sizeof(data));
	ck_assert(io_run(&io, sd, cdb, cdb_write(cdb, CDB_10, 7, 1, 0), data, 512, false));
	io_fini(&io);
	ck_assert_int_eq(scsa_bus_config_one(flow_port, "w5000c50012345679,0", NULL), -ENXIO);
}

#define FLOW_TEST(name)                                                        \
	START_TEST(flow_##name)                                                \
	{                                                                      \
		struct flow flow = { .scenario = name, .disks = { "mem:1M" } }; \
                                                                               \
		for (flow.seed = 1; flow.seed <= 5; flow.seed++)               \
			flow_run(&flow);                                       \
	}                                                                      \
	END_TEST

FLOW_TEST(appear_and_go)
FLOW_TEST(refusals)
FLOW_TEST(too_early)
FLOW_TEST(late_answer)
FLOW_TEST(information)
FLOW_TEST(works_at_once)

CHECK_MAIN("targets come and go", flow_appear_and_go, flow_refusals, flow_too_early,
    flow_late_answer, flow_information, flow_works_at_once)
