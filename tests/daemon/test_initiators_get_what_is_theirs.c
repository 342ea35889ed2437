/* who may log in to what, who sees what, and what users of this machine may do */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "check_main.h"
#include "lu/lu.h"
#include "lu/view.h"
#include "mock_client.h"
#include "mock_plane.h"
#include "scsi/opcode.h"

#define A	"iqn.2001-01.com.example:a"
#define B	"iqn.2001-01.com.example:b"
#define R	"iqn.2001-01.com.example:r"

#define DISK_LINE	"mem:1M,luns=4"

static const char *disk_line = DISK_LINE;

/* units to export, and exports without a daemon of their own */
struct both {
	struct fixture f;
	struct world w;
	struct ex_set *set;
};

static void
begin(struct both *b, const char *file)
{
	fixture_init(&b->f);
	fixture_disk(&b->f, disk_line);
	fixture_start(&b->f);
	world_init(&b->w, false);
	world_file(&b->w, file);
	ck_assert_int_eq(world_up(&b->w), 0);
	b->set = exports_set(b->w.exports);
}

static void
end(struct both *b)
{
	ex_set_unref(b->set);
	world_fini(&b->w);
	fixture_stop(&b->f);
}

static struct ex_peer
peer(const char *initiator, const char *address, uint16_t group)
{
	static struct sockaddr_storage addr;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&addr;
	struct sockaddr_in *in = (struct sockaddr_in *)&addr;

	memset(&addr, 0, sizeof(addr));
	if (inet_pton(AF_INET, address, &in->sin_addr) == 1) {
		addr.ss_family = AF_INET;
	} else {
		ck_assert_int_eq(inet_pton(AF_INET6, address, &in6->sin6_addr), 1);
		addr.ss_family = AF_INET6;
	}
	return (struct ex_peer){ initiator, (struct sockaddr *)&addr, group };
}

START_TEST(verdicts)
{
	static const char file[] =
	    "portals: [{address: '127.0.0.1:1'}]\n"
	    "targets:\n"
	    "  - name: " A "\n"
	    "  - {name: " B ", groups: [1, 2]}\n"
	    "  - {name: " R ", redirect: '192.0.2.1:3260'}\n"
	    "  - name: iqn.2001-01.com.example:empty\n"
	    "acls:\n"
	    "  - {name: named, initiators: [iqn.x, 'iqn.pre*']}\n"
	    "  - {name: net, addresses: [10.1.0.0/16, '2001:db8::/33', 192.0.2.7]}\n"
	    "  - {name: bothof, initiators: [iqn.x], addresses: [10.1.0.0/16]}\n"
	    "exports:\n"
	    "  - {target: " A ", lun: 0, unit: 'disk@0,0', acl: named}\n"
	    "  - {target: " B ", lun: 0, unit: 'disk@0,0', acl: net}\n"
	    "  - {target: " B ", lun: 0, unit: 'disk@0,1', acl: bothof}\n"
	    "  - {target: " R ", lun: 0, unit: 'disk@0,1'}\n";
	static const struct {
		const char *target, *initiator, *address;
		uint16_t group;
		enum ex_verdict verdict;
	} rows[] = {
		{ A, "iqn.x", "1.2.3.4", 1, EX_ADMIT },
		{ A, "iqn.xx", "1.2.3.4", 1, EX_NOT_FOUND },
		{ A, "iqn.prefix", "1.2.3.4", 1, EX_ADMIT },
		{ A, "iqn.pre", "1.2.3.4", 1, EX_ADMIT },
		{ A, "iqn.pr", "1.2.3.4", 1, EX_NOT_FOUND },
		{ A, "iqn.x", "1.2.3.4", 2, EX_NOT_FOUND },
		{ A, "iqn.x", "1.2.3.4", 0, EX_NOT_FOUND },
		{ "IQN.2001-01.COM.EXAMPLE:A", "iqn.x", "1.2.3.4", 1, EX_ADMIT },
		{ "iqn.none", "iqn.x", "127.0.0.1", 1, EX_NOT_FOUND },
		{ "iqn.2001-01.com.example:empty", "iqn.x", "127.0.0.1", 1, EX_NOT_FOUND },
		{ B, "iqn.any", "10.1.255.255", 1, EX_ADMIT },
		{ B, "iqn.any", "10.2.0.0", 1, EX_NOT_FOUND },
		{ B, "iqn.any", "10.1.0.1", 2, EX_ADMIT },
		{ B, "iqn.any", "::ffff:10.1.0.1", 1, EX_ADMIT },
		{ B, "iqn.any", "::ffff:10.2.0.1", 1, EX_NOT_FOUND },
		{ B, "iqn.any", "2001:db8:7fff::1", 1, EX_ADMIT },
		{ B, "iqn.any", "2001:db8:8000::1", 1, EX_NOT_FOUND },
		{ B, "iqn.any", "192.0.2.7", 1, EX_ADMIT },
		{ B, "iqn.any", "192.0.2.6", 1, EX_NOT_FOUND },
		/* its name is known, its address is not */
		{ B, "iqn.x", "192.0.2.6", 1, EX_FORBIDDEN },
		{ R, "iqn.any", "127.3.2.1", 1, EX_REDIRECT },
		{ R, "iqn.any", "::1", 1, EX_REDIRECT },
		{ R, "iqn.any", "::ffff:127.0.0.1", 1, EX_REDIRECT },
		/* no list: nobody from elsewhere */
		{ R, "iqn.any", "128.0.0.1", 1, EX_NOT_FOUND },
		{ R, "iqn.any", "::2", 1, EX_NOT_FOUND },
	};
	struct both b;

	begin(&b, file);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct ex_target *t = ex_set_target(b.set, rows[i].target);
		struct ex_peer p = peer(rows[i].initiator, rows[i].address, rows[i].group);
		bool sees = rows[i].verdict == EX_ADMIT || rows[i].verdict == EX_REDIRECT;

		ck_assert_msg(ex_admit(b.set, t, &p) == rows[i].verdict, "row %zu", i);
		ck_assert_msg(ex_visible(b.set, t, &p) == sees, "row %zu", i);
	}
	end(&b);
}
END_TEST

