/* the one-line forms of ports and expanders say what they mean, and every mistake is named */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "check_main.h"
#include "ddi/devtree.h"
#include "hw/soft/soft.h"

static struct soft_port_conf port;
static struct soft_expander_conf exp_conf;
static char err[SOFT_ERR_LEN];

START_TEST(good_lines)
{
	ck_assert_int_eq(soft_port_parse("raid", &port, err), 0);
	ck_assert_str_eq(port.label, "raid");
	ck_assert(!port.is_virtual && port.remote == 0 && port.phys == 0);
	ck_assert_int_eq(soft_port_parse("raid,virtual", &port, err), 0);
	ck_assert(port.is_virtual);
	ck_assert_int_eq(soft_port_parse("far,remote=w5000c500aaaa0001,local=5000c50000000009,"
	    "phys=0x8000000000000001", &port, err), 0);
	ck_assert_uint_eq(port.remote, 0x5000c500aaaa0001ull);
	ck_assert_uint_eq(port.local, 0x5000c50000000009ull);
	ck_assert_uint_eq(port.phys, 0x8000000000000001ull);

	ck_assert_int_eq(soft_expander_parse("5000c500eeee0001", &exp_conf, err), 0);
	ck_assert_uint_eq(exp_conf.phys, 12);
	ck_assert_str_eq(exp_conf.port, SOFT_IPORT);
	ck_assert_str_eq(exp_conf.product, "EXPANDER");
	ck_assert_int_eq(soft_expander_parse("w5000c500eeee0001,phys=128,port=far,vendor=A,"
	    "product=B,revision=C", &exp_conf, err), 0);
	ck_assert_uint_eq(exp_conf.phys, 128);
	ck_assert_str_eq(exp_conf.port, "far");
	ck_assert_str_eq(exp_conf.vendor, "A");
}
END_TEST

static const struct {
	const char *text, *says;
} bad_ports[] = {
	{ "", "begins with its label" },
	{ ",virtual", "begins with its label" },
	{ "virtual=1", "begins with its label" },
	{ "a b", "begins with its label" },
	{ "a/b", "begins with its label" },
	{ "a\x1b[1m", "begins with its label" },
	{ "eighteen-character", "begins with its label" },
	{ "a-b,colour=red", "no such word" },
	{ "a-b,phys=f", "need remote=" },
	{ "a-b,local=5000c50000000009", "need remote=" },
	{ "a-b,remote=5000", "16 hexadecimal digits" },
	{ "a-b,remote=5000c500aaaa0001,phys=", "mask of phys" },
	{ "a-b,remote=5000c500aaaa0001,phys=xyz", "mask of phys" },
	{ "a-b,remote=5000c500aaaa0001,phys=00000000000000001", "mask of phys" },
	{ "a-b,remote=5000c500aaaa0001,virtual", "has no remote=" },
	{ "a-b,virtual=perhaps", "1 or 0" },
}, bad_expanders[] = {
	{ "", "begins with its name" },
	{ "5000c500eeee000", "begins with its name" },
	{ "0000000000000000", "begins with its name" },
	{ "5000c500eeee0001,phys=0", "1 to 128" },
	{ "5000c500eeee0001,phys=129", "1 to 128" },
	{ "5000c500eeee0001,vendor=NineChars", "1 to 8" },
	{ "5000c500eeee0001,", "missing" },
};

START_TEST(bad_lines_are_named_and_change_nothing)
{
	for (size_t i = 0; i < sizeof(bad_ports) / sizeof(bad_ports[0]); i++) {
		memset(&port, 0x5a, sizeof(port));
		ck_assert_int_eq(soft_port_parse(bad_ports[i].text, &port, err), -EINVAL);
		ck_assert_msg(strstr(err, bad_ports[i].says) != NULL, "'%s' gave '%s'",
		    bad_ports[i].text, err);
		ck_assert_int_eq(port.label[0], 0x5a);
	}
	for (size_t i = 0; i < sizeof(bad_expanders) / sizeof(bad_expanders[0]); i++) {
		ck_assert_int_eq(
		    soft_expander_parse(bad_expanders[i].text, &exp_conf, err), -EINVAL);
		ck_assert_msg(strstr(err, bad_expanders[i].says) != NULL, "'%s' gave '%s'",
		    bad_expanders[i].text, err);
	}
}
END_TEST

/* what no single line can know */
static void
refused(const char *const *lines, size_t n, int want, const char *says)
{
	struct soft_port_conf ports[SOFT_PORTS + 1];
	struct soft_hba_conf conf = { .ports = ports, .nports = n };
	struct soft_hba *hba;

	for (size_t i = 0; i < n; i++)
		ck_assert_msg(soft_port_parse(lines[i], &ports[i], err) == 0, "%s", err);
	ck_assert_int_eq(soft_hba_new(&conf, &hba, err), want);
	ck_assert_msg(strstr(err, says) != NULL, "%s", err);
}

#define REFUSED(want, says, ...)                                               \
	refused((const char *[]){ __VA_ARGS__ },                               \
	    sizeof((const char *[]){ __VA_ARGS__ }) / sizeof(char *), (want), (says))

START_TEST(sets_of_ports_are_checked)
{
	static char labels[SOFT_PORTS + 1][16];
	const char *many[SOFT_PORTS + 1];
	struct soft_expander_conf expanders[1];
	struct soft_hba_conf conf = { .expanders = expanders, .nexpanders = 1 };
	struct soft_port_conf odd = { .is_virtual = true };
	struct soft_hba_conf odd_conf = { .ports = &odd, .nports = 1 };
	struct soft_hba *hba;

	REFUSED(-EINVAL, "described twice", "raid", "raid,virtual");
	REFUSED(-EINVAL, "another port has this address", "a-b,remote=5000c500aaaa0001",
	    "c-d,remote=5000c500aaaa0001");
	REFUSED(-EINVAL, "phy 3 leads to another", "a-b,remote=5000c500aaaa0001,phys=f",
	    "c-d,remote=5000c500aaaa0002,phys=8");
	REFUSED(-EINVAL, "mask of phys", "f00");
	/* no line says that, but a program may */
	(void)snprintf(odd.label, sizeof(odd.label), "what/ever");
	ck_assert_int_eq(soft_hba_new(&odd_conf, &hba, err), -EINVAL);
	ck_assert(strstr(err, "a label is letters") != NULL);
	for (int i = 0; i <= SOFT_PORTS; i++) {
		(void)snprintf(labels[i], sizeof(labels[i]), "port%d", i);
		many[i] = labels[i];
	}
	refused(many, SOFT_PORTS + 1, -ENOSPC, "the limit");
	ck_assert_int_eq(soft_expander_parse("5000c500eeee0001,port=x-y", expanders, err), 0);
	ck_assert_int_eq(soft_hba_new(&conf, &hba, err), -ENOENT);
	ck_assert(strstr(err, "no port 'x-y'") != NULL);
	ck_assert_ptr_null(devi_find(devi_root(), SOFT_DRIVER));
}
END_TEST

CHECK_MAIN("port line", good_lines, bad_lines_are_named_and_change_nothing,
    sets_of_ports_are_checked)
