/* what the adapter says it can do, and what may be changed */
#include "check_main.h"
#include "mock_world.h"

static void
are_told(void)
{
	struct scsi_address *ap = &world_sd(0)->sd_address;
	static const struct { const char *name; int value, set, r; } rows[] = {
		{ "dma-max", PVSCSI_XFER_MAX, 1, 0 },
		{ "auto-rqsense", 1, 1, 1 }, { "auto-rqsense", 1, 0, 0 },
		{ "tagged-qing", 1, 1, 1 }, { "lun-reset", 0, 1, 0 },
		{ "max-cdb-length", 16, 32, 0 }, { "initiator-id", 7, 8, 0 },
		{ "interconnect-type", INTERCONNECT_PARALLEL, 1, 0 },
		{ "reset-notification", 1, 1, 0 }, { "geometry", -1, 1, -1 },
		{ "total-sectors", -1, 1000, 1 }, { "sector-size", 512, 513, 0 },
		{ "scsi-version", 3, 2, 0 }, { "no-such-thing", -1, 1, -1 },
		{ "wide-xfer", 1, 2, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char *name = (char *)(uintptr_t)rows[i].name;

		ck_assert_msg(scsi_ifgetcap(ap, name, 1) == rows[i].value, "%s", name);
		ck_assert_msg(
		    scsi_ifsetcap(ap, name, rows[i].set, 1) == rows[i].r, "%s", name);
	}
}

static void
two_disks(struct mock_chip *c)
{
	c->disks[0].is_there = c->disks[2].is_there = true;
}

static void
belong_to_targets(void)
{
	struct scsi_address *a = &world_sd(0)->sd_address, *b = &world_sd(2)->sd_address;
	char tagged[] = "tagged-qing";

	ck_assert_int_eq(scsi_ifsetcap(a, tagged, 0, 1), 1);
	ck_assert_int_eq(scsi_ifgetcap(a, tagged, 1), 0);
	ck_assert_int_eq(scsi_ifgetcap(b, tagged, 1), 1);
	ck_assert_int_eq(scsi_ifsetcap(b, tagged, 0, 0), 1);
	ck_assert_int_eq(scsi_ifgetcap(b, tagged, 1), 0);
	ck_assert_int_eq(scsi_ifsetcap(a, tagged, 1, 1), 1);
	ck_assert_int_eq(scsi_ifgetcap(a, tagged, 1), 1);
}

WORLD_TEST(are_told)
WORLD_TEST(belong_to_targets, .prepare = two_disks)

CHECK_MAIN("capabilities", are_told_test, belong_to_targets_test)
