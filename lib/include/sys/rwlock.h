/*
 * sys/rwlock.h - many readers or one writer
 *
 * What      A waiting writer keeps new readers out. Not recursive.
 * Debug     Violations: "rw-not-held", "rw-recursive", "rw-destroy-held".
 * Thread    Any context for short holds.
 * Source    rwlock(9F)
 */
#ifndef SYS_DDI_RWLOCK_H
#define SYS_DDI_RWLOCK_H

#include <sys/condvar.h>
#include <sys/mutex.h>

typedef enum {
	RW_DRIVER = 2,
	RW_DEFAULT = 4
} krw_type_t;

typedef enum {
	RW_WRITER,
	RW_READER
} krw_t;

typedef struct krwlock {
	kmutex_t rw_lock;		/* lib/ddi only, as all members */
	kcondvar_t rw_cv;
	uint32_t rw_readers;
	uint32_t rw_writers_waiting;
	void *rw_writer;		/* identity of the writing thread */
} krwlock_t;

void rw_init(krwlock_t *rw, const char *name, krw_type_t type, void *arg);
void rw_destroy(krwlock_t *rw);
void rw_enter(krwlock_t *rw, krw_t how);
void rw_exit(krwlock_t *rw);

/* rw_tryenter(), rw_tryupgrade() - 1 when it was possible at once, else 0 and nothing changed
 */
int rw_tryenter(krwlock_t *rw, krw_t how);
int rw_tryupgrade(krwlock_t *rw);
void rw_downgrade(krwlock_t *rw);

/* 1: read-locked (caller holds it one way or the other) */
int rw_read_locked(krwlock_t *rw);
int rw_write_held(krwlock_t *rw);	/* 1: the caller is the writer */
int rw_read_held(krwlock_t *rw);	/* 1: there are readers */
int rw_lock_held(krwlock_t *rw);

#define RW_READ_HELD(x)		(rw_read_held(x))
#define RW_WRITE_HELD(x)	(rw_write_held(x))
#define RW_LOCK_HELD(x)		(rw_lock_held(x))

#endif /* SYS_DDI_RWLOCK_H */
