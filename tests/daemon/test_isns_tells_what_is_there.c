/* a name server hears of portals, targets and which is behind which, and of every change */
#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "check_main.h"
#include "daemon/isns_msg.h"
#include "mock_isns.h"

#define A	"iqn.2001-01.com.example:a"
#define B	"iqn.2001-01.com.example:b"
#define C	"iqn.2001-01.com.example:c"
#define HEAD	" node=" A " entity=e | entity=e"
#define P1	" portal=127.0.0.1:1"
#define WORD(text)	((char *)(uintptr_t)(text))
#define NODE_A	" node=" A " type=1 alias=Some disks group=1 at=127.0.0.1:1"

static const char file[] =
    "portals:\n"
    "  - address: 127.0.0.1:1\n"
    "targets:\n"
    "  - {name: " A ", alias: Some disks}\n"
    "exports:\n"
    "  - {target: " A ", lun: 0, unit: disk@0}\n";

START_TEST(first_everything_replaces_what_was)
{
	struct isns_status st;
	struct mi_world w;

	mi_begin(&w, file);
	mi_go(&w, NULL);
	mi_expect(&w.server, "reg replace" HEAD " protocol=2 period=300" P1 NODE_A);
	mi_wait(&w, ISNS_IN, "");
	isns_status_get(w.isns, &st);
	ck_assert_uint_eq(st.targets, 1);
	ck_assert_uint_eq(st.portals, 1);
	ck_assert_uint_eq(st.period_s, 300);
	ck_assert_str_eq(st.entity, "e");
	ck_assert_str_eq(isns_server(w.isns), w.server.server);
	isns_stop(w.isns);
	mi_expect(&w.server, "dereg node=" A " | entity=e");
	mi_quiet(&w.server);
	mi_end(&w);
}
END_TEST

/* what comes is added; a group tells through which portal, and through which not */
START_TEST(what_comes_is_added)
{
	struct mi_world w;

	mi_begin(&w, file);
	mi_go(&w, NULL);
	(void)mi_next(&w.server);
	mi_wait(&w, ISNS_IN, "");
	mi_change(&w, "portals: [{address: 127.0.0.1:1}, {address: \"[::1]:7\", group: 2}]\n"
	    "targets: [{name: " A ", alias: Some disks}]\n"
	    "exports: [{target: " A ", lun: 0, unit: disk@0}]\n");
	mi_expect(&w.server, "reg" HEAD " protocol=2 period=300" P1 " portal=::1:7" NODE_A
	    " group= at=::1:7");
	mi_wait(&w, ISNS_IN, "");
	mi_change(&w, "portals: [{address: 127.0.0.1:1}, {address: \"[::1]:7\", group: 2}]\n"
	    "targets: [{name: " A ", alias: Some disks}, {name: " B ", groups: [1, 2]}]\n"
	    "exports:\n"
	    "  - {target: " A ", lun: 0, unit: disk@0}\n"
	    "  - {target: " B ", lun: 0, unit: disk@0}\n");
	mi_expect(&w.server, "reg" HEAD " protocol=2 period=300" P1 " portal=::1:7" NODE_A
	    " group= at=::1:7 node=" B " type=1 group=1 at=127.0.0.1:1 group=2 at=::1:7");
	mi_end(&w);
}
END_TEST

/* targets come and go while the server thinks about its answer: what it was told then stands, and
 * the rest is told next */
