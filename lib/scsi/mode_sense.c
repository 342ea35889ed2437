#include "scsi/mode.h"

#include <errno.h>
#include <string.h>

#include "base/cursor.h"

struct mode_request
mode_request_decode(const uint8_t *cdb)
{
	bool is_10 = cdb[0] == 0x5a;

	return (struct mode_request){
		.is_10 = is_10,
		.want_dbd = (cdb[1] & 0x08) != 0,
		.want_long_lba = is_10 && (cdb[1] & 0x10) != 0,
		.pc = cdb[2] >> 6,
		.page = cdb[2] & 0x3f,
		.subpage = cdb[3],
	};
}

static bool
is_asked_for(const struct mode_request *req, const struct modepage *p)
{
	bool is_code = req->page == MODE_ALL || req->page == p->code;
	bool is_sub = req->subpage == 0xff || req->subpage == p->subcode;

	return is_code && is_sub;
}

static const uint8_t *
values_of(const struct modepage *p, uint8_t pc)
{
	switch (pc) {
	case MODE_PC_CHANGEABLE:
		return p->changeable;
	case MODE_PC_DEFAULT:
		return p->dflt;
	case MODE_PC_SAVED:
		return p->saved;
	default:
		return p->current;
	}
}

/* the header bytes come from the default page: a changeable mask has none of its own */
static void
put_page(struct cursor *c, const struct modepage *p, uint8_t pc)
{
	uint8_t *out = cursor_take(c, p->len);
	size_t hdr_len = p->subcode != 0 ? 4 : 2;

	if (out == NULL)
		return;
	memcpy(out, values_of(p, pc), p->len);
	memcpy(out, p->dflt, hdr_len);
	out[0] = (uint8_t)((p->dflt[0] & 0x7f) | (p->saved != NULL ? 0x80 : 0));
}

static void
put_descriptor(struct cursor *c, const struct mode_unit *unit, bool is_long)
{
	if (is_long) {
		cursor_put_be64(c, unit->blocks);
		cursor_put_be32(c, 0);
		cursor_put_be32(c, unit->block_size);
		return;
	}
	/* more than fits is said by all ones (SBC-3 6.5.2.2) */
	cursor_put_be32(c, unit->blocks > UINT32_MAX ? UINT32_MAX : (uint32_t)unit->blocks);
	cursor_put_be32(c, unit->block_size & 0xffffff);
}

/* header and descriptor; MODE DATA LENGTH is put when it is known */
static void
put_header(struct cursor *c, const struct mode_request *req, const struct mode_unit *unit)
{
	bool has_bd = unit->has_bd && !req->want_dbd;
	uint8_t bd_len = !has_bd ? 0 : req->want_long_lba ? 16 : 8;

	if (req->is_10)
		cursor_put_u8(c, 0);
	cursor_put_u8(c, 0);
	cursor_put_u8(c, unit->medium_type);
	cursor_put_u8(c, unit->device_specific);
	if (req->is_10) {
		cursor_put_be16(c, has_bd && req->want_long_lba ? 0x0100 : 0);
		cursor_put_u8(c, 0);
	}
	cursor_put_u8(c, bd_len);
	if (has_bd)
		put_descriptor(c, unit, req->want_long_lba);
}

/* what is wrong with the request itself; 0 when nothing is */
static int
check_request(const struct mode_request *req, const struct modepage *pages, size_t n,
    struct sense_data *reterr)
{
	bool is_any = req->page == MODE_ALL && (req->subpage == 0 || req->subpage == 0xff);
	bool is_code = req->page == MODE_ALL;
	bool is_savable = true;

	for (size_t i = 0; i < n; i++) {
		is_code = is_code || req->page == pages[i].code;
		if (!is_asked_for(req, &pages[i]))
			continue;
		is_any = true;
		is_savable = is_savable && pages[i].saved != NULL;
	}
	if (!is_any) {
		*reterr = sense_invalid_field_cdb(is_code ? 3 : 2, is_code ? 7 : 5);
		return -EINVAL;
	}
	if (req->pc == MODE_PC_SAVED && !is_savable) {
		*reterr = sense_make(SENSE_ILLEGAL_REQUEST, ASC_SAVING_NOT_SUPPORTED);
		return -EINVAL;
	}
	return 0;
}

int
mode_sense_build(const struct mode_request *req, const struct mode_unit *unit,
    const struct modepage *pages, size_t n, void *buf, size_t size, size_t *ret_len,
    struct sense_data *reterr)
{
	struct cursor c = cursor_write_init(buf, size);
	int r = check_request(req, pages, n, reterr);

	if (r < 0)
		return r;
	put_header(&c, req, unit);
	for (size_t i = 0; i < n; i++) {
		if (is_asked_for(req, &pages[i]))
			put_page(&c, &pages[i], req->pc);
	}
	if (!cursor_ok(&c) || c.pos > (req->is_10 ? 2u + UINT16_MAX : 1u + UINT8_MAX))
		return -ENOSPC;
	if (req->is_10)
		be16_put(buf, (uint16_t)(c.pos - 2));
	else
		*(uint8_t *)buf = (uint8_t)(c.pos - 1);
	*ret_len = c.pos;
	return 0;
}
