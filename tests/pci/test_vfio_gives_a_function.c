#include <check_main.h>
#include <errno.h>
#include <linux/vfio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/pci.h>
#include <sys/sunddi.h>

#include "base/fault.h"
#include "hw/pci/dma.h"
#include "hw/pci/iova.h"
#include "hw/pci/open.h"
#include "tests/pci/mock_tree.h"
#include "tests/pci/mock_vfio.h"

static char detail[PCI_DETAIL_LEN];
static char own[8 * 4096] __attribute__((aligned(4096)));

static int
try_open(const char *address, bool allow, bool is_identity, struct pci_fn **ret)
{
	const struct pci_open_conf conf = { .root = tree_root, .address = address,
		.allow_unsafe_dma = allow, .is_identity = is_identity };

	detail[0] = '\0';
	return vfio_open(&conf, ret, detail);
}

static struct pci_fn *
must_open(void)
{
	struct pci_fn *fn;
	int r = try_open(TREE_FN, false, false, &fn);

	ck_assert_msg(r == 0, "%s", detail);
	return fn;
}

static void
refused(int error, const char *why)
{
	struct pci_fn *fn;

	ck_assert_int_eq(try_open(TREE_FN, false, false, &fn), error);
	if (strstr(detail, why) == NULL)
		ck_abort_msg("'%s' does not say '%s'", detail, why);
	ck_assert_uint_eq(vfio_kernel.groups_open, 0);
}

START_TEST(registers_are_mapped_or_read)
{
	struct pci_fn *fn;

	vfio_kernel_begin();
	vfio_kernel.has_msix_hole = true;
	fn = must_open();
	ck_assert_uint_eq(vfio_kernel.resets, 1);
	ck_assert_int_eq(vfio_kernel.iommu_type, VFIO_TYPE1v2_IOMMU);
	ck_assert_uint_eq(fn->vendor, 0x15ad);
	ck_assert_uint_eq(fn->config_bytes, PCI_CONFIG_EXT_BYTES);
	ck_assert(fn->bar[0].is_io && fn->bar[1].is_64 && fn->bar[1].is_prefetchable);
	ck_assert_uint_eq(pci_config_read(fn, PCI_CONF_COMM, 2), PCI_COMM_IO | PCI_COMM_MAE);
	pci_bar_write(fn, 0, 4, 4, 0x11223344);		/* ports: by the file */
	pci_bar_write(fn, 1, 0x10, 4, 0x55);		/* mapped */
	pci_bar_write(fn, 1, 0x1010, 4, 0x66);		/* the hole */
	pci_bar_write(fn, 1, 0x2010, 4, 0x77);		/* behind it */
	ck_assert_uint_eq(vfio_kernel_byte(0, 4), 0x44);
	ck_assert_uint_eq(vfio_kernel_byte(1, 0x10), 0x55);
	ck_assert_uint_eq(vfio_kernel_byte(1, 0x1010), 0x66);
	ck_assert_uint_eq(vfio_kernel_byte(1, 0x2010), 0x77);
	ck_assert_uint_eq(pci_bar_read(fn, 1, 0x1010, 4), 0x66);
	ck_assert_uint_eq(pci_bar_read(fn, 1, 0x2010, 4), 0x77);
	ck_assert_uint_eq(pci_bar_read(fn, 0, 4, 2), 0x3344);
	pci_fn_close(fn);
	ck_assert_uint_eq(vfio_kernel.groups_open, 0);
	vfio_kernel_end();
}
END_TEST

