/*
 * iscsi/login.h - the login phase of one connection, target side
 *
 * What      A machine that is fed whole Login Requests and gives one Login Response for each.
 *           It judges versions, stages, keys and CHAP, asks its host who may log in to what,
 *           and ends with everything a connection in full feature phase starts from.
 * Life      new -> (header -> recv -> [pending -> resume] -> answer)* -> done | failed -> free;
 *           chart in login.c.
 * Owner     Whoever holds the connection. The object refers to nothing but ops, arg and conf,
 *           so it may be handed to another thread between two calls.
 * Thread    One thread at a time. It has no clock, no socket and no lock: the deadline of a
 *           login is its owner's, who frees the object when it has passed.
 * Limits    Data segment of a request ISCSI_LOGIN_DATA_MAX, text of a request ISCSI_TEXT_MAX,
 *           ISCSI_LOGIN_PDUS_MAX requests. Memory: 5 KiB, and more only for text longer than
 *           1 KiB.
 * Errors    What an initiator does wrong ends in a Login Response with its status and state
 *           failed; calls here return no errno for it.
 * Source    RFC 7143 sections 6.3, 11.12, 11.13; 12 for CHAP.
 *
 * The way of one connection, as its owner sees it:
 *
 *	login = iscsi_login_new(&conf, &ops, arg);
 *	for each header of 48 bytes:
 *		if (!iscsi_login_header(login, bhs))
 *			send iscsi_login_answer(login) unless is_silent, close
 *		receive data segment (never more than ISCSI_LOGIN_DATA_MAX), padding
 *		switch (iscsi_login_recv(login, bhs, data)):
 *		PENDING:  wait until the host has called iscsi_login_resume()
 *		GOING:    send iscsi_login_answer(login), next header
 *		DONE:     send it, then take iscsi_login_result(login) and start full feature
 * phase
 *		FAILED:   send it, close
 */
#ifndef ISCSI_LOGIN_H
#define ISCSI_LOGIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "iscsi/chap.h"
#include "iscsi/keys.h"
#include "iscsi/name.h"
#include "iscsi/pdu.h"

#define ISCSI_LOGIN_DATA_MAX	8192	/* nothing else is declared yet (13.12) */
#define ISCSI_LOGIN_PDUS_MAX	512
#define ISCSI_REDIRECT_LEN	ISCSI_ADDRESS_LEN

struct iscsi_login;

/* ------ what the host answers ------ */

enum iscsi_login_auth {
	ISCSI_AUTH_NONE,	/* everybody that find_target() lets through; CHAP is refused */
	ISCSI_AUTH_OPTIONAL,	/* None or CHAP, whichever the initiator names first */
	ISCSI_AUTH_CHAP,	/* nobody without CHAP */
};

/* filled by find_target(); preset with the values in brackets */
struct iscsi_login_target {
	char alias[ISCSI_ALIAS_LEN];		/* TargetAlias; empty: not sent [empty] */
	char redirect[ISCSI_REDIRECT_LEN];	/* TargetAddress for MOVED_* [empty] */
	uint16_t tag;				/* TargetPortalGroupTag of this portal [1] */
	enum iscsi_login_auth auth;		/* [ISCSI_AUTH_CHAP] */
	uint32_t chap_algs;			/* 1 << number [ISCSI_CHAP_ALGS_ALL] */
	uint32_t window;			/* commands a new session may have open, >= 1 [1] */
	struct iscsi_offer offer;		/* our side [iscsi_offer_defaults()] */
};

/* what commit() says about the session that the connection became part of */
struct iscsi_login_bind {
	uint16_t tsih;			/* not 0 */
	uint32_t exp_cmd_sn;		/* preset: CmdSN of the login (a new session's first) */
	uint32_t max_cmd_sn;		/* preset: exp_cmd_sn + window - 1 */
};

/* an answer of lookup() and commit() beside enum iscsi_login_status: iscsi_login_resume()
 * follows. find_target() has no such choice */
