/*
 * fuzz_words.c - what users type: disk lines, fault rules, sizes, hex
 *
 * What is accepted must be inside the limits that the headers promise; a rule that was accepted
 * must be accepted again in the form it is shown in.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "hw/soft/fault.h"
#include "hw/soft/soft.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
disk_line(const char *text)
{
	struct soft_disk_conf conf;
	char err[SOFT_ERR_LEN];

	memset(err, 0x55, sizeof(err));
	if (soft_conf_parse(text, &conf, err) < 0) {
		assert(memchr(err, '\0', sizeof(err)) != NULL && err[0] != '\0');
		return;
	}
	assert(conf.block_bytes == 512 || conf.block_bytes == 4096);
	assert(num_is_pow2(conf.physical_bytes) && conf.physical_bytes >= conf.block_bytes);
	assert(conf.size_bytes % conf.block_bytes == 0);
	assert(strnlen(conf.serial, sizeof(conf.serial)) < sizeof(conf.serial));
}

static void
fault_rule(const char *text)
{
	char err[SOFT_ERR_LEN], shown[FAULT_TEXT_LEN];
	struct fault_rule rule, again;

	if (fault_parse(text, &rule, err) < 0)
		return;
	(void)fault_format(&rule, shown);
	assert(fault_parse(shown, &again, err) == 0);
	assert(again.action == rule.action && again.count == rule.count);
}

static void
numbers(const char *text)
{
	uint8_t bytes[64];
	uint64_t v;
	size_t n;

	if (num_parse_u64(text, 1000, &v) == 0)
		assert(v <= 1000);
	if (num_parse_bytes(text, 1ull << 40, &v) == 0)
		assert(v <= 1ull << 40);
	if (num_parse_hex(text, bytes, sizeof(bytes), &n) == 0)
		assert(n <= sizeof(bytes));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text;

	if (size < 1)
		return 0;
	text = malloc(size);
	if (text == NULL)
		abort();
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	switch (data[0] % 3) {
	case 0:
		disk_line(text);
		break;
	case 1:
		fault_rule(text);
		break;
	default:
		numbers(text);
		break;
	}
	free(text);
	return 0;
}
