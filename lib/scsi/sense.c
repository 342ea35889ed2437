#include "scsi/sense.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/cursor.h"
#include "base/num.h"

/* response codes, byte 0 */
#define CODE_FIXED		0x70
#define CODE_DESCRIPTOR		0x72
#define CODE_VENDOR		0x7f
#define CODE_DEFERRED		0x01	/* or-ed into both formats */

/* descriptor types (SPC-4 4.5.2.1, SBC-3 4.18) */
#define DESC_INFO		0x00
#define DESC_CSI		0x01
#define DESC_SKS		0x02
#define DESC_FRU		0x03
#define DESC_STREAM		0x04
#define DESC_BLOCK		0x05
#define DESC_DIRECT_ACCESS	0x0d

/* flags of byte 2 (fixed), byte 3 (stream and block descriptor) */
#define FLAG_FILEMARK		0x80
#define FLAG_EOM		0x40
#define FLAG_ILI		0x20

#define VALID			0x80	/* VALID, SKSV: the same bit at several places */
#define SKS_CD			0x40
#define SKS_SD			0x20
#define SKS_BPV			0x08

struct sense_data
sense_make(uint8_t key, uint16_t asc)
{
	return (struct sense_data){ .key = key, .asc = asc };
}

struct sense_data
sense_make_info(uint8_t key, uint16_t asc, uint64_t info)
{
	return (struct sense_data){ .key = key, .asc = asc, .has_info = true, .info = info };
}

static struct sense_data
invalid_field(uint16_t asc, bool in_cdb, uint16_t byte, int bit)
{
	return (struct sense_data){
		.key = SENSE_ILLEGAL_REQUEST,
		.asc = asc,
		.sks = SENSE_SKS_FIELD,
		.sks_in_cdb = in_cdb,
		.sks_has_bit = bit >= 0,
		.sks_bit = bit >= 0 ? (uint8_t)(bit & 7) : 0,
		.sks_value = byte,
	};
}

struct sense_data
sense_invalid_field_cdb(uint16_t byte, int bit)
{
	return invalid_field(ASC_INVALID_FIELD_IN_CDB, true, byte, bit);
}

struct sense_data
sense_invalid_field_list(uint16_t byte, int bit)
{
	return invalid_field(ASC_INVALID_FIELD_IN_LIST, false, byte, bit);
}

struct sense_data
sense_progress(uint8_t key, uint16_t asc, uint16_t part)
{
	return (struct sense_data){
		.key = key, .asc = asc, .sks = SENSE_SKS_PROGRESS, .sks_value = part };
}

/* the three bytes of the sense key specific field */
static void
sks_put(const struct sense_data *s, uint8_t sks[3])
{
	sks[0] = VALID;
	be16_put(sks + 1, s->sks_value);
	switch (s->sks) {
	case SENSE_SKS_NONE:
		memset(sks, 0, 3);
		return;
	case SENSE_SKS_FIELD:
		sks[0] |= s->sks_in_cdb ? SKS_CD : 0;
		break;
	case SENSE_SKS_SEGMENT:
		sks[0] |= s->sks_in_segment ? SKS_SD : 0;
		break;
	case SENSE_SKS_OVERFLOW:
		sks[0] |= s->sks_value & 0x01;
		be16_put(sks + 1, 0);
		return;
	case SENSE_SKS_PROGRESS:
	case SENSE_SKS_RETRIES:
		return;
	}
	if (s->sks_has_bit)
		sks[0] |= (uint8_t)(SKS_BPV | (s->sks_bit & 7));
}

