/* to vfio-pci or uio_pci_generic and back; what is used, or does not fit, stays where it is */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "check_main.h"
#include "mock_machine.h"

#define FN	"0000:00:10.0"
#define OTHER	"0000:00:10.1"
#define DRIVER	"sys/bus/pci/devices/" FN "/driver"
#define OVERRIDE "sys/devices/pci0000:00/" FN "/driver_override"
#define GIVEN	"run/scsad-hbas/" FN

static struct machine m;
static char text[HOST_ERR_LEN], was[HOST_DRIVER_LEN];

static void
setup(void)
{
	machine_new(&m);
	machine_fn(&m, FN, "1000:0054", 0x010700, "chipdrv", 7);
	machine_disk(&m, FN, "sda", "8:0\n");
	text[0] = '\0';
}

static const char *
driver_now(void)
{
	static struct host_fn f;

	ck_assert_int_eq(host_fn_read(m.host.sysfs, FN, &f), 0);
	return f.driver;
}

/* refused, with such words, and nothing has moved */
static void
refused(enum host_bus bus, int err, const char *words)
{
	int r = host_bind(&m.host, FN, bus, was, text);

	ck_assert_msg(r == err, "%d: %s", r, text);
	ck_assert_msg(strstr(text, words) != NULL, "%s", text);
	ck_assert_str_eq(driver_now(), "chipdrv");
	ck_assert_str_eq(machine_read(&m, OVERRIDE), "(null)");
	ck_assert_str_eq(machine_read(&m, GIVEN), "");
}

START_TEST(there_and_back)
{
	setup();
	ck_assert_msg(host_bind(&m.host, "00:10.0", HOST_BUS_VFIO, was, text) == 0, "%s", text);
	ck_assert_str_eq(was, "chipdrv");
	ck_assert_str_eq(driver_now(), "vfio-pci");
	ck_assert_str_eq(machine_read(&m, OVERRIDE), "vfio-pci");
	ck_assert_str_eq(machine_read(&m, GIVEN), "vfio");
	/* again: fine */
	ck_assert_msg(host_bind(&m.host, FN, HOST_BUS_VFIO, was, text) == 0, "%s", text);
	ck_assert_str_eq(was, "vfio-pci");
	ck_assert_msg(host_unbind(&m.host, FN, was, text) == 0, "%s", text);
	ck_assert_str_eq(was, "chipdrv");
	ck_assert_str_eq(driver_now(), "chipdrv");
	ck_assert_str_eq(machine_read(&m, GIVEN), "");
	ck_assert_int_eq(host_unbind(&m.host, FN, was, text), -EALREADY);
	ck_assert_msg(strstr(text, "chipdrv") != NULL, "%s", text);
	machine_free(&m);
}
END_TEST

START_TEST(without_a_driver)
{
	machine_new(&m);
	m.home = NULL;
	machine_fn(&m, FN, "1000:0054", 0x010700, "", 7);
	ck_assert_msg(host_bind(&m.host, FN, HOST_BUS_VFIO, was, text) == 0, "%s", text);
	ck_assert_str_eq(was, "");
	ck_assert_msg(host_unbind(&m.host, FN, was, text) == 0, "%s", text);
	ck_assert_str_eq(was, "");
	ck_assert_int_eq(host_unbind(&m.host, FN, was, text), -EALREADY);
	ck_assert_msg(strstr(text, "no driver") != NULL, "%s", text);
	machine_free(&m);
}
END_TEST

START_TEST(disks_in_use)
{
	setup();
	machine_part(&m, FN, "sda", "sda1", "8:1\n");
	machine_mount(&m, "8:1", "/srv", "/dev/sda1");
	refused(HOST_BUS_VFIO, -EBUSY, "in use: sda1 is mounted at /srv");
	machine_file(&m, "proc/swaps", "Filename\n/dev/sda partition\n");
	refused(HOST_BUS_VFIO, -EBUSY, "sda is swap; sda1 is mounted at /srv");
	refused(HOST_BUS_UIO, -EBUSY, "sda is swap");
	machine_free(&m);
}
END_TEST

START_TEST(very_many_uses)
{
	setup();
	for (int i = 0; i < 200; i++) {
		char folder[64];

		(void)snprintf(folder, sizeof(folder), "/a/rather/long/folder/number/%d", i);
		machine_mount(&m, "8:0", folder, "/dev/sda");
	}
	refused(HOST_BUS_VFIO, -EBUSY, "uses more");
	ck_assert_uint_lt(strlen(text), HOST_ERR_LEN);
	machine_free(&m);
}
END_TEST

