/* the one-line form of a disk says what it means, and every mistake is named */
#include <errno.h>
#include <string.h>

#include "check_main.h"
#include "hw/soft/soft.h"

static struct soft_disk_conf conf;
static char err[SOFT_ERR_LEN];

static const struct {
	const char *text;
	enum soft_store_kind kind;
	const char *path;
	uint64_t size;
	uint32_t block, physical;
} good[] = {
	{ "disk.img", SOFT_STORE_FILE, "disk.img", 0, 512, 512 },
	{ "/a/b=c", SOFT_STORE_FILE, "/a/b=c", 0, 512, 512 },
	{ "file:mem:1", SOFT_STORE_FILE, "mem:1", 0, 512, 512 },
	{ "file:/x,size=8G,block=4096", SOFT_STORE_FILE, "/x", 8ull << 30, 4096, 4096 },
	{ "mem:1G", SOFT_STORE_MEM, "", 1ull << 30, 512, 512 },
	{ "mem,size=64K", SOFT_STORE_MEM, "", 65536, 512, 512 },
	{ "null:1T,block=4096", SOFT_STORE_NULL, "", 1ull << 40, 4096, 4096 },
	{ "mem:1M,physical=4K", SOFT_STORE_MEM, "", 1 << 20, 512, 4096 },
};

START_TEST(good_lines)
{
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		ck_assert_msg(soft_conf_parse(good[i].text, &conf, err) == 0, "%s: %s",
		    good[i].text, err);
		ck_assert_int_eq(conf.kind, good[i].kind);
		ck_assert_str_eq(conf.path, good[i].path);
		ck_assert_uint_eq(conf.size_bytes, good[i].size);
		ck_assert_uint_eq(conf.block_bytes, good[i].block);
		ck_assert_uint_eq(conf.physical_bytes, good[i].physical);
		ck_assert(
		    conf.is_thin && !conf.is_direct && !conf.is_readonly && !conf.is_removable);
		ck_assert_int_eq(conf.target, SOFT_ANY);
	}
}
END_TEST

START_TEST(every_option)
{
	ck_assert_int_eq(
	    soft_conf_parse("d.img,type=disk,direct=1,readonly,removable=yes,thin=0,target=3,"
			    "lun=7,serial=ABC,vendor=ACME,product=Fast Disk,revision=1.0",
		&conf, err),
	    0);
	ck_assert(conf.is_direct && conf.is_readonly && conf.is_removable && !conf.is_thin);
	ck_assert_int_eq(conf.target, 3);
	ck_assert_int_eq(conf.lun, 7);
	ck_assert_str_eq(conf.serial, "ABC");
	ck_assert_str_eq(conf.vendor, "ACME");
	ck_assert_str_eq(conf.product, "Fast Disk");
	ck_assert_str_eq(conf.revision, "1.0");
}
END_TEST

static const struct {
	const char *text, *says;
} bad[] = {
	{ "", "needs a path" },
	{ "file:", "needs a path" },
	{ "mem", "needs a size" },
	{ "null,block=4096", "needs a size" },
	{ "mem:", "needs a size" },
	{ "mem:lots", "needs a size" },
	{ "mem:2E", "above the limit" },
	{ "mem:1G,size=2G", "given twice" },
	{ "mem:1000", "not a multiple of the block" },
	{ "mem:1G,block=1024", "512 or 4096" },
	{ "mem:1G,physical=3000", "power of two" },
	{ "mem:1G,block=4096,physical=512", "smaller than the block" },
	{ "mem:1G,direct=1", "for files" },
	{ "mem:1G,colour=red", "no such word; there are type size block" },
	{ "mem:1G,", "missing" },
	{ "mem:1G,lun=1,lun=2", "given twice" },
	{ "mem:1G,target=1024", "0 to 1023" },
	{ "mem:1G,lun=16384", "0 to 16383" },
	{ "mem:1G,lun", "0 to 16383" },
	{ "mem:1G,thin=perhaps", "1 or 0" },
	{ "mem:1G,serial=", "1 to 32" },
	{ "mem:1G,serial=\x01", "printable" },
	{ "mem:1G,vendor=NineChars", "1 to 8" },
	{ "mem:1G,type=tape", "only device type" },
	{ "mem:1G,wwn=5000", "16 hexadecimal digits" },
	{ "mem:1G,wwn=0000000000000000", "16 hexadecimal digits" },
	{ "mem:1G,wwn=5000c50012345678,target=1", "exclude each other" },
	{ "mem:1G,luns=0", "1 to 16384" },
	{ "/some/file,luns=2", "a file is one disk" },
	{ "mem:1G,luns=2,serial=x", "cannot share one serial" },
	{ "mem:1G,luns=2,lun=16383", "too many" },
	{ "mem:1G,port=", "1 to 17" },
	{ "mem:1G,port=a/b", "letters, digits" },
};

START_TEST(bad_lines_are_named_and_change_nothing)
{
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		memset(&conf, 0x5a, sizeof(conf));
		ck_assert_int_eq(soft_conf_parse(bad[i].text, &conf, err), -EINVAL);
		ck_assert_msg(
		    strstr(err, bad[i].says) != NULL, "'%s' gave '%s'", bad[i].text, err);
		ck_assert_int_eq(conf.path[0], 0x5a);
	}
}
END_TEST

START_TEST(long_path_is_refused)
{
	char text[PATH_MAX + 8];

	memset(text, 'a', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	ck_assert_int_eq(soft_conf_parse(text, &conf, err), -EINVAL);
	ck_assert(strstr(err, "longer than") != NULL);
}
END_TEST

START_TEST(kinds_have_names)
{
	ck_assert_str_eq(soft_store_kind_name(SOFT_STORE_NULL), "null");
	ck_assert_str_eq(soft_store_kind_name(SOFT_STORE_FILE), "file");
	ck_assert_str_eq(soft_store_kind_name(SOFT_STORE_N), "none");
}
END_TEST

CHECK_MAIN("disk line", good_lines, every_option, bad_lines_are_named_and_change_nothing,
    long_path_is_refused, kinds_have_names)