static const struct lu_view_entry *
entry(const struct lu_view *view, uint64_t lun)
{
	return lu_view_find(view, lun);
}

START_TEST(views)
{
	static const char file[] =
	    "targets:\n"
	    "  - name: " A "\n"
	    "acls:\n"
	    "  - {name: one, initiators: [iqn.one]}\n"
	    "  - {name: all, initiators: ['*']}\n"
	    "exports:\n"
	    "  - {target: " A ", lun: 5, unit: 'disk@0,0', acl: one, access: [ro], weight: 8}\n"
	    "  - {target: " A ", lun: 5, unit: 'disk@0,1', acl: all}\n"
	    "  - {target: " A ", lun: 300, unit: 'soft0/iport0/disk@0,2', acl: all, access: "
	    "[all]}\n"
	    "  - {target: " A ", lun: 7, unit: 'disk@0,0', acl: all, access: [reserve]}\n"
	    "  - {target: " A ", lun: 8, unit: 'disk@9,9', acl: all}\n"
	    "  - {target: " A ", lun: 9, unit: 'disk@0,3'}\n";
	const struct ex_target *t;
	struct lu_view *view;
	struct ex_peer p;
	struct both b;

	begin(&b, file);
	t = ex_set_target(b.set, A);
	p = peer("iqn.two", "10.0.0.1", 1);
	ck_assert_int_eq(ex_view(b.set, t, &p, &view), 0);
	ck_assert_uint_eq(lu_view_count(view), 3);
	ck_assert_str_eq(lu_info(entry(view, 5)->unit)->path, "soft0/iport0/disk@0,1");
	ck_assert_uint_eq(entry(view, 5)->classes, LU_CLASS(OP_INFO) | LU_CLASS(OP_READ) |
	    LU_CLASS(OP_WRITE) | LU_CLASS(OP_RESERVE));
	ck_assert_uint_eq(entry(view, 7)->classes, LU_CLASS(OP_INFO) | LU_CLASS(OP_RESERVE));
	lu_view_unref(view);

	/* the first for a LUN counts, and the first for a unit */
	p = peer("iqn.one", "10.0.0.1", 1);
	ck_assert_int_eq(ex_view(b.set, t, &p, &view), 0);
	ck_assert_uint_eq(lu_view_count(view), 2);
	ck_assert_str_eq(lu_info(entry(view, 5)->unit)->path, "soft0/iport0/disk@0,0");
	ck_assert_uint_eq(entry(view, 5)->classes, LU_CLASS(OP_INFO) | LU_CLASS(OP_READ));
	lu_view_unref(view);

	/* loopback gets what has no list */
	p = peer("iqn.two", "127.0.0.1", 1);
	ck_assert_int_eq(ex_view(b.set, t, &p, &view), 0);
	ck_assert_uint_eq(lu_view_count(view), 4);
	lu_view_unref(view);

	p = peer("iqn.two", "127.0.0.1", 2);
	ck_assert_int_eq(ex_view(b.set, t, &p, &view), -EACCES);
	end(&b);
}
END_TEST

