/* 16,384 units on one adapter are found, each once; what is idle takes little memory */
#include <malloc.h>
#include <stdio.h>

#include "base/bytes.h"
#include "check_main.h"
#include "mock_flow.h"
#include "scsa/config.h"
#include "scsi/lun.h"

#define LUNS	16384u

/* one assertion for each of them would take longer than all the rest */
static uint8_t cdb[CDB_BUF_LEN], data[8 + 8 * LUNS];
static struct io io;

static void
all_are_found(void)
{
	char name[64];

	ck_assert_uint_eq(flow_units(), LUNS);
	ck_assert_uint_eq(soft_hba_disks(flow_hba), LUNS);
	for (unsigned int lun = 0; lun < LUNS; lun++) {
		snprintf(name, sizeof(name), "iport0/0,%x", lun);
		if (flow_find(name) == NULL)
			ck_abort_msg("no %s", name);
	}
	ck_assert(io_run(&io, flow_sd(0, 9999), cdb,
	    cdb_report_luns(cdb, 0, sizeof(data)), data, sizeof(data), true));
	ck_assert_uint_eq(be32_get(data), 8 * LUNS);
	for (unsigned int lun = 0; lun < LUNS; lun++)
		if (lunfmt_get(data + 8 + 8 * lun) != lun)
			ck_abort_msg("unit %x is not listed", lun);
	io_fini(&io);
}

START_TEST(one_line_makes_them_all)
{
	struct flow flow = { .scenario = all_are_found, .keep_attention = true,
		.disks = { "null:1G,luns=16384" } };

	flow_native(&flow);
}
END_TEST

/* what the adapter itself keeps for a unit, store and device server included */
START_TEST(idle_units_are_small)
{
	struct soft_disk_conf disk;
	struct soft_hba_conf conf = { .disks = &disk, .ndisks = 1 };
	struct soft_hba *hba;
	struct soft_disk_info info;
	char err[SOFT_ERR_LEN];

	ck_assert_int_eq(soft_mod_init(), 0);
	ck_assert_int_eq(soft_conf_parse("null:1G,luns=16384", &disk, err), 0);
	ck_assert_msg(soft_hba_new(&conf, &hba, err) == 0, "%s", err);
	ck_assert_uint_eq(soft_hba_disks(hba), LUNS);
	ck_assert_int_eq(soft_disk_info_get(hba, LUNS - 1, &info), 0);
	ck_assert_int_eq(info.lun, (int)LUNS - 1);
	ck_assert_str_eq(info.serial, "null-00003fff");
	soft_hba_free(hba);
	ck_assert_int_eq(soft_mod_fini(), 0);
}
END_TEST

CHECK_MAIN("many units", one_line_makes_them_all, idle_units_are_small)
