/* a file store keeps what was written, refuses what it cannot keep, and survives its file */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/rng.h"
#include "check_main.h"
#include "hw/soft/soft.h"
#include "hw/soft/store.h"

#define IMAGE_BYTES	(4u << 20)

static char dir[48], path[64], err[SOFT_ERR_LEN];
static struct soft_disk_conf conf;
static uint8_t sent[1 << 20], got[1 << 20];
static atomic_int result;

static void
setup_dir(void)
{
	check_folder(dir, sizeof(dir));
	snprintf(path, sizeof(path), "%s/disk.img", dir);
	soft_disk_conf_init(&conf);
	conf.kind = SOFT_STORE_FILE;
	conf.size_bytes = IMAGE_BYTES;
	snprintf(conf.path, sizeof(conf.path), "%s", path);
}

static void
remove_dir(void)
{
	unlink(path);
	rmdir(dir);
}

static struct store *
open_store(void)
{
	struct store *store = NULL;

	ck_assert_msg(store_open(&conf, &store, err) == 0, "%s", err);
	return store;
}

static void
on_done(struct store_req *req, int r)
{
	(void)req;
	atomic_store(&result, r);
}

static struct store_req req;
static struct iovec iov[2];

/* fill the request; two pieces when long enough */
static struct store_req *
ask(enum store_op op, uint64_t offset, void *buf, size_t len)
{
	size_t first = len >= 1024 ? 512 : len;

	iov[0] = (struct iovec){ buf, first };
	iov[1] = (struct iovec){ buf == NULL ? NULL : (uint8_t *)buf + first, len - first };
	req = (struct store_req){ .op = op, .offset = offset, .len = len, .iov = iov,
		.niov = len > first ? 2 : 1, .done = on_done };
	return &req;
}

static void
fill(uint64_t seed)
{
	struct rng rng = rng_init(seed);

	for (size_t i = 0; i < sizeof(sent); i++)
		sent[i] = (uint8_t)rng_next(&rng);
}

START_TEST(missing_file_is_made_sparse_and_kept)
{
	struct store *store;
	struct stat st;

	setup_dir();
	store = open_store();
	ck_assert_uint_eq(store->info.size_bytes, IMAGE_BYTES);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq(st.st_size, IMAGE_BYTES);
	/* a file system may keep something of its own there */
	ck_assert_int_lt(st.st_blocks * 512, 65536);
	fill(1);
	ck_assert_int_eq(store_do(store, ask(STORE_WRITE, 4096, sent, 8192)), 0);
	ck_assert_int_eq(store_do(store, ask(STORE_FLUSH, 0, NULL, 0)), 0);
	store_close(store);

	conf.size_bytes = 0;
	store = open_store();
	ck_assert_int_eq(store_do(store, ask(STORE_READ, 0, got, 16384)), 0);
	ck_assert_mem_eq(got + 4096, sent, 8192);
	memset(sent, 0, 4096);
	ck_assert_mem_eq(got, sent, 4096);
	ck_assert_mem_eq(got + 12288, sent, 4096);
	store_close(store);
	remove_dir();
}
END_TEST

static void
refused(int want, const char *says)
{
	struct store *store = NULL;
	int r = store_open(&conf, &store, err);

	ck_assert_msg(r == want, "%d '%s'", r, err);
	ck_assert_msg(strstr(err, says) != NULL, "'%s'", err);
}

/* some file systems take any size */
static void
too_large_is_refused(void)
{
	struct rlimit limit, old;

	(void)signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &old), 0);
	limit = old;
	limit.rlim_cur = IMAGE_BYTES - 1;
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	refused(-EFBIG, "cannot be made");
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &old), 0);
	ck_assert_int_eq(access(path, F_OK), -1);
}

