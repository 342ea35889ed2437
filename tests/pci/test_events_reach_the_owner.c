/* what the daemon sees of a function: it comes, its memory, what happens to it, and it goes */
#include <check_main.h>
#include <errno.h>
#include <linux/vfio.h>
#include <poll.h>
#include <string.h>
#include <sys/modctl.h>
#include <sys/sunddi.h>

#include "base/fault.h"
#include "ddi/driver.h"
#include "hw/pci/attach.h"
#include "tests/pci/mock_tree.h"
#include "tests/pci/mock_vfio.h"

static char detail[PCI_DETAIL_LEN];
static char own[8 * 4096] __attribute__((aligned(4096)));
static _Atomic unsigned int requests, errors;

static void
told(enum pci_event event, const char *text, void *arg)
{
	ck_assert_ptr_eq(arg, &requests);
	ck_assert_ptr_nonnull(strstr(text, TREE_FN));
	if (event == PCI_EV_REQUEST)
		requests++;
	else
		errors++;
}

static int
try_open(const char *address, struct pci_attach **ret)
{
	const struct pci_attach_conf conf = { .root = tree_root, .address = address,
		.driver = "chip", .via = PCI_VIA_VFIO, .pool_bytes = 1 << 20, .event = told,
		.arg = &requests };

	detail[0] = '\0';
	return pci_attach_open(&conf, ret, detail);
}

static struct pci_attach *
must_open(void)
{
	struct pci_attach *a;
	int r = try_open("00:10.0", &a);

	ck_assert_msg(r == 0, "%s", detail);
	return a;
}

static void
kernel_signals(unsigned int index)
{
	const uint64_t one = 1;

	ck_assert_int_eq(write(vfio_kernel.fd[index][0], &one, sizeof(one)), sizeof(one));
}

static void
await(_Atomic unsigned int *count, unsigned int n)
{
	while (*count < n)
		(void)poll(NULL, 0, 1);
}

START_TEST(the_system_asks_for_it)
{
	struct pci_attach *a;
	char text[128];

	vfio_kernel_begin();
	a = must_open();
	pci_attach_describe(a, text, sizeof(text));
	ck_assert_str_eq(text, TREE_FN " 15ad:07c0, vfio, MSI-X 4");
	ck_assert_str_eq(ddi_node_name(pci_attach_node(a)), "chip");
	kernel_signals(VFIO_PCI_REQ_IRQ_INDEX);
	await(&requests, 1);
	kernel_signals(VFIO_PCI_REQ_IRQ_INDEX);
	await(&requests, 2);
	ck_assert(!pci_fn_is_failed(nexus_fn(pci_attach_nexus(a))));
	ck_assert_int_eq(pci_attach_close(a), 0);
	ck_assert_int_eq(pci_attach_close(NULL), 0);
	vfio_kernel_end();
}
END_TEST

START_TEST(an_error_fails_it)
{
	struct pci_attach *a;

	vfio_kernel_begin();
	a = must_open();
	kernel_signals(VFIO_PCI_ERR_IRQ_INDEX);
	await(&errors, 1);
	ck_assert(pci_fn_is_failed(nexus_fn(pci_attach_nexus(a))));
	ck_assert_uint_eq(requests, 0);
	ck_assert_int_eq(pci_attach_close(a), 0);
	vfio_kernel_end();
}
END_TEST

static int
line_attach(dev_info_t *dip, ddi_attach_cmd_t cmd)
{
	(void)dip;
	return cmd == DDI_ATTACH ? DDI_SUCCESS : DDI_FAILURE;
}

static int
line_detach(dev_info_t *dip, ddi_detach_cmd_t cmd)
{
	(void)dip;
	return cmd == DDI_DETACH ? DDI_SUCCESS : DDI_FAILURE;
}

static struct dev_ops ops = { .devo_rev = DEVO_REV, .devo_probe = nulldev,
	.devo_attach = line_attach, .devo_detach = line_detach, .devo_reset = nodev };
static struct modldrv modldrv = { &mod_driverops, "chip", &ops };
static struct modlinkage modlinkage = { MODREV_1, { &modldrv, NULL } };

static int
chip_init(void)
{
	return mod_install(&modlinkage);
}

static int
chip_fini(void)
{
	return mod_remove(&modlinkage);
}

static uint_t
unclaimed(caddr_t arg1, caddr_t arg2)
{
	(void)arg1;
	(void)arg2;
	kernel_signals(VFIO_PCI_INTX_IRQ_INDEX);	/* the line stays raised */
	return DDI_INTR_UNCLAIMED;
}

