/*
 * churn - change a file or a disk in every way, and read back what must be there
 *
 * A picture of the contents is kept in memory. Each step picks one way to change or to read a
 * random range of the file, and whatever is read must be what the picture holds. Caches are
 * dropped at random, so that what is read has been on the disk. The steps follow from the seed.
 *
 * usage: churn [-d] [-n STEPS] [-u FILE] [-p FILE] [-o AT] [-l LENGTH] [-s SEED] PATH
 *        churn [-d] -c SIZE:DIGEST [-o AT] PATH
 *   -d       a disk: O_DIRECT, whole blocks, its size stays as it is
 *   -n       so many steps (1000)
 *   -u       steps until this file exists, in place of -n
 *   -p       the number of steps done is written here, for others to read
 *   -o, -l   the range of the disk, bytes (0, 4 MiB); of a file the length it may grow to
 *   -c       only compare: size and digest as printed at the end of an earlier run
 * Prints SIZE:DIGEST of what it leaves. Exit status: 0, 1 wrong data, 2 a call failed or usage.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCK		4096u
#define STEP_MAX	(256u << 10)	/* bytes of one step */

enum { DONE, WRONG, FAILED };

struct churn {
	const char *path, *until, *progress, *compare;
	bool is_disk;
	uint64_t steps, seed, step;
	off_t at;			/* first byte that is ours */
	size_t max;
	int fd, progress_fd;
	size_t size;			/* of the file now; of a disk always max */
	uint8_t *picture, *buf;		/* max bytes each, on a page */
};

static uint64_t
draw(struct churn *c)
{
	c->seed ^= c->seed << 13;
	c->seed ^= c->seed >> 7;
	c->seed ^= c->seed << 17;
	return c->seed * 0x2545f4914f6cdd1d;
}

static size_t
draw_below(struct churn *c, size_t n)
{
	return n == 0 ? 0 : (size_t)((draw(c) >> 16) % n);
}

static int
failed(const struct churn *c, const char *what)
{
	fprintf(stderr, "churn: %s, step %" PRIu64 ": %s: %s\n", c->path, c->step, what,
	    strerror(errno));
	return FAILED;
}

static uint64_t
digest(const uint8_t *p, size_t len)
{
	uint64_t h = 0xcbf29ce484222325 ^ len, word;

	for (; len >= sizeof(word); p += sizeof(word), len -= sizeof(word)) {
		memcpy(&word, p, sizeof(word));
		h = (h ^ word) * 0x9e3779b97f4a7c15;
		h ^= h >> 29;
	}
	while (len-- > 0)
		h = (h ^ *p++) * 0x100000001b3;
	return h;
}

/* a range inside of @within; whole blocks on a disk */
static void
range(struct churn *c, size_t within, size_t *ret_from, size_t *ret_len)
{
	size_t unit = c->is_disk ? BLOCK : 1, n = within / unit, max = STEP_MAX / unit;
	size_t from = draw_below(c, n), left = n - from;

	/* as many short ones as long ones */
	max >>= draw_below(c, 12);
	if (max == 0)
		max = 1;
	*ret_from = from * unit;
	*ret_len = (1 + draw_below(c, left < max ? left : max)) * unit;
	if (*ret_from + *ret_len > within)
		*ret_len = within - *ret_from;
}

static void
pattern(struct churn *c, uint8_t *p, size_t len)
{
	uint64_t word;

	for (size_t i = 0; i < len; i += sizeof(word)) {
		word = draw(c);
		memcpy(p + i, &word, len - i < sizeof(word) ? len - i : sizeof(word));
	}
}

static int
compare(const struct churn *c, const uint8_t *got, size_t from, size_t len, const char *how)
{
	size_t i = 0;

	if (memcmp(got, c->picture + from, len) == 0)
		return DONE;
	while (got[i] == c->picture[from + i])
		i++;
	fprintf(stderr, "churn: %s, step %" PRIu64 ": %s of %zu bytes at %zu: byte %zu is %02x, "
	    "not %02x\n", c->path, c->step, how, len, from, from + i, got[i],
	    c->picture[from + i]);
	return WRONG;
}

/* ------ steps ------ */

