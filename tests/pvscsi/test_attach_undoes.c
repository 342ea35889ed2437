/* a chip that cannot be brought up: attach fails and leaves nothing; the same for each
 * resource */
#include "base/fault.h"
#include "check_main.h"
#include "ddi/devtree.h"
#include "mock_world.h"
#include "scsa/config.h"

static void
gone(struct mock_chip *c)
{
	c->is_gone = true;
}

static void
no_rings(struct mock_chip *c)
{
	c->has_no_rings = true;
}

static void
other_size(struct mock_chip *c)
{
	c->has_other_size = true;
}

static void
no_master(struct mock_chip *c)
{
	c->has_no_master = true;
}

static void
no_interrupt(struct mock_chip *c)
{
	c->intr_type = DDI_INTR_TYPE_FIXED;
}

/* the n-th resource is short, for every n: it attaches later, when there is enough */
static void
each_resource(void)
{
	int failures = 0;
	bool was_reached = true;

	ck_assert_int_eq(scsa_bus_unconfig_all(chip->dip), 0);
	ck_assert_int_eq(devi_detach(chip->dip, 0), 0);
	for (int64_t n = 1; was_reached; n++) {
		int r;

		fault_arm(n);
		r = devi_attach(chip->dip);
		was_reached = fault_disarm();
		failures += r != 0;
		if (r == 0)
			ck_assert_int_eq(devi_detach(chip->dip, DEVI_DETACH_CHILDREN), 0);
		ck_assert_uint_eq(chip->config[4] & 4, 0);
	}
	ck_assert_int_gt(failures, 5);
	ck_assert_int_eq(devi_attach(chip->dip), 0);
}

static void
silenced_at_the_end(void)
{
	unsigned int before = chip->adapter_resets;

	ck_assert_int_eq(devi_quiesce(chip->dip), 0);
	ck_assert_uint_eq(chip->adapter_resets, before + 1);
	ck_assert_uint_eq(chip->intr_mask, 0);
}

REFUSED_TEST(gone)
REFUSED_TEST(no_rings)
REFUSED_TEST(other_size)
REFUSED_TEST(no_master)
REFUSED_TEST(no_interrupt,
    .interrupt_types = DDI_INTR_TYPE_MSI)
WORLD_TEST(each_resource)
WORLD_TEST(silenced_at_the_end)

CHECK_MAIN("attach undoes", gone_test, no_rings_test, other_size_test, no_master_test,
    no_interrupt_test, each_resource_test, silenced_at_the_end_test)
