/*
 * tests/scsa/random.h - a world for the randomised run: adapter, devices, initiator
 *
 * What      An HBA driver "rnd" with a phy map, an iport map and four ports of 64 targets;
 *           devices that come, go, hang and change their LUNs; a target driver "rtgt" that
 *           sends commands and judges how they end. Everything that is decided by chance is
 *           decided by one generator, so that a seed is a world.
 * Life      random_world() makes it, lets @steps things happen, takes it down and checks
 *           balances.
 * Thread    Inside sim_run(): one thread at a time. world.lock guards commands and devices and
 *           is held for moments; it is entered with drivers' reports, as drivers do.
 */
#ifndef TESTS_SCSA_RANDOM_H
#define TESTS_SCSA_RANDOM_H

#include <sys/scsi/scsi.h>

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/rng.h"

#define RANDOM_PORTS	4	/* three behind phys, one virtual */
#define RANDOM_PHYPORTS	3
#define RANDOM_TARGETS	64	/* of a port */
#define RANDOM_LUNS	4
#define RANDOM_BLOCKS	8	/* of 512 bytes, each holding one number 128 times */
#define RANDOM_PHYS	12
#define RANDOM_IPORTS	16	/* nodes at one time: an old one may still be going */
#define RANDOM_SETTLE	200000	/* us */

struct random_target {
	char addr[24];
	int port;
	bool is_there;
	uint8_t luns;			/* mask: REPORT LUNS and INQUIRY say so */
	uint8_t changed;		/* mask: LUNs that will tell 3F/0E */
	uint8_t was_reset;		/* mask: LUNs that will tell 29/00 */
	uint32_t media[RANDOM_LUNS][RANDOM_BLOCKS];
};

/* one node; a remote port may have two for a while, when its phys have moved */
struct random_iport {
	dev_info_t *dip;
	int port;
	scsi_hba_tgtmap_t *map;
};

/* pkt_ha_private */
struct random_cmd {
	TAILQ_ENTRY(random_cmd) link;
	struct scsi_pkt *pkt;
	struct random_target *target;
	struct scsi_device *sd;
	uint64_t due_us;		/* 0: never answers */
	uint64_t expires_us;		/* 0: may take forever */
	bool is_queued;
};

struct random_world {
	struct rng rng;
	kmutex_t lock;
	kcondvar_t cv;
	dev_info_t *hba;
	scsi_hba_tran_t *tran;
	scsi_hba_iportmap_t *iportmap;
	sas_phymap_t *phymap;
	struct random_target target[RANDOM_PORTS][RANDOM_TARGETS];
	struct random_iport iport[RANDOM_IPORTS];
	int phy_port[RANDOM_PHYS];	/* remote port of each phy, -1: not connected */
	bool has_virtual;
	bool is_quiesced, is_stopping;
	TAILQ_HEAD(, random_cmd) cmds;
	struct scsi_reset_notify_entry *notify;
	ddi_taskq_t *tq;
	timeout_id_t tick;

	/* how much happened */
	uint64_t n_tgt_init, n_tgt_free, n_start, n_done, n_timeout, n_aborted, n_reset, n_gone;
	uint64_t n_busy, n_io_good, n_io_other, n_checked, n_attach, n_detach, n_refused_detach;
	uint64_t n_notified, n_activated, n_deactivated, n_maps_destroyed, n_iports, n_quiesce;
	int units_max;
};
extern struct random_world world;

/* random_world() - the scenario; @seed and @steps */
void random_world(uint64_t seed, uint64_t steps);

/* chance() - true once in @n */
static inline bool
random_chance(uint64_t n)
{
	return rng_below(&world.rng, n) == 0;
}

/* random_hba.c: the driver; its module, and what the scenario does to the adapter */
int random_hba_init(void);
int random_hba_fini(void);
void random_report(struct random_iport *iport);	/* tell the map what is there; lock held */
void random_port_report(int port);			/* at all nodes of a remote port */
void random_unplug(struct random_target *t);	/* gone: its commands end as CMD_DEV_GONE */
void random_map_destroy(struct random_iport *iport);
void random_map_create(struct random_iport *iport);

/* random_device.c: what a target answers; lock held. Fills in the packet's results */
void random_device_run(struct random_target *t, unsigned int lun, struct scsi_pkt *pkt);

/* random_client.c: the target driver and its commands */
int random_client_init(void);
int random_client_fini(void);
void random_client_begin(void);
void random_client_end(void);
int random_client_units(void);
void random_client_burst(void);		/* some commands to some units */
void random_client_abort(void);		/* one, or all of a unit */
void random_client_reset(void);		/* a unit, a target, everything */
void random_client_hold(void);		/* somebody opens a unit, or closes it */
void random_client_release(void);	/* everybody closes */

#endif /* TESTS_SCSA_RANDOM_H */
