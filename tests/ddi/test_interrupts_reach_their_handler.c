#include <errno.h>
#include <sys/eventfd.h>
#include <string.h>
#include <sys/ddi.h>
#include <sys/sunddi.h>
#include <unistd.h>

#include "base/fault.h"
#include "check_main.h"
#include "ddi/devtree.h"
#include "ddi/intr.h"
#include "ddi/sched.h"
#include "ddi/sim.h"

static kmutex_t lock;
static kcondvar_t cv;
static int hits[4];
static bool was_interrupt;
static ddi_intr_handle_t h[4];

static uint_t
on_intr(caddr_t arg1, caddr_t arg2)
{
	was_interrupt = sched_is_interrupt();
	ck_assert_ptr_eq(arg2, (caddr_t)hits);
	mutex_enter(&lock);
	hits[(intptr_t)arg1]++;
	cv_broadcast(&cv);
	mutex_exit(&lock);
	return DDI_INTR_CLAIMED;
}

static void
hits_wait(int i, int n)
{
	mutex_enter(&lock);
	while (hits[i] < n)
		cv_wait(&cv, &lock);
	mutex_exit(&lock);
}

static dev_info_t *
setup(int count)
{
	dev_info_t *dip;
	int n;

	memset(hits, 0, sizeof(hits));
	mutex_init(&lock, NULL, MUTEX_DRIVER, NULL);
	cv_init(&cv, NULL, CV_DRIVER, NULL);
	ck_assert_int_eq(devi_alloc(devi_root(), "dev", &dip), 0);
	ck_assert_int_eq(ddi_intr_alloc(dip, h, DDI_INTR_TYPE_MSIX, 0, count, &n,
	    DDI_INTR_ALLOC_STRICT), DDI_SUCCESS);
	ck_assert_int_eq(n, count);
	for (intptr_t i = 0; i < count; i++)
		ck_assert_int_eq(ddi_intr_add_handler(h[i], on_intr, (void *)i, hits),
		    DDI_SUCCESS);
	return dip;
}

static void
cleanup(dev_info_t *dip, int count)
{
	for (int i = 0; i < count; i++) {
		ck_assert_int_eq(ddi_intr_remove_handler(h[i]), DDI_SUCCESS);
		ck_assert_int_eq(ddi_intr_free(h[i]), DDI_SUCCESS);
	}
	ck_assert_int_eq(devi_free(dip), 0);
	cv_destroy(&cv);
	mutex_destroy(&lock);
}

static void
round_trip(void *arg)
{
	dev_info_t *dip = setup(3);
	uint64_t one = 1;

	(void)arg;
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(ddi_intr_enable(h[i]), DDI_SUCCESS);
	scsad_intr_trigger(h[1]);
	hits_wait(1, 1);
	ck_assert(was_interrupt);
	ck_assert_int_eq(hits[0], 0);
	ck_assert_int_eq(write(scsad_intr_fd(h[2]), &one, sizeof(one)), sizeof(one));
	hits_wait(2, 1);			/* by the descriptor alone */
	ck_assert_int_eq(ddi_intr_disable(h[1]), DDI_SUCCESS);
	scsad_intr_trigger(h[1]);
	scsad_intr_trigger(h[0]);
	hits_wait(0, 1);
	ck_assert_int_eq(hits[1], 1);
	ck_assert_int_eq(ddi_intr_enable(h[1]), DDI_SUCCESS);
	hits_wait(1, 2);			/* what came meanwhile is delivered now */
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(ddi_intr_disable(h[i]), DDI_SUCCESS);
	cleanup(dip, 3);
}

START_TEST(native_and_simulated)
{
	round_trip(NULL);
	for (uint64_t seed = 0; seed < 5; seed++)
		sim_run(&(struct sim_opts){ .seed = seed, .yield_per_1024 = 100 }, round_trip,
		    NULL);
	round_trip(NULL);
	sched_services_stop();
}
END_TEST