START_TEST(what_it_is)
{
	static const unsigned int classes[] = { 0x020000, 0x010802, 0x010601, 0x010180, 0x030000,
		0x060400 };

	for (size_t i = 0; i < ARRAY_LEN(classes); i++) {
		machine_new(&m);
		machine_fn(&m, FN, "8086:100e", classes[i], "chipdrv", 7);
		refused(HOST_BUS_VFIO, -EMEDIUMTYPE, "no SCSI controller");
		machine_free(&m);
	}
	machine_new(&m);
	ck_assert_int_eq(host_bind(&m.host, FN, HOST_BUS_VFIO, was, text), -ENODEV);
	ck_assert_msg(strstr(text, "no such") != NULL, "%s", text);
	ck_assert_int_eq(host_bind(&m.host, "a\nb", HOST_BUS_VFIO, was, text), -EINVAL);
	ck_assert_msg(strstr(text, "'a\\x0ab'") != NULL, "%s", text);
	ck_assert_int_eq(host_unbind(&m.host, FN, was, text), -ENODEV);
	machine_free(&m);
}
END_TEST

START_TEST(the_iommu_group)
{
	setup();
	machine_fn(&m, OTHER, "8086:100e", 0x020000, "e1000", 7);
	refused(HOST_BUS_VFIO, -EXDEV, OTHER " is in the same IOMMU group, 7, and driver e1000");
	machine_free(&m);
	setup();	/* bridges and what is given away may be there */
	machine_fn(&m, "0000:00:01.0", "8086:1234", 0x060400, "pcieport", 7);
	machine_fn(&m, OTHER, "8086:100e", 0x020000, "vfio-pci", 7);
	ck_assert_msg(host_bind(&m.host, FN, HOST_BUS_VFIO, was, text) == 0, "%s", text);
	machine_free(&m);
}
END_TEST

START_TEST(no_iommu)
{
	machine_new(&m);
	machine_fn(&m, FN, "1000:0054", 0x010700, "chipdrv", -1);
	refused(HOST_BUS_VFIO, -EXDEV, "no IOMMU");
	ck_assert_msg(host_bind(&m.host, FN, HOST_BUS_UIO, was, text) == 0, "%s", text);
	ck_assert_str_eq(driver_now(), "uio_pci_generic");
	/* from one to the other */
	machine_file(&m, "sys/module/vfio/parameters/enable_unsafe_noiommu_mode", "Y\n");
	ck_assert_msg(host_bind(&m.host, FN, HOST_BUS_VFIO, was, text) == 0, "%s", text);
	ck_assert_str_eq(was, "uio_pci_generic");
	machine_free(&m);
}
END_TEST

START_TEST(an_iommu_that_translates)
{
	setup();
	refused(HOST_BUS_UIO, -EXDEV, "translates");
	machine_file(&m, "sys/kernel/iommu_groups/7/type", "identity\n");
	ck_assert_msg(host_bind(&m.host, FN, HOST_BUS_UIO, was, text) == 0, "%s", text);
	machine_free(&m);
}
END_TEST

START_TEST(the_module)
{
	setup();
	machine_remove(&m, "sys/bus/pci/drivers/vfio-pci/bind");
	machine_remove(&m, "sys/bus/pci/drivers/vfio-pci");
	refused(HOST_BUS_VFIO, -ENOSYS, "modprobe vfio-pci");
	ck_assert_str_eq(m.loaded, "vfio-pci");
	m.load_error = -ENOENT;
	refused(HOST_BUS_VFIO, -ENOSYS, "failed");
	m.host.module_load = NULL;
	refused(HOST_BUS_VFIO, -ENOSYS, "may bring it");
	machine_free(&m);
	setup();
	machine_remove(&m, "sys/bus/pci/drivers/vfio-pci/bind");
	machine_remove(&m, "sys/bus/pci/drivers/vfio-pci");
	m.can_load = true;
	ck_assert_msg(host_bind(&m.host, FN, HOST_BUS_VFIO, was, text) == 0, "%s", text);
	machine_free(&m);
}
END_TEST

START_TEST(the_driver_does_not_want_it)
{
	setup();
	m.is_stubborn = true;
	refused(HOST_BUS_VFIO, -ENODEV, "did not take it");
	machine_file(&m, "sys/kernel/iommu_groups/7/type", "identity\n");
	refused(HOST_BUS_UIO, -ENODEV, "interrupt line");
	machine_free(&m);
}
END_TEST