static int
read_whole(const struct churn *c, uint8_t *dst, size_t from, size_t len)
{
	for (size_t done = 0; done < len;) {
		ssize_t n = pread(c->fd, dst + done, len - done,
		    c->at + (off_t)(from + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n == 0)
			errno = ENODATA;
		if (n <= 0)
			return failed(c, "read");
		done += (size_t)n;
	}
	return DONE;
}

static int
write_whole(const struct churn *c, size_t from, size_t len)
{
	for (size_t done = 0; done < len;) {
		ssize_t n = pwrite(c->fd, c->picture + from + done, len - done,
		    c->at + (off_t)(from + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return failed(c, "write");
		done += (size_t)n;
	}
	return DONE;
}

static int
step_write(struct churn *c)
{
	size_t from, len;

	range(c, c->max, &from, &len);
	pattern(c, c->picture + from, len);
	if (from + len > c->size)
		c->size = from + len;
	return write_whole(c, from, len);
}

static int
step_read(struct churn *c)
{
	size_t from, len;
	int r;

	if (c->size == 0)
		return DONE;
	range(c, c->size, &from, &len);
	r = read_whole(c, c->buf, from, len);
	return r != DONE ? r : compare(c, c->buf, from, len, "read");
}

static int
step_truncate(struct churn *c)
{
	size_t size = draw_below(c, c->max + 1);

	if (ftruncate(c->fd, (off_t)size) < 0)
		return failed(c, "truncate");
	if (size < c->size)
		memset(c->picture + size, 0, c->size - size);
	c->size = size;
	return DONE;
}

static int
step_map(struct churn *c)
{
	size_t from, len;
	uint8_t *map;
	int r;

	if (c->size == 0)
		return DONE;
	range(c, c->size, &from, &len);
	map = mmap(NULL, c->size, PROT_READ | PROT_WRITE, MAP_SHARED, c->fd, 0);
	if (map == MAP_FAILED)
		return failed(c, "mmap");
	r = compare(c, map + from, from, len, "look");
	pattern(c, c->picture + from, len);
	memcpy(map + from, c->picture + from, len);
	munmap(map, c->size);
	return r;
}

static int
step_zero(struct churn *c)
{
	uint64_t span[2];
	size_t from, len;
	int r;

	if (c->size == 0)
		return DONE;
	range(c, c->size, &from, &len);
	memset(c->picture + from, 0, len);
	span[0] = (uint64_t)c->at + from;
	span[1] = len;
	r = c->is_disk ? ioctl(c->fd, BLKZEROOUT, span) : fallocate(c->fd,
	    FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)from, (off_t)len);
	return r < 0 ? failed(c, "zero") : DONE;
}

/* all of it, from the disk */
static int
step_sync(struct churn *c)
{
	struct stat st;
	int r;

	if (fsync(c->fd) < 0)
		return failed(c, "sync");
	(void)posix_fadvise(c->fd, 0, 0, POSIX_FADV_DONTNEED);
	if (fstat(c->fd, &st) < 0)
		return failed(c, "stat");
	if (!c->is_disk && (size_t)st.st_size != c->size) {
		fprintf(stderr, "churn: %s, step %" PRIu64 ": %jd bytes long, not %zu\n",
		    c->path, c->step, (intmax_t)st.st_size, c->size);
		return WRONG;
	}
	r = read_whole(c, c->buf, 0, c->size);
	return r != DONE ? r : compare(c, c->buf, 0, c->size, "read after sync");
}

static const struct { int (*step)(struct churn *c); unsigned int file, disk; } steps[] = {
	{ step_write, 40, 50 },
	{ step_read, 25, 30 },
	{ step_map, 12, 0 },
	{ step_zero, 10, 15 },
	{ step_truncate, 8, 0 },
	{ step_sync, 5, 5 },
};

static int
step_any(struct churn *c)
{
	unsigned int pick = (unsigned int)draw_below(c, 100), i = 0;

	for (;; i++) {
		unsigned int weight = c->is_disk ? steps[i].disk : steps[i].file;

		if (pick < weight)
			return steps[i].step(c);
		pick -= weight;
	}
}

/* ------ a run ------ */

static bool
goes_on(const struct churn *c)
{
	return c->until != NULL ? access(c->until, F_OK) < 0 : c->step < c->steps;
}

static void
progress(const struct churn *c)
{
	char line[24];
	int len = snprintf(line, sizeof(line), "%012" PRIu64 "\n", c->step);

	if (c->progress_fd >= 0 && pwrite(c->progress_fd, line, (size_t)len, 0) < 0)
		(void)failed(c, c->progress);
}

static int
run(struct churn *c)
{
	int r = DONE;

	if (c->is_disk)
		r = write_whole(c, 0, c->size);
	for (; r == DONE && goes_on(c); c->step++) {
		r = step_any(c);
		progress(c);
	}
	return r == DONE ? step_sync(c) : r;
}

static int
compare_digest(struct churn *c)
{
	char now[48];
	struct stat st;
	int r;

	c->size = (size_t)strtoull(c->compare, NULL, 10);
	if (c->size > c->max)
		c->size = c->max;
	r = read_whole(c, c->buf, 0, c->size);
	if (r != DONE)
		return r;
	if (fstat(c->fd, &st) == 0 && !c->is_disk)
		c->size = (size_t)st.st_size;
	(void)snprintf(now, sizeof(now), "%zu:%016" PRIx64, c->size,
	    digest(c->buf, c->size < c->max ? c->size : c->max));
	if (strcmp(now, c->compare) == 0)
		return DONE;
	fprintf(stderr, "churn: %s: is %s, not %s\n", c->path, now, c->compare);
	return WRONG;
}

static int
usage(void)
{
	fputs("usage: churn [-d] [-n STEPS] [-u FILE] [-p FILE] [-o AT] [-l LENGTH] [-s SEED] "
	    "PATH\n       churn [-d] -c SIZE:DIGEST [-o AT] PATH\n", stderr);
	return FAILED;
}

static bool
options(struct churn *c, int argc, char **argv)
{
	for (int o; (o = getopt(argc, argv, "dn:u:p:o:l:s:c:")) != -1;)
		switch (o) {
		case 'd': c->is_disk = true; break;
		case 'n': c->steps = strtoull(optarg, NULL, 10); break;
		case 'u': c->until = optarg; break;
		case 'p': c->progress = optarg; break;
		case 'o': c->at = (off_t)strtoull(optarg, NULL, 10); break;
		case 'l': c->max = (size_t)strtoull(optarg, NULL, 10); break;
		case 's': c->seed += strtoull(optarg, NULL, 10) * 0x9e3779b97f4a7c15; break;
		case 'c': c->compare = optarg; break;
		default: return false;
		}
	c->path = argv[optind];
	return optind == argc - 1 && c->max >= BLOCK && c->max % BLOCK == 0 &&
	    c->at % BLOCK == 0 && (c->is_disk || c->at == 0);
}

static int
open_all(struct churn *c)
{
	int flags = c->compare != NULL ? O_RDONLY : c->is_disk ? O_RDWR :
	    O_RDWR | O_CREAT | O_TRUNC;

	c->fd = open(c->path, flags | (c->is_disk ? O_DIRECT : 0) | O_CLOEXEC, 0600);
	if (c->fd < 0)
		return failed(c, "open");
	if (c->progress != NULL) {
		c->progress_fd = open(c->progress, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
		if (c->progress_fd < 0)
			return failed(c, c->progress);
	}
	c->picture = aligned_alloc(BLOCK, c->max);
	c->buf = aligned_alloc(BLOCK, c->max);
	if (c->picture == NULL || c->buf == NULL)
		return failed(c, "memory");
	memset(c->picture, 0, c->max);
	c->size = c->is_disk ? c->max : 0;
	return DONE;
}

int
main(int argc, char **argv)
{
	struct churn c = { .steps = 1000, .max = 4u << 20, .seed = 0x5c5ad, .fd = -1,
	    .progress_fd = -1 };
	int r;

	if (!options(&c, argc, argv))
		return usage();
	r = open_all(&c);
	if (r == DONE)
		r = c.compare != NULL ? compare_digest(&c) : run(&c);
	if (r == DONE && c.compare == NULL)
		printf("%zu:%016" PRIx64 "\n", c.size, digest(c.picture, c.size));
	if (c.fd >= 0 && close(c.fd) < 0 && r == DONE)
		r = failed(&c, "close");
	free(c.picture);
	free(c.buf);
	return r;
}