START_TEST(what_changes_meanwhile_is_told_next)
{
	struct isns_status st;
	struct mi_world w;

	mi_begin(&w, file);
	mi_answer(&w.server, (struct mi_answer){ .what = MI_HELD });
	mi_go(&w, NULL);
	mi_expect(&w.server, "reg replace" HEAD " protocol=2 period=300" P1 NODE_A);
	mi_change(&w, "portals: [{address: 127.0.0.1:1}]\n"
	    "targets: [{name: " A ", alias: Some disks}, {name: " B "}]\n"
	    "exports: [{target: " A ", lun: 0, unit: disk@0}, "
	    "{target: " B ", lun: 0, unit: disk@0}]\n");
	mi_quiet(&w.server);
	mi_answer(&w.server, (struct mi_answer){ 0 });
	mi_expect(&w.server, "reg" HEAD " protocol=2 period=300" P1 NODE_A " node=" B
	    " type=1 group=1 at=127.0.0.1:1");
	mi_wait(&w, ISNS_IN, "");

	/* who speaks goes, in the middle of a registration that names it */
	mi_answer(&w.server, (struct mi_answer){ .what = MI_HELD });
	mi_change(&w, "portals: [{address: 127.0.0.1:1}]\n"
	    "targets: [{name: " A "}, {name: " B "}]\n"
	    "exports: [{target: " A ", lun: 0, unit: disk@0}, "
	    "{target: " B ", lun: 0, unit: disk@0}]\n");
	ck_assert(strncmp(mi_next(&w.server), "reg replace", 11) == 0);
	mi_change(&w, "portals: [{address: 127.0.0.1:1}]\n"
	    "targets: [{name: " B "}]\n"
	    "exports: [{target: " B ", lun: 0, unit: disk@0}]\n");
	mi_answer(&w.server, (struct mi_answer){ 0 });
	mi_expect(&w.server, "dereg node=" A " | entity=e");
	mi_expect(&w.server, "reg replace node=" B " entity=e | entity=e protocol=2 period=300"
	    P1 " node=" B " type=1 group=1 at=127.0.0.1:1");
	do {
		mi_wait(&w, ISNS_IN, "");
		isns_status_get(w.isns, &st);
	} while (st.targets != 1);
	mi_end(&w);
}
END_TEST

START_TEST(what_goes_is_replaced)
{
	struct mi_world w;

	mi_begin(&w, "portals: [{address: \"127.0.0.1:1\"}]\n"
	    "targets: [{name: " A ", alias: Some disks}, {name: " B "}]\n"
	    "exports:\n"
	    "  - {target: " A ", lun: 0, unit: disk@0}\n"
	    "  - {target: " B ", lun: 0, unit: disk@0}\n");
	mi_go(&w, NULL);
	(void)mi_next(&w.server);
	mi_wait(&w, ISNS_IN, "");
	mi_change(&w, file);
	mi_expect(&w.server, "reg replace" HEAD " protocol=2 period=300" P1 NODE_A);
	mi_wait(&w, ISNS_IN, "");
	mi_change(&w, "portals: [{address: \"127.0.0.1:2\"}]\n"
	    "targets: [{name: " A ", alias: Some disks}]\n"
	    "exports: [{target: " A ", lun: 0, unit: disk@0}]\n");
	mi_expect(&w.server, "reg replace" HEAD " protocol=2 period=300 portal=127.0.0.1:2"
	    " node=" A " type=1 alias=Some disks group=1 at=127.0.0.1:2");
	mi_end(&w);
}
END_TEST

/* nobody who is not known may speak: the old one takes all back, the new one begins */
START_TEST(another_speaks_when_the_first_has_gone)
{
	struct mi_world w;

	mi_begin(&w, file);
	mi_go(&w, NULL);
	(void)mi_next(&w.server);
	mi_wait(&w, ISNS_IN, "");
	mi_change(&w, "portals: [{address: \"127.0.0.1:1\"}]\n"
	    "targets: [{name: " A "}, {name: " B "}]\n"
	    "exports: [{target: " B ", lun: 0, unit: disk@0}]\n");
	mi_expect(&w.server, "dereg node=" A " | entity=e");
	mi_expect(&w.server, "reg replace node=" B " entity=e | entity=e protocol=2 period=300"
	    P1 " node=" B " type=1 group=1 at=127.0.0.1:1");
	mi_wait(&w, ISNS_IN, "");
	/* who spoke goes on speaking */
	mi_change(&w, "portals: [{address: \"127.0.0.1:1\"}]\n"
	    "targets: [{name: " A "}, {name: " B "}]\n"
	    "exports:\n"
	    "  - {target: " A ", lun: 0, unit: disk@0}\n"
	    "  - {target: " B ", lun: 0, unit: disk@0}\n");
	mi_expect(&w.server, "reg node=" B " entity=e | entity=e protocol=2 period=300" P1
	    " node=" B " type=1 group=1 at=127.0.0.1:1"
	    " node=" A " type=1 group=1 at=127.0.0.1:1");
	mi_end(&w);
}
END_TEST

