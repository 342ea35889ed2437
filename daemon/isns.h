/*
 * daemon/isns.h - a name server is told which targets are here
 *
 * What      Registers one entity with its portals, its targets, and which target is behind
 *           which portal; follows every change of the exports and of the machine's addresses;
 *           speaks up before the registration ends; takes all of it back at the end. What an
 *           earlier process of that entity has left is replaced. A server that is away or
 *           refuses is tried again after 1, 2, 4 ... ISNS_RETRY_MAX_S seconds, and at every
 *           change; one that has forgotten us is told everything again.
 * Life      isns_new → isns_go → isns_stop → isns_free; isns_poke() at any time.
 * Thread    One of its own ("isns"), which may block: names are resolved there, too.
 * Limits    isns_stop() takes stop_ms and a second at most, whatever the server does.
 * Not       The server is not asked to look whether we live (ESI: no port for that is
 *           registered); what a process that was killed has left ends with its period. Messages
 *           carry no signature (RFC 4171 5.5).
 * Source    RFC 4171, scsad.conf(5)
 */
#ifndef DAEMON_ISNS_H
#define DAEMON_ISNS_H

#include <stdint.h>

#include "base/compiler.h"
#include "daemon/isns_pdu.h"

#define ISNS_PERIOD_MIN_S	10
#define ISNS_PERIOD_MAX_S	86400
#define ISNS_PERIOD_DEFAULT_S	300
#define ISNS_RETRY_MAX_S	120
#define ISNS_ERROR_LEN		256

struct exports;
struct isns;

struct isns_conf {
	const char *server;	/* "192.0.2.1", "[2001:db8::1]:3205", "isns.example" */
	const char *entity;	/* NULL: name of this machine */
	uint32_t period_s;	/* ISNS_PERIOD_MIN_S .. ISNS_PERIOD_MAX_S; 0: the default */
	struct exports *exports;
	/* patience; 0: the default */
	uint32_t connect_ms;	/* with a server that does not take the connection: 5000 */
	uint32_t answer_ms;	/* with each answer: 10000 */
	uint32_t stop_ms;	/* with taking it back at the end: 2000 */
};

enum isns_state {
	ISNS_OUT,		/* not registered: not yet, or the server is away or refuses */
	ISNS_IDLE,		/* nothing is there to be registered */
	ISNS_IN,		/* registered */
	ISNS_STATE_N
};

struct isns_status {
	enum isns_state state;
	uint64_t since_ns;		/* when it came into this state, clock_now_ns() */
	uint32_t targets, portals;	/* registered */
	uint32_t period_s;		/* the server forgets us after that; 0: not known */
	uint32_t retry_s;		/* pause after a try that went wrong; 0: it went well */
	uint64_t rounds;		/* tries, well or not, that have ended */
	char entity[ISNS_TEXT_MAX + 1];	/* "": not decided yet */
	char error[ISNS_ERROR_LEN];	/* of the last try; "": it went well */
};

/* isns_server_check() - is that "HOST", "HOST:PORT" or "[ADDRESS]:PORT"? Nothing is resolved */
bool isns_server_check(const char *server);

/* isns_state_name() - "not registered", "nothing to register", "registered" */
const char *isns_state_name(enum isns_state state);

/**
 * isns_new() - ready to go; nothing is said yet
 *
 * @conf     copied; server passes isns_server_check(), exports outlive isns_stop()
 *
 * Returns:  0, -ENOMEM, or -errno of eventfd(2)
 */
int isns_new(const struct isns_conf *conf, struct isns **ret_isns) MUST_CHECK;

/* isns_go() - the thread starts, and exports are followed; 0, or -errno (logged) */
int isns_go(struct isns *isns) MUST_CHECK;

/* isns_poke() - look now: exports have changed, or it is later. Any thread, never blocks */
void isns_poke(void *isns);

/* isns_stop() - take the registration back, end the thread. NULL is fine, and one that never
 * went */
void isns_stop(struct isns *isns);
void isns_free(struct isns *isns);

/* isns_status_get() - how it goes. Any thread; isns_server() - as configured */
void isns_status_get(struct isns *isns, struct isns_status *ret);
const char *isns_server(const struct isns *isns);

#endif /* DAEMON_ISNS_H */
