/* initiators: TransportIDs made, read and compared (lu/port.h) */
#include "lu/port.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/cursor.h"
#include "base/num.h"

#define HDR_LEN		4
#define NAME_AT		HDR_LEN
#define FORMAT_NAME	0x00		/* iSCSI name */
#define FORMAT_PORT	0x40		/* iSCSI name and ISID */
#define FORMAT_MASK	0xc0
#define PROTOCOL_MASK	0x0f
#define ADDITIONAL_MIN	20
#define SEPARATOR	",i,0x"
#define SEPARATOR_LEN	5
#define ISID_DIGITS	(2 * LU_ISID_LEN)

_Static_assert(((NAME_AT + LU_ISCSI_NAME_MAX + SEPARATOR_LEN + ISID_DIGITS + 1 + 3) & ~3) ==
    LU_TRANSPORT_ID_MAX, "the longest TransportID fits exactly");

/* protocols whose TransportID is 24 bytes: which of them say who it is */
static const struct {
	const char *prefix;	/* for people; NULL: no such protocol */
	uint8_t at, len;
	uint8_t more_at, more_len;
} fixed_rows[16] = {
	[LU_PROTOCOL_FCP] = { "naa.", 8, 8, 0, 0 },
	[LU_PROTOCOL_SPI] = { "spi.", 2, 2, 6, 2 },
	[LU_PROTOCOL_SBP] = { "eui.", 8, 8, 0, 0 },
	[LU_PROTOCOL_SRP] = { "srp.", 8, 16, 0, 0 },
	[LU_PROTOCOL_SAS] = { "naa.", 4, 8, 0, 0 },
	[LU_PROTOCOL_SOP] = { "sop.", 2, 2, 0, 0 },
};

/* ------ iSCSI ------ */

static bool
is_name_byte(uint8_t b)
{
	return b > ' ' && b != ',' && b != 0x7f;
}

/* the name of @len bytes as identity into @id, and as text for people into @text */
static int
name_put(const uint8_t *name, size_t len, uint8_t *id, char *text)
{
	if (len == 0 || len > LU_ISCSI_NAME_MAX)
		return -EINVAL;
	for (size_t i = 0; i < len; i++) {
		if (!is_name_byte(name[i]))
			return -EINVAL;
		id[i] = (uint8_t)(name[i] >= 'A' && name[i] <= 'Z' ? name[i] | 0x20 : name[i]);
		text[i] = (char)(id[i] < 0x80 ? id[i] : '?');
	}
	text[len] = '\0';
	return 0;
}

/* the header, once the text behind it has @len bytes and the rest is zero */
static void
iscsi_finish(struct lu_initiator *made, uint8_t format, size_t len)
{
	size_t padded = num_round_up(len + 1, 4);

	if (padded < ADDITIONAL_MIN)
		padded = ADDITIONAL_MIN;
	made->id[0] = (uint8_t)(format | LU_PROTOCOL_ISCSI);
	be16_put(made->id + 2, (uint16_t)padded);
	made->id_len = (uint16_t)(HDR_LEN + padded);
}

static int
iscsi_make(struct lu_initiator *ret, const uint8_t *name, size_t len,
    const uint8_t isid[LU_ISID_LEN])
{
	struct lu_initiator made = { .id_len = 0 };
	char *tail = (char *)made.id + NAME_AT + len;
	int r = name_put(name, len, made.id + NAME_AT, made.name);

	if (r < 0)
		return r;
	if (isid == NULL) {
		iscsi_finish(&made, FORMAT_NAME, len);
	} else {
		(void)snprintf(tail, SEPARATOR_LEN + ISID_DIGITS + 1,
		    SEPARATOR "%02x%02x%02x%02x%02x%02x", isid[0], isid[1], isid[2], isid[3],
		    isid[4], isid[5]);
		iscsi_finish(&made, FORMAT_PORT, len + SEPARATOR_LEN + ISID_DIGITS);
	}
	*ret = made;
	return 0;
}

int
lu_initiator_iscsi(struct lu_initiator *ret, const char *name)
{
	return iscsi_make(ret, (const uint8_t *)name, strnlen(name, LU_ISCSI_NAME_MAX + 1),
	    NULL);
}

