/*
 * soft/store_file.h - what the files of the store "file" share
 *
 * What      store_file_open.c finds, makes, locks and measures the file; store_file.c reads and
 *           writes it, and says what it is like later.
 * Thread    open, close: as store.h. The struct: constant after open, but for the atomics.
 */
#ifndef SOFT_STORE_FILE_H
#define SOFT_STORE_FILE_H

#include <sys/stat.h>

#include "hw/soft/store.h"

struct file_store {
	struct store store;		/* first */
	int fd;
	bool is_direct;
	bool is_regular;		/* a file, whose end can move; else a block device */
	bool never_blocks;		/* in memory: plain calls are as good as RWF_NOWAIT */
	atomic_bool can_read_now;	/* RWF_NOWAIT is understood */
	atomic_bool can_write_now;
	/* The kernel tells an error of writing back once, to the first call that makes data
	 * stable, whosever the data were. Here it is counted, so that a flush that was under way
	 * at that time does not say that all is well, */
	atomic_uint n_lost;
	atomic_bool is_untold;		/* nor the next one, if no flush was told */
	_Atomic uint64_t size_wanted;	/* as configured; 0: as long as the file is */
	atomic_bool is_short;		/* said that the file has become shorter */
	char path[];
};

static inline struct file_store *
file_of(struct store *store)
{
	return container_of(store, struct file_store, store);
}

/* store_file_open(), store_file_close() - store_ops of "file" */
int store_file_open(const struct soft_disk_conf *conf, struct store **ret,
    char *reterr) MUST_CHECK;
void store_file_close(struct store *store);

/* store_file_real_size() - bytes of the file or block device @fd, whose @st is known; 0 or -errno */
int store_file_real_size(int fd, const struct stat *st, uint64_t *ret) MUST_CHECK;

#endif /* SOFT_STORE_FILE_H */
