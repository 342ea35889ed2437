#include "scsi/vpd.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/cursor.h"
#include "base/num.h"
#include "base/text.h"

#define HDR_LEN		4

const char *
vpd_page_name(uint8_t page)
{
	switch (page) {
	case VPD_SUPPORTED:
		return "Supported VPD pages";
	case VPD_SERIAL:
		return "Unit serial number";
	case VPD_IDENT:
		return "Device identification";
	case VPD_EXTENDED:
		return "Extended INQUIRY data";
	case VPD_MODE_POLICY:
		return "Mode page policy";
	case VPD_PORTS:
		return "SCSI ports";
	case VPD_THIRD_PARTY_COPY:
		return "Third-party copy";
	case VPD_BLOCK_LIMITS:
		return "Block limits";
	case VPD_BLOCK_CHARACTER:
		return "Block device characteristics";
	case VPD_THIN:
		return "Logical block provisioning";
	default:
		return NULL;
	}
}

int
vpd_check(const void *buf, size_t len, uint8_t page, size_t *ret_len)
{
	const uint8_t *b = buf;

	if (len < HDR_LEN || b[1] != page)
		return -EBADMSG;
	*ret_len = num_min(len, HDR_LEN + (size_t)be16_get(b + 2));
	return 0;
}

/* --- builders --- */

/* a zeroed page of @len bytes with its header; NULL when @size is too small */
static uint8_t *
page_start(uint8_t type_qual, uint8_t page, size_t len, void *buf, size_t size)
{
	uint8_t *b = buf;

	if (len > size)
		return NULL;
	memset(b, 0, len);
	b[0] = type_qual;
	b[1] = page;
	be16_put(b + 2, (uint16_t)(len - HDR_LEN));
	return b;
}

size_t
vpd_build_supported(uint8_t type_qual, const uint8_t *pages, size_t n, void *buf, size_t size)
{
	bool is_there[256] = { false };
	size_t distinct = 0;
	uint8_t *b;

	for (size_t i = 0; i < n; i++) {
		distinct += !is_there[pages[i]];
		is_there[pages[i]] = true;
	}
	b = page_start(type_qual, VPD_SUPPORTED, HDR_LEN + distinct, buf, size);
	if (b == NULL)
		return 0;
	b += HDR_LEN;
	for (unsigned code = 0; code < 256; code++) {
		if (is_there[code])
			*b++ = (uint8_t)code;
	}
	return HDR_LEN + distinct;
}

size_t
vpd_build_serial(uint8_t type_qual, const char *serial, void *buf, size_t size)
{
	size_t len = strlen(serial);
	uint8_t *b;

	if (len > VPD_SERIAL_MAX)
		return 0;
	b = page_start(type_qual, VPD_SERIAL, HDR_LEN + len, buf, size);
	if (b == NULL)
		return 0;
	memcpy(b + HDR_LEN, serial, len);
	return HDR_LEN + len;
}

size_t
vpd_build_extended(uint8_t type_qual, const struct vpd_extended *e, void *buf, size_t size)
{
	uint8_t *b = page_start(type_qual, VPD_EXTENDED, 64, buf, size);

	if (b == NULL)
		return 0;
	b[4] = (uint8_t)((e->activate_microcode & 3) << 6 | (e->spt & 7) << 3 |
	    e->grd_chk << 2 | e->app_chk << 1 | e->ref_chk);
	b[5] = (uint8_t)(e->uask_sup << 5 | e->group_sup << 4 | e->prior_sup << 3 |
	    e->headsup << 2 | e->ordsup << 1 | e->simpsup);
	b[6] = (uint8_t)(e->wu_sup << 3 | e->crd_sup << 2 | e->nv_sup << 1 | e->v_sup);
	b[7] = (uint8_t)(e->p_i_i_sup << 4 | e->luiclr);
	b[8] = (uint8_t)(e->r_sup << 4 | e->cbcs);
	b[9] = e->multi_it_nexus & 0x0f;
	be16_put(b + 10, e->self_test_minutes);
	b[12] = (uint8_t)(e->poa_sup << 7 | e->hra_sup << 6 | e->vsa_sup << 5);
	b[13] = e->max_sense_len;
	return 64;
}

