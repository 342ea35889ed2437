/* an expander on a port answers SMP requests, and says what is behind its phys */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "check_main.h"
#include "ddi/devtree.h"
#include "mock_flow.h"
#include "scsa/smp.h"

#define EXP	"5000c500eeee0001"
#define EXP_2	"5000c500eeee0002"
#define FAR	0x5000c500aaaa0001ull

static uint8_t req[1032], rsp[1032];
static char err[SOFT_ERR_LEN];
static const char *port_now;

static dev_info_t *
expander(const char *name)
{
	dev_info_t *iport = scsi_hba_iport_find(
	    soft_hba_node(flow_hba), (char *)(uintptr_t)port_now);
	char text[40];

	ck_assert_ptr_nonnull(iport);
	(void)snprintf(text, sizeof(text), "smp@w%s", name);
	return devi_find(iport, text);
}

/* one exchange with room for @room bytes; 0 or -errno */
static int
ask(uint8_t function, size_t len, size_t room)
{
	dev_info_t *dip = expander(EXP);
	int r;

	ck_assert_ptr_nonnull(dip);
	req[0] = SMP_FRAME_TYPE_REQUEST;
	req[1] = function;
	memset(rsp, 0xee, sizeof(rsp));
	r = scsa_smp_command(dip, req, len, rsp, room, 0);
	devi_unref(dip);
	if (r == 0) {
		ck_assert_uint_eq(rsp[0], SMP_FRAME_TYPE_RESPONSE);
		ck_assert_uint_eq(rsp[1], function);
	}
	return r;
}

static uint64_t
attached_to(uint8_t phy, uint8_t *ret_type)
{
	req[9] = phy;
	ck_assert_int_eq(ask(SMP_FUNC_DISCOVER, 12, 64), 0);
	ck_assert_uint_eq(rsp[2], SMP_RES_FUNCTION_ACCEPTED);
	ck_assert_uint_eq(rsp[9], phy);
	ck_assert_uint_eq(be64_get(rsp + 16), 0x5000c500eeee0001ull);
	*ret_type = rsp[12] >> 4;
	return be64_get(rsp + 24);
}

static void
who_it_is(void)
{
	uint16_t changes;

	ck_assert_int_eq(ask(SMP_FUNC_REPORT_GENERAL, 8, 64), 0);
	ck_assert_uint_eq(rsp[2], SMP_RES_FUNCTION_ACCEPTED);
	ck_assert_uint_eq(rsp[3], 6);
	ck_assert_uint_eq(rsp[9], 8);
	ck_assert_uint_eq(be64_get(rsp + 12), 0x5000c500eeee0001ull);
	changes = be16_get(rsp + 4);
	ck_assert_int_eq(soft_target_add(flow_hba, "mem:1M,target=77", NULL, err), 0);
	ck_assert_int_eq(ask(SMP_FUNC_REPORT_GENERAL, 8, 64), 0);
	ck_assert_uint_ne(be16_get(rsp + 4), changes);

	ck_assert_int_eq(ask(SMP_FUNC_REPORT_MANUFACTURER_INFO, 8, 64), 0);
	ck_assert_uint_eq(rsp[2], SMP_RES_FUNCTION_ACCEPTED);
	ck_assert_uint_eq(rsp[3], 14);
	ck_assert_int_eq(memcmp(rsp + 12, "ACME    Ten ports       1.0 ", 28), 0);
}

static void
what_is_connected(void)
{
	uint8_t type;

	ck_assert_uint_ne(attached_to(0, &type), 0);
	ck_assert_uint_eq(type, SAS_DEVICE_TYPE_END);
	ck_assert_uint_eq(rsp[14], SAS_IF_DTYPE_SSP | SAS_IF_DTYPE_SMP);
	ck_assert_uint_eq(attached_to(1, &type), 0x5000c50000000001ull);
	ck_assert_uint_eq(type, SAS_DEVICE_TYPE_END);
	ck_assert_uint_eq(rsp[15], SAS_IF_DTYPE_SSP);
	ck_assert_uint_eq(rsp[13], SAS_LINK_RATE_12GBIT);
	ck_assert_uint_eq(attached_to(2, &type), 0x5000c50000000002ull);
	ck_assert_uint_eq(attached_to(3, &type), 0);
	ck_assert_uint_eq(type, SAS_DEVICE_TYPE_NONE);
	ck_assert_int_eq(soft_target_remove(flow_hba, "w5000c50000000001", err), 0);
	ck_assert_uint_eq(attached_to(1, &type), 0x5000c50000000002ull);
	ck_assert_uint_eq(attached_to(2, &type), 0);
	req[9] = 8;
	ck_assert_int_eq(ask(SMP_FUNC_DISCOVER, 12, 64), 0);
	ck_assert_uint_eq(rsp[2], SMP_RES_PHY_DOES_NOT_EXIST);
}

