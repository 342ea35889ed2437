/* test_keys.c - every key: what comes out of offer and answer, and what is refused */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "check_main.h"
#include "iscsi/keys.h"

static struct iscsi_keys keys;
static struct iscsi_offer offer;
static struct iscsi_text_out out;
static char request[70000];

static void
setup(void)
{
	iscsi_text_out_fini(&out);
	iscsi_offer_defaults(&offer);
	iscsi_keys_begin(&keys, &offer);
}

/* one request, '\n' between its pairs */
static int
ask(enum iscsi_key_phase phase, const char *text)
{
	size_t len = strlen(text);
	struct iscsi_text all = { request, len };
	int r;

	ck_assert_uint_lt(len, sizeof(request));
	for (size_t i = 0; i < len; i++)
		request[i] = text[i] == '\n' ? '\0' : text[i];
	iscsi_text_out_reset(&out);
	r = iscsi_keys_words(&keys, phase, all);
	if (r == 0)
		r = iscsi_keys_answer(&keys, phase, all, &out);
	if (r < 0)
		ck_assert_ptr_nonnull(keys.why);
	return r;
}

static const char *
answer(const char *key)
{
	size_t len = strlen(key);

	for (size_t at = 0; at < out.len; at += strlen(out.buf + at) + 1)
		if (strncmp(out.buf + at, key, len) == 0 && out.buf[at + len] == '=')
			return out.buf + at + len + 1;
	return "(none)";
}

/* a login of one key: its answer */
static const char *
one(const char *pair)
{
	char key[64];

	setup();
	(void)snprintf(key, sizeof(key), "%.*s", (int)strcspn(pair, "="), pair);
	return ask(ISCSI_PHASE_OPERATIONAL, pair) < 0 ? "(refused)" : answer(key);
}

START_TEST(answers_to_a_generous_offer)
{
	static const char *const want[][2] = {
		{ "HeaderDigest", "CRC32C" }, { "DataDigest", "CRC32C" },
		{ "InitialR2T", "No" }, { "ImmediateData", "Yes" },
		{ "MaxBurstLength", "16776192" }, { "FirstBurstLength", "262144" },
		{ "MaxConnections", "8" }, { "ErrorRecoveryLevel", "2" },
		{ "MaxOutstandingR2T", "16" }, { "DataPDUInOrder", "No" },
		{ "DataSequenceInOrder", "No" }, { "TaskReporting", "FastAbort" },
		{ "iSCSIProtocolLevel", "2" }, { "DefaultTime2Wait", "2" },
		{ "DefaultTime2Retain", "20" }, { "MaxRecvDataSegmentLength", "262144" },
	};
	const struct iscsi_params *p = &keys.params;

	setup();
	ck_assert_int_eq(ask(ISCSI_PHASE_OPERATIONAL, "HeaderDigest=CRC32C,None\nDataDigest=CRC32C,None\n"
	    "InitialR2T=No\nImmediateData=Yes\nMaxRecvDataSegmentLength=1048576\n"
	    "MaxBurstLength=16776192\nFirstBurstLength=262144\nMaxConnections=8\n"
	    "ErrorRecoveryLevel=2\nMaxOutstandingR2T=16\nDataPDUInOrder=No\n"
	    "DataSequenceInOrder=No\nTaskReporting=FastAbort,ResponseFence,RFC3720\n"
	    "iSCSIProtocolLevel=2\nDefaultTime2Wait=0\nDefaultTime2Retain=3600\n"), 0);
	for (size_t i = 0; i < ARRAY_LEN(want); i++)
		ck_assert_str_eq(answer(want[i][0]), want[i][1]);
	ck_assert_int_eq(iscsi_keys_finish(&keys), 0);
	ck_assert_uint_eq(p->max_send_data, 1048576);
	ck_assert_uint_eq(p->max_recv_data, 262144);
	ck_assert_uint_eq(p->max_burst, 16776192);
	ck_assert_uint_eq(p->first_burst, 262144);
	ck_assert_uint_eq(p->max_connections, 8);
	ck_assert_uint_eq(p->max_outstanding_r2t, 16);
	ck_assert_uint_eq(p->error_recovery_level, 2);
	ck_assert_uint_eq(p->protocol_level, 2);
	ck_assert(!p->initial_r2t && p->immediate_data);
	ck_assert(!p->data_pdu_in_order && !p->data_sequence_in_order);
	ck_assert_int_eq(p->header_digest, ISCSI_DIGEST_CRC32C);
	ck_assert_int_eq(p->data_digest, ISCSI_DIGEST_CRC32C);
	ck_assert_int_eq(p->task_reporting, ISCSI_REPORT_FAST_ABORT);
}
END_TEST

