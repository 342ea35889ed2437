/*
 * mock_gate.h - the iSCSI initiator HBA behind the real framework, with a target driver that
 * only listens
 *
 * What      gate_up() makes the node out of lines, attaches it, and looks for units;
 *           gate_down() takes all of it down again. A target driver "listener" takes every
 *           unit, so that there is a scsi_device to send packets through. Real threads, real
 *           time.
 */
#ifndef TESTS_HW_ISCSI_MOCK_GATE_H
#define TESTS_HW_ISCSI_MOCK_GATE_H

#include <sys/scsi/scsi.h>

#include <stdatomic.h>
#include <stdbool.h>

#include "hw/iscsi/iscsi_hba.h"
#include "mock_far.h"

#define GATE_LINE	512

extern dev_info_t *gate_dip;

/* gate_up() - lines up to NULL; NULL at first: a node without any. 0 or -errno of
 * devi_attach() */
int gate_up(const char *line, ...);
void gate_down(void);

/* gate_far_up() - up with one target, with @options behind its line ("" or "depth=1") */
void gate_far_up(const struct far *far, const char *options);

/* gate_sd() - the unit "TARGET,LUN"; waits until it is there. gate_find() - or NULL */
struct scsi_device *gate_sd(const char *address);
struct scsi_device *gate_find(const char *address);
/* gate_gone() - wait until it is not */
void gate_gone(const char *address);

struct iscsi_hba_info gate_info(size_t index);

/* one packet and what came of it */
struct io {
	struct scsi_pkt *pkt;
	struct buf buf;
	uint8_t *data;
	atomic_uint done;		/* completions */
};

/* io_init() - READ(10), WRITE(10) or TEST UNIT READY (@blocks 0) of a unit; @data is its
 * memory */
void io_init(struct io *io, struct scsi_device *sd, bool is_read, uint32_t lba, uint16_t blocks,
    uint8_t *data);
void io_fini(struct io *io);
int io_send(struct io *io);
/* io_ended() - wait for its end: once, and how */
bool io_ended(struct io *io, uint8_t reason, uint_t stats);
/* io_run() - all of it; true for CMD_CMPLT with GOOD */
bool io_run(struct scsi_device *sd, bool is_read, uint32_t lba, uint16_t blocks, uint8_t *data);

#endif /* TESTS_HW_ISCSI_MOCK_GATE_H */
