/*
 * iscsi/screen.h - what a target sends, judged before libiscsi sees it
 *
 * What      libiscsi 1.19 trusts a target in places: it follows a NULL pointer when Data-In or
 *           R2T carry the task tag of something that is no SCSI command, sets memory aside for
 *           whatever length an R2T has, divides data by a MaxRecvDataSegmentLength of 0, reads
 *           sense beyond its end. So the bytes of a connection pass through here, as they are
 *           read: each header is looked at when it is complete, and so is the data of login
 *           answers and SCSI responses. A lie ends the connection.
 *           The screen also keeps what libiscsi does not tell: the iSCSI response code, the
 *           status byte as it was, how much data came.
 * Thread    The connection's.
 * Source    RFC 7143 section 11
 */
#ifndef ISCSI_SCREEN_H
#define ISCSI_SCREEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

#define SCREEN_HDR_LEN		48	/* basic header segment */
#define SCREEN_DIGEST_LEN	4
#define SCREEN_DATA_MAX		262144u	/* MaxRecvDataSegmentLength that libiscsi declares */
#define SCREEN_REPLIES_MAX	64	/* NOP-Ins that want an answer, while none is written */

enum screen_dir { SCREEN_NONE, SCREEN_IN, SCREEN_OUT };

/* a SCSI command as the screen knows it */
struct screen_command {
	enum screen_dir dir;		/* the first two: set by the owner when it is sent */
	uint32_t bytes;			/* expected data transfer length */
	uint32_t moved;			/* Data-In, or asked for by R2T */
	bool has_status;
	uint8_t status, response;
};

/* what a task tag means now */
enum screen_tag { SCREEN_TAG_UNKNOWN, SCREEN_TAG_COMMAND, SCREEN_TAG_FORGOTTEN };

/* screen_find_fn - what is @tag? *@ret_command for SCREEN_TAG_COMMAND */
typedef enum screen_tag (*screen_find_fn)(
    void *arg, uint32_t tag, struct screen_command **ret_command);

struct screen {
	screen_find_fn find;		/* both: set by the owner at first */
	void *arg;
	bool want_digest;		/* HeaderDigest has to be CRC32C */
	bool has_digest;		/* the answer to it was CRC32C */
	const char *lie;		/* why the last was refused; NULL */
	unsigned int replies;		/* libiscsi is to answer these; owner: 0 when all is
					 * written */
	unsigned int logouts;		/* it was asked for so many */
	uint8_t hdr[SCREEN_HDR_LEN + SCREEN_DIGEST_LEN];
	size_t hdr_len, hdr_pos;	/* of the header now being read */
	uint32_t data_len, data_left;	/* of its data, padding included */
};

/* screen_init() - a new connection: everything else is 0 */
void screen_init(struct screen *s, screen_find_fn find, void *arg);

/**
 * screen_take() - @n bytes have been read into @buf, where libiscsi had room for @want
 *
 * libiscsi asks for a header or its data, never for both; a header's first read is for all of
 * it. The data of what is judged as a whole is read into one piece of memory.
 *
 * @buf      may be changed: sense whose own length is too large gets a length that fits; NULL:
 *           data that is not looked at
 *
 * Returns:  true; false: a lie (@s->lie), end the connection
 */
bool screen_take(struct screen *s, uint8_t *buf, size_t want, size_t n) MUST_CHECK;

/* screen_key() - one "Key=Value" of a login answer, NUL-ended; false: it would do harm */
bool screen_key(struct screen *s, const char *text) MUST_CHECK;

#endif /* ISCSI_SCREEN_H */
