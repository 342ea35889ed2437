#include <sys/scsi/scsi.h>

#include "base/clock.h"
#include "scsa/maps.h"

#define SYNC_MIN	10u	/* settle times that a wait for stability lasts at most */

void
csync_open(struct csync *c, uint32_t csync_us)
{
	c->until_ns = clock_now_ns() + csync_us * NS_PER_US;
}

static uint64_t
csync_left_us(struct csync *c)
{
	uint64_t now_ns = clock_now_ns();

	if (atomic_load(&c->is_over) || now_ns >= c->until_ns)
		return 0;
	return (c->until_ns - now_ns) / NS_PER_US + 1;
}

uint64_t
sync_max_us(struct settle *set, uint64_t settle_us)
{
	size_t n = settle_size(set);

	return settle_us * (n > SYNC_MIN ? n : SYNC_MIN);
}

void
csync_wait_all(struct csync *c, struct settle *set, uint64_t settle_us)
{
	uint64_t left_us = csync_left_us(c);
	bool is_stable = false;

	if (left_us != 0)
		is_stable = settle_sync(set, left_us, true);
	atomic_store(&c->is_over, true);
	if (!is_stable)
		(void)settle_sync(set, sync_max_us(set, settle_us), false);
	atomic_store(&c->was_synced, true);
}

/* the child, if it is there and attached */
static dev_info_t *
child_attached(dev_info_t *parent, const char *key)
{
	dev_info_t *child = devi_find(parent, key);

	if (child == NULL || devi_is_attached(child))
		return child;
	devi_unref(child);
	return NULL;
}

dev_info_t *
csync_wait_one(struct csync *c, struct settle *set, uint64_t settle_us, dev_info_t *parent,
    const char *key)
{
	uint64_t seen = 0;
	dev_info_t *child;

	while ((child = child_attached(parent, key)) == NULL && csync_left_us(c) != 0)
		(void)settle_wait_change(set, &seen, c->until_ns);
	atomic_store(&c->is_over, true);
	if (child == NULL && !atomic_exchange(&c->was_synced, true)) {
		(void)settle_sync(set, sync_max_us(set, settle_us), false);
		child = child_attached(parent, key);
	}
	return child;
}
