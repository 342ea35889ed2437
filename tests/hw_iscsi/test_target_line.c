/* lines that name a target: what they mean, and what is wrong with them */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fault.h"
#include "check_main.h"
#include "hw/iscsi/iscsi_hba.h"

#define NAME	"iqn.2001-01.com.example:disks"

static struct iscsi_hba_target t;
static char err[ISCSI_HBA_ERR_LEN];

static void
good(const char *line)
{
	err[0] = '\0';
	ck_assert_msg(iscsi_hba_target_parse(line, &t, err) == 0, "%s: %s", line, err);
}

static void
bad(const char *line, int want, const char *says)
{
	int r = iscsi_hba_target_parse(line, &t, err);

	ck_assert_msg(r == want && strstr(err, says) != NULL, "%s: %d %s", line, r, err);
}

START_TEST(addresses)
{
	good("iscsi://127.0.0.1/" NAME);
	ck_assert_str_eq(t.portal, "127.0.0.1:3260");
	ck_assert_str_eq(t.name, NAME);
	good("iscsi://host.example:860/" NAME);
	ck_assert_str_eq(t.portal, "host.example:860");
	good("iscsi://[fe80::1]/" NAME);
	ck_assert_str_eq(t.portal, "[fe80::1]:3260");
	good("iscsi://[::1]:3261/eui.02004567a425678d");
	ck_assert_str_eq(t.portal, "[::1]:3261");

	bad("", -EINVAL, "does not begin with");
	bad("iser://127.0.0.1/" NAME, -EINVAL, "does not begin with");
	bad("iscsi://127.0.0.1", -EINVAL, "names no target");
	bad("iscsi:///" NAME, -EINVAL, "is not HOST");
	bad("iscsi://:3260/" NAME, -EINVAL, "is not HOST");
	bad("iscsi://h:/" NAME, -EINVAL, "is not HOST");
	bad("iscsi://h:0/" NAME, -EINVAL, "is not HOST");
	bad("iscsi://h:65536/" NAME, -EINVAL, "is not HOST");
	bad("iscsi://fe80::1/" NAME, -EINVAL, "is not HOST");
	bad("iscsi://[]/" NAME, -EINVAL, "is not HOST");
	bad("iscsi://[::1]x/" NAME, -EINVAL, "is not HOST");
	bad("iscsi://a b/" NAME, -EINVAL, "is not HOST");
	bad("iscsi://u%p@h/" NAME, -EINVAL, "a user in the URL");
	bad("iscsi://h/" NAME "/0", -EINVAL, "a LUN is not named");
	bad("iscsi://h/disks", -EINVAL, "no iSCSI name");
	bad("iscsi://h/iqn.2001-01.com.Example", -EINVAL, "no iSCSI name");
	bad("iscsi://h/iqn.", -EINVAL, "no iSCSI name");
}
END_TEST

START_TEST(too_long)
{
	char line[4096];

	(void)snprintf(line, sizeof(line), "iscsi://h/iqn.%0230d", 1);
	bad(line, -EINVAL, "is longer than");
	(void)snprintf(line, sizeof(line), "iscsi://%0240d/" NAME, 1);
	bad(line, -EINVAL, "too long");
	(void)snprintf(line, sizeof(line), "iscsi://h/" NAME ",user=%03000d", 1);
	bad(line, -EINVAL, "too long");
	(void)snprintf(line, sizeof(line), "iscsi://h/" NAME ",user=%0300d", 1);
	bad(line, -EINVAL, "needs a name");
}
END_TEST

START_TEST(options)
{
	good("iscsi://h/" NAME ",depth=256,login=5,grace=0,retry=1500ms,ping=0,task=1,"
	    "header_digest=crc32c,data_digest=none");
	ck_assert_uint_eq(t.depth, 256);
	ck_assert_uint_eq(t.login_ms, 5000);
	ck_assert_uint_eq(t.grace_ms, 0);
	ck_assert_uint_eq(t.retry_ms, 1500);
	ck_assert_uint_eq(t.ping_ms, 0);
	ck_assert_uint_eq(t.task_ms, 1000);
	ck_assert_int_eq(t.header_digest, ISCSI_HBA_DIGEST_CRC32C);
	good("iscsi://h/" NAME ",header_digest=prefer");
	ck_assert_int_eq(t.header_digest, ISCSI_HBA_DIGEST_PREFER);

	bad("iscsi://h/" NAME ",", -EINVAL, "is not KEY=VALUE");
	bad("iscsi://h/" NAME ",depth", -EINVAL, "is not KEY=VALUE");
	bad("iscsi://h/" NAME ",depths=1", -EINVAL, "is no option");
	bad("iscsi://h/" NAME ",depth=1,depth=1", -EINVAL, "is there twice");
	bad("iscsi://h/" NAME ",depth=0", -EINVAL, "a number from 1");
	bad("iscsi://h/" NAME ",depth=257", -EINVAL, "a number from 1");
	bad("iscsi://h/" NAME ",grace=", -EINVAL, "a time in seconds");
	bad("iscsi://h/" NAME ",grace=ms", -EINVAL, "a time in seconds");
	bad("iscsi://h/" NAME ",grace=-1", -EINVAL, "a time in seconds");
	bad("iscsi://h/" NAME ",grace=86401", -EINVAL, "a time in seconds");
	bad("iscsi://h/" NAME ",grace=99999999999999999999", -EINVAL, "a time in seconds");
	bad("iscsi://h/" NAME ",retry=0", -EINVAL, "only grace= and ping=");
	bad("iscsi://h/" NAME ",login=0ms", -EINVAL, "only grace= and ping=");
	bad("iscsi://h/" NAME ",task=0", -EINVAL, "only grace= and ping=");
	bad("iscsi://h/" NAME ",header_digest=md5", -EINVAL, "there are none");
	bad("iscsi://h/" NAME ",data_digest=crc32c", -EINVAL, "can do none only");
	bad("iscsi://h/" NAME ",user=", -EINVAL, "needs a name");
}
END_TEST

