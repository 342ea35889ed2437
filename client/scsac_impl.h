/*
 * client/scsac_impl.h - inside of a connection
 *
 * What      The connection, the requests on it, and what the files of this room share.
 *           conn.c connects, io.c moves bytes, request.c keeps requests, packet.c and the verb
 *           files make them and take their answers.
 * Life      idle, hello, ready, idle. A request is taken from a table whose size is fixed at
 *           hello (no allocation a packet), and ends exactly once, in request_finish().
 * Owner     The connection owns its requests. A call belongs to the stack of the function that
 *           waits for it.
 * Thread    One at a time.
 */
#ifndef CLIENT_SCSAC_IMPL_H
#define CLIENT_SCSAC_IMPL_H

#include <sys/queue.h>

#include "base/compiler.h"
#include "client/outq.h"
#include "client/scsac.h"
#include "proto/limits.h"
#include "proto/message.h"

#define CALLS_MAX	16u		/* requests besides packets */
#define IN_BUF_LEN	(256u << 10)
#define BIG_READ	(32u << 10)	/* from here on data is received where it belongs */
#define BIG_READ_AHEAD	4096u		/* what may then still land in the buffer first */
#define FDS_IN_MAX	3u		/* descriptors with one frame */
#define EXEC_GRACE_MS	30000u		/* the daemon's time to end a timed-out packet */

struct call;

/* call_take_fn - one reply (several when "more"); it is in the arena: copy what is to stay.
 * Negative errno ends the call with that. */
typedef int (*call_take_fn)(struct call *call, const ProtobufCMessage *reply);

/* A request whose answer someone waits for. */
struct call {
	call_take_fn take;	/* NULL: the answer has nothing in it */
	void *arg;		/* for take */
	bool is_done;
	int result;		/* when is_done */
};

enum request_kind {
	REQUEST_FREE,
	REQUEST_PACKET,
	REQUEST_CALL,
	REQUEST_DROP,		/* the answer is of no interest */
};

struct request {
	STAILQ_ENTRY(request) link;	/* free list, or list of those that may be finished */
	enum request_kind kind;
	uint16_t method;
	uint32_t id;
	bool is_sent;			/* the out queue does not point to data any more */
	bool is_answered;		/* result is complete, waits only for is_sent */
	enum scsac_direction direction;
	bool is_in_memory;		/* its data does not travel */
	uint8_t *data;
	uint32_t data_len;
	scsac_done_fn done;
	void *arg;
	struct call *call;		/* REQUEST_CALL */
	struct scsac_result result;	/* REQUEST_PACKET */
};

STAILQ_HEAD(request_list, request);

/* memory that the daemon has, too */
struct memory {
	uint8_t *base;		/* NULL: this one is none */
	size_t bytes;
	uint64_t id;		/* 0: the daemon it was shared with is gone */
};

enum conn_state { CONN_IDLE, CONN_HELLO, CONN_READY };

struct scsac {
	enum conn_state state;
	int fd;				/* -1 when idle */
	char name[PROTO_NAME_MAX + 1];
	char initiator[PROTO_NAME_MAX + 1];	/* "": the daemon's name for this user */
	struct scsac_info info;
	struct scsac_error error;
	unsigned timeout_ms;
	struct call hello;

	struct request *requests;	/* requests_len of them; slot number is in the id */
	size_t requests_len;
	uint32_t generation;		/* upper half of the next id */
	struct request_list free;
	struct request_list ready;	/* answered and sent since */
	unsigned packets;		/* in flight */
	unsigned big_reads;		/* of those: SCSAC_IN from BIG_READ bytes on */
	unsigned completed;		/* packets finished since io_process() began */

	unsigned callback_depth;	/* inside callbacks of the caller */
	bool is_doomed;			/* disconnect when the callbacks are left */
	int doom_err;			/* what its calls are told then */
	bool has_received;		/* bytes came since scsac_wait() began */
	scsac_event_fn event;
	void *event_arg;

	uint64_t features;		/* agreed on */
	struct memory memories[PROTO_MEMORIES_MAX];
	unsigned n_memories;		/* places in use end below */
	int fds_in[FDS_IN_MAX];		/* descriptors that came along with the last reply */
	unsigned n_fds_in;
	LIST_HEAD(, scsac_ring) rings;
	unsigned ring_packets;		/* in flight in all of them; not among packets */

