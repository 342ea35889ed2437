/*
 * mock_isns.h - a name server that says what a test wants it to say
 *
 * What      Listens on 127.0.0.1, one connection at a time, and keeps each message as one line:
 *           "reg replace node=A entity=e | entity=e protocol=2 period=300 portal=127.0.0.1:1
 *           node=A type=1 alias=x group=1 at=127.0.0.1:1 group= at=127.0.0.2:1". A test takes
 *           them one by one. mi_answer() sets what it does with the messages that come next.
 *           Names are resolved here, too: "localhost", addresses, and "slow", which takes until
 *           mi_slow_end(). There are no others.
 * Limits    A wait ends after MI_WAIT_S with a failed test.
 */
#ifndef TESTS_DAEMON_MOCK_ISNS_H
#define TESTS_DAEMON_MOCK_ISNS_H

#include <check.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "daemon/isns.h"
#include "mock_plane.h"

#define MI_WAIT_S	120
#define MI_LINE_LEN	16384
#define MI_LINES	64

enum mi_do {
	MI_ANSWER,		/* with .status */
	MI_SILENT,
	MI_HELD,		/* waits for another mi_answer(), and does that */
	MI_CLOSE,
	MI_GARBAGE,		/* bytes that are no PDU */
	MI_SHORT,		/* a PDU without room for a status */
	MI_BAD_ATTR,		/* an attribute longer than its PDU */
	MI_HALF,		/* half an answer, then the end */
	MI_OTHER_XID,		/* answers to somebody else, without end */
	MI_STRAY_FIRST,		/* two of those and a question of its own, then the answer */
	MI_OTHER_FUNCTION,
	MI_LATER_PART,		/* the second PDU of an answer, without the first */
	MI_PARTS,		/* the answer is in three PDUs */
	MI_BAD_PARTS,		/* the second is of another transaction */
};

struct mi_answer {
	enum mi_do what;
	uint32_t status;
	uint32_t period_s;	/* told with a registration; 0: not */
	bool is_forgetful;	/* queries find nothing */
};

struct mock_isns {
	char server[32];	/* "127.0.0.1:41234" */
	uint16_t port;
	int listen_fd, stop[2];
	bool is_up;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t come;
	struct mi_answer answer;
	char *lines[MI_LINES];
	size_t n_lines, taken;
	size_t largest;		/* message */
};

/* mi_start(), mi_stop() - it can be started again, at the same port */
void mi_init(struct mock_isns *m);
void mi_start(struct mock_isns *m);
void mi_stop(struct mock_isns *m);
void mi_fini(struct mock_isns *m);

void mi_answer(struct mock_isns *m, struct mi_answer answer);

/* mi_next() - the next message; borrowed until mi_fini(). mi_expect() - it is that one */
const char *mi_next(struct mock_isns *m);
void mi_expect(struct mock_isns *m, const char *line);

/* mi_quiet() - nothing has come since */
void mi_quiet(struct mock_isns *m);

/* ------ a world whose targets are registered ------ */

struct mi_world {
	struct world world;
	struct mock_isns server;
	struct isns *isns;
	uint64_t rounds;	/* seen by mi_wait() */
};

/* mi_begin() - exports of that file, a server, and nothing said yet; mi_go() - it begins, with
 * the patience of a test where @more tells no other */
void mi_begin(struct mi_world *w, const char *file);
void mi_go(struct mi_world *w, const struct isns_conf *more);
void mi_end(struct mi_world *w);

/* mi_change() - the file says something else now, and is read again */
void mi_change(struct mi_world *w, const char *file);

/* mi_wait() - until a further try has ended, in that state, with that error (a part of it;
 * NULL: any) */
void mi_wait(struct mi_world *w, enum isns_state state, const char *error);

/* before "slow" is used; it is being resolved; it is resolved, there is no such name */
void mi_slow_begin(void);
void mi_slow_wait(void);
void mi_slow_end(void);

/* a clock that stands still until it is told to go on, and wakes whoever waits */
void mi_clock_hold(void);
void mi_clock_advance(struct mi_world *w, uint32_t s);

#endif /* TESTS_DAEMON_MOCK_ISNS_H */