START_TEST(without_targets_there_is_nothing_to_tell)
{
	struct mi_world w;

	mi_begin(&w, "portals: [{address: \"127.0.0.1:1\"}]\n");
	mi_go(&w, NULL);
	mi_wait(&w, ISNS_IDLE, "");
	mi_change(&w, "portals: [{address: \"127.0.0.1:1\"}]\ntargets: [{name: " A "}]\n");
	mi_wait(&w, ISNS_IDLE, "");
	mi_quiet(&w.server);
	mi_change(&w, file);
	(void)mi_next(&w.server);
	mi_wait(&w, ISNS_IN, "");
	mi_change(&w, "targets: [{name: " A "}]\n");
	mi_expect(&w.server, "dereg node=" A " | entity=e");
	mi_wait(&w, ISNS_IDLE, "");
	isns_stop(w.isns);
	mi_quiet(&w.server);
	mi_end(&w);
}
END_TEST

/* limits of a session are nothing that a name server wants to know */
START_TEST(other_changes_are_not_told)
{
	struct mi_world w;

	mi_begin(&w, file);
	mi_go(&w, NULL);
	(void)mi_next(&w.server);
	mi_wait(&w, ISNS_IN, "");
	world_do(&w.world, "add acl mine initiators=iqn.x");
	mi_change(&w, "portals: [{address: \"127.0.0.1:1\"}]\n"
	    "targets: [{name: " A ", alias: Some disks, window: 7}]\n"
	    "exports: [{target: " A ", lun: 0, unit: disk@1}]\n");
	isns_stop(w.isns);
	mi_expect(&w.server, "dereg node=" A " | entity=e");
	mi_end(&w);
}
END_TEST

#define MANY	100

START_TEST(many_targets_are_told_in_pieces)
{
	char file_text[MANY * 64], exports[MANY * 80], whole[MANY * 160], name[EX_NAME_MAX + 1];
	size_t len = 0, len_exports = 0;
	const char *line, *rest = "";
	struct mi_world w;
	unsigned int n = 0, pieces = 0;

	for (unsigned int i = 0; i < MANY; i++) {
		len += (size_t)snprintf(file_text + len, sizeof(file_text) - len,
		    "  - name: " A "%03u\n", i);
		len_exports += (size_t)snprintf(exports + len_exports,
		    sizeof(exports) - len_exports, "  - {target: " A "%03u, lun: 0, "
		    "unit: d}\n", i);
	}
	(void)snprintf(whole, sizeof(whole), "portals: [{address: \"127.0.0.1:1\"}]\n"
	    "targets:\n%sexports:\n%s", file_text, exports);
	mi_begin(&w, whole);
	mi_go(&w, NULL);
	for (; n < MANY; pieces++) {
		line = mi_next(&w.server);
		ck_assert_int_eq(strstr(line, "replace") != NULL, pieces == 0);
		ck_assert_int_eq(strstr(line, "portal=") != NULL, pieces == 0);
		rest = strchr(line, '|');
		for (; (rest = strstr(rest, " node=")) != NULL; rest++, n++) {
			(void)snprintf(name, sizeof(name), " node=" A "%03u ", n);
			ck_assert_int_eq(strncmp(rest, name, strlen(name)), 0);
		}
	}
	ck_assert_uint_gt(pieces, 2);
	ck_assert_uint_le(w.server.largest, 4096 + 12);
	mi_wait(&w, ISNS_IN, "");
	mi_end(&w);
}
END_TEST

/* ------ views ------ */

/* in place of the C library's: interfaces that do not change while they are looked at */
static struct sockaddr_in addrs4[4];
static const char *const texts4[] = { "127.0.0.1", "10.1.2.3", "10.1.2.4", "192.168.0.1" };
static struct sockaddr_in6 addrs6[] = {
	{ .sin6_family = AF_INET6, .sin6_addr.s6_addr = { 0xfe, 0x80, [15] = 5 } },
	{ .sin6_family = AF_INET6, .sin6_addr.s6_addr = { 0x20, 0x01, 0x0d, 0xb8, [15] = 5 } },
};

static struct ifaddrs interfaces[] = {
	{ .ifa_name = WORD("lo"), .ifa_flags = IFF_UP | IFF_LOOPBACK,
	    .ifa_addr = (struct sockaddr *)&addrs4[0] },
	{ .ifa_name = WORD("tun0"), .ifa_flags = IFF_UP },
	{ .ifa_name = WORD("eth0"), .ifa_flags = IFF_UP, .ifa_addr = (struct sockaddr *)&addrs4[1] },
	{ .ifa_name = WORD("eth0"), .ifa_flags = IFF_UP, .ifa_addr = (struct sockaddr *)&addrs6[0] },
	{ .ifa_name = WORD("eth0"), .ifa_flags = IFF_UP, .ifa_addr = (struct sockaddr *)&addrs6[1] },
	{ .ifa_name = WORD("eth1"), .ifa_flags = IFF_UP, .ifa_addr = (struct sockaddr *)&addrs4[2] },
	{ .ifa_name = WORD("eth2"), .ifa_addr = (struct sockaddr *)&addrs4[3] },
};