START_TEST(the_kernel_says_no)
{
	setup();
	m.write_to = "driver_override";
	m.write_error = -EACCES;
	refused(HOST_BUS_VFIO, -EACCES, "root may do that");
	m.write_to = "/unbind";
	m.write_error = -EBUSY;
	refused(HOST_BUS_VFIO, -EBUSY, "did not take it");
	m.write_to = NULL;
	ck_assert_int_eq(host_bind(&m.host, FN, HOST_BUS_VFIO, was, text), 0);
	m.write_to = "drivers_probe";
	m.write_error = -EPERM;
	ck_assert_int_eq(host_unbind(&m.host, FN, was, text), -EPERM);
	machine_free(&m);
}
END_TEST

START_TEST(open_in_a_process)
{
	setup();
	ck_assert_int_eq(host_bind(&m.host, FN, HOST_BUS_VFIO, was, text), 0);
	machine_open(&m, "99", "scsad\n", "/dev/vfio/7");
	ck_assert_int_eq(host_unbind(&m.host, FN, was, text), -EBUSY);
	ck_assert_msg(strstr(text, "99 (scsad)") != NULL, "%s", text);
	ck_assert_str_eq(driver_now(), "vfio-pci");
	machine_free(&m);

	machine_new(&m);
	machine_fn(&m, FN, "1000:0054", 0x010700, "uio_pci_generic", -1);
	machine_file(&m, "sys/devices/pci0000:00/" FN "/uio/uio3/name", "x");
	machine_open(&m, "99", "scsad\n", "/dev/uio3");
	ck_assert_int_eq(host_unbind(&m.host, FN, was, text), -EBUSY);
	machine_file(&m, "sys/module/vfio/parameters/enable_unsafe_noiommu_mode", "Y\n");
	ck_assert_int_eq(host_bind(&m.host, FN, HOST_BUS_VFIO, was, text), -EBUSY);
	machine_free(&m);
}
END_TEST

START_TEST(kept_over_a_boot)
{
	char driver[HOST_DRIVER_LEN];

	setup();
	ck_assert_int_eq(host_saved_read(&m.host, FN, driver), 0);
	ck_assert_str_eq(driver, "");
	ck_assert_int_eq(host_saved_write(&m.host, "00:10.0", "vfio-pci"), 0);
	ck_assert_str_eq(machine_read(&m, "etc/driverctl.d/pci-" FN), "vfio-pci");
	ck_assert_int_eq(host_saved_read(&m.host, FN, driver), 0);
	ck_assert_str_eq(driver, "vfio-pci");
	ck_assert_int_eq(host_saved_write(&m.host, FN, NULL), 0);
	ck_assert_int_eq(host_saved_write(&m.host, FN, NULL), 0);
	ck_assert_str_eq(machine_read(&m, "etc/driverctl.d/pci-" FN), "");
	ck_assert_int_eq(host_saved_write(&m.host, "../x", "vfio-pci"), -EINVAL);
	ck_assert_int_eq(host_saved_read(&m.host, "../x", driver), -EINVAL);
	machine_file(&m, "file", "");
	(void)snprintf(m.saved, sizeof(m.saved), "%s/file", m.root);
	ck_assert_int_eq(host_saved_write(&m.host, FN, "vfio-pci"), -ENOTDIR);
	(void)snprintf(m.saved, sizeof(m.saved), "%s/no/such", m.root);
	ck_assert_int_eq(host_saved_write(&m.host, FN, "vfio-pci"), -ENOENT);
	machine_free(&m);
}
END_TEST

START_TEST(names_of_buses)
{
	enum host_bus bus;

	ck_assert(host_bus_parse("uio", &bus) && bus == HOST_BUS_UIO);
	ck_assert(!host_bus_parse("isa", &bus));
	ck_assert(host_bus_of_driver("vfio-pci", &bus) && bus == HOST_BUS_VFIO);
	ck_assert(!host_bus_of_driver("vfio", &bus));
}
END_TEST

CHECK_MAIN("moving functions", there_and_back, without_a_driver, disks_in_use, very_many_uses,
    what_it_is, the_iommu_group, no_iommu, an_iommu_that_translates, the_module,
    the_driver_does_not_want_it, the_kernel_says_no, open_in_a_process, kept_over_a_boot,
    names_of_buses)
