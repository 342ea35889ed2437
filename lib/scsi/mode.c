#include "scsi/mode.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/cursor.h"
#include "base/num.h"

#define PAGE_PS		0x80	/* MODE SENSE: can be saved; reserved in MODE SELECT */
#define PAGE_SPF	0x40	/* sub_page format: 4-byte header */

int
mode_hdr_parse(const void *buf, size_t len, bool is_10, struct modehdr *ret)
{
	struct cursor c = cursor_read_init(buf, len);
	struct modehdr h = { .hdr_len = is_10 ? MODE_HDR10_LEN : MODE_HDR6_LEN };
	struct cursor bd;

	h.data_len = is_10 ? cursor_be16(&c) : cursor_u8(&c);
	if (h.data_len != 0)
		h.data_len += is_10 ? 2 : 1;
	h.medium_type = cursor_u8(&c);
	h.device_specific = cursor_u8(&c);
	if (is_10) {
		h.has_long_lba = (cursor_u8(&c) & 0x01) != 0;
		cursor_take(&c, 1);
	}
	h.bd_len = is_10 ? cursor_be16(&c) : cursor_u8(&c);
	bd = cursor_read_init(cursor_take(&c, h.bd_len), h.bd_len);
	if (!cursor_ok(&c))
		return -EBADMSG;

	if (h.has_long_lba && h.bd_len >= 16) {
		h.blocks = cursor_be64(&bd);
		cursor_take(&bd, 4);
		h.block_size = cursor_be32(&bd);
		h.has_bd = true;
	} else if (!h.has_long_lba && h.bd_len >= 8) {
		h.blocks = cursor_be32(&bd);
		h.block_size = cursor_be32(&bd) & 0xffffff;
		h.has_bd = true;
	}
	*ret = h;
	return 0;
}

int
mode_walk_begin(const void *buf, size_t len, bool is_10, struct mode_walk *walk)
{
	struct modehdr h;
	int r = mode_hdr_parse(buf, len, is_10, &h);

	if (r < 0)
		return r;
	*walk = (struct mode_walk){ .base = buf, .len = len, .pos = h.hdr_len + h.bd_len };
	if (h.data_len >= walk->pos && h.data_len < len)
		walk->len = h.data_len;
	return 0;
}

int
mode_walk_next(struct mode_walk *walk, struct mode_view *ret)
{
	const uint8_t *p = walk->base + walk->pos;
	size_t left = walk->len - walk->pos;
	struct mode_view v = { .offset = walk->pos, .data = p };

	if (left == 0)
		return 0;
	v.code = p[0] & 0x3f;
	v.is_savable = (p[0] & PAGE_PS) != 0;
	v.hdr_len = (p[0] & PAGE_SPF) != 0 ? 4 : 2;
	if (left >= v.hdr_len) {
		v.subcode = v.hdr_len == 4 ? p[1] : 0;
		v.len = v.hdr_len == 4 ? 4u + be16_get(p + 2) : 2u + p[1];
	}
	*ret = v;
	if (left < v.hdr_len || left < v.len)
		return -EBADMSG;
	walk->pos += v.len;
	return 1;
}

const struct modepage *
mode_find(const struct modepage *pages, size_t n, uint8_t code, uint8_t subcode)
{
	for (size_t i = 0; i < n; i++) {
		if (pages[i].code == code && pages[i].subcode == subcode)
			return &pages[i];
	}
	return NULL;
}

uint64_t
mode_field_get(const uint8_t *page, size_t len, size_t byte, size_t width, uint64_t mask)
{
	uint64_t v = 0;

	if (mask == 0 || width > 8 || byte > len || width > len - byte)
		return 0;
	for (size_t i = 0; i < width; i++)
		v = v << 8 | page[byte + i];
	return (v & mask) >> __builtin_ctzll(mask);
}

bool
mode_field_put(uint8_t *page, size_t len, size_t byte, size_t width, uint64_t mask,
    uint64_t value)
{
	uint64_t v = 0;
	int shift;

	if (mask == 0 || width == 0 || width > 8 || byte > len || width > len - byte)
		return false;
	if (width < 8 && mask >> (8 * width) != 0)
		return false;
	shift = __builtin_ctzll(mask);
	if ((value << shift) >> shift != value || ((value << shift) & ~mask) != 0)
		return false;
	for (size_t i = 0; i < width; i++)
		v = v << 8 | page[byte + i];
	v = (v & ~mask) | value << shift;
	for (size_t i = width; i > 0; i--, v >>= 8)
		page[byte + i - 1] = (uint8_t)v;
	return true;
}

const char *
mode_page_name(uint8_t code, uint8_t subcode)
{
	static const struct {
		uint8_t code, subcode;
		const char *name;
	} rows[] = {
		{ MODE_RW_RECOVERY, 0, "Read-write error recovery" },
		{ MODE_DISCONNECT, 0, "Disconnect-reconnect" },
		{ 0x03, 0, "Format device" },
		{ 0x04, 0, "Rigid disk geometry" },
		{ MODE_VERIFY_RECOVERY, 0, "Verify error recovery" },
		{ MODE_CACHING, 0, "Caching" },
		{ MODE_CONTROL, 0, "Control" },
		{ MODE_CONTROL, 1, "Control extension" },
		{ MODE_CONTROL, 2, "Application tag" },
		{ MODE_CONTROL, 5, "I/O advice hints grouping" },
		{ 0x0d, 0, "Power condition (obsolete)" },
		{ 0x0f, 0, "Data compression" },
		{ 0x10, 0, "XOR control" },
		{ 0x18, 0, "Protocol specific logical unit" },
		{ MODE_PORT, 0, "Protocol specific port" },
		{ MODE_POWER, 0, "Power condition" },
		{ MODE_POWER, 1, "Power consumption" },
		{ MODE_EXCEPTIONS, 0, "Informational exceptions control" },
		{ MODE_EXCEPTIONS, 1, "Background control" },
		{ MODE_EXCEPTIONS, 2, "Logical block provisioning" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (rows[i].code == code && rows[i].subcode == subcode)
			return rows[i].name;
	}
	return NULL;
}
