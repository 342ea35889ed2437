/* whoever uses a disk behind a function is seen: itself, its parts, what is made of them */
#include <stdio.h>
#include <string.h>

#include "check_main.h"
#include "mock_machine.h"

#define FN	"0000:00:10.0"
#define OTHER	"0000:00:11.0"

static struct machine m;
static struct host_disks disks;

static void
setup(void)
{
	machine_new(&m);
	machine_fn(&m, FN, "1000:0054", 0x010700, "chipdrv", 7);
	machine_fn(&m, OTHER, "1000:0054", 0x010700, "chipdrv", 8);
	machine_disk(&m, FN, "sda", "8:0\n");
	machine_part(&m, FN, "sda", "sda1", "8:1\n");
	machine_disk(&m, FN, "sdb", "8:16\n");
	machine_disk(&m, OTHER, "sdc", "8:32\n");
}

/* the only use there is, as text; "" for none */
static const char *
use_of(const char *address)
{
	static char text[800];

	text[0] = '\0';
	ck_assert_int_eq(host_disks_read(&m.host, address, &disks), 0);
	ck_assert_uint_le(disks.n_used, 1);
	for (size_t d = 0; d < disks.n; d++) {
		ck_assert_uint_le(disks.disks[d].n_uses, 1);
		if (disks.disks[d].n_uses > 0)
			(void)host_use_format(&disks.disks[d].uses[0], text, sizeof(text));
	}
	host_disks_fini(&disks);
	return text;
}

START_TEST(nobody)
{
	setup();
	ck_assert_int_eq(host_disks_read(&m.host, FN, &disks), 0);
	ck_assert_uint_eq(disks.n, 2);
	ck_assert_uint_eq(disks.n_used, 0);
	ck_assert_str_eq(disks.disks[0].name, "sda");
	ck_assert_str_eq(disks.disks[0].model, "A DISK");
	ck_assert_uint_eq(disks.disks[0].bytes, 2048 * 512);
	ck_assert_str_eq(disks.disks[1].name, "sdb");
	host_disks_fini(&disks);
	machine_free(&m);
}
END_TEST

START_TEST(mounts)
{
	setup();
	machine_mount(&m, "8:32", "/other", "/dev/sdc");
	ck_assert_str_eq(use_of(FN), "");
	ck_assert_str_eq(use_of(OTHER), "sdc is mounted at /other");
	machine_mount(&m, "8:1", "/srv/my\\040files", "/dev/root");
	ck_assert_str_eq(use_of(FN), "sda1 is mounted at /srv/my files");
	machine_free(&m);
	setup();		/* file systems on several devices have numbers of their own */
	machine_mount(&m, "0:44", "/pool", "/dev/sdb");
	ck_assert_str_eq(use_of(FN), "sdb is mounted at /pool");
	machine_free(&m);
}
END_TEST

START_TEST(swap)
{
	setup();
	machine_file(&m, "proc/swaps", "Filename\tType\n/swapfile file 1 0 -2\n"
	    "/dev/sda1                partition\t1\t0\t-3\n");
	ck_assert_str_eq(use_of(FN), "sda1 is swap");
	machine_free(&m);
	setup();		/* a kernel without swap */
	machine_remove(&m, "proc/swaps");
	ck_assert_str_eq(use_of(FN), "");
	machine_free(&m);
}
END_TEST

START_TEST(what_is_made_of_it)
{
	setup();
	machine_dm(&m, "dm-0", "254:0\n", "vg-root\n", "LVM-abc\n");
	machine_holder(&m, "sda1", "dm-0");
	ck_assert_str_eq(use_of(FN), "sda1 is held by dm-0 (LVM vg-root)");
	machine_mount(&m, "254:0", "/home", "/dev/mapper/vg-root");
	ck_assert_int_eq(host_disks_read(&m.host, FN, &disks), 0);
	ck_assert_uint_eq(disks.disks[0].n_uses, 2);
	ck_assert_str_eq(disks.disks[0].uses[1].device, "dm-0");
	ck_assert_str_eq(disks.disks[0].uses[1].by, "/home");
	host_disks_fini(&disks);
	machine_free(&m);

	setup();
	machine_dm(&m, "md127", "9:127\n", "", "");
	machine_remove(&m, "sys/devices/virtual/block/md127/dm/name");
	machine_file(&m, "sys/devices/virtual/block/md127/md/level", "raid1\n");
	machine_holder(&m, "sdb", "md127");
	ck_assert_str_eq(use_of(FN), "sdb is held by md127 (raid1)");
	/* a ring, which cannot be: the search ends */
	machine_holder(&m, "md127", "sdb");
	ck_assert_int_eq(host_disks_read(&m.host, FN, &disks), 0);
	ck_assert_uint_eq(disks.n_used, 1);
	host_disks_fini(&disks);
	machine_free(&m);
}
END_TEST

