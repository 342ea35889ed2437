/* a function of uio_pci_generic, in a folder that looks like one */
#include <check_main.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/pci.h>
#include <sys/sunddi.h>

#include "base/bytes.h"
#include "base/fault.h"
#include "hw/pci/open.h"
#include "hw/pci/phys.h"
#include "hw/pci/uio_impl.h"
#include "tests/pci/mock_tree.h"

#define FOLDER	"sys/bus/pci/devices/" TREE_FN "/"

static char detail[PCI_DETAIL_LEN];

static const char resource[] =
    "0x000000000000c000 0x000000000000c0ff 0x0000000000040101\n"
    "0x00000000fe000400 0x00000000fe0007ff 0x0000000000040200\n"
    "0x0000000000000000 0x0000000000000000 0x0000000000000000\n"
    "0x0000000000000000 0x0000000000000000 0x0000000000000000\n"
    "0x00000000fd000000 0x00000000fd003fff 0x000000000014220c\n"
    "0x0000000000000000 0x0000000000000000 0x0000000000000000\n";

static void
config_make(void)
{
	uint8_t config[PCI_CONFIG_BYTES] = { 0 };
	int fd;

	le16_put(config + PCI_CONF_VENID, 0x1000);
	le16_put(config + PCI_CONF_DEVID, 0x0012);
	le16_put(config + PCI_CONF_COMM, PCI_COMM_ME);
	config[PCI_CONF_IPIN] = 1;
	tree_zeros(FOLDER "config", sizeof(config));
	fd = open(tree_path(FOLDER "config"), O_WRONLY);
	ck_assert_int_eq(write(fd, config, sizeof(config)), sizeof(config));
	close(fd);
}

static void
setup(void)
{
	tree_begin();
	config_make();
	tree_file(FOLDER "resource", resource);
	tree_zeros(FOLDER "resource0", 256);
	tree_zeros(FOLDER "resource1", 4096);
	tree_zeros(FOLDER "resource4", 16384);
	tree_file(FOLDER "reset", "");
	tree_file(FOLDER "uio/uio3/name", "uio_pci_generic");
	tree_fifo("dev/uio3");
}

static int
try_open(bool allow, struct pci_fn **ret)
{
	const struct pci_open_conf conf = { .root = tree_root, .address = TREE_FN,
		.allow_unsafe_dma = allow };

	detail[0] = '\0';
	return uio_open(&conf, ret, detail);
}

static struct pci_fn *
must_open(void)
{
	struct pci_fn *fn;

	ck_assert_int_eq(try_open(true, &fn), 0);
	return fn;
}

static uint8_t
file_byte(const char *path, off_t off)
{
	int fd = open(tree_path(path), O_RDONLY);
	uint8_t byte;

	ck_assert_int_eq(pread(fd, &byte, 1, off), 1);
	close(fd);
	return byte;
}

START_TEST(registers_are_where_the_files_are)
{
	struct pci_fn *fn;

	setup();
	fn = must_open();
	ck_assert_uint_eq(fn->vendor, 0x1000);
	ck_assert_uint_eq(fn->config_bytes, PCI_CONFIG_BYTES);
	ck_assert_uint_eq(pci_config_read(fn, PCI_CONF_COMM, 2), PCI_COMM_IO | PCI_COMM_MAE);
	ck_assert(fn->bar[0].is_io);
	ck_assert_uint_eq(fn->bar[1].bytes, 1024);
	ck_assert(fn->bar[4].is_64 && fn->bar[4].is_prefetchable);
	ck_assert_uint_eq(file_byte(FOLDER "reset", 0), '1');
	pci_bar_write(fn, 0, 16, 4, 0x01020304);
	ck_assert_uint_eq(file_byte(FOLDER "resource0", 16), 4);
	ck_assert_uint_eq(pci_bar_read(fn, 0, 16, 4), 0x01020304);
	/* a BAR of less than a page begins inside of its page */
	pci_bar_write(fn, 1, 8, 4, 0x0a0b0c0d);
	ck_assert_uint_eq(file_byte(FOLDER "resource1", 0x400 + 8), 0x0d);
	ck_assert_uint_eq(pci_bar_read(fn, 1, 8, 4), 0x0a0b0c0d);
	ck_assert_int_eq(fn->bus->reset(fn), 0);
	ck_assert_int_eq(fn->bus->event_fd(fn, PCI_EV_ERROR), -ENOTSUP);
	pci_fn_close(fn);
	tree_end();
}
END_TEST

