/*
 * daemon/isns_impl.h - the inside of the registration with a name server
 *
 * What      isns.c: life, thread, when something is due. isns_talk.c: what is said then.
 * Thread    Fields belong to the thread of it, unless said otherwise.
 */
#ifndef DAEMON_ISNS_IMPL_H
#define DAEMON_ISNS_IMPL_H

#include <pthread.h>
#include <sys/socket.h>

#include "daemon/isns.h"
#include "daemon/isns_link.h"
#include "daemon/isns_msg.h"
#include "daemon/isns_view.h"

#define ISNS_HOST_LEN	256
#define ISNS_PORT_LEN	8

struct isns {
	/* constant */
	struct isns_conf conf;		/* its words are those below */
	char *server;
	char host[ISNS_HOST_LEN], port[ISNS_PORT_LEN];
	int poke_fd, stop_fd;
	pthread_t thread;
	bool has_thread;		/* main thread */

	struct isns_link link;
	struct sockaddr_storage addr;	/* of the server, when it last took a connection */
	socklen_t addr_len;		/* 0: it never did */
	struct isns_view *known;	/* what the server has of us, or had when it last
					 * answered; NULL: nobody knows */
	bool is_marked;			/* it may have something of us */
	bool want_groups;
	char entity[ISNS_TEXT_MAX + 1];	/* "": name of the first target, when there is one */
	char source[ISNS_TEXT_MAX + 1];	/* who speaks for what is_marked is about */
	uint32_t period_s;		/* what the server said, or what was asked for */
	uint64_t due_ns;
	uint32_t fails;			/* in a row */
	char error[ISNS_ERROR_LEN];	/* why the last step did not go well */
	uint8_t msg[ISNS_MSG_MAX];

	pthread_mutex_t lock;		/* the rest */
	pthread_cond_t ended;
	struct isns_status status;
	unsigned int refs;		/* its owner, and the thread */
	bool is_stopping, has_ended;
	bool is_resolving;		/* which nothing can stop */
};

/* isns_split() - "HOST[:PORT]" to its parts; false: it is nothing like that */
bool isns_split(const char *server, char host[ISNS_HOST_LEN], char port[ISNS_PORT_LEN]);

/* isns_is_local() - is the server known to be on this machine, or not known at all? */
bool isns_is_local(const struct isns *isns);

/**
 * isns_talk() - one conversation: the server is told what is there now
 *
 * @ret_told  targets are registered; false: there was nothing to register, and nothing is
 *
 * Returns:  0
 *           -ECANCELED  isns_stop() was called
 *           -errno      isns->error says why
 */
int isns_talk(struct isns *isns, bool *ret_told) MUST_CHECK;

/* isns_retreat() - take back what the server may have, within stop_ms; as isns_talk() */
int isns_retreat(struct isns *isns) MUST_CHECK;

#endif /* DAEMON_ISNS_IMPL_H */
