/* C73, C74: every capability answers as the driver's table says; unknown ones do not */
#include <stdio.h>

#include "check_main.h"
#include "mock_flow.h"

static const struct {
	const char *name;
	int get;		/* at first */
	int set, answer;	/* setcap to this value gives that answer */
	int then;		/* and getcap says this afterwards */
} rows[] = {
	{ "dma-max", 16 << 20, 1, 0, 16 << 20 },
	{ "dma_max", 16 << 20, 1, 0, 16 << 20 },
	{ "msg-out", 1, 0, 0, 1 },
	{ "disconnect", 1, 0, 1, 0 },
	{ "synchronous", 1, 0, 1, 0 },
	{ "wide-xfer", 1, 0, 1, 0 },
	{ "parity", 1, 0, 0, 1 },
	{ "initiator-id", 1024, 7, 0, 1024 },
	{ "untagged-qing", 1, 0, 0, 1 },
	{ "tagged-qing", 1, 0, 1, 0 },
	{ "auto-rqsense", 1, 0, 0, 1 },
	{ "auto-rqsense", 1, 1, 1, 1 },
	{ "linked-cmds", 0, 1, 0, 0 },
	{ "sector-size", 512, 4096, 1, 4096 },
	{ "sector-size", 512, 1000, 0, 512 },
	{ "total-sectors", -1, 5, 1, -1 },
	{ "geometry", 255 << 16 | 63, 1, 0, 255 << 16 | 63 },
	{ "reset-notification", 1, 0, 0, 1 },
	{ "qfull-retries", 0, 256, 0, 0 },
	{ "qfull-retries", 0, 255, 1, 255 },
	{ "qfull-retry-interval", 0, 1000, 1, 1000 },
	{ "scsi-version", 3, 2, 0, 3 },
	{ "interconnect-type", INTERCONNECT_PARALLEL, 1, 0, INTERCONNECT_PARALLEL },
	{ "lun-reset", 1, 0, 1, 0 },
	{ "max-cdb-length", 16, 32, 0, 16 },
	{ "tran-layer-retries", 0, 1, 0, 0 },
	{ "no-such-thing", -1, 1, -1, -1 },
};

static size_t row;

static void
one_row(void)
{
	struct scsi_address *ap = &flow_sd(0, 0)->sd_address,
			    *neighbour = &flow_sd(1, 0)->sd_address;
	char name[32];

	snprintf(name, sizeof(name), "%s", rows[row].name);
	ck_assert_int_eq(scsi_ifgetcap(ap, name, 1), rows[row].get);
	ck_assert_int_eq(scsi_ifgetcap(ap, name, 0), rows[row].get);
	ck_assert_int_eq(scsi_ifsetcap(ap, name, rows[row].set, 1), rows[row].answer);
	ck_assert_msg(scsi_ifgetcap(ap, name, 1) == rows[row].then, "%s", name);
	ck_assert_int_eq(scsi_ifgetcap(ap, name, -1), rows[row].then);
	ck_assert_int_eq(scsi_ifgetcap(neighbour, name, 1), rows[row].get);
	/* for all of them */
	ck_assert_int_eq(scsi_ifsetcap(neighbour, name, rows[row].set, 0), rows[row].answer);
	ck_assert_int_eq(scsi_ifgetcap(neighbour, name, 1), rows[row].then);
	snprintf(name, sizeof(name), "dma-max-arch");
	ck_assert_int_gt(scsi_ifgetcap(ap, name, 1), 0);
	ck_assert_int_eq(scsi_ifsetcap(ap, name, 1, 1), -1);
}

START_TEST(c73_every_capability)
{
	struct flow flow = { .scenario = one_row, .disks = { "mem:1M", "mem:1M" } };

	for (row = 0; row < sizeof(rows) / sizeof(rows[0]); row++)
		flow_run(&flow);
}
END_TEST

CHECK_MAIN("capabilities", c73_every_capability)
