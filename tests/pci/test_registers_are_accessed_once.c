#include <check_main.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pci.h>

#include "hw/pci/file.h"
#include "hw/pci/mmio.h"
#include "tests/pci/mock_fn.h"

START_TEST(opening_decodes_and_stops)
{
	struct mock_fn *m = mock_fn_new();	/* came as a bus master */

	ck_assert_uint_eq(pci_config_read(&m->fn, PCI_CONF_COMM, 2), PCI_COMM_IO | PCI_COMM_MAE);
	ck_assert_uint_eq(m->fn.vendor, 0x1af4);
	ck_assert_uint_eq(m->fn.device, 0x1048);
	ck_assert_uint_eq(m->fn.subdevice, 0x1100);
	ck_assert_uint_eq(m->fn.class_code, 0x010000);
	pci_config_write(&m->fn, PCI_CONF_COMM, 2, PCI_COMM_MAE | PCI_COMM_ME);
	pci_fn_close(&m->fn);	/* which looks that it is none any more */
	pci_fn_close(NULL);
}
END_TEST

static void
no_put(struct pci_fn *fn, unsigned int off, unsigned int width, uint64_t value)
{
	(void)fn;
	(void)off;
	(void)width;
	(void)value;
}

START_TEST(a_function_that_does_not_listen_is_refused)
{
	struct mock_fn *m = mock_fn_new();
	struct pci_bus deaf = *mock_fn_bus();

	deaf.config_put = no_put;
	m->fn.bus = &deaf;
	memset(m->config + PCI_CONF_COMM, 0, 2);
	ck_assert_int_eq(pci_fn_init(&m->fn), -EIO);
	memset(m->config, 0xff, sizeof(m->config));
	ck_assert_int_eq(pci_fn_init(&m->fn), -ENODEV);
	ck_assert_ptr_nonnull(strstr(m->fn.detail, "does not answer"));
	memset(m->config, 0, sizeof(m->config));
	m->fn.bus = mock_fn_bus();
	pci_fn_close(&m->fn);
}
END_TEST

START_TEST(accesses_stay_inside)
{
	struct mock_fn *m = mock_fn_new();
	struct pci_fn *fn = &m->fn;

	pci_bar_write(fn, 1, 8, 8, 0x1122334455667788ull);
	ck_assert_uint_eq(pci_bar_read(fn, 1, 8, 4), 0x55667788);
	ck_assert_uint_eq(pci_bar_read(fn, 1, 12, 2), 0x3344);
	ck_assert_uint_eq(m->gets, 2);
	ck_assert_uint_eq(m->puts, 1);
	/* across, behind, crooked, no such BAR */
	ck_assert_uint_eq(pci_bar_read(fn, 1, MOCK_BAR_BYTES - 2, 4), UINT32_MAX);
	ck_assert_uint_eq(pci_bar_read(fn, 0, 256, 1), 0xff);
	ck_assert_uint_eq(pci_bar_read(fn, 1, 3, 2), UINT16_MAX);
	ck_assert_uint_eq(pci_bar_read(fn, 2, 0, 8), UINT64_MAX);
	ck_assert_uint_eq(pci_bar_read(fn, PCI_BARS, 0, 4), UINT32_MAX);
	ck_assert_uint_eq(pci_bar_read(fn, 1, UINT64_MAX - 3, 4), UINT32_MAX);
	pci_bar_write(fn, 1, MOCK_BAR_BYTES, 4, 1);
	pci_bar_write(fn, 5, 0, 4, 1);
	ck_assert_uint_eq(pci_config_read(fn, PCI_CONFIG_BYTES, 4), UINT32_MAX);
	pci_config_write(fn, PCI_CONFIG_BYTES, 4, 1);
	ck_assert_uint_eq(m->gets, 2);
	ck_assert_uint_eq(m->puts, 1);
	pci_fn_close(fn);
}
END_TEST