/* units that are there twice, in a view that has to grow */
START_TEST(large_views)
{
	static char file[32768];
	struct ex_peer p = peer("iqn.two", "127.0.0.1", 1);
	struct lu_view *view;
	struct both b;
	size_t n;

	n = (size_t)snprintf(file, sizeof(file), "targets: [{name: '" A "'}]\nexports:\n");
	for (unsigned int lun = 0; lun < 200; lun++)
		n += (size_t)snprintf(file + n, sizeof(file) - n,
		    "  - {target: '" A "', lun: %u, unit: '%sdisk@0,%x'}\n", lun * 80,
		    lun < 100 ? "" : "soft0/iport0/", lun % 100);
	ck_assert_uint_lt(n, sizeof(file));
	disk_line = "mem:1M,luns=100";
	begin(&b, file);
	ck_assert_int_eq(ex_view(b.set, ex_set_target(b.set, A), &p, &view), 0);
	ck_assert_uint_eq(lu_view_count(view), 100);
	for (unsigned int lun = 0; lun < 100; lun++)
		ck_assert_uint_eq(lu_info(entry(view, lun * 80)->unit)->lun, lun);
	ck_assert_ptr_null(entry(view, 100 * 80));
	lu_view_unref(view);
	end(&b);
	disk_line = DISK_LINE;
}
END_TEST

START_TEST(users_of_this_machine)
{
	static const char file[] =
	    "local:\n"
	    "  - {who: 'uid:1000', units: [soft0/iport0/disk@0*], access: [ro], weight: 8}\n"
	    "  - {who: 'gid:2000', units: ['*']}\n"
	    "  - {who: 'uid:1000', units: ['nothing']}\n";
	static const char file_two[] =
	    "local:\n"
	    "  - {who: 'uid:1000', units: [soft0/iport0/disk@0*], access: [ro], weight: 8}\n"
	    "  - {who: 'gid:2000', units: ['*']}\n";
	const uint32_t ro = LU_CLASS(OP_INFO) | LU_CLASS(OP_READ);
	const uint32_t rw = ro | LU_CLASS(OP_WRITE) | LU_CLASS(OP_RESERVE);
	struct access_cred cred = { .uid = 1000, .gid = 1 };
	uint32_t weight;
	struct config config;
	char text[CONFIG_ERR_LEN];
	struct both b;

	/* two rules about one */
	begin(&b, "loops: 1\n");
	ck_assert_uint_eq(ex_local_classes(b.set, &cred, SCSAD__ROLE__ROLE_IO,
	    "x", &weight), rw);
	ck_assert_uint_eq(ex_local_classes(b.set, &cred, SCSAD__ROLE__ROLE_MONITOR,
	    "x", &weight), 0);
	world_file(&b.w, file);
	config_init(&config);
	ck_assert_int_eq(config_load(&config, b.w.path, text), -EINVAL);
	config_fini(&config);
	end(&b);

	begin(&b, file_two);
	ck_assert_uint_eq(ex_local_classes(b.set, &cred, SCSAD__ROLE__ROLE_IO,
	    "soft0/iport0/disk@0,1", &weight), ro);
	ck_assert_uint_eq(weight, 8);
	ck_assert_uint_eq(ex_local_classes(b.set, &cred, SCSAD__ROLE__ROLE_IO,
	    "soft0/iport0/disk@1,1", &weight), 0);
	ck_assert_uint_eq(ex_local_classes(b.set, &cred, SCSAD__ROLE__ROLE_MONITOR,
	    "soft0/iport0/disk@0,1", &weight), 0);
	ck_assert_uint_eq(ex_local_classes(b.set, &cred, SCSAD__ROLE__ROLE_ADMIN,
	    "soft0/iport0/disk@1,1", &weight), LU_CLASS(OP_POLICY_N) - 1);
	cred.groups[0] = 7;
	cred.groups[1] = 2000;
	cred.n_groups = 2;
	ck_assert_uint_eq(ex_local_classes(b.set, &cred, SCSAD__ROLE__ROLE_IO,
	    "soft0/iport0/disk@1,1", &weight), rw);
	ck_assert_uint_eq(weight, LU_WEIGHT_DEFAULT);
	cred = (struct access_cred){ .uid = 5, .gid = 2000 };
	ck_assert_uint_eq(ex_local_classes(b.set, &cred, SCSAD__ROLE__ROLE_IO,
	    "y", &weight), rw);
	end(&b);
}
END_TEST