int
getifaddrs(struct ifaddrs **ret)
{
	for (size_t i = 0; i < ARRAY_LEN(addrs4); i++) {
		addrs4[i].sin_family = AF_INET;
		ck_assert_int_eq(inet_pton(AF_INET, texts4[i], &addrs4[i].sin_addr), 1);
	}
	for (size_t i = 1; i < ARRAY_LEN(interfaces); i++)
		interfaces[i - 1].ifa_next = &interfaces[i];
	*ret = interfaces;
	return 0;
}

void
freeifaddrs(struct ifaddrs *list)
{
	(void)list;
}

static void
expect_portals(const struct world *w, bool want_loopback, const char *const *texts, size_t n)
{
	struct isns_view *view;
	char text[INET6_ADDRSTRLEN];

	ck_assert_int_eq(isns_view_new(w->exports, want_loopback, &view), 0);
	ck_assert_uint_eq(view->n_portals, n);
	for (size_t i = 0; i < n; i++) {
		ck_assert_ptr_nonnull(inet_ntop(AF_INET6, view->portals[i].addr, text,
		    sizeof(text)));
		ck_assert_str_eq(text, texts[i]);
		ck_assert_uint_eq(view->portals[i].port, 3260);
	}
	isns_view_free(view);
}

/* each address of this machine, but none of another family, of an interface that is down, or of
 * loopback */
START_TEST(wildcards_stand_for_addresses)
{
	static const char *const v4[] = { "::ffff:10.1.2.3", "::ffff:10.1.2.4" };
	static const char *const v4_here[] = { "::ffff:127.0.0.1", "::ffff:10.1.2.3",
		"::ffff:10.1.2.4" };
	static const char *const v6[] = { "2001:db8::5" };
	static const char targets[] = "targets: [{name: " A "}]\n"
	    "exports: [{target: " A ", lun: 0, unit: disk@0, allow_anyone: yes}]\n";
	char text[512];
	struct world w;

	for (int family = 4; family <= 6; family += 2) {
		(void)snprintf(text, sizeof(text), "portals: [{address: \"%s:3260\"}]\n%s",
		    family == 4 ? "0.0.0.0" : "[::]", targets);
		world_init(&w, false);
		world_file(&w, text);
		ck_assert_int_eq(world_up(&w), 0);
		expect_portals(&w, false, family == 4 ? v4 : v6, family == 4 ? 2 : 1);
		if (family == 4)
			expect_portals(&w, true, v4_here, 3);
		world_fini(&w);
	}
}
END_TEST

/* what only this machine can reach is nothing for another one's server */
START_TEST(loopback_is_for_servers_here)
{
	struct isns_view *view, *wide;
	struct world w;
	size_t at;

	world_init(&w, false);
	world_file(&w, "portals:\n"
	    "  - {address: \"127.0.0.1:1\", group: 1}\n"
	    "  - {address: \"192.0.2.1:2\", group: 2}\n"
	    "  - {address: \"[fe80::1]:3\", group: 2}\n"
	    "acls: [{name: hosts, initiators: [iqn.h]}]\n"
	    "targets:\n"
	    "  - {name: " A ", groups: [1]}\n"
	    "  - {name: " B ", groups: [2, 1]}\n"
	    "  - {name: " C ", groups: [2]}\n"
	    "exports:\n"
	    "  - {target: " A ", lun: 0, unit: disk@0, acl: hosts}\n"
	    "  - {target: " B ", lun: 0, unit: disk@0, acl: hosts}\n");
	ck_assert_int_eq(world_up(&w), 0);
	ck_assert_int_eq(isns_view_new(w.exports, false, &view), 0);
	ck_assert_uint_eq(view->n_portals, 1);
	ck_assert_uint_eq(view->portals[0].port, 2);
	ck_assert_uint_eq(view->n_targets, 1);
	ck_assert(isns_view_find(view, B, &at) && at == 0);
	ck_assert(!isns_view_find(view, A, &at));
	ck_assert_int_eq(isns_view_new(w.exports, true, &wide), 0);
	ck_assert_uint_eq(wide->n_portals, 2);
	ck_assert_uint_eq(wide->n_targets, 2);
	ck_assert(isns_view_within(view, wide));
	ck_assert(!isns_view_within(wide, view));
	ck_assert(!isns_view_same(view, wide));
	ck_assert(isns_view_same(wide, wide));
	isns_view_free(view);
	isns_view_free(wide);
	world_down(&w);
	world_fini(&w);
}
END_TEST

