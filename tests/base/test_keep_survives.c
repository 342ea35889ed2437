/* keep: what was written is read, what was not finished is not, and errors keep the old
 * bytes */
#include "base/keep.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/rng.h"
#include "check_main.h"

static char folder[64];
static int dir;

static void
begin(void)
{
	(void)snprintf(folder, sizeof(folder), "/tmp/keep-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(dir, 0);
}

static void
end(void)
{
	static const char *const names[] = { "a", "a.new", "b", "b.new", "link" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		(void)unlinkat(dir, names[i], 0);
	close(dir);
	ck_assert_int_eq(rmdir(folder), 0);
}

/* the bytes of a file as they lie there */
static size_t
raw_read(const char *name, uint8_t *buf, size_t size)
{
	int fd = openat(dir, name, O_RDONLY);
	ssize_t n = read(fd, buf, size);

	ck_assert_int_ge(n, 0);
	close(fd);
	return (size_t)n;
}

static void
raw_write(const char *name, const uint8_t *buf, size_t len)
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	ck_assert_int_eq(write(fd, buf, len), (ssize_t)len);
	close(fd);
}

static void
holds(const char *name, const void *want, size_t len)
{
	uint8_t buf[4096];
	size_t n = 0;

	ck_assert_int_eq(keep_read(dir, name, buf, sizeof(buf), &n), 0);
	ck_assert_uint_eq(n, len);
	ck_assert_mem_eq(buf, want, len);
}

START_TEST(comes_back)
{
	uint8_t *big = malloc(KEEP_LEN_MAX + 1), *back = malloc(KEEP_LEN_MAX + 1);
	struct rng rng = rng_init(1);
	size_t n;

	begin();
	ck_assert_int_eq(keep_read(dir, "a", back, 10, &n), -ENOENT);
	ck_assert_int_eq(keep_write(dir, "a", "one", 3), 0);
	holds("a", "one", 3);
	ck_assert_int_eq(keep_write(dir, "a", "three", 5), 0);
	holds("a", "three", 5);
	ck_assert_int_eq(keep_write(dir, "a", "", 0), 0);
	holds("a", "", 0);
	for (size_t i = 0; i <= KEEP_LEN_MAX; i++)
		big[i] = (uint8_t)rng_next(&rng);
	ck_assert_int_eq(keep_write(dir, "b", big, KEEP_LEN_MAX + 1), -EMSGSIZE);
	ck_assert_int_eq(keep_write(dir, "b", big, KEEP_LEN_MAX), 0);
	ck_assert_int_eq(keep_read(dir, "b", back, KEEP_LEN_MAX - 1, &n), -EMSGSIZE);
	ck_assert_int_eq(keep_read(dir, "b", back, KEEP_LEN_MAX, &n), 0);
	ck_assert_uint_eq(n, KEEP_LEN_MAX);
	ck_assert_mem_eq(back, big, n);
	ck_assert_int_eq(keep_remove(dir, "b"), 0);
	ck_assert_int_eq(keep_remove(dir, "b"), 0);
	ck_assert_int_eq(keep_read(dir, "b", back, 10, &n), -ENOENT);
	end();
	free(big);
	free(back);
}
END_TEST

/* every way in which a file can be cut, changed or lengthened by a bit is found out */
START_TEST(damage_is_found)
{
	static const uint8_t data[] = "which initiator holds what";
	uint8_t good[128], bad[129], buf[64];
	size_t len, n;

	begin();
	ck_assert_int_eq(keep_write(dir, "a", data, sizeof(data)), 0);
	len = raw_read("a", good, sizeof(good));
	ck_assert_uint_eq(len, KEEP_HEADER_LEN + sizeof(data));
	for (size_t cut = 0; cut < len; cut++) {
		raw_write("b", good, cut);
		ck_assert_int_eq(keep_read(dir, "b", buf, sizeof(buf), &n), -EBADMSG);
	}
	for (size_t bit = 0; bit < len * 8; bit++) {
		memcpy(bad, good, len);
		bad[bit / 8] ^= (uint8_t)(1u << bit % 8);
		raw_write("b", bad, len);
		ck_assert_int_eq(keep_read(dir, "b", buf, sizeof(buf), &n), -EBADMSG);
	}
	memcpy(bad, good, len);
	bad[len] = 0;
	raw_write("b", bad, len + 1);
	ck_assert_int_eq(keep_read(dir, "b", buf, sizeof(buf), &n), -EBADMSG);
	raw_write("b", good, len);
	holds("b", data, sizeof(data));
	end();
}
END_TEST

START_TEST(later_formats_and_other_things_are_refused)
{
	uint8_t file[KEEP_HEADER_LEN], buf[8];
	uint32_t crc;
	size_t n;

	begin();
	ck_assert_int_eq(keep_write(dir, "a", "", 0), 0);
	ck_assert_uint_eq(raw_read("a", file, sizeof(file)), sizeof(file));
	file[8] = KEEP_VERSION + 1;
	crc = keep_crc(0, file, 20);
	memcpy(file + 20, &crc, 4);
	raw_write("a", file, sizeof(file));
	ck_assert_int_eq(keep_read(dir, "a", buf, sizeof(buf), &n), -EPROTO);
	file[8] = KEEP_VERSION;
	memset(file + 12, 0xff, 4);
	crc = keep_crc(0, file, 20);
	memcpy(file + 20, &crc, 4);
	raw_write("a", file, sizeof(file));
	ck_assert_int_eq(keep_read(dir, "a", buf, sizeof(buf), &n), -EBADMSG);

	ck_assert_int_eq(symlinkat("a", dir, "link"), 0);
	ck_assert_int_eq(keep_read(dir, "link", buf, sizeof(buf), &n), -ELOOP);
	ck_assert_int_eq(unlinkat(dir, "link", 0), 0);
	ck_assert_int_eq(mkfifoat(dir, "link", 0600), 0);
	ck_assert_int_eq(keep_read(dir, "link", buf, sizeof(buf), &n), -EBADMSG);
	/* a link that lies where the successor goes is not written through */
	ck_assert_int_eq(symlinkat("b", dir, "a.new"), 0);
	ck_assert_int_eq(keep_write(dir, "a", "x", 1), -ELOOP);
	ck_assert_int_eq(faccessat(dir, "b", F_OK, 0), -1);
	end();
}
END_TEST

/* every step may fail: the old bytes stay, no debris, and the next try works */
START_TEST(failures_keep_the_old)
{
	int n_failed = 0;

	begin();
	ck_assert_int_eq(keep_write(dir, "a", "old", 3), 0);
	for (int i = 1;; i++) {
		int r;

		fault_arm(i);
		r = keep_write(dir, "a", "new", 3);
		if (!fault_disarm())
			break;
		n_failed++;
		ck_assert_int_lt(r, 0);
		ck_assert_int_eq(faccessat(dir, "a.new", F_OK, 0), -1);
		if (r == -EUCLEAN)
			holds("a", "new", 3);
		else
			holds("a", "old", 3);
		ck_assert_int_eq(keep_write(dir, "a", "old", 3), 0);
	}
	holds("a", "new", 3);
	ck_assert_int_eq(n_failed, 6);	/* open, header, data, fsync, rename, folder */
	fault_arm(1);
	ck_assert_int_eq(keep_remove(dir, "a"), -EUCLEAN);
	ck_assert_int_eq(keep_remove(dir, "a"), 0);
	end();
}
END_TEST

/* a disk that is full in the middle of the file */
START_TEST(full_disk)
{
	struct rlimit limit, old;
	uint8_t data[200] = { 0 };

	begin();
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &old), 0);
	limit = old;
	limit.rlim_cur = 100;
	ck_assert_int_eq(keep_write(dir, "a", "old", 3), 0);
	(void)signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	ck_assert_int_eq(keep_write(dir, "a", data, sizeof(data)), -EFBIG);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &old), 0);
	holds("a", "old", 3);
	ck_assert_int_eq(faccessat(dir, "a.new", F_OK, 0), -1);
	end();
}
END_TEST

