#include <sys/scsi/scsi.h>

#include <stdbool.h>

#include "base/bytes.h"

/*
 * Layout by byte, SPC-4 tables 27 (descriptor) and 48 (fixed): foreign bytes are not laid under
 * bit-fields here.
 */
#define SENSE_CODE(s)	((s)[0] & 0x7f)
#define DESCR_HEADER	8
#define FIXED_KEY_LEN	3	/* bytes up to the sense key */
#define FIXED_ADDL	7

static bool
sense_is_descr(const uint8_t *sense)
{
	return SENSE_CODE(sense) == 0x72 || SENSE_CODE(sense) == 0x73;
}

/* bytes of sense that are there and that the device vouches for */
static int
sense_valid_len(const uint8_t *sense, int len)
{
	int told;

	if (len <= FIXED_ADDL)
		return len;
	told = FIXED_ADDL + 1 + sense[FIXED_ADDL];
	return told < len ? told : len;
}

int
scsi_validate_sense(uint8_t *sense, int len, int *ret_flags)
{
	int flags = 0, format, min;

	if (sense == NULL || len < 1)
		return SENSE_UNUSABLE;
	switch (SENSE_CODE(sense)) {
	case 0x71:
		flags |= SNS_BUF_DEFERRED;
		/* fallthrough */
	case 0x70:
		format = SENSE_FIXED_FORMAT;
		min = FIXED_KEY_LEN;
		break;
	case 0x73:
		flags |= SNS_BUF_DEFERRED;
		/* fallthrough */
	case 0x72:
		format = SENSE_DESCR_FORMAT;
		min = 2;
		break;
	default:
		return SENSE_UNUSABLE;
	}
	if (len < min)
		return SENSE_UNUSABLE;
	if (len <= FIXED_ADDL || FIXED_ADDL + 1 + sense[FIXED_ADDL] > len)
		flags |= SNS_BUF_OVERFLOW;
	if (ret_flags != NULL)
		*ret_flags = flags;
	return format;
}

uint8_t
scsi_sense_key(uint8_t *sense)
{
	return (sense_is_descr(sense) ? sense[1] : sense[2]) & 0x0f;
}

uint8_t
scsi_sense_asc(uint8_t *sense)
{
	return sense_is_descr(sense) ? sense[2] : sense[12];
}

uint8_t
scsi_sense_ascq(uint8_t *sense)
{
	return sense_is_descr(sense) ? sense[3] : sense[13];
}

uint8_t *
scsi_find_sense_descr(uint8_t *sense, int len, int type)
{
	int end, at = DESCR_HEADER;

	if (len < DESCR_HEADER || !sense_is_descr(sense))
		return NULL;
	end = sense_valid_len(sense, len);
	while (at + 2 <= end && at + 2 + sense[at + 1] <= end) {
		if (sense[at] == type)
			return sense + at;
		at += 2 + sense[at + 1];
	}
	return NULL;
}

/* a descriptor of @type with at least @body bytes behind its head */
static const uint8_t *
sense_descr(uint8_t *sense, int len, int type, int body)
{
	const uint8_t *d = scsi_find_sense_descr(sense, len, type);

	return d != NULL && d[1] >= body ? d : NULL;
}

boolean_t
scsi_sense_info_uint64(uint8_t *sense, int len, uint64_t *ret)
{
	const uint8_t *d;

	if (scsi_validate_sense(sense, len, NULL) == SENSE_UNUSABLE)
		return B_FALSE;
	if (sense_is_descr(sense)) {
		d = sense_descr(sense, len, DESCR_INFORMATION, 10);
		if (d == NULL || !(d[2] & 0x80))
			return B_FALSE;
		*ret = be64_get(d + 4);
		return B_TRUE;
	}
	if (len < FIXED_ADDL || !(sense[0] & 0x80))
		return B_FALSE;
	*ret = be32_get(sense + 3);
	return B_TRUE;
}

boolean_t
scsi_sense_cmdspecific_uint64(uint8_t *sense, int len, uint64_t *ret)
{
	const uint8_t *d;

	if (scsi_validate_sense(sense, len, NULL) == SENSE_UNUSABLE)
		return B_FALSE;
	if (sense_is_descr(sense)) {
		d = sense_descr(sense, len, DESCR_COMMAND_SPECIFIC, 10);
		if (d == NULL)
			return B_FALSE;
		*ret = be64_get(d + 4);
		return B_TRUE;
	}
	if (sense_valid_len(sense, len) < 12)
		return B_FALSE;
	*ret = be32_get(sense + 8);
	return B_TRUE;
}

boolean_t
scsi_sense_progress_indication(uint8_t *sense, int len, uint16_t *ret)
{
	const uint8_t *sks;

	if (scsi_validate_sense(sense, len, NULL) == SENSE_UNUSABLE)
		return B_FALSE;
	if (sense_is_descr(sense)) {
		sks = sense_descr(sense, len, DESCR_SENSE_KEY_SPECIFIC, 6);
		if (sks == NULL)
			return B_FALSE;
		sks += 4;
	} else if (sense_valid_len(sense, len) >= 18) {
		sks = sense + 15;
	} else {
		return B_FALSE;
	}
	/* SKSV; and only these keys have a progress indication there */
	if (!(sks[0] & 0x80) ||
	    (scsi_sense_key(sense) != KEY_NO_SENSE && scsi_sense_key(sense) != KEY_NOT_READY))
		return B_FALSE;
	*ret = be16_get(sks + 1);
	return B_TRUE;
}
