/* rings, tags and scatter lists: arithmetic on memory that somebody else writes, too */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "check_main.h"
#include "hw/pvscsi/pvscsi.h"

static struct pvscsi_rings rings;

static void
rings_make(void)
{
	rings = (struct pvscsi_rings){
		.state = calloc(1, PV_PAGE), .req = calloc(1, PV_PAGE),
		.cmp = calloc(1, PV_PAGE), .msg = calloc(1, PV_PAGE),
		.req_entries = 32, .cmp_entries = 128, .msg_entries = 32,
	};
	rings.state->req_log2 = 5;
	rings.state->cmp_log2 = 7;
}

static void
rings_drop(void)
{
	free(rings.state);
	free(rings.req);
	free(rings.cmp);
	free(rings.msg);
}

START_TEST(tags_are_used_once)
{
	struct pvscsi_slot slots[3];
	struct pvscsi_tags tags;
	struct pvscsi_cmd cmds[4];
	uint32_t c[3];

	tags_init(&tags, slots, 3);
	ck_assert_ptr_null(tags_find(&tags, 0));
	ck_assert_ptr_null(tags_find(&tags, 1));
	for (int i = 0; i < 3; i++) {
		c[i] = tags_take(&tags, &cmds[i]);
		ck_assert_uint_ne(c[i], 0);
		ck_assert_ptr_eq(tags_find(&tags, c[i]), &cmds[i]);
	}
	ck_assert_uint_eq(tags_take(&tags, &cmds[3]), 0);
	ck_assert_uint_eq(tags.used, 3);
	tags_drop(&tags, c[1]);
	ck_assert_ptr_null(tags_find(&tags, c[1]));
	ck_assert_ptr_null(tags_find(&tags, c[0] | 1ull << 32));
	ck_assert_ptr_null(tags_find(&tags, UINT64_MAX));
	ck_assert_ptr_null(tags_find(&tags, 4));
	/* the same slot, another generation */
	ck_assert_uint_ne(tags_take(&tags, &cmds[3]), c[1]);
	ck_assert_ptr_null(tags_find(&tags, c[1]));
}
END_TEST

/* generations wrap: stale ones are found out all the same, and 0 is never a context */
START_TEST(generations_wrap)
{
	struct pvscsi_slot slots[1];
	struct pvscsi_tags tags;
	struct pvscsi_cmd cmd;
	uint32_t last = 0;

	tags_init(&tags, slots, 1);
	for (int i = 0; i < (1 << 22); i++) {
		uint32_t c = tags_take(&tags, &cmd);

		if (c == 0 || c == last || tags_find(&tags, c) != &cmd ||
		    tags_find(&tags, last) != NULL)
			ck_abort_msg("at %d", i);
		tags_drop(&tags, c);
		last = c;
	}
}
END_TEST

START_TEST(requests_go_round)
{
	struct pv_req req = { .data_len = 7 };

	rings_make();
	ck_assert(rings_agree(&rings));
	rings.req_prod = UINT32_MAX;
	for (uint64_t i = 0; i < 40; i++) {
		req.context = i + 1;
		ring_post(&rings, &req);
		ck_assert_uint_eq(rings.state->req_prod, (uint32_t)i);
		ck_assert_uint_eq(rings.req[(i + 31) % 32].context, i + 1);
	}
	rings_zero(&rings);
	ck_assert_uint_eq(rings.req_prod, 0);
	ck_assert_uint_eq(rings.state->req_prod, 0);
	ck_assert_uint_eq(rings.req[0].context, 0);
	ck_assert(!rings_agree(&rings));
	rings.state->req_log2 = 64;
	ck_assert(!rings_agree(&rings));
	rings_drop();
}
END_TEST

START_TEST(completions_cannot_outnumber_commands)
{
	struct pv_cmp cmp;

	rings_make();
	ck_assert_int_eq(ring_cmp_next(&rings, 31, &cmp), 0);
	rings.cmp[0].context = 9;
	rings.state->cmp_prod = 2;
	ck_assert_int_eq(ring_cmp_next(&rings, 1, &cmp), -EPROTO);
	ck_assert_int_eq(ring_cmp_next(&rings, 2, &cmp), 1);
	ck_assert_uint_eq(cmp.context, 9);
	ck_assert_uint_eq(rings.state->cmp_cons, 1);
	/* back */
	rings.state->cmp_prod = 0;
	ck_assert_int_eq(ring_cmp_next(&rings, 31, &cmp), -EPROTO);
	/* the chip's idea of our index is not looked at */
	rings.state->cmp_prod = 2;
	rings.state->cmp_cons = 77;
	ck_assert_int_eq(ring_cmp_next(&rings, 1, &cmp), 1);
	ck_assert_int_eq(ring_cmp_next(&rings, 1, &cmp), 0);
	/* over the end of 32 bits */
	rings.cmp_cons = UINT32_MAX;
	rings.state->cmp_prod = 0;
	rings.cmp[127].context = 3;
	ck_assert_int_eq(ring_cmp_next(&rings, 1, &cmp), 1);
	ck_assert_uint_eq(cmp.context, 3);
	rings_drop();
}
END_TEST

START_TEST(full_message_rings_are_known)
{
	struct pv_msg msg;
	bool is_lost = false;

	rings_make();
	ck_assert_int_eq(ring_msg_next(&rings, &msg, &is_lost), 0);
	rings.state->msg_prod = 31;
	ck_assert_int_eq(ring_msg_next(&rings, &msg, &is_lost), 1);
	ck_assert(!is_lost);
	rings.state->msg_prod = 33;
	ck_assert_int_eq(ring_msg_next(&rings, &msg, &is_lost), 1);
	ck_assert(is_lost);
	rings.state->msg_prod = 35;
	ck_assert_int_eq(ring_msg_next(&rings, &msg, &is_lost), -EPROTO);
	free(rings.msg);
	rings.msg = NULL;
	ck_assert_int_eq(ring_msg_next(&rings, &msg, &is_lost), 0);
	rings_drop();
}
END_TEST

START_TEST(lists_cover_what_is_asked)
{
	const ddi_dma_cookie_t cookies[] = {
		{ .dmac_laddress = 0x1000, .dmac_size = 0x100 },
		{ .dmac_laddress = 0x5000, .dmac_size = 0 },
		{ .dmac_laddress = 0x2000, .dmac_size = 0x200 },
		{ .dmac_laddress = 0x9000, .dmac_size = 0x80 },
	};
	struct pv_sge table[4];
	uint32_t n;

	ck_assert_uint_eq(sg_build(table, cookies, 4, 0x380, &n), 0x380);
	ck_assert_uint_eq(n, 3);
	ck_assert_uint_eq(table[1].iova, 0x2000);
	ck_assert_uint_eq(table[2].len, 0x80);
	ck_assert_uint_eq(sg_build(table, cookies, 4, 0x180, &n), 0x180);
	ck_assert_uint_eq(n, 2);
	ck_assert_uint_eq(table[1].len, 0x80);
	ck_assert_uint_eq(sg_build(table, cookies, 4, 0x1000, &n), 0x380);
	ck_assert_uint_eq(sg_build(table, cookies, 4, 0, &n), 0);
	ck_assert_uint_eq(n, 0);
}
END_TEST

CHECK_MAIN("rings keep count", tags_are_used_once, generations_wrap, requests_go_round,
    completions_cannot_outnumber_commands, full_message_rings_are_known,
    lists_cover_what_is_asked)
