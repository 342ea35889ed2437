/*
 * sys/mutex.h - mutual exclusion between threads, interrupt handlers included
 *
 * What      A lock with an owner: not recursive, left by the thread that entered it.
 * Life      zeroed or any memory → mutex_init → use → mutex_destroy
 * Debug     Violations in debug builds: "mutex-recursive", "mutex-not-owner",
 *           "mutex-destroy-held", "mutex-uninitialized".
 * Thread    Any context. Holding one across a sleep is the driver's decision.
 * Source    mutex(9F)
 */
#ifndef SYS_DDI_MUTEX_H
#define SYS_DDI_MUTEX_H

#include <pthread.h>
#include <sys/types.h>

typedef enum {
	MUTEX_ADAPTIVE = 0,
	MUTEX_SPIN = 1,
	MUTEX_DRIVER = 4,
	MUTEX_DEFAULT = 6
} kmutex_type_t;

typedef struct mutex {
	pthread_mutex_t m_lock;		/* lib/ddi only, as all members */
	void *m_owner;			/* identity of the thread inside, or NULL */
	uint32_t m_magic;
	uint32_t m_waiters;		/* simulation only */
} kmutex_t;

/* mutex_init() - @name and @cookie (an interrupt priority) are ignored */
void mutex_init(kmutex_t *m, const char *name, kmutex_type_t type, void *cookie);
void mutex_destroy(kmutex_t *m);
void mutex_enter(kmutex_t *m);
void mutex_exit(kmutex_t *m);

/* mutex_tryenter() - 0 when somebody is inside, else enter and answer 1 */
int mutex_tryenter(kmutex_t *m);

/* mutex_owned() - is the calling thread inside? Exact, in release builds too */
int mutex_owned(const kmutex_t *m);

#define MUTEX_HELD(m)		(mutex_owned(m))
#define MUTEX_NOT_HELD(m)	(!mutex_owned(m))

#endif /* SYS_DDI_MUTEX_H */