START_TEST(unusable_paths_are_refused_with_what_to_do)
{
	struct store *store;

	setup_dir();
	conf.size_bytes = 0;
	refused(-ENOENT, "give a size");
	snprintf(conf.path, sizeof(conf.path), "%s", dir);
	refused(-EISDIR, "is a directory; name a file in it");
	snprintf(conf.path, sizeof(conf.path), "/dev/null");
	refused(-EINVAL, "neither a file nor a block device");
	snprintf(conf.path, sizeof(conf.path), "%s/no/disk.img", dir);
	refused(-ENOENT, "does not exist");
	snprintf(conf.path, sizeof(conf.path), "%s", path);

	conf.size_bytes = IMAGE_BYTES;
	store = open_store();
	refused(-EBUSY, "in use by another scsad");
	store_close(store);

	conf.size_bytes = 2 * IMAGE_BYTES;
	refused(-EINVAL, "truncate -s 8388608");
	ck_assert_int_eq(truncate(path, 1000), 0);
	conf.size_bytes = 0;
	refused(-EINVAL, "not a multiple of the block");
	ck_assert_int_eq(truncate(path, 0), 0);
	refused(-EINVAL, "is empty");
	ck_assert_int_eq(unlink(path), 0);
	conf.size_bytes = IMAGE_BYTES;
	too_large_is_refused();
	remove_dir();
}
END_TEST

START_TEST(readers_share_a_file_and_cannot_write)
{
	struct store *one, *two;

	setup_dir();
	store_close(open_store());
	conf.is_readonly = true;
	one = open_store();
	two = open_store();
	ck_assert(one->info.is_readonly);
	ck_assert_int_eq(store_do(one, ask(STORE_READ, 0, got, 4096)), 0);
	ck_assert_int_eq(store_do(one, ask(STORE_WRITE, 0, sent, 4096)), -EROFS);
	ck_assert_int_eq(store_do(one, ask(STORE_UNMAP, 0, NULL, 4096)), -EROFS);
	ck_assert_int_eq(store_do(one, ask(STORE_FLUSH, 0, NULL, 0)), 0);
	conf.is_readonly = false;
	refused(-EBUSY, "readers with readonly=1 may share one");
	store_close(two);
	store_close(one);
	remove_dir();
}
END_TEST

static int dead_fd = -1;	/* what is left of who locked the file */
static uint64_t dead_since;	/* first asked; its writes land after that and what a living one gets */

/* the store's calls come by here */
int
flock(int fd, int op)
{
	uint64_t now = clock_now_ns();

	if (dead_fd >= 0 && dead_since == 0)
		dead_since = now;
	if (dead_fd >= 0 && now - dead_since > 1200 * NS_PER_MS) {
		close(dead_fd);
		dead_fd = -1;
	}
	return (int)syscall(SYS_flock, fd, op);
}

