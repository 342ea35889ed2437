/* requests, descriptors, task management and events, byte by byte */
#include <string.h>

#include "base/bytes.h"
#include "check_main.h"
#include "hw/virtio_scsi/layout.h"

START_TEST(luns_as_the_standard_has_them)
{
	static const uint8_t zero[8] = { 1, 0, 0x40, 0 }, far[8] = { 1, 255, 0x7f, 0xff };
	static const uint8_t peripheral[8] = { 1, 7, 0x00, 5 };
	static const uint8_t known[8] = { 0xc1, 1 }, deep[8] = { 1, 7, 0x80, 5 };
	uint8_t wire[8], target;
	uint16_t lun;

	vs_lun_put(wire, 0, 0);
	ck_assert_mem_eq(wire, zero, 8);
	vs_lun_put(wire, 255, VS_LUN_MAX);
	ck_assert_mem_eq(wire, far, 8);
	for (unsigned int i = 0; i <= VS_LUN_MAX; i += 97) {
		vs_lun_put(wire, (uint8_t)i, (uint16_t)i);
		ck_assert(vs_lun_get(wire, &target, &lun));
		ck_assert_uint_eq(target, (uint8_t)i);
		ck_assert_uint_eq(lun, i);
	}
	ck_assert(vs_lun_get(peripheral, &target, &lun));
	ck_assert_uint_eq(target, 7);
	ck_assert_uint_eq(lun, 5);
	ck_assert(!vs_lun_get(known, &target, &lun));
	ck_assert(!vs_lun_get(deep, &target, &lun));
}
END_TEST

START_TEST(a_request_has_51_bytes)
{
	static const uint8_t cdb[10] = { 0x28, 1, 2, 3, 4, 5, 6, 7, 8, 9 };
	uint8_t mem[VS_REQ_BYTES + 1], wire[8], zeros[VS_CDB_BYTES] = { 0 };

	ck_assert_uint_eq(VS_REQ_BYTES, 51);
	memset(mem, 0xa5, sizeof(mem));
	vs_lun_put(wire, 3, 300);
	vs_request_build(mem, wire, 0x1122334455667788ull, VS_ATTR_ORDERED, cdb, sizeof(cdb));
	ck_assert_mem_eq(mem, wire, 8);
	ck_assert_uint_eq(le64_get(mem + 8), 0x1122334455667788ull);
	ck_assert_uint_eq(mem[16], 1);
	ck_assert_uint_eq(mem[17], 0);
	ck_assert_uint_eq(mem[18], 0);
	ck_assert_mem_eq(mem + 19, cdb, sizeof(cdb));
	ck_assert_mem_eq(mem + 29, zeros, VS_CDB_BYTES - sizeof(cdb));
	ck_assert_uint_eq(mem[VS_REQ_BYTES], 0xa5);
}
END_TEST

static ddi_dma_cookie_t cookies[3] = {
	{ ._dmu._dmac_ll = 0x1000, .dmac_size = 512 },
	{ ._dmu._dmac_ll = 0x900000000, .dmac_size = 4096 },
	{ ._dmu._dmac_ll = 0x3000, .dmac_size = 1 },
};

static struct vs_chain chain = {
	.request_iova = 0x10, .request_bytes = 51,
	.response_iova = 0x20, .response_bytes = 108,
	.cookies = cookies,
};

static void
expect_desc(const struct vs_desc *d, uint64_t iova, uint32_t len, uint16_t flags, uint16_t next)
{
	ck_assert_uint_eq(d->iova, iova);
	ck_assert_uint_eq(d->len, len);
	ck_assert_uint_eq(d->flags, flags);
	ck_assert_uint_eq(d->next, next);
}

