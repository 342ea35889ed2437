/*
 * scsactl as a process against the mock daemon: exit statuses by table, and every document that
 * --json prints is one valid JSON value of our schema.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <json-c/json.h>

#include "check_main.h"
#include "mock_daemon.h"

#define OUT_MAX (256u << 10)

static struct mock m;
static char dir[48];
static char sock[64], image[64], copy[64];
static char out[OUT_MAX];

static void
begin(void)
{
	check_folder(dir, sizeof(dir));
	(void)snprintf(sock, sizeof(sock), "%s/sock", dir);
	(void)snprintf(image, sizeof(image), "%s/image", dir);
	(void)snprintf(copy, sizeof(copy), "%s/copy", dir);
	ck_assert_int_eq(setenv("SCSAD_SOCKET", sock, 1), 0);
	ck_assert_int_eq(setenv("DIR", dir, 1), 0);
	mock_init(&m);
	mock_listen(&m, sock);
}

static void
end(void)
{
	mock_stop(&m);
	mock_fini(&m);
	(void)unlink(sock);
	(void)unlink(image);
	(void)unlink(copy);
	(void)rmdir(dir);
}

/* run a line of shell whose "scsactl" is ours; its status; standard output is in out[] */
static int
run(const char *line)
{
	char script[1024];
	FILE *f;
	size_t n;
	int status;

	(void)snprintf(script, sizeof(script),
	    "scsactl() { %s \"$@\"; }; exec 2>$DIR/err; %s", SCSACTL, line);
	f = popen(script, "r");
	ck_assert_ptr_nonnull(f);
	n = fread(out, 1, sizeof(out) - 1, f);
	out[n] = '\0';
	status = pclose(f);
	ck_assert_msg(WIFEXITED(status), "%s", line);
	(void)snprintf(script, sizeof(script), "%s/err", dir);
	(void)unlink(script);
	return WEXITSTATUS(status);
}

static void
image_make(size_t len)
{
	FILE *f = fopen(image, "w");

	ck_assert_ptr_nonnull(f);
	for (size_t i = 0; i < len; i++)
		(void)fputc((int)(i * 31 + (i >> 9)) & 0xff, f);
	ck_assert_int_eq(fclose(f), 0);
}