static uint_t
on_slow(caddr_t arg1, caddr_t arg2)
{
	(void)arg2;
	drv_usecwait(100000);
	++*(int *)(void *)arg1;
	return DDI_INTR_CLAIMED;
}

static ddi_intr_handle_t self_handle;

static uint_t
on_disable_self(caddr_t arg1, caddr_t arg2)
{
	(void)arg2;
	++*(int *)(void *)arg1;
	ck_assert_int_eq(ddi_intr_disable(self_handle), DDI_SUCCESS);
	return DDI_INTR_CLAIMED;
}

static void
disabling(void *arg)
{
	ddi_intr_handle_t slow;
	dev_info_t *dip;
	int n, done = 0;

	(void)arg;
	ck_assert_int_eq(devi_alloc(devi_root(), "dev", &dip), 0);
	ck_assert_int_eq(ddi_intr_alloc(dip, &slow, DDI_INTR_TYPE_MSIX, 5, 1, &n, 0),
	    DDI_SUCCESS);
	ck_assert_int_eq(ddi_intr_add_handler(slow, on_slow, &done, NULL), DDI_SUCCESS);
	ck_assert_int_eq(ddi_intr_enable(slow), DDI_SUCCESS);
	scsad_intr_trigger(slow);
	sim_advance_us(10);
	ck_assert_int_eq(done, 0);
	ck_assert_int_eq(ddi_intr_disable(slow), DDI_SUCCESS);
	ck_assert_int_eq(done, 1);
	ck_assert_int_eq(ddi_intr_remove_handler(slow), DDI_SUCCESS);
	self_handle = slow;
	ck_assert_int_eq(ddi_intr_add_handler(slow, on_disable_self, &done, NULL), DDI_SUCCESS);
	ck_assert_int_eq(ddi_intr_enable(slow), DDI_SUCCESS);
	scsad_intr_trigger(slow);
	sim_advance_us(10);
	ck_assert_int_eq(done, 2);
	ck_assert_int_eq(ddi_intr_disable(slow), DDI_EINVAL);
	ck_assert_int_eq(ddi_intr_remove_handler(slow), DDI_SUCCESS);
	ck_assert_int_eq(ddi_intr_free(slow), DDI_SUCCESS);
	ck_assert_int_eq(devi_free(dip), 0);
}

START_TEST(disable_waits_for_the_handler)
{
	for (uint64_t seed = 0; seed < 10; seed++)
		sim_run(&(struct sim_opts){ .seed = seed, .yield_per_1024 = 100 }, disabling,
		    NULL);
}
END_TEST

static void
masking(void *arg)
{
	dev_info_t *dip = setup(1);
	int pending;

	(void)arg;
	ck_assert_int_eq(ddi_intr_block_enable(h, 1), DDI_SUCCESS);
	ck_assert_int_eq(ddi_intr_set_mask(h[0]), DDI_SUCCESS);
	scsad_intr_trigger(h[0]);
	sim_settle();
	ck_assert_int_eq(hits[0], 0);
	ck_assert_int_eq(ddi_intr_get_pending(h[0], &pending), DDI_SUCCESS);
	ck_assert_int_eq(pending, 1);
	ck_assert_int_eq(ddi_intr_clr_mask(h[0]), DDI_SUCCESS);
	sim_settle();
	ck_assert_int_eq(hits[0], 1);
	ck_assert_int_eq(ddi_intr_block_disable(h, 1), DDI_SUCCESS);
	ck_assert_int_eq(ddi_intr_block_disable(h, 1), DDI_FAILURE);
	cleanup(dip, 1);
}

START_TEST(masked_is_pending)
{
	sim_run(&(struct sim_opts){ .seed = 1 }, masking, NULL);
}
END_TEST