START_TEST(nothing_said_is_the_default)
{
	struct iscsi_params p;

	setup();
	ck_assert_int_eq(ask(ISCSI_PHASE_OPERATIONAL, ""), 0);
	ck_assert_int_eq(iscsi_keys_finish(&keys), 0);
	iscsi_params_defaults(&p);
	p.max_recv_data = 262144; /* declared by us */
	ck_assert_int_eq(memcmp(&p, &keys.params, sizeof(p)), 0);
	ck_assert_uint_eq(p.first_burst, 65536);
	ck_assert(p.initial_r2t && p.immediate_data && p.data_pdu_in_order);
}
END_TEST

/* both ends of each range, and one beyond */
START_TEST(ranges)
{
	static const struct {
		const char *key;
		uint32_t min, max;
		const char *at_min, *at_max;
	} rows[] = {
		{ "MaxConnections", 1, 65535, "1", "8" },
		{ "MaxBurstLength", 512, 0xffffff, "512", "16777215" },
		{ "FirstBurstLength", 512, 0xffffff, "512", "262144" },
		{ "DefaultTime2Wait", 0, 3600, "2", "3600" },
		{ "DefaultTime2Retain", 0, 3600, "0", "20" },
		{ "MaxOutstandingR2T", 1, 65535, "1", "16" },
		{ "ErrorRecoveryLevel", 0, 2, "0", "2" },
		{ "iSCSIProtocolLevel", 0, 31, "0", "2" },
	};
	char pair[80];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		(void)snprintf(pair, sizeof(pair), "%s=%u", rows[i].key, rows[i].min);
		ck_assert_str_eq(one(pair), rows[i].at_min);
		(void)snprintf(pair, sizeof(pair), "%s=0x%x", rows[i].key, rows[i].max);
		ck_assert_str_eq(one(pair), rows[i].at_max);
		(void)snprintf(pair, sizeof(pair), "%s=%u", rows[i].key, rows[i].max + 1);
		ck_assert_str_eq(one(pair), "Reject");
		(void)snprintf(pair, sizeof(pair), "%s=-1", rows[i].key);
		ck_assert_str_eq(one(pair), "Reject");
		(void)snprintf(pair, sizeof(pair), "%s=", rows[i].key);
		ck_assert_str_eq(one(pair), "Reject");
		if (rows[i].min > 0) {
			(void)snprintf(pair, sizeof(pair), "%s=%u", rows[i].key, rows[i].min - 1);
			ck_assert_str_eq(one(pair), "Reject");
		}
	}
}
END_TEST

START_TEST(yes_and_no)
{
	static const char *const bools[] = { "InitialR2T", "ImmediateData", "DataPDUInOrder",
		"DataSequenceInOrder" };
	char pair[64];

	for (size_t i = 0; i < ARRAY_LEN(bools); i++) {
		(void)snprintf(pair, sizeof(pair), "%s=Yes", bools[i]);
		ck_assert_str_eq(one(pair), "Yes");
		(void)snprintf(pair, sizeof(pair), "%s=No", bools[i]);
		ck_assert_str_eq(one(pair), "No");
		(void)snprintf(pair, sizeof(pair), "%s=yes", bools[i]);
		ck_assert_str_eq(one(pair), "Reject");
		(void)snprintf(pair, sizeof(pair), "%s=", bools[i]);
		ck_assert_str_eq(one(pair), "Reject");
	}
	/* ours decides where it may */
	setup();
	offer.want.initial_r2t = true;
	offer.want.immediate_data = false;
	offer.want.data_pdu_in_order = true;
	ck_assert_int_eq(ask(ISCSI_PHASE_OPERATIONAL, "InitialR2T=No\nImmediateData=Yes\nDataPDUInOrder=No\n"),
	    0);
	ck_assert_str_eq(answer("InitialR2T"), "Yes");
	ck_assert_str_eq(answer("ImmediateData"), "No");
	ck_assert_str_eq(answer("DataPDUInOrder"), "Yes");
}
END_TEST