static void
line_raise(int fifo)
{
	const uint32_t count = 1;

	ck_assert_int_eq(write(fifo, &count, sizeof(count)), sizeof(count));
}

static uint64_t
signals(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	uint64_t n = 0;

	ck_assert_int_eq(poll(&p, 1, 30000), 1);
	ck_assert_int_eq(read(fd, &n, sizeof(n)), sizeof(n));
	return n;
}

START_TEST(the_line_becomes_an_eventfd)
{
	int fifo, fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	struct pci_fn *fn;

	setup();
	fn = must_open();
	fifo = open(tree_path("dev/uio3"), O_WRONLY | O_NONBLOCK);
	ck_assert_uint_eq(fn->bus->intr_count(fn, DDI_INTR_TYPE_FIXED), 1);
	ck_assert_uint_eq(fn->bus->intr_count(fn, DDI_INTR_TYPE_MSI), 0);
	pci_config_write(fn, PCI_CONF_COMM, 2, PCI_COMM_MAE | PCI_COMM_INTX_DISABLE);
	ck_assert_int_eq(fn->bus->intr_on(fn, DDI_INTR_TYPE_FIXED, &fd, 1), 0);
	ck_assert_uint_eq(pci_config_read(fn, PCI_CONF_COMM, 2), PCI_COMM_MAE);
	for (int i = 0; i < 3; i++) {
		line_raise(fifo);
		ck_assert_uint_ge(signals(fd), 1);
	}
	fn->bus->intr_off(fn, DDI_INTR_TYPE_FIXED);
	ck_assert_uint_eq(pci_config_read(fn, PCI_CONF_COMM, 2),
	    PCI_COMM_MAE | PCI_COMM_INTX_DISABLE);
	fault_arm(1);
	ck_assert_int_eq(fn->bus->intr_on(fn, DDI_INTR_TYPE_FIXED, &fd, 1), -ENOMEM);
	ck_assert(fault_disarm());
	/* one that is gone stays as it is */
	ck_assert_int_eq(truncate(tree_path(FOLDER "config"), 0), 0);
	fn->bus->intr_unmask(fn);
	pci_fn_close(fn);
	close(fifo);
	close(fd);
	tree_end();
}
END_TEST

static void
refused(int error, const char *why)
{
	struct pci_fn *fn;

	ck_assert_int_eq(try_open(true, &fn), error);
	if (strstr(detail, why) == NULL)
		ck_abort_msg("'%s' does not say '%s'", detail, why);
}

START_TEST(refusals_say_why)
{
	struct pci_fn *fn;

	setup();
	ck_assert_int_eq(try_open(false, &fn), -EPERM);
	ck_assert_ptr_nonnull(strstr(detail, "allow_unsafe_dma: yes"));
	tree_file(FOLDER "iommu_group/type", "DMA-FQ\n");
	refused(-EPERM, "an IOMMU translates its addresses (DMA-FQ)");
	tree_file(FOLDER "iommu_group/type", "identity\n");
	pci_fn_close(must_open());
	tree_remove("dev/uio3");
	refused(-ENOENT, "its file uio");
	tree_remove(FOLDER "uio");
	refused(-ENOTSUP, "not bound to uio_pci_generic");
	tree_end();
}
END_TEST

START_TEST(files_that_are_missing_are_named)
{
	setup();
	tree_remove(FOLDER "reset");
	struct pci_fn *fn = must_open();

	ck_assert_int_eq(fn->bus->reset(fn), -ENOTSUP);
	pci_fn_close(fn);
	tree_zeros(FOLDER "resource1", 0);
	tree_remove(FOLDER "resource4");
	refused(-ENOENT, "resource4");
	tree_file(FOLDER "resource", "rubbish\n");
	refused(-EIO, "no line for BAR 0");
	tree_remove(FOLDER "resource");
	refused(-ENOENT, "its file resource");
	tree_remove(FOLDER "config");
	refused(-ENOENT, "its file config");
	tree_end();
}
END_TEST

