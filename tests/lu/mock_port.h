/*
 * mock_port.h - an HBA driver that does what a test says, and a home for its units
 *
 * What      A driver "port" with public headers only: targets 0 and 1, LUNs 0 and 1 of target
 *           0, LUN 0 of target 1; disks of 1,000 blocks. Identification commands are answered
 *           at once; what else comes is treated as port.* says. home is an executor on a thread
 *           of lib/ddi, so that everything runs in the simulation.
 * Life      in sim_run(): port_begin() -> ... -> port_end()
 */
#ifndef TESTS_LU_MOCK_PORT_H
#define TESTS_LU_MOCK_PORT_H

#include <sys/scsi/scsi.h>

#include <check.h>
#include <stdbool.h>
#include <stdint.h>

#include "ddi/sim.h"
#include "lu/lu.h"
#include "lu/worker.h"

#define PORT_PENDING	512
#define PORT_HOMES	2

enum port_how { PORT_INLINE, PORT_LATER, PORT_THREAD };

struct port {
	/* behaviour; change it while nothing is started */
	enum port_how how;
	int busy;			/* this many starts answer TRAN_BUSY; below 0: all */
	int tran;			/* what others answer */
	uchar_t reason, status;
	uint_t state, statistics;	/* state 0: what fits the rest */
	ssize_t resid;			/* bytes of the buffer not moved; below 0: all moved */
	bool has_sense;			/* an arq structure is filled */
	uchar_t rq_reason, rq_resid, rq_status;
	uint_t rq_state;
	bool is_xarq;
	int abort_answer, reset_answer;
	bool is_abort_silent;		/* answers 1 but completes only at port_complete() */
	bool is_abort_late;		/* completes the packet inside tran_abort, then
					 * answers */
	bool is_reset_silent;
	uint8_t inquiry_type;
	uint32_t last_lba;		/* READ CAPACITY(10) */
	const char *state_dir;		/* of the host; before port_begin() */
	bool has_two_homes;		/* LUN 1 lives on another; before port_begin() */
	uint8_t kept;			/* opcode that stays pending whatever the rest says; 0: none */
	/* answers before all of the above, also while units are identified; false: not it.
	 * port_answer() and port_refuse() help it */
	bool (*answer)(struct scsi_address *ap, struct scsi_pkt *pkt);

	/* seen */
	int n_start, n_abort, n_reset, n_setup, last_level;
	uint_t last_flags, last_time;
	dev_info_t *dip;

	/* its own */
	kmutex_t lock;
	struct scsi_pkt *pending[PORT_PENDING];
	int n_pending;
	struct scsi_reset_notify_entry *notify;
	taskq_t *tq;
};

extern struct port port;
extern struct lu_host port_host;
extern struct lu_exec *port_home;
extern int port_events[LU_EVENT_N];

/* start home, workers, drivers, the HBA; units attach. port.* must be set before
 * (port_defaults) */
void port_defaults(void);
void port_begin(void);
void port_end(void);

/* finish packets that were kept; how many */
int port_complete(void);

/* answer the packets that port.kept has kept, and keep none any more */
void port_release(void);

/* for port.answer: GOOD with @len bytes; CHECK CONDITION with sense */
void port_answer(struct scsi_pkt *pkt, const void *data, size_t len);
void port_refuse(struct scsi_pkt *pkt, uint8_t key, uint16_t asc);
/* GOOD, and the packet's Data-Out into @len bytes at @data */
void port_take(struct scsi_pkt *pkt, void *data, size_t len);

/* a published unit by name; the reference is the test's */
struct lu *port_unit(const char *name);

/* home and workers alone, for tests that bring an HBA of their own */
void port_home_begin(void);
void port_home_end(void);

/* run @fn(@arg) at home and wait until it has */
void port_at_home(void (*fn)(void *arg), void *arg);
/* the same at any home */
void port_at(struct lu_exec *x, void (*fn)(void *arg), void *arg);

/* a task that remembers how it ended */
struct ptask {
	struct lu_task lu;
	int n_done;
	int order;			/* counts done() calls of the test */
	int refusal;
	uint8_t data[4096];
};

extern int port_done_order;

void ptask_init(struct ptask *t, struct lu_nexus *nexus);
/* any command: @cdb of @cdb_len bytes, data[] of @len bytes */
void ptask_cdb(struct ptask *t, const void *cdb, size_t cdb_len, enum lu_dir dir, uint32_t len);
/* submit and wait; it must be accepted */
void ptask_run(struct ptask *t);
/* it ended with CHECK CONDITION; key in the upper, asc in the lower bytes */
uint32_t ptask_sense(const struct ptask *t);
/* TEST UNIT READY; READ of @blocks into a buffer of @len bytes */
void ptask_tur(struct ptask *t);
void ptask_read(struct ptask *t, uint16_t blocks, uint32_t len);
/* lu_submit() at home; its answer */
int ptask_submit(struct ptask *t);
/* until it is done */
void ptask_wait(struct ptask *t);

/* a nexus on @unit that may do everything */
struct pnexus {
	struct lu_nexus lu;
	int n_gone;
};

void pnexus_open(struct pnexus *n, struct lu *unit);
/* the same through @port (NULL: the local one), seeing @view (NULL: none) */
void pnexus_open_at(struct pnexus *n, struct lu *unit, const struct lu_port *port,
    struct lu_view *view);
void pnexus_leave(struct pnexus *n);	/* and wait until it is gone */

/* run a scenario in the simulation, under several schedules */
void port_sim(void (*fn)(void *));

#endif /* TESTS_LU_MOCK_PORT_H */
