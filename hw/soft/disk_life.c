/* a disk comes and goes, is reset, and has something to tell: attentions, sense data held
 * back */
#include "hw/soft/disk_impl.h"

#include <errno.h>
#include <string.h>
#include <sys/kmem.h>

#include "base/text.h"

int
disk_new(const struct soft_disk_conf *conf, struct store *store, const struct disk_place *place,
    struct disk **ret)
{
	struct disk *disk = kmem_zalloc(sizeof(*disk), KM_NOSLEEP);
	int r;

	if (disk == NULL) {
		store_close(store);
		return -ENOMEM;
	}
	disk->store = store;
	disk->place = *place;
	(void)text_copy(disk->vendor, sizeof(disk->vendor), conf->vendor);
	(void)text_copy(disk->product, sizeof(disk->product), conf->product);
	(void)text_copy(disk->revision, sizeof(disk->revision), conf->revision);
	(void)text_copy(disk->serial, sizeof(disk->serial), conf->serial);
	disk->block_bytes = conf->block_bytes;
	disk->physical_bytes = conf->physical_bytes;
	disk->blocks = store->info.size_bytes / conf->block_bytes;
	disk->pi_type = store->tuples == NULL ? 0 : conf->pi_type;
	disk->pi_store = store->tuples;
	disk->app_tag = conf->app_tag;
	disk->is_readonly = store->info.is_readonly;
	disk->is_removable = conf->is_removable;
	disk->is_unmap_any = conf->is_unmap_any;
	disk->is_thin = conf->is_thin && store->info.can_unmap;
	disk->job_rate = conf->sanitize_rate;
	disk->has_cache = conf->kind == SOFT_STORE_FILE;
	mutex_init(&disk->looking, NULL, MUTEX_DRIVER, NULL);
	mutex_init(&disk->lock, NULL, MUTEX_DRIVER, NULL);
	cv_init(&disk->watch.cv, NULL, CV_DRIVER, NULL);
	ranges_init(&disk->ranges, disk->pi_type != 0);
	r = disk_saved_open(disk);
	if (r < 0) {
		disk_free(disk);
		return r;
	}
	mutex_enter(&disk->lock);
	disk_modes_reset(disk);
	if (store->ops->look != NULL)
		disk_watch_start(disk);
	mutex_exit(&disk->lock);
	disk_attention(disk, ASC_POWER_ON_OR_RESET);
	if (disk_saved_resume(disk) < 0) {
		disk_free(disk);
		return -ENOMEM;
	}
	*ret = disk;
	return 0;
}

void
disk_free(struct disk *disk)
{
	if (disk == NULL)
		return;
	disk_job_stop(disk);
	disk_watch_stop(disk);
	disk_job_free(disk);
	disk_tests_free(disk);
	disk_echo_free(disk);
	disk_saved_close(disk);
	cv_destroy(&disk->watch.cv);
	mutex_destroy(&disk->lock);
	mutex_destroy(&disk->looking);
	ranges_fini(&disk->ranges);
	store_close(disk->store);
	kmem_free(disk, sizeof(*disk));
}

uint64_t
disk_blocks(const struct disk *disk)
{
	return disk->blocks;
}

uint32_t
disk_block_bytes(const struct disk *disk)
{
	return disk->block_bytes;
}

const char *
disk_serial(const struct disk *disk)
{
	return disk->serial;
}

void
disk_attention(struct disk *disk, uint16_t asc)
{
	unsigned int n, i;

	mutex_enter(&disk->lock);
	n = atomic_load_explicit(&disk->nua, memory_order_relaxed);
	/* a power on or reset says all that older ones could (SAM-5 5.14) */
	if (asc >> 8 == ASC_POWER_ON_OR_RESET >> 8)
		n = 0;
	for (i = 0; i < n && disk->ua[i] != asc; i++)
		;
	if (i == n && n < DISK_UA_MAX)
		disk->ua[n++] = asc;
	atomic_store_explicit(&disk->nua, n, memory_order_release);
	mutex_exit(&disk->lock);
}

bool
disk_take_attention(struct disk *disk, uint16_t *ret_asc)
{
	unsigned int n;

	mutex_enter(&disk->lock);
	n = atomic_load_explicit(&disk->nua, memory_order_relaxed);
	if (n > 0) {
		*ret_asc = disk->ua[0];
		memmove(disk->ua, disk->ua + 1, (n - 1) * sizeof(disk->ua[0]));
		atomic_store_explicit(&disk->nua, n - 1, memory_order_release);
	}
	mutex_exit(&disk->lock);
	return n > 0;
}

void
disk_hold_sense(struct disk *disk, const struct sense_data *sense)
{
	mutex_enter(&disk->lock);
	disk->held = *sense;
	atomic_store_explicit(&disk->has_held, true, memory_order_release);
	mutex_exit(&disk->lock);
}

struct sense_data
disk_take_sense(struct disk *disk)
{
	struct sense_data sense = sense_make(SENSE_NO_SENSE, ASC_NONE);
	bool has_held;
	uint16_t asc;

	mutex_enter(&disk->lock);
	has_held = atomic_exchange(&disk->has_held, false);
	if (has_held)
		sense = disk->held;
	mutex_exit(&disk->lock);
	if (!has_held && disk_take_attention(disk, &asc))
		return sense_make(SENSE_UNIT_ATTENTION, asc);
	if (has_held)
		return sense;
	if ((atomic_load(&disk->condition) & (DISK_JOB | DISK_FAILED)) != 0)
		return disk_job_sense(disk);
	if (disk_is_exception_asked(disk))
		sense.asc = disk_exception(disk);
	else if ((atomic_load(&disk->condition) & DISK_LOW_POWER) != 0)
		sense.asc = atomic_load(&disk->power_asc);
	return sense;
}

void
disk_reset(struct disk *disk, uint16_t asc)
{
	mutex_enter(&disk->lock);
	atomic_store(&disk->has_held, false);
	atomic_store(&disk->is_prevented, false);
	(void)atomic_fetch_and(&disk->condition, ~DISK_LOW_POWER);
	disk_modes_reset(disk);
	mutex_exit(&disk->lock);
	disk_attention(disk, asc);
}
