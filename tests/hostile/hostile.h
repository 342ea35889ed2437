/*
 * hostile/hostile.h - cases: what is sent, what RFC 7143 lets a target answer, what it answered
 *
 * What      A case runs on a fresh connection and writes down what it sees as words:
 *             reject RR        a Reject with that reason
 *             login SSDD       a Login Response with that status
 *             good             status GOOD;  check K/AAQQ: CHECK CONDITION with that sense;
 *                              status SS: any other
 *             under N, over N  behind a status: residuals
 *             r2t, nop-in N, text, tmf R, logout R, async E, data: other PDUs
 *             alive            the connection answers a NOP-Out behind all this
 *             closed, hang     it was closed; neither closed nor answered in time
 *           hostile_case.expect holds the answers that are right, with '|' between them; in an
 *           answer '*' stands for anything, '?' for any character.
 */
#ifndef HOSTILE_HOSTILE_H
#define HOSTILE_HOSTILE_H

#include "base/compiler.h"
#include "hostile/raw.h"

#define HIT_SEEN	240

/* one case at work */
struct hit {
	struct raw raw;
	const struct raw_where *where;
	unsigned int index;
	char seen[HIT_SEEN];
};

struct hostile_case {
	const char *name;
	const char *expect;
	const char *source;		/* section of RFC 7143, unless it says SPC or SBC */
	void (*run)(struct hit *hit, const struct hostile_case *c);
	const char *text;		/* for cases that share a run() */
	uint32_t a, b;
};

/* each ends with an entry without name */
extern const struct hostile_case cases_enter[];		/* before and during login */
extern const struct hostile_case cases_keys[];		/* keys of a login */
extern const struct hostile_case cases_talk[];		/* opcodes, NOP, Text, TMF, Logout */
extern const struct hostile_case cases_command[];	/* commands, lengths, CDBs */
extern const struct hostile_case cases_data[];		/* Data-Out and R2T */
extern const struct hostile_case cases_stream[];	/* digests, garbage, half PDUs, floods */

/* hit_saw() - write a word down */
PRINTF_LIKE(2, 3) void hit_saw(struct hit *hit, const char *fmt, ...);

/* hit_login() - connect and log in with @keys; false: written down */
bool hit_login(struct hit *hit, const char *keys);

/* hit_connect() - connect only */
bool hit_connect(struct hit *hit);

/* hit_note() - write down the PDU that raw_recv() gave */
void hit_note(struct hit *hit);

/* hit_answer() - write down what comes until request @itt is answered: a status, a Reject, the
 * end of the connection, or a hang. Answers to other requests are skipped, Rejects are not.
 * True when the connection is still there */
bool hit_answer(struct hit *hit, uint32_t itt);

/* hit_alive() - a NOP-Out to and fro: what comes before its answer is written down, then
 * "alive", "closed" or "hang" */
void hit_alive(struct hit *hit);

/* hit_closed() - the target is to close: what it says before is written down */
void hit_closed(struct hit *hit);

#endif /* HOSTILE_HOSTILE_H */