START_TEST(states_and_counts)
{
	dev_info_t *dip = setup(2);
	ddi_intr_handle_t extra[64], dup;
	int types, n, avail, cap;
	uint_t pri;

	ck_assert_int_eq(ddi_intr_get_supported_types(dip, &types), DDI_SUCCESS);
	ck_assert_int_eq(types, DDI_INTR_TYPE_MSIX);
	ck_assert_int_eq(ddi_intr_get_nintrs(dip, DDI_INTR_TYPE_MSIX, &n), DDI_SUCCESS);
	ck_assert_int_eq(ddi_intr_get_nintrs(dip, DDI_INTR_TYPE_FIXED, &n), DDI_INTR_NOTFOUND);
	ck_assert_int_eq(ddi_intr_get_navail(dip, DDI_INTR_TYPE_MSIX, &avail), DDI_SUCCESS);
	ck_assert_int_eq(avail, 62);
	ck_assert_int_eq(ddi_intr_get_navail(dip, DDI_INTR_TYPE_MSI, &avail),
	    DDI_INTR_NOTFOUND);
	ck_assert_int_eq(ddi_intr_alloc(dip, NULL, DDI_INTR_TYPE_MSIX, 0, 1, &n, 0),
	    DDI_EINVAL);
	ck_assert_int_eq(ddi_intr_alloc(dip, extra, DDI_INTR_TYPE_MSIX, 0, 1, &n, 0),
	    DDI_EAGAIN);
	ck_assert_int_eq(ddi_intr_alloc(dip, extra, DDI_INTR_TYPE_MSIX, 60, 5, &n,
	    DDI_INTR_ALLOC_STRICT), DDI_INTR_NOTFOUND);
	ck_assert_int_eq(ddi_intr_alloc(dip, extra, DDI_INTR_TYPE_MSIX, 60, 5, &n, 0),
	    DDI_SUCCESS);
	ck_assert_int_eq(n, 4);
	for (int i = 0; i < n; i++)
		ck_assert_int_eq(ddi_intr_free(extra[i]), DDI_SUCCESS);
	ck_assert_int_eq(ddi_intr_free(h[0]), DDI_FAILURE);
	ck_assert_int_eq(ddi_intr_add_handler(h[0], on_intr, NULL, NULL), DDI_FAILURE);
	ck_assert_int_eq(ddi_intr_add_handler(h[0], NULL, NULL, NULL), DDI_EINVAL);
	ck_assert_int_eq(ddi_intr_get_pri(h[0], &pri), DDI_SUCCESS);
	ck_assert_int_eq(ddi_intr_set_pri(h[0], pri + 1), DDI_SUCCESS);
	ck_assert_int_eq(ddi_intr_set_pri(h[0], 99), DDI_EINVAL);
	ck_assert_uint_gt(ddi_intr_get_hilevel_pri(), pri);
	ck_assert_int_eq(ddi_intr_get_cap(h[0], &cap), DDI_SUCCESS);
	ck_assert(cap & DDI_INTR_FLAG_EDGE);
	ck_assert_int_eq(ddi_intr_set_cap(h[0], DDI_INTR_FLAG_EDGE), DDI_SUCCESS);
	ck_assert_int_eq(ddi_intr_set_cap(h[0], DDI_INTR_FLAG_LEVEL), DDI_ENOTSUP);
	ck_assert_int_eq(ddi_intr_dup_handler(h[0], 9, &dup), DDI_SUCCESS);
	ck_assert_int_eq(ddi_intr_dup_handler(h[0], 9, &dup), DDI_EAGAIN);
	ck_assert_int_eq(ddi_intr_enable(h[0]), DDI_SUCCESS);
	ck_assert_int_eq(ddi_intr_enable(h[0]), DDI_EINVAL);
	ck_assert_int_eq(ddi_intr_remove_handler(h[0]), DDI_FAILURE);
	ck_assert_int_eq(ddi_intr_block_enable(&(ddi_intr_handle_t[]){ h[1], h[0] }[0], 2),
	    DDI_FAILURE);
	ck_assert_int_eq(ddi_intr_disable(h[1]), DDI_EINVAL);
	ck_assert_int_eq(ddi_intr_disable(h[0]), DDI_SUCCESS);
	ck_assert_int_eq(ddi_intr_remove_handler(dup), DDI_SUCCESS);
	ck_assert_int_eq(ddi_intr_free(dup), DDI_SUCCESS);
	cleanup(dip, 2);
	sched_services_stop();
}
END_TEST