	struct outq out;
	struct arena arena;
	struct frame_limits limits;	/* for what comes in */
	uint8_t *in;			/* IN_BUF_LEN bytes */
	size_t in_start, in_end;
	struct request *data_req;	/* its data comes next on the stream */
	size_t data_left;		/* bytes of it */
};

/* error.c: set what scsac_last_error() says */

/* error_local() - this side refused; @err is negative and returned */
int error_local(struct scsac *c, int err, const char *hint, const char *fmt, ...)
    PRINTF_LIKE(4, 5);

/* error_remote() - the daemon refused; the errno of its code is returned */
int error_remote(struct scsac *c, const Scsad__Error *msg);

/* conn.c */

/* conn_lost() - close and finish every request; @err (negative) and the words are kept */
void conn_lost(struct scsac *c, int err, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* conn_doom() - close with @err at the end of this io_process(), by conn_doom_now() */
void conn_doom(struct scsac *c, int err);
void conn_doom_now(struct scsac *c);

/* io.c */

/* io_flush() - 0, 1 when the socket is full, -ENOTCONN */
int io_flush(struct scsac *c);

/* io_process() - one round of receiving and sending; with @may_block the first receive waits up
 * to a second. Answers as scsac_process(). */
int io_process(struct scsac *c, bool may_block);

/* io_wait() - one round of waiting, of a second at most; @deadline_us of the monotonic clock,
 * UINT64_MAX for ever */
int io_wait(struct scsac *c, uint64_t deadline_us);

uint64_t io_now_us(void);

/* fds_drop() - close descriptors that came and that nobody wants */
void fds_drop(struct scsac *c);

/* request.c */

/* requests_resize() - @len free requests, while none is in use; 0 or -ENOMEM */
int requests_resize(struct scsac *c, size_t len) MUST_CHECK;

/* request_take() - a free one with a new id, NULL when all are in use */
struct request *request_take(struct scsac *c, enum request_kind kind, uint16_t method);

/* request_find() - the one in use under @id, or NULL */
struct request *request_find(struct scsac *c, uint32_t id);

/* request_finish() - tell its owner the result, once, and free it */
void request_finish(struct scsac *c, struct request *req, int err);

/* request_drop() - free without telling */
void request_drop(struct scsac *c, struct request *req);

/* request_sent() - outq_sent_fn */
void request_sent(void *req, void *c);

/* call.c */

/* call_queue() - @msg goes out as a request; 0, -ENOBUFS or -ENOMEM */
int call_queue(struct scsac *c, uint16_t method, const ProtobufCMessage *msg, struct call *call)
    MUST_CHECK;

/* call_run() - send @msg and wait for its answer; @take may be NULL */
int call_run(struct scsac *c, uint16_t method, const ProtobufCMessage *msg, call_take_fn take,
    void *arg) MUST_CHECK;

/* call_wait() - until @call is done */
int call_wait(struct scsac *c, struct call *call, unsigned timeout_ms) MUST_CHECK;

/* packet.c */

/* packet_check() - can it be submitted? As scsac_submit() */
int packet_check(struct scsac *c, const struct scsac_cmd *cmd) MUST_CHECK;

/* packet_take() - completion message into the request's result; 0, or -EBADMSG */
int packet_take(struct request *req, const Scsad__Completion *msg, uint32_t data_len)
    MUST_CHECK;

/* memory.c */

/* memory_find() - the one that holds all @len bytes at @data, and is shared; NULL */
const struct memory *memory_find(const struct scsac *c, const void *data, size_t len);

/* memfd_is_good() - does it have so many bytes, and can nobody take them away? */
bool memfd_is_good(int fd, uint64_t bytes);

/* memory_forget() - the daemon's end is gone; memory_fini() - ours, too */
void memory_forget(struct scsac *c);
void memory_fini(struct scsac *c);

/* ring.c */

/* rings_lose() - the connection is gone: complete what is in flight */
void rings_lose(struct scsac *c);

/* rings_fini() - free them; nothing is in flight */
void rings_fini(struct scsac *c);

/* rings_use() - does a packet in flight have its data there? */
bool rings_use(const struct scsac *c, const void *base, size_t bytes);

/* tree.c: ports, phys and expanders of a reply; 0 or -ENOMEM */
int list_add_tree(struct scsac_list *list, const Scsad__ListReply *msg) MUST_CHECK;

/* event.c */
void event_take(struct scsac *c, const Scsad__Event *msg);

#endif /* CLIENT_SCSAC_IMPL_H */
