/*
 * SMP devices: expanders have a node below their iport, and can be asked.
 */
#include <check.h>
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "ddi/driver.h"
#include "ddi/sim.h"
#include "scsa/config.h"
#include "scsa/smp.h"
#include "scsa/trace.h"
#include "tests/include/check_main.h"
#include "tests/scsa/mock_maps.h"

#define WWN	"w5000c500ee000001"
#define WWN_2	"w5000c500ee000002"

static smp_hba_tran_t *vector;
static int n_smp_init, n_smp_free, n_smp_start, refusals;
static int answer;			/* errno of smp_tran_start; 0: answers */
static bool is_sas_1_1;
static uint8_t result;			/* function result of the expander */
static int last_timeout;
static size_t last_rspsize;

static int
smp_tran_init(dev_info_t *self, dev_info_t *child, smp_hba_tran_t *tran, smp_device_t *sd)
{
	ck_assert_ptr_eq(self, maps.iport);
	ck_assert_ptr_eq(tran, smp_hba_tran_of(maps.iport));
	ck_assert_ptr_eq(sd->smp_sd_dev, child);
	ck_assert_ptr_eq(sd->smp_sd_address.smp_a_hba_tran, tran);
	ck_assert_ptr_eq(ddi_get_driver_private(child), sd);
	if (refusals > 0) {
		refusals--;
		return DDI_FAILURE;
	}
	sd->smp_sd_hba_private = &n_smp_init;
	n_smp_init++;
	return DDI_SUCCESS;
}

static void
smp_tran_free(dev_info_t *self, dev_info_t *child, smp_hba_tran_t *tran, smp_device_t *sd)
{
	(void)self;
	(void)child;
	(void)tran;
	ck_assert_ptr_eq(sd->smp_sd_hba_private, &n_smp_init);
	n_smp_free++;
}

static int
smp_tran_start(struct smp_pkt *pkt)
{
	const uint8_t *req = (uint8_t *)pkt->smp_pkt_req;
	uint8_t rsp[64] = { SMP_FRAME_TYPE_RESPONSE, req[1], result, 14 };

	n_smp_start++;
	last_timeout = pkt->smp_pkt_timeout;
	last_rspsize = pkt->smp_pkt_rspsize;
	ck_assert_uint_eq(req[0], SMP_FRAME_TYPE_REQUEST);
	if (req[1] == SMP_FUNC_REPORT_MANUFACTURER_INFO) {
		rsp[8] = is_sas_1_1;
		memcpy(rsp + 12, "VENDOR  A PRODUCT       R1  CHIPS   ", 36);
		be16_put(rsp + 48, 77);
		rsp[50] = 5;
	}
	memcpy(pkt->smp_pkt_rsp, rsp,
	    pkt->smp_pkt_rspsize < sizeof(rsp) ? pkt->smp_pkt_rspsize : sizeof(rsp));
	pkt->smp_pkt_reason = (uchar_t)answer;
	return answer == 0 ? DDI_SUCCESS : DDI_FAILURE;
}

static void
smp_attached(dev_info_t *dip)
{
	ck_assert_int_eq(smp_hba_attach_setup(dip, NULL), DDI_FAILURE);
	vector = smp_hba_tran_alloc(dip);
	ck_assert_int_eq(smp_hba_attach_setup(dip, vector), DDI_FAILURE);	/* no start */
	vector->smp_tran_init = smp_tran_init;
	vector->smp_tran_free = smp_tran_free;
	vector->smp_tran_start = smp_tran_start;
	ck_assert_int_eq(smp_hba_attach_setup(dip, vector), DDI_SUCCESS);
	ck_assert_int_eq(smp_hba_attach_setup(dip, vector), DDI_FAILURE);
}

static void
smp_detaching(dev_info_t *dip)
{
	ck_assert_int_eq(smp_hba_detach(dip), DDI_SUCCESS);
	ck_assert_int_eq(smp_hba_detach(dip), DDI_FAILURE);
	smp_hba_tran_free(vector);
}