/* all portals that there can be, a target with the longest words behind half of them */
START_TEST(the_largest_message_fits)
{
	char text[8192] = "portals:\n", name[EX_NAME_MAX + 1], alias[ISNS_TEXT_MAX + 1];
	char entity[ISNS_TEXT_MAX + 1];
	uint8_t msg[ISNS_MSG_MAX];
	struct isns_writer w = { .period_s = 300, .want_groups = true, .want_replace = true };
	struct isns_view *view;
	size_t len = strlen(text), n_groups = 0;
	struct isns_attr attr;
	struct world world;
	struct cursor c;

	memset(name, 'a', sizeof(name) - 1);
	memcpy(name, "iqn.2001-01.com.example:", 24);
	memset(alias, 'b', sizeof(alias) - 1);
	memset(entity, 'c', sizeof(entity) - 1);
	name[EX_NAME_MAX] = alias[ISNS_TEXT_MAX] = entity[ISNS_TEXT_MAX] = '\0';
	for (unsigned int i = 1; i <= EX_PORTALS_MAX; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len,
		    "  - {address: \"127.0.0.1:%u\", group: %u}\n", i, i);
	len += (size_t)snprintf(text + len, sizeof(text) - len,
	    "targets:\n  - {name: \"%s\", alias: %s, groups: [1", name, alias);
	for (unsigned int i = 2; i <= EX_GROUPS_MAX; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, ", %u", i);
	(void)snprintf(text + len, sizeof(text) - len,
	    "]}\nexports: [{target: \"%s\", lun: 0, unit: d}]\n", name);
	world_init(&world, false);
	world_file(&world, text);
	ck_assert_int_eq(world_up(&world), 0);
	ck_assert_int_eq(isns_view_new(world.exports, true, &view), 0);
	ck_assert_uint_eq(view->n_portals, ISNS_PORTALS_MAX);
	ck_assert(!view->is_cut);
	w.view = view;
	w.who = (struct isns_speaker){ entity, name };
	len = isns_msg_register(&w, 1, msg);
	ck_assert_uint_le(len, sizeof(msg));
	c = cursor_read_init(msg + ISNS_HEAD_LEN, len - ISNS_HEAD_LEN);
	while (isns_attr_next(&c, &attr))
		n_groups += attr.tag == ISNS_TAG_GROUP_ADDR;
	ck_assert(cursor_ok(&c));
	ck_assert_uint_eq(n_groups, EX_PORTALS_MAX);
	ck_assert_uint_eq(isns_msg_register(&w, 2, msg), 0);
	isns_view_free(view);
	world_down(&world);
	world_fini(&world);
}
END_TEST

/* one listener may stand for more addresses than there is room for */
START_TEST(portals_are_bounded)
{
	char text[8192] = "portals:\n  - {address: \"0.0.0.0:9999\"}\n";
	size_t len = strlen(text);
	struct isns_view *view;
	struct world world;

	for (unsigned int i = 1; i < EX_PORTALS_MAX; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len,
		    "  - {address: \"127.0.0.1:%u\"}\n", i);
	(void)snprintf(text + len, sizeof(text) - len, "targets: [{name: " A "}]\n"
	    "exports: [{target: " A ", lun: 0, unit: d, allow_anyone: yes}]\n");
	world_init(&world, false);
	world_file(&world, text);
	ck_assert_int_eq(world_up(&world), 0);
	ck_assert_int_eq(isns_view_new(world.exports, true, &view), 0);
	ck_assert(view->is_cut);
	ck_assert_uint_eq(view->n_portals, ISNS_PORTALS_MAX);
	isns_view_free(view);
	world_down(&world);
	world_fini(&world);
}
END_TEST

CHECK_MAIN("isns_tells_what_is_there", first_everything_replaces_what_was, what_comes_is_added,
    what_changes_meanwhile_is_told_next, what_goes_is_replaced,
    another_speaks_when_the_first_has_gone,
    without_targets_there_is_nothing_to_tell, other_changes_are_not_told,
    many_targets_are_told_in_pieces, wildcards_stand_for_addresses,
    loopback_is_for_servers_here, the_largest_message_fits, portals_are_bounded)