START_TEST(a_function_that_has_failed_is_ones)
{
	struct mock_fn *m = mock_fn_new();

	pci_config_write(&m->fn, PCI_CONF_COMM, 2, PCI_COMM_MAE | PCI_COMM_ME);
	ck_assert(!pci_fn_is_failed(&m->fn));
	pci_fn_fail(&m->fn);
	ck_assert(pci_fn_is_failed(&m->fn));
	ck_assert_uint_eq(pci_config_read(&m->fn, PCI_CONF_VENID, 2), 0xffff);
	ck_assert_uint_eq(pci_bar_read(&m->fn, 1, 0, 4), UINT32_MAX);
	pci_bar_write(&m->fn, 1, 0, 4, 5);
	ck_assert_uint_eq(m->puts, 0);
	pci_fn_close(&m->fn);	/* stops it all the same */
}
END_TEST

START_TEST(capabilities_are_found_and_circles_end)
{
	struct mock_fn *m = mock_fn_new();

	ck_assert_uint_eq(pci_config_cap(&m->fn, PCI_CAP_MSI, 0), 0x40);
	ck_assert_uint_eq(pci_config_cap(&m->fn, PCI_CAP_MSIX, 0), 0x50);
	ck_assert_uint_eq(pci_config_cap(&m->fn, PCI_CAP_EXP, 0), 0);
	ck_assert_uint_eq(pci_config_cap(&m->fn, PCI_CAP_MSI, 0x40), 0);
	m->config[0x51] = 0x40;		/* round and round */
	ck_assert_uint_eq(pci_config_cap(&m->fn, PCI_CAP_EXP, 0), 0);
	m->config[0x51] = 0x10;		/* into the header */
	ck_assert_uint_eq(pci_config_cap(&m->fn, PCI_CAP_EXP, 0), 0);
	m->config[PCI_CONF_STAT] = 0;
	ck_assert_uint_eq(pci_config_cap(&m->fn, PCI_CAP_MSI, 0), 0);
	pci_fn_close(&m->fn);
}
END_TEST

START_TEST(bars_are_decoded)
{
	struct pci_bar io = pci_bar_decode(0xffffff01, 0);
	struct pci_bar mem = pci_bar_decode(0xffff8000, 0xffffffff);
	struct pci_bar wide = pci_bar_decode(0xffffc00c, 0xffffffff);
	struct pci_bar huge = pci_bar_decode(0x00000004, 0xfffffffe);

	ck_assert_uint_eq(pci_bar_decode(0, 0).bytes, 0);
	ck_assert(io.is_io && io.bytes == 256);
	ck_assert(!mem.is_io && !mem.is_64 && mem.bytes == 0x8000);
	ck_assert(wide.is_64 && wide.is_prefetchable && wide.bytes == 0x4000);
	ck_assert(huge.is_64 && huge.bytes == 1ull << 33);
}
END_TEST

START_TEST(files_and_mappings_are_little_endian)
{
	uint8_t raw[16] __attribute__((aligned(8))) = { 1, 2, 3, 4, 5, 6, 7, 8 };
	int fd = memfd_create("registers", MFD_CLOEXEC);

	ck_assert_int_eq(write(fd, raw, sizeof(raw)), sizeof(raw));
	ck_assert_uint_eq(file_get(fd, 1, 1), 2);
	ck_assert_uint_eq(file_get(fd, 2, 2), 0x0403);
	ck_assert_uint_eq(file_get(fd, 0, 8), 0x0807060504030201ull);
	ck_assert_uint_eq(file_get(fd, 1000, 4), UINT32_MAX);
	file_put(fd, 4, 4, 0xa1b2c3d4);
	ck_assert_uint_eq(file_get(fd, 4, 4), 0xa1b2c3d4);
	close(fd);
	file_put(fd, 0, 4, 1);
	for (unsigned int width = 1; width <= 8; width *= 2) {
		mmio_put(raw + 8, width, 0x1122334455667788ull);
		ck_assert_uint_eq(mmio_get(raw + 8, width),
		    0x1122334455667788ull & pci_ones(width));
	}
	ck_assert_uint_eq(raw[8], 0x88);
}
END_TEST

CHECK_MAIN("registers", opening_decodes_and_stops, a_function_that_does_not_listen_is_refused,
    accesses_stay_inside, a_function_that_has_failed_is_ones,
    capabilities_are_found_and_circles_end, bars_are_decoded,
    files_and_mappings_are_little_endian)
