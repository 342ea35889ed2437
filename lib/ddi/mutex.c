#include <sys/mutex.h>

#include "ddi/sched_impl.h"
#include "ddi/violation.h"

/* The owner is written under the lock and compared with the reader's own identity only, so
 * relaxed loads are exact for the question asked: nobody else ever stores our identity. */
static inline void *
owner_get(const kmutex_t *m)
{
	return __atomic_load_n(&m->m_owner, __ATOMIC_RELAXED);
}

static inline void
owner_set(kmutex_t *m, void *owner)
{
	__atomic_store_n(&m->m_owner, owner, __ATOMIC_RELAXED);
}

/* enter_is_legal() - debug builds: report what is wrong with entering @m; false: do not */
static inline bool
enter_is_legal(kmutex_t *m UNUSED)
{
#ifdef SCSAD_DEBUG
	if (UNLIKELY(m->m_magic != MUTEX_MAGIC)) {
		ddi_violation("mutex-uninitialized", "mutex %p entered", (void *)m);
		return false;
	}
	if (UNLIKELY(owner_get(m) == sched_identity())) {
		ddi_violation("mutex-recursive", "mutex %p entered by its owner", (void *)m);
		return false;
	}
#endif
	return true;
}

void
mutex_init(kmutex_t *m, const char *name UNUSED, kmutex_type_t type UNUSED, void *cookie UNUSED)
{
	*m = (kmutex_t){ .m_magic = MUTEX_MAGIC };
	(void)pthread_mutex_init(&m->m_lock, NULL);
}

void
mutex_destroy(kmutex_t *m)
{
#ifdef SCSAD_DEBUG
	if (m->m_magic != MUTEX_MAGIC) {
		ddi_violation("mutex-uninitialized", "mutex %p destroyed", (void *)m);
		return;
	}
	if (owner_get(m) != NULL) {
		ddi_violation("mutex-destroy-held", "mutex %p", (void *)m);
		return;
	}
#endif
	m->m_magic = 0;
	(void)pthread_mutex_destroy(&m->m_lock);
}

static void
sim_mutex_enter(kmutex_t *m)
{
	sim_yield();
	while (owner_get(m) != NULL)
		(void)sim_block(m, "mutex", SCHED_FOREVER);
}

void
mutex_enter(kmutex_t *m)
{
	if (!enter_is_legal(m))
		return;
	if (sched_is_sim())
		sim_mutex_enter(m);
	else
		(void)pthread_mutex_lock(&m->m_lock);
	owner_set(m, sched_identity());
}

int
mutex_tryenter(kmutex_t *m)
{
	if (sched_is_sim()) {
		if (owner_get(m) != NULL)
			return 0;
	} else if (pthread_mutex_trylock(&m->m_lock) != 0) {
		return 0;
	}
	owner_set(m, sched_identity());
	return 1;
}

void
mutex_exit(kmutex_t *m)
{
#ifdef SCSAD_DEBUG
	if (UNLIKELY(owner_get(m) != sched_identity())) {
		ddi_violation("mutex-not-owner", "mutex %p left", (void *)m);
		return;
	}
#endif
	owner_set(m, NULL);
	if (sched_is_sim())
		sim_wake_all(m);
	else
		(void)pthread_mutex_unlock(&m->m_lock);
}

int
mutex_owned(const kmutex_t *m)
{
	return owner_get(m) == sched_identity();
}