static void
smp_iport(dev_info_t *dip, scsi_hba_tran_t *tran)
{
	smp_hba_tran_t *mine = smp_hba_tran_of(dip);

	ck_assert_ptr_nonnull(mine);
	ck_assert_ptr_ne(mine, vector);
	ck_assert_ptr_eq(mine->smp_tran_start, smp_tran_start);
	ck_assert_int_eq(smp_hba_attach_setup(dip, mine), DDI_FAILURE);
	ck_assert_int_eq(smp_hba_detach(dip), DDI_FAILURE);
	mine->smp_tran_hba_private = &maps;
	maps_iport(dip, tran);
}

static void
begin(bool has_driver)
{
	n_smp_init = n_smp_free = n_smp_start = refusals = 0;
	answer = 0;
	is_sas_1_1 = true;
	result = SMP_RES_FUNCTION_ACCEPTED;
	maps_setup(SCSI_TM_PERADDR);
	mock.on_attached = smp_attached;
	mock.on_detach = smp_detaching;
	mock.on_iport = smp_iport;
	if (has_driver)
		ck_assert_int_eq(scsa_smp_init(), 0);
	maps_begin();
}

static void
end(bool has_driver)
{
	maps_end();
	ck_assert_int_eq(n_smp_init, n_smp_free);
	if (has_driver)
		ck_assert_int_eq(scsa_smp_fini(), 0);
}

static void
add_smp(const char *addr, const char *value)
{
	ck_assert_int_eq(scsi_hba_tgtmap_tgt_add(maps.map, SCSI_TGT_SMP_DEVICE,
	    (char *)(uintptr_t)addr, (void *)(uintptr_t)value), DDI_SUCCESS);
}

static void
expect_prop(dev_info_t *dip, const char *name, const char *value)
{
	struct smp_device *smp = ddi_get_driver_private(dip);
	char *text, key[32];

	(void)snprintf(key, sizeof(key), "%s", name);
	ck_assert_msg(smp_device_prop_lookup_string(smp, key, &text) == DDI_PROP_SUCCESS, "%s",
	    name);
	ck_assert_str_eq(text, value);
	smp_device_prop_free(smp, text);
}

static dev_info_t *
node(const char *addr)
{
	dev_info_t *dip = NULL;

	ck_assert_int_eq(scsa_bus_config_one(maps.iport, addr, &dip), 0);
	return dip;
}

SIM_TEST(c81_an_expander_gets_a_node_with_its_story)
{
	dev_info_t *dip;
	struct smp_device *smp;
	uint8_t *raw;
	uint_t len;
	char name[] = "report-manufacturer";

	begin(true);
	add_smp(WWN, "p");
	maps_until(11);
	maps_expect("1.0 +s" WWN "(p)");
	dip = node(WWN);
	ck_assert_str_eq(ddi_node_name(dip), "smp");
	smp = ddi_get_driver_private(dip);
	ck_assert_uint_eq(be64_get(smp->smp_sd_address.smp_a_wwn), 0x5000c500ee000001ull);
	expect_prop(dip, "target-port", WWN);
	expect_prop(dip, "smp-wwn", &WWN[1]);
	expect_prop(dip, "inquiry-vendor-id", "VENDOR");
	expect_prop(dip, "inquiry-product-id", "A PRODUCT");
	expect_prop(dip, "inquiry-revision-id", "R1");
	expect_prop(dip, "component", "CHIPS.00077.005");
	ck_assert_int_eq(smp_device_prop_lookup_byte_array(smp, name, &raw, &len),
	    DDI_PROP_SUCCESS);
	ck_assert_uint_ge(len, 60);
	ck_assert_uint_eq(raw[1], SMP_FUNC_REPORT_MANUFACTURER_INFO);
	smp_device_prop_free(smp, raw);
	ck_assert_int_eq(scsi_hba_tgtmap_tgt_remove(maps.map, SCSI_TGT_SMP_DEVICE,
	    (char[]){ WWN }), DDI_SUCCESS);
	maps_until(30);
	maps_expect("1.0 +s" WWN "(p) 2.1 -s" WWN "(p)");
	ck_assert_int_eq(n_smp_free, 1);
	end(true);
}

