/*
 * bench/iscsi_wire.h - one initiator connection: login, one command at a time, logout
 *
 * What      The slow part of the load generator, blocking and simple. Ends the program with a
 *           message when the target does what it must not.
 * Source    RFC 7143 sections 6 and 11
 */
#ifndef BENCH_ISCSI_WIRE_H
#define BENCH_ISCSI_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "iscsi_load.h"

#define WIRE_BHS	48
#define WIRE_SEGMENT	262144u	/* MaxRecvDataSegmentLength we declare, bursts we offer */

struct wire {
	int fd;
	unsigned int index;	/* makes names and ISIDs differ */
	uint16_t lun;
	uint32_t cmd_sn, exp_stat_sn, max_cmd_sn;
	uint32_t segment;	/* what the target takes in one PDU */
	uint32_t first_burst;
	bool has_immediate;
};

_Noreturn PRINTF_LIKE(1, 2) void die(const char *fmt, ...);

/* wire_login() - connect to @where and reach the full feature phase */
void wire_login(struct wire *w, const struct iscsi_where *where, unsigned int index);

/* wire_command() - one command of @len bytes CDB, waited for; up to @size bytes of data into
 * @buf. Returns the SCSI status */
uint8_t wire_command(struct wire *w, const uint8_t *cdb, size_t len, void *buf, uint32_t size);

/* wire_ready() - take unit attentions away; blocks and bytes a block of the unit */
void wire_ready(struct wire *w, uint64_t *ret_blocks, uint32_t *ret_block_bytes);

/* wire_logout() - close the session and the connection */
void wire_logout(struct wire *w);

#endif /* BENCH_ISCSI_WIRE_H */