/* state of a target port group, by REPORT TARGET PORT GROUPS; 0xff: it is not reported.
 * @ret_rtpi: of its first port, @ret_preferred */
static uint8_t
group_state(struct mc *c, uint64_t handle, uint16_t group, uint16_t *ret_rtpi,
    bool *ret_preferred)
{
	const uint8_t cdb[12] = { 0xa3, 0x0a, [8] = 4 };
	const Scsad__Completion *done = mc_completion(c, mc_submit(c, handle, cdb, sizeof(cdb),
	    SCSAD__DIRECTION__DIR_IN, NULL, 1024));
	const uint8_t *data = mc_data(c);
	uint32_t len = be32_get(data) + 4;

	ck_assert_uint_eq(done->scsi_status, 0);
	for (uint32_t at = 4; at < len; at += 8u + 4u * data[at + 7]) {
		if (be16_get(data + at + 2) != group)
			continue;
		*ret_preferred = (data[at] & 0x80) != 0;
		*ret_rtpi = data[at + 7] > 0 ? be16_get(data + at + 10) : 0;
		return data[at] & 0xf;
	}
	return 0xff;
}

#define TWO_GROUPS                                                             \
	"targets: [{name: '" A "', groups: [3, 4]}]\n"                         \
	"groups: [{tag: 4, state: standby}]\n"                                 \
	"acls: [{name: all, initiators: ['*']}]\n"                             \
	"units: [{unit: 'disk@0,1', alua: pass}]\n"                            \
	"exports:\n"                                                           \
	"  - {target: " A ", lun: 0, unit: 'disk@0,0', acl: all}\n"

START_TEST(units_know_their_ports)
{
	static const char file[] = TWO_GROUPS, late_file[] = TWO_GROUPS
	    "  - {target: " A ", lun: 2, unit: 'disk@0,2', acl: all}\n";
	bool is_preferred;
	uint64_t handle, late;
	struct both b;
	uint16_t rtpi;
	struct mc c;

	begin(&b, file);
	mc_connect(&b.f, &c);
	handle = mc_open(&c, "disk@0,0");
	ck_assert_uint_eq(group_state(&c, handle, 3, &rtpi, &is_preferred), 0);
	ck_assert_uint_eq(rtpi, 1);
	ck_assert(!is_preferred);
	ck_assert_uint_eq(group_state(&c, handle, 4, &rtpi, &is_preferred), 2);
	ck_assert_uint_eq(rtpi, 2);
	world_do(&b.w, "add group 3 state=non-optimized preferred=yes");
	/* the unit tells of it first */
	(void)mc_completion(&c, mc_submit(&c, handle, (const uint8_t[6]){ 0 }, 6,
	    SCSAD__DIRECTION__DIR_NONE, NULL, 0));
	ck_assert_uint_eq(group_state(&c, handle, 3, &rtpi, &is_preferred), 1);
	ck_assert(is_preferred);
	world_do(&b.w, "remove group 3");
	(void)mc_completion(&c, mc_submit(&c, handle, (const uint8_t[6]){ 0 }, 6,
	    SCSAD__DIRECTION__DIR_NONE, NULL, 0));
	ck_assert_uint_eq(group_state(&c, handle, 3, &rtpi, &is_preferred), 0);

	/* exported later through a group that has not changed: it has the group's state, too */
	late = mc_open(&c, "disk@0,2");
	world_file(&b.w, late_file);
	ck_assert_int_eq(exports_reload(b.w.exports, &(struct ex_result){ .edit = 0 }), 0);
	(void)mc_completion(&c, mc_submit(&c, late, (const uint8_t[6]){ 0 }, 6,
	    SCSAD__DIRECTION__DIR_NONE, NULL, 0));
	ck_assert_uint_eq(group_state(&c, late, 4, &rtpi, &is_preferred), 2);

	/* exported no more: nothing but the socket leads there */
	world_file(&b.w, "loops: 1\n");
	ck_assert_int_eq(exports_reload(b.w.exports, &(struct ex_result){ .edit = 0 }), 0);
	ck_assert_uint_eq(group_state(&c, handle, 3, &rtpi, &is_preferred), 0xff);
	mc_close(&c);
	fixture_wait(&b.f, 0, 0);
	end(&b);
}
END_TEST

