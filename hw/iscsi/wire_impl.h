/*
 * iscsi/wire_impl.h - inside of a connection: what wire.c (life) and wire_io.c (commands) share
 */
#ifndef ISCSI_WIRE_IMPL_H
#define ISCSI_WIRE_IMPL_H

#include <iscsi.h>
#include <scsi-lowlevel.h>
#include <sys/queue.h>

#include "hw/iscsi/screen.h"
#include "hw/iscsi/wire.h"

#define WIRE_FORGOTTEN	(2 * ISCSI_HBA_DEPTH_MAX)	/* tags that are remembered as such */

struct wire_slot {
	TAILQ_ENTRY(wire_slot) link;	/* free, busy or early */
	struct wire *wire;
	void *cmd;
	struct screen_command seen;
	struct scsi_task task;
	struct scsi_iovec iov[WIRE_IOV_MAX];
	unsigned int niov;
	struct scsi_iovec none;		/* for the direction without data: no room at all */
};

TAILQ_HEAD(wire_slots, wire_slot);

struct wire {
	struct iscsi_context *ctx;
	enum wire_state state;
	const struct wire_ops *ops;
	void *arg;
	bool is_liar, is_redirected, is_closing;
	char error[WIRE_ERR_LEN];
	char redirect[ISCSI_HBA_PORTAL_LEN];
	uint64_t pongs;
	struct screen screen;

	struct wire_slot *slots;
	unsigned int nslots;
	struct wire_slots free, busy;	/* busy: the target may have it */
	struct wire_slots early;	/* over, but still pointed at by PDUs to be written */
	struct wire_slot *stuck;	/* busy, and the target cannot have seen it */
	uint32_t forgotten[WIRE_FORGOTTEN];
	unsigned int nforgotten;	/* ever; the last are in the ring */
	uint8_t *zeros;			/* WIRE_XFER_MAX of them */
};

/* wire_enter(), wire_leave() - around calls that may read or write: the hooks need to know for
 * whom. What was there before is returned, and to be given back */
struct wire *wire_enter(struct wire *wire);
void wire_leave(struct wire *before);

/* wire_die() - it is dead; the first reason stays. wire_die_of_error(): and what libiscsi has
 * to say, which the target may have had a hand in */
void wire_die(struct wire *wire, const char *fmt, ...) PRINTF_LIKE(2, 3);
void wire_die_of_error(struct wire *wire, const char *what);

/* wire_drained() - nothing waits to be written: early slots are free again */
void wire_drained(struct wire *wire);

/* wire_tag_find() - screen_find_fn of a wire */
enum screen_tag wire_tag_find(void *arg, uint32_t tag, struct screen_command **ret_command);

#endif /* ISCSI_WIRE_IMPL_H */