START_TEST(memory_is_mapped_with_gaps)
{
	struct pci_dma *dma;
	struct pci_fn *fn;

	vfio_kernel_begin();
	fn = must_open();
	ck_assert_int_eq(pci_dma_new(fn, 3 << 20, &dma), 0);
	ck_assert_uint_eq(vfio_kernel.map[0].iova, IOVA_FIRST);
	ck_assert_uint_eq(vfio_kernel.map[0].bytes, 4 << 20);
	ck_assert_int_eq(pci_dma_add(dma, own, 4 * 4096), 0);
	ck_assert_int_eq(pci_dma_add(dma, own + 4 * 4096, 4 * 4096), 0);
	ck_assert_uint_eq(vfio_kernel_maps(), 3);
	ck_assert_int_eq(pci_dma_remove(dma, own), 0);
	ck_assert_uint_eq(vfio_kernel_maps(), 2);
	vfio_kernel.map_max_bytes = 4096;
	ck_assert_int_eq(pci_dma_add(dma, own, 4 * 4096), -ENOMEM);
	pci_dma_free(dma);
	ck_assert_int_eq(pci_dma_new(fn, 3 << 20, &dma), -ENOMEM);
	ck_assert_ptr_nonnull(strstr(fn->detail, "LimitMEMLOCK"));
	pci_fn_close(fn);
	vfio_kernel_end();
}
END_TEST

START_TEST(the_ranges_of_the_iommu_are_kept)
{
	struct pci_dma *dma;
	struct pci_fn *fn;

	vfio_kernel_begin();
	vfio_kernel.has_ranges = true;
	fn = must_open();
	ck_assert_int_eq(pci_dma_new(fn, 1 << 20, &dma), 0);
	ck_assert_uint_eq(vfio_kernel.map[0].iova, 0x80000000);
	pci_dma_free(dma);
	pci_fn_close(fn);
	vfio_kernel_end();
}
END_TEST

START_TEST(functions_of_a_group_share_it)
{
	struct pci_dma *dma[2];
	struct pci_fn *fn[2];

	vfio_kernel_begin();
	fn[0] = must_open();
	ck_assert_int_eq(try_open(VFIO_OTHER_FN, false, false, &fn[1]), 0);
	ck_assert_uint_eq(vfio_kernel.groups_open, 1);
	ck_assert_int_eq(pci_dma_new(fn[0], 1 << 20, &dma[0]), 0);
	ck_assert_int_eq(pci_dma_new(fn[1], 1 << 20, &dma[1]), 0);
	ck_assert_uint_eq(vfio_kernel_maps(), 2);
	pci_dma_free(dma[0]);
	pci_fn_close(fn[0]);
	ck_assert_uint_eq(vfio_kernel.groups_open, 1);
	pci_dma_free(dma[1]);
	pci_fn_close(fn[1]);
	ck_assert_uint_eq(vfio_kernel.groups_open, 0);
	vfio_kernel_end();
}
END_TEST

START_TEST(interrupts_go_to_the_kernel_at_once)
{
	int fds[3] = { 5, -1, 7 };
	struct pci_fn *fn;
	int fd;

	vfio_kernel_begin();
	fn = must_open();
	ck_assert_uint_eq(fn->bus->intr_count(fn, DDI_INTR_TYPE_MSIX), 4);
	ck_assert_int_eq(fn->bus->intr_on(fn, DDI_INTR_TYPE_MSIX, fds, 3), 0);
	ck_assert_uint_eq(vfio_kernel.irqs[VFIO_PCI_MSIX_IRQ_INDEX], 3);
	ck_assert_int_eq(vfio_kernel.fd[VFIO_PCI_MSIX_IRQ_INDEX][1], -1);
	ck_assert_int_eq(vfio_kernel.fd[VFIO_PCI_MSIX_IRQ_INDEX][2], 7);
	fn->bus->intr_off(fn, DDI_INTR_TYPE_MSIX);
	ck_assert_uint_eq(vfio_kernel.irqs[VFIO_PCI_MSIX_IRQ_INDEX], 0);
	ck_assert_int_eq(fn->bus->intr_on(fn, DDI_INTR_TYPE_FIXED, fds, 1), 0);
	fn->bus->intr_unmask(fn);
	ck_assert_uint_eq(vfio_kernel.unmasks, 1);
	fn->bus->intr_off(fn, DDI_INTR_TYPE_FIXED);
	fd = fn->bus->event_fd(fn, PCI_EV_REQUEST);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(vfio_kernel.fd[VFIO_PCI_REQ_IRQ_INDEX][0], fd);
	pci_fn_close(fn);
	ck_assert_uint_eq(vfio_kernel.irqs[VFIO_PCI_REQ_IRQ_INDEX], 0);
	vfio_kernel_end();
}
END_TEST

