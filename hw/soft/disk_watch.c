/* what a disk looks after by itself, once a second: how large its store is, how full, and
 * whether somebody waits for an exception */
#include <errno.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/num.h"
#include "hw/soft/disk_impl.h"

#define THIN_ENABLED		0x80	/* byte 0 of a threshold descriptor */
#define THIN_DESCR		8
#define EXCEPT_DEXCPT		0x08	/* byte 2 of page 1Ch */
#define EXCEPT_TEST		0x04
#define EXCEPT_ATTENTION	2	/* byte 3: report by unit attention */
#define EXCEPT_ASKED		6	/* when asked */
#define NS_PER_TENTH		(NS_PER_S / 10)
#define SET_EXPONENT_MIN	11

/* threshold sets are 2^exponent blocks; so many that 31 bits can count them */
uint8_t
disk_threshold_exponent(const struct disk *disk)
{
	uint8_t exponent = SET_EXPONENT_MIN;

	while (disk->blocks >> exponent > INT32_MAX)
		exponent++;
	return exponent;
}

uint32_t
disk_threshold_sets(const struct disk *disk, uint64_t bytes)
{
	uint64_t sets = bytes / disk->block_bytes >> disk_threshold_exponent(disk);

	return (uint32_t)num_min(sets, UINT32_MAX);
}

uint16_t
disk_exception(const struct disk *disk)
{
	return atomic_load(&disk->has_exception) ? ASC_FAILURE_PREDICTED_TEST : ASC_NONE;
}

bool
disk_is_exception_asked(const struct disk *disk)
{
	return atomic_load(&disk->has_exception) && atomic_load(&disk->reports_when_asked);
}

/* disk->lock is held: the pages are new */
void
disk_watch_modes(struct disk *disk)
{
	const uint8_t *page = disk->modes.exceptions, *thin = disk->modes.thin;
	bool is_test = (page[2] & (EXCEPT_DEXCPT | EXCEPT_TEST)) == EXCEPT_TEST;
	uint8_t method = page[3] & 0x0f;

	atomic_store(&disk->has_exception, is_test);
	atomic_store(&disk->reports_when_asked, method == EXCEPT_ASKED);
	disk->watch.reports_left = 0;
	disk->watch.report_due_ns = clock_now_ns();
	if (is_test && method == EXCEPT_ATTENTION) {
		uint32_t count = be32_get(page + 8);

		/* no interval: once. No count: for ever */
		disk->watch.reports_left = count == 0 ? UINT32_MAX : count;
		if (be32_get(page + 4) == 0)
			disk->watch.reports_left = 1;
	}
	disk->watch.crossed = 0;
	disk->watch.wants_thresholds = disk->is_thin &&
	    ((thin[16] | thin[16 + THIN_DESCR]) & THIN_ENABLED) != 0;
	if (disk->watch.reports_left > 0 || disk->watch.wants_thresholds)
		disk_watch_start(disk);
}

static bool
watch_exception(struct disk *disk)
{
	uint32_t interval = be32_get(disk->modes.exceptions + 4);
	uint64_t now = clock_now_ns();

	if (disk->watch.reports_left == 0 || now < disk->watch.report_due_ns)
		return false;
	disk->watch.report_due_ns += interval * NS_PER_TENTH;
	if (disk->watch.reports_left != UINT32_MAX)
		disk->watch.reports_left--;
	return true;
}

/* one descriptor; true when it is crossed now and was not before. It is armed again when the
 * count is back on the other side (SBC-3 4.7.3.7) */
static bool
watch_threshold(struct disk *disk, unsigned int index, uint32_t now)
{
	const uint8_t *d = disk->modes.thin + 16 + (size_t)index * THIN_DESCR;
	uint32_t limit = be32_get(d + 4);
	unsigned int bit = 1u << index;
	bool is_crossed = index == 0 ? now <= limit : now >= limit, was = disk->watch.crossed & bit;

	if ((d[0] & THIN_ENABLED) == 0 || !is_crossed) {
		disk->watch.crossed &= ~bit;
		return false;
	}
	disk->watch.crossed |= bit;
	return !was;
}

