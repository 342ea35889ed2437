/*
 * mock_world.h - the driver, a chip in memory, and a target driver that only listens
 *
 * What      world_run() does a scenario in a simulation, with several seeds: chip made, driver
 *           attached, units enumerated; the scenario; all taken down again.
 */
#ifndef TESTS_PVSCSI_MOCK_WORLD_H
#define TESTS_PVSCSI_MOCK_WORLD_H

#include <sys/scsi/scsi.h>

#include <stdatomic.h>
#include <stdbool.h>

#include "ddi/sim.h"
#include "hw/pvscsi/pvscsi.h"
#include "mock_chip.h"
#include "scsi/cdb.h"

struct world {
	void (*scenario)(void);
	void (*prepare)(struct mock_chip *chip);	/* before attach; NULL: one disk at 0 */
	int ring_pages;					/* 0: the driver's own number */
	int interrupt_types;				/* 0: all */
	int64_t refresh_at;				/* 0: the driver's own */
	int scan_s;					/* 0: never */
	bool is_refused;				/* attach is to fail; no scenario */
};

extern struct mock_chip *chip;		/* of the present scenario */
extern struct pvscsi *hba;

void world_run(const struct world *world);

/* world_sd() - the unit at a target, LUN 0; fails the test when there is none. world_find():
 * NULL then. world_attaches(): how often a unit was attached since the beginning */
struct scsi_device *world_sd(unsigned int target);
struct scsi_device *world_find(unsigned int target);
unsigned int world_attaches(void);

/* world_settle() - let @us of time pass */
void world_settle(uint64_t us);

/* world_state() - of the adapter */
enum pvscsi_state world_state(void);

/* one packet and what came of it */
struct io {
	struct scsi_pkt *pkt;
	struct buf buf;
	atomic_uint done;
	uint64_t done_us;
};

void io_init(struct io *io, struct scsi_device *sd, const uint8_t *cdb, size_t cdb_len,
    void *buf, size_t len, bool is_read);
void io_fini(struct io *io);
void io_send(struct io *io);		/* is accepted */
void io_wait(struct io *io);		/* has completed, once */
bool io_ended(const struct io *io, uint8_t reason, uint_t stats);
/* io_tur() - init and send a TEST UNIT READY */
void io_tur(struct io *io, struct scsi_device *sd);
/* io_run() - init, send, wait; true for CMD_CMPLT with GOOD */
bool io_run(struct io *io, struct scsi_device *sd, const uint8_t *cdb, size_t cdb_len,
    void *buf, size_t len, bool is_read);

/* a test that runs the scenario @name; REFUSED_TEST: attach fails after @name has prepared
 * it */
#define WORLD_TEST(name, ...)                                                  \
	START_TEST(name##_test)                                                \
	{                                                                      \
		struct world world = { .scenario = name, __VA_ARGS__ };        \
                                                                               \
		world_run(&world);                                             \
	}                                                                      \
	END_TEST

#define REFUSED_TEST(name, ...)                                                \
	START_TEST(name##_test)                                                \
	{                                                                      \
		struct world world = {                                         \
			.prepare = name, .is_refused = true, __VA_ARGS__ };    \
                                                                               \
		world_run(&world);                                             \
	}                                                                      \
	END_TEST

#endif /* TESTS_PVSCSI_MOCK_WORLD_H */
