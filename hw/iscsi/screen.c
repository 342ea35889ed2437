#include "hw/iscsi/screen.h"

#include <string.h>

#include "base/bytes.h"
#include "base/num.h"

enum {
	OP_NOP_IN = 0x20, OP_RESPONSE = 0x21, OP_TASK = 0x22, OP_LOGIN = 0x23, OP_TEXT = 0x24,
	OP_DATA_IN = 0x25, OP_LOGOUT = 0x26, OP_R2T = 0x31, OP_ASYNC = 0x32, OP_REJECT = 0x3f,
};

#define TAG_NONE	0xffffffffu
#define FLAG_STATUS	0x01		/* Data-In: a status comes with it */
#define STATUS_CHECK	0x02
#define EVENT_LOGOUT	1		/* Asynchronous Message: both want a logout */
#define EVENT_NEGOTIATE	4
#define REASON_LOGOUT	0x0c		/* Reject: the same */
#define SENSE_HEAD	8		/* descriptor format: before the descriptors */

void
screen_init(struct screen *s, screen_find_fn find, void *arg)
{
	*s = (struct screen){ .find = find, .arg = arg };
}

static bool
lie(struct screen *s, const char *text)
{
	s->lie = text;
	return false;
}

/* the command that a header is about; NULL: none, and *@ret_ok says if that may be */
static struct screen_command *
command_of(struct screen *s, bool *ret_ok)
{
	struct screen_command *c = NULL;
	enum screen_tag tag = s->find(s->arg, be32_get(s->hdr + 16), &c);

	*ret_ok = tag != SCREEN_TAG_UNKNOWN || lie(s, "answer to a command that there is not");
	return tag == SCREEN_TAG_COMMAND ? c : NULL;
}

/* is there room for @len bytes at @offset, and for @len more? */
static bool
has_room(const struct screen_command *c, uint32_t offset, uint32_t len)
{
	return offset <= c->bytes && len <= c->bytes - offset && len <= c->bytes - c->moved;
}

static bool
judge_response(struct screen *s)
{
	bool is_ok;
	struct screen_command *c = command_of(s, &is_ok);

	if (c == NULL)
		return is_ok;
	c->has_status = true;
	c->response = s->hdr[2];
	c->status = s->hdr[3];
	return true;
}

static bool
judge_data_in(struct screen *s, uint32_t len)
{
	bool is_ok;
	struct screen_command *c = command_of(s, &is_ok);

	if (c == NULL)
		return is_ok;
	if (c->dir != SCREEN_IN || !has_room(c, be32_get(s->hdr + 40), len))
		return lie(s, "data that was not asked for");
	c->moved += len;
	if ((s->hdr[1] & FLAG_STATUS) != 0) {
		c->has_status = true;
		c->status = s->hdr[3];
	}
	return true;
}

static bool
judge_r2t(struct screen *s)
{
	uint32_t offset = be32_get(s->hdr + 40), len = be32_get(s->hdr + 44);
	bool is_ok;
	struct screen_command *c = command_of(s, &is_ok);

	if (c == NULL)
		return is_ok;
	if (c->dir != SCREEN_OUT || len == 0 || !has_room(c, offset, len))
		return lie(s, "R2T for data that there is not");
	c->moved += len;
	return true;
}

/* libiscsi asks for a logout by itself: once is enough */
static bool
judge_logout(struct screen *s, bool is_wanted)
{
	if (is_wanted && s->logouts++ > 0)
		return lie(s, "logout asked for again and again");
	return true;
}

static bool
judge_nop(struct screen *s)
{
	bool want_answer = be32_get(s->hdr + 16) == TAG_NONE &&
	    be32_get(s->hdr + 20) != TAG_NONE;

	if (want_answer && ++s->replies > SCREEN_REPLIES_MAX)
		return lie(s, "flood of NOP-Ins");
	return true;
}

static bool
judge_header(struct screen *s)
{
	uint32_t len = be32_get(s->hdr + 4) & 0xffffffu;

	if (s->hdr[4] != 0)
		return lie(s, "additional header segments");
	if (len > SCREEN_DATA_MAX)
		return lie(s, "data segment that is too long");
	s->data_len = s->data_left = (len + 3) & ~3u;
	switch (s->hdr[0] & 0x3f) {
	case OP_NOP_IN:
		return judge_nop(s);
	case OP_RESPONSE:
		return judge_response(s);
	case OP_DATA_IN:
		return judge_data_in(s, len);
	case OP_R2T:
		return judge_r2t(s);
	case OP_ASYNC:
		return judge_logout(s, s->hdr[36] == EVENT_LOGOUT ||
		    s->hdr[36] == EVENT_NEGOTIATE);
	case OP_REJECT:
		return judge_logout(s, s->hdr[2] == REASON_LOGOUT);
	case OP_TASK:
	case OP_LOGIN:
	case OP_TEXT:
	case OP_LOGOUT:
		return true;
	default:
		return lie(s, "unknown opcode");
	}
}

