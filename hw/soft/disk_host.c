#include "hw/soft/disk_host.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ddi.h>
#include <sys/kmem.h>
#include <sys/ksynch.h>
#include <sys/sunddi.h>
#include <sys/taskq.h>

#include "base/fault.h"
#include "base/text.h"
#include "hw/soft/store.h"

STAILQ_HEAD(disk_work_list, disk_work);

struct disk_host {
	int dir;
	taskq_t *threads[DISK_HOST_THREADS];	/* each runs host_serve() until the end */
	kmutex_t lock;			/* of what follows */
	kcondvar_t cv;
	struct disk_work_list works;
	bool is_ending;

	kmutex_t ticking;		/* held while they are run; of what follows */
	LIST_HEAD(, disk_tick) ticks;
	struct disk_work tick_work;
	timeout_id_t timer;
	bool is_timed;			/* timer runs, or tick_work is posted */
};

/* one thread's life */
static void
host_serve(void *arg)
{
	struct disk_host *host = arg;
	struct disk_work *work;

	mutex_enter(&host->lock);
	while ((work = STAILQ_FIRST(&host->works)) != NULL || !host->is_ending) {
		if (work == NULL) {
			cv_wait(&host->cv, &host->lock);
			continue;
		}
		STAILQ_REMOVE_HEAD(&host->works, link);
		mutex_exit(&host->lock);
		work->run(work);
		mutex_enter(&host->lock);
	}
	mutex_exit(&host->lock);
}

/* the descriptor, or -errno */
static int
host_open_dir(const char *path, char *reterr)
{
	char shown[160];
	int err, fd = open(path, O_DIRECTORY | O_RDONLY | O_CLOEXEC);

	if (fd >= 0 && faccessat(fd, ".", W_OK | X_OK, AT_EACCESS) == 0)
		return fd;
	err = errno;
	close_fd(&fd);
	return store_error(-err, reterr, "state directory '%s': %s; it has to exist and be "
	    "writable", text_escape(path, strlen(path), shown, sizeof(shown)), strerror(err));
}

static void
host_timer(void *arg)
{
	struct disk_host *host = arg;

	disk_host_post(host, &host->tick_work);
}

/* host->ticking is held */
static void
host_arm(struct disk_host *host)
{
	host->is_timed = !LIST_EMPTY(&host->ticks);
	if (host->is_timed)
		host->timer = timeout(host_timer, host, drv_usectohz(DISK_TICK_US));
}

static void
host_tick(struct disk_work *work)
{
	struct disk_host *host = container_of(work, struct disk_host, tick_work);
	struct disk_tick *tick;

	mutex_enter(&host->ticking);
	LIST_FOREACH(tick, &host->ticks, link)
		tick->run(tick);
	host_arm(host);
	mutex_exit(&host->ticking);
}

void
disk_host_tick_add(struct disk_host *host, struct disk_tick *tick)
{
	mutex_enter(&host->ticking);
	LIST_INSERT_HEAD(&host->ticks, tick, link);
	if (!host->is_timed)
		host_arm(host);
	mutex_exit(&host->ticking);
}

void
disk_host_tick_remove(struct disk_host *host, struct disk_tick *tick)
{
	mutex_enter(&host->ticking);
	LIST_REMOVE(tick, link);
	mutex_exit(&host->ticking);
}

static int
host_start(struct disk_host *host)
{
	for (int i = 0; i < DISK_HOST_THREADS; i++) {
		host->threads[i] = taskq_create("soft_disk", 1, 0, 1, 1, TASKQ_PREPOPULATE);
		if (host->threads[i] == NULL)
			return -ENOMEM;
		(void)taskq_dispatch(host->threads[i], host_serve, host, TQ_SLEEP);
	}
	return 0;
}

int
disk_host_open(const char *state_dir, struct disk_host **ret, char *reterr)
{
	struct disk_host *host = fault_hit() ? NULL : kmem_zalloc(sizeof(*host), KM_NOSLEEP);
	int r = 0;

	if (host == NULL)
		return store_error(-ENOMEM, reterr, "out of memory");
	STAILQ_INIT(&host->works);
	LIST_INIT(&host->ticks);
	host->tick_work.run = host_tick;
	mutex_init(&host->ticking, NULL, MUTEX_DRIVER, NULL);
	mutex_init(&host->lock, NULL, MUTEX_DRIVER, NULL);
	cv_init(&host->cv, NULL, CV_DRIVER, NULL);
	host->dir = -1;
	if (state_dir != NULL)
		r = host->dir = host_open_dir(state_dir, reterr);
	if (r >= 0 && host_start(host) < 0)
		r = store_error(-ENOMEM, reterr, "out of memory");
	if (r < 0) {
		disk_host_close(host);
		return r;
	}
	*ret = host;
	return 0;
}

void
disk_host_close(struct disk_host *host)
{
	timeout_id_t timer = NULL;

	if (host == NULL)
		return;
	/* a tick that has begun arms no timer without disks, and is done before the threads
	 * end; it may be at it now */
	mutex_enter(&host->ticking);
	if (host->is_timed)
		timer = host->timer;
	mutex_exit(&host->ticking);
	if (timer != NULL)
		(void)untimeout(timer);
	mutex_enter(&host->lock);
	host->is_ending = true;
	cv_broadcast(&host->cv);
	mutex_exit(&host->lock);
	for (int i = 0; i < DISK_HOST_THREADS; i++) {
		if (host->threads[i] != NULL)
			taskq_destroy(host->threads[i]);
	}
	close_fd(&host->dir);
	cv_destroy(&host->cv);
	mutex_destroy(&host->lock);
	mutex_destroy(&host->ticking);
	kmem_free(host, sizeof(*host));
}

void
disk_host_post(struct disk_host *host, struct disk_work *work)
{
	if (host == NULL) {
		work->run(work);
		return;
	}
	mutex_enter(&host->lock);
	STAILQ_INSERT_TAIL(&host->works, work, link);
	cv_signal(&host->cv);
	mutex_exit(&host->lock);
}

int
disk_host_dir(const struct disk_host *host)
{
	return host == NULL ? -1 : host->dir;
}
