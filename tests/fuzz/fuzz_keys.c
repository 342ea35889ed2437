/*
 * fuzz_keys.c - key negotiation, Text requests, and the small parsers of iSCSI
 *
 * The first byte says which, the second how; requests of one negotiation are parted by a byte
 * 1. Whatever comes, results stay inside their ranges, and answers are pairs that we could read
 * ourselves.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "iscsi/discovery.h"
#include "iscsi/keys.h"
#include "iscsi/name.h"
#include "iscsi/pdu.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_params(const struct iscsi_params *p)
{
	assert(p->max_connections >= 1 && p->max_connections <= 65535);
	assert(p->max_burst >= 512 && p->max_burst <= ISCSI_DATA_LEN_MAX);
	assert(p->first_burst >= 512 && p->first_burst <= ISCSI_DATA_LEN_MAX);
	assert(p->max_outstanding_r2t >= 1 && p->max_outstanding_r2t <= 65535);
	assert(p->time_2_wait <= 3600 && p->time_2_retain <= 3600);
	assert(p->error_recovery_level <= 2 && p->protocol_level <= 31);
	assert(p->header_digest < ISCSI_DIGEST_KIND_N && p->data_digest < ISCSI_DIGEST_KIND_N);
	assert(p->task_reporting < ISCSI_REPORT_N);
	assert(p->max_send_data >= 512 && p->max_send_data <= ISCSI_DATA_LEN_MAX);
}

static void
check_answers(struct iscsi_text_out *out)
{
	struct iscsi_text text;
	struct iscsi_pair pair;
	int r;

	if (out->error != 0)
		return;
	assert(out->len <= ISCSI_TEXT_MAX);
	text = (struct iscsi_text){ out->buf, out->len };
	while ((r = iscsi_text_next(&text, &pair)) > 0)
		assert(pair.value.len > 0);
	assert(r == 0);
}

static void
negotiation(uint8_t how, const uint8_t *data, size_t size)
{
	struct iscsi_text_out out = { .buf = NULL };
	struct iscsi_offer offer;
	struct iscsi_keys keys;
	int r = 0;

	iscsi_offer_defaults(&offer);
	offer.want.initial_r2t = (how & 1) != 0;
	offer.want.immediate_data = (how & 2) != 0;
	offer.header_digests = (how & 4) != 0 ? 1u << ISCSI_DIGEST_CRC32C : 3;
	iscsi_keys_begin(&keys, &offer);
	keys.is_discovery = (how & 8) != 0;
	keys.is_leading = (how & 16) == 0;
	while (r == 0 && size > 0) {
		const uint8_t *end = memchr(data, 1, size);
		size_t len = end != NULL ? (size_t)(end - data) : size;
		struct iscsi_text text = { (const char *)data, len };
		enum iscsi_key_phase phase = (how & 32) != 0 ? ISCSI_PHASE_SECURITY :
			ISCSI_PHASE_OPERATIONAL;

		iscsi_text_out_reset(&out);
		r = iscsi_keys_words(&keys, phase, text);
		if (r == 0)
			r = iscsi_keys_answer(&keys, phase, text, &out);
		assert(r == 0 || keys.why != NULL);
		check_answers(&out);
		check_params(&keys.params);
		data += len + (end != NULL);
		size -= len + (end != NULL);
	}
	if (r == 0 && iscsi_keys_finish(&keys) == 0) {
		assert(keys.params.first_burst <= keys.params.max_burst);
		assert((how & 4) == 0 || keys.params.header_digest == ISCSI_DIGEST_CRC32C);
	}
	iscsi_text_out_fini(&out);
}

static void
text_request(uint8_t how, const uint8_t *data, size_t size)
{
	struct iscsi_text_out out = { .buf = NULL };
	struct iscsi_params params, before;
	struct iscsi_text value;
	enum iscsi_send_targets what;
	char name[ISCSI_NAME_LEN];

	iscsi_params_defaults(&params);
	before = params;
	if (iscsi_keys_text(&params, (struct iscsi_text){ (const char *)data, size }, &out, &value) == 0) {
		check_answers(&out);
		check_params(&params);
		if (value.at != NULL &&
		    iscsi_send_targets_parse(value, (how & 1) != 0, &what, name) == 0)
			assert(what != ISCSI_SEND_ALL || (how & 1) != 0);
	} else {
		assert(memcmp(&params, &before, sizeof(params)) == 0);
	}
	iscsi_text_out_fini(&out);
}

static void
names(const uint8_t *data, size_t size)
{
	char name[ISCSI_NAME_LEN], again[ISCSI_NAME_LEN], shown[ISCSI_ADDRESS_LEN];
	struct iscsi_address address, twin;
	char *text = malloc(size + 1);

	if (text == NULL)
		abort();
	memcpy(text, data, size);
	text[size] = '\0';
	if (iscsi_name_fold((const char *)data, size, name) == 0) {
		assert(strlen(name) == size && size <= ISCSI_NAME_MAX);
		assert(iscsi_name_fold(name, size, again) == 0 && strcmp(name, again) == 0);
	}
	/* what we would give to a target, we take from the wire, unchanged */
	if (iscsi_name_check(text) == 0)
		assert(iscsi_name_fold(text, strlen(text), again) == 0 && strcmp(text, again) == 0);
	if (iscsi_address_parse(text, &address) == 0) {
		assert(iscsi_address_parse(iscsi_address_format(&address, shown), &twin) == 0);
		assert(strcmp(address.host, twin.host) == 0);
		assert(address.port == twin.port && address.tag == twin.tag);
	}
	free(text);
}

static void
binary(const uint8_t *data, size_t size)
{
	struct iscsi_text text = { (const char *)data, size };
	struct iscsi_ahs ahs;
	uint8_t buf[64];
	uint64_t v;
	size_t len;

	if (iscsi_text_binary(text, buf, sizeof(buf), &len) == 0)
		assert(len <= sizeof(buf) && size >= 2 + len);
	if (iscsi_text_number(text, 1000, &v) == 0)
		assert(v <= 1000);
	if (iscsi_ahs_parse(data, size, &ahs) == 0 && ahs.ext_cdb != NULL)
		assert(ahs.ext_cdb >= data && ahs.ext_cdb + ahs.ext_cdb_len <= data + size);
	if (size >= ISCSI_BHS_LEN && iscsi_pdu_check(data, 8192) == ISCSI_REJECT_NONE)
		assert(iscsi_pdu_data_len(data) <= 8192 && iscsi_pdu_opcode(data) < 0x20);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;
	switch (data[0] % 4) {
	case 0:
		negotiation(data[1], data + 2, size - 2);
		break;
	case 1:
		text_request(data[1], data + 2, size - 2);
		break;
	case 2:
		names(data + 2, size - 2);
		break;
	default:
		binary(data + 2, size - 2);
		break;
	}
	return 0;
}
