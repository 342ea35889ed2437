/*
 * what the disk has done, in numbers
 *
 * Each command that moves blocks costs one addition: the count of commands and their bytes
 * share a word (tally). Before it can run over, and whenever somebody wants to read them, words
 * are added to the numbers that they stand for. Commands are the sum of those that are counted
 * so, and of the others.
 */
#include "hw/soft/disk_impl.h"

#define TALLY_ONE	(1ull << 40)	/* a command; below it bytes, DISK_XFER_MAX at most */
#define TALLY_FULL	(1ull << 15)	/* commands: their bytes take half of the room */

static void
stat_add(_Atomic uint64_t *stat, uint64_t n)
{
	(void)atomic_fetch_add_explicit(stat, n, memory_order_relaxed);
}

static void
tally_fold(_Atomic uint64_t *tally, _Atomic uint64_t *commands, _Atomic uint64_t *bytes)
{
	uint64_t v = atomic_exchange_explicit(tally, 0, memory_order_relaxed);

	stat_add(commands, v / TALLY_ONE);
	stat_add(bytes, v % TALLY_ONE);
}

static void
fold_reads(struct disk *disk)
{
	tally_fold(&disk->read_tally, &disk->stats.reads, &disk->stats.read_bytes);
}

static void
fold_writes(struct disk *disk)
{
	tally_fold(&disk->write_tally, &disk->stats.writes, &disk->stats.written_bytes);
}

/* true when it is time to fold */
static bool
tally_add(_Atomic uint64_t *tally, struct disk_cmd *cmd)
{
	cmd->is_counted = true;
	return atomic_fetch_add_explicit(tally, TALLY_ONE + cmd->moved, memory_order_relaxed) /
	    TALLY_ONE >= TALLY_FULL;
}

void
disk_count_read(struct disk_cmd *cmd)
{
	if (UNLIKELY(tally_add(&cmd->disk->read_tally, cmd)))
		fold_reads(cmd->disk);
}

void
disk_count_write(struct disk_cmd *cmd)
{
	if (UNLIKELY(tally_add(&cmd->disk->write_tally, cmd)))
		fold_writes(cmd->disk);
}

void
disk_count_other(struct disk_cmd *cmd)
{
	stat_add(&cmd->disk->others, 1);
}

struct disk_stats *
disk_stats(struct disk *disk)
{
	struct disk_stats *stats = &disk->stats;

	fold_reads(disk);
	fold_writes(disk);
	atomic_store_explicit(&stats->commands, stats->reads + stats->writes + disk->others,
	    memory_order_relaxed);
	return stats;
}
