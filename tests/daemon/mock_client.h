/*
 * mock_client.h - the daemon in process, and a client that may do everything wrong
 *
 * What      fixture_start() runs a daemon with given disks on given loops, without a socket in
 *           the file system. mc_*() is a blocking client on a socket pair that speaks frames.
 * Limits    A wait ends after MC_WAIT_MS with a failed test.
 */
#ifndef TESTS_DAEMON_MOCK_CLIENT_H
#define TESTS_DAEMON_MOCK_CLIENT_H

#include <check.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client/scsac.h"
#include "daemon/daemon.h"
#include "daemon/rpc.h"
#include "proto/arena.h"
#include "proto/frame.h"
#include "proto/limits.h"
#include "proto/method.h"

#define MC_WAIT_MS	120000

struct fixture {
	struct config conf;
	struct daemon *daemon;
	struct rpc_server *rpc;
	char dir[64];			/* a directory of its own; socket and files live here */
};

/* fixture_init() - defaults for tests: one loop, short drain; change f->conf, add disks, then
 * start */
void fixture_init(struct fixture *f);
void fixture_disk(struct fixture *f, const char *spec);
void fixture_start(struct fixture *f);
void fixture_stop(struct fixture *f);

/* what most tests want: one loop, a 16 MiB memory disk */
void fixture_simple(struct fixture *f);

struct mc {
	int fd;
	uint32_t last_id;
	struct arena arena;
	struct frame_head head;		/* of the last frame */
	uint8_t *bytes;			/* its payload */
	size_t len;
};

/* a frame that came: message in c->bytes, data behind it */
static inline const uint8_t *
mc_data(const struct mc *c)
{
	return c->bytes + c->head.msg_len;
}

/* mc_library() - libscsac on a connection of its own, ready; @initiator as for
 * scsac_set_initiator() */
struct scsac *mc_library(struct fixture *f, const char *initiator);
void mc_connect_raw(struct fixture *f, struct mc *c);	/* no hello */
void mc_connect_any(struct fixture *f, struct mc *c);	/* likewise, and it may be refused */
void mc_connect(struct fixture *f, struct mc *c);
void mc_connect_as(struct fixture *f, struct mc *c, unsigned int uid);	/* root only; no
									 * hello */
void mc_close(struct mc *c);

/* bytes as they are */
void mc_write(struct mc *c, const void *bytes, size_t len);
/* one request; its id */
uint32_t mc_send(struct mc *c, uint16_t method, const ProtobufCMessage *msg, const void *data,
    uint32_t data_len);
void mc_send_id(struct mc *c, uint32_t id, uint16_t method, const ProtobufCMessage *msg,
    const void *data, uint32_t data_len);
/* the next frame; false at the end of the connection */
bool mc_recv(struct mc *c);
/* the next frame as a message of @desc, which it must be */
void *mc_msg(struct mc *c, const ProtobufCMessageDescriptor *desc);
/* the next frame must be an error for @id; its code */
Scsad__ErrorCode mc_error(struct mc *c, uint32_t id);
/* the reply to @id, which must come next */
void *mc_reply(struct mc *c, uint32_t id, const ProtobufCMessageDescriptor *desc);
/* nothing more comes, the daemon has closed */
void mc_expect_end(struct mc *c);

uint32_t mc_send_hello(struct mc *c, uint32_t major);
uint64_t mc_open(struct mc *c, const char *name);
uint32_t mc_send_close(struct mc *c, uint64_t handle);
uint32_t mc_submit(struct mc *c, uint64_t handle, const uint8_t *cdb, size_t cdb_len,
    Scsad__Direction dir, const void *data, uint32_t data_len);
Scsad__Completion *mc_completion(struct mc *c, uint32_t id);
uint32_t mc_fault(struct mc *c, const char *rule);
/* end the packets of all clients on a unit: how many it were */
uint32_t mc_abort_all(struct mc *c, const char *path);

/* CDBs */
size_t mc_cdb_read(uint8_t *cdb, uint32_t lba, uint16_t blocks);
size_t mc_cdb_write(uint8_t *cdb, uint32_t lba, uint16_t blocks);

/* alive and well: status answers */
void mc_check_alive(struct mc *c);

/* wait, without sleeping, until the server has @connections and @packets in flight */
void fixture_wait(struct fixture *f, uint64_t connections, uint64_t packets);

#endif /* TESTS_DAEMON_MOCK_CLIENT_H */
