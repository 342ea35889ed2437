/* the management path: requests to an expander go through the firmware, and come back */
#include <errno.h>
#include <string.h>

#include "check_main.h"
#include "ddi/devtree.h"
#include "mock_ioc.h"
#include "scsa/smp.h"

#define EXP	0x500e0b0000000001ull

static uint8_t req[1032], rsp[1032];

static void
prepare(void)
{
	ioc_phy(4, 2, 20);
	ioc_expander(1, EXP, 20, 2);
}

static dev_info_t *
expander(void)
{
	dev_info_t *iport = scsi_hba_iport_find(rig_node(), (char *)(uintptr_t)"10");

	ck_assert_ptr_nonnull(iport);
	return devi_find(iport, "smp@w500e0b0000000001");
}

static int
ask(size_t len, size_t room)
{
	dev_info_t *dip = expander();
	int r;

	ck_assert_ptr_nonnull(dip);
	memset(rsp, 0xee, sizeof(rsp));
	req[0] = 0x40;
	req[1] = 0x10;
	r = scsa_smp_command(dip, req, len, rsp, room, 5);
	devi_unref(dip);
	return r;
}

static void
scenario(void)
{
	ck_assert_int_eq(ask(12, 64), 0);
	ck_assert_uint_eq(rsp[0], 0x41);
	ck_assert_uint_eq(rsp[1], 0x10);
	ck_assert_uint_eq(rsp[4], 12);
	ck_assert_uint_eq(rsp[12], 0);		/* behind what came, zeros */
	ck_assert_uint_eq(rsp[64], 0xee);
	/* a response longer than the room for it is cut, and said to be */
	ioc.smp_bytes = 100;
	ck_assert_int_eq(ask(12, 64), -EOVERFLOW);
	ck_assert_uint_eq(rsp[0], 0x41);
	ioc.smp_bytes = 0;
	ck_assert_int_eq(ask(1032, 1032), 0);
	ck_assert_uint_eq(rsp[4], 1032 & 0xff);
	/* the link says no; the adapter is well all the same */
	ioc.smp_status = 1;
	ck_assert_int_eq(ask(12, 64), -EIO);
	ioc.smp_status = 0;
	ck_assert_int_eq(ask(12, 64), 0);
	/* gone: the node goes, too */
	memset(&ioc.devices[1].page, 0, sizeof(ioc.devices[1].page));
	ioc_phy(4, 2, 0);
	rig_settle();
	ck_assert_ptr_null(scsi_hba_iport_find(rig_node(), (char *)(uintptr_t)"10"));
	ck_assert(rig_state_is("ready"));
}

START_TEST(an_expander)
{
	rig_run(prepare, scenario);
}
END_TEST

CHECK_MAIN("expanders", an_expander)