START_TEST(accounts_and_ports)
{
	char file[1024];
	const struct ex_target *t;
	const struct ex_chap *chap;
	struct both b;
	char path[128];
	FILE *f;

	f = fdopen(check_file(path, sizeof(path)), "w");
	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs("a secret of blanks\r\n", f), 0);
	ck_assert_int_eq(fclose(f), 0);
	ck_assert_int_eq(chmod(path, 0600), 0);
	(void)snprintf(file, sizeof(file),
	    "targets:\n"
	    "  - {name: " A ", chap: [bob], groups: [7, 1]}\n"
	    "chap:\n"
	    "  - {name: bob, user: Bobby, secret_file: %s}\n"
	    "  - {name: eve, secret_file: %s}\n"
	    "discovery: {chap: [eve]}\n", path, path);
	begin(&b, file);
	t = ex_set_target(b.set, A);
	chap = ex_chap_find(b.set, ex_target_chap(t), "Bobby");
	ck_assert_ptr_nonnull(chap);
	ck_assert_uint_eq(chap->secret.len, 18);
	ck_assert_int_eq(memcmp(chap->secret.bytes, "a secret of blanks", 18), 0);
	ck_assert_ptr_null(ex_chap_find(b.set, ex_target_chap(t), "bob"));
	ck_assert_ptr_null(ex_chap_find(b.set, ex_target_chap(t), "eve"));
	ck_assert_ptr_nonnull(ex_chap_find(b.set, ex_discovery_chap(b.set), "eve"));
	ck_assert_uint_eq(ex_target_rtpi(b.set, t, 7), 1);
	ck_assert_uint_eq(ex_target_rtpi(b.set, t, 1), 2);
	ck_assert_uint_eq(ex_target_rtpi(b.set, t, 2), 0);
	end(&b);
	ck_assert_int_eq(unlink(path), 0);
}
END_TEST

START_TEST(addresses_go_round)
{
	static const struct {
		const char *word, *text;	/* NULL: refused */
	} rows[] = {
		{ "127.0.0.1", "127.0.0.1:3260" }, { "0.0.0.0:0", "0.0.0.0:0" },
		{ "192.0.2.1:65535", "192.0.2.1:65535" }, { "[::1]", "[::1]:3260" },
		{ "[2001:DB8::0:1]:1", "[2001:db8::1]:1" }, { "::1", NULL }, { "", NULL },
		{ "[::1", NULL }, { "[::1]x", NULL }, { "[::1]:", NULL }, { "127.0.0.1:", NULL },
		{ "127.0.0.1:65536", NULL }, { "127.0.0.1:-1", NULL }, { "host:1", NULL },
		{ "[127.0.0.1]", NULL }, { "127.0.0.1:1 ", NULL },
		{ "1111111111111111111111111111111111111111111111111111111", NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct sockaddr_storage addr;
		char text[EX_ADDR_LEN];
		socklen_t len;
		int r = ex_addr_parse(rows[i].word, &addr, &len);

		ck_assert_msg((r == 0) == (rows[i].text != NULL), "%s", rows[i].word);
		if (r == 0)
			ck_assert_str_eq(ex_addr_format((struct sockaddr *)&addr, text),
			    rows[i].text);
	}
}
END_TEST

CHECK_MAIN("initiators get what is theirs", verdicts, views, large_views, users_of_this_machine,
    units_know_their_ports, accounts_and_ports, addresses_go_round)