/* a bus with one INTx line and two MSI */
static int opened, closed, rearmed, enables;

static int
bus_types(void *arg)
{
	(void)arg;
	return DDI_INTR_TYPE_FIXED | DDI_INTR_TYPE_MSI;
}

static int
bus_count(void *arg, int type)
{
	(void)arg;
	return type == DDI_INTR_TYPE_FIXED ? 1 : 2;
}

static int
bus_open(void *arg, int type, unsigned int inum, int *ret_fd)
{
	(void)arg;
	if (type == DDI_INTR_TYPE_MSI && inum == 1)
		return -EIO;
	opened++;
	*ret_fd = eventfd(0, EFD_NONBLOCK);
	return 0;
}

static void
bus_close(void *arg, int type, unsigned int inum)
{
	(void)arg;
	(void)type;
	(void)inum;
	closed++;
}

static int
bus_enable(void *arg, int type, unsigned int inum, bool is_on)
{
	(void)arg;
	(void)inum;
	if (type == DDI_INTR_TYPE_MSI)
		return -EIO;
	enables += is_on ? 1 : -1;
	return 0;
}

static void
bus_rearm(void *arg, unsigned int inum, bool was_claimed)
{
	(void)arg;
	(void)inum;
	ck_assert(was_claimed);
	rearmed++;
}

static const struct devi_intr_ops bus_intr = {
	bus_types, bus_count, bus_open, bus_close, bus_enable, bus_rearm,
};

static void
on_bus(void *arg)
{
	ddi_intr_handle_t line, msi[2];
	dev_info_t *bus, *dip;
	int n, cap;

	(void)arg;
	opened = closed = rearmed = enables = 0;
	memset(hits, 0, sizeof(hits));
	mutex_init(&lock, NULL, MUTEX_DRIVER, NULL);
	cv_init(&cv, NULL, CV_DRIVER, NULL);
	ck_assert_int_eq(devi_alloc(devi_root(), "bus", &bus), 0);
	ck_assert_int_eq(devi_alloc(bus, "dev", &dip), 0);
	devi_set_intr(bus, &bus_intr, NULL);
	ck_assert_int_eq(ddi_intr_alloc(dip, &line, DDI_INTR_TYPE_FIXED, 0, 1, &n, 0),
	    DDI_SUCCESS);
	ck_assert_int_eq(ddi_intr_get_cap(line, &cap), DDI_SUCCESS);
	ck_assert(cap & DDI_INTR_FLAG_LEVEL);
	ck_assert_int_eq(ddi_intr_alloc(dip, msi, DDI_INTR_TYPE_MSI, 0, 2, &n,
	    DDI_INTR_ALLOC_STRICT), DDI_EAGAIN);
	ck_assert_int_eq(closed, 1);
	ck_assert_int_eq(ddi_intr_alloc(dip, msi, DDI_INTR_TYPE_MSI, 0, 2, &n, 0), DDI_SUCCESS);
	ck_assert_int_eq(n, 1);
	ck_assert_int_eq(ddi_intr_get_cap(msi[0], &cap), DDI_SUCCESS);
	ck_assert(cap & DDI_INTR_FLAG_BLOCK);
	ck_assert_int_eq(ddi_intr_dup_handler(msi[0], 1, &msi[1]), DDI_EINVAL);
	ck_assert_int_eq(ddi_intr_add_handler(msi[0], on_intr, NULL, hits), DDI_SUCCESS);
	ck_assert_int_eq(ddi_intr_enable(msi[0]), DDI_FAILURE);
	ck_assert_int_eq(ddi_intr_remove_handler(msi[0]), DDI_SUCCESS);
	ck_assert_int_eq(ddi_intr_add_handler(line, on_intr, NULL, hits), DDI_SUCCESS);
	ck_assert_int_eq(ddi_intr_enable(line), DDI_SUCCESS);
	ck_assert_int_eq(enables, 1);
	scsad_intr_trigger(line);
	hits_wait(0, 1);
	ck_assert_int_eq(ddi_intr_disable(line), DDI_SUCCESS);
	ck_assert_int_eq(rearmed, 1);
	ck_assert_int_eq(enables, 0);
	ck_assert_int_eq(ddi_intr_remove_handler(line), DDI_SUCCESS);
	ck_assert_int_eq(ddi_intr_free(line), DDI_SUCCESS);
	ck_assert_int_eq(ddi_intr_free(msi[0]), DDI_SUCCESS);
	ck_assert_int_eq(opened, closed);
	ck_assert_int_eq(devi_free(dip), 0);
	ck_assert_int_eq(devi_free(bus), 0);
}