START_TEST(a_dead_function_is_refused)
{
	setup();
	tree_zeros(FOLDER "config", 0);
	refused(-ENODEV, "does not answer");
	tree_end();
}
END_TEST

START_TEST(short_of_memory_nothing_is_left_open)
{
	struct pci_fn *fn;
	int r = -1, before = dup(0), after;

	close(before);
	setup();
	for (int n = 1; r != 0; n++) {
		fault_arm(n);
		r = try_open(true, &fn);
		if (!fault_disarm())
			ck_assert_int_eq(r, 0);
		if (r < 0) {
			after = dup(0);
			ck_assert_int_eq(after, before);
			close(after);
			ck_assert_str_ne(detail, "");
		} else if (fn->bus->reset(fn) == -ENOTSUP) {
			pci_fn_close(fn);	/* the reset file was the one: goes on without */
			r = -1;
		}
	}
	pci_fn_close(fn);
	tree_end();
}
END_TEST

START_TEST(lines_of_resource_are_parsed)
{
	struct pci_bar bar;
	uint64_t start;

	ck_assert(!uio_resource_parse("0x1 0x2", &start, &bar));
	ck_assert(uio_resource_parse("0x1000 0x1fff 0x0", &start, &bar));
	ck_assert_uint_eq(bar.bytes, 0);
	ck_assert(uio_resource_parse("0x2000 0x1fff 0x200", &start, &bar));
	ck_assert_uint_eq(bar.bytes, 0);
}
END_TEST

START_TEST(pages_that_touch_are_one_span)
{
	static char va[4];
	const uint64_t p = PHYS_PAGE_BYTES;
	const uint64_t frame[] = { 10 * p, 11 * p, 0, 13 * p, 20 * p, 21 * p, 22 * p };
	struct pci_span span[7];

	ck_assert_uint_eq(phys_spans(va, frame, 7, span, 7), 3);
	ck_assert_uint_eq(span[0].bytes, 2 * p);
	ck_assert_uint_eq(span[0].iova, 10 * p);
	/* a page between was left out */
	ck_assert_ptr_eq(span[1].va, va + 3 * p);
	ck_assert_uint_eq(span[1].bytes, p);
	ck_assert_uint_eq(span[2].bytes, 3 * p);
	ck_assert_uint_eq(phys_spans(va, frame, 7, span, 2), 2);
}
END_TEST

/* where there are huge pages and the right to know where, memory has an address; else it is
 * said why not */
START_TEST(physical_memory_has_an_address_or_a_reason)
{
	struct pci_span span[16];
	unsigned int count = 16;
	struct pci_fn *fn;
	int r;

	setup();
	fn = must_open();
	r = fn->bus->memory_get(fn, PHYS_PAGE_BYTES, span, &count);
	if (r == 0) {
		ck_assert_uint_eq(count, 1);
		ck_assert_uint_ne(span[0].iova, 0);
		fn->bus->memory_put(fn, span, count);
	} else {
		ck_assert(strstr(fn->detail, "huge page") != NULL ||
		    strstr(fn->detail, "CAP_SYS_ADMIN") != NULL);
	}
	fault_arm(1);
	ck_assert_int_eq(fn->bus->memory_get(fn, PHYS_PAGE_BYTES, span, &count), -ENOMEM);
	(void)fault_disarm();
	pci_fn_close(fn);
	tree_end();
}
END_TEST

CHECK_MAIN("uio", registers_are_where_the_files_are, the_line_becomes_an_eventfd,
    refusals_say_why, files_that_are_missing_are_named, a_dead_function_is_refused,
    short_of_memory_nothing_is_left_open, lines_of_resource_are_parsed,
    pages_that_touch_are_one_span, physical_memory_has_an_address_or_a_reason)
