/*
 * mptsas/reply.h - what the chip answered, and what that means for a packet
 *
 * What      Pure functions over copies of reply frames. Every length the chip claims is checked
 *           against the copy before anything behind it is read.
 * Thread    Any; no state.
 * Source    MPI 1.5: SCSI IO, task management, event notification and SMP passthrough replies;
 *           scsi_pkt(9S)
 */
#ifndef MPTSAS_REPLY_H
#define MPTSAS_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/compiler.h"
#include "hw/mptsas/regs.h"

struct reply_head {
	uint8_t function;
	uint8_t flags;
	uint32_t len;			/* bytes that are there */
	uint32_t context;
	uint16_t status;		/* enum mpt_status, without the flag */
	uint32_t loginfo;		/* 0: none */
};

/* mpt_reply_head_read() - 0, or -EBADMSG: shorter than a reply, or longer than @size */
int mpt_reply_head_read(const uint8_t *frame, size_t size, struct reply_head *ret) MUST_CHECK;

/* how a SCSI command ended */
struct reply_result {
	uint8_t reason;			/* CMD_* */
	uint8_t status;			/* SCSI status; with STATE_GOT_STATUS */
	uint_t state, stats;		/* STATE_*, STAT_* */
	uint32_t moved;			/* bytes, at most what was asked for */
	uint8_t sense_bytes;		/* of sense in the slot; 0: none */
	bool is_killed;			/* on request: whoever asked knows why */
	bool is_absent;			/* nobody there: the topology has changed */
	bool is_queue_full;
};

/* mpt_reply_io_good() - a short reply: the command has moved all of its @len bytes */
void mpt_reply_io_good(uint32_t len, struct reply_result *ret);

/**
 * mpt_reply_io_read() - a reply frame to a SCSI command
 *
 * @frame    head->len bytes
 * @len      bytes the command was to move; what the chip claims beyond is cut
 *
 * Returns:  0
 *           -EBADMSG  too short
 *           -EPROTO   more sense than RING_SENSE_LEN, the room for it: memory behind that is
 *                     suspect
 */
int mpt_reply_io_read(const uint8_t *frame, const struct reply_head *head, uint32_t len,
    struct reply_result *ret) MUST_CHECK;

/* mpt_reply_task_read() - a reply to task management; *@ret_is_done: it did what was asked, or
 * found nothing to do it to. 0 or -EBADMSG */
int mpt_reply_task_read(const uint8_t *frame, const struct reply_head *head, bool *ret_is_done,
    uint32_t *ret_count) MUST_CHECK;

struct reply_event {
	uint32_t event, context;
	bool wants_ack;
	const uint8_t *data;		/* in the frame */
	uint32_t len;			/* bytes of it */
};

/* mpt_reply_event_read() - 0 or -EBADMSG */
int mpt_reply_event_read(const uint8_t *frame, const struct reply_head *head,
    struct reply_event *ret) MUST_CHECK;

/* mpt_reply_smp_read() - bytes of the response that arrived, at most @room; 0, -EBADMSG, or
 * -EIO: the link said no (SAS status) */
int mpt_reply_smp_read(const uint8_t *frame, const struct reply_head *head, uint32_t room,
    uint32_t *ret_bytes) MUST_CHECK;

#endif /* MPTSAS_REPLY_H */
