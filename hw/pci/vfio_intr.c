/* interrupts and events of a VFIO device */
#include <errno.h>
#include <linux/vfio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/sunddi.h>

#include "base/fault.h"
#include "hw/pci/vfio_impl.h"

static const struct { int type; unsigned int index; } kinds[] = {
	{ DDI_INTR_TYPE_FIXED, VFIO_PCI_INTX_IRQ_INDEX },
	{ DDI_INTR_TYPE_MSI, VFIO_PCI_MSI_IRQ_INDEX },
	{ DDI_INTR_TYPE_MSIX, VFIO_PCI_MSIX_IRQ_INDEX },
};

static const unsigned int event_index[PCI_EV_N] = {
	[PCI_EV_REQUEST] = VFIO_PCI_REQ_IRQ_INDEX,
	[PCI_EV_ERROR] = VFIO_PCI_ERR_IRQ_INDEX,
};

static unsigned int
kind_of(int type)
{
	unsigned int k = 0;

	while (kinds[k].type != type)
		k++;
	return k;
}

static unsigned int
irq_count(const struct vfio_fn *v, unsigned int index)
{
	struct vfio_irq_info info = { .argsz = sizeof(info), .index = index };

	if (ioctl(v->fd, VFIO_DEVICE_GET_IRQ_INFO, &info) < 0 ||
	    (info.flags & VFIO_IRQ_INFO_EVENTFD) == 0)
		return 0;
	return info.count;
}

/* SET_IRQS; @fds NULL: no eventfds, @flags say what then */
static int
irqs_set(const struct vfio_fn *v, unsigned int index, uint32_t flags, const int *fds,
    unsigned int count)
{
	union {
		struct vfio_irq_set set;
		char bytes[sizeof(struct vfio_irq_set) + PCI_VECTORS_MAX * sizeof(int)];
	} u = { .set = { .argsz = sizeof(struct vfio_irq_set), .flags = flags, .index = index,
	    .count = count } };

	if (fds != NULL) {
		u.set.argsz += (uint32_t)(count * sizeof(*fds));
		memcpy(u.bytes + sizeof(struct vfio_irq_set), fds, count * sizeof(*fds));
	}
	return ioctl(v->fd, VFIO_DEVICE_SET_IRQS, &u.set) < 0 ? -errno : 0;
}

static void
irqs_off(const struct vfio_fn *v, unsigned int index)
{
	(void)irqs_set(v, index, VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_TRIGGER, NULL, 0);
}

static void
event_open(struct vfio_fn *v, enum pci_event event)
{
	int fd;

	v->event_fd[event] = -1;
	if (irq_count(v, event_index[event]) == 0)
		return;
	fd = fault_hit() ? -1 : eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (fd < 0)
		return;
	if (irqs_set(v, event_index[event], VFIO_IRQ_SET_DATA_EVENTFD |
	    VFIO_IRQ_SET_ACTION_TRIGGER, &fd, 1) < 0)
		close_fd(&fd);
	v->event_fd[event] = fd;
}

void
vfio_intr_open(struct vfio_fn *v)
{
	for (unsigned int k = 0; k < ARRAY_LEN(kinds); k++)
		v->vectors[k] = irq_count(v, kinds[k].index);
	for (unsigned int event = 0; event < PCI_EV_N; event++)
		event_open(v, event);
}

void
vfio_intr_close(struct vfio_fn *v)
{
	for (unsigned int event = 0; event < PCI_EV_N; event++) {
		if (v->event_fd[event] >= 0)
			irqs_off(v, event_index[event]);
		close_fd(&v->event_fd[event]);
	}
}

unsigned int
vfio_intr_count(struct pci_fn *fn, int type)
{
	return vfio_of(fn)->vectors[kind_of(type)];
}

int
vfio_intr_on(struct pci_fn *fn, int type, const int *fds, unsigned int count)
{
	return irqs_set(vfio_of(fn), kinds[kind_of(type)].index, VFIO_IRQ_SET_DATA_EVENTFD |
	    VFIO_IRQ_SET_ACTION_TRIGGER, fds, count);
}

void
vfio_intr_off(struct pci_fn *fn, int type)
{
	irqs_off(vfio_of(fn), kinds[kind_of(type)].index);
}

void
vfio_intr_unmask(struct pci_fn *fn)
{
	(void)irqs_set(vfio_of(fn), VFIO_PCI_INTX_IRQ_INDEX, VFIO_IRQ_SET_DATA_NONE |
	    VFIO_IRQ_SET_ACTION_UNMASK, NULL, 1);
}

int
vfio_event_fd(struct pci_fn *fn, enum pci_event event)
{
	int fd = vfio_of(fn)->event_fd[event];

	return fd < 0 ? -ENOTSUP : fd;
}
