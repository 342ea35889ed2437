/* addresses, ids, drivers, groups; nothing that is missing stops it */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "check_main.h"
#include "mock_machine.h"

static struct machine m;

START_TEST(addresses)
{
	static const struct {
		const char *text, *address;
	} rows[] = {
		{ "0000:00:10.0", "0000:00:10.0" }, { "00:10.0", "0000:00:10.0" },
		{ "0000:FF:1f.7", "0000:ff:1f.7" }, { "10000:e1:00.0", "10000:e1:00.0" },
		{ "", NULL }, { "10.0", NULL }, { "00:20.0", NULL }, { "00:10.8", NULL },
		{ "0:10.0", NULL }, { "000:00:10.0", NULL }, { "00:10.0 ", NULL },
		{ "0000:00:10", NULL }, { "0000:00:10.00", NULL }, { "../../etc", NULL },
		{ "123456789:00:10.0", NULL }, { "0000:00:10.0/x", NULL },
	};
	char ret[HOST_ADDR_LEN];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		(void)snprintf(ret, sizeof(ret), "untouched");
		ck_assert_msg(host_addr_parse(rows[i].text, ret) ==
		    (rows[i].address != NULL ? 0 : -EINVAL), "%s", rows[i].text);
		ck_assert_str_eq(ret, rows[i].address != NULL ? rows[i].address : "untouched");
	}
}
END_TEST

static int
count(const struct host_fn *f, void *arg)
{
	char *names = arg;

	(void)strncat(names, f->address + 5, 1024 - strlen(names) - 1);
	(void)strncat(names, " ", 1024 - strlen(names) - 1);
	return 0;
}

START_TEST(facts)
{
	char names[1024] = "";
	struct host_fn f;

	machine_new(&m);
	machine_fn(&m, "0000:00:11.0", "1000:0054", 0x010700, "chipdrv", 7);
	machine_fn(&m, "0000:00:10.0", "1af4:1048", 0x010000, "", -1);
	machine_fn(&m, "0000:00:12.0", "8086:100e", 0x020000, "chipdrv", 7);
	machine_file(&m, "sys/devices/pci0000:00/0000:00:10.0/subsystem_vendor", "0x1af4\n");
	machine_file(&m, "sys/devices/pci0000:00/0000:00:10.0/driver_override", "vfio-pci\n");
	ck_assert_int_eq(host_fn_read(m.host.sysfs, "00:11.0", &f), 0);
	ck_assert_str_eq(f.address, "0000:00:11.0");
	ck_assert_uint_eq(f.vendor, 0x1000);
	ck_assert_uint_eq(f.device, 0x54);
	ck_assert_str_eq(f.driver, "chipdrv");
	ck_assert_str_eq(f.override, "");
	ck_assert_int_eq(f.iommu_group, 7);
	ck_assert_str_eq(host_fn_class_name(&f), "SAS");
	ck_assert(host_fn_is_scsi(&f) && host_fn_is_storage(&f));
	ck_assert_int_eq(host_fn_read(m.host.sysfs, "00:10.0", &f), 0);
	ck_assert_str_eq(f.driver, "");
	ck_assert_str_eq(f.override, "vfio-pci");
	ck_assert_int_eq(f.iommu_group, -1);
	ck_assert_uint_eq(f.sub_vendor, 0x1af4);
	ck_assert_int_eq(host_fn_read(m.host.sysfs, "00:12.0", &f), 0);
	ck_assert(!host_fn_is_scsi(&f) && !host_fn_is_storage(&f));
	ck_assert_str_eq(host_fn_class_name(&f), "");
	f.class = 0x010802;
	ck_assert(!host_fn_is_scsi(&f) && host_fn_is_storage(&f));
	f.class = 0x010900;
	ck_assert_str_eq(host_fn_class_name(&f), "storage");
	ck_assert_int_eq(host_fn_read(m.host.sysfs, "00:13.0", &f), -ENODEV);
	ck_assert_int_eq(host_fn_read(m.host.sysfs, "x", &f), -EINVAL);
	ck_assert_int_eq(host_fn_each(m.host.sysfs, count, names), 0);
	ck_assert_str_eq(names, "00:10.0 00:11.0 00:12.0 ");
	machine_free(&m);
}
END_TEST

static int
stop(const struct host_fn *f, void *arg)
{
	(void)f;
	++*(int *)arg;
	return -ECANCELED;
}

START_TEST(broken_functions)
{
	struct host_fn f;
	int n = 0;

	machine_new(&m);
	ck_assert_int_eq(host_fn_each(m.host.sysfs, stop, &n), 0);	/* no PCI at all */
	ck_assert_int_eq(n, 0);
	machine_fn(&m, "0000:00:10.0", "1af4:1048", 0x010000, "", -1);
	machine_fn(&m, "0000:00:11.0", "1af4:1048", 0x010000, "", -1);
	ck_assert_int_eq(host_fn_each(m.host.sysfs, stop, &n), -ECANCELED);
	ck_assert_int_eq(n, 1);
	machine_file(&m, "sys/devices/pci0000:00/0000:00:10.0/vendor", "moon\n");
	ck_assert_int_eq(host_fn_read(m.host.sysfs, "0000:00:10.0", &f), -EINVAL);
	machine_remove(&m, "sys/devices/pci0000:00/0000:00:11.0/device");
	ck_assert_int_eq(host_fn_read(m.host.sysfs, "0000:00:11.0", &f), -ENOENT);
	n = 0;
	ck_assert_int_eq(host_fn_each(m.host.sysfs, stop, &n), 0);	/* skipped */
	machine_free(&m);
}
END_TEST

CHECK_MAIN("functions", addresses, facts, broken_functions)