START_TEST(bus_gives_the_vectors)
{
	on_bus(NULL);
	sched_services_stop();
}
END_TEST

static int armed_hint, disarmed;

static int
own_arm(struct intr_dispatcher *d, struct intr_vector *v, int fd, unsigned int hint)
{
	(void)d;
	ck_assert_int_ge(fd, 0);
	armed_hint = (int)hint;
	*intr_vector_slot(v) = v;
	return 0;
}

static void
own_disarm(struct intr_dispatcher *d, struct intr_vector *v)
{
	(void)d;
	ck_assert_ptr_eq(*intr_vector_slot(v), v);
	disarmed++;
}

START_TEST(process_may_bring_its_own_dispatcher)
{
	struct intr_dispatcher own = { own_arm, own_disarm };
	dev_info_t *dip = setup(2);
	struct intr_vector *v;

	intr_set_dispatcher(&own);
	ck_assert_int_eq(ddi_intr_enable(h[1]), DDI_SUCCESS);
	ck_assert_int_eq(armed_hint, 1);
	v = (struct intr_vector *)h[1];
	intr_fire(v);				/* nothing there */
	ck_assert_int_eq(hits[1], 0);
	scsad_intr_trigger(h[1]);
	intr_fire(v);
	ck_assert_int_eq(hits[1], 1);
	ck_assert_int_eq(ddi_intr_disable(h[1]), DDI_SUCCESS);
	ck_assert_int_eq(disarmed, 1);
	intr_set_dispatcher(NULL);
	cleanup(dip, 2);
}
END_TEST

START_TEST(every_shortage_is_survived)
{
	dev_info_t *dip;
	bool was_hit = true;
	int n;

	ck_assert_int_eq(devi_alloc(devi_root(), "dev", &dip), 0);
	for (int64_t at = 1; was_hit; at++) {
		fault_arm(at);
		if (ddi_intr_alloc(dip, h, DDI_INTR_TYPE_MSIX, 0, 2, &n,
		    DDI_INTR_ALLOC_STRICT) == DDI_SUCCESS) {
			ck_assert_int_eq(ddi_intr_add_handler(h[0], on_intr, NULL, NULL),
			    DDI_SUCCESS);
			if (ddi_intr_enable(h[0]) == DDI_SUCCESS)
				ck_assert_int_eq(ddi_intr_disable(h[0]), DDI_SUCCESS);
			ck_assert_int_eq(ddi_intr_remove_handler(h[0]), DDI_SUCCESS);
			ck_assert_int_eq(ddi_intr_free(h[0]), DDI_SUCCESS);
			ck_assert_int_eq(ddi_intr_free(h[1]), DDI_SUCCESS);
		}
		was_hit = fault_disarm();
		sched_services_stop();
	}
	ck_assert_int_eq(ddi_intr_get_navail(dip, DDI_INTR_TYPE_MSIX, &n), DDI_SUCCESS);
	ck_assert_int_eq(n, 64);
	ck_assert_int_eq(devi_free(dip), 0);
}
END_TEST

CHECK_MAIN("interrupts", native_and_simulated, disable_waits_for_the_handler, masked_is_pending,
    states_and_counts, bus_gives_the_vectors, process_may_bring_its_own_dispatcher,
    every_shortage_is_survived)