#define ISCSI_LOGIN_PENDING	0xffff

/**
 * struct iscsi_login_ops - what a login asks
 *
 * All are called inside iscsi_login_recv() or iscsi_login_resume(), on that thread, at most
 * once a login each (chap.secret: at most once, too), must not block and must not free the
 * login.
 * @result (iscsi_login_result()) says who asks; its fields are filled as far as the login is.
 * Statuses: enum iscsi_login_status. ISCSI_LOGIN_OK goes on; everything else ends the login
 * with that status.
 */
struct iscsi_login_ops {
	struct iscsi_chap_ops chap;
	/* Is there such a target (result->target; in a discovery session perhaps an empty
	 * name), and may this initiator see it from where it comes? With MOVED_TEMP or
	 * MOVED_PERM ret->redirect says whereto. First question of a login, before
	 * authentication. */
	uint16_t (*find_target)(void *arg, const struct iscsi_login *login,
		struct iscsi_login_target *ret);
	/* Could the connection become part of a session? Reads only, since nobody has proved
	 * anything: NO_SESSION for a tsih that does not name a session of this initiator port,
	 * TOO_MANY_CONNS, CANNOT_INCLUDE, NO_RESOURCES. May answer PENDING. NULL: yes. */
	uint16_t (*lookup)(void *arg, struct iscsi_login *login);
	/* The login is complete and authenticated: create the session, reinstate it (tsih 0,
	 * same initiator port), add the connection, or take over a connection of the same CID.
	 * What was done is undone by the owner if the response cannot be sent. May answer
	 * PENDING. */
	uint16_t (*commit)(void *arg, struct iscsi_login *login, struct iscsi_login_bind *ret);
};

struct iscsi_login_conf {
	uint32_t stat_sn;		/* of the first response */
	size_t chap_challenge_len;	/* bytes, 16 .. 1,024; 0: as long as the digest */
};

/* ------ the machine ------ */

enum iscsi_login_state {
	ISCSI_LOGIN_GOING,	/* an answer is ready; the next request may follow */
	ISCSI_LOGIN_WAITING,	/* the host was asked and has not answered */
	ISCSI_LOGIN_DONE,	/* the answer that is ready ends the login: full feature phase */
	ISCSI_LOGIN_FAILED,	/* the answer that is ready refuses; close after it */
	ISCSI_LOGIN_NSTATES
};

/* one response: 48 bytes and a data segment; padding is the sender's. No digests in this
 * phase */
struct iscsi_login_pdu {
	uint8_t bhs[ISCSI_BHS_LEN];
	const char *data;		/* the login's, until its next call */
	size_t data_len;		/* 0 .. 8,192 */
};

/* what a login is about, filled while it goes on; all of it holds in state DONE */
struct iscsi_login_result {
	/* from the first request on */
	uint8_t isid[ISCSI_ISID_LEN];
	uint16_t asked_tsih;		/* 0: a new session (or reinstatement of one) */
	uint16_t cid;
	uint32_t cmd_sn;		/* of the login requests: first CmdSN of a new session */
	uint32_t first_exp_stat_sn;	/* of the first request: for a CID that is taken over */
	/* from find_target() on */
	bool is_discovery;
	char initiator[ISCSI_NAME_LEN];	/* normal form */
	char initiator_alias[ISCSI_ALIAS_LEN];	/* foreign bytes; may come later; else empty */
	char target[ISCSI_NAME_LEN];	/* normal form; empty in most discovery sessions */
	uint16_t tag;			/* portal group */
	/* from authentication on */
	bool is_authenticated;		/* by CHAP */
	bool is_mutual;			/* and we to the initiator */
	unsigned int chap_alg;		/* enum iscsi_chap_alg, or 0 */
	char chap_user[ISCSI_CHAP_NAME_LEN];	/* foreign bytes; empty unless authenticated */
	/* in state DONE, and already for commit() */
	struct iscsi_params params;	/* session values hold only if asked_tsih is 0 */
	uint32_t window;
	uint16_t tsih;			/* the session's; DONE only */
	uint32_t stat_sn;		/* next StatSN of the connection; DONE only */
	uint32_t exp_cmd_sn;		/* as told to the initiator; DONE only */
	/* in state FAILED */
	uint16_t status;		/* class << 8 | detail */
	bool is_silent;			/* not even a login had begun: close without sending the
					 * answer (section 6.3) */
	const char *why;		/* constant text for logs; never NULL in FAILED */
};

