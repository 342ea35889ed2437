/* an adapter is made of its disks, or refused with the disk and what to do */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fault.h"
#include "check_main.h"
#include "ddi/devtree.h"
#include "hw/soft/soft.h"

static char err[SOFT_ERR_LEN];
static struct soft_disk_conf disks[SOFT_TARGETS + 1];
static struct soft_hba *hba;

static int
declare(size_t n, const char *const *lines)
{
	struct soft_hba_conf conf = { .disks = disks, .ndisks = n };

	for (size_t i = 0; i < n; i++)
		ck_assert_msg(soft_conf_parse(lines[i], &disks[i], err) == 0, "%s", err);
	return soft_hba_new(&conf, &hba, err);
}

#define DECLARE(...)                                                           \
	declare(sizeof((const char *[]){ __VA_ARGS__ }) / sizeof(char *),      \
	    (const char *[]){ __VA_ARGS__ })

START_TEST(addresses_are_given_out_in_order)
{
	static const int want[] = { 0, 3, 1, 3, 2 };
	struct soft_disk_info info;
	size_t index;

	ck_assert_msg(DECLARE("mem:1M", "mem:1M,target=3", "null:1M", "mem:1M,target=3,lun=9",
			  "mem:1M") == 0,
	    "%s", err);
	for (size_t i = 0; i < 5; i++) {
		ck_assert_int_eq(soft_disk_info_get(hba, i, &info), 0);
		ck_assert_int_eq(info.target, want[i]);
		ck_assert_int_eq(soft_disk_index(hba, info.target, info.lun, &index), 0);
		ck_assert_uint_eq(index, i);
	}
	ck_assert_str_eq(info.serial, "mem-0200");
	ck_assert_uint_eq(info.blocks, 2048);
	ck_assert_int_eq(soft_disk_index(hba, 3, 1, &index), -ENOENT);
	ck_assert_int_eq(soft_disk_index(hba, 1024, 0, &index), -ENOENT);
	ck_assert_int_eq(soft_disk_index(hba, -1, 0, &index), -ENOENT);
	ck_assert_ptr_eq(soft_hba_find(soft_hba_node(hba)), hba);
	soft_hba_free(hba);
	soft_hba_free(NULL);
}
END_TEST

START_TEST(bad_sets_are_refused)
{
	static const char *many[SOFT_TARGETS + 1];

	ck_assert_int_eq(DECLARE("mem:1M,target=2", "mem:1M,target=2"), -EINVAL);
	ck_assert_msg(strstr(err, "target 2 lun 0: two disks") != NULL, "%s", err);
	for (size_t i = 0; i < SOFT_TARGETS + 1; i++)
		many[i] = "mem:1M";
	ck_assert_int_eq(declare(SOFT_TARGETS + 1, many), -EINVAL);
	ck_assert(strstr(err, "no target number is free") != NULL);
	ck_assert_int_eq(DECLARE("mem:1M", "/nowhere/at/all.img"), -ENOENT);
	ck_assert(strstr(err, "'/nowhere/at/all.img' does not exist") != NULL);
	ck_assert_int_eq(soft_conf_parse("mem:1M", &disks[0], err), 0);
	disks[0].lun = SOFT_LUNS;
	ck_assert_int_eq(
	    soft_hba_new(&(struct soft_hba_conf){.disks = disks, .ndisks = 1}, &hba, err),
	    -EINVAL);
	ck_assert(strstr(err, "luns are 0 to 16383") != NULL);
}
END_TEST

START_TEST(no_disks_is_an_adapter_too)
{
	struct soft_hba_conf conf = { .ndisks = 0 };

	ck_assert_int_eq(soft_hba_new(&conf, &hba, err), 0);
	ck_assert_uint_eq(soft_hba_disks(hba), 0);
	soft_hba_free(hba);
	ck_assert_ptr_null(soft_hba_find(devi_root()));
}
END_TEST

START_TEST(same_file_twice_is_refused_and_serials_stay)
{
	char path[64], serial[40];
	struct soft_disk_info info;
	int fd = check_file(path, sizeof(path));

	ck_assert_int_eq(ftruncate(fd, 1 << 20), 0);
	close(fd);
	ck_assert_int_eq(DECLARE(path, path), -EBUSY);
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(DECLARE(path), 0);
		ck_assert_int_eq(soft_disk_info_get(hba, 0, &info), 0);
		if (i == 0)
			snprintf(serial, sizeof(serial), "%s", info.serial);
		ck_assert_str_eq(serial, info.serial);
		ck_assert_str_eq(info.path, path);
		soft_hba_free(hba);
	}
	unlink(path);
}
END_TEST

START_TEST(memory_runs_out_anywhere)
{
	int64_t n;

	for (n = 1; n < 100; n++) {
		int r;

		fault_arm(n);
		r = DECLARE("mem:1M", "null:1M");
		if (!fault_disarm())
			break;
		ck_assert_msg(r == -ENOMEM, "%lld: %d %s", (long long)n, r, err);
	}
	ck_assert_int_gt(n, 2);
	soft_hba_free(hba);
}
END_TEST

START_TEST(fault_rules_by_text)
{
	struct fault_rule rules[2];
	uint32_t id, last = 0;

	ck_assert_int_eq(DECLARE("mem:1M"), 0);
	ck_assert_int_eq(soft_fault_add(hba, "action=nonsense", &id, err), -EINVAL);
	ck_assert(strstr(err, "needs one of") != NULL);
	for (int i = 0; i < FAULT_MAX; i++) {
		ck_assert_int_eq(soft_fault_add(hba, "action=drop", &id, err), 0);
		ck_assert_uint_gt(id, last);
		last = id;
	}
	ck_assert_int_eq(soft_fault_add(hba, "action=drop", &id, err), -ENOSPC);
	ck_assert(strstr(err, "remove one") != NULL);
	ck_assert_uint_eq(soft_fault_list(hba, rules, 2), FAULT_MAX);
	ck_assert_uint_lt(rules[0].id, rules[1].id);
	soft_hba_free(hba);
}
END_TEST

CHECK_MAIN("adapter is declared", addresses_are_given_out_in_order, bad_sets_are_refused,
    no_disks_is_an_adapter_too, same_file_twice_is_refused_and_serials_stay,
    memory_runs_out_anywhere, fault_rules_by_text)