static void
what_it_does_not_know(void)
{
	dev_info_t *dip;

	ck_assert_int_eq(ask(SMP_FUNC_PHY_CONTROL, 44, 64), 0);
	ck_assert_uint_eq(rsp[2], SMP_RES_UNKNOWN_FUNCTION);
	ck_assert_int_eq(ask(0xff, 8, 64), 0);
	ck_assert_uint_eq(rsp[2], SMP_RES_UNKNOWN_FUNCTION);
	/* too short for its phy */
	ck_assert_int_eq(ask(SMP_FUNC_DISCOVER, 8, 64), 0);
	ck_assert_uint_eq(rsp[2], SMP_RES_INVALID_REQUEST_FRAME_LEN);
	/* the answer has no room: its beginning, and no byte more */
	ck_assert_int_eq(ask(SMP_FUNC_REPORT_GENERAL, 8, 12), -EOVERFLOW);
	ck_assert_uint_eq(rsp[9], 8);
	ck_assert_uint_eq(rsp[12], 0xee);
	/* no request at all */
	req[0] = 0x77;
	dip = expander(EXP);
	ck_assert_int_eq(scsa_smp_command(dip, req, 8, rsp, 64, 0), -EINVAL);
	devi_unref(dip);
}

static void
comes_and_goes(void)
{
	dev_info_t *dip;

	ck_assert_int_eq(soft_expander_add(flow_hba, EXP_2, err), 0);
	ck_assert_int_eq(soft_expander_add(flow_hba, EXP_2, err), -EEXIST);
	ck_assert_int_eq(soft_expander_add(flow_hba, EXP_2 ",port=none", err), -ENOENT);
	ck_assert_int_eq(soft_expander_add(flow_hba, "none", err), -EINVAL);
	sim_advance_us(300000);
	dip = expander(EXP_2);
	ck_assert_ptr_nonnull(dip);
	devi_unref(dip);
	/* pulled: who still asks finds nobody, then its node goes */
	ck_assert_int_eq(soft_target_remove(flow_hba, "iport0/w" EXP, err), 0);
	ck_assert_int_eq(ask(SMP_FUNC_REPORT_GENERAL, 8, 64), -ETIMEDOUT);
	sim_advance_us(300000);
	ck_assert_ptr_null(expander(EXP));
	ck_assert_int_eq(soft_target_remove(flow_hba, "iport0/w" EXP, err), -ENOENT);
	ck_assert_int_eq(soft_target_remove(flow_hba, "iport0/expander", err), -ENOENT);
}

#define FLOW_TEST(name)                                                        \
	START_TEST(flow_##name)                                                \
	{                                                                      \
		struct flow flow = { .scenario = name, .expanders = { EXP      \
			",phys=8,vendor=ACME,product=Ten ports,revision=1.0" }, \
			.disks = { "mem:1M,wwn=5000c50000000001",              \
			"mem:1M,wwn=5000c50000000002" } };                     \
                                                                               \
		port_now = SOFT_IPORT;                                         \
		for (flow.seed = 1; flow.seed <= 3; flow.seed++)               \
			flow_run(&flow);                                       \
	}                                                                      \
	END_TEST

FLOW_TEST(who_it_is)
FLOW_TEST(what_is_connected)
FLOW_TEST(what_it_does_not_know)
FLOW_TEST(comes_and_goes)

/* behind phys the first ones lead to the adapter */
static void
upstream(void)
{
	uint8_t type;
	uint64_t local = attached_to(0, &type);

	ck_assert_uint_ne(local, 0);
	ck_assert_uint_eq(rsp[32], 4);
	ck_assert_uint_eq(attached_to(1, &type), local);
	ck_assert_uint_eq(rsp[32], 5);
	ck_assert_uint_eq(attached_to(2, &type), 0x5000c50000000001ull);
	ck_assert_int_eq(soft_phy_up(flow_hba, 9, 0x5000c50012121212ull, FAR, err), 0);
	ck_assert_uint_eq(attached_to(2, &type), 0x5000c50012121212ull);
	ck_assert_uint_eq(attached_to(3, &type), 0x5000c50000000001ull);
}

START_TEST(first_phys_lead_to_the_adapter)
{
	struct flow flow = { .scenario = upstream, .expanders = { EXP ",port=far" },
		.ports = { "far,remote=5000c500aaaa0001,phys=30" },
		.disks = { "mem:1M,port=far,wwn=5000c50000000001" } };

	port_now = "30";
	flow_run(&flow);
}
END_TEST

CHECK_MAIN("expander answers", flow_who_it_is, flow_what_is_connected,
    flow_what_it_does_not_know, flow_comes_and_goes, first_phys_lead_to_the_adapter)