static bool
watch_thresholds(struct disk *disk, uint64_t used, uint64_t available)
{
	bool is_low = watch_threshold(disk, 0, disk_threshold_sets(disk, available));
	bool is_high = watch_threshold(disk, 1, disk_threshold_sets(disk, used));

	return is_low || is_high;
}

/* new blocks are as if never written, also where there had been some before the store shrank */
static bool
tuples_clear(struct disk *disk, uint64_t first, uint64_t end)
{
	struct store_req req = {
		.op = STORE_UNMAP,
		.offset = first * STORE_PI_BYTES,
		.len = (end - first) * STORE_PI_BYTES,
	};

	return disk->pi_type == 0 || disk->is_readonly ||
	    store_do(disk->pi_store, &req) == 0;
}

/* looking is held, so that nobody clears the tuples of blocks that another has let in already.
 * True: it is another size */
static bool
look_taken(struct disk *disk)
{
	uint64_t blocks = store_look(disk->store, disk->block_bytes) / disk->block_bytes, old;

	if (blocks == 0)	/* an image without a block: what is read from it fails */
		blocks = 1;
	old = disk->blocks;
	if (blocks > old && !tuples_clear(disk, old, blocks))
		return false;		/* with the next look */
	mutex_enter(&disk->lock);
	disk->blocks = blocks;
	mutex_exit(&disk->lock);
	return old != blocks;
}

void
disk_look(struct disk *disk)
{
	bool is_changed;

	mutex_enter(&disk->looking);
	is_changed = look_taken(disk);
	mutex_exit(&disk->looking);
	if (is_changed)
		disk_attention(disk, ASC_CAPACITY_CHANGED);
}

int
disk_resize(struct disk *disk, uint64_t size_bytes)
{
	int r;

	if (size_bytes != 0 &&
	    (size_bytes % disk->block_bytes != 0 || size_bytes / disk->block_bytes == 0))
		return -EINVAL;
	if (size_bytes != 0) {
		r = store_resize(disk->store, size_bytes, disk->block_bytes);
		if (r < 0)
			return r;
	}
	disk_look(disk);
	return 0;
}

static void
watch_run(struct disk_tick *tick)
{
	struct disk *disk = container_of(tick, struct disk, watch.tick);
	uint64_t used, available;
	bool has_usage, has_crossed = false, has_exception;

	if (disk->store->ops->look != NULL)
		disk_look(disk);
	/* how full it is may take a while: not with the lock */
	has_usage = disk->watch.wants_thresholds &&
	    store_usage(disk->store, &used, &available) == 0;
	mutex_enter(&disk->lock);
	if (has_usage)
		has_crossed = watch_thresholds(disk, used, available);
	has_exception = watch_exception(disk);
	mutex_exit(&disk->lock);
	if (has_crossed)
		disk_attention(disk, ASC_THIN_THRESHOLD);
	if (has_exception)
		disk_attention(disk, ASC_FAILURE_PREDICTED_TEST);
}

static void
watch_begin(struct disk_work *work)
{
	struct disk *disk = container_of(work, struct disk, watch.work);

	disk->watch.tick.run = watch_run;
	disk_host_tick_add(disk->place.host, &disk->watch.tick);
	mutex_enter(&disk->lock);
	disk->watch.state = WATCH_ON;
	cv_broadcast(&disk->watch.cv);
	mutex_exit(&disk->lock);
}

/* disk->lock is held, by whoever may not block */
void
disk_watch_start(struct disk *disk)
{
	if (disk->place.host == NULL || disk->watch.state != WATCH_OFF)
		return;
	disk->watch.state = WATCH_BEGINS;
	disk->watch.work.run = watch_begin;
	disk_host_post(disk->place.host, &disk->watch.work);
}

void
disk_watch_stop(struct disk *disk)
{
	mutex_enter(&disk->lock);
	while (disk->watch.state == WATCH_BEGINS)
		cv_wait(&disk->watch.cv, &disk->lock);
	mutex_exit(&disk->lock);
	if (disk->watch.state == WATCH_ON)
		disk_host_tick_remove(disk->place.host, &disk->watch.tick);
	disk->watch.state = WATCH_OFF;
}