SIM_TEST(c50_both_sets_may_have_the_same_address)
{
	begin(true);
	mock.target[0].wwn = WWN;
	add_smp(WWN, "p");
	maps_add(WWN, "q");
	maps_until(11);
	ck_assert(maps_has(WWN ",0") && maps_has(WWN));
	maps_mark();
	maps_remove(WWN);
	maps_until(11);
	maps_expect("1.0 -" WWN "(q)");
	ck_assert(!maps_has(WWN ",0") && maps_has(WWN));
	end(true);
}

SIM_TEST(c81_who_cannot_be_an_expander_fails)
{
	begin(true);
	mock_violations();
	add_smp("A", "p");		/* no world wide name */
	maps_until(20);
	maps_expect("1.0 +sA(p) 1.0 xsA(p)");
	maps_mark();
	refusals = 1;
	add_smp(WWN, "p");		/* the HBA driver refuses */
	maps_until(20);
	maps_expect("1.0 +s" WWN "(p) 1.0 xs" WWN "(p)");
	maps_mark();
	answer = EIO;			/* it does not answer */
	add_smp(WWN, "p");
	maps_until(20);
	maps_expect("1.0 +s" WWN "(p) 1.0 xs" WWN "(p)");
	maps_mark();
	answer = EOVERFLOW;		/* it answers too much: it is alive */
	add_smp(WWN, "p");
	maps_until(20);
	maps_expect("1.0 +s" WWN "(p)");
	ck_assert_int_eq(mock_violation_count(), 0);
	end(true);
}

SIM_TEST(c81_without_the_driver_there_is_no_node)
{
	begin(false);
	add_smp(WWN, "p");
	maps_until(20);
	maps_expect("1.0 +s" WWN "(p) 1.0 xs" WWN "(p)");
	ck_assert_int_eq(n_smp_init, 0);
	end(false);
}

SIM_TEST(c81_properties_are_made_once_and_only_from_good_answers)
{
	dev_info_t *dip;
	struct smp_device *smp, stack = { 0 };
	char vendor[] = "inquiry-vendor-id", component[] = "component", other[] = "number";

	begin(true);
	is_sas_1_1 = false;
	result = SMP_RES_FUNCTION_FAILED;
	add_smp(WWN, NULL);
	maps_until(11);
	dip = node(WWN);
	smp = ddi_get_driver_private(dip);
	ck_assert(!ddi_prop_exists(DDI_DEV_T_ANY, dip, DDI_PROP_DONTPASS, "inquiry-vendor-id"));
	result = SMP_RES_FUNCTION_ACCEPTED;
	ck_assert_int_eq(smp_device_prop_update_string(smp, vendor, (char[]){ "FIRST" }),
	    DDI_PROP_SUCCESS);
	ck_assert_int_eq(smp_probe(smp), DDI_PROBE_SUCCESS);
	expect_prop(dip, "inquiry-vendor-id", "FIRST");
	expect_prop(dip, "inquiry-product-id", "A PRODUCT");
	/* the component is told by SAS 1.1 and later */
	ck_assert(!ddi_prop_exists(DDI_DEV_T_ANY, dip, DDI_PROP_DONTPASS, component));
	/* a device without node, as old drivers make it */
	stack.smp_sd_address = smp->smp_sd_address;
	answer = ETIMEDOUT;
	scsa_trace_set(NULL, NULL);
	ck_assert_int_eq(smp_probe(&stack), DDI_PROBE_FAILURE);
	answer = 0;
	ck_assert_int_eq(smp_probe(&stack), DDI_PROBE_SUCCESS);
	mock_order_begin();
	/* properties of other kinds */
	ck_assert_int_eq(smp_device_prop_update_int(smp, other, 7), DDI_PROP_SUCCESS);
	ck_assert_int_eq(smp_device_prop_get_int(smp, other, 0), 7);
	ck_assert_int_eq(smp_device_prop_remove(smp, other), DDI_PROP_SUCCESS);
	ck_assert_int_eq(smp_device_prop_update_int64(smp, other, 1ll << 40), DDI_PROP_SUCCESS);
	ck_assert_int_eq(smp_device_prop_get_int64(smp, other, 0), 1ll << 40);
	ck_assert_int_eq(smp_device_prop_get_int(smp, vendor, -5), -5);
	end(true);
}

