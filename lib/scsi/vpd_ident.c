/* page 83h: designators, written and walked */
#include "scsi/vpd.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/cursor.h"
#include "base/text.h"

#define HDR_LEN		4
#define DESIG_HDR	4
#define T10_VENDOR_LEN	8
#define T10_ID_MAX	(255 - T10_VENDOR_LEN)
#define NAME_LEN_MAX	252	/* the largest multiple of four a length byte holds */

void
vpd_desig_put(struct cursor *c, const struct vpd_desig *d)
{
	cursor_put_u8(c, (uint8_t)((d->has_protocol ? d->protocol << 4 : 0) | d->code_set));
	cursor_put_u8(c, (uint8_t)((d->has_protocol ? 0x80 : 0) | d->assoc << 4 | d->type));
	cursor_put_u8(c, 0);
	cursor_put_u8(c, (uint8_t)d->len);
	cursor_put_bytes(c, d->data, d->len);
}

/* NUL-ended and padded to a multiple of four (SPC-4 7.8.6.11) */
bool
vpd_desig_put_name(struct cursor *c, const struct vpd_desig *like, const char *name)
{
	uint8_t text[NAME_LEN_MAX] = { 0 };
	size_t len = strlen(name), padded = (len + 4) & ~(size_t)3;
	struct vpd_desig d = *like;

	if (len == 0)
		return true;
	if (padded > sizeof(text))
		return false;
	memcpy(text, name, len);
	d.type = VPD_DESIG_NAME;
	d.code_set = VPD_CODE_UTF8;
	d.len = padded;
	d.data = text;
	vpd_desig_put(c, &d);
	return true;
}

/* what all designators of a page share */
static struct vpd_desig
desig_of(const struct vpd_ids *ids, enum vpd_assoc assoc)
{
	return (struct vpd_desig){
		.protocol = ids->port_protocol,
		.has_protocol = ids->has_port_protocol && assoc != VPD_ASSOC_UNIT,
		.assoc = (uint8_t)assoc,
	};
}

static void
put_bytes(struct cursor *c, struct vpd_desig d, uint8_t code_set, uint8_t type,
    const void *data, size_t len)
{
	d.code_set = code_set;
	d.type = type;
	d.len = len;
	d.data = data;
	vpd_desig_put(c, &d);
}

static void
put_numbers(struct cursor *c, const struct vpd_ids *ids)
{
	struct vpd_desig unit = desig_of(ids, VPD_ASSOC_UNIT);
	uint8_t eui[8];

	if (ids->naa_len != 0)
		put_bytes(c, unit, VPD_CODE_BINARY, VPD_DESIG_NAA, ids->naa, ids->naa_len);
	be64_put(eui, ids->eui64);
	if (ids->has_eui64)
		put_bytes(c, unit, VPD_CODE_BINARY, VPD_DESIG_EUI64, eui, sizeof(eui));
}

static void
put_t10(struct cursor *c, const struct vpd_ids *ids)
{
	char text[T10_VENDOR_LEN + T10_ID_MAX];
	const char *id = ids->t10_id != NULL ? ids->t10_id : "";
	size_t id_len = strnlen(id, T10_ID_MAX);

	if (ids->t10_vendor == NULL)
		return;
	memset(text, ' ', T10_VENDOR_LEN);
	memcpy(text, ids->t10_vendor, strnlen(ids->t10_vendor, T10_VENDOR_LEN));
	memcpy(text + T10_VENDOR_LEN, id, id_len);
	put_bytes(c, desig_of(ids, VPD_ASSOC_UNIT), VPD_CODE_ASCII, VPD_DESIG_T10, text,
	    T10_VENDOR_LEN + id_len);
}

static bool
put_name(struct cursor *c, const char *name, enum vpd_assoc assoc, const struct vpd_ids *ids)
{
	struct vpd_desig like = desig_of(ids, assoc);

	return name == NULL || vpd_desig_put_name(c, &like, name);
}

static void
put_port(struct cursor *c, const struct vpd_ids *ids)
{
	struct vpd_desig port = desig_of(ids, VPD_ASSOC_PORT);
	uint8_t number[4] = { 0 };

	be16_put(number + 2, ids->rel_port);
	if (ids->rel_port != 0)
		put_bytes(c, port, VPD_CODE_BINARY, VPD_DESIG_REL_PORT, number, 4);
	be16_put(number + 2, ids->tpg);
	if (ids->has_tpg)
		put_bytes(c, port, VPD_CODE_BINARY, VPD_DESIG_TPG, number, 4);
}

