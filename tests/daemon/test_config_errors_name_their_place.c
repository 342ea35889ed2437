/* every mistake in a configuration file is told with file, line and column */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check_main.h"
#include "daemon/config.h"
#include "daemon/config_raw.h"

static char path[40];

static int fd = -1;

static void
file_put(const char *text)
{
	if (fd < 0)
		fd = check_file(path, sizeof(path));
	ck_assert_int_eq(ftruncate(fd, 0), 0);
	ck_assert_int_eq(pwrite(fd, text, strlen(text), 0), (ssize_t)strlen(text));
}

/* a comment that goes on */
static void
file_fill(off_t at, size_t len)
{
	char *bytes = malloc(len);

	ck_assert_ptr_nonnull(bytes);
	memset(bytes, '-', len);
	ck_assert_int_eq(pwrite(fd, bytes, len, at), (ssize_t)len);
	free(bytes);
}

struct mistake {
	const char *text;
	const char *place;	/* ":line:column: " */
	const char *words;	/* somewhere behind it */
};

static void
mistakes_check(const struct mistake *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct config conf;
		char text[CONFIG_ERR_LEN] = "", want[80];

		file_put(rows[i].text);
		config_init(&conf);
		ck_assert_msg(config_load(&conf, path, text) == -EINVAL, "row %zu taken", i);
		(void)snprintf(want, sizeof(want), "%s%s", path, rows[i].place);
		ck_assert_msg(strncmp(text, want, strlen(want)) == 0, "row %zu: %s", i, text);
		ck_assert_msg(strstr(text, rows[i].words) != NULL, "row %zu: %s", i, text);
		config_fini(&conf);
	}
	(void)unlink(path);
}