size_t
vpd_build_limits(uint8_t type_qual, const struct vpd_limits *l, void *buf, size_t size)
{
	uint8_t *b = page_start(type_qual, VPD_BLOCK_LIMITS, 64, buf, size);

	if (b == NULL)
		return 0;
	b[4] = l->wsnz;
	b[5] = l->max_compare;
	be16_put(b + 6, l->xfer_granularity);
	be32_put(b + 8, l->max_xfer);
	be32_put(b + 12, l->opt_xfer);
	be32_put(b + 16, l->max_prefetch);
	be32_put(b + 20, l->max_unmap);
	be32_put(b + 24, l->max_unmap_descr);
	be32_put(b + 28, l->unmap_granularity);
	be32_put(b + 32, l->unmap_alignment & 0x7fffffff);
	if (l->has_unmap_alignment)
		b[32] |= 0x80;
	be64_put(b + 36, l->max_write_same);
	be32_put(b + 44, l->max_atomic);
	be32_put(b + 48, l->atomic_alignment);
	be32_put(b + 52, l->atomic_granularity);
	be32_put(b + 56, l->max_atomic_boundary);
	be32_put(b + 60, l->max_atomic_boundary_size);
	return 64;
}

size_t
vpd_build_character(uint8_t type_qual, const struct vpd_character *c, void *buf, size_t size)
{
	uint8_t *b = page_start(type_qual, VPD_BLOCK_CHARACTER, 64, buf, size);

	if (b == NULL)
		return 0;
	be16_put(b + 4, c->rotation_rate);
	b[6] = c->product_type;
	b[7] = (uint8_t)((c->wabereq & 3) << 6 | (c->wacereq & 3) << 4 | (c->form_factor & 15));
	b[8] = (uint8_t)(c->fuab << 1 | c->vbuls);
	return 64;
}

size_t
vpd_build_thin(uint8_t type_qual, const struct vpd_thin *t, void *buf, size_t size)
{
	uint8_t *b = page_start(type_qual, VPD_THIN, 8, buf, size);

	if (b == NULL)
		return 0;
	b[4] = t->threshold_exponent;
	b[5] = (uint8_t)(t->lbpu << 7 | t->lbpws << 6 | t->lbpws10 << 5 | (t->lbprz & 7) << 2 |
	    t->anc_sup << 1);
	b[6] = t->provisioning & 7;
	return 8;
}

/* --- readers: a short page is copied over zeros, so what is not there reads as zero --- */

static int
page_copy(const void *buf, size_t len, uint8_t page, uint8_t *copy, size_t size)
{
	size_t have;
	int r = vpd_check(buf, len, page, &have);

	if (r < 0)
		return r;
	memset(copy, 0, size);
	memcpy(copy, buf, num_min(have, size));
	return 0;
}

int
vpd_parse_serial(const void *buf, size_t len, char *serial, size_t size)
{
	char text[VPD_SERIAL_MAX + 1];
	size_t have;
	int r = vpd_check(buf, len, VPD_SERIAL, &have);

	if (r < 0)
		return r;
	have = num_min(have - HDR_LEN, VPD_SERIAL_MAX);
	text_trim_field((const uint8_t *)buf + HDR_LEN, have, text);
	(void)text_copy(serial, size, text);
	return 0;
}

int
vpd_parse_supported(const void *buf, size_t len, uint8_t pages[256], size_t *ret_n)
{
	size_t have;
	int r = vpd_check(buf, len, VPD_SUPPORTED, &have);

	if (r < 0)
		return r;
	*ret_n = num_min(have - HDR_LEN, 256);
	memcpy(pages, (const uint8_t *)buf + HDR_LEN, *ret_n);
	return 0;
}

