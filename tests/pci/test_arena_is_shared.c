#include <check_main.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "base/fault.h"
#include "hw/pci/arena.h"
#include "hw/pci/attach.h"

#define BYTES	(1u << 20)

START_TEST(without_an_arena_there_is_nothing)
{
	char mine[4];

	ck_assert_ptr_null(pci_arena_take(PCI_ARENA_LEAST));
	ck_assert(!pci_arena_give(mine));
}
END_TEST

START_TEST(it_is_made_once_and_given_out)
{
	char *a, *b, mine[4];

	for (int n = 1; n <= 4; n++) {
		fault_arm(n);
		ck_assert_int_eq(pci_arena_begin(BYTES), -ENOMEM);
		ck_assert(fault_disarm());
	}
	ck_assert_int_eq(pci_arena_begin(BYTES), 0);
	ck_assert_int_eq(pci_arena_begin(2 * BYTES), 0);
	ck_assert_ptr_null(pci_arena_take(PCI_ARENA_LEAST - 1));
	a = pci_arena_take(BYTES / 2);
	b = pci_arena_take(BYTES / 2);
	ck_assert_ptr_nonnull(a);
	ck_assert_ptr_nonnull(b);
	ck_assert_uint_eq((uintptr_t)a % 4096, 0);
	memset(a, 1, BYTES / 2);
	memset(b, 2, BYTES / 2);
	ck_assert_ptr_null(pci_arena_take(PCI_ARENA_LEAST));
	ck_assert(!pci_arena_give(mine));
	ck_assert(pci_arena_give(a));
	ck_assert_ptr_eq(pci_arena_take(BYTES / 2), a);
	ck_assert(pci_arena_give(a));
	ck_assert(pci_arena_give(b));
	/* it is registered memory, of which no other may be a part */
	ck_assert_int_eq(pci_memory_add(a, 4096), -EEXIST);
}
END_TEST

CHECK_MAIN("arena", without_an_arena_there_is_nothing, it_is_made_once_and_given_out)
