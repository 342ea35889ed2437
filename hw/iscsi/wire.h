/*
 * iscsi/wire.h - one iSCSI connection through libiscsi
 *
 * What      The only place that libiscsi is called from, and its headers are included in: they
 *           share names with SCSA's. It connects, logs in, sends, and hands up what came back,
 *           judged. It never reconnects: a connection that has failed is closed, and whoever
 *           wants another opens one.
 *
 *             connecting --> login --> up
 *                  |           |        |
 *                  +-----------+--------+--> dead
 *
 * Slots     A command under way is a slot: libiscsi's task and the pieces of memory. Slots are
 *           made with the connection; sending allocates nothing here (libiscsi makes a PDU from
 *           its cache).
 * Order     Sending is one command at a time: the next one may come when wire_can_send() says
 *           that nothing waits to be written. So at most one command is in libiscsi that the
 *           target cannot have seen (its window is closed): wire_is_sent() knows which. It is
 *           never taken back, because its CmdSN is given out: a gap would stop the session.
 * Early     A target may answer a write before it has taken all data. The PDUs that are still
 *           to be written then point at a task that is over. Its slot stays aside until
 *           nothing waits to be written, and its pieces point at zeros.
 * Owner     Data of a command is borrowed until its answer, wire_forget() or wire_close().
 * Trust     Everything that libiscsi reads passes through the screen (screen.h) first: its
 *           calls of recv and readv come here, and writev, so that no SIGPIPE comes of it;
 *           rand, so that challenges cannot be guessed; getenv, so that the environment says
 *           nothing.
 * Thread    One thread for each connection; connections share nothing.
 * Limits    WIRE_IOV_MAX pieces, WIRE_XFER_MAX bytes, CDBs of WIRE_CDB_MAX bytes.
 * Source    RFC 7143; libiscsi 1.19, iscsi.h
 */
#ifndef ISCSI_WIRE_H
#define ISCSI_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/compiler.h"
#include "hw/iscsi/iscsi_hba.h"

#define WIRE_IOV_MAX	128
#define WIRE_XFER_MAX	(16u << 20)
#define WIRE_CDB_MAX	16
#define WIRE_ERR_LEN	256
#define WIRE_SENSE_MAX	252

enum wire_state { WIRE_CONNECTING, WIRE_LOGIN, WIRE_UP, WIRE_DEAD, WIRE_STATE_N };

enum wire_dir { WIRE_NONE, WIRE_IN, WIRE_OUT };

enum wire_task {
	WIRE_ABORT_TASK = 1,		/* values of RFC 7143 11.5.1 */
	WIRE_ABORT_TASK_SET = 2,
	WIRE_LUN_RESET = 5,
	WIRE_TARGET_RESET = 6,		/* warm */
};

/* answers to a task management function (RFC 7143 11.6.1) */
#define WIRE_TASK_DONE		0
#define WIRE_TASK_UNKNOWN	1
#define WIRE_TASK_REJECTED	255

struct wire;
struct wire_slot;

/* what a target said to a command */
struct wire_answer {
	bool is_failed;			/* it has no status: rejected, or target failure (RFC 7143
					 * 11.4.3); nothing else of this is set */
	uint8_t status;			/* SAM-5 5.3.1 */
	bool is_over;			/* it had more data than there was room for */
	uint64_t moved_bytes;		/* of the buffer; never more than it has */
	const uint8_t *sense;		/* @sense_len bytes, up to WIRE_SENSE_MAX; during the call */
	size_t sense_len;
};

/* a task management function under way; embedded in the caller's, there until its answer or
 * wire_close() */
struct wire_tmf {
	struct wire *wire;		/* wire_io.c only */
};

/*
 * What comes back, from inside wire_service(). None may close the connection; all may send.
 * After wire_close() none is called. A command or function is answered at most once.
 */