START_TEST(a_line_that_nobody_claims_fails_it)
{
	struct pci_attach *a;
	ddi_intr_handle_t h;
	int n;

	vfio_kernel_begin();
	a = must_open();
	ck_assert_int_eq(ddi_intr_alloc(pci_attach_node(a), &h, DDI_INTR_TYPE_FIXED, 0, 1, &n, 0),
	    DDI_SUCCESS);
	ck_assert_int_eq(ddi_intr_add_handler(h, unclaimed, NULL, NULL), DDI_SUCCESS);
	ck_assert_int_eq(ddi_intr_enable(h), DDI_SUCCESS);
	kernel_signals(VFIO_PCI_INTX_IRQ_INDEX);
	await(&errors, 1);
	ck_assert(pci_fn_is_failed(nexus_fn(pci_attach_nexus(a))));
	ck_assert_int_eq(ddi_intr_disable(h), DDI_SUCCESS);
	ck_assert_int_eq(ddi_intr_remove_handler(h), DDI_SUCCESS);
	ck_assert_int_eq(ddi_intr_free(h), DDI_SUCCESS);
	ck_assert_int_eq(pci_attach_close(a), 0);
	vfio_kernel_end();
}
END_TEST

START_TEST(it_is_not_closed_under_its_driver)
{
	struct pci_attach *a;

	vfio_kernel_begin();
	ck_assert_int_eq(driver_init("chip", chip_init, chip_fini), 0);
	a = must_open();
	ck_assert_int_eq(devi_attach(pci_attach_node(a)), 0);
	ck_assert_int_eq(pci_attach_close(a), -EBUSY);
	ck_assert_int_eq(devi_detach(pci_attach_node(a), 0), 0);
	ck_assert(devi_hold(pci_attach_node(a)));
	ck_assert_int_eq(pci_attach_close(a), -EBUSY);
	kernel_signals(VFIO_PCI_REQ_IRQ_INDEX);		/* it hears on */
	await(&requests, 1);
	devi_release(pci_attach_node(a));
	ck_assert_int_eq(pci_attach_close(a), 0);
	ck_assert_int_eq(driver_unload("chip"), 0);
	vfio_kernel_end();
}
END_TEST

START_TEST(memory_reaches_all_that_are_there_and_that_come)
{
	struct pci_attach *a, *b;
	struct pci_dma *dma;
	void *token;

	vfio_kernel_begin();
	a = must_open();
	ck_assert_int_eq(pci_memory_add(own, sizeof(own)), 0);
	ck_assert_int_eq(pci_memory_add(own + 4096, 4096), -EEXIST);
	ck_assert_int_eq(pci_memory_add(own + 1, 4096), -EINVAL);
	ck_assert_uint_eq(vfio_kernel_maps(), 2);
	ck_assert_int_eq(try_open(VFIO_OTHER_FN, &b), 0);
	ck_assert_uint_eq(vfio_kernel_maps(), 4);
	dma = nexus_dma(pci_attach_nexus(b));
	ck_assert_int_eq(pci_dma_ops.map(dma, own, 10, DDI_DMA_READ, &token), 0);
	ck_assert_int_eq(pci_memory_remove(own), -EBUSY);
	pci_dma_ops.unmap(dma, token, own, 10);
	ck_assert_int_eq(pci_memory_remove(own), 0);
	ck_assert_int_eq(pci_memory_remove(own), -ENOENT);
	ck_assert_uint_eq(vfio_kernel_maps(), 2);
	/* what a function cannot have is no reason to refuse */
	vfio_kernel.map_max_bytes = 4096;
	ck_assert_int_eq(pci_memory_add(own, sizeof(own)), 0);
	ck_assert_uint_eq(vfio_kernel_maps(), 2);
	ck_assert_int_eq(pci_memory_remove(own), 0);
	fault_arm(1);
	ck_assert_int_eq(pci_memory_add(own, sizeof(own)), -ENOMEM);
	ck_assert(fault_disarm());
	ck_assert_int_eq(pci_attach_close(a), 0);
	ck_assert_int_eq(pci_attach_close(b), 0);
	vfio_kernel_end();
}
END_TEST

START_TEST(what_cannot_be_opened_is_explained)
{
	struct pci_attach *a;
	struct pci_attach_conf conf = { .root = tree_root, .address = TREE_FN,
		.via = PCI_VIA_UIO, .allow_unsafe_dma = true };

	vfio_kernel_begin();
	ck_assert_int_eq(try_open("bus 5", &a), -EINVAL);
	ck_assert_ptr_nonnull(strstr(detail, "no PCI address"));
	ck_assert_int_eq(pci_attach_open(&conf, &a, detail), -ENOTSUP);
	ck_assert_ptr_nonnull(strstr(detail, "uio_pci_generic"));
	for (int n = 1; n < 40; n++) {
		fault_arm(n);
		int r = try_open(TREE_FN, &a);

		(void)fault_disarm();
		if (r == 0)
			ck_assert_int_eq(pci_attach_close(a), 0);
		else
			ck_assert_str_ne(detail, "");
		ck_assert_uint_eq(vfio_kernel_maps(), 0);
		ck_assert_uint_eq(vfio_kernel.groups_open, 0);
	}
	vfio_kernel_end();
}
END_TEST

CHECK_MAIN("events of a function", the_system_asks_for_it, an_error_fails_it,
    a_line_that_nobody_claims_fails_it, it_is_not_closed_under_its_driver,
    memory_reaches_all_that_are_there_and_that_come, what_cannot_be_opened_is_explained)