/**
 * iscsi_login_new() - a login about to see its first header
 *
 * @conf     copied
 * @ops      borrowed as long as the login lives; so is @arg
 *
 * Returns:  the login, or NULL without memory
 * Owner:    caller; iscsi_login_free()
 */
struct iscsi_login *iscsi_login_new(const struct iscsi_login_conf *conf,
	const struct iscsi_login_ops *ops, void *arg);

/* iscsi_login_free() - wipes and frees; NULL is fine, any state is fine */
void iscsi_login_free(struct iscsi_login *login);

/* iscsi_login_freep() - for CLEANUP() */
static inline void
iscsi_login_freep(struct iscsi_login **login)
{
	iscsi_login_free(*login);
	*login = NULL;
}

/* iscsi_login_set_arg() - another @arg for the ops: the connection moved to another owner */
void iscsi_login_set_arg(struct iscsi_login *login, void *arg);

/**
 * iscsi_login_header() - judge a header before its data segment is received
 *
 * @bhs      48 bytes; only in state GOING, or new
 *
 * Returns:  true   receive iscsi_pdu_data_len() bytes (at most ISCSI_LOGIN_DATA_MAX) and call
 *                  iscsi_login_recv()
 *           false  state FAILED: send iscsi_login_answer() (unless result->is_silent) and
 *           close.
 *                  Anything but a Login Request (status 020b), additional headers, a data
 *                  segment too long
 */
bool iscsi_login_header(struct iscsi_login *login, const uint8_t bhs[ISCSI_BHS_LEN]) MUST_CHECK;

/**
 * iscsi_login_recv() - a whole Login Request
 *
 * @bhs      the header that iscsi_login_header() let through
 * @data     its data segment, without padding; borrowed until the call returns
 *
 * Returns:  the state
 */
enum iscsi_login_state iscsi_login_recv(struct iscsi_login *login,
	const uint8_t bhs[ISCSI_BHS_LEN], const void *data) MUST_CHECK;

/**
 * iscsi_login_resume() - the host's late answer to lookup() or commit()
 *
 * @status   what the call would have returned; ISCSI_LOGIN_PENDING is not among it
 * @bind     for commit() with ISCSI_LOGIN_OK: the session, all fields; else NULL
 *
 * Returns:  the state; perhaps WAITING again (commit() after lookup())
 */
enum iscsi_login_state iscsi_login_resume(struct iscsi_login *login, uint16_t status,
	const struct iscsi_login_bind *bind) MUST_CHECK;

/**
 * iscsi_login_abort() - end a login for the owner's own reasons
 *
 * @status   NO_RESOURCES, UNAVAILABLE, TARGET_ERROR ...; @why for logs, a constant
 *
 * In any state but FAILED. Leaves a response for the last request (or, before the first one,
 * for none: initiator task tag 0) in iscsi_login_answer().
 */
void iscsi_login_abort(struct iscsi_login *login, uint16_t status, const char *why);

/* iscsi_login_answer() - the response to the last request; states GOING, DONE and FAILED. The
 * same one until the next request */
const struct iscsi_login_pdu *iscsi_login_answer(const struct iscsi_login *login);

/* iscsi_login_result() - who and what, as far as known; lives as long as the login */
const struct iscsi_login_result *iscsi_login_result(const struct iscsi_login *login);

/* iscsi_login_status_name() - "authentication failure"; NULL for a status that does not
 * exist */
const char *iscsi_login_status_name(uint16_t status);

#endif /* ISCSI_LOGIN_H */
