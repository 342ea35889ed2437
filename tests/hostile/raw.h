/*
 * hostile/raw.h - an initiator that may say anything
 *
 * What      One connection to an iSCSI target: bytes, PDUs and logins as the caller wants them,
 *           right or wrong. Lengths, padding and digests are correct unless said otherwise.
 *           Nothing in here trusts the target: every wait has an end.
 * Owner     The caller; raw_close() may be called at any time.
 * Thread    One thread a connection; blocking, within its time limits.
 * Source    RFC 7143 sections 6 and 11. On purpose it shares no code with lib/iscsi.
 */
#ifndef HOSTILE_RAW_H
#define HOSTILE_RAW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RAW_BHS		48
#define RAW_KEEP	65536	/* data of an answer that is kept; the rest is read and lost */
#define RAW_TEXT_MAX	8192
#define RAW_WAIT_MS	60000	/* longest wait for an answer that must come */
#define RAW_CDB_MAX	64
#define RAW_NO_TAG	0xffffffffu

enum raw_op {
	RAW_NOP_OUT = 0x00, RAW_CMD = 0x01, RAW_TMF = 0x02, RAW_LOGIN = 0x03, RAW_TEXT = 0x04,
	RAW_DATA_OUT = 0x05, RAW_LOGOUT = 0x06, RAW_SNACK = 0x10,
	RAW_NOP_IN = 0x20, RAW_RSP = 0x21, RAW_TMF_RSP = 0x22, RAW_LOGIN_RSP = 0x23,
	RAW_TEXT_RSP = 0x24, RAW_DATA_IN = 0x25, RAW_LOGOUT_RSP = 0x26, RAW_R2T = 0x31,
	RAW_ASYNC = 0x32, RAW_REJECT = 0x3f,
};

#define RAW_IMMEDIATE	0x40	/* byte 0 */
#define RAW_FINAL	0x80	/* byte 1 */
#define RAW_READ	0x40	/* byte 1 of a command */
#define RAW_WRITE	0x20
#define RAW_SIMPLE	0x01

struct raw_where {
	char host[64];		/* IPv4 or IPv6 address, without brackets */
	uint16_t port;
	char name[232];		/* of the target */
	uint16_t lun;
};

enum raw_got { RAW_PDU, RAW_CLOSED, RAW_NOTHING };

struct raw {
	int fd;				/* -1: closed by us */
	const struct raw_where *where;
	const char *initiator;		/* name to log in with */
	uint8_t isid[6];
	uint16_t tsih, cid;
	uint32_t itt;			/* of the last request sent */
	uint32_t cmd_sn, exp_stat_sn, max_cmd_sn;
	uint32_t segment;		/* longest data segment the target takes */
	bool has_header_digest, has_data_digest;

	/* the last PDU received */
	uint8_t bhs[RAW_BHS];
	uint32_t len;			/* of its data segment; RAW_KEEP of it at most in data */
	uint8_t data[RAW_KEEP + 1];	/* a NUL behind it */
};

/* raw_be16(), raw_be32() - fields of a header */
uint16_t raw_be16(const uint8_t *p);
uint32_t raw_be32(const uint8_t *p);
void raw_put16(uint8_t *p, uint16_t v);
void raw_put24(uint8_t *p, uint32_t v);
void raw_put32(uint8_t *p, uint32_t v);

/* raw_init() - ready to connect; @index makes ISIDs differ */
void raw_init(struct raw *raw, const struct raw_where *where, unsigned int index);

/* raw_connect() - 0 or -errno */
int raw_connect(struct raw *raw);

/* raw_close() - now, without a word; raw_abort() - with a reset */
void raw_close(struct raw *raw);
void raw_abort(struct raw *raw);

/* raw_bytes() - send @n bytes as they are; false: the target has closed, or takes nothing */
bool raw_bytes(struct raw *raw, const void *p, size_t n);

/* raw_pdu() - send the header @bhs with @len bytes of data: length, padding and digests are
 * added; the header's own fields stay as they are. False: the target has closed */
bool raw_pdu(struct raw *raw, uint8_t bhs[RAW_BHS], const void *data, uint32_t len);

/* raw_recv() - the next PDU, within @wait_ms. StatSN is followed */
enum raw_got raw_recv(struct raw *raw, int wait_ms);

uint8_t raw_op(const struct raw *raw);		/* of the last PDU received */
uint32_t raw_tag(const struct raw *raw);	/* its initiator task tag */

/* raw_head() - a request of @op in @bhs: flags, the next task tag, CmdSN (used up unless
 * immediate), ExpStatSN, the LUN where it has one */
void raw_head(struct raw *raw, uint8_t bhs[RAW_BHS], uint8_t op, uint8_t flags);

/* raw_cmd() - send a command: @flags of byte 1 without FINAL means that unsolicited data
 * follows; @data goes with it. A CDB above 16 bytes needs a command without immediate data and
 * a session without header digests */
bool raw_cmd(struct raw *raw, uint8_t flags, const void *cdb, size_t cdb_len, uint32_t edtl,
    const void *data, uint32_t len);

/* raw_data_out() - one Data-Out of task @itt */
bool raw_data_out(struct raw *raw, uint8_t flags, uint32_t itt, uint32_t ttt, uint32_t sn,
    uint32_t offset, const void *data, uint32_t len);

/* raw_login_pdu() - one Login Request with text in which '\n' stands for NUL */
bool raw_login_pdu(struct raw *raw, uint8_t flags, const char *text);

/**
 * raw_login() - connect, and log in to the full feature phase
 *
 * @keys     operational keys, '\n' behind each; behind those that every login needs
 *
 * Returns:  0
 *           -errno       no connection
 *           -EPROTO      not what a login is answered
 *           1 .. 0xffff  status class and detail
 */
int raw_login(struct raw *raw, const char *keys);

/* raw_key() - value of @key in the last Login or Text Response, "" when it is not there */
const char *raw_key(const struct raw *raw, const char *key);

/* raw_run() - one command waited for: SCSI status, or -EPIPE/-ETIMEDOUT. Write data is sent
 * when it is asked for; read data is in raw->data as far as it came in one PDU. Sense:
 * raw_sense() */
int raw_run(struct raw *raw, const void *cdb, size_t cdb_len, const void *out, uint32_t out_len,
    uint32_t in_len);

/* raw_sense() - key << 16 | asc << 8 | ascq of the last SCSI Response; 0: none */
uint32_t raw_sense(const struct raw *raw);

/* raw_ready() - TEST UNIT READY until no unit attention is left; false when it is not ready */
bool raw_ready(struct raw *raw);

#endif /* HOSTILE_RAW_H */