/* what the field holds is told by the key; keys without a meaning for it leave it unread */
static void
sks_get(struct sense_data *s, const uint8_t sks[3])
{
	if ((sks[0] & VALID) == 0)
		return;
	s->sks_value = be16_get(sks + 1);
	switch (s->key) {
	case SENSE_ILLEGAL_REQUEST:
		s->sks = SENSE_SKS_FIELD;
		s->sks_in_cdb = (sks[0] & SKS_CD) != 0;
		break;
	case SENSE_COPY_ABORTED:
		s->sks = SENSE_SKS_SEGMENT;
		s->sks_in_segment = (sks[0] & SKS_SD) != 0;
		break;
	case SENSE_NO_SENSE:
	case SENSE_NOT_READY:
		s->sks = SENSE_SKS_PROGRESS;
		return;
	case SENSE_RECOVERED_ERROR:
	case SENSE_MEDIUM_ERROR:
	case SENSE_HARDWARE_ERROR:
		s->sks = SENSE_SKS_RETRIES;
		return;
	case SENSE_UNIT_ATTENTION:
		s->sks = SENSE_SKS_OVERFLOW;
		s->sks_value = sks[0] & 0x01;
		return;
	default:
		s->sks_value = 0;
		return;
	}
	s->sks_has_bit = (sks[0] & SKS_BPV) != 0;
	s->sks_bit = s->sks_has_bit ? sks[0] & 7 : 0;
}

static uint8_t
flags_put(const struct sense_data *s)
{
	return (uint8_t)((s->is_filemark ? FLAG_FILEMARK : 0) | (s->is_eom ? FLAG_EOM : 0) |
	    (s->is_ili ? FLAG_ILI : 0));
}

static size_t
build_fixed(const struct sense_data *s, uint8_t buf[SENSE_LEN_MAX])
{
	memset(buf, 0, SENSE_FIXED_LEN);
	buf[0] = CODE_FIXED | (s->is_deferred ? CODE_DEFERRED : 0);
	buf[2] = (uint8_t)(flags_put(s) | (s->key & 0x0f));
	if (s->has_info && s->info <= UINT32_MAX) {
		buf[0] |= VALID;
		be32_put(buf + 3, (uint32_t)s->info);
	}
	buf[7] = SENSE_FIXED_LEN - 8;
	if (s->has_csi && s->csi <= UINT32_MAX)
		be32_put(buf + 8, (uint32_t)s->csi);
	be16_put(buf + 12, s->asc);
	buf[14] = s->fru;
	sks_put(s, buf + 15);
	return SENSE_FIXED_LEN;
}

/* a descriptor of @len bytes, two of them header; the rest zero */
static uint8_t *
desc_add(struct cursor *c, uint8_t type, uint8_t len)
{
	uint8_t *d = cursor_take(c, len);

	memset(d, 0, len);
	d[0] = type;
	d[1] = (uint8_t)(len - 2);
	return d;
}

static size_t
build_descriptor(const struct sense_data *s, uint8_t buf[SENSE_LEN_MAX])
{
	struct cursor c = cursor_write_init(buf, SENSE_LEN_MAX);	/* they take 48 */
	uint8_t *d;

	memset(cursor_take(&c, 8), 0, 8);
	buf[0] = CODE_DESCRIPTOR | (s->is_deferred ? CODE_DEFERRED : 0);
	buf[1] = s->key & 0x0f;
	be16_put(buf + 2, s->asc);
	if (s->has_info) {
		d = desc_add(&c, DESC_INFO, 12);
		d[2] = VALID;
		be64_put(d + 4, s->info);
	}
	if (s->has_csi)
		be64_put(desc_add(&c, DESC_CSI, 12) + 4, s->csi);
	if (s->sks != SENSE_SKS_NONE)
		sks_put(s, desc_add(&c, DESC_SKS, 8) + 4);
	if (s->fru != 0)
		desc_add(&c, DESC_FRU, 4)[3] = s->fru;
	if (s->is_filemark || s->is_eom)
		desc_add(&c, DESC_STREAM, 4)[3] = flags_put(s);
	else if (s->is_ili)
		desc_add(&c, DESC_BLOCK, 4)[3] = FLAG_ILI;
	buf[7] = (uint8_t)(c.pos - 8);
	return c.pos;
}

size_t
sense_build(const struct sense_data *s, bool want_descriptor, void *buf, size_t size)
{
	uint8_t whole[SENSE_LEN_MAX];
	size_t len = want_descriptor ? build_descriptor(s, whole) : build_fixed(s, whole);

	len = num_min(len, size);
	if (len > 0)
		memcpy(buf, whole, len);
	return len;
}