START_TEST(lists_take_the_first_in_common)
{
	ck_assert_str_eq(one("HeaderDigest=None,CRC32C"), "None");
	ck_assert_str_eq(one("HeaderDigest=CRC32C"), "CRC32C");
	ck_assert_str_eq(one("DataDigest=Y-com.example.sum,CRC32C,None"), "CRC32C");
	ck_assert_str_eq(one("DataDigest=MD5"), "Reject");
	ck_assert_str_eq(one("DataDigest="), "Reject");
	ck_assert_str_eq(one("DataDigest=crc32c"), "Reject");
	ck_assert_str_eq(one("TaskReporting=ResponseFence"), "ResponseFence");
	ck_assert_str_eq(one("TaskReporting=X,RFC3720,FastAbort"), "RFC3720");
	ck_assert_str_eq(one("TaskReporting=Never"), "Reject");
	ck_assert_int_eq(keys.params.task_reporting, ISCSI_REPORT_RFC3720);
}
END_TEST

START_TEST(digests_can_be_demanded)
{
	setup();
	offer.header_digests = 1u << ISCSI_DIGEST_CRC32C;
	ck_assert_int_eq(ask(ISCSI_PHASE_OPERATIONAL, "HeaderDigest=None,CRC32C\n"), 0);
	ck_assert_str_eq(answer("HeaderDigest"), "CRC32C");
	ck_assert_int_eq(iscsi_keys_finish(&keys), 0);
	setup();
	offer.data_digests = 1u << ISCSI_DIGEST_CRC32C;
	ck_assert_int_eq(ask(ISCSI_PHASE_OPERATIONAL, "DataDigest=None\n"), -EINVAL);
	setup();
	offer.data_digests = 1u << ISCSI_DIGEST_CRC32C;
	ck_assert_int_eq(ask(ISCSI_PHASE_OPERATIONAL, ""), 0);
	ck_assert_int_eq(iscsi_keys_finish(&keys), -EINVAL);
}
END_TEST

START_TEST(first_burst_never_exceeds_max_burst)
{
	static const char *const orders[] = {
		"FirstBurstLength=65536\nMaxBurstLength=4096\n",
		"MaxBurstLength=4096\nFirstBurstLength=65536\n",
	};

	for (size_t i = 0; i < 2; i++) {
		setup();
		ck_assert_int_eq(ask(ISCSI_PHASE_OPERATIONAL, orders[i]), 0);
		ck_assert_str_eq(answer("FirstBurstLength"), "4096");
		ck_assert_int_eq(iscsi_keys_finish(&keys), 0);
		ck_assert_uint_eq(keys.params.first_burst, 4096);
	}
	/* in two requests: what was agreed is cut */
	setup();
	ck_assert_int_eq(ask(ISCSI_PHASE_OPERATIONAL, "FirstBurstLength=65536\n"), 0);
	ck_assert_int_eq(ask(ISCSI_PHASE_OPERATIONAL, "MaxBurstLength=4096\n"), 0);
	ck_assert_int_eq(iscsi_keys_finish(&keys), 0);
	ck_assert_uint_eq(keys.params.first_burst, 4096);
}
END_TEST

START_TEST(first_burst_is_irrelevant_without_unsolicited_data)
{
	setup();
	ck_assert_int_eq(ask(ISCSI_PHASE_OPERATIONAL,
	    "FirstBurstLength=65536\nInitialR2T=Yes\nImmediateData=No\n"), 0);
	ck_assert_str_eq(answer("FirstBurstLength"), "Irrelevant");
	/* InitialR2T may still become No */
	setup();
	ck_assert_int_eq(
	    ask(ISCSI_PHASE_OPERATIONAL, "FirstBurstLength=65536\nImmediateData=No\n"), 0);
	ck_assert_str_eq(answer("FirstBurstLength"), "65536");
}
END_TEST

