/* interrupts of a node: vectors are opened and enabled one by one, the bus takes them at
 * once */
#include <errno.h>
#include <sys/eventfd.h>
#include <sys/sunddi.h>

#include "base/fault.h"
#include "hw/pci/nexus_impl.h"

void
nexus_intr_init(struct nexus *nexus)
{
	(void)pthread_mutex_init(&nexus->lock, NULL);
	for (unsigned int i = 0; i < PCI_VECTORS_MAX; i++)
		nexus->fd[i] = -1;
}

static unsigned int
vectors_of(const struct nexus *nexus, int type)
{
	unsigned int n = nexus->fn->bus->intr_count(nexus->fn, type);

	return n < PCI_VECTORS_MAX ? n : PCI_VECTORS_MAX;
}

static int
intr_types(void *arg)
{
	static const int all[] = { DDI_INTR_TYPE_FIXED, DDI_INTR_TYPE_MSI, DDI_INTR_TYPE_MSIX };
	int types = 0;

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		if (vectors_of(arg, all[i]) > 0)
			types |= all[i];
	return types;
}

static int
intr_count(void *arg, int type)
{
	return (int)vectors_of(arg, type);
}

static int
intr_open(void *arg, int type UNUSED, unsigned int inum, int *ret_fd)
{
	struct nexus *nexus = arg;
	int fd, r = 0;

	if (inum >= PCI_VECTORS_MAX)
		return -EINVAL;
	fd = fault_hit() ? -1 : eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (fd < 0)
		return -ENOMEM;
	(void)pthread_mutex_lock(&nexus->lock);
	if (nexus->fd[inum] >= 0)
		r = -EBUSY;	/* a vector of another type has it */
	else
		nexus->fd[inum] = fd;
	(void)pthread_mutex_unlock(&nexus->lock);
	if (r < 0)
		close_fd(&fd);
	else
		*ret_fd = fd;
	return r;
}

static void
intr_close(void *arg, int type UNUSED, unsigned int inum)
{
	struct nexus *nexus = arg;

	(void)pthread_mutex_lock(&nexus->lock);
	nexus->fd[inum] = -1;	/* the framework closes it */
	(void)pthread_mutex_unlock(&nexus->lock);
}

static unsigned int
vectors_open(const struct nexus *nexus)
{
	unsigned int n = PCI_VECTORS_MAX;

	while (n > 0 && nexus->fd[n - 1] < 0)
		n--;
	return n;
}

/*
 * All that are open are switched on together: a set of MSI-X vectors cannot grow while it is
 * on. One that is not enabled yet is an eventfd nobody watches.
 */
static int
vectors_on(struct nexus *nexus, int type, unsigned int inum)
{
	int r = 0;

	if (nexus->type_on != 0 && nexus->type_on != type)
		return -EBUSY;
	if (nexus->type_on == 0 || inum >= nexus->vectors_on) {
		if (nexus->type_on != 0)
			nexus->fn->bus->intr_off(nexus->fn, type);
		nexus->vectors_on = vectors_open(nexus);
		r = fault_hit() ? -EIO :
		    nexus->fn->bus->intr_on(nexus->fn, type, nexus->fd, nexus->vectors_on);
		nexus->type_on = r < 0 ? 0 : type;
	}
	if (r == 0)
		nexus->enabled++;
	return r;
}

static void
vectors_off(struct nexus *nexus)
{
	if (--nexus->enabled > 0)
		return;
	nexus->fn->bus->intr_off(nexus->fn, nexus->type_on);
	nexus->type_on = 0;
	nexus->vectors_on = 0;
}

static int
intr_enable(void *arg, int type, unsigned int inum, bool is_on)
{
	struct nexus *nexus = arg;
	int r = 0;

	(void)pthread_mutex_lock(&nexus->lock);
	if (is_on)
		r = vectors_on(nexus, type, inum);
	else
		vectors_off(nexus);
	(void)pthread_mutex_unlock(&nexus->lock);
	return r;
}

static void
intr_rearm(void *arg, unsigned int inum UNUSED, bool was_claimed)
{
	struct nexus *nexus = arg;
	unsigned int n = 0;

	if (was_claimed)
		atomic_store_explicit(&nexus->unclaimed, 0, memory_order_relaxed);
	else
		n = atomic_fetch_add(&nexus->unclaimed, 1) + 1;
	if (n < NEXUS_STORM) {
		nexus->fn->bus->intr_unmask(nexus->fn);
		return;
	}
	if (n > NEXUS_STORM)
		return;
	nexus_fail(nexus);
	if (nexus->alarm != NULL)
		nexus->alarm(nexus->alarm_arg);
}

void
nexus_intr_signal(struct nexus *nexus, unsigned int inum)
{
	const uint64_t one = 1;

	(void)pthread_mutex_lock(&nexus->lock);
	/* one that is full is readable already */
	if (inum < nexus->vectors_on && nexus->fd[inum] >= 0 &&
	    write(nexus->fd[inum], &one, sizeof(one)) < 0)
		nexus->unclaimed = 0;
	(void)pthread_mutex_unlock(&nexus->lock);
}

const struct devi_intr_ops nexus_intr_ops = {
	.types = intr_types,
	.count = intr_count,
	.open = intr_open,
	.close = intr_close,
	.enable = intr_enable,
	.rearm = intr_rearm,
};