static bool
key_is(const char *text, const char *key, const char **ret_value)
{
	size_t len = strlen(key);

	if (strncmp(text, key, len) != 0)
		return false;
	*ret_value = text + len;
	return true;
}

/* RFC 7143 13.12. libiscsi reads what is no number as 0, and would cut data into pieces of
 * that */
static bool
length_is_good(const char *value)
{
	uint64_t n;

	return num_parse_u64(value, 0xffffff, &n) == 0 && n >= 512;
}

bool
screen_key(struct screen *s, const char *text)
{
	const char *value;

	if (key_is(text, "MaxRecvDataSegmentLength=", &value) && !length_is_good(value))
		return lie(s, "MaxRecvDataSegmentLength that is out of range");
	if (key_is(text, "HeaderDigest=", &value))
		s->has_digest = strcmp(value, "CRC32C") == 0;
	return true;
}

static bool
judge_keys(struct screen *s, const uint8_t *data, size_t len)
{
	while (len > 0) {
		const uint8_t *end = memchr(data, 0, len);

		if (end == NULL)
			return lie(s, "login answer without an end");
		if (end > data && !screen_key(s, (const char *)data))
			return false;
		len -= (size_t)(end - data) + 1;
		data = end + 1;
	}
	return true;
}

/* the last answer of a login: what was to be agreed on has been by now */
static bool
judge_login(struct screen *s, const uint8_t *data)
{
	bool is_last = (s->hdr[1] & 0x83) == 0x83 && s->hdr[36] == 0;

	if (data != NULL && !judge_keys(s, data, be32_get(s->hdr + 4) & 0xffffffu))
		return false;
	if (is_last && s->want_digest && !s->has_digest)
		return lie(s, "no header digest, which has to be");
	return true;
}

/* libiscsi takes the length inside descriptor sense as it is; and fixed sense as complete,
 * which its memory is large enough for */
static bool
judge_sense(struct screen *s, uint8_t *data)
{
	size_t room = s->data_len;

	if (s->hdr[3] != STATUS_CHECK || room <= 2 || (data[2] & 0x7e) != 0x72)
		return true;
	if (room < 2 + SENSE_HEAD)
		return lie(s, "sense that is cut short");
	if (data[2 + 7] > room - 2 - SENSE_HEAD)
		data[2 + 7] = (uint8_t)(room - 2 - SENSE_HEAD);
	return true;
}

/* all data is there, @data is its beginning */
static bool
judge_data(struct screen *s, uint8_t *data)
{
	switch (s->hdr[0] & 0x3f) {
	case OP_LOGIN:
		return judge_login(s, data);
	case OP_RESPONSE:
		return judge_sense(s, data);
	default:
		return true;
	}
}

static bool
take_header(struct screen *s, const uint8_t *buf, size_t want, size_t n)
{
	if (s->hdr_pos == 0)
		s->hdr_len = want;
	if (buf == NULL || s->hdr_len > sizeof(s->hdr) || s->hdr_len < SCREEN_HDR_LEN ||
	    n > s->hdr_len - s->hdr_pos)
		return lie(s, "header of an impossible length");
	memcpy(s->hdr + s->hdr_pos, buf, n);
	s->hdr_pos += n;
	if (s->hdr_pos < s->hdr_len)
		return true;
	s->hdr_pos = 0;
	if (!judge_header(s))
		return false;
	return s->data_len > 0 || (s->hdr[0] & 0x3f) != OP_LOGIN || judge_login(s, NULL);
}

bool
screen_take(struct screen *s, uint8_t *buf, size_t want, size_t n)
{
	if (s->data_left == 0)
		return take_header(s, buf, want, n);
	if (n > s->data_left)
		return lie(s, "more data than its header says");
	s->data_left -= (uint32_t)n;
	if (s->data_left > 0 || buf == NULL)
		return true;
	return judge_data(s, buf + n - s->data_len);
}
