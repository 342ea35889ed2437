#include <sys/scsi/scsi.h>

#include <stdlib.h>

#include "scsa/scsa_impl.h"

/*
 * Those who found no resources and want to be called. A release calls everybody who waits at that
 * moment once; who answers 0 waits on. A release from inside a callback does not recurse: it
 * makes the outer one go round again. Because a release may fall between a failed attempt and the
 * registration, the list is also looked at by a timer while it is not empty.
 */
struct runout {
	STAILQ_ENTRY(runout) link;
	int (*callback)(caddr_t);
	caddr_t arg;
};

STAILQ_HEAD(runout_list, runout);

#define RUNOUT_PERIOD_US	100000

static pthread_once_t runout_once = PTHREAD_ONCE_INIT;
static kmutex_t runout_lock;
static struct runout_list runout_waiting = STAILQ_HEAD_INITIALIZER(runout_waiting);
_Atomic unsigned int runout_count;
static bool runout_has_timer;			/* under the lock */

static void
runout_init(void)
{
	mutex_init(&runout_lock, "runout", MUTEX_DRIVER, NULL);
}

static void
runout_timer(void *arg)
{
	(void)arg;
	mutex_enter(&runout_lock);
	runout_has_timer = false;
	mutex_exit(&runout_lock);
	runout_run();
}

/* lock held */
static void
runout_arm(void)
{
	if (runout_has_timer || STAILQ_EMPTY(&runout_waiting))
		return;
	runout_has_timer = true;
	(void)timeout(runout_timer, NULL, drv_usectohz(RUNOUT_PERIOD_US));
}

void
runout_add(int (*callback)(caddr_t), caddr_t arg)
{
	struct runout *ro;

	(void)pthread_once(&runout_once, runout_init);
	/* plain malloc: a shortage of DMA memory or packets is no shortage of these few bytes */
	ro = malloc(sizeof(*ro));
	if (ro == NULL)
		return;
	ro->callback = callback;
	ro->arg = arg;
	atomic_fetch_add(&runout_count, 1);
	mutex_enter(&runout_lock);
	STAILQ_INSERT_TAIL(&runout_waiting, ro, link);
	runout_arm();
	mutex_exit(&runout_lock);
}

/* call each of @list once; true if one of them was satisfied */
static bool
runout_call(struct runout_list *list)
{
	bool any = false;
	struct runout *ro;

	while ((ro = STAILQ_FIRST(list)) != NULL) {
		STAILQ_REMOVE_HEAD(list, link);
		if (ro->callback(ro->arg) != 0) {
			any = true;
			atomic_fetch_sub(&runout_count, 1);
			free(ro);
			continue;
		}
		mutex_enter(&runout_lock);
		STAILQ_INSERT_TAIL(&runout_waiting, ro, link);
		mutex_exit(&runout_lock);
	}
	return any;
}

void
runout_run_now(void)
{
	static _Thread_local bool is_running, is_again;
	struct runout_list list;

	is_again = true;
	if (is_running)
		return;
	is_running = true;
	while (is_again) {
		is_again = false;
		STAILQ_INIT(&list);
		mutex_enter(&runout_lock);
		STAILQ_CONCAT(&list, &runout_waiting);
		mutex_exit(&runout_lock);
		if (!runout_call(&list))
			break;
	}
	is_running = false;
	mutex_enter(&runout_lock);
	runout_arm();
	mutex_exit(&runout_lock);
}
