/*
 * tests/scsa/mock_hba.h - an HBA driver whose every answer a test decides
 *
 * What      A driver named "mock", written to the public headers only. Behind it are simulated
 *           targets that answer INQUIRY, REPORT LUNS, TEST UNIT READY, REQUEST SENSE, READ and
 *           WRITE. One HBA a test program; a test that runs in its own process starts fresh.
 * Life      fill mock -> mock_start() -> ... -> mock_stop()
 * Thread    Set mock.* while no command runs.
 */
#ifndef TESTS_SCSA_MOCK_HBA_H
#define TESTS_SCSA_MOCK_HBA_H

#include <sys/scsi/scsi.h>

#include <stdbool.h>
#include <stdint.h>

#include "ddi/devtree.h"

#define MOCK_TARGETS	16
#define MOCK_MEDIA	65536	/* bytes of a target; blocks of 512 */
#define MOCK_PRIVATE	0x5a5a	/* value that tgt_init leaves in per-target state */

struct mock_target {
	bool is_there;
	const char *wwn;	/* complex addressing: its target address */
	int ansi;		/* INQUIRY version */
	uint8_t dtype;		/* of LUN 0 */
	bool has_encserv;
	bool has_no_report;	/* REPORT LUNS is refused */
	bool has_no_vpd;
	uint64_t *luns;		/* REPORT LUNS answers these; NULL: the first nluns numbers */
	int nluns;		/* LUNs that answer INQUIRY are 0 .. nluns - 1, or those in luns */
	uint8_t media[MOCK_MEDIA];
};

enum mock_when {
	MOCK_INLINE,		/* complete inside tran_start */
	MOCK_LATER,		/* keep; mock_complete() completes */
	MOCK_TASKQ,		/* complete from a thread of the driver */
};

/* one scripted outcome: consumed before the targets are asked */
struct mock_script {
	int tran;		/* what tran_start returns; other fields matter for TRAN_ACCEPT */
	uchar_t reason;
	uint_t state, statistics;
	uchar_t status;
	bool has_sense;
	uint8_t key, asc, ascq;
	bool is_pass;		/* ask the target after all */
};

#define MOCK_OK		{ .tran = TRAN_ACCEPT, .is_pass = true }
#define MOCK_STATE_ALL	(STATE_GOT_BUS | STATE_GOT_TARGET | STATE_SENT_CMD | STATE_GOT_STATUS)

struct mock {
	/* how the driver is; before mock_start() */
	int flags;
	bool has_init_pkt;		/* old style packets */
	bool has_no_tgt;		/* no tgt_init, tgt_free */
	bool has_probe;			/* tran_tgt_probe = scsi_hba_probe behind a counter */
	bool has_names;			/* tran_get_name and tran_get_bus_addr */
	bool has_no_reset_notify, has_no_reset;
	bool has_own_areas;		/* without TRAN_CDB/TRAN_SCB: driver's own memory */
	bool has_ctor;
	bool has_quiesce, has_bus_reset, has_task_mgmt;
	const char *iports[40];
	ddi_dma_attr_t attr;
	int hba_len;
	int targets;			/* property scsi-max-targets; 0: not set */
	bool (*refuse)(struct scsi_device *sd);	/* tgt_init answers DDI_FAILURE */
	void (*on_tgt_init)(dev_info_t *hba, dev_info_t *tgt, scsi_hba_tran_t *tran,
	    struct scsi_device *sd);
	void (*on_tgt_free)(scsi_hba_tran_t *tran, struct scsi_device *sd);
	int (*on_attach)(dev_info_t *dip, scsi_hba_tran_t *tran);	/* before and instead: tran */
	void (*on_attached)(dev_info_t *dip);	/* end of the HBA's attach */
	void (*on_detach)(dev_info_t *dip);	/* begin of its detach */
	void (*on_iport)(dev_info_t *dip, scsi_hba_tran_t *tran);
	void (*on_iport_detach)(dev_info_t *dip);
	int iport_refusals;		/* iport attach answers DDI_FAILURE that many times */
	void (*on_start)(struct scsi_address *ap, struct scsi_pkt *pkt);
	int (*on_setup)(struct scsi_pkt *pkt, int (*callback)(caddr_t), caddr_t arg);
	void (*on_ctor)(struct scsi_pkt *pkt, scsi_hba_tran_t *tran, int kmflag);