int
lu_initiator_isid(struct lu_initiator *ret, const char *name, const uint8_t isid[LU_ISID_LEN])
{
	return iscsi_make(ret, (const uint8_t *)name, strnlen(name, LU_ISCSI_NAME_MAX + 1),
	    isid);
}

/* up to 12 digits, and nothing else up to @end */
static bool
isid_read(const uint8_t *at, const uint8_t *end, uint8_t isid[LU_ISID_LEN])
{
	char digits[ISID_DIGITS + 3] = "0x";
	size_t len = (size_t)(end - at);
	uint8_t wide[8];
	uint64_t v;

	if (len == 0 || len > ISID_DIGITS || !isxdigit(at[0]))
		return false;
	memcpy(digits + 2, at, len);
	if (num_parse_u64(digits, UINT64_MAX >> 16, &v) < 0)
		return false;
	be64_put(wide, v);
	memcpy(isid, wide + 2, LU_ISID_LEN);
	return true;
}

/* @text has @len bytes and room behind: a name, for FORMAT_PORT an ISID, a NUL */
static int
iscsi_read(uint8_t format, const uint8_t *text, size_t len, struct lu_initiator *ret)
{
	const uint8_t *end = memchr(text, '\0', len);
	const uint8_t *comma;
	uint8_t isid[LU_ISID_LEN];

	if (end == NULL)
		return -EBADMSG;
	if (format == FORMAT_NAME)
		return iscsi_make(ret, text, (size_t)(end - text), NULL) < 0 ? -EBADMSG : 0;
	comma = memchr(text, ',', (size_t)(end - text));
	if (comma == NULL || end - comma < SEPARATOR_LEN ||
	    memcmp(comma, SEPARATOR, SEPARATOR_LEN) != 0 ||
	    !isid_read(comma + SEPARATOR_LEN, end, isid))
		return -EBADMSG;
	return iscsi_make(ret, text, (size_t)(comma - text), isid) < 0 ? -EBADMSG : 0;
}

static int
iscsi_parse(const uint8_t *b, size_t len, struct lu_initiator *ret)
{
	uint8_t format = b[0] & FORMAT_MASK;
	size_t additional = be16_get(b + 2);
	int r;

	if (format != FORMAT_NAME && format != FORMAT_PORT)
		return -ENOTSUP;
	if (additional < ADDITIONAL_MIN || additional % 4 != 0 ||
	    additional > LU_TRANSPORT_ID_MAX - HDR_LEN || additional > len - HDR_LEN)
		return -EBADMSG;
	r = iscsi_read(format, b + NAME_AT, additional, ret);
	return r < 0 ? r : (int)(HDR_LEN + additional);
}

/* ------ the others ------ */

static size_t
hex_put(char *text, size_t size, const uint8_t *b, size_t len)
{
	size_t at = 0;

	for (size_t i = 0; i < len && at + 2 < size; i++, at += 2)
		(void)snprintf(text + at, size - at, "%02x", b[i]);
	return at;
}

/* @b has LU_TRANSPORT_ID_MIN bytes */
static void
fixed_make(struct lu_initiator *ret, uint8_t protocol, const uint8_t *b)
{
	const __typeof__(fixed_rows[0]) *row = &fixed_rows[protocol];
	struct lu_initiator made = { .id_len = LU_TRANSPORT_ID_MIN };
	size_t n;

	made.id[0] = protocol;
	memcpy(made.id + row->at, b + row->at, row->len);
	if (row->more_len > 0)
		memcpy(made.id + row->more_at, b + row->more_at, row->more_len);
	n = (size_t)snprintf(made.name, sizeof(made.name), "%s", row->prefix);
	n += hex_put(made.name + n, sizeof(made.name) - n, b + row->at, row->len);
	(void)hex_put(made.name + n, sizeof(made.name) - n, b + row->more_at, row->more_len);
	*ret = made;
}

void
lu_initiator_sas(struct lu_initiator *ret, uint64_t address)
{
	uint8_t b[LU_TRANSPORT_ID_MIN] = { LU_PROTOCOL_SAS };

	be64_put(b + 4, address);
	fixed_make(ret, LU_PROTOCOL_SAS, b);
}