START_TEST(discovery_sessions_have_no_use_for_some_keys)
{
	static const char *const irrelevant[] = { "InitialR2T=No", "ImmediateData=No", "MaxBurstLength=512",
		"FirstBurstLength=512", "MaxConnections=4", "MaxOutstandingR2T=4",
		"DataPDUInOrder=No", "DataSequenceInOrder=No", "TaskReporting=FastAbort",
		"iSCSIProtocolLevel=2" };
	struct iscsi_params p;
	char key[64];

	for (size_t i = 0; i < ARRAY_LEN(irrelevant); i++) {
		setup();
		keys.is_discovery = true;
		ck_assert_int_eq(ask(ISCSI_PHASE_OPERATIONAL, irrelevant[i]), 0);
		(void)snprintf(key, sizeof(key), "%.*s", (int)strcspn(irrelevant[i], "="),
		    irrelevant[i]);
		ck_assert_str_eq(answer(key), "Irrelevant");
		iscsi_params_defaults(&p);
		p.max_recv_data = 262144;
		ck_assert_int_eq(memcmp(&p, &keys.params, sizeof(p)), 0);
	}
	setup();
	keys.is_discovery = true;
	ck_assert_int_eq(ask(ISCSI_PHASE_OPERATIONAL,
	    "HeaderDigest=CRC32C\nErrorRecoveryLevel=2\nDefaultTime2Wait=5\n"), 0);
	ck_assert_str_eq(answer("HeaderDigest"), "CRC32C");
	ck_assert_str_eq(answer("ErrorRecoveryLevel"), "0");
	ck_assert_str_eq(answer("DefaultTime2Wait"), "5");
}
END_TEST

START_TEST(further_connections_negotiate_their_own_keys_only)
{
	setup();
	keys.is_leading = false;
	ck_assert_int_eq(ask(ISCSI_PHASE_OPERATIONAL,
	    "MaxBurstLength=512\nErrorRecoveryLevel=1\nDataDigest=CRC32C\nIFMarker=No\n"), 0);
	ck_assert_str_eq(answer("MaxBurstLength"), "Irrelevant");
	ck_assert_str_eq(answer("ErrorRecoveryLevel"), "Irrelevant");
	ck_assert_str_eq(answer("DataDigest"), "CRC32C");
	ck_assert_str_eq(answer("IFMarker"), "No");
}
END_TEST

START_TEST(obsolete_and_foreign_keys)
{
	ck_assert_str_eq(one("IFMarker=Yes"), "No");
	ck_assert_str_eq(one("OFMarker=No"), "No");
	ck_assert_str_eq(one("IFMarkInt=2048~8192"), "Reject");
	ck_assert_str_eq(one("OFMarkInt=2048"), "Reject");
	ck_assert_str_eq(one("RDMAExtensions=Yes"), "No");
	ck_assert_str_eq(one("InitiatorRecvDataSegmentLength=8192"), "NotUnderstood");
	ck_assert_str_eq(one("X-com.example.fast=1"), "NotUnderstood");
	ck_assert_str_eq(one("X#NodeArchitecture=linux,x86"), "(none)");
	ck_assert_str_eq(one("initialR2T=No"), "NotUnderstood");
	/* our own declarations, refused by the other side */
	ck_assert_str_eq(one("TargetAlias=NotUnderstood"), "(none)");
	ck_assert_str_eq(one("TargetPortalGroupTag=1"), "(refused)");
}
END_TEST

START_TEST(unknown_keys_are_bounded)
{
	static char text[16384];
	int n = 0;

	for (int i = 0; i < ISCSI_UNKNOWN_KEYS_MAX; i++)
		n += snprintf(text + n, sizeof(text) - (size_t)n, "Unknown%d=x\n", i);
	setup();
	ck_assert_int_eq(ask(ISCSI_PHASE_OPERATIONAL, text), 0);
	ck_assert_str_eq(answer("Unknown127"), "NotUnderstood");
	ck_assert_int_eq(ask(ISCSI_PHASE_OPERATIONAL, "Unknown128=x"), -EINVAL);
}
END_TEST