START_TEST(what_the_device_reads_comes_first)
{
	struct vs_desc d[5];

	chain.ncookies = 3;
	chain.is_read = false;
	ck_assert_uint_eq(vs_chain_build(d, 0, &chain), 5);
	expect_desc(&d[0], 0x10, 51, VS_DESC_NEXT, 1);
	expect_desc(&d[1], 0x1000, 512, VS_DESC_NEXT, 2);
	expect_desc(&d[2], 0x900000000, 4096, VS_DESC_NEXT, 3);
	expect_desc(&d[3], 0x3000, 1, VS_DESC_NEXT, 4);
	expect_desc(&d[4], 0x20, 108, VS_DESC_WRITE, 0);
}
END_TEST

START_TEST(the_answer_comes_before_data)
{
	struct vs_desc d[5];

	chain.ncookies = 2;
	chain.is_read = true;
	ck_assert_uint_eq(vs_chain_build(d, 96, &chain), 4);
	expect_desc(&d[0], 0x10, 51, VS_DESC_NEXT, 97);
	expect_desc(&d[1], 0x20, 108, VS_DESC_WRITE | VS_DESC_NEXT, 98);
	expect_desc(&d[2], 0x1000, 512, VS_DESC_WRITE | VS_DESC_NEXT, 99);
	expect_desc(&d[3], 0x900000000, 4096, VS_DESC_WRITE, 0);
}
END_TEST

START_TEST(a_command_without_data_has_two)
{
	struct vs_desc d[2];

	chain.ncookies = 0;
	ck_assert_uint_eq(vs_chain_build(d, 0, &chain), 2);
	expect_desc(&d[0], 0x10, 51, VS_DESC_NEXT, 1);
	expect_desc(&d[1], 0x20, 108, VS_DESC_WRITE, 0);
}
END_TEST

START_TEST(task_management_has_24_bytes)
{
	uint8_t mem[VS_TMF_BYTES + 1], wire[8];

	memset(mem, 0xa5, sizeof(mem));
	vs_lun_put(wire, 9, 1);
	vs_tmf_build(mem, wire, VS_TMF_LOGICAL_UNIT_RESET, 0xabcdef);
	ck_assert_uint_eq(le32_get(mem), 0);
	ck_assert_uint_eq(le32_get(mem + 4), 5);
	ck_assert_mem_eq(mem + 8, wire, 8);
	ck_assert_uint_eq(le64_get(mem + 16), 0xabcdef);
	ck_assert_uint_eq(mem[24], 0xa5);
}
END_TEST

static struct vs_event
event(uint32_t kind, uint32_t reason)
{
	uint8_t mem[VS_EVENT_BYTES];
	struct vs_event e;

	le32_put(mem, kind);
	vs_lun_put(mem + VS_EVENT_LUN, 4, 258);
	le32_put(mem + VS_EVENT_REASON, reason);
	vs_event_read(mem, &e);
	return e;
}

START_TEST(events_say_who_and_what)
{
	struct vs_event e = event(VS_EVENT_TRANSPORT_RESET, VS_EVENT_RESET_REMOVED);

	ck_assert_int_eq(e.kind, VS_EVENT_TRANSPORT_RESET);
	ck_assert(!e.was_missed);
	ck_assert(e.has_lun);
	ck_assert_uint_eq(e.target, 4);
	ck_assert_uint_eq(e.lun, 258);
	ck_assert_uint_eq(e.reason, 2);
	e = event(VS_EVENT_MISSED | VS_EVENT_PARAM_CHANGE, 0x092a);
	ck_assert_int_eq(e.kind, VS_EVENT_PARAM_CHANGE);
	ck_assert(e.was_missed);
	e = event(VS_EVENT_MISSED, 0);
	ck_assert_int_eq(e.kind, VS_EVENT_NONE);
	ck_assert(e.was_missed);
	ck_assert_int_eq(event(4, 0).kind, VS_EVENT_NONE);
	ck_assert_int_eq(event(0x7fffffff, 0).kind, VS_EVENT_NONE);
}
END_TEST

CHECK_MAIN("messages", luns_as_the_standard_has_them, a_request_has_51_bytes,
    what_the_device_reads_comes_first, the_answer_comes_before_data,
    a_command_without_data_has_two, task_management_has_24_bytes, events_say_who_and_what)