SIM_TEST(c81_the_process_asks)
{
	uint8_t req[8] = { SMP_FRAME_TYPE_REQUEST, SMP_FUNC_REPORT_GENERAL }, rsp[64];
	dev_info_t *dip;

	begin(true);
	add_smp(WWN, NULL);
	add_smp(WWN_2, NULL);
	maps_until(11);
	dip = node(WWN);
	ck_assert_int_eq(scsa_smp_command(dip, req, sizeof(req), rsp, sizeof(rsp), 0), 0);
	ck_assert_uint_eq(rsp[1], SMP_FUNC_REPORT_GENERAL);
	ck_assert_int_eq(last_timeout, SMP_DEFAULT_TIMEOUT);
	ck_assert_uint_eq(last_rspsize, sizeof(rsp));
	ck_assert_int_eq(scsa_smp_command(dip, req, sizeof(req), rsp, 8, 3), 0);
	ck_assert_int_eq(last_timeout, 3);
	answer = EAGAIN;
	ck_assert_int_eq(scsa_smp_command(dip, req, sizeof(req), rsp, sizeof(rsp), 0), -EAGAIN);
	answer = EOVERFLOW;
	ck_assert_int_eq(scsa_smp_command(dip, req, sizeof(req), rsp, sizeof(rsp), 0),
	    -EOVERFLOW);
	answer = 0;
	ck_assert_int_eq(scsa_smp_command(dip, req, 7, rsp, sizeof(rsp), 0), -EINVAL);
	ck_assert_int_eq(scsa_smp_command(dip, req, 1033, rsp, sizeof(rsp), 0), -EINVAL);
	ck_assert_int_eq(scsa_smp_command(dip, req, sizeof(req), rsp, 7, 0), -EINVAL);
	ck_assert_int_eq(scsa_smp_command(dip, req, sizeof(req), rsp, 1033, 0), -EINVAL);
	ck_assert_int_eq(scsa_smp_command(NULL, req, sizeof(req), rsp, 64, 0), -ENODEV);
	ck_assert_int_eq(scsa_smp_command(maps.iport, req, sizeof(req), rsp, 64, 0), -ENODEV);
	ck_assert_int_eq(scsa_bus_unconfig_one(maps.iport, WWN), 0);
	ck_assert(!maps_has(WWN) && maps_has(WWN_2));
	end(true);
}

static int
start_without_reason(struct smp_pkt *pkt)
{
	(void)pkt;
	return DDI_FAILURE;
}

SIM_TEST(c81_a_failure_has_a_reason)
{
	smp_hba_tran_t tran = { .smp_tran_start = start_without_reason };
	struct smp_device smp = { .smp_sd_address = { .smp_a_hba_tran = &tran } };
	struct smp_pkt pkt = { .smp_pkt_address = &smp.smp_sd_address };

	scsa_trace_set(NULL, NULL);
	ck_assert_int_eq(smp_transport(&pkt), DDI_FAILURE);
	ck_assert_int_eq(pkt.smp_pkt_reason, EIO);
	smp_hba_tran_free(NULL);
	ck_assert_ptr_null(smp_hba_tran_of(NULL));
}

CHECK_MAIN("smp",
    c81_an_expander_gets_a_node_with_its_story,
    c50_both_sets_may_have_the_same_address,
    c81_who_cannot_be_an_expander_fails,
    c81_without_the_driver_there_is_no_node,
    c81_properties_are_made_once_and_only_from_good_answers,
    c81_the_process_asks,
    c81_a_failure_has_a_reason)
