/* the node of a function: register sets, properties, vectors, and its end */
#include <check_main.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/ddi_intr.h>
#include <sys/pci.h>
#include <sys/sunddi.h>

#include "base/fault.h"
#include "hw/pci/nexus.h"
#include "tests/pci/mock_fn.h"

static struct mock_fn *mock;
static struct nexus *nexus;
static dev_info_t *dip;
static _Atomic unsigned int calls, alarms;
static _Atomic uint_t answer = DDI_INTR_CLAIMED;

static void
setup(void)
{
	char detail[PCI_DETAIL_LEN];

	mock = mock_fn_new();
	ck_assert_int_eq(nexus_new(&mock->fn, "chip", 1 << 20, &nexus, detail), 0);
	dip = nexus_node(nexus);
	ck_assert_ptr_eq(nexus_fn(nexus), &mock->fn);
}

static void
teardown(void)
{
	bool is_closed = false;

	mock->ret_closed = &is_closed;
	ck_assert_int_eq(nexus_free(nexus), 0);
	ck_assert(is_closed);
}

static uint_t
handler(caddr_t arg1, caddr_t arg2)
{
	(void)arg1;
	(void)arg2;
	calls++;
	return answer;
}

/* a moment for the thread that waits for interrupts, until @count calls were made */
static void
await_calls(unsigned int count)
{
	while (calls < count)
		(void)poll(NULL, 0, 1);
}

START_TEST(registers_are_sets)
{
	ddi_acc_handle_t config, io, mem;
	caddr_t base, ports;
	off_t size;
	int n;

	setup();
	ck_assert_int_eq(ddi_dev_nregs(dip, &n), DDI_SUCCESS);
	ck_assert_int_eq(n, 4);
	ck_assert_int_eq(ddi_dev_regsize(dip, 3, &size), DDI_SUCCESS);
	ck_assert_int_eq(size, 1024);
	ck_assert_int_eq(ddi_dev_regsize(dip, 4, &size), DDI_FAILURE);
	ck_assert_int_eq(pci_config_setup(dip, &config), DDI_SUCCESS);
	ck_assert_uint_eq(pci_config_get16(config, PCI_CONF_DEVID), 0x1048);
	pci_config_put8(config, PCI_CONF_ILINE, 9);
	ck_assert_uint_eq(mock->config[PCI_CONF_ILINE], 9);
	ck_assert_int_eq(ddi_regs_map_setup(dip, 1, &ports, 0, 0, NULL, &io), DDI_SUCCESS);
	ddi_put8(io, (uint8_t *)ports + 7, 0x77);
	ck_assert_uint_eq(mock->bar[0][7], 0x77);
	ck_assert_int_eq(ddi_regs_map_setup(dip, 3, &base, 512, 256, NULL, &mem), DDI_SUCCESS);
	ddi_put32(mem, (uint32_t *)(void *)(base + 4), 0x01020304);
	ck_assert_uint_eq(mock->bar[4][512 + 4], 4);
	ck_assert_uint_eq(ddi_get32(mem, (uint32_t *)(void *)(base + 4)), 0x01020304);
	ddi_regs_map_free(&mem);
	ddi_regs_map_free(&io);
	pci_config_teardown(&config);
	teardown();
}
END_TEST

START_TEST(properties_say_what_it_is)
{
	static const char *const names[] = { "pci1af4,1048.1af4.1100.1", "pci1af4,1048.1af4.1100",
	    "pci1af4,1100", "pci1af4,1048.1", "pci1af4,1048", "pciclass,010000", "pciclass,0100" };
	int *cells;
	char **list, *name;
	uint_t n;

	setup();
	ck_assert_int_eq(ddi_prop_lookup_int_array(DDI_DEV_T_ANY, dip, DDI_PROP_DONTPASS, "reg",
	    &cells, &n), DDI_PROP_SUCCESS);
	ck_assert_uint_eq(n, 20);
	ck_assert_uint_eq((unsigned int)cells[5] & PCI_ADDR_MASK, PCI_ADDR_IO);
	ck_assert_uint_eq(PCI_REG_REG_G((unsigned int)cells[15]), PCI_CONF_BASE4);
	ck_assert_uint_eq((unsigned int)cells[15] & PCI_ADDR_MASK, PCI_ADDR_MEM64);
	ck_assert_int_eq(cells[19], 1024);
	ddi_prop_free(cells);
	ck_assert_int_eq(ddi_prop_get_int(DDI_DEV_T_ANY, dip, 0, "subsystem-id", 0), 0x1100);
	ck_assert_int_eq(ddi_prop_lookup_string(DDI_DEV_T_ANY, dip, 0, "pci-name", &name),
	    DDI_PROP_SUCCESS);
	ck_assert_str_eq(name, "0000:00:10.0");
	ddi_prop_free(name);
	ck_assert_int_eq(ddi_prop_lookup_string_array(DDI_DEV_T_ANY, dip, 0, "compatible", &list,
	    &n), DDI_PROP_SUCCESS);
	ck_assert_uint_eq(n, ARRAY_LEN(names));
	for (unsigned int i = 0; i < n; i++)
		ck_assert_str_eq(list[i], names[i]);
	ddi_prop_free(list);
	teardown();
}
END_TEST

