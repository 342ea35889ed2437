/*
 * mock_daemon.h - the other end of the socket, in a thread of the test
 *
 * What      Answers hello, calls and packets well enough for a client: one disk "disk" of
 *           MOCK_BLOCKS blocks in memory, and units whose name says how every packet on them
 *           ends. A test hooks in front of that to answer otherwise.
 *
 *           name           packets
 *           disk           served (READ, WRITE, VERIFY, INQUIRY, VPD, READ CAPACITY, LUNS, TUR)
 *           key-N          CHECK CONDITION with sense key N (hex)
 *           status-N       SCSI status N (hex)
 *           reason-N       pkt_reason N (hex)
 *           ambiguous      open: two candidates
 *           others         open: no such unit
 * Life      mock_start() gives the client's end; mock_stop() ends the thread, after the client
 *           has closed or by closing the server's end.
 * Thread    Hooks run on the mock's thread.
 */
#ifndef TESTS_CLIENT_MOCK_DAEMON_H
#define TESTS_CLIENT_MOCK_DAEMON_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "client/scsac.h"
#include "proto/limits.h"
#include "proto/message.h"

#define MOCK_BLOCKS	4096u
#define MOCK_BLOCK	512u
#define MOCK_HANDLE	7u
#define MOCK_IN_LEN	(4u << 20)
#define MOCK_WAIT_MS	120000

struct mock {
	pthread_t thread;
	int fd;				/* server's end */
	int listen_fd;			/* -1 without a path */
	/* true: the frame is dealt with; false: answer as usual. Set before mock_start(). */
	bool (*hook)(struct mock *m, const struct frame *frame);
	void *arg;			/* for the hook */
	uint32_t packets_max;		/* granted in hello; 0: not said */
	uint32_t data_max;
	enum scsac_role role;
	unsigned submits;		/* seen so far */
	uint8_t *disk;
	uint8_t *in;
	struct arena arena;
};

/* mock_init() - defaults; mock_fini() after mock_stop() */
void mock_init(struct mock *m);
void mock_fini(struct mock *m);

/* mock_start() - serve one client on a socket pair; the client's end, for scsac_start_fd() */
int mock_start(struct mock *m);

/* mock_listen() - serve clients, one after another, on a socket at @path */
void mock_listen(struct mock *m, const char *path);

/* mock_stop() - join the thread; the server's end is closed */
void mock_stop(struct mock *m);

/* mock_connect() - mock_start() and a connection that is ready */
struct scsac *mock_connect(struct mock *m);

/* mock_fds_open() - descriptors that this process has */
unsigned mock_fds_open(void);

/* for hooks */
void mock_send(struct mock *m, const struct frame_head *head, const ProtobufCMessage *msg,
    const void *data);
void mock_reply(struct mock *m, const struct frame *to, const ProtobufCMessage *msg,
    const void *data, uint32_t data_len);
void mock_error(struct mock *m, uint32_t id, Scsad__ErrorCode code, const char *text);
void mock_raw(struct mock *m, const void *bytes, size_t len);
/* mock_raw_fds() - with @n descriptors, 4 at most, at the first byte; they stay the caller's */
void mock_raw_fds(struct mock *m, const void *bytes, size_t len, const int *fds, unsigned n);

/* mock_hello() - answer a hello */
void mock_hello(struct mock *m, const struct frame *frame);

/* mock_unpack() - the request of @frame, as the type of its method */
void *mock_unpack(struct mock *m, const struct frame *frame);

/* mock_tree.c: ports, phys and expanders. mock_tree_reply() adds them to a list and sends it */
void mock_tree_reply(struct mock *m, const struct frame *frame, Scsad__ListReply *msg);
void mock_change(struct mock *m, const struct frame *frame);
void mock_smp(struct mock *m, const struct frame *frame);

/* mock_exports.c: exports, sessions, reservations */
void mock_export_list(struct mock *m, const struct frame *frame);
void mock_export_change(struct mock *m, const struct frame *frame);
void mock_export_reload(struct mock *m, const struct frame *frame);
void mock_session(struct mock *m, const struct frame *frame);
void mock_reserve(struct mock *m, const struct frame *frame);
void mock_rescan(struct mock *m, const struct frame *frame);

#endif /* TESTS_CLIENT_MOCK_DAEMON_H */