static const struct {
	const char *line;
	int status;
} rows[] = {
	/* what works */
	{ "scsactl", 0 },
	{ "scsactl status -v", 0 },
	{ "scsactl list", 0 },
	{ "scsactl list --long", 0 },
	{ "scsactl list -H", 0 },
	{ "scsactl show disk", 0 },
	{ "scsactl probe disk", 0 },
	{ "scsactl inquiry disk", 0 },
	{ "scsactl inquiry --hex disk", 0 },
	{ "scsactl vpd disk", 0 },
	{ "scsactl vpd disk 80", 0 },
	{ "scsactl vpd disk 80 --hex", 0 },
	{ "scsactl readcap disk", 0 },
	{ "scsactl luns disk", 0 },
	{ "scsactl getcap disk", 0 },
	{ "scsactl getcap disk lun-reset", 0 },
	{ "scsactl setcap disk lun-reset 1", 0 },
	{ "scsactl reset lun disk", 0 },
	{ "scsactl reset hba soft0", 0 },
	{ "scsactl abort disk", 0 },
	{ "scsactl cdb disk 00 00 00 00 00 00", 0 },
	{ "scsactl cdb disk 12 00 00 00 24 00", 0 },
	{ "scsactl cdb disk 280000000000000100 00 --out $DIR/copy", 0 },
	{ "scsactl fault add action=busy", 0 },
	{ "scsactl fault list", 0 },
	{ "scsactl fault clear", 0 },
	{ "scsactl fault clear 11", 0 },
	{ "scsactl watch --count 8", 0 },
	{ "scsactl list --tree", 0 },
	{ "scsactl soft target add mem:1M", 0 },
	{ "scsactl soft --json target add mem:1M", 0 },
	{ "scsactl soft target add mem:1M,port=p1", 0 },
	{ "scsactl soft target remove --unit soft0 iport0/7", 0 },
	{ "scsactl soft target remove --no-wait iport0/1", 0 },
	{ "scsactl soft target remove --wait-settled 0 iport0/1", 0 },
	{ "scsactl soft target remove f/w5000c500a0000001", 0 },
	{ "scsactl soft lun add mem:1M,target=1", 0 },
	{ "scsactl soft lun remove iport0/7,0", 0 },
	{ "scsactl soft expander add 5000c500a0000000,port=p0", 0 },
	{ "scsactl soft phy up 0 5000c500a0000009", 0 },
	{ "scsactl soft phy up --no-wait --local w5000c500a0000008 0 5000c500a0000009", 0 },
	{ "scsactl soft phy down 1", 0 },
	{ "scsactl smp smp@w5000c500a0000000 general", 0 },
	{ "scsactl smp smp@w5000c500a0000000 manufacturer", 0 },
	{ "scsactl smp smp@w5000c500a0000000 discover 0", 0 },
	{ "scsactl smp smp@w5000c500a0000000 discover 2", 0 },
	{ "scsactl soft resize iport0/1,0 2M", 0 },
	{ "scsactl soft resize iport0/1,0", 0 },
	{ "scsactl soft rescan", 0 },
	{ "scsactl soft rescan soft0", 0 },
	{ "scsactl -I me reserve status disk", 0 },
	{ "scsactl portal list", 0 },
	{ "scsactl portal list --names", 0 },
	{ "scsactl portal add 127.0.0.1:1 -g 2", 0 },
	{ "scsactl portal remove 127.0.0.1:1", 0 },
	{ "scsactl portal state 1 standby", 0 },
	{ "scsactl portal state 2 standby --preferred yes", 0 },
	{ "scsactl target list", 0 },
	{ "scsactl target list iqn.a:b", 0 },
	{ "scsactl target show iqn.a:b", 0 },
	{ "scsactl target add iqn.a:c --groups 1,2 --alias '' --nop-interval 3", 0 },
	{ "scsactl target add iqn.volatile", 0 },
	{ "scsactl target set iqn.a:b --chap ''", 0 },
	{ "scsactl target remove iqn.a:b", 0 },
	{ "scsactl target remove --force iqn.a:b", 0 },
	{ "scsactl export list", 0 },
	{ "scsactl export add iqn.a:b disk", 0 },
	{ "scsactl export add iqn.a:b disk --lun 7 --acl hosts --access ro,reserve", 0 },
	{ "scsactl export add iqn.a:b stale", 0 },
	{ "scsactl export add iqn.a:b disk --allow-anyone", 0 },
	{ "scsactl export remove iqn.a:b 0 --acl hosts", 0 },
	{ "scsactl export remove iqn.a:b,0", 0 },
	{ "scsactl acl list", 0 },
	{ "scsactl acl add x -i 'iqn.x,iqn.y*' -a 10.0.0.0/8", 0 },
	{ "scsactl acl set hosts -i iqn.z", 0 },
	{ "scsactl acl remove hosts", 0 },
	{ "scsactl chap list", 0 },
	{ "echo 0123456789abcdef | scsactl chap set bob --secret -", 0 },
	{ "echo 0123456789abcdef >$DIR/copy; scsactl chap set eve --secret $DIR/copy "
	    "--mutual-user t --mutual-secret $DIR/copy", 0 },
	{ "scsactl chap remove bob", 0 },
	{ "scsactl discovery", 0 },
	{ "scsactl discovery --chap bob", 0 },
	{ "scsactl local list", 0 },
	{ "scsactl local add uid:6 --units '*'", 0 },
	{ "scsactl local set uid:5 --access ro", 0 },
	{ "scsactl local remove uid:5", 0 },
	{ "scsactl sessions list", 0 },
	{ "scsactl sessions list -n", 0 },
	{ "scsactl sessions show 7", 0 },
	{ "scsactl sessions close 7", 0 },
	{ "scsactl reload", 0 },
	{ "scsactl help", 0 },
	{ "scsactl help read", 0 },
	{ "scsactl help soft", 0 },
	{ "scsactl help soft target", 0 },
	{ "scsactl soft --help", 0 },
	{ "scsactl soft target --help", 0 },
	{ "scsactl --help", 0 },
	{ "scsactl read --help", 0 },
	{ "scsactl version", 0 },
	{ "scsactl -V", 0 },
	/* the command line */
	{ "scsactl nosuch", 1 },
	{ "scsactl list extra", 1 },
	{ "scsactl list --nosuch", 1 },
	{ "scsactl --timeout", 1 },
	{ "scsactl --timeout 0 list", 1 },
	{ "scsactl help nosuch", 1 },
	{ "scsactl soft resize iport0/1,0 many", 1 },
	{ "scsactl target add wrong", 1 },
	{ "scsactl target add taken", 67 },
	{ "scsactl target show iqn.none", 69 },
	{ "scsactl target remove -f taken", 67 },
	{ "scsactl export add iqn.a:b full", 99 },
	{ "scsactl export add iqn.a:b taken", 67 },
	{ "scsactl acl set hosts", 0 },
	{ "scsactl chap set bob --secret /nonexistent/x", 15 },
	{ "head -c 300 /dev/zero | scsactl chap set bob --secret -", 15 },
	{ "scsactl chap set bob 0123456789abcdef", 1 },
	{ "scsactl sessions show 8", 69 },
	{ "scsactl sessions show x", 1 },
	{ "scsactl sessions close 0", 1 },
	{ "scsactl sessions close 8", 69 },
	{ "scsactl reserve status nobody", 69 },
	{ "scsactl soft rescan soft9", 69 },
	{ "scsactl soft --unit soft0 phy down 1", 1 },
	{ "scsactl soft", 1 },
	{ "scsactl soft moon", 1 },
	{ "scsactl help soft moon", 1 },
	{ "scsactl show", 1 },
	{ "scsactl probe soft0 0 x", 1 },
	{ "scsactl vpd disk zz", 1 },
	{ "scsactl setcap disk lun-reset x", 1 },
	{ "scsactl reset moon disk", 1 },
	{ "scsactl cdb disk 00 00", 1 },
	{ "scsactl cdb disk zz 00", 1 },
	{ "scsactl cdb disk 2a 00 00 00 00 00 00 00 01 00", 1 },
	{ "scsactl read disk", 1 },
	{ "scsactl write disk", 1 },
	{ "scsactl read disk x --out -", 1 },
	{ "scsactl read disk 0 0 --out -", 1 },
	{ "scsactl read disk --out - --depth 0", 1 },
	{ "scsactl read disk --out - --depth x", 1 },
	{ "scsactl read disk --out - --chunk 1", 1 },
	{ "scsactl read disk --out - --chunk 1T", 1 },
	{ "scsactl --json read disk --out -", 1 },
	{ "scsactl fault add", 1 },
	{ "scsactl fault moon", 1 },
	{ "scsactl fault add acton=busy", 1 },
	{ "scsactl fault clear x", 1 },
	{ "scsactl watch --count 0", 1 },
	{ "scsactl completion tcsh", 1 },
	{ "scsactl soft target add", 1 },
	{ "scsactl soft target moon mem:1M", 1 },
	{ "scsactl soft target add wrong", 1 },
	{ "scsactl soft target add --wait-settled moon mem:1M", 1 },
	{ "scsactl soft expander remove 5000c500a0000000", 1 },
	{ "scsactl soft expander add wrong", 1 },
	{ "scsactl soft phy sideways 0", 1 },
	{ "scsactl soft phy up 0", 1 },
	{ "scsactl soft phy down 0 5000c500a0000009", 1 },
	{ "scsactl soft phy up 64 5000c500a0000009", 1 },
	{ "scsactl soft phy up 0 5000", 1 },
	{ "scsactl soft phy up 0 0000000000000000", 1 },
	{ "scsactl soft phy up --local moon 0 5000c500a0000009", 1 },
	{ "scsactl smp smp@w5000c500a0000000 moon", 1 },
	{ "scsactl smp smp@w5000c500a0000000 general 1", 1 },
	{ "scsactl smp smp@w5000c500a0000000 discover", 1 },
	{ "scsactl smp smp@w5000c500a0000000 discover 256", 1 },
	{ "scsactl inquiry ambiguous", 1 },
	/* sense, status, transport */
	{ "scsactl inquiry key-0", 20 },
	{ "scsactl inquiry key-1", 21 },
	{ "scsactl inquiry key-2", 2 },
	{ "scsactl inquiry key-3", 3 },
	{ "scsactl inquiry key-4", 3 },
	{ "scsactl inquiry key-5", 5 },
	{ "scsactl inquiry key-6", 6 },
	{ "scsactl inquiry key-7", 7 },
	{ "scsactl inquiry key-a", 10 },
	{ "scsactl inquiry key-b", 11 },
	{ "scsactl inquiry key-d", 98 },
	{ "scsactl inquiry key-e", 14 },
	{ "scsactl inquiry status-4", 25 },
	{ "scsactl inquiry status-8", 26 },
	{ "scsactl inquiry status-18", 24 },
	{ "scsactl inquiry status-28", 27 },
	{ "scsactl inquiry status-30", 28 },
	{ "scsactl inquiry status-40", 29 },
	{ "scsactl inquiry status-3e", 99 },
	{ "scsactl inquiry reason-1", 35 },
	{ "scsactl inquiry reason-5", 11 },
	{ "scsactl inquiry reason-6", 33 },
	{ "scsactl inquiry reason-18", 69 },
	{ "scsactl readcap key-2", 2 },
	{ "scsactl read key-3 --out -", 3 },
	{ "scsactl vpd disk b7", 5 },
	{ "scsactl cdb disk ff 00 00 00 00 00", 5 },
	/* what was done but cannot be seen in time, and what expanders say */
	{ "scsactl soft target remove --wait-settled 1 iport0/1", 33 },
	{ "scsactl soft expander add --wait-settled 1 5000c500a0000001,port=p0", 33 },
	{ "scsactl soft phy down --wait-settled 1 0", 33 },
	{ "scsactl soft target remove nowhere/1", 69 },
	{ "scsactl soft expander add 5000c500a0000000,port=nowhere", 69 },
	{ "scsactl smp nobody general", 69 },
	{ "scsactl smp smp@w5000c500a0000000 discover 1", 36 },
	{ "scsactl smp smp@w5000c500a0000000 discover 12", 5 },
	{ "scsactl smp smp@w5000c500a0000000 discover 13", 99 },
	{ "scsactl smp smp@w5000c500a0000000 discover 14", 99 },
	{ "scsactl smp smp@w5000c500a0000000 discover 15", 97 },
	{ "scsactl smp smp@w5000c500a0000000 discover 16", 97 },
	/* answers that are no, files, names, daemon */
	{ "scsactl probe soft0 9", 36 },
	{ "scsactl getcap disk nonsense", 36 },
	{ "scsactl setcap disk lun-reset 0", 36 },
	{ "scsactl setcap disk nonsense -- -1", 36 },
	{ "scsactl inquiry nobody", 69 },
	{ "scsactl read disk 5000 --out -", 22 },
	{ "scsactl read disk 4000 200 --out -", 22 },
	{ "scsactl read disk --out /nonexistent/x", 15 },
	{ "scsactl write disk --in /nonexistent/x", 15 },
	{ "scsactl cdb disk 2a 00 00 00 00 00 00 00 01 00 --in /dev/null", 15 },
	{ "printf abc | scsactl write disk --in -", 15 },
	{ "printf abc | scsactl write disk 0 1 --in -", 15 },
	{ "head -c 512 /dev/zero | scsactl write disk 0 2 --in -", 15 },
	{ "head -c 3000000 /dev/zero >$DIR/image; scsactl write disk --in $DIR/image", 22 },
	{ "scsactl version >/dev/full", 15 },
	{ "scsactl --socket /nonexistent list", 100 },
	{ "scsactl --wait 0 --socket /nonexistent list", 100 },
	{ "scsactl --wait x list", 1 },
	{ "scsactl --socket /nonexistent status", 100 },
	{ "scsactl --socket /nonexistent", 0 },
};