static void
vectors_open(ddi_intr_handle_t *h, int type, int count)
{
	int n;

	ck_assert_int_eq(ddi_intr_alloc(dip, h, type, 0, count, &n, DDI_INTR_ALLOC_STRICT),
	    DDI_SUCCESS);
	for (int i = 0; i < count; i++)
		ck_assert_int_eq(ddi_intr_add_handler(h[i], handler, NULL, NULL), DDI_SUCCESS);
}

static void
vectors_close(ddi_intr_handle_t *h, int count)
{
	for (int i = 0; i < count; i++) {
		ck_assert_int_eq(ddi_intr_remove_handler(h[i]), DDI_SUCCESS);
		ck_assert_int_eq(ddi_intr_free(h[i]), DDI_SUCCESS);
	}
}

static void
interrupt(int fd)
{
	const uint64_t one = 1;

	ck_assert_int_eq(write(fd, &one, sizeof(one)), sizeof(one));
}

/* a set of vectors cannot grow while it is on: all that are open go on with the first */
START_TEST(vectors_go_on_together)
{
	ddi_intr_handle_t h[3];
	int types, n;

	setup();
	ck_assert_int_eq(ddi_intr_get_supported_types(dip, &types), DDI_SUCCESS);
	ck_assert_int_eq(types, DDI_INTR_TYPE_FIXED | DDI_INTR_TYPE_MSI | DDI_INTR_TYPE_MSIX);
	ck_assert_int_eq(ddi_intr_get_nintrs(dip, DDI_INTR_TYPE_MSIX, &n), DDI_SUCCESS);
	ck_assert_int_eq(n, 5);
	vectors_open(h, DDI_INTR_TYPE_MSIX, 3);
	ck_assert_int_eq(ddi_intr_enable(h[0]), DDI_SUCCESS);
	ck_assert_uint_eq(mock->n_fds, 3);
	ck_assert_int_eq(ddi_intr_enable(h[2]), DDI_SUCCESS);
	ck_assert_uint_eq(mock->on_calls, 1);
	interrupt(mock->fds[2]);
	await_calls(1);
	nexus_intr_signal(nexus, 0);
	await_calls(2);
	nexus_intr_signal(nexus, 4);	/* is not on: nothing */
	ck_assert_int_eq(ddi_intr_disable(h[0]), DDI_SUCCESS);
	ck_assert_uint_eq(mock->off_calls, 0);
	ck_assert_int_eq(ddi_intr_disable(h[2]), DDI_SUCCESS);
	ck_assert_uint_eq(mock->off_calls, 1);
	vectors_close(h, 3);
	teardown();
}
END_TEST

START_TEST(vectors_that_come_later_go_on_too)
{
	ddi_intr_handle_t h[2], line;
	int n;

	setup();
	vectors_open(h, DDI_INTR_TYPE_MSIX, 1);
	ck_assert_int_eq(ddi_intr_enable(h[0]), DDI_SUCCESS);
	ck_assert_int_eq(ddi_intr_alloc(dip, &h[1], DDI_INTR_TYPE_MSIX, 1, 1, &n,
	    DDI_INTR_ALLOC_STRICT), DDI_SUCCESS);
	ck_assert_int_eq(ddi_intr_add_handler(h[1], handler, NULL, NULL), DDI_SUCCESS);
	ck_assert_int_eq(ddi_intr_enable(h[1]), DDI_SUCCESS);
	ck_assert_uint_eq(mock->n_fds, 2);
	ck_assert_uint_eq(mock->on_calls, 2);
	/* vector 0 of another type is the same place */
	ck_assert_int_ne(ddi_intr_alloc(dip, &line, DDI_INTR_TYPE_FIXED, 0, 1, &n,
	    DDI_INTR_ALLOC_STRICT), DDI_SUCCESS);
	ck_assert_int_eq(ddi_intr_disable(h[0]), DDI_SUCCESS);
	ck_assert_int_eq(ddi_intr_disable(h[1]), DDI_SUCCESS);
	vectors_close(h, 2);
	teardown();
}
END_TEST

START_TEST(a_bus_may_refuse_vectors)
{
	ddi_intr_handle_t h;
	int n;

	setup();
	fault_arm(2);	/* the first is the handle's memory */
	ck_assert_int_ne(ddi_intr_alloc(dip, &h, DDI_INTR_TYPE_MSI, 0, 1, &n,
	    DDI_INTR_ALLOC_STRICT), DDI_SUCCESS);
	ck_assert(fault_disarm());
	vectors_open(&h, DDI_INTR_TYPE_MSI, 1);
	mock->intr_error = -EIO;
	ck_assert_int_eq(ddi_intr_enable(h), DDI_FAILURE);
	mock->intr_error = 0;
	ck_assert_int_eq(ddi_intr_enable(h), DDI_SUCCESS);
	ck_assert_int_eq(ddi_intr_disable(h), DDI_SUCCESS);
	vectors_close(&h, 1);
	teardown();
}
END_TEST