START_TEST(declarations_out_of_range_are_refused)
{
	ck_assert_str_eq(one("MaxRecvDataSegmentLength=0"), "(refused)");
	ck_assert_str_eq(one("MaxRecvDataSegmentLength=511"), "(refused)");
	ck_assert_str_eq(one("MaxRecvDataSegmentLength=16777216"), "(refused)");
	ck_assert_str_eq(one("MaxRecvDataSegmentLength=Reject"), "(refused)");
	ck_assert_str_eq(one("MaxRecvDataSegmentLength=512"), "262144");	/* ours */
	ck_assert_uint_eq(keys.params.max_send_data, 512);
	ck_assert_str_eq(one("MaxRecvDataSegmentLength=16777215"), "262144");
}
END_TEST

START_TEST(we_declare_once)
{
	setup();
	ck_assert_int_eq(ask(ISCSI_PHASE_SECURITY, "InitialR2T=No"), 0);
	ck_assert_str_eq(answer("MaxRecvDataSegmentLength"), "(none)");
	ck_assert_uint_eq(keys.params.max_recv_data, 8192);
	ck_assert_int_eq(ask(ISCSI_PHASE_OPERATIONAL, ""), 0);
	ck_assert_str_eq(answer("MaxRecvDataSegmentLength"), "262144");
	ck_assert_int_eq(ask(ISCSI_PHASE_OPERATIONAL, ""), 0);
	ck_assert_str_eq(answer("MaxRecvDataSegmentLength"), "(none)");
}
END_TEST

START_TEST(every_key_comes_once)
{
	setup();
	ck_assert_int_eq(ask(ISCSI_PHASE_OPERATIONAL, "InitialR2T=No\nInitialR2T=No\n"), -EINVAL);
	setup();
	ck_assert_int_eq(
	    ask(ISCSI_PHASE_OPERATIONAL, "TargetName=iqn.x\nTargetName=iqn.x\n"), -EINVAL);
	setup();
	ck_assert_int_eq(ask(ISCSI_PHASE_OPERATIONAL, "TargetName=iqn.x\n"), 0);
	ck_assert_int_eq(ask(ISCSI_PHASE_OPERATIONAL, "TargetName=iqn.x\n"), 0);
	setup();
	ck_assert_int_eq(ask(ISCSI_PHASE_SECURITY, "AuthMethod=None\n"), 0);
	ck_assert_int_eq(ask(ISCSI_PHASE_SECURITY, "AuthMethod=None\n"), -EINVAL);
	setup();
	ck_assert_int_eq(ask(ISCSI_PHASE_OPERATIONAL, "MaxRecvDataSegmentLength=512\n"), 0);
	ck_assert_int_eq(ask(ISCSI_PHASE_OPERATIONAL, "MaxRecvDataSegmentLength=512\n"), -EINVAL);
}
END_TEST

START_TEST(keys_in_the_wrong_stage)
{
	static const struct {
		enum iscsi_key_phase phase;
		const char *pair;
	} bad[] = {
		{ ISCSI_PHASE_OPERATIONAL, "CHAP_A=5" },
		{ ISCSI_PHASE_OPERATIONAL, "CHAP_R=0x00" },
		{ ISCSI_PHASE_OPERATIONAL, "SendTargets=All" },
		{ ISCSI_PHASE_SECURITY, "SendTargets=All" },
		{ ISCSI_PHASE_FULL, "HeaderDigest=CRC32C" },
		{ ISCSI_PHASE_FULL, "InitiatorName=iqn.x" },
		{ ISCSI_PHASE_FULL, "MaxConnections=2" },
		{ ISCSI_PHASE_FULL, "CHAP_A=5" },
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		setup();
		ck_assert_int_eq(ask(bad[i].phase, bad[i].pair), -EINVAL);
	}
}
END_TEST

