/*
 * tests/scsa/mock_maps.h - the mock HBA with an iport and a target map on it
 *
 * What      maps_begin() sets up the mock HBA with complex addresses, one iport "iport0" and
 *           targets called "A", "B", ...; the iport's attach makes a target map whose callbacks
 *           write into a log: "1.0 +A(p)" activate, with the value; "-A(p)" GONE; "!A(p)"
 *           UNSTBL; "xA(p)" CFG_FAIL. Time is in settle times since maps_mark(). SMP addresses
 *           have an 's' after the sign.
 */
#ifndef TESTS_SCSA_MOCK_MAPS_H
#define TESTS_SCSA_MOCK_MAPS_H

#include "tests/scsa/mock_hba.h"

#define MAPS_SETTLE_US	500000		/* S */

struct mock_maps {
	/* before maps_begin() */
	scsi_tgtmap_mode_t mode;
	int csync_us;
	bool has_no_callbacks;
	bool want_return;		/* what deactivate answers */
	void (*on_activate)(char *addr, scsi_tgtmap_tgt_type_t type, void **privp);
	void (*on_deactivate)(char *addr, scsi_tgtmap_tgt_type_t type, void *priv,
	    scsi_tgtmap_deact_rsn_t why);
	/* seen */
	dev_info_t *hba, *iport;
	scsi_hba_tgtmap_t *map;
	char log[8192];
	uint64_t base_us;
};
extern struct mock_maps maps;

/* maps_setup() - defaults, before anything is changed; maps_begin() - HBA and iport are
 * attached */
void maps_setup(scsi_tgtmap_mode_t mode);
void maps_begin(void);

/* maps_end() - everything is unconfigured and detached, with balances checked */
void maps_end(void);

/* maps_iport(), maps_iport_detach() - what attach and detach of an iport do for its map */
void maps_iport(dev_info_t *dip, scsi_hba_tran_t *tran);
void maps_iport_detach(dev_info_t *dip);

/* maps_mark() - forget the log, time begins at 0; maps_until() - to @tenths tenths of S after
 * it */
void maps_mark(void);
void maps_until(int tenths);

/* maps_expect() - the log since maps_mark(), entries divided by a blank */
void maps_expect(const char *log);

/* maps_set() - report a full set of targets, one letter each, with the value "p" */
void maps_set(const char *addrs);

/* maps_add(), maps_remove() - report one; full set: maps_put() adds to the open set */
void maps_add(const char *addr, const char *value);
void maps_remove(const char *addr);
void maps_put(const char *addr, const char *value);

/* maps_has() - is the unit attached? */
bool maps_has(const char *addr);

#endif /* TESTS_SCSA_MOCK_MAPS_H */
