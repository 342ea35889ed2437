/* test_name.c - names in their normal form, addresses of portals, SendTargets */
#include <errno.h>
#include <string.h>

#include "check_main.h"
#include "iscsi/discovery.h"
#include "iscsi/name.h"

static int
fold(const char *name, char *ret)
{
	return iscsi_name_fold(name, strlen(name), ret);
}

START_TEST(names_from_the_wire)
{
	static const char *const good[] = { "iqn.2007-10.com.github:sahlberg:libiscsi:iscsi-test",
		"iqn.1991-05.com.microsoft:host_1.example.com", "eui.0123456789abcdef",
		"naa.0123456789abcdef", "naa.0123456789abcdef0123456789abcdef", "iqn.x",
		"iqn.2026-01.lan:\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80" };
	char ret[ISCSI_NAME_LEN], longest[ISCSI_NAME_MAX + 2];

	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		ck_assert_msg(fold(good[i], ret) == 0, "'%s' was refused", good[i]);
		ck_assert_str_eq(ret, good[i]);
	}
	ck_assert_int_eq(fold("IQN.2026-01.LAN.Test:Disk", ret), 0);
	ck_assert_str_eq(ret, "iqn.2026-01.lan.test:disk");
	ck_assert_int_eq(fold("EUI.0123456789ABCDEF", ret), 0);
	ck_assert_str_eq(ret, "eui.0123456789abcdef");
	memset(longest, 'a', sizeof(longest));
	memcpy(longest, "iqn.", 4);
	ck_assert_int_eq(iscsi_name_fold(longest, ISCSI_NAME_MAX, ret), 0);
	ck_assert_uint_eq(strlen(ret), ISCSI_NAME_MAX);
	ck_assert_int_eq(iscsi_name_fold(longest, ISCSI_NAME_MAX + 1, ret), -E2BIG);
}
END_TEST

START_TEST(names_that_are_none)
{
	static const char *const bad[] = { "", "iqn", "iqn.", "disk1", "iqnx2026-01.lan", "iqn.a b", "iqn.a\tb",
		"iqn.\x7f", "eui.0123456789abcde", "eui.0123456789abcdefg", "eui.0123456789abcdeg",
		"naa.0123", "naa.0123456789abcdef0", "iqn.\xff", "iqn.\xc3", "iqn.\xc0\xaf",
		"iqn.\xe0\x80\xaf", "iqn.\xed\xa0\x80", "iqn.\xf4\x90\x80\x80", "iqn.\xc2\x85",
		"iqn.\xc3(", "iqn.\xf0\x8f\xbf\xbf" };
	char ret[ISCSI_NAME_LEN] = "kept";

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		ck_assert_msg(fold(bad[i], ret) == -EINVAL, "'%s' was taken", bad[i]);
	ck_assert_int_eq(iscsi_name_fold("iqn.a\0b", 7, ret), -EINVAL);
	ck_assert_str_eq(ret, "kept");
}
END_TEST

START_TEST(names_that_we_give)
{
	static const char *const good[] = { "iqn.2026-01.lan.test", "iqn.2026-12.lan:a.b-c:1",
		"iqn.1999-10.com.x-y.z:0", "eui.0123456789abcdef", "naa.0123456789abcdef" };
	static const char *const bad[] = { "iqn.2026-13.lan", "iqn.2026-00.lan", "iqn.2026-1.lan",
		"iqn.2026-01.", "iqn.2026-01.lan:", "iqn.2026-01.lan:A", "iqn.2026-01.lan:a_b",
		"iqn.2026-01..lan", "iqn.2026-01.lan.", "iqn.2026-01.-lan", "iqn.2026-01.lan-.x",
		"iqn.2026-01.LAN", "iqn.26-01.lan.lan", "abc", "foo.2026-01.lan",
		"eui.0123456789ABCDEF", "iqn.2026x01.lan", "iqn.2026-01xlan", "iqn.2026-01.l_n" };
	char longest[ISCSI_NAME_LEN + 1];

	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		ck_assert_msg(iscsi_name_check(good[i]) == 0, "'%s' was refused", good[i]);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		ck_assert_msg(iscsi_name_check(bad[i]) == -EINVAL, "'%s' was taken", bad[i]);
	memset(longest, 'a', sizeof(longest));
	memcpy(longest, "iqn.2026-01.", 12);
	longest[ISCSI_NAME_MAX + 1] = '\0';
	ck_assert_int_eq(iscsi_name_check(longest), -E2BIG);
	longest[ISCSI_NAME_MAX] = '\0';
	ck_assert_int_eq(iscsi_name_check(longest), 0);
}
END_TEST

START_TEST(names_of_ports)
{
	char name[ISCSI_PORT_NAME_LEN], longest[ISCSI_NAME_LEN];

	ck_assert_str_eq(
	    iscsi_port_name("iqn.x", (const uint8_t *)"\x00\x02\x3d\x00\x00\xff", name),
	    "iqn.x,i,0x00023d0000ff");
	memset(longest, 'a', sizeof(longest));
	longest[ISCSI_NAME_MAX] = '\0';
	ck_assert_uint_eq(strlen(iscsi_port_name(longest, (const uint8_t *)"123456", name)),
	    ISCSI_PORT_NAME_LEN - 1);
}
END_TEST

