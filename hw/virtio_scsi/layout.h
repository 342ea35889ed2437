/*
 * virtio_scsi/layout.h - messages: built for the device, judged when they come back
 *
 * What      Requests, descriptor chains, task management, events as bytes; and the one place
 *           where the device's answer becomes the transport's and the SCSI result. No chip, no
 *           state: for tests and fuzzers as well.
 * Thread    Any.
 * Source    VIRTIO 1.2, 5.6.6; scsi_pkt(9S)
 */
#ifndef VIRTIO_SCSI_LAYOUT_H
#define VIRTIO_SCSI_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/dditypes.h>

#include "base/compiler.h"
#include "hw/virtio_scsi/regs.h"

/* vs_lun_put() - the 8 bytes that name LUN @lun of target @target */
void vs_lun_put(uint8_t wire[8], uint8_t target, uint16_t lun);

/* vs_lun_get() - the inverse, of both addressing methods that fit; false: it is no such name */
bool vs_lun_get(const uint8_t wire[8], uint8_t *ret_target, uint16_t *ret_lun);

/* vs_request_build() - a command in @mem of VS_REQ_BYTES; @cdb_bytes 1 .. VS_CDB_BYTES */
void vs_request_build(uint8_t *mem, const uint8_t lun[8], uint64_t id, uint8_t attr,
    const uint8_t *cdb, size_t cdb_bytes);

/* vs_tmf_build() - task management in @mem of VS_TMF_BYTES; @tag: of the task, else 0 */
void vs_tmf_build(uint8_t *mem, const uint8_t lun[8], enum vs_tmf_subtype subtype,
    uint64_t tag);

/* one command as descriptors: what goes out first, then what comes in */
struct vs_chain {
	uint64_t request_iova, response_iova;
	uint32_t request_bytes, response_bytes;
	const ddi_dma_cookie_t *cookies;	/* data; none of them empty */
	unsigned int ncookies;
	bool is_read;				/* data comes in */
};

/**
 * vs_chain_build() - write the descriptors of @chain to @table
 *
 * @table    room for @chain->ncookies + 2
 * @first    the number that table[0] has: 0 in an indirect table, its place in the ring else
 *
 * Returns:  how many there are
 */
unsigned int vs_chain_build(struct vs_desc *table, uint16_t first,
    const struct vs_chain *chain);

/* what is known about a command besides the device's answer */
struct vs_fate {
	size_t data_bytes;	/* of its buffer */
	bool is_expired;	/* its time was over, and it was asked to end */
	bool was_known;		/* the device has answered at this address before */
	bool is_bus_reset;	/* everything behind the adapter is being reset */
};

struct vs_result {
	uint8_t reason;		/* CMD_* */
	uint8_t status;		/* SCSI, with STATE_GOT_STATUS */
	unsigned int state;	/* STATE_*, without the bits of automatic sense */
	unsigned int stats;	/* STAT_* */
	size_t resid;
	size_t sense_bytes;	/* valid ones behind VS_RESP_SENSE; with CHECK CONDITION only */
	bool was_clamped;	/* the residual was below zero */
};

/**
 * vs_response_judge() - from the device's answer to the packet's result
 *
 * @head     the first VS_RESP_SENSE bytes of it, copied out of shared memory
 *
 * Returns:  0
 *           -EPROTO  more sense than there is room for, or more bytes left over than there
 *                    were: that device cannot be trusted
 */
int vs_response_judge(const uint8_t head[VS_RESP_SENSE], const struct vs_fate *fate,
    struct vs_result *ret) MUST_CHECK;

struct vs_event {
	enum vs_event_kind kind;	/* VS_EVENT_NONE too for those we do not know */
	bool was_missed;		/* others before it are lost */
	bool has_lun;
	uint8_t target;
	uint16_t lun;
	uint32_t reason;
};

/* vs_event_read() - an event, copied out of shared memory */
void vs_event_read(const uint8_t mem[VS_EVENT_BYTES], struct vs_event *ret);

#endif /* VIRTIO_SCSI_LAYOUT_H */