static void
flags_get(struct sense_data *s, uint8_t flags)
{
	s->is_filemark = (flags & FLAG_FILEMARK) != 0;
	s->is_eom = (flags & FLAG_EOM) != 0;
	s->is_ili = (flags & FLAG_ILI) != 0;
}

static void
parse_fixed(const uint8_t *b, size_t len, struct sense_data *s)
{
	if (len >= 8)
		len = num_min(len, 8u + b[7]);
	if (len >= 3) {
		s->key = b[2] & 0x0f;
		flags_get(s, b[2]);
	}
	if (len >= 7 && (b[0] & VALID) != 0) {
		s->has_info = true;
		s->info = be32_get(b + 3);
	}
	/* fixed format has no VALID for this field: zero says nothing */
	if (len >= 12 && be32_get(b + 8) != 0) {
		s->has_csi = true;
		s->csi = be32_get(b + 8);
	}
	if (len >= 13)
		s->asc = (uint16_t)(b[12] << 8);
	if (len >= 14)
		s->asc |= b[13];
	if (len >= 15)
		s->fru = b[14];
	if (len >= 18)
		sks_get(s, b + 15);
}

/* @d is a whole descriptor of @len bytes */
static void
parse_desc(const uint8_t *d, size_t len, struct sense_data *s)
{
	switch (d[0]) {
	case DESC_INFO:
		if (len >= 12 && (d[2] & VALID) != 0) {
			s->has_info = true;
			s->info = be64_get(d + 4);
		}
		break;
	case DESC_CSI:
		if (len >= 12) {
			s->has_csi = true;
			s->csi = be64_get(d + 4);
		}
		break;
	case DESC_SKS:
		if (len >= 7)
			sks_get(s, d + 4);
		break;
	case DESC_FRU:
		if (len >= 4)
			s->fru = d[3];
		break;
	case DESC_STREAM:
		if (len >= 4)
			flags_get(s, d[3]);
		break;
	case DESC_BLOCK:
		if (len >= 4)
			s->is_ili = (d[3] & FLAG_ILI) != 0;
		break;
	case DESC_DIRECT_ACCESS:
		if (len < 24)
			break;
		s->is_ili = (d[2] & FLAG_ILI) != 0;
		s->has_info = (d[2] & VALID) != 0;
		s->info = s->has_info ? be64_get(d + 8) : 0;
		s->has_csi = true;
		s->csi = be64_get(d + 16);
		s->fru = d[7];
		sks_get(s, d + 4);
		break;
	default:
		break;
	}
}

static void
parse_descriptors(const uint8_t *b, size_t len, struct sense_data *s)
{
	size_t at = 8;

	if (len >= 2)
		s->key = b[1] & 0x0f;
	if (len >= 3)
		s->asc = (uint16_t)(b[2] << 8);
	if (len >= 4)
		s->asc |= b[3];
	if (len < 8)
		return;
	len = num_min(len, 8u + b[7]);
	while (len - at >= 2) {
		size_t desc_len = 2u + b[at + 1];

		if (desc_len > len - at)
			return;
		parse_desc(b + at, desc_len, s);
		at += desc_len;
	}
}

int
sense_parse(const void *buf, size_t len, struct sense_data *ret)
{
	const uint8_t *b = buf;
	struct sense_data s = { .format = SENSE_FMT_NONE };

	if (len == 0)
		return -EINVAL;
	switch (b[0] & 0x7f) {
	case CODE_FIXED:
	case CODE_FIXED | CODE_DEFERRED:
		s.format = SENSE_FMT_FIXED;
		s.is_deferred = (b[0] & CODE_DEFERRED) != 0;
		parse_fixed(b, len, &s);
		break;
	case CODE_DESCRIPTOR:
	case CODE_DESCRIPTOR | CODE_DEFERRED:
		s.format = SENSE_FMT_DESCRIPTOR;
		s.is_deferred = (b[0] & CODE_DEFERRED) != 0;
		parse_descriptors(b, len, &s);
		break;
	case CODE_VENDOR:
		s.format = SENSE_FMT_VENDOR;
		break;
	default:
		return -EINVAL;
	}
	*ret = s;
	return 0;
}

