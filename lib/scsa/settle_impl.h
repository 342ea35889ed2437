/*
 * scsa/settle_impl.h - what the two files of the settle engine share
 *
 * What      settle.c has the addresses, the reports and the questions; settle_worker.c has what is
 *           due, and the worker that does it.
 * Locks     settle.lock guards everything but jobs and what is said to be the worker's. Functions
 *           here are called with it held.
 */
#ifndef SCSA_SETTLE_IMPL_H
#define SCSA_SETTLE_IMPL_H

#include <sys/ddi.h>
#include <sys/kmem.h>
#include <sys/ksynch.h>
#include <sys/queue.h>

#define uthash_malloc(size)	kmem_alloc((size), KM_SLEEP)
#define uthash_free(ptr, size)	kmem_free((ptr), (size))
#include <uthash.h>

#include "ddi/sched.h"
#include "scsa/settle.h"

struct settle_addr {
	UT_hash_handle hh;
	TAILQ_ENTRY(settle_addr) report_link;
	TAILQ_ENTRY(settle_addr) job_link;
	struct settle *set;
	bool has_job;			/* is in a list of the worker's */
	/* what is said of it, and has not settled */
	bool is_reported;
	bool is_wanted;			/* the report says: it is there */
	void *report_priv;
	uint64_t deadline_ns;		/* per-address mode */
	/* what has been published */
	bool is_active;			/* from before activate to after deactivate */
	bool is_up;			/* configured */
	bool is_going;			/* its removal is at work */
	bool is_leaving;		/* its removal was refused; next attempt at retry_ns */
	bool is_touched;		/* refresh is due at refresh_ns */
	void *priv;			/* of this life; the worker's */
	uint64_t retry_ns, refresh_ns;
	char name[];
};

TAILQ_HEAD(addr_list, settle_addr);

/* a report that was overtaken: its value goes back */
struct lost {
	STAILQ_ENTRY(lost) link;
	void *priv;
	size_t bytes;
	char name[];
};

struct settle {
	struct settle_conf conf;
	char name[16];
	uint64_t settle_ns;
	struct sched_thread *worker;
	kmutex_t lock;
	kcondvar_t work_cv;		/* the worker's: something changed */
	kcondvar_t idle_cv;		/* others': the worker finished something */
	struct settle_addr *addrs;	/* all that are active or reported */
	struct addr_list reports;	/* in the order in which they settle */
	STAILQ_HEAD(, lost) lost;
	struct addr_list adds, removes, refreshes;	/* jobs at hand; the worker's */
	bool is_open;			/* full set: begun, not settled */
	bool is_timed;			/* full set: ended; settles at deadline_ns */
	uint64_t deadline_ns;
	bool is_busy;			/* callbacks run */
	bool is_clearing;
	bool is_paused;			/* settle_pause() */
	bool is_closing;		/* settle_close(): no more reports */
	bool is_ending;			/* the worker may end */
	unsigned int n_active, n_touched, n_leaving, n_begins;
	uint64_t n_results;		/* reports that settled */
	uint64_t n_reports;		/* reports of any kind */
	uint64_t n_changes;		/* see settle_wait_change() */
};

/* the set whose callback the thread is in */
extern _Thread_local const struct settle *settle_inside;

/* settle_addr_forget() - free it if nothing is known of it any more */
void settle_addr_forget(struct settle_addr *a);

/* settle_addr_set_leaving() - its removal was refused, or is no longer wanted */
void settle_addr_set_leaving(struct settle_addr *a, bool is_leaving);

/* settle_addr_is_held() - does it have the value of its present life, so that a reported one is not
 * missed? */
bool settle_addr_is_held(const struct settle_addr *a);

/* settle_reports_drop() - all that is reported is overtaken; a full set is closed */
void settle_reports_drop(struct settle *s);

/* settle_report_is_due() - lock held: has something settled that the worker has not taken? */
bool settle_report_is_due(const struct settle *s, uint64_t now_ns);

/* settle_worker_main() - the worker's thread; @arg is the set, its lock is free */
void settle_worker_main(void *arg);

#endif /* SCSA_SETTLE_IMPL_H */
