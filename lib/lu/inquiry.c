/* INQUIRY data of a device, corrected (lu/inquiry.h) */
#include "lu/inquiry.h"

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/cursor.h"
#include "base/num.h"
#include "lu/lu.h"
#include "scsi/inquiry.h"
#include "scsi/vpd.h"

#define STD_LEN_AT	4
#define STD_FLAGS_MIN	8	/* bytes 5..7 are there */
#define TPGS_SHIFT	4
#define TPGS_MASK	0x30
#define HAS_3PC		0x08
#define MULTIP		0x10
#define CMDQUE		0x02
#define VERSIONS_AT	58
#define VERSIONS_END	(VERSIONS_AT + 2 * INQ_VERSIONS_MAX)
#define REVISION_MASK	0x1f	/* of a version descriptor */
#define PAGE_HDR	4
#define LIMITS_MIN	16	/* SBC-2: up to the optimal transfer length */

/* ------ standard data ------ */

static void
put_flag(uint8_t *byte, uint8_t bit, bool is_set)
{
	*byte = (uint8_t)(is_set ? *byte | bit : *byte & ~bit);
}

/* as bytes of the data; nothing when there is no free place, or it is said already */
static size_t
put_version(uint8_t *buf, size_t len, uint16_t standard)
{
	for (size_t at = VERSIONS_AT; at < VERSIONS_END; at += 2) {
		uint16_t there = be16_get(buf + at);

		if ((there & ~REVISION_MASK) == standard)
			return len;
		if (there != 0)
			continue;
		be16_put(buf + at, standard);
		return len < VERSIONS_END ? VERSIONS_END : len;
	}
	return len;
}

size_t
inquiry_standard(const struct inquiry_extra *extra, uint8_t buf[INQUIRY_STD_MAX], size_t len)
{
	const struct alua_port *ports = NULL;

	if (len < STD_FLAGS_MIN)
		return len;
	len = num_min(len, (size_t)buf[STD_LEN_AT] + STD_LEN_AT + 1);
	if (len < STD_FLAGS_MIN)
		return len;
	memset(buf + len, 0, INQUIRY_STD_MAX - len);
	if (!extra->is_alua_passed)
		buf[5] = (uint8_t)((buf[5] & ~TPGS_MASK) |
		    (int)alua_mode(extra->alua) << TPGS_SHIFT);
	if (!extra->is_copy_passed)
		put_flag(&buf[5], HAS_3PC, extra->has_copy);
	put_flag(&buf[6], MULTIP, alua_ports(extra->alua, &ports) > 1);
	put_flag(&buf[7], CMDQUE, true);
	if (extra->port->protocol == LU_PROTOCOL_ISCSI)
		len = put_version(buf, len, INQ_STANDARD_ISCSI);
	buf[STD_LEN_AT] = (uint8_t)(len - STD_LEN_AT - 1);
	return len;
}

/* ------ page 00h ------ */

size_t
inquiry_supported(const struct inquiry_extra *extra, uint8_t type_qual, const void *device,
    size_t len, void *buf)
{
	uint8_t pages[256 + 6];
	size_t n = 0;

	if (len == 0 || vpd_parse_supported(device, len, pages, &n) < 0)
		n = 0;
	pages[n++] = VPD_SUPPORTED;
	pages[n++] = VPD_IDENT;
	pages[n++] = VPD_EXTENDED;
	pages[n++] = VPD_PORTS;
	if (extra->has_copy)
		pages[n++] = VPD_THIRD_PARTY_COPY;
	if (extra->xfer_max_blocks != 0)
		pages[n++] = VPD_BLOCK_LIMITS;
	return vpd_build_supported(type_qual, pages, n, buf, VPD_PAGE_MAX);
}

/* ------ page 83h ------ */

/* the device's designators of the logical unit; how many */
static unsigned int
put_unit(struct cursor *c, const void *device, size_t len)
{
	struct vpd_desig_walk walk;
	struct vpd_desig d;
	unsigned int n = 0;

	if (len == 0 || vpd_desig_begin(device, len, &walk) < 0)
		return 0;
	while (vpd_desig_next(&walk, &d) == 1) {
		if (d.assoc != VPD_ASSOC_UNIT)
			continue;
		vpd_desig_put(c, &d);
		n++;
	}
	return n;
}

/* SPC-4 7.8.6.4: vendor, product and serial make a name that is no worse than the device's */
static void
put_made_up(struct cursor *c, const struct inquiry_extra *extra)
{
	char text[8 + 16 + 128 + 1];
	struct vpd_desig d = {
		.code_set = VPD_CODE_ASCII,
		.assoc = VPD_ASSOC_UNIT,
		.type = VPD_DESIG_T10,
		.data = (const uint8_t *)text,
	};

	(void)snprintf(text, sizeof(text), "%-8.8s%-16.16s%.128s", extra->vendor,
	    extra->product, extra->serial);
	d.len = strlen(text);
	vpd_desig_put(c, &d);
}

