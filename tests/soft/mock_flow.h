/*
 * mock_flow.h - the software HBA behind the real framework, with a target driver that only
 * listens
 *
 * What      flow_run() does a scenario in a simulation: adapter made, attached, configured; the
 *           scenario; all taken down again. flow_native() does the same with real threads, for
 *           stores that wait for the kernel. A target driver "listener" takes every unit, so
 *           that there is a scsi_device to send packets through.
 */
#ifndef TESTS_SOFT_MOCK_FLOW_H
#define TESTS_SOFT_MOCK_FLOW_H

#include <sys/scsi/scsi.h>

#include <stdatomic.h>
#include <stdbool.h>

#include "ddi/sim.h"
#include "hw/soft/soft.h"
#include "scsi/cdb.h"
#include "scsi/sense.h"

#define FLOW_DISKS	8

struct flow {
	const char *disks[FLOW_DISKS];	/* lines, NULL at the end */
	const char *ports[FLOW_DISKS];
	const char *expanders[FLOW_DISKS];
	bool is_dynamic;
	unsigned int queues;
	const char *state_dir;
	uint64_t seed;
	void (*scenario)(void);
	bool keep_attention;		/* do not take the UNIT ATTENTION of power on */
};

extern struct soft_hba *flow_hba;
extern dev_info_t *flow_port;		/* iport0, if it is there */

void flow_run(const struct flow *flow);
void flow_native(const struct flow *flow);

/* flow_sd() - the unit at an address of iport0; fails the test when there is none */
struct scsi_device *flow_sd(unsigned int target, unsigned int lun);

/* flow_find() - the unit "iport0/3,0", or NULL; flow_units() - how many there are */
struct scsi_device *flow_find(const char *name);
unsigned int flow_units(void);

/* flow_attaches() - how often a unit was attached since the beginning */
unsigned int flow_attaches(void);

/* flow_absent() - the scsi_device of a unit of iport0 that nobody attaches: there is a target,
 * but no such unit. flow_absent_free() - give it back */
struct scsi_device *flow_absent(unsigned int target, unsigned int lun);
void flow_absent_free(struct scsi_device *sd);

/* one packet and what came of it */
struct io {
	struct scsi_pkt *pkt;
	struct buf buf;
	atomic_uint done;		/* completions */
	struct sense_data sense;	/* of the last, when there was any */
};

#define IO_ARQ	((int)sizeof(struct scsi_arq_status))
#define IO_SECONDS	3600		/* of a packet, if the test says nothing: no disk is so slow */

/* io_init() - a packet with a CDB; @buf NULL: no data. @scblen: 1, IO_ARQ, or more */
void io_init(struct io *io, struct scsi_device *sd, const uint8_t *cdb, size_t cdb_len,
    void *buf, size_t len, bool is_read, int scblen);
void io_fini(struct io *io);

/* io_send() - transport; asserts TRAN_ACCEPT. io_wait(): until it has completed. io_ended():
 * once, and how */
void io_send(struct io *io);
void io_wait(struct io *io);
bool io_ended(const struct io *io, uint8_t reason, uint_t stats);

/* io_run() - init, send, wait; true for CMD_CMPLT with GOOD. io_fini() is the caller's */
bool io_run(struct io *io, struct scsi_device *sd, const uint8_t *cdb, size_t cdb_len,
    void *buf, size_t len, bool is_read);

/* fault() - add a rule; its id */
uint32_t fault(const char *text);

#endif /* TESTS_SOFT_MOCK_FLOW_H */