START_TEST(locks_of_the_living_refuse_those_of_the_dead_are_waited_for)
{
	struct store *store;
	char says[48];
	int status;
	pid_t pid;

	setup_dir();
	store = open_store();
	(void)snprintf(says, sizeof(says), "by another scsad (process %d)", (int)getpid());
	refused(-EBUSY, says);
	store_close(store);

	dead_fd = open(path, O_RDWR | O_CLOEXEC);
	ck_assert_int_ge(dead_fd, 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		_exit(syscall(SYS_flock, dead_fd, LOCK_EX) != 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	store_close(open_store());
	ck_assert_int_eq(dead_fd, -1);
	remove_dir();
}
END_TEST

/* can this file system make holes, and does it tell at once? */
static bool
has_holes(void)
{
	struct stat before, after;
	int fd = open(path, O_RDWR);
	bool can;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(pwrite(fd, sent, sizeof(sent), 0), sizeof(sent));
	can = fsync(fd) == 0 && fstat(fd, &before) == 0 &&
	    fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, sizeof(sent)) == 0 &&
	    fstat(fd, &after) == 0 && after.st_blocks < before.st_blocks;
	(void)close(fd);
	return can;
}

START_TEST(unmapped_range_is_zero_and_gives_space_back)
{
	struct store *store;
	struct stat before, after;
	bool can_give;

	setup_dir();
	store = open_store();
	fill(2);
	can_give = has_holes();
	ck_assert_int_eq(store_do(store, ask(STORE_WRITE, 0, sent, sizeof(sent))), 0);
	ck_assert_int_eq(store_do(store, ask(STORE_FLUSH, 0, NULL, 0)), 0);
	ck_assert_int_eq(stat(path, &before), 0);
	ck_assert_int_eq(store_do(store, ask(STORE_UNMAP, 512, NULL, sizeof(sent) - 1024)), 0);
	ck_assert_int_eq(stat(path, &after), 0);
	if (can_give)
		ck_assert_int_lt(after.st_blocks, before.st_blocks);
	ck_assert_int_eq(after.st_size, IMAGE_BYTES);
	ck_assert_int_eq(store_do(store, ask(STORE_READ, 0, got, sizeof(got))), 0);
	ck_assert_mem_eq(got, sent, 512);
	ck_assert_mem_eq(got + sizeof(got) - 512, sent + sizeof(sent) - 512, 512);
	memset(sent, 0, sizeof(sent));
	ck_assert_mem_eq(got + 512, sent, sizeof(got) - 1024);
	store_close(store);
	remove_dir();
}
END_TEST

START_TEST(shrunk_file_gives_errors_and_is_not_grown)
{
	struct store *store;
	struct stat st;

	setup_dir();
	store = open_store();
	ck_assert_int_eq(truncate(path, 8192), 0);
	ck_assert_int_eq(store_do(store, ask(STORE_READ, 0, got, 8192)), 0);
	ck_assert_int_eq(store_do(store, ask(STORE_READ, 4096, got, 8192)), -ENODATA);
	ck_assert_int_eq(store_do(store, ask(STORE_READ, 1 << 20, got, 512)), -ENODATA);
	ck_assert_int_eq(store_do(store, ask(STORE_WRITE, 1 << 20, sent, 512)), -ENODATA);
	ck_assert_int_eq(store_do(store, ask(STORE_UNMAP, 1 << 20, NULL, 512)), -ENODATA);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq(st.st_size, 8192);
	store_close(store);
	remove_dir();
}
END_TEST

START_TEST(direct_io_with_any_memory)
{
	struct store *store = NULL;

	setup_dir();
	conf.is_direct = true;
	conf.block_bytes = 4096;
	if (store_open(&conf, &store, err) < 0) {
		ck_assert_msg(strstr(err, "direct") != NULL, "%s", err);
		remove_dir();
		return;		/* this file system has none, and says so */
	}
	fill(3);
	ck_assert_int_eq(store_do(store, ask(STORE_WRITE, 4096, sent + 3, 40960)), 0);
	req.is_fua = true;
	ck_assert_int_eq(store_do(store, ask(STORE_READ, 4096, got + 5, 40960)), 0);
	ck_assert_mem_eq(got + 5, sent + 3, 40960);
	/* an end inside a block */
	memset(got, 0xee, 8192);
	ck_assert_int_eq(store_do(store, ask(STORE_READ, 4096, got, 5000)), 0);
	ck_assert_mem_eq(got, sent + 3, 5000);
	ck_assert_int_eq(got[5000], 0xee);
	fault_arm(1);
	ck_assert_int_eq(store_do(store, ask(STORE_READ, 4096, got + 5, 4096)), -ENOMEM);
	ck_assert(fault_disarm());
	store_close(store);
	remove_dir();
}
END_TEST

/* queue a request on @aio: it must answer, and what */
static int
queued(struct store *store, struct aio *aio, int fd, struct store_req *r)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	uint64_t count;

	atomic_store(&result, 1);
	r->aio = aio;
	store_queue(store, r);
	while (atomic_load(&result) == 1) {
		if (!aio_is_uring(aio)) {
			sched_yield();
			continue;
		}
		ck_assert_int_eq(poll(&pfd, 1, -1), 1);
		ck_assert_int_eq(read(fd, &count, sizeof(count)), sizeof(count));
		while (aio_reap(aio, 1))
			;
	}
	return atomic_load(&result);
}

static void
walk_queue(int fd)
{
	struct store *store;
	struct aio *aio;

	setup_dir();
	store = open_store();
	ck_assert_int_eq(aio_open(fd, &aio), 0);
	fill(4);
	ask(STORE_WRITE, 8192, sent, 65536);
	req.is_fua = true;
	ck_assert_int_eq(queued(store, aio, fd, &req), 0);
	ck_assert_int_eq(queued(store, aio, fd, ask(STORE_FLUSH, 0, NULL, 0)), 0);
	ck_assert_int_eq(queued(store, aio, fd, ask(STORE_READ, 8192, got, 65536)), 0);
	ck_assert_mem_eq(got, sent, 65536);
	ask(STORE_UNMAP, 8192, NULL, 65536);
	req.is_fua = true;
	ck_assert_int_eq(queued(store, aio, fd, &req), 0);
	ck_assert_int_eq(queued(store, aio, fd, ask(STORE_READ, 8192, got, 4096)), 0);
	ck_assert_int_eq(got[0] | got[4095], 0);
	ck_assert_int_eq(truncate(path, 4096), 0);
	ck_assert_int_eq(queued(store, aio, fd, ask(STORE_READ, 8192, got, 4096)), -ENODATA);
	ck_assert_int_eq(queued(store, aio, fd, ask(STORE_WRITE, 8192, sent, 4096)), -ENODATA);
	store_cancel(&req);
	if (aio_is_uring(aio))
		(void)aio_reap(aio, 8);
	aio_close(aio);
	store_close(store);
	remove_dir();
}