START_TEST(each_line_has_its_status)
{
	begin();
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int status = run(rows[i].line);

		ck_assert_msg(status == rows[i].status, "%s: %d, not %d", rows[i].line, status,
		    rows[i].status);
	}
	end();
}
END_TEST

static bool
is_script_or_stream(const char *line)
{
	return strstr(line, "watch --count 8") != NULL || strstr(line, "completion") != NULL ||
	       strstr(line, "--out -") != NULL || strstr(line, "/dev/full") != NULL;
}

START_TEST(each_line_has_a_document)
{
	begin();
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char line[256];
		const char *at = strstr(rows[i].line, "scsactl");
		json_object *root, *member;
		int status;

		if (is_script_or_stream(rows[i].line))
			continue;
		(void)snprintf(line, sizeof(line), "%.*sscsactl --json%s",
		    (int)(at - rows[i].line), rows[i].line, at + strlen("scsactl"));
		status = run(line);
		ck_assert_msg(status == rows[i].status, "%s: %d", line, status);
		root = json_tokener_parse(out);
		ck_assert_msg(root != NULL, "%s: %s", line, out);
		ck_assert(json_object_object_get_ex(root, "schema", &member));
		ck_assert_int_eq(json_object_get_int(member), 1);
		ck_assert(json_object_object_get_ex(root, "tool", &member));
		if (status != 0 && status != 36) {
			ck_assert_msg(json_object_object_get_ex(root, "error", &member), "%s",
			    line);
			ck_assert(json_object_object_get_ex(member, "exit", &member));
			ck_assert_int_eq(json_object_get_int(member), status);
		}
		(void)json_object_put(root);
	}
	end();
}
END_TEST