START_TEST(addresses)
{
	static const struct {
		const char *in, *host;
		uint16_t port, tag;
		const char *out;
	} good[] = {
		{ "192.0.2.1", "192.0.2.1", 3260, 0, "192.0.2.1:3260" },
		{ "192.0.2.1:860,1", "192.0.2.1", 860, 1, "192.0.2.1:860,1" },
		{ "192.0.2.1,65535", "192.0.2.1", 3260, 65535, "192.0.2.1:3260,65535" },
		{ "[2001:db8::1]", "2001:db8::1", 3260, 0, "[2001:db8::1]:3260" },
		{ "[::1]:65535,2", "::1", 65535, 2, "[::1]:65535,2" },
		{ "[fe80::1%eth0]:3260", "fe80::1%eth0", 3260, 0, "[fe80::1%eth0]:3260" },
		{ "Storage-1.example.com:1", "Storage-1.example.com", 1, 0,
		    "Storage-1.example.com:1" },
	};
	struct iscsi_address address;
	char text[ISCSI_ADDRESS_LEN];

	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		ck_assert_int_eq(iscsi_address_parse(good[i].in, &address), 0);
		ck_assert_str_eq(address.host, good[i].host);
		ck_assert_uint_eq(address.port, good[i].port);
		ck_assert_uint_eq(address.tag, good[i].tag);
		ck_assert_str_eq(iscsi_address_format(&address, text), good[i].out);
	}
}
END_TEST

START_TEST(addresses_that_are_none)
{
	static const char *const bad[] = { "", ":3260", ",1", "2001:db8::1", "[::1", "[]", "[1.2.3.4]", "[::1]x",
		"a:0", "a:65536", "a:99999999999", "a:", "a:x", "a:1,", "a:1,0", "a:1,65536",
		"a:1,1x", "a b", "a/b", "a:1x", "[eth0:]", "a,1:2" };
	struct iscsi_address address;
	char host[ISCSI_HOST_LEN + 1];

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		ck_assert_msg(iscsi_address_parse(bad[i], &address) == -EINVAL, "'%s' was taken",
		    bad[i]);
	memset(host, 'a', sizeof(host));
	host[ISCSI_HOST_LEN] = '\0';
	ck_assert_int_eq(iscsi_address_parse(host, &address), -EINVAL);
	host[ISCSI_HOST_LEN - 1] = '\0';
	ck_assert_int_eq(iscsi_address_parse(host, &address), 0);
}
END_TEST

static int
send_targets(const char *value, bool is_discovery, enum iscsi_send_targets *ret)
{
	char name[ISCSI_NAME_LEN];

	return iscsi_send_targets_parse((struct iscsi_text){ value, strlen(value) }, is_discovery,
	    ret, name);
}

START_TEST(send_targets_values)
{
	enum iscsi_send_targets what;

	ck_assert_int_eq(send_targets("All", true, &what), 0);
	ck_assert_int_eq(what, ISCSI_SEND_ALL);
	ck_assert_int_eq(send_targets("All", false, &what), 0);
	ck_assert_int_eq(what, ISCSI_SEND_OWN);
	ck_assert_int_eq(send_targets("", false, &what), 0);
	ck_assert_int_eq(what, ISCSI_SEND_OWN);
	ck_assert_int_eq(send_targets("iqn.2026-01.lan:x", true, &what), 0);
	ck_assert_int_eq(what, ISCSI_SEND_ONE);
	ck_assert_int_eq(send_targets("", true, &what), -EINVAL);
	ck_assert_int_eq(send_targets("Alle", true, &what), -EINVAL);
	ck_assert_int_eq(send_targets("A", false, &what), -EINVAL);
	ck_assert_int_eq(send_targets("all", true, &what), -EINVAL);
}
END_TEST

START_TEST(send_targets_records)
{
	static const char want[] = "TargetName=iqn.2026-01.lan:x\0TargetAddress=192.0.2.1:3260,1\0"
		"TargetAddress=[::1]:3261,2";
	struct iscsi_text_out out = { .buf = NULL };
	struct iscsi_address address;

	iscsi_send_targets_name(&out, "iqn.2026-01.lan:x");
	ck_assert_int_eq(iscsi_address_parse("192.0.2.1,1", &address), 0);
	iscsi_send_targets_portal(&out, &address);
	ck_assert_int_eq(iscsi_address_parse("[::1]:3261,2", &address), 0);
	iscsi_send_targets_portal(&out, &address);
	ck_assert_uint_eq(out.len, sizeof(want));
	ck_assert_int_eq(memcmp(out.buf, want, sizeof(want)), 0);
	iscsi_text_out_fini(&out);
}
END_TEST

CHECK_MAIN("names", names_from_the_wire, names_that_are_none, names_that_we_give,
    names_of_ports, addresses, addresses_that_are_none, send_targets_values,
    send_targets_records)