int
vpd_parse_extended(const void *buf, size_t len, struct vpd_extended *ret)
{
	uint8_t b[64];
	int r = page_copy(buf, len, VPD_EXTENDED, b, sizeof(b));

	if (r < 0)
		return r;
	*ret = (struct vpd_extended){
		.activate_microcode = b[4] >> 6,
		.spt = (b[4] >> 3) & 7,
		.grd_chk = (b[4] & 0x04) != 0,
		.app_chk = (b[4] & 0x02) != 0,
		.ref_chk = (b[4] & 0x01) != 0,
		.uask_sup = (b[5] & 0x20) != 0,
		.group_sup = (b[5] & 0x10) != 0,
		.prior_sup = (b[5] & 0x08) != 0,
		.headsup = (b[5] & 0x04) != 0,
		.ordsup = (b[5] & 0x02) != 0,
		.simpsup = (b[5] & 0x01) != 0,
		.wu_sup = (b[6] & 0x08) != 0,
		.crd_sup = (b[6] & 0x04) != 0,
		.nv_sup = (b[6] & 0x02) != 0,
		.v_sup = (b[6] & 0x01) != 0,
		.p_i_i_sup = (b[7] & 0x10) != 0,
		.luiclr = (b[7] & 0x01) != 0,
		.r_sup = (b[8] & 0x10) != 0,
		.cbcs = (b[8] & 0x01) != 0,
		.multi_it_nexus = b[9] & 0x0f,
		.self_test_minutes = be16_get(b + 10),
		.poa_sup = (b[12] & 0x80) != 0,
		.hra_sup = (b[12] & 0x40) != 0,
		.vsa_sup = (b[12] & 0x20) != 0,
		.max_sense_len = b[13],
	};
	return 0;
}

int
vpd_parse_limits(const void *buf, size_t len, struct vpd_limits *ret)
{
	uint8_t b[64];
	int r = page_copy(buf, len, VPD_BLOCK_LIMITS, b, sizeof(b));

	if (r < 0)
		return r;
	*ret = (struct vpd_limits){
		.wsnz = (b[4] & 0x01) != 0,
		.max_compare = b[5],
		.xfer_granularity = be16_get(b + 6),
		.max_xfer = be32_get(b + 8),
		.opt_xfer = be32_get(b + 12),
		.max_prefetch = be32_get(b + 16),
		.max_unmap = be32_get(b + 20),
		.max_unmap_descr = be32_get(b + 24),
		.unmap_granularity = be32_get(b + 28),
		.unmap_alignment = be32_get(b + 32) & 0x7fffffff,
		.has_unmap_alignment = (b[32] & 0x80) != 0,
		.max_write_same = be64_get(b + 36),
		.max_atomic = be32_get(b + 44),
		.atomic_alignment = be32_get(b + 48),
		.atomic_granularity = be32_get(b + 52),
		.max_atomic_boundary = be32_get(b + 56),
		.max_atomic_boundary_size = be32_get(b + 60),
	};
	return 0;
}

int
vpd_parse_character(const void *buf, size_t len, struct vpd_character *ret)
{
	uint8_t b[64];
	int r = page_copy(buf, len, VPD_BLOCK_CHARACTER, b, sizeof(b));

	if (r < 0)
		return r;
	*ret = (struct vpd_character){
		.rotation_rate = be16_get(b + 4),
		.product_type = b[6],
		.wabereq = b[7] >> 6,
		.wacereq = (b[7] >> 4) & 3,
		.form_factor = b[7] & 15,
		.fuab = (b[8] & 0x02) != 0,
		.vbuls = (b[8] & 0x01) != 0,
	};
	return 0;
}

int
vpd_parse_thin(const void *buf, size_t len, struct vpd_thin *ret)
{
	uint8_t b[8];
	int r = page_copy(buf, len, VPD_THIN, b, sizeof(b));

	if (r < 0)
		return r;
	*ret = (struct vpd_thin){
		.threshold_exponent = b[4],
		.lbpu = (b[5] & 0x80) != 0,
		.lbpws = (b[5] & 0x40) != 0,
		.lbpws10 = (b[5] & 0x20) != 0,
		.lbprz = (b[5] >> 2) & 7,
		.anc_sup = (b[5] & 0x02) != 0,
		.provisioning = b[6] & 7,
	};
	return 0;
}