/* a test of one table */
#define MISTAKES(name)                                                         \
	START_TEST(name)                                                       \
	{                                                                      \
		mistakes_check(name##_rows, ARRAY_LEN(name##_rows));           \
	}                                                                      \
	END_TEST

static const struct mistake limits_rows[] = {
	{ "loops: many\n", ":1:8: ", "'many' is not a number" },
	{ "loops: 0\n", ":1:8: ", "out of range" },
	{ "loops: 65\n", ":1:8: ", "1 to 64" },
	{ "\nlimits:\n  connections: 0\n", ":3:16: ", "out of range" },
	{ "limits:\n  data_bytes: 4M\n  client_bytes: 2M\n", ":3:17: ",
	    "less than data_bytes" },
	{ "limits:\n  client_bytes: 64K\n", ":2:17: ", "out of range" },
};

MISTAKES(limits)

static const struct mistake name_server_rows[] = {
	{ "isns: {entity: a}\n", ":1:7: ", "names no server" },
	{ "isns: {}\n", ":1:7: ", "names no server" },
	{ "isns: {server: \"a:0\"}\n", ":1:16: ", "'a:0' is no name server" },
	{ "isns: {server: \"::1\"}\n", ":1:16: ", "[2001:db8::1]:3205" },
	{ "isns: {server: a, entity: \"a b\"}\n", ":1:27: ", "'a b' can be no name" },
	{ "isns: {server: a, entity: \"\"}\n", ":1:27: ", "1 to 255" },
	{ "isns: {server: a, period_s: 9}\n", ":1:29: ", "10 to 86400" },
	{ "isns: {server: a, port: 9}\n", ":1:19: ", "server, entity, period_s" },
};

MISTAKES(name_server)

/* keys that are not there, on every level, behind something that is right; keys that are there
 * twice */
static const struct mistake keys_rows[] = {
	{ "nonsense: 1\n", ":1:1: ", "'nonsense'" },
	{ "loops: 1\n\nnonsense: 1\n", ":3:1: ", "'nonsense'" },
	{ "limits:\n  handles: 1\n  hair: 1\n", ":3:3: ", "'hair'" },
	{ "socket:\n  path: /x\n  made: 1\n", ":3:3: ", "path, mode, group" },
	{ "log: {level: info, where: x}\n", ":1:20: ", "'where'" },
	{ "hbas:\n  - driver: soft\n    discs: []\n", ":3:5: ", "'discs'" },
	{ "hbas:\n  - driver: soft\n  - drive: soft\n", ":3:5: ", "'drive'" },
	{ "access:\n  - uid: 1\n    roll: io\n", ":3:5: ", "'roll'" },
	{ "loops: 1\n\"a\\u00e9\\e[1m\": 1\n", ":2:1: ", "'a\\xc3\\xa9\\x1b[1m'" },
	{ "loops: 1\nloops: 2\n", ":2:1: ", "already, in line 1" },
	{ "hbas:\n  - driver: soft\n    module: a\n    driver: b\n", ":4:5: ",
	    "already, in line 2" },
};

MISTAKES(keys)

/* values of another kind */
static const struct mistake kinds_rows[] = {
	{ "loops: [1]\n", ":1:8: ", "one word" },
	{ "loops:\n  a: 1\n", ":2:3: ", "one word" },
	{ "hbas: soft\n", ":1:7: ", "a list" },
	{ "hbas:\n", ":1:6: ", "a list" },
	{ "hbas:\n  driver: soft\n", ":2:3: ", "a list" },
	{ "hbas:\n  - soft\n", ":2:5: ", "keys with values" },
	{ "hbas:\n  - driver: soft\n    disks: mem:1M\n", ":3:12: ", "a list" },
	{ "hbas:\n  - driver: soft\n    disks:\n      - mem: 1M\n", ":4:9: ",
	    "one word" },
	{ "socket: /x\n", ":1:9: ", "keys with values" },
	{ "- a\n", ":1:1: ", "keys with values" },
	{ "just a word\n", ":1:1: ", "keys with values" },
	{ "? [a]\n: 1\n", ":1:3: ", "a key" },
	{ "loops: \"a\\0b\"\n", ":1:8: ", "NUL" },
};

MISTAKES(kinds)

/* no YAML, or more of it than there can be */
static const struct mistake syntax_rows[] = {
	{ "loops: \"1\n", ":2:1: ", "" },
	{ "hbas: [\n", ":2:1: ", "" },
	{ "socket:\n\t- x\n", ":2:1: ", "tab" },
	{ "socket:\n  path: /x\n\tmode: 1\n", ":3:1: ", "tab" },
	{ "loops: 1\nuser: a\xff\n", ":2:8: ", "UTF-8" },
	{ "# \xc3\xa9\xc3\n", ":1:4: ", "UTF-8" },
	{ "loops: &a 1\n", ":1:8: ", "anchors" },
	{ "hbas: &a\n  - driver: soft\n", ":1:7: ", "anchors" },
	{ "loops: 1\nlog: &a\n  level: info\n", ":2:6: ", "anchors" },
	{ "loops: *a\n", ":1:8: ", "aliases" },
	{ "loops: 1\n---\nloops: 2\n", ":2:1: ", "second document" },
};

MISTAKES(syntax)

/* the daemon itself, and who may do what */
static const struct mistake daemon_keys_rows[] = {
	{ "socket:\n  path: relative\n", ":2:9: ", "absolute" },
	{ "socket:\n  mode: 999\n", ":2:9: ", "octal" },
	{ "socket:\n  mode: 07777\n", ":2:9: ", "octal" },
	{ "socket:\n  group: no-such-group-here\n", ":2:10: ", "not a group" },
	{ "log:\n  level: loud\n", ":2:10: ", "debug" },
	{ "access:\n  - role: io\n", ":2:5: ", "exactly one" },
	{ "access:\n  - uid: 1\n    gid: 2\n    role: io\n", ":2:5: ", "exactly one" },
	{ "access:\n  - uid: 1\n", ":2:5: ", "role" },
	{ "access:\n  - uid: 1\n    role: king\n", ":3:11: ", "'king' is not a role" },
	{ "access:\n  - uid: x\n    role: io\n", ":2:10: ", "numeric" },
	{ "access:\n  - user: no-such-user-here\n    role: io\n", ":2:11: ",
	    "not a user" },
};

MISTAKES(daemon_keys)

/* the software HBA, and drivers */
static const struct mistake soft_hbas_rows[] = {
	{ "hbas:\n  - disks: [mem:1M]\n", ":2:5: ", "driver" },
	{ "hbas:\n  - driver: soft\n    disks:\n      - mem:1M\n      - mem:lots\n",
	    ":5:9: ",
	    "lots" },
	{ "hbas:\n  - driver: soft\n    ports: [\"p0,moon\"]\n", ":3:13: ", "moon" },
	{ "hbas:\n  - driver: soft\n    ports:\n      - a,virtual\n      - a b\n",
	    ":5:9: ", "" },
	{ "hbas:\n  - driver: soft\n    expanders: [moon]\n", ":3:17: ", "digits" },
	{ "hbas:\n  - driver: soft\n    expanders: [\"\"]\n", ":3:17: ", "" },
	{ "hbas:\n  - driver: soft\n    dynamic: maybe\n", ":3:14: ",
	    "neither yes nor no" },
	{ "hbas:\n  - driver: x\n    module: /x.so\n    ports: [p0]\n", ":4:12: ",
	    "soft" },
	{ "hbas:\n  - driver: x\n    module: /x.so\n    expanders: [a]\n", ":4:16: ",
	    "soft" },
	{ "hbas:\n  - driver: x\n    module: /x.so\n    dynamic: no\n", ":4:14: ",
	    "soft" },
	{ "hbas:\n  - driver: no_such\n", ":2:13: ", "not a built-in driver" },
	{ "hbas:\n  - driver: \"\"\n", ":2:13: ", "letters" },
};

MISTAKES(soft_hbas)

/* PCI functions */
static const struct mistake pci_functions_rows[] = {
	{ "hbas:\n  - pci: 0000:00:10\n", ":2:10: ", "not the address" },
	{ "hbas:\n  - pci: ../etc\n", ":2:10: ", "not the address" },
	{ "hbas:\n  - pci: 00:10.0\n    bus: isa\n", ":3:10: ", "vfio and uio" },
	{ "hbas:\n  - pci: 00:10.0\n    bus: uio\n", ":3:10: ",
	    "allow_unsafe_dma: yes" },
	{ "hbas:\n  - pci: 00:10.0\n    bus: uio\n    allow_unsafe_dma: no\n",
	    ":3:10: ", "allow_unsafe_dma: yes" },
	{ "hbas:\n  - pci: 00:10.0\n    allow_unsafe_dma: maybe\n", ":3:23: ",
	    "neither yes nor no" },
	{ "hbas:\n  - pci: 00:10.0\n    dma_pool: 4K\n", ":3:15: ", "1M to 1G" },
	{ "hbas:\n  - driver: soft\n    dma_pool: 4M\n", ":3:15: ", "'pci' only" },
	{ "hbas:\n  - driver: soft\n    bus: vfio\n", ":3:10: ", "no 'pci'" },
	{ "hbas:\n  - driver: soft\n    allow_unsafe_dma: yes\n", ":3:23: ", "'pci' only" },
	{ "hbas:\n  - driver: soft\n    pci: 00:10.0\n", ":3:10: ",
	    "driver soft does not drive" },
	{ "hbas:\n  - pci: 00:10.0\n  - pci: 0000:00:10.0\n", ":3:10: ", "already" },
	{ "hbas:\n  - pci: 00:10.0\n    module: /x.so\n", ":3:13: ", "needs a driver" },
	{ "hbas:\n  - pci: 00:10.0\n    disks: [mem:1M]\n", ":3:12: ", "'soft'" },
	{ "hbas:\n  - driver: virtio_scsi\n", ":2:13: ", "pci: 0000:00:10.0" },
	{ "hbas:\n  - driver: virtio_scsi\n    pci: 00:10.0\n    queues: 65\n", ":4:13: ",
	    "0 to 64" },
	{ "hbas:\n  - driver: virtio_scsi\n    pci: 00:10.0\n    queues: few\n",
	    ":4:13: ", "not a number" },
	{ "hbas:\n  - driver: soft\n    queues: 1\n", ":3:13: ", "'virtio_scsi' only" },
	{ "hbas:\n  - pci: 00:10.0\n    queues: 1\n", ":3:13: ", "'virtio_scsi' only" },
};

MISTAKES(pci_functions)

/* names */
static const struct mistake names_rows[] = {
	{ "hbas:\n  - driver: soft\n    name: a b\n", ":3:11: ", "not a name" },
	{ "hbas:\n  - driver: soft\n    name: soft7\n", ":3:11: ", "use another" },
	{ "hbas:\n  - {driver: soft, name: a}\n  - {driver: soft, name: a}\n",
	    ":3:26: ", "another HBA already" },
	{ "hbas:\n  - driver: soft\n    module: /x.so\n", ":3:13: ", "built in" },
	{ "hbas:\n  - driver: no/name\n", ":2:13: ", "letters" },
	{ "hbas:\n  - driver: abcdefghijklmnopqrstu\n", ":2:13: ", "1 to 20" },
	{ "hbas:\n  - driver: x\n    module: /x.so\n    disks: [mem:1M]\n", ":4:12: ",
	    "soft" },
	{ "user: no-such-user-here\n", ":1:7: ", "not a user" },
	{ "state_dir: here\n", ":1:12: ", "absolute" },
	{ "seccomp: maybe\n", ":1:10: ", "neither off, log nor enforce" },
};

MISTAKES(names)

/* exports: each word in its place */
static const struct mistake exports_rows[] = {
	{ "portals:\n  - adress: 1\n", ":2:5: ", "there are: address, group" },
	{ "portals:\n  - address: moon\n", ":2:14: ", "'moon' is no address" },
	{ "portals:\n  - address: 127.0.0.1\n    group: 0\n", ":3:12: ",
	    "no number from 1 to 65535" },
	{ "portals:\n  - group: 1\n", ":2:5: ", "needs address" },
	{ "portals:\n  - address: 127.0.0.1\n  - address: 127.0.0.1:3260\n", ":3:14: ",
	    "is there already" },
	{ "groups:\n  - tag: 1\n    state: tired\n", ":3:12: ",
	    "there are: optimized" },
	{ "groups:\n  - tag: one\n", ":2:10: ", "no tag" },
	{ "targets:\n  - name: disks\n", ":2:11: ", "is no iSCSI name" },
	{ "targets:\n  - name: iqn.2001-01.com.a:b\n    chap: [x, no one]\n",
	    ":3:15: ", "'no one' is no name" },
	{ "targets:\n  - name: iqn.2001-01.com.a:b\n    chap:\n      - x\n", ":4:9: ",
	    "there is no account 'x'" },
	{ "targets:\n  - name: iqn.2001-01.com.a:b\n    groups: [1, 2, 1]\n",
	    ":3:20: ", "twice" },
	{ "targets:\n  - name: iqn.2001-01.com.a:b\n    groups:\n      -\n", ":4:8: ",
	    "'' is no tag" },
	{ "targets:\n  - name: iqn.2001-01.com.a:b\n    recovery_level: 3\n",
	    ":3:21: ", "from 0 to 2" },
	{ "targets:\n  - name: iqn.2001-01.com.a:b\n  - name: IQN.2001-01.com.A:b\n",
	    ":3:11: ", "is there already" },
};

MISTAKES(exports)

/* who may use which unit, and how */
static const struct mistake rights_rows[] = {
	{ "acls:\n  - name: a\n", ":2:5: ", "fits nobody" },
	{ "acls:\n  - name: a\n    addresses: [10.0.0.0/8, 10.0.0.0/x]\n", ":3:29: ",
	    "no address or network" },
	{ "acls:\n  - name: a\n    initiators: [\"\"]\n", ":3:18: ", "no name" },
	{ "exports:\n  - target: iqn.a\n    lun: 0\n    unit: a@0\n", ":2:13: ",
	    "there is no target 'iqn.a'" },
	{ "exports:\n  - target: iqn.a\n    lun: x\n", ":3:10: ", "no number" },
	{ "exports:\n  - target: iqn.a\n    lun: 1\n", ":2:5: ", "needs target" },
	{ "targets:\n  - name: iqn.2001-01.com.a:b\nexports:\n"
	    "  - target: iqn.2001-01.com.a:b\n    lun: 1\n    unit: a@0\n"
	    "    acl: who\n", ":7:10: ", "there is no access list 'who'" },
	{ "targets:\n  - name: iqn.2001-01.com.a:b\nportals:\n"
	    "  - address: 0.0.0.0\nexports:\n  - target: iqn.2001-01.com.a:b\n"
	    "    lun: 1\n    unit: a@0\n", ":6:5: ", "open to other machines" },
	{ "targets:\n  - name: iqn.2001-01.com.a:b\nexports:\n"
	    "  - {target: iqn.2001-01.com.a:b, lun: 1, unit: a@0}\n"
	    "  - {target: iqn.2001-01.com.a:b, lun: 2, unit: a@0}\n", ":5:49: ",
	    "LUN 1 there already" },
	{ "targets:\n  - name: iqn.2001-01.com.a:b\nexports:\n"
	    "  - {target: iqn.2001-01.com.a:b, lun: 1, unit: a@0, allow_anyone: yes}\n"
	    "  - {target: iqn.2001-01.com.a:b, lun: 1, unit: a@1}\n", ":5:5: ",
	    "is there already" },
	{ "exports:\n  - {target: a, lun: 1, unit: a@0, acl: b, allow_anyone: yes}\n",
	    ":2:58: ", "contradicts acl" },
	{ "exports:\n  - {target: a, lun: 1, unit: a b}\n", ":2:31: ", "no path" },
	{ "exports:\n  - {target: a, lun: 1, unit: a@0, access: [ro, fly]}\n",
	    ":2:49: ", "'fly' is unknown" },
	{ "chap:\n  - name: bob\n    secret_file: /nonexistent\n", ":3:18: ",
	    "cannot be read" },
	{ "chap:\n  - name: bob\n    user: a b\n", ":3:11: ", "is no user" },
	{ "chap:\n  - name: bob\n", ":2:5: ", "needs either" },
	{ "discovery:\n  chap: [bob]\n", ":2:10: ", "no account 'bob'" },
	{ "discovery:\n  - chap: [bob]\n", ":2:3: ", "keys with values" },
	{ "local:\n  - who: me\n", ":2:10: ", "write user:NAME" },
	{ "local:\n  - who: uid:1\n", ":2:5: ", "needs units" },
	{ "units:\n  - unit: a@0\n    alua: no\n", ":3:11: ", "emulate, pass" },
	{ "units:\n  - unit: a@0\n    depth: 65536\n", ":3:12: ", "0 to 65535" },
	{ "units:\n  - unit: a@0\n    depth: -1\n", ":3:12: ", "0 to 65535" },
	{ "units:\n  - unit: a@0\n    command_timeout: 0\n", ":3:22: ",
	    "1 to 86400" },
	{ "units:\n  - unit: a@0\n    recover_grace: 0\n", ":3:20: ", "1 to 3600" },
	{ "units:\n  - unit: a@0\n    recover_hba: 3601\n", ":3:18: ",
	    "0 to 3600" },
	{ "units:\n  - unit: a@0\n    recover_all: 1\n", ":3:5: ", "recover_all" },
	{ "exports:\n  - {target: a, lun: 1, unit: a@0, weight: 65}\n", ":2:44: ",
	    "1 to 64" },
	{ "local:\n  - {who: 'uid:1', units: ['*'], weight: 0}\n", ":2:42: ",
	    "1 to 64" },
};

MISTAKES(rights)

/* what only the daemon writes */
static const struct mistake own_keys_rows[] = {
	{ "generation: 1\n", ":1:1: ", "'generation' is not a key" },
	{ "ports: []\n", ":1:1: ", "'ports' is not a key" },
};

MISTAKES(own_keys)

START_TEST(long_words_and_lists)
{
	static char text[64 << 10];
	char reterr[CONFIG_ERR_LEN], want[80];
	struct config conf;
	size_t n;

	config_init(&conf);
	(void)snprintf(text, sizeof(text), "loops: 1\nuser: %0*d\n", 5000, 1);
	file_put(text);
	ck_assert_int_eq(config_load(&conf, path, reterr), -EINVAL);
	(void)snprintf(want, sizeof(want), "%s:2:7: is longer", path);
	ck_assert_msg(strncmp(reterr, want, strlen(want)) == 0, "%s", reterr);

	n = (size_t)snprintf(text, sizeof(text), "hbas:\n  - driver: soft\n    disks:\n");
	for (int i = 0; i < 4097; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "      - x\n");
	file_put(text);
	ck_assert_int_eq(config_load(&conf, path, reterr), -EINVAL);
	(void)snprintf(want, sizeof(want), "%s:4100:9: is one item too many", path);
	ck_assert_msg(strncmp(reterr, want, strlen(want)) == 0, "%s", reterr);
	config_fini(&conf);
	(void)unlink(path);
}
END_TEST

START_TEST(functions_of_pci)
{
	struct config conf;
	char text[CONFIG_ERR_LEN];

	file_put(
	    "hbas:\n"
	    "  - {name: shelf, driver: virtio_scsi, pci: 00:10.0, queues: 4}\n"
	    "  - {pci: 10000:e1:00.0, bus: uio, allow_unsafe_dma: yes}\n"
	    "  - {driver: other, module: /x/libother.so, pci: 00:11.0, bus: vfio}\n");
	config_init(&conf);
	ck_assert_msg(config_load(&conf, path, text) == 0, "%s", text);
	ck_assert_uint_eq(conf.n_hbas, 3);
	ck_assert_str_eq(conf.hbas[0].name, "shelf");
	ck_assert_str_eq(conf.hbas[0].pci.address, "0000:00:10.0");
	ck_assert_int_eq(conf.hbas[0].pci.bus, CONFIG_BUS_VFIO);
	ck_assert(!conf.hbas[0].pci.allow_unsafe_dma);
	ck_assert_uint_eq(conf.hbas[0].n_props, 1);
	ck_assert_str_eq(conf.hbas[0].props[0].key->prop, "virtio-scsi-queues");
	ck_assert_int_eq(conf.hbas[0].props[0].number, 4);
	ck_assert_ptr_null(conf.hbas[1].driver);
	ck_assert_int_eq(conf.hbas[1].pci.bus, CONFIG_BUS_UIO);
	ck_assert(conf.hbas[1].pci.allow_unsafe_dma);
	ck_assert_str_eq(conf.hbas[2].module, "/x/libother.so");
	config_fini(&conf);
	(void)unlink(path);
}
END_TEST

START_TEST(everything_right)
{
	struct config conf;
	char text[CONFIG_ERR_LEN];

	file_put(
	    "hbas:\n"
	    "  - driver: soft\n"
	    "    disks:\n"
	    "      - mem:1G\n"
	    "      - null:1T,block=4096\n"
	    "      - mem:1M,port=p0,wwn=5000c50012345678,luns=2\n"
	    "    ports:\n"
	    "      - p0,remote=5000c500000000aa,phys=f\n"
	    "    expanders:\n"
	    "      - 5000c500a0000000,port=p0,phys=20\n"
	    "    dynamic: yes\n"
	    "socket:\n"
	    "  path: /run/x.sock\n"
	    "  mode: 0600\n"
	    "  group: root\n"
	    "access:\n"
	    "  - user: root\n"
	    "    role: monitor\n"
	    "  - gid: 7\n"
	    "    role: io\n"
	    "limits:\n"
	    "  connections: 10\n"
	    "  data_bytes: 2M\n"
	    "loops: 2\n"
	    "drain_ms: 0\n"
	    "user: root\n"
	    "state_dir: /var/lib/scsad\n"
	    "isns: {server: \"[::1]:7\", entity: here, period_s: 60}\n"
	    "log:\n"
	    "  level: debug\n");
	config_init(&conf);
	ck_assert_msg(config_load(&conf, path, text) == 0, "%s", text);
	ck_assert_uint_eq(conf.n_hbas, 1);
	ck_assert_uint_eq(conf.hbas[0].n_disks, 3);
	ck_assert_uint_eq(conf.hbas[0].disks[2].wwn, 0x5000c50012345678);
	ck_assert_uint_eq(conf.hbas[0].disks[2].luns, 2);
	ck_assert_uint_eq(conf.hbas[0].n_ports, 1);
	ck_assert_uint_eq(conf.hbas[0].ports[0].phys, 0xf);
	ck_assert_uint_eq(conf.hbas[0].n_expanders, 1);
	ck_assert_uint_eq(conf.hbas[0].expanders[0].phys, 20);
	ck_assert(conf.hbas[0].is_dynamic);
	ck_assert_uint_eq(conf.hbas[0].disks[1].block_bytes, 4096);
	ck_assert_str_eq(conf.socket_path, "/run/x.sock");
	ck_assert_uint_eq(conf.socket_mode, 0600);
	ck_assert_uint_eq(conf.socket_gid, 0);
	ck_assert_uint_eq(conf.n_access, 2);
	ck_assert(conf.access[1].is_group && conf.access[1].id == 7);
	ck_assert_uint_eq(conf.connections, 10);
	ck_assert_uint_eq(conf.data_bytes, 2u << 20);
	ck_assert_uint_eq(conf.loops, 2);
	ck_assert_uint_eq(conf.drain_ms, 0);
	ck_assert_int_eq(conf.log_level, LOG_LEVEL_DEBUG);
	ck_assert_str_eq(conf.isns_server, "[::1]:7");
	ck_assert_str_eq(conf.isns_entity, "here");
	ck_assert_uint_eq(conf.isns_period_s, 60);
	config_fini(&conf);
	(void)unlink(path);
}
END_TEST

START_TEST(empty_file_is_the_defaults)
{
	struct config conf;
	char text[CONFIG_ERR_LEN];

	config_init(&conf);
	file_put("");
	ck_assert_int_eq(config_load(&conf, path, text), 0);
	file_put("# nothing\n");
	ck_assert_int_eq(config_load(&conf, path, text), 0);
	ck_assert_uint_eq(conf.n_hbas, 0);
	config_fini(&conf);
	(void)unlink(path);
}
END_TEST

START_TEST(unreadable_files)
{
	struct config conf;
	char text[CONFIG_ERR_LEN];

	config_init(&conf);
	ck_assert_int_eq(config_load(&conf, "/no/such/file", text), -ENOENT);
	ck_assert_ptr_nonnull(strstr(text, "/no/such/file"));
	ck_assert_int_lt(config_load(&conf, "/tmp", text), 0);
	config_fini(&conf);
}
END_TEST

/* 17 MiB of comment are a configuration, 33 MiB of anything are none */
START_TEST(large_files)
{
	struct config conf;
	char text[CONFIG_ERR_LEN];

	config_init(&conf);
	file_put("#");
	for (int i = 0; i < 17; i++)
		file_fill(1 + (i << 20), 1 << 20);
	ck_assert_msg(config_load(&conf, path, text) == 0, "%s", text);
	for (int i = 17; i < 33; i++)
		file_fill(1 + (i << 20), 1 << 20);
	ck_assert_int_eq(config_load(&conf, path, text), -EINVAL);
	ck_assert_ptr_nonnull(strstr(text, "larger than 32 MiB"));
	config_fini(&conf);
	(void)unlink(path);
}
END_TEST

START_TEST(lists_are_bounded)
{
	struct config conf;

	config_init(&conf);
	for (size_t i = 0; i < CONFIG_HBAS_MAX; i++)
		ck_assert_ptr_nonnull(config_add_hba(&conf, "soft"));
	ck_assert_ptr_null(config_add_hba(&conf, "soft"));
	for (size_t i = 0; i < CONFIG_ACCESS_MAX; i++)
		ck_assert_int_eq(config_add_access(&conf, false, 1, SCSAD__ROLE__ROLE_IO), 0);
	ck_assert_int_eq(config_add_access(&conf, false, 1, SCSAD__ROLE__ROLE_IO), -ENOSPC);
	config_fini(&conf);
}
END_TEST

CHECK_MAIN("config", limits, name_server, keys, kinds, syntax, daemon_keys, soft_hbas,
    pci_functions, names, exports, rights, own_keys, long_words_and_lists, everything_right,
    functions_of_pci, empty_file_is_the_defaults, unreadable_files, large_files,
    lists_are_bounded)
