/* memory keeps what was written and gives unmapped pages back; null keeps nothing */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "base/fault.h"
#include "check_main.h"
#include "hw/soft/soft.h"
#include "hw/soft/store.h"

static char err[SOFT_ERR_LEN];
static uint8_t a[65536], b[65536];

static struct store *
open_line(const char *line)
{
	struct soft_disk_conf conf;
	struct store *store;

	ck_assert_int_eq(soft_conf_parse(line, &conf, err), 0);
	ck_assert_msg(store_open(&conf, &store, err) == 0, "%s", err);
	return store;
}

static int
run(struct store *store, enum store_op op, uint64_t offset, void *buf, size_t len)
{
	void *rest = buf == NULL ? NULL : (uint8_t *)buf + len / 2;
	struct iovec iov[2] = { { buf, len / 2 }, { rest, len - len / 2 } };
	struct store_req req = {.op = op, .offset = offset, .len = len, .iov = iov, .niov = 2};

	return store_do(store, &req);
}

START_TEST(memory_keeps_and_forgets)
{
	struct store *store = open_line("mem:64G");

	memset(a, 0x77, sizeof(a));
	ck_assert_int_eq(run(store, STORE_WRITE, (1ull << 36) - sizeof(a), a, sizeof(a)), 0);
	ck_assert_int_eq(run(store, STORE_READ, (1ull << 36) - sizeof(a), b, sizeof(b)), 0);
	ck_assert_mem_eq(a, b, sizeof(a));
	/* in the middle of pages at both ends, and inside one page */
	ck_assert_int_eq(
	    run(store, STORE_UNMAP, (1ull << 36) - sizeof(a) + 512, NULL, 16384), 0);
	ck_assert_int_eq(run(store, STORE_UNMAP, (1ull << 36) - 1024, NULL, 512), 0);
	memset(a + 512, 0, 16384);
	memset(a + sizeof(a) - 1024, 0, 512);
	ck_assert_int_eq(run(store, STORE_READ, (1ull << 36) - sizeof(a), b, sizeof(b)), 0);
	ck_assert_mem_eq(a, b, sizeof(a));
	ck_assert_int_eq(run(store, STORE_FLUSH, 0, NULL, 0), 0);
	ck_assert_int_eq(run(store, STORE_READ, 5, NULL, 0), 0);
	store_close(store);
}
END_TEST

START_TEST(null_is_zeros)
{
	struct store *store = open_line("null:1T,block=4096");

	memset(a, 0x77, sizeof(a));
	ck_assert_int_eq(run(store, STORE_WRITE, 0, a, sizeof(a)), 0);
	ck_assert_int_eq(run(store, STORE_READ, 0, a, sizeof(a)), 0);
	memset(b, 0, sizeof(b));
	ck_assert_mem_eq(a, b, sizeof(a));
	ck_assert_int_eq(run(store, STORE_UNMAP, 0, NULL, 4096), 0);
	store_close(store);
}
END_TEST

static int answered;

static void
on_done(struct store_req *req, int result)
{
	(void)req;
	answered = result + 1;
}

START_TEST(queue_answers_at_once)
{
	struct store *store = open_line("mem:1M,readonly=1");
	struct iovec iov = { a, 512 };
	struct store_req req = {
	    .op = STORE_READ, .len = 512, .iov = &iov, .niov = 1, .done = on_done};

	store_queue(store, &req);
	ck_assert_int_eq(answered, 1);
	ck_assert_int_eq(run(store, STORE_WRITE, 0, a, 512), -EROFS);
	store_close(store);
}
END_TEST

START_TEST(no_address_space_is_said)
{
	struct soft_disk_conf conf;
	struct store *store;

	ck_assert_int_eq(soft_conf_parse("mem:1M", &conf, err), 0);
	fault_arm(1);
	ck_assert_int_eq(store_open(&conf, &store, err), -ENOMEM);
	ck_assert(fault_disarm());
	ck_assert(strstr(err, "make it smaller") != NULL);
	conf.kind = SOFT_STORE_N;
	ck_assert_int_eq(store_open(&conf, &store, err), -EINVAL);
}
END_TEST

CHECK_MAIN("store memory", memory_keeps_and_forgets, null_is_zeros, queue_answers_at_once,
    no_address_space_is_said)
