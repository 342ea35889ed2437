/*
 * scsa/settle.h - reports that settle before they take effect
 *
 * What      One engine under all maps (targets, SMP devices, iports, SAS ports): a set of named
 *           addresses that somebody reports, and a worker that publishes what has been reported
 *           without contradiction for a while. What "publish" means is said by a table of
 *           callbacks.
 * Modes     full set: between begin and end everything that exists is reported; the set as a
 *           whole settles, counted from end. Per address: each appearance and disappearance is
 *           reported, and settles by itself.
 * Life      of an address, as the callbacks see it:
 *
 *                          activate               configure
 *             (unknown) ──────────────▶ appearing ────────────▶ active ──▶ refresh ─┐
 *               ▲  ▲                       │                     │   ▲              │
 *               │  └─── deactivate ────────┘ failed              │   └──────────────┘
 *               │       (CFG_FAIL)                               │ unconfigure
 *               └──────────────── deactivate (GONE) ◀────────────┘
 *
 *           A report that is overtaken by another before it settled ends as deactivate
 *           (UNSTABLE), when it came with a value and its address is not active.
 * Order     All callbacks run on the worker or on helpers that it waits for: never in the
 *           stack of a report. Of one delta, all appearances are finished before the first
 *           disappearance starts. One delta at a time. UNSTABLE before a later activate of the
 *           same address.
 * Locks     No lock of the engine is held in a callback; callbacks may report. Reports take the
 *           engine's lock only, and are fine under locks that callbacks take.
 * Thread    Reports where sleeping for memory is allowed; settle_touch() and the questions
 *           anywhere. The clock is that of base/clock.h.
 * Source    iport(9), scsi_hba_tgtmap_create(9F)
 */
#ifndef SCSA_SETTLE_H
#define SCSA_SETTLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

struct settle;

enum settle_mode { SETTLE_FULLSET, SETTLE_PERADDR };

/* why an address is deactivated; the numbers are those of scsi_tgtmap_deact_rsn_t */
enum settle_end { SETTLE_GONE = 0, SETTLE_CFG_FAIL = 1, SETTLE_UNSTABLE = 2 };

/*
 * What the owner of a set does with it. Every member but activate and deactivate may be NULL.
 * All may block. Those about different addresses run at the same time when the set is parallel;
 * those about one address never do.
 */
struct settle_ops {
	/* may addresses be activated now? Asked again every 10 ms while something waits for
	 * it */
	bool (*is_ready)(void *arg);
	/* it appeared. *@privp is the reported value; what is left there is the value of this
	 * life, and is handed to the others */
	void (*activate)(void *arg, const char *addr, void **privp);
	/* make what lives there; -errno leads to deactivate (CFG_FAIL) */
	int (*configure)(void *arg, const char *addr, void *priv);
	/* take it away; -errno: it cannot go now, and is asked again */
	int (*unconfigure)(void *arg, const char *addr, void *priv);
	/* it is gone, or never came to be; the last call with @priv */
	void (*deactivate)(void *arg, const char *addr, void *priv, enum settle_end why);
	/* what lives there has changed inside: settle_touch() was called */
	void (*refresh)(void *arg, const char *addr, void *priv);
	/* reports have settled, and all callbacks about them have returned */
	void (*settled)(void *arg);
};

#define SETTLE_HELPERS_MAX	16u	/* helpers of a parallel set */
#define SETTLE_ADDR_MAX		63u	/* longest address */

struct settle_conf {
	const char *name;		/* of the worker thread; copied */
	enum settle_mode mode;
	uint32_t settle_us;		/* above 0 */
	unsigned int helpers;		/* callbacks at the same time; 0, 1: serial */
	const struct settle_ops *ops;	/* borrowed */
	void *arg;
};

/**
 * settle_new() - an empty set with its worker
 *
 * Returns:  0
 *           -ENOMEM  no memory, or no thread
 * Owner:    caller; settle_free()
 */
