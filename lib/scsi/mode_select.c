#include "scsi/mode.h"

#include <errno.h>
#include <string.h>

#include "base/num.h"

static int
refuse_field(struct sense_data *reterr, size_t byte, int bit)
{
	*reterr = sense_invalid_field_list((uint16_t)num_min(byte, UINT16_MAX), bit);
	return -EINVAL;
}

static int
refuse_len(struct sense_data *reterr)
{
	*reterr = sense_make(SENSE_ILLEGAL_REQUEST, ASC_PARAMETER_LIST_LENGTH);
	return -EINVAL;
}

static int
top_bit(uint8_t v)
{
	return 31 - __builtin_clz(v);
}

/*
 * The descriptor may repeat what the unit is, say "the whole unit" (0 or all ones), or be left
 * out; it cannot resize or reformat.
 */
static int
check_descriptor(const struct modehdr *h, const struct mode_unit *unit,
    struct sense_data *reterr)
{
	uint64_t all_ones = h->has_long_lba ? UINT64_MAX : UINT32_MAX;

	if (h->bd_len == 0)
		return 0;
	if (!unit->has_bd || h->bd_len != (h->has_long_lba ? 16 : 8))
		return refuse_field(reterr, h->hdr_len == MODE_HDR10_LEN ? 6 : 3, -1);
	if (h->blocks != 0 && h->blocks != all_ones && h->blocks != unit->blocks)
		return refuse_field(reterr, h->hdr_len, -1);
	if (h->block_size != 0 && h->block_size != unit->block_size)
		return refuse_field(reterr, h->hdr_len + (h->has_long_lba ? 12 : 5), -1);
	return 0;
}

/*
 * MODE DATA LENGTH is reserved in a list, and so are WP and DPOFUA: initiators send back what
 * MODE SENSE gave them, so the device specific byte is let pass and only the rest is looked at.
 */
static int
check_header(const struct mode_select *sel, const uint8_t *list, const struct modehdr *h,
    struct sense_data *reterr)
{
	if (h->medium_type != sel->unit->medium_type)
		return refuse_field(reterr, sel->is_10 ? 2 : 1, -1);
	if (sel->is_10 && (list[4] & 0xfe) != 0)
		return refuse_field(reterr, 4, top_bit(list[4] & 0xfe));
	return check_descriptor(h, sel->unit, reterr);
}

/* bits that differ from now and may not; then the unit's own opinion */
static int
check_values(const struct mode_select *sel, const struct modepage *page,
    const struct mode_view *v, struct sense_data *reterr)
{
	size_t byte = 0;
	int bit = -1;

	for (size_t i = v->hdr_len; i < v->len; i++) {
		uint8_t differs = v->data[i] ^ page->current[i];
		uint8_t wrong = (uint8_t)(differs & ~page->changeable[i]);

		if (wrong != 0)
			return refuse_field(reterr, v->offset + i, top_bit(wrong));
	}
	if (sel->check != NULL && !sel->check(sel->check_arg, page, v->data, &byte, &bit))
		return refuse_field(reterr, v->offset + byte, bit);
	return 0;
}

static int
check_page(const struct mode_select *sel, const struct mode_view *v,
    const struct modepage *pages, size_t n, struct sense_data *reterr)
{
	const struct modepage *page = mode_find(pages, n, v->code, v->subcode);

	if (page == NULL)
		return refuse_field(reterr, v->offset, 5);
	if ((v->hdr_len == 4) != (page->subcode != 0))
		return refuse_field(reterr, v->offset, 6);
	if (v->len != page->len)
		return refuse_field(reterr, v->offset + (v->hdr_len == 4 ? 2 : 1), -1);
	if (sel->want_save && page->saved == NULL) {
		/* SP is a bit of the CDB (SPC-4 6.11) */
		*reterr = sense_invalid_field_cdb(1, 0);
		return -EINVAL;
	}
	return check_values(sel, page, v, reterr);
}

static int
check_list(const struct mode_select *sel, const void *list, size_t len,
    const struct modepage *pages, size_t n, struct mode_walk *walk, struct sense_data *reterr)
{
	struct mode_walk check;
	struct mode_view v;
	struct modehdr h;
	int r = mode_hdr_parse(list, len, sel->is_10, &h);

	if (r < 0)
		return refuse_len(reterr);
	r = check_header(sel, list, &h, reterr);
	if (r < 0)
		return r;
	/* not mode_walk_begin(): MODE DATA LENGTH is reserved here and must not cut the list */
	*walk = (struct mode_walk){ .base = list, .len = len, .pos = h.hdr_len + h.bd_len };
	check = *walk;
	while ((r = mode_walk_next(&check, &v)) > 0) {
		r = check_page(sel, &v, pages, n, reterr);
		if (r < 0)
			return r;
	}
	return r < 0 ? refuse_len(reterr) : 0;
}

/* true when current values changed */
static bool
page_apply(const struct mode_select *sel, const struct modepage *page,
    const struct mode_view *v)
{
	bool is_changed = false;

	for (size_t i = v->hdr_len; i < v->len; i++) {
		is_changed = is_changed || page->current[i] != v->data[i];
		page->current[i] = v->data[i];
	}
	if (sel->want_save)
		memcpy(page->saved, page->current, page->len);
	return is_changed;
}

int
mode_select_apply(const struct mode_select *sel, const void *list, size_t len,
    const struct modepage *pages, size_t n, uint64_t *ret_changed, struct sense_data *reterr)
{
	struct mode_walk walk;
	struct mode_view v;
	uint64_t changed = 0;
	int r;

	if (len == 0) {
		*ret_changed = 0;
		return 0;
	}
	r = check_list(sel, list, len, pages, n, &walk, reterr);
	if (r < 0)
		return r;
	while (mode_walk_next(&walk, &v) > 0) {
		const struct modepage *page = mode_find(pages, n, v.code, v.subcode);

		if (page_apply(sel, page, &v))
			changed |= 1ull << (page - pages);
	}
	*ret_changed = changed;
	return 0;
}
