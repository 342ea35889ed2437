/*
 * daemon/isns_link.h - a connection to a name server, one request at a time
 *
 * What      Open, ask and hear the answer, close. Each call blocks until its deadline at most,
 *           or until the stop descriptor becomes readable. PDUs of other transactions are
 *           passed over, a server's own questions are not answered; bytes that are no iSNS end
 *           the call.
 * Life      isns_link_open → isns_link_call ... → isns_link_close.
 * Thread    One a link, which may block.
 * Limits    ISNS_STRAY_MAX PDUs that nobody asked for, ISNS_PARTS_MAX PDUs of one answer.
 * Source    RFC 4171 2.9.1, 5.1
 */
#ifndef DAEMON_ISNS_LINK_H
#define DAEMON_ISNS_LINK_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/compiler.h"
#include "daemon/isns_pdu.h"

#define ISNS_STRAY_MAX	16
#define ISNS_PARTS_MAX	1024

struct isns_link {
	int fd;			/* -1: closed */
	int stop_fd;		/* readable: give up; -1: nothing stops it */
	uint64_t deadline_ns;	/* of what is done now, clock_now_ns() */
	uint16_t xid;		/* of the last request */
	uint8_t *payload;	/* ISNS_PAYLOAD_MAX bytes for answers */
};

/**
 * isns_link_open() - connect
 *
 * @link     all zero, or closed; stop_fd set
 * @wait_ms  patience
 *
 * Returns:  0
 *           -ECANCELED  stop_fd became readable
 *           -ETIMEDOUT
 *           -errno      of socket(2) or connect(2); -ENOMEM
 */
int isns_link_open(struct isns_link *link, const struct sockaddr *addr, socklen_t len,
    uint32_t wait_ms) MUST_CHECK;
void isns_link_close(struct isns_link *link);

/* isns_link_xid() - the id that the next message must carry */
uint16_t isns_link_xid(struct isns_link *link);

/**
 * isns_link_call() - send one request, and hear what the server says
 *
 * @msg      @len bytes, with the id of isns_link_xid()
 * @node     name to look for in the answer
 *
 * Returns:  0, also when the server refuses: look at @ret_answer->status
 *           -ECANCELED, -ETIMEDOUT
 *           -ECONNRESET  the server has closed
 *           -EBADMSG     what came is no answer
 *           -errno       of the socket
 */
int isns_link_call(struct isns_link *link, const uint8_t *msg, size_t len, const char *node,
    uint32_t wait_ms, struct isns_answer *ret_answer) MUST_CHECK;

#endif /* DAEMON_ISNS_LINK_H */