START_TEST(a_function_without_events_or_reset_is_fine)
{
	struct pci_fn *fn;

	vfio_kernel_begin();
	vfio_kernel.can_reset = false;
	vfio_kernel.failing = VFIO_DEVICE_GET_IRQ_INFO;
	vfio_kernel.error = EINVAL;
	fn = must_open();
	ck_assert_uint_eq(vfio_kernel.resets, 0);
	ck_assert_int_eq(fn->bus->reset(fn), -ENOTSUP);
	ck_assert_int_eq(fn->bus->event_fd(fn, PCI_EV_ERROR), -ENOTSUP);
	ck_assert_uint_eq(fn->bus->intr_count(fn, DDI_INTR_TYPE_MSI), 0);
	pci_fn_close(fn);
	vfio_kernel_end();
}
END_TEST

/* the mapping of its registers goes away under the driver */
START_TEST(a_function_that_is_pulled_out_reads_as_ones)
{
	struct pci_fn *fn;

	vfio_kernel_begin();
	vfio_kernel.has_msix_hole = true;
	fn = must_open();
	pci_bar_write(fn, 1, 0x10, 4, 0x55);
	ck_assert_int_eq(ftruncate(vfio_kernel.device_fd, 0), 0);
	ck_assert_uint_eq(pci_bar_read(fn, 1, 0x10, 4), UINT32_MAX);
	ck_assert(pci_fn_is_failed(fn));
	pci_bar_write(fn, 1, 0x3010, 4, 1);
	/* to the bus, past the flag: a write and another page */
	fn->bus->bar_put(fn, 1, 0x3010, 4, 1);
	ck_assert_uint_eq(fn->bus->bar_get(fn, 1, 0x3020, 8), UINT64_MAX);
	pci_fn_close(fn);
	vfio_kernel_end();
}
END_TEST

static void
refused_when(unsigned long request, int error, int answer, const char *why)
{
	vfio_kernel.failing = request;
	vfio_kernel.error = error;
	refused(answer, why);
	vfio_kernel.failing = 0;
}

START_TEST(refusals_of_the_kernel_are_explained)
{
	vfio_kernel_begin();
	refused_when(VFIO_SET_IOMMU, EPERM, -EPERM, "allow_unsafe_interrupts");
	refused_when(VFIO_SET_IOMMU, ENODEV, -ENOTSUP, "vfio_iommu_type1 is not loaded");
	refused_when(VFIO_SET_IOMMU, EINVAL, -EINVAL, "no IOMMU for its group");
	refused_when(VFIO_GROUP_SET_CONTAINER, EBUSY, -EBUSY, "does not go into a container");
	refused_when(VFIO_GROUP_GET_STATUS, EIO, -EIO, "status of its IOMMU group");
	refused_when(VFIO_GROUP_GET_DEVICE_FD, ENODEV, -ENODEV, "does not give it out");
	refused_when(VFIO_GROUP_GET_DEVICE_FD, EBUSY, -EBUSY, "does not give it out");
	refused_when(VFIO_DEVICE_GET_INFO, EIO, -EIO, "no PCI function");
	refused_when(VFIO_DEVICE_GET_REGION_INFO, EIO, -EIO, "no configuration space");
	refused_when(VFIO_DEVICE_RESET, EIO, -EIO, "does not reset");
	vfio_kernel.api_version = 1;
	refused(-ENOTSUP, "another version");
	vfio_kernel_end();
}
END_TEST

START_TEST(a_group_that_is_not_viable_names_who)
{
	vfio_kernel_begin();
	vfio_kernel.is_viable = false;
	refused(-EBUSY, "group 12 is not viable");
	tree_remove("sys/bus/pci/devices/" VFIO_OTHER_FN "/driver");
	tree_link("sys/bus/pci/devices/" VFIO_OTHER_FN "/driver", "../../drivers/e1000e");
	refused(-EBUSY, VFIO_OTHER_FN " is in the same IOMMU group and belongs to the kernel's "
	    "driver e1000e");
	vfio_kernel_end();
}
END_TEST