const char *
sense_key_name(uint8_t key)
{
	static const char *const names[16] = {
		[SENSE_NO_SENSE] = "NO SENSE",
		[SENSE_RECOVERED_ERROR] = "RECOVERED ERROR",
		[SENSE_NOT_READY] = "NOT READY",
		[SENSE_MEDIUM_ERROR] = "MEDIUM ERROR",
		[SENSE_HARDWARE_ERROR] = "HARDWARE ERROR",
		[SENSE_ILLEGAL_REQUEST] = "ILLEGAL REQUEST",
		[SENSE_UNIT_ATTENTION] = "UNIT ATTENTION",
		[SENSE_DATA_PROTECT] = "DATA PROTECT",
		[SENSE_BLANK_CHECK] = "BLANK CHECK",
		[SENSE_VENDOR_SPECIFIC] = "VENDOR SPECIFIC",
		[SENSE_COPY_ABORTED] = "COPY ABORTED",
		[SENSE_ABORTED_COMMAND] = "ABORTED COMMAND",
		[0xc] = "RESERVED",
		[SENSE_VOLUME_OVERFLOW] = "VOLUME OVERFLOW",
		[SENSE_MISCOMPARE] = "MISCOMPARE",
		[SENSE_COMPLETED] = "COMPLETED",
	};

	return names[key & 0x0f];
}

static void
format_sks(const struct sense_data *s, FILE *out)
{
	switch (s->sks) {
	case SENSE_SKS_NONE:
		break;
	case SENSE_SKS_FIELD:
		fprintf(out, ", %s byte %u", s->sks_in_cdb ? "CDB" : "parameter list",
		    s->sks_value);
		break;
	case SENSE_SKS_SEGMENT:
		fprintf(out, ", %s byte %u", s->sks_in_segment ? "segment descriptor" :
		    "parameter list", s->sks_value);
		break;
	case SENSE_SKS_PROGRESS:
		fprintf(out, ", %u%% done", s->sks_value * 100u / 65536u);
		break;
	case SENSE_SKS_RETRIES:
		fprintf(out, ", %u retries", s->sks_value);
		break;
	case SENSE_SKS_OVERFLOW:
		fprintf(out, "%s", s->sks_value != 0 ? ", unit attention queue overflow" : "");
		break;
	}
	if (s->sks_has_bit)
		fprintf(out, " bit %u", s->sks_bit);
}

static void
format_known(const struct sense_data *s, FILE *out)
{
	uint8_t asc = (uint8_t)(s->asc >> 8), ascq = (uint8_t)s->asc;
	const char *name = asc_name(asc, ascq);

	if (s->is_deferred)
		fprintf(out, "deferred ");
	fprintf(out, "%s: %s (%02Xh/%02Xh)", sense_key_name(s->key),
	    name != NULL ? name : "unnamed code", asc, ascq);
	format_sks(s, out);
	if (s->has_info)
		fprintf(out, ", information %" PRIu64, s->info);
	if (s->has_csi && s->csi != 0)
		fprintf(out, ", command-specific %" PRIu64, s->csi);
	if (s->is_filemark)
		fprintf(out, ", filemark");
	if (s->is_eom)
		fprintf(out, ", end of medium");
	if (s->is_ili)
		fprintf(out, ", incorrect length");
	if (s->fru != 0)
		fprintf(out, ", unit code %02Xh", s->fru);
}

char *
sense_format(const struct sense_data *s, char *buf, size_t size)
{
	FILE *out = fmemopen(buf, size, "w");

	buf[0] = '\0';
	if (out == NULL)
		return buf;
	if (s->format == SENSE_FMT_VENDOR)
		fprintf(out, "vendor specific sense data");
	else
		format_known(s, out);
	(void)fclose(out);
	buf[size - 1] = '\0';
	return buf;
}