	/* behaviour */
	struct mock_target target[MOCK_TARGETS];
	enum mock_when when;
	const struct mock_script *script;
	int nscript, script_at;
	int caps[SCSI_CAP_N];		/* answers of getcap; -1 unknown */
	int setcap_answer;
	int quiesce_answer;
	struct dma_shadow *shadow;	/* bus addresses lead there; NULL: identity */
	bool is_quiet;

	/* what was seen */
	dev_info_t *dip;
	scsi_hba_tran_t *tran;
	dev_info_t *iport_dip[40];
	scsi_hba_tran_t *iport_tran[40];
	int n_iports_attached;
	int n_init, n_init_failed, n_free, n_probe, n_start, n_setup, n_teardown, n_ctor,
	    n_dtor;
	int n_comp, n_abort, n_reset, n_notify, n_quiesce, n_unquiesce, n_bus_reset, n_inquiry;
	int last_level;
	uint_t last_flags;		/* pkt_flags at tran_start */
	int n_nointr;			/* starts that saw FLAG_NOINTR */
	scsi_hba_tran_t *last_ap_tran;	/* of getcap, setcap, abort, reset */
	int max_depth;			/* nesting of tran_start on one thread */

	/* its own */
	kmutex_t lock;
	struct scsi_reset_notify_entry *notify;
	struct scsi_pkt *pending[64];
	int n_pending;
	ddi_taskq_t *tq;
};

extern struct mock mock;

/* mock_defaults() - a setup_pkt driver, SPI addressing, no iports, target 0 with LUN 0 */
void mock_defaults(void);

/* mock_start() - register the drivers, make the node, attach it; its node */
dev_info_t *mock_start(void);

/* mock_stop() - unconfigure, detach, free; checks that the driver's balances are zero */
void mock_stop(void);

/* mock_port() - the port that has the targets: the first iport, or the HBA */
dev_info_t *mock_port(void);

/* mock_unit() - the scsi_device of an attached or initialised unit; fails the test if absent */
struct scsi_device *mock_unit(dev_info_t *port, const char *addr);

/* mock_set_luns() - target @t has LUNs 0 .. n-1 */
void mock_set_luns(int t, int n);

/* mock_complete() - finish the packets that were kept, oldest first; how many */
int mock_complete(void);

/* mock_pkt() - a packet for @sd with the CDB's opcode set; comp counts into mock.n_comp */
struct scsi_pkt *mock_pkt(struct scsi_device *sd, struct buf *bp, uchar_t op, int flags);
void mock_pkt_rw(struct scsi_pkt *pkt, bool is_write, uint32_t lba, uint16_t blocks);
void mock_pkt_done(struct scsi_pkt *pkt);

/* mock_violations() - record rules that are broken instead of aborting; count and last rule */
void mock_violations(void);
int mock_violation_count(void);
const char *mock_violation_rule(void);

/*
 * The target driver "tgt": takes every device by the alias "scsiclass".
 */
struct mock_tgt {
	int n_attach, n_detach;
	int fail_attach;		/* answers DDI_FAILURE that many times */
	bool refuses_detach;
	bool want_unprobe;		/* scsi_unprobe after scsi_probe in attach */
	int n_probe_calls;		/* scsi_probe() called by it */
};
extern struct mock_tgt mock_tgt;
int mock_tgt_init(void);
int mock_tgt_fini(void);

/*
 * Order checker: O1-O9, O12, O13, O15-O19, O21 of the contract, on every event;
 * mock_order_maps.c adds O10, O11, O13, O14, O22-O25. O20 is the device's to see: the HBA
 * drivers of the tests check that nothing is started while they are quiesced.
 */
void mock_order_begin(void);
void mock_order_tgt_attach(const void *sd);
void mock_order_tgt_detach(const void *sd);
void mock_order_end(void);	/* checks balance: everything that began has ended */
uint64_t mock_order_hash(void);	/* of all events since begin: the same in the same world */

struct scsa_event;
void mock_order_maps_event(const struct scsa_event *ev);	/* under the checker's lock */
void mock_order_maps_end(void);

/* mock_order_has_unit() - is a unit of @port whose address begins with "@taddr,"
 * initialised? */
bool mock_order_has_unit(const void *port, const char *taddr);

/* SIM_TEST() - a test whose body runs in the simulation with the checker on */
void mock_sim(void (*body)(void *));

#define SIM_TEST(name)                                                         \
	static void name##_body(void *arg);                                    \
	START_TEST(name)                                                       \
	{                                                                      \
		mock_sim(name##_body);                                         \
	}                                                                      \
	END_TEST                                                               \
	static void name##_body(void *arg __attribute__((unused)))

#endif /* TESTS_SCSA_MOCK_HBA_H */