struct wire_ops {
	void (*answered)(void *arg, void *cmd, const struct wire_answer *answer);
	void (*tmf_answered)(void *arg, struct wire_tmf *tmf, uint8_t response);
};

struct wire_conf {
	const char *portal;		/* "host:port", or as TargetAddress has it */
	const char *initiator;
	uint32_t isid;			/* 24 bits of a random ISID, */
	uint16_t isid_qualifier;	/* and 16 more */
	const struct iscsi_hba_target *target;
	const struct wire_ops *ops;	/* and what they are given */
	void *arg;
};

struct wire_command {
	void *cmd;			/* returned with the answer; not NULL */
	uint16_t lun;			/* first two bytes of the LUN */
	const uint8_t *cdb;		/* @cdb_len bytes, 1 .. WIRE_CDB_MAX; copied */
	size_t cdb_len;
	enum wire_dir dir;
	const struct iovec *iov;	/* @niov pieces, up to WIRE_IOV_MAX; copied */
	unsigned int niov;
	size_t bytes;			/* of all; up to WIRE_XFER_MAX */
};

/**
 * wire_open() - begin to connect and log in
 *
 * @reterr   WIRE_ERR_LEN bytes
 *
 * Returns:  0: wire_service() does the rest; -ENOMEM; -EHOSTUNREACH: the name does not resolve,
 *           or nothing is there
 * Thread:   may block while the name is resolved
 */
int wire_open(const struct wire_conf *conf, struct wire **ret_wire, char *reterr) MUST_CHECK;

/* wire_close() - no logout; commands and functions under way are forgotten. NULL is fine */
void wire_close(struct wire *wire);

/* wire_fd(), wire_events() - what poll(2) should look at */
int wire_fd(const struct wire *wire);
short wire_events(const struct wire *wire);

/* wire_service() - poll(2) found @revents (0 is fine): go on. The state may have changed */
void wire_service(struct wire *wire, short revents);

enum wire_state wire_state(const struct wire *wire);

/* wire_error() - why it is dead; "" */
const char *wire_error(const struct wire *wire);

/* wire_is_liar() - it is dead because the target sent what cannot be */
bool wire_is_liar(const struct wire *wire);

/* wire_redirect() - it is dead because the target is elsewhere: where; else NULL */
const char *wire_redirect(const struct wire *wire);

/* wire_can_send() - it is up, a slot is free, and nothing waits to be written */
bool wire_can_send(struct wire *wire);

/**
 * wire_send() - after wire_can_send(): send a command, as far as the socket takes it
 *
 * Returns:  its slot, valid until its answer, wire_forget() or wire_close(); NULL: no memory,
 *           or the connection has just died
 */
struct wire_slot *wire_send(struct wire *wire, const struct wire_command *command);

/* wire_is_sent() - can the target have seen it? */
bool wire_is_sent(const struct wire *wire, const struct wire_slot *slot);

/* wire_forget() - a command that was sent is over by other means (aborted, reset): it is not
 * answered any more, and what still comes for it is thrown away */
void wire_forget(struct wire *wire, struct wire_slot *slot);

/**
 * wire_task() - send a task management function
 *
 * @slot     the command to abort; NULL unless WIRE_ABORT_TASK
 *
 * Returns:  0; -ENOTCONN; -ENOMEM
 */
int wire_task(struct wire *wire, struct wire_tmf *tmf, enum wire_task what, uint16_t lun,
    const struct wire_slot *slot) MUST_CHECK;

/* wire_ping() - NOP-Out; 0, -ENOTCONN, -ENOMEM. wire_pongs() - answers to them so far */
int wire_ping(struct wire *wire) MUST_CHECK;
uint64_t wire_pongs(const struct wire *wire);

/* wire_has_unsent() - something waits to be written, or for the target's window */
bool wire_has_unsent(const struct wire *wire);

/* wire_logout() - ask for the end of the session; it is dead when the answer has come */
void wire_logout(struct wire *wire);

#endif /* ISCSI_WIRE_H */