/* what a crash left behind is neither read nor in the way */
START_TEST(debris_is_replaced)
{
	uint8_t buf[8];
	size_t n;

	begin();
	raw_write("a.new", (const uint8_t *)"half of somethi", 15);
	ck_assert_int_eq(keep_read(dir, "a", buf, sizeof(buf), &n), -ENOENT);
	ck_assert_int_eq(keep_write(dir, "a", "x", 1), 0);
	holds("a", "x", 1);
	ck_assert_int_eq(faccessat(dir, "a.new", F_OK, 0), -1);
	end();
}
END_TEST

START_TEST(names)
{
	char name[KEEP_NAME_MAX + 1], longest[KEEP_NAME_MAX + 2];
	uint8_t bytes[KEEP_NAME_MAX];
	static const char *const bad[] = { "", ".", "..", ".a", "a/b", "/a", "a.new", ".new" };
	size_t n;

	begin();
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		ck_assert_int_eq(keep_write(dir, bad[i], "", 0), -EINVAL);
		ck_assert_int_eq(keep_read(dir, bad[i], bytes, 1, &n), -EINVAL);
		ck_assert_int_eq(keep_remove(dir, bad[i]), -EINVAL);
	}
	memset(longest, 'x', sizeof(longest));
	longest[KEEP_NAME_MAX + 1] = '\0';
	ck_assert_int_eq(keep_write(dir, longest, "", 0), -EINVAL);
	longest[KEEP_NAME_MAX] = '\0';
	ck_assert_int_eq(keep_write(dir, longest, "", 0), 0);
	ck_assert_int_eq(keep_remove(dir, longest), 0);

	ck_assert_int_eq(keep_name("pr-", "a/B.\0_-9", 8, name), 0);
	ck_assert_str_eq(name, "pr-a%2FB%2E%00_-9");
	ck_assert_int_eq(keep_name("", ".new", 4, name), 0);
	ck_assert_int_eq(keep_write(dir, name, "", 0), 0);
	ck_assert_int_eq(keep_remove(dir, name), 0);
	ck_assert_int_eq(keep_name("pr-", "", 0, name), -ENAMETOOLONG);
	memset(bytes, 'y', sizeof(bytes));
	ck_assert_int_eq(keep_name("pr-", bytes, KEEP_NAME_MAX - 3, name), 0);
	ck_assert_uint_eq(strlen(name), KEEP_NAME_MAX);
	ck_assert_int_eq(keep_name("pr-", bytes, KEEP_NAME_MAX - 2, name), -ENAMETOOLONG);
	bytes[KEEP_NAME_MAX - 4] = '/';
	ck_assert_int_eq(keep_name("pr-", bytes, KEEP_NAME_MAX - 3, name), -ENAMETOOLONG);
	ck_assert_int_eq(keep_name(longest, bytes, 1, name), -ENAMETOOLONG);
	end();
}
END_TEST

/* RFC 3720 B.4 */
START_TEST(checksum)
{
	uint8_t bytes[32];

	memset(bytes, 0, sizeof(bytes));
	ck_assert_uint_eq(keep_crc(0, bytes, 32), 0x8a9136aa);
	memset(bytes, 0xff, sizeof(bytes));
	ck_assert_uint_eq(keep_crc(0, bytes, 32), 0x62a8ab43);
	for (size_t i = 0; i < 32; i++)
		bytes[i] = (uint8_t)i;
	ck_assert_uint_eq(keep_crc(0, bytes, 32), 0x46dd794e);
	ck_assert_uint_eq(keep_crc(keep_crc(0, bytes, 7), bytes + 7, 25), 0x46dd794e);
}
END_TEST

CHECK_MAIN("keep", comes_back, damage_is_found, later_formats_and_other_things_are_refused,
    failures_keep_the_old, full_disk, debris_is_replaced, names, checksum)