static void
alarmed(void *arg)
{
	(void)arg;
	alarms++;
}

static void
await_unmasks(unsigned int count)
{
	while (__atomic_load_n(&mock->unmasks, __ATOMIC_SEQ_CST) < count)
		(void)poll(NULL, 0, 1);
}

/* unmasked after each handler; when nobody claims it, it stays masked one day, and the function
 * is taken for dead */
START_TEST(a_line_is_unmasked_until_nobody_claims_it)
{
	ddi_intr_handle_t h;

	setup();
	nexus_set_alarm(nexus, alarmed, NULL);
	vectors_open(&h, DDI_INTR_TYPE_FIXED, 1);
	ck_assert_int_eq(ddi_intr_enable(h), DDI_SUCCESS);
	answer = DDI_INTR_UNCLAIMED;
	for (unsigned int i = 1; i < NEXUS_STORM; i++) {
		interrupt(mock->fds[0]);
		await_unmasks(i);
	}
	answer = DDI_INTR_CLAIMED;	/* one that is begins the count again */
	interrupt(mock->fds[0]);
	await_unmasks(NEXUS_STORM);
	answer = DDI_INTR_UNCLAIMED;
	for (unsigned int i = 1; i < NEXUS_STORM; i++) {
		interrupt(mock->fds[0]);
		await_unmasks(NEXUS_STORM + i);
	}
	ck_assert_uint_eq(alarms, 0);
	ck_assert(!pci_fn_is_failed(&mock->fn));
	interrupt(mock->fds[0]);
	while (alarms == 0)
		(void)poll(NULL, 0, 1);
	ck_assert(pci_fn_is_failed(&mock->fn));
	ck_assert_uint_eq(mock->unmasks, 2 * NEXUS_STORM - 1);
	ck_assert_int_eq(ddi_intr_disable(h), DDI_SUCCESS);
	vectors_close(&h, 1);
	teardown();
}
END_TEST

START_TEST(one_that_fails_interrupts_once_more)
{
	ddi_intr_handle_t h[2];

	setup();
	vectors_open(h, DDI_INTR_TYPE_MSIX, 2);
	ck_assert_int_eq(ddi_intr_block_enable(h, 2), DDI_SUCCESS);
	nexus_fail(nexus);
	await_calls(2);
	ck_assert_uint_eq(pci_bar_read(&mock->fn, 1, 0, 4), UINT32_MAX);
	ck_assert_int_eq(ddi_intr_block_disable(h, 2), DDI_SUCCESS);
	vectors_close(h, 2);
	teardown();
}
END_TEST

START_TEST(it_stays_while_it_is_held)
{
	setup();
	ck_assert(devi_hold(dip));
	ck_assert_int_eq(nexus_free(nexus), -EBUSY);
	devi_release(dip);
	teardown();
	ck_assert_int_eq(nexus_free(NULL), 0);
}
END_TEST

START_TEST(what_cannot_be_made_leaves_nothing)
{
	char detail[PCI_DETAIL_LEN];
	bool is_closed;
	int r = -1;

	for (int n = 1; r != 0; n++) {
		is_closed = false;
		mock = mock_fn_new();
		mock->ret_closed = &is_closed;
		detail[0] = '\0';
		fault_arm(n);
		r = nexus_new(&mock->fn, NULL, 1 << 20, &nexus, detail);
		(void)fault_disarm();
		if (r < 0) {
			ck_assert(is_closed);
			ck_assert_str_ne(detail, "");
		}
	}
	ck_assert_str_eq(ddi_node_name(nexus_node(nexus)), "pci1af4,1048");
	teardown();
	mock = mock_fn_new();
	ck_assert_int_eq(nexus_new(&mock->fn, "", 1 << 20, &nexus, detail), -EINVAL);
	mock = mock_fn_new();
	mock->memory_error = -ENOMEM;
	ck_assert_int_eq(nexus_new(&mock->fn, "chip", 1 << 20, &nexus, detail), -ENOMEM);
	ck_assert_str_eq(detail, "no memory today");
}
END_TEST

CHECK_MAIN("node of a function", registers_are_sets, properties_say_what_it_is,
    vectors_go_on_together, vectors_that_come_later_go_on_too, a_bus_may_refuse_vectors,
    a_line_is_unmasked_until_nobody_claims_it, one_that_fails_interrupts_once_more,
    it_stays_while_it_is_held, what_cannot_be_made_leaves_nothing)
