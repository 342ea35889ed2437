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
#define T10_ID_MAX	(255 - 8)

/* header of a designator of @len bytes; the caller puts the bytes */
static void
desig_put(struct cursor *c, uint8_t code_set, uint8_t assoc, uint8_t type, size_t len,
    const struct vpd_ids *ids)
{
	uint8_t protocol = 0, piv = 0;

	if (ids->has_port_protocol && assoc != VPD_ASSOC_UNIT) {
		protocol = (uint8_t)(ids->port_protocol << 4);
		piv = 0x80;
	}
	cursor_put_u8(c, protocol | code_set);
	cursor_put_u8(c, (uint8_t)(piv | assoc << 4 | type));
	cursor_put_u8(c, 0);
	cursor_put_u8(c, (uint8_t)len);
}

static void
put_numbers(struct cursor *c, const struct vpd_ids *ids)
{
	uint8_t naa_len = ids->naa_len;

	if (naa_len != 0) {
		desig_put(c, VPD_CODE_BINARY, VPD_ASSOC_UNIT, VPD_DESIG_NAA, naa_len, ids);
		cursor_put_bytes(c, ids->naa, naa_len);
	}
	if (ids->has_eui64) {
		desig_put(c, VPD_CODE_BINARY, VPD_ASSOC_UNIT, VPD_DESIG_EUI64, 8, ids);
		cursor_put_be64(c, ids->eui64);
	}
}

static void
put_t10(struct cursor *c, const struct vpd_ids *ids)
{
	char vendor[8];
	const char *id = ids->t10_id != NULL ? ids->t10_id : "";
	size_t id_len = strnlen(id, T10_ID_MAX);

	if (ids->t10_vendor == NULL)
		return;
	memset(vendor, ' ', sizeof(vendor));
	memcpy(vendor, ids->t10_vendor, strnlen(ids->t10_vendor, sizeof(vendor)));
	desig_put(c, VPD_CODE_ASCII, VPD_ASSOC_UNIT, VPD_DESIG_T10, 8 + id_len, ids);
	cursor_put_bytes(c, vendor, sizeof(vendor));
	cursor_put_bytes(c, id, id_len);
}

/* NUL-ended and padded to a multiple of four (SPC-4 7.8.6.11); false when it is too long */
static bool
put_name(struct cursor *c, const char *name, uint8_t assoc, const struct vpd_ids *ids)
{
	static const uint8_t zeros[4];
	size_t len, padded;

	if (name == NULL || name[0] == '\0')
		return true;
	len = strlen(name);
	padded = (len + 4) & ~(size_t)3;
	if (padded > 252)	/* the largest multiple of four a length byte holds */
		return false;
	desig_put(c, VPD_CODE_UTF8, assoc, VPD_DESIG_NAME, padded, ids);
	cursor_put_bytes(c, name, len);
	cursor_put_bytes(c, zeros, padded - len);
	return true;
}

static void
put_port(struct cursor *c, const struct vpd_ids *ids)
{
	if (ids->rel_port != 0) {
		desig_put(c, VPD_CODE_BINARY, VPD_ASSOC_PORT, VPD_DESIG_REL_PORT, 4, ids);
		cursor_put_be16(c, 0);
		cursor_put_be16(c, ids->rel_port);
	}
	if (ids->has_tpg) {
		desig_put(c, VPD_CODE_BINARY, VPD_ASSOC_PORT, VPD_DESIG_TPG, 4, ids);
		cursor_put_be16(c, 0);
		cursor_put_be16(c, ids->tpg);
	}
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