START_TEST(values_have_lengths)
{
	static char text[4096];
	static const struct {
		const char *key;
		int max;
		enum iscsi_key_phase phase;
	} rows[] = {
		{ "InitiatorAlias", 255, ISCSI_PHASE_OPERATIONAL },
		{ "InitialR2T", 255, ISCSI_PHASE_OPERATIONAL },
		{ "CHAP_N", 255, ISCSI_PHASE_SECURITY },
		{ "CHAP_C", 2050, ISCSI_PHASE_SECURITY },
		{ "X-long", 4000, ISCSI_PHASE_OPERATIONAL },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int n = snprintf(text, sizeof(text), "%s=", rows[i].key);

		memset(text + n, 'v', (size_t)rows[i].max + 1);
		text[n + rows[i].max] = '\0';
		setup();
		ck_assert_int_eq(ask(rows[i].phase, text), 0);
		text[n + rows[i].max] = 'v';
		text[n + rows[i].max + 1] = '\0';
		setup();
		ck_assert_int_eq(ask(rows[i].phase, text), rows[i].max == 255 ? -EINVAL : 0);
	}
}
END_TEST

START_TEST(malformed_text_is_refused)
{
	setup();
	ck_assert_int_eq(ask(ISCSI_PHASE_OPERATIONAL, "InitialR2T=No\nnonsense\n"), -EINVAL);
	ck_assert_str_eq(keys.why, "malformed text");
}
END_TEST

static int
text_request(struct iscsi_params *params, const char *text, struct iscsi_text *send_targets)
{
	size_t len = strlen(text);

	for (size_t i = 0; i < len; i++)
		request[i] = text[i] == '\n' ? '\0' : text[i];
	iscsi_text_out_reset(&out);
	return iscsi_keys_text(params, (struct iscsi_text){ request, len }, &out, send_targets);
}

START_TEST(text_requests)
{
	struct iscsi_params params;
	struct iscsi_text value;

	iscsi_params_defaults(&params);
	ck_assert_int_eq(text_request(&params, "SendTargets=All\n", &value), 0);
	ck_assert(iscsi_text_is(value, "All"));
	ck_assert_uint_eq(out.len, 0);
	ck_assert_int_eq(
	    text_request(&params, "MaxRecvDataSegmentLength=4096\nX-a=1\nFoo=2\n", &value), 0);
	ck_assert_ptr_null(value.at);
	ck_assert_uint_eq(params.max_send_data, 4096);
	ck_assert_str_eq(answer("X-a"), "NotUnderstood");
	ck_assert_str_eq(answer("Foo"), "NotUnderstood");
	ck_assert_int_eq(text_request(&params, "X-a=1\n", &value), 0);
	ck_assert_int_eq(text_request(&params, "", &value), 0);
	ck_assert_int_eq(text_request(&params, "InitiatorAlias=me\n", &value), 0);

	ck_assert_int_eq(text_request(&params, "SendTargetsPlease=All\n", &value), -EINVAL);
	ck_assert_int_eq(text_request(&params, "sendtargets=All\n", &value), -EINVAL);
	ck_assert_int_eq(text_request(&params, "MaxRecvDataSegmentLength=0\n", &value), -EINVAL);
	ck_assert_int_eq(text_request(&params, "HeaderDigest=None\n", &value), -EINVAL);
	ck_assert_int_eq(text_request(&params, "=x\n", &value), -EINVAL);
	ck_assert_uint_eq(params.max_send_data, 4096);
}
END_TEST

CHECK_MAIN("keys", answers_to_a_generous_offer, nothing_said_is_the_default, ranges, yes_and_no,
	lists_take_the_first_in_common, digests_can_be_demanded,
	first_burst_never_exceeds_max_burst, first_burst_is_irrelevant_without_unsolicited_data,
	discovery_sessions_have_no_use_for_some_keys,
	further_connections_negotiate_their_own_keys_only, obsolete_and_foreign_keys,
	unknown_keys_are_bounded, declarations_out_of_range_are_refused, we_declare_once,
	every_key_comes_once, keys_in_the_wrong_stage, values_have_lengths,
	malformed_text_is_refused, text_requests)