int
lu_initiator_parse(const void *buf, size_t len, struct lu_initiator *ret)
{
	const uint8_t *b = buf;
	uint8_t protocol;

	if (len < LU_TRANSPORT_ID_MIN)
		return -EBADMSG;
	protocol = b[0] & PROTOCOL_MASK;
	if (protocol == LU_PROTOCOL_ISCSI)
		return iscsi_parse(b, len, ret);
	if (fixed_rows[protocol].prefix == NULL || (b[0] & FORMAT_MASK) != 0)
		return -ENOTSUP;
	fixed_make(ret, protocol, b);
	return LU_TRANSPORT_ID_MIN;
}

/* ------ our own ------ */

void
lu_initiator_uid(struct lu_initiator *ret, uint32_t uid)
{
	char name[48];

	(void)snprintf(name, sizeof(name), "iqn.2026-11.internal.scsad:uid.%u", uid);
	(void)iscsi_make(ret, (const uint8_t *)name, strlen(name), NULL);
}

const struct lu_initiator *
lu_initiator_anonymous(void)
{
#define ANONYMOUS	"iqn.2026-11.internal.scsad:anonymous"
	static const struct {
		struct lu_initiator who;
	} one = {
		.who = {
			.id_len = HDR_LEN + sizeof(ANONYMOUS) + 3 - (sizeof(ANONYMOUS) + 3) % 4,
			.id = { LU_PROTOCOL_ISCSI, 0, 0,
			    sizeof(ANONYMOUS) + 3 - (sizeof(ANONYMOUS) + 3) % 4,
			    'i', 'q', 'n', '.', '2', '0', '2', '6', '-', '1', '1', '.',
			    'i', 'n', 't', 'e', 'r', 'n', 'a', 'l', '.', 's', 'c', 's',
			    'a', 'd', ':', 'a', 'n', 'o', 'n', 'y', 'm', 'o', 'u', 's' },
			.name = ANONYMOUS,
		},
	};

	return &one.who;
#undef ANONYMOUS
}

/* ------ comparing, showing ------ */

static const struct lu_initiator *
or_anonymous(const struct lu_initiator *initiator)
{
	return initiator != NULL ? initiator : lu_initiator_anonymous();
}

bool
lu_initiator_equal(const struct lu_initiator *a, const struct lu_initiator *b)
{
	a = or_anonymous(a);
	b = or_anonymous(b);
	return a->id_len == b->id_len && memcmp(a->id, b->id, a->id_len) == 0;
}

/* the name's bytes end at NUL or ',': a canonical TransportID has one of them */
static size_t
iscsi_name_len(const struct lu_initiator *initiator)
{
	return strcspn((const char *)initiator->id + NAME_AT, ",");
}

bool
lu_initiator_covers(const struct lu_initiator *pattern, const struct lu_initiator *port)
{
	size_t len;

	pattern = or_anonymous(pattern);
	port = or_anonymous(port);
	if (pattern->id[0] != (FORMAT_NAME | LU_PROTOCOL_ISCSI) ||
	    lu_initiator_protocol(port) != LU_PROTOCOL_ISCSI)
		return lu_initiator_equal(pattern, port);
	len = iscsi_name_len(pattern);
	return len == iscsi_name_len(port) &&
	    memcmp(pattern->id + NAME_AT, port->id + NAME_AT, len) == 0;
}

uint8_t
lu_initiator_protocol(const struct lu_initiator *initiator)
{
	return or_anonymous(initiator)->id[0] & PROTOCOL_MASK;
}

char *
lu_initiator_format(const struct lu_initiator *initiator, char *buf, size_t size)
{
	const struct lu_initiator *who = or_anonymous(initiator);
	const char *isid = "";

	if (who->id[0] == (FORMAT_PORT | LU_PROTOCOL_ISCSI))
		isid = (const char *)who->id + NAME_AT + iscsi_name_len(who);
	(void)snprintf(buf, size, "%s%s", who->name, isid);
	return buf;
}