static void
put_number(struct cursor *c, const struct lu_port *port, enum vpd_desig_type type,
    uint16_t number)
{
	uint8_t data[4] = { 0 };
	struct vpd_desig d = {
		.protocol = port->protocol,
		.has_protocol = true,
		.code_set = VPD_CODE_BINARY,
		.assoc = VPD_ASSOC_PORT,
		.type = (uint8_t)type,
		.len = sizeof(data),
		.data = data,
	};

	be16_put(data + 2, number);
	vpd_desig_put(c, &d);
}

static void
put_name(struct cursor *c, const struct lu_port *port, enum vpd_assoc assoc, const char *name)
{
	struct vpd_desig like = {
		.protocol = port->protocol,
		.has_protocol = true,
		.assoc = (uint8_t)assoc,
	};

	/* names of ports are short enough for a designator */
	if (!vpd_desig_put_name(c, &like, name))
		c->is_bad = true;
}

size_t
inquiry_ident(const struct inquiry_extra *extra, uint8_t type_qual, const void *device,
    size_t len, void *buf, size_t size)
{
	struct cursor c = cursor_write_init(buf, size);
	const struct lu_port *port = extra->port;

	cursor_put_u8(&c, type_qual);
	cursor_put_u8(&c, VPD_IDENT);
	cursor_put_be16(&c, 0);
	if (put_unit(&c, device, len) == 0)
		put_made_up(&c, extra);
	put_number(&c, port, VPD_DESIG_REL_PORT, port->rtpi);
	if (!extra->is_alua_passed)
		put_number(&c, port, VPD_DESIG_TPG, port->group);
	put_name(&c, port, VPD_ASSOC_PORT, port->name);
	put_name(&c, port, VPD_ASSOC_DEVICE, port->device_name);
	if (!cursor_ok(&c))
		return 0;
	be16_put(c.base + 2, (uint16_t)(c.pos - PAGE_HDR));
	return c.pos;
}

/* ------ page 86h ------ */

size_t
inquiry_extended(uint8_t type_qual, const void *device, size_t len, uint8_t buf[64])
{
	struct vpd_extended e = { .activate_microcode = 0 };

	if (len == 0 || vpd_parse_extended(device, len, &e) < 0)
		e = (struct vpd_extended){ .activate_microcode = 0 };
	e.headsup = true;
	e.ordsup = true;
	e.simpsup = true;
	e.max_sense_len = LU_SENSE_MAX;
	return vpd_build_extended(type_qual, &e, buf, 64);
}

/* ------ page B0h ------ */

size_t
inquiry_limits(const struct inquiry_extra *extra, uint8_t type_qual, const void *device,
    size_t len, void *buf)
{
	const struct vpd_limits none = { .max_xfer = 0 };
	uint32_t max = extra->xfer_max_blocks, told;
	uint8_t *page = buf;

	len = num_min(len, (size_t)INQUIRY_MAX);
	if (len < LIMITS_MIN)
		len = vpd_build_limits(type_qual, &none, page, INQUIRY_MAX);
	else
		memcpy(page, device, len);
	told = be32_get(page + 8);
	be32_put(page + 8, told == 0 || told > max ? max : told);
	if (be32_get(page + 12) > max)
		be32_put(page + 12, max);
	return len;
}

/* ------ page 88h ------ */

struct ports_page {
	uint8_t *buf;
	size_t size;
	size_t at;		/* bytes of the page so far, whether they fitted or not */
};

/* one port descriptor (SPC-4 7.8.14.2), with its name if the port is still known */
static void
ports_put(struct ports_page *page, uint16_t rtpi, const struct lu_port *port)
{
	uint8_t bytes[PAGE_HDR + 256 + 12];
	struct cursor c = cursor_write_init(bytes, sizeof(bytes));

	cursor_put_be16(&c, 0);
	cursor_put_be16(&c, rtpi);
	cursor_put_be32(&c, 0);		/* no initiator port */
	cursor_put_be32(&c, 0);
	if (port != NULL)
		put_name(&c, port, VPD_ASSOC_PORT, port->name);
	be16_put(bytes + 10, (uint16_t)(c.pos - 12));
	if (page->at < page->size)
		memcpy(page->buf + page->at, bytes, num_min(c.pos, page->size - page->at));
	page->at += c.pos;
}

size_t
inquiry_ports(const struct inquiry_extra *extra, uint8_t type_qual, void *buf, size_t size)
{
	struct ports_page page = { .buf = buf, .size = size, .at = PAGE_HDR };
	const struct alua_port *ports = NULL;
	size_t n = alua_ports(extra->alua, &ports);
	uint8_t header[PAGE_HDR] = { type_qual, VPD_PORTS };
	bool has_asker = false;

	for (size_t i = 0; i < n; i++) {
		const struct lu_port *port = lu_port_find(ports[i].rtpi);

		ports_put(&page, ports[i].rtpi, port);
		lu_port_unref(port);
		has_asker |= ports[i].rtpi == extra->port->rtpi;
	}
	if (!has_asker)
		ports_put(&page, extra->port->rtpi, extra->port);
	be16_put(header + 2, (uint16_t)(page.at - PAGE_HDR));
	if (size > 0)
		memcpy(buf, header, num_min(sizeof(header), size));
	return page.at;
}