/* a file with @len bytes of @c, open to its owner only */
static void
secret_file(const char *path, char c, size_t len, mode_t mode)
{
	int fd;

	(void)unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	ck_assert_int_ge(fd, 0);
	for (size_t i = 0; i < len; i++)
		ck_assert_int_eq(write(fd, &c, 1), 1);
	ck_assert_int_eq(write(fd, "\n", 1), 1);
	ck_assert_int_eq(fchmod(fd, mode), 0);
	(void)close(fd);
}

#define CHAP	",user=alice,secret_file="

START_TEST(secrets)
{
	char dir[] = "/tmp/scsad-line.XXXXXX", line[512], one[64], two[64];

	ck_assert_ptr_nonnull(mkdtemp(dir));
	(void)snprintf(one, sizeof(one), "%s/one", dir);
	(void)snprintf(two, sizeof(two), "%s/two", dir);
	secret_file(one, 'a', 12, 0640);
	secret_file(two, 'b', 255, 0600);
	(void)snprintf(line, sizeof(line), "iscsi://h/" NAME CHAP "%s,mutual_user=far,"
	    "mutual_secret_file=%s", one, two);
	good(line);
	ck_assert_str_eq(t.chap.user, "alice");
	ck_assert_str_eq(t.chap.secret, "aaaaaaaaaaaa");
	ck_assert_uint_eq(strlen(t.mutual.secret), 255);
	iscsi_hba_target_wipe(&t);
	ck_assert_str_eq(t.chap.secret, "");
	ck_assert_str_eq(t.mutual.secret, "");

	(void)snprintf(line, sizeof(line), "iscsi://h/" NAME CHAP "%s,mutual_user=far,"
	    "mutual_secret_file=%s", one, one);
	bad(line, -EINVAL, "both secrets are the same");
	(void)snprintf(line, sizeof(line), "iscsi://h/" NAME ",mutual_user=far,"
	    "mutual_secret_file=%s", one);
	bad(line, -EINVAL, "needs user=");
	(void)snprintf(line, sizeof(line), "iscsi://h/" NAME ",secret_file=%s", one);
	bad(line, -EINVAL, "belong together");
	bad("iscsi://h/" NAME ",mutual_user=far", -EINVAL, "belong together");
	(void)snprintf(line, sizeof(line), "iscsi://h/" NAME CHAP "%s", one);
	secret_file(one, 'a', 11, 0600);
	bad(line, -EINVAL, "a secret has 12 to 255 bytes");
	secret_file(one, 'a', 256, 0600);
	bad(line, -EINVAL, "a secret has 12 to 255 bytes");
	secret_file(one, '\0', 20, 0600);
	bad(line, -EINVAL, "none of them NUL");
	secret_file(one, 'a', 20, 0604);
	bad(line, -EINVAL, "open to everybody");
	secret_file(one, 'a', 20, 0600);
	fault_arm(1);
	ck_assert_int_lt(iscsi_hba_target_parse(line, &t, err), 0);
	fault_disarm();
	(void)unlink(one);
	bad(line, -ENOENT, "cannot be read");
	(void)snprintf(line, sizeof(line), "iscsi://h/" NAME CHAP "%s", dir);
	bad(line, -EINVAL, "is no file");
	(void)unlink(two);
	(void)rmdir(dir);
}
END_TEST

START_TEST(names)
{
	ck_assert_int_eq(iscsi_hba_name_check("iqn.2001-01.com.example", err), 0);
	ck_assert_int_eq(iscsi_hba_name_check("naa.52004567ba64678d", err), 0);
	ck_assert_int_eq(iscsi_hba_name_check("", err), -EINVAL);
	ck_assert_int_eq(iscsi_hba_name_check("iqn.2001 01", err), -EINVAL);
}
END_TEST

CHECK_MAIN("target line", addresses, too_long, options, secrets, names)