size_t
vpd_build_ident(uint8_t type_qual, const struct vpd_ids *ids, void *buf, size_t size)
{
	struct cursor c = cursor_write_init(buf, size);
	bool is_fit;

	if (ids->naa_len != 0 && ids->naa_len != 8 && ids->naa_len != 16)
		return 0;
	cursor_put_u8(&c, type_qual);
	cursor_put_u8(&c, VPD_IDENT);
	cursor_put_be16(&c, 0);
	put_numbers(&c, ids);
	put_t10(&c, ids);
	is_fit = put_name(&c, ids->unit_name, VPD_ASSOC_UNIT, ids);
	put_port(&c, ids);
	is_fit = put_name(&c, ids->port_name, VPD_ASSOC_PORT, ids) && is_fit;
	is_fit = put_name(&c, ids->device_name, VPD_ASSOC_DEVICE, ids) && is_fit;
	if (!is_fit || !cursor_ok(&c) || c.pos - HDR_LEN > UINT16_MAX)
		return 0;
	be16_put(c.base + 2, (uint16_t)(c.pos - HDR_LEN));
	return c.pos;
}

void
vpd_naa3(uint8_t naa[8], uint64_t seed)
{
	be64_put(naa, 3ull << 60 | (seed & 0x0fffffffffffffffull));
}

void
vpd_naa6(uint8_t naa[16], uint32_t oui, uint64_t vendor_id, uint64_t extension)
{
	uint64_t company = oui & 0xffffff;

	be64_put(naa, 6ull << 60 | company << 36 | (vendor_id & 0xfffffffffull));
	be64_put(naa + 8, extension);
}

int
vpd_desig_begin(const void *page, size_t len, struct vpd_desig_walk *walk)
{
	size_t have;
	int r = vpd_check(page, len, VPD_IDENT, &have);

	if (r < 0)
		return r;
	walk->next = (const uint8_t *)page + HDR_LEN;
	walk->left = have - HDR_LEN;
	return 0;
}

int
vpd_desig_next(struct vpd_desig_walk *walk, struct vpd_desig *ret)
{
	const uint8_t *d = walk->next;
	size_t len;

	if (walk->left == 0)
		return 0;
	if (walk->left < DESIG_HDR || walk->left - DESIG_HDR < d[3])
		return -EBADMSG;
	len = d[3];
	*ret = (struct vpd_desig){
		.protocol = d[0] >> 4,
		.has_protocol = (d[1] & 0x80) != 0,
		.code_set = d[0] & 0x0f,
		.assoc = (d[1] >> 4) & 3,
		.type = d[1] & 0x0f,
		.len = len,
		.data = d + DESIG_HDR,
	};
	walk->next += DESIG_HDR + len;
	walk->left -= DESIG_HDR + len;
	return 1;
}

const char *
vpd_desig_type_name(uint8_t type)
{
	static const char *const names[] = {
		[VPD_DESIG_VENDOR] = "vendor specific",
		[VPD_DESIG_T10] = "T10 vendor ID",
		[VPD_DESIG_EUI64] = "EUI-64",
		[VPD_DESIG_NAA] = "NAA",
		[VPD_DESIG_REL_PORT] = "relative target port",
		[VPD_DESIG_TPG] = "target port group",
		[VPD_DESIG_LU_GROUP] = "logical unit group",
		[VPD_DESIG_MD5] = "MD5 logical unit",
		[VPD_DESIG_NAME] = "SCSI name string",
		[VPD_DESIG_PROTOCOL] = "protocol specific port",
		[VPD_DESIG_UUID] = "UUID",
	};

	return type < ARRAY_LEN(names) ? names[type] : "reserved";
}

const char *
vpd_assoc_name(uint8_t assoc)
{
	static const char *const names[] = {
		[VPD_ASSOC_UNIT] = "unit",
		[VPD_ASSOC_PORT] = "port",
		[VPD_ASSOC_DEVICE] = "device",
	};

	return assoc < ARRAY_LEN(names) ? names[assoc] : "reserved";
}

static void
format_hex(const char *prefix, const struct vpd_desig *d, char *buf, size_t size)
{
	size_t at;

	(void)text_copy(buf, size, prefix);
	at = strlen(buf);
	for (size_t i = 0; i < d->len && size - at > 2; i++, at += 2)
		(void)snprintf(buf + at, size - at, "%02x", d->data[i]);
}

/* text ends at its first NUL; foreign */
static void
format_text(const char *prefix, const struct vpd_desig *d, char *buf, size_t size)
{
	size_t at;

	(void)text_copy(buf, size, prefix);
	at = strlen(buf);
	text_escape(d->data, strnlen((const char *)d->data, d->len), buf + at, size - at);
}

char *
vpd_desig_format(const struct vpd_desig *d, char *buf, size_t size)
{
	bool is_text = d->code_set == VPD_CODE_ASCII || d->code_set == VPD_CODE_UTF8;

	if (d->type == VPD_DESIG_NAA)
		format_hex("naa.", d, buf, size);
	else if (d->type == VPD_DESIG_EUI64)
		format_hex("eui.", d, buf, size);
	else if (d->type == VPD_DESIG_T10 && is_text)
		format_text("t10.", d, buf, size);
	else if ((d->type == VPD_DESIG_REL_PORT || d->type == VPD_DESIG_TPG ||
	    d->type == VPD_DESIG_LU_GROUP) && d->len == 4)
		(void)snprintf(buf, size, "%u", be16_get(d->data + 2));
	else if (is_text)
		format_text("", d, buf, size);
	else
		format_hex("", d, buf, size);
	return buf;
}