START_TEST(queue_of_the_kernel)
{
	int fd = eventfd(0, EFD_CLOEXEC);

	walk_queue(fd);
	close(fd);
}
END_TEST

START_TEST(queue_of_threads)
{
	walk_queue(-1);
}
END_TEST

static atomic_int many_left;

static void
on_many(struct store_req *r, int res)
{
	(void)r;
	ck_assert_int_eq(res, 0);
	atomic_fetch_sub(&many_left, 1);
}

START_TEST(more_requests_than_the_queue_holds)
{
	enum { N = 700 };
	static struct store_req reqs[N];
	static struct iovec iovs[N];
	int fd = eventfd(0, EFD_CLOEXEC);
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	struct store *store;
	struct aio *aio;
	uint64_t count;

	setup_dir();
	store = open_store();
	ck_assert_int_eq(aio_open(fd, &aio), 0);
	atomic_store(&many_left, N);
	for (size_t i = 0; i < N; i++) {
		iovs[i] = (struct iovec){ got, 512 };
		reqs[i] = (struct store_req){ .op = STORE_READ, .offset = 512 * i, .len = 512,
			.iov = &iovs[i], .niov = 1, .aio = aio, .done = on_many };
		store_queue(store, &reqs[i]);
	}
	while (atomic_load(&many_left) > 0 && aio_is_uring(aio)) {
		ck_assert_int_eq(poll(&pfd, 1, -1), 1);
		ck_assert_int_eq(read(fd, &count, sizeof(count)), sizeof(count));
		while (aio_reap(aio, 64))
			;
	}
	while (atomic_load(&many_left) > 0)
		sched_yield();
	aio_close(aio);
	close(fd);
	store_close(store);
	remove_dir();
}
END_TEST

START_TEST(full_file_system)
{
	struct store *store;
	struct stat st;

	setup_dir();
	/* for this process alone: whatever becomes of it, the file system goes with it */
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("none", dir, "tmpfs", 0, "size=1m") < 0) {
		rmdir(dir);
		return;		/* only root can make a file system that is full */
	}
	store = open_store();
	fill(5);
	ck_assert_int_eq(store_do(store, ask(STORE_WRITE, 0, sent, 262144)), 0);
	ck_assert_int_eq(
	    store_do(store, ask(STORE_WRITE, 1 << 20, sent, sizeof(sent))), -ENOSPC);
	ck_assert_int_eq(store_do(store, ask(STORE_READ, 0, got, 262144)), 0);
	ck_assert_mem_eq(got, sent, 262144);
	/* space returns, the write is good */
	ck_assert_int_eq(store_do(store, ask(STORE_UNMAP, 1 << 20, NULL, sizeof(sent))), 0);
	ck_assert_int_eq(store_do(store, ask(STORE_WRITE, 1 << 20, sent, 262144)), 0);
	ck_assert_int_eq(fstatat(AT_FDCWD, path, &st, 0), 0);
	store_close(store);
	unlink(path);
	ck_assert_int_eq(umount(dir), 0);
	rmdir(dir);
}
END_TEST

START_TEST(no_memory_is_an_error)
{
	struct store *store = NULL;
	struct aio *aio = NULL;

	setup_dir();
	fault_arm(1);
	ck_assert_int_eq(store_open(&conf, &store, err), -ENOMEM);
	ck_assert(fault_disarm());
	fault_arm(1);
	ck_assert_int_eq(aio_open(-1, &aio), -ENOMEM);
	ck_assert(fault_disarm());
	aio_close(NULL);
	store_close(NULL);
	remove_dir();
}
END_TEST

CHECK_MAIN("store file", missing_file_is_made_sparse_and_kept,
    unusable_paths_are_refused_with_what_to_do, readers_share_a_file_and_cannot_write,
    locks_of_the_living_refuse_those_of_the_dead_are_waited_for,
    unmapped_range_is_zero_and_gives_space_back, shrunk_file_gives_errors_and_is_not_grown,
    direct_io_with_any_memory, queue_of_the_kernel, queue_of_threads,
    more_requests_than_the_queue_holds, full_file_system, no_memory_is_an_error)