static void
files_equal(void)
{
	ck_assert_int_eq(run("cmp $DIR/image $DIR/copy"), 0);
}

START_TEST(blocks_go_both_ways_unharmed)
{
	begin();
	image_make((size_t)MOCK_BLOCKS * MOCK_BLOCK);
	ck_assert_int_eq(run("scsactl write disk --in $DIR/image"), 0);
	ck_assert_int_eq(run("scsactl read disk --out $DIR/copy"), 0);
	files_equal();
	ck_assert_int_eq(run("scsactl read disk --out $DIR/copy --depth 3 --chunk 1K"), 0);
	files_equal();
	ck_assert_int_eq(run("scsactl read disk -o - --chunk 1M --fua | cmp - $DIR/image"), 0);
	ck_assert_int_eq(run("scsactl verify disk --in $DIR/image"), 0);
	ck_assert_int_eq(run("scsactl verify disk"), 0);
	ck_assert_int_eq(run("cat $DIR/image | scsactl write --no-sync disk --in -"), 0);
	m.disk[1000 * MOCK_BLOCK] ^= 1;
	ck_assert_int_eq(run("scsactl verify disk --in $DIR/image --chunk 4K"), 14);
	ck_assert_int_eq(run("scsactl read disk 1000 1 --out $DIR/copy"), 0);
	ck_assert_int_eq(run("test $(wc -c <$DIR/copy) = 512"), 0);
	end();
}
END_TEST

START_TEST(what_a_device_says_cannot_command_the_terminal)
{
	begin();
	ck_assert_int_eq(run("scsactl list"), 0);
	ck_assert_ptr_null(strchr(out, '\x1b'));
	ck_assert_ptr_nonnull(strcasestr(out, "x1b"));
	ck_assert_int_eq(run("scsactl --json list"), 0);
	ck_assert_ptr_null(strchr(out, '\x1b'));
	end();
}
END_TEST

START_TEST(completions_are_scripts)
{
	begin();
	ck_assert_int_eq(run("scsactl completion bash | bash -n"), 0);
	ck_assert_int_eq(run("scsactl completion bash"), 0);
	ck_assert_ptr_nonnull(strstr(out, "readcap"));
	ck_assert_int_eq(run("scsactl completion zsh"), 0);
	ck_assert_ptr_nonnull(strstr(out, "#compdef scsactl"));
	end();
}
END_TEST

CHECK_MAIN("scsactl", each_line_has_its_status, each_line_has_a_document,
    blocks_go_both_ways_unharmed, what_a_device_says_cannot_command_the_terminal,
    completions_are_scripts)