START_TEST(files_that_are_missing_are_explained)
{
	vfio_kernel_begin();
	tree_remove("dev/vfio/vfio");
	refused(-ENOTSUP, "dev/vfio/vfio; bind it to vfio-pci");
	tree_remove("dev/vfio/" VFIO_GROUP);
	refused(-ENOTSUP, "dev/vfio/12; bind it");
	tree_remove("sys/bus/pci/devices/" TREE_FN "/iommu_group");
	refused(-ENOTSUP, "in no IOMMU group");
	vfio_kernel_end();
}
END_TEST

START_TEST(without_iommu_it_must_be_allowed)
{
	struct pci_fn *fn, *other;

	vfio_kernel_begin();
	tree_remove("dev/vfio/" VFIO_GROUP);
	tree_file("dev/vfio/noiommu-" VFIO_GROUP, "");
	refused(-EPERM, "allow_unsafe_dma: yes");
	ck_assert_int_eq(try_open(TREE_FN, true, false, &fn), 0);
	ck_assert_int_eq(vfio_kernel.iommu_type, VFIO_NOIOMMU_IOMMU);
	ck_assert_int_eq(try_open(VFIO_OTHER_FN, false, false, &other), -EPERM);
	ck_assert_int_eq(fn->bus->map(fn, own, 4096, &(uint64_t){ 0 }), -ENOTSUP);
	pci_fn_close(fn);
	vfio_kernel_end();
}
END_TEST

/* bus addresses as physical ones, where this machine has huge pages to give */
START_TEST(identity_maps_memory_where_it_is)
{
	struct pci_dma *dma;
	struct pci_fn *fn;
	int r;

	vfio_kernel_begin();
	ck_assert_int_eq(try_open(TREE_FN, false, true, &fn), 0);
	ck_assert_int_eq(fn->bus->map(fn, own, 4096, &(uint64_t){ 0 }), -ENOTSUP);
	r = pci_dma_new(fn, 2 << 20, &dma);
	if (r == 0) {
		ck_assert_uint_eq(vfio_kernel_maps(), 1);
		ck_assert_ptr_nonnull(pci_dma_at(dma, vfio_kernel.map[0].iova, 4096));
		pci_dma_free(dma);
	}
	pci_fn_close(fn);
	vfio_kernel_end();
}
END_TEST

START_TEST(short_of_memory_nothing_is_left_open)
{
	int r = -1, before, after;
	struct pci_fn *fn;

	vfio_kernel_begin();
	before = dup(0);
	close(before);
	for (int n = 1; n < 20; n++) {
		fault_arm(n);
		r = try_open(TREE_FN, false, false, &fn);
		(void)fault_disarm();
		if (r == 0)
			pci_fn_close(fn);
		else
			ck_assert_str_ne(detail, "");
		after = dup(0);
		ck_assert_int_eq(after, before);
		close(after);
		ck_assert_uint_eq(vfio_kernel.groups_open, 0);
	}
	ck_assert_int_eq(r, 0);
	fn = must_open();
	fault_arm(1);
	ck_assert_int_eq(fn->bus->reset(fn), -EIO);
	(void)fault_disarm();
	pci_fn_close(fn);
	vfio_kernel_end();
}
END_TEST

CHECK_MAIN("vfio", registers_are_mapped_or_read, memory_is_mapped_with_gaps,
    the_ranges_of_the_iommu_are_kept, functions_of_a_group_share_it,
    interrupts_go_to_the_kernel_at_once, a_function_without_events_or_reset_is_fine,
    a_function_that_is_pulled_out_reads_as_ones,
    refusals_of_the_kernel_are_explained, a_group_that_is_not_viable_names_who,
    files_that_are_missing_are_explained, without_iommu_it_must_be_allowed,
    identity_maps_memory_where_it_is, short_of_memory_nothing_is_left_open)