START_TEST(stacks)
{
	setup();
	machine_dm(&m, "dm-0", "254:0\n", "a\n", "CRYPT-1\n");
	machine_dm(&m, "dm-1", "254:1\n", "b\n", "LVM-1\n");
	machine_holder(&m, "sdb", "dm-0");
	machine_holder(&m, "dm-0", "dm-1");
	machine_file(&m, "proc/swaps", "Filename\n/dev/mapper/b partition\n");
	ck_assert_int_eq(host_disks_read(&m.host, FN, &disks), 0);
	ck_assert_uint_eq(disks.disks[1].n_uses, 3);
	ck_assert_int_eq(disks.disks[1].uses[2].kind, HOST_SWAP);
	ck_assert_str_eq(disks.disks[1].uses[2].device, "dm-1");
	host_disks_fini(&disks);
	machine_free(&m);
}
END_TEST

START_TEST(loop_and_btrfs)
{
	setup();
	machine_dm(&m, "loop3", "7:3\n", "", "");
	machine_file(&m, "sys/devices/virtual/block/loop3/loop/backing_file", "/dev/sdb\n");
	ck_assert_str_eq(use_of(FN), "sdb is held by loop3");
	machine_free(&m);
	setup();
	machine_file(&m, "sys/fs/btrfs/features/x", "");
	machine_file(&m, "sys/fs/btrfs/0123-4567/devices/sda1/x", "");
	ck_assert_str_eq(use_of(FN), "sda1 is held by btrfs 0123-4567");
	machine_free(&m);
}
END_TEST

START_TEST(processes)
{
	setup();
	machine_open(&m, "4711", "tgtd\n", "/dev/sdb");
	machine_open(&m, "4712", "cat\n", "/dev/null");
	machine_open(&m, "4713", "cat\n", "/tmp/x");
	ck_assert_str_eq(use_of(FN), "sdb is open in process 4711 (tgtd)");
	machine_free(&m);
	setup();	/* by another name of the same device */
	machine_link(&m, "sys/class/scsi_generic/sg1",
	    "sys/devices/pci0000:00/" FN "/host0/target/sdb-dev/scsi_generic/sg1");
	machine_file(&m,
	    "sys/devices/pci0000:00/" FN "/host0/target/sdb-dev/scsi_generic/sg1/dev",
	    "21:1\n");
	machine_link(&m,
	    "sys/devices/pci0000:00/" FN "/host0/target/sdb-dev/scsi_generic/sg1/device",
	    "sys/devices/pci0000:00/" FN "/host0/target/sdb-dev");
	ck_assert_str_eq(use_of(FN), "");
	machine_open(&m, "1", "a b\n", "/dev/sg1");
	ck_assert_str_eq(use_of(FN), "sg1 is open in process 1 (a b)");
	ck_assert_int_eq(host_disks_read(&m.host, FN, &disks), 0);
	ck_assert_uint_eq(disks.n, 2);		/* sg1 is no disk of its own */
	host_disks_fini(&disks);
	machine_free(&m);
}
END_TEST

START_TEST(a_tape)
{
	setup();
	machine_link(&m, "sys/class/scsi_tape/nst0",
	    "sys/devices/pci0000:00/" OTHER "/host0/target/st-dev/scsi_tape/nst0");
	machine_file(&m,
	    "sys/devices/pci0000:00/" OTHER "/host0/target/st-dev/scsi_tape/nst0/dev",
	    "9:128\n");
	machine_open(&m, "77", "tar\n", "/dev/nst0");
	ck_assert_str_eq(use_of(OTHER), "nst0 is open in process 77 (tar)");
	machine_free(&m);
}
END_TEST

START_TEST(foreign_text_is_printable)
{
	struct host_use use = { .kind = HOST_MOUNTED };
	char text[800];

	(void)snprintf(use.device, sizeof(use.device), "sda\x1b[1m");
	(void)snprintf(use.by, sizeof(use.by), "/a\nb");
	(void)host_use_format(&use, text, sizeof(text));
	ck_assert_str_eq(text, "sda\\x1b[1m is mounted at /a\\x0ab");
}
END_TEST

CHECK_MAIN("users of disks", nobody, mounts, swap, what_is_made_of_it, stacks, loop_and_btrfs,
    processes, a_tape, foreign_text_is_printable)