int settle_new(const struct settle_conf *conf, struct settle **ret) MUST_CHECK;

/**
 * settle_close() - the end: what was reported settles, then everything active goes
 *
 * Reports are refused from now on. A full set without its end is dropped, as by settle_flush();
 * so is everything reported while is_ready answers false. What cannot be unconfigured is waited
 * for. Returns when every activate has had its deactivate and the worker has ended. NULL is
 * ignored.
 *
 * Returns:  0
 *           -EDEADLK  called from a callback of the set (violation "map-destroy-inside")
 */
int settle_close(struct settle *s);

/* settle_free() - settle_close(), if that was not done, and free the memory: nobody reports any
 * more */
void settle_free(struct settle *s);

/**
 * settle_begin(), settle_add(), settle_end(), settle_flush() - report a full set
 *
 * @priv     value for activate; may be NULL
 *
 * begin drops what was reported and has not taken effect, also between end and settling. The
 * last add of an address counts. A second end does not start the time again; adding goes on to
 * be possible until the set settles. flush drops like begin, and leaves no set open.
 *
 * Returns:  0
 *           -EINVAL     per-address set; add, end without begin; @addr empty or too long
 *           -ESHUTDOWN  settle_close() has begun
 */
int settle_begin(struct settle *s);
int settle_add(struct settle *s, const char *addr, void *priv);
int settle_end(struct settle *s);
int settle_flush(struct settle *s);

/**
 * settle_report(), settle_withdraw() - report one address, in a per-address set
 *
 * The latest report counts, from its own time on. To withdraw what is unknown is fine.
 *
 * Returns:  as settle_begin(); -EINVAL in a full set
 */
int settle_report(struct settle *s, const char *addr, void *priv);
int settle_withdraw(struct settle *s, const char *addr);

/* settle_touch() - have refresh called for an active address, once however often it is touched
 * before; at most every 100 ms. False: not active, or no refresh */
bool settle_touch(struct settle *s, const char *addr);

/* settle_touch_all() - the same for all active addresses */
void settle_touch_all(struct settle *s);

/* settle_is_up() - is @addr active and configured? */
bool settle_is_up(struct settle *s, const char *addr);

/* settle_next_up() - copy the active and configured address that sorts next after @after (NULL:
 * the first); false behind the last. So one can walk while the set changes */
bool settle_next_up(struct settle *s, const char *after, char ret[SETTLE_ADDR_MAX + 1]);

/* settle_has_reports() - is something reported that has not settled? */
bool settle_has_reports(struct settle *s);

/* settle_size() - addresses that are active or reported */
size_t settle_size(struct settle *s);

/**
 * settle_clear() - drop what is reported, and deactivate everything
 *
 * Returns:  0
 *           -EBUSY    something could not be unconfigured, and is active as before
 *           -EDEADLK  called from a callback of the set
 * Thread:   blocks until done
 */
int settle_clear(struct settle *s) MUST_CHECK;

/* settle_pause() - with @is_paused nothing that is reported settles, however long ago that was,
 * until it is called without: who has cleared the set, and takes away what it belongs to, is
 * not overtaken by a report. settle_close() ends it. Others wait no longer than they would have */
void settle_pause(struct settle *s, bool is_paused);

/**
 * settle_sync() - wait until nothing is open, reported, due or at work, and stays so for one
 * settle time
 *
 * @max_us   how long to wait at most; while callbacks are at work, or something has settled that
 *           the worker has not come to yet, a minute longer
 * @is_after_first  do not call an empty set quiet before it has had its first report
 *
 * Returns:  false: the time was up
 */
bool settle_sync(struct settle *s, uint64_t max_us, bool is_after_first);

/* settle_wait_change() - wait until some address came up, went, or was refreshed since *@seen
 * (0 at first; updated), or until @deadline_ns; false when it was the clock */
bool settle_wait_change(struct settle *s, uint64_t *seen, uint64_t deadline_ns);

#endif /* SCSA_SETTLE_H */
