/*
 * iscsi/mock_initiator.h - a scripted initiator and host around the machine, all in memory
 *
 * What      A world has a loop, a node and a host whose unit is a piece of memory. Wires are
 *           connections: PDUs go in by mock_send(), come out by mock_recv(). Nothing sleeps;
 *           time is a number. With world->is_held set, commands wait until mock_finish().
 * Owner     mock_open()/mock_close(); wires belong to the world.
 */
#ifndef TESTS_ISCSI_MOCK_INITIATOR_H
#define TESTS_ISCSI_MOCK_INITIATOR_H

#include <stdio.h>
#include <stdlib.h>
#include <sys/uio.h>

#include "base/bytes.h"
#include "iscsi/digest.h"
#include "iscsi/iscsi.h"

#define MOCK_DISK_BYTES	(4u << 20)
#define MOCK_BLOCK	512u
#define MOCK_WIRES	8
#define MOCK_HELD	256
#define MOCK_STREAM	(8u << 20)
#define MOCK_TARGET	"iqn.2026-01.test:disk"
#define MOCK_INITIATOR	"iqn.2026-01.test:host"

/* keys of a plain session: everything else has its default */
#define MOCK_KEYS	"InitialR2T=No\0ImmediateData=Yes\0MaxRecvDataSegmentLength=262144\0" \
			"MaxBurstLength=262144\0FirstBurstLength=65536\0"

/* holds in every build, unlike assert() */
#define must(x)									\
	do {									\
		if (!(x)) {							\
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #x);	\
			abort();						\
		}								\
	} while (0)

struct mock_world;

struct mock_wire {
	struct mock_world *world;
	struct iscsi_conn *conn;	/* NULL: not open */
	bool is_send_due;
	bool is_recv_due;
	bool is_close_due;
	enum iscsi_end why;
	size_t chunk;			/* bytes handed in at a time; 0: all */
	size_t gulp;			/* bytes taken at a time; 0: all */
	bool has_header_digest, has_data_digest;
	uint32_t cmd_sn;
	uint32_t exp_stat_sn;
	uint16_t tsih;
	uint16_t cid;
	uint16_t qualifier;		/* of the ISID: initiator ports differ by it */
	uint8_t *stream;		/* what came out and was not taken */
	size_t stream_len;
};

struct mock_pdu {
	uint8_t bhs[ISCSI_BHS_LEN];
	uint8_t *data;			/* the world's, until the next mock_recv() */
	uint32_t len;
};

struct mock_world {
	struct iscsi_loop *loop;
	struct iscsi_loop *other;	/* where connections are accepted, if not on loop */
	struct iscsi_node *node;
	struct iscsi_host_ops ops;
	struct iscsi_limits limits;
	struct iscsi_node_config config;
	struct mock_wire wire[MOCK_WIRES];
	uint64_t now_ns;
	uint8_t *disk;
	uint8_t *scratch;
	const char *keys;		/* of the login; MOCK_KEYS */
	size_t keys_len;
	uint16_t who;			/* end of the initiator's name; 0: as it is */
	struct iscsi_offer offer;
	bool is_held;			/* commands wait */
	bool is_gathering;		/* what is fed waits for mock_parse() */
	bool is_tmf_held;
	bool has_no_memory;		/* buf_get() says no */
	bool is_away;			/* move() says false */
	bool begin_fails;
	uint16_t find_status;
	uint32_t admits;		/* bytes admit() says; UINT32_MAX: what the CDB says */
	struct iscsi_cmd *held[MOCK_HELD];
	unsigned int n_held;
	struct iscsi_tmf *tmf;
	unsigned int n_commands, n_tmfs, n_begun, n_ended, n_freed, n_bufs;
	enum iscsi_end ended_why;
	uint8_t last_cdb[ISCSI_EXT_CDB_LEN_MAX];
	uint16_t last_cdb_len;
	uint32_t order[MOCK_HELD];	/* task tags in the order of command() */
};

/* mock_open() - a world; @prepare, if any, changes limits, config, offer before they are
 * used */
struct mock_world *mock_open(void (*prepare)(struct mock_world *));
/* mock_try() - the same; NULL when memory ran out */
struct mock_world *mock_try(void (*prepare)(struct mock_world *));
void mock_close(struct mock_world *w);

/* mock_connect() - a wire without a login; mock_hangup() - the byte stream ends */
struct mock_wire *mock_connect(struct mock_world *w);
void mock_hangup(struct mock_wire *wire);

/* mock_login() - to full feature phase with world->keys; the status */
uint16_t mock_login(struct mock_wire *wire, uint16_t tsih, uint16_t cid);
struct mock_wire *mock_session(struct mock_world *w);	/* connect and log in, asserting */

void mock_send(struct mock_wire *wire, const uint8_t *bhs, const void *data, uint32_t len);
void mock_send_ahs(struct mock_wire *wire, const uint8_t *bhs, const void *ahs,
    uint32_t ahs_len, const void *data, uint32_t len);
void mock_feed(struct mock_wire *wire, const void *bytes, size_t len);
/* mock_parse() - look at what was fed while world->is_gathering; mock_drain() does, too */
void mock_parse(struct mock_world *w);
/* mock_drain() - take what is to be sent; mock_recv() - the next PDU, false: none */
void mock_drain(struct mock_wire *wire);
bool mock_recv(struct mock_wire *wire, struct mock_pdu *ret);
/* mock_expect() - the next PDU is one of @opcode */
struct mock_pdu mock_expect(struct mock_wire *wire, uint8_t opcode);
void mock_quiet(struct mock_wire *wire);	/* nothing more comes */

/* builders; numbers are filled in, CmdSN moves on unless immediate */
void
mock_read(struct mock_wire *wire, uint32_t itt, uint32_t lba, uint16_t blocks, uint32_t edtl);
void mock_write(struct mock_wire *wire, uint32_t itt, uint32_t lba, uint16_t blocks,
    uint32_t edtl, const void *immediate, uint32_t len, bool is_final);
void mock_data_out(struct mock_wire *wire, uint32_t itt, uint32_t ttt, uint32_t sn,
    uint32_t offset, const void *data, uint32_t len, bool is_final);
void mock_cmd_bhs(struct mock_wire *wire, uint8_t *bhs, uint8_t opcode, uint8_t flags,
    uint32_t itt);
void mock_tmf(struct mock_wire *wire, uint32_t itt, uint8_t fn, uint32_t ref_itt,
    uint32_t ref_sn, bool is_immediate);
void mock_logout(struct mock_wire *wire, uint8_t reason, uint16_t cid);

/* mock_finish() - finish held command number @i as the unit would */
void mock_finish(struct mock_world *w, unsigned int i);
void mock_tick(struct mock_world *w, uint64_t ms);

#endif /* TESTS_ISCSI_MOCK_INITIATOR_H */
