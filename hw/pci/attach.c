#include "hw/pci/attach.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/queue.h>
#include <sys/sunddi.h>

#include "base/fault.h"
#include "base/text.h"
#include "host/addr.h"
#include "hw/pci/open.h"

struct pci_attach {
	LIST_ENTRY(pci_attach) link;
	struct nexus *nexus;
	enum pci_via via;
	pci_attach_fn event;
	void *arg;
	pthread_t thread;
	bool has_thread;
	int wake_fd;			/* an alarm, or the end */
	_Atomic bool is_ending, is_alarmed;
};

struct memory {
	LIST_ENTRY(memory) link;
	char *va;
	size_t bytes;
	bool is_leaving;
};

/* all functions, and all memory they can reach */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static LIST_HEAD(, pci_attach) attached = LIST_HEAD_INITIALIZER(attached);
static LIST_HEAD(, memory) memories = LIST_HEAD_INITIALIZER(memories);

/* what happens */

static void
event_tell(struct pci_attach *a, enum pci_event event, const char *what)
{
	char detail[PCI_DETAIL_LEN];

	(void)snprintf(detail, sizeof(detail), "%s: %s", nexus_fn(a->nexus)->name, what);
	if (event == PCI_EV_ERROR)
		nexus_fail(a->nexus);
	if (a->event != NULL)
		a->event(event, detail, a->arg);
}

static void *
watch_main(void *arg)
{
	struct pci_attach *a = arg;
	struct pci_fn *fn = nexus_fn(a->nexus);
	struct pollfd p[PCI_EV_N + 1];
	uint64_t count;

	for (unsigned int i = 0; i <= PCI_EV_N; i++)	/* poll(2) skips negative ones */
		p[i] = (struct pollfd){ .fd = i == PCI_EV_N ? a->wake_fd :
		    fn->bus->event_fd(fn, (enum pci_event)i), .events = POLLIN };
	while (!a->is_ending) {
		if (poll(p, ARRAY_LEN(p), -1) < 0)
			continue;
		for (unsigned int i = 0; i <= PCI_EV_N; i++)
			if ((p[i].revents & POLLIN) == 0 ||
			    read(p[i].fd, &count, sizeof(count)) != sizeof(count))
				p[i].revents = 0;
		if (p[PCI_EV_REQUEST].revents != 0)
			event_tell(a, PCI_EV_REQUEST, "the system wants it back");
		if (p[PCI_EV_ERROR].revents != 0)
			event_tell(a, PCI_EV_ERROR, "it reported a fatal error");
		if (atomic_exchange(&a->is_alarmed, false))
			event_tell(a, PCI_EV_ERROR, "its interrupt line stays raised, and nobody "
			    "claims it");
	}
	return NULL;
}

static void
wake(struct pci_attach *a)
{
	const uint64_t one = 1;

	if (write(a->wake_fd, &one, sizeof(one)) < 0)
		return;		/* full: it is readable */
}

static void
alarm_raised(void *arg)
{
	struct pci_attach *a = arg;

	a->is_alarmed = true;
	wake(a);
}

static int
watch_begin(struct pci_attach *a)
{
	nexus_set_alarm(a->nexus, alarm_raised, a);
	a->is_ending = false;
	a->wake_fd = fault_hit() ? -1 : eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (a->wake_fd < 0 || pthread_create(&a->thread, NULL, watch_main, a) != 0)
		return -ENOMEM;
	a->has_thread = true;
	return 0;
}

static void
watch_end(struct pci_attach *a)
{
	if (a->has_thread) {
		a->is_ending = true;
		wake(a);
		(void)pthread_join(a->thread, NULL);
		a->has_thread = false;
	}
	close_fd(&a->wake_fd);
}

/* up and down */

static int
fn_open(const struct pci_attach_conf *conf, struct pci_fn **ret_fn, char *reterr)
{
	static int (*const by_via[PCI_VIA_N])(const struct pci_open_conf *, struct pci_fn **,
	    char *) = { [PCI_VIA_VFIO] = vfio_open, [PCI_VIA_UIO] = uio_open };
	char address[HOST_ADDR_LEN];
	const struct pci_open_conf open_conf = {
		.root = conf->root == NULL ? "" : conf->root,
		.address = address,
		.allow_unsafe_dma = conf->allow_unsafe_dma,
		.is_identity = conf->is_identity,
	};

	if (host_addr_parse(conf->address, address) < 0) {
		(void)snprintf(reterr, PCI_DETAIL_LEN, "'%.40s' is no PCI address",
		    conf->address);
		return -EINVAL;
	}
	return by_via[conf->via](&open_conf, ret_fn, reterr);
}

static void
memories_give(struct pci_attach *a)
{
	const struct memory *m;

	/* what it cannot have is copied */
	LIST_FOREACH(m, &memories, link)
		if (!m->is_leaving && pci_dma_add(nexus_dma(a->nexus), m->va, m->bytes) < 0)
			continue;
}

static int
attach_begin(struct pci_attach *a, const struct pci_attach_conf *conf, char *reterr)
{
	struct pci_fn *fn;
	int r;

	r = fn_open(conf, &fn, reterr);
	if (r < 0)
		return r;
	r = nexus_new(fn, conf->driver, conf->pool_bytes, &a->nexus, reterr);
	if (r < 0)
		return r;
	r = watch_begin(a);
	if (r < 0)
		(void)snprintf(reterr, PCI_DETAIL_LEN, "%s: out of memory", conf->address);
	return r;
}

int
pci_attach_open(const struct pci_attach_conf *conf, struct pci_attach **ret_attach, char *reterr)
{
	struct pci_attach *a = fault_hit() ? NULL : calloc(1, sizeof(*a));
	int r;

	if (a == NULL) {
		(void)text_copy(reterr, PCI_DETAIL_LEN, "out of memory");
		return -ENOMEM;
	}
	a->via = conf->via;
	a->event = conf->event;
	a->arg = conf->arg;
	a->wake_fd = -1;
	r = attach_begin(a, conf, reterr);
	if (r < 0) {
		watch_end(a);
		(void)nexus_free(a->nexus);
		free(a);
		return r;
	}
	(void)pthread_mutex_lock(&lock);
	memories_give(a);
	LIST_INSERT_HEAD(&attached, a, link);
	(void)pthread_mutex_unlock(&lock);
	*ret_attach = a;
	return 0;
}

int
pci_attach_close(struct pci_attach *attach)
{
	int r;

	if (attach == NULL)
		return 0;
	if (devi_is_attached(nexus_node(attach->nexus)))
		return -EBUSY;
	watch_end(attach);
	(void)pthread_mutex_lock(&lock);
	r = nexus_free(attach->nexus);
	if (r == 0)
		LIST_REMOVE(attach, link);
	(void)pthread_mutex_unlock(&lock);
	if (r < 0)	/* held: it lives on, if it can without news */
		return watch_begin(attach) < 0 ? -ENOMEM : r;
	free(attach);
	return 0;
}

dev_info_t *
pci_attach_node(struct pci_attach *attach)
{
	return nexus_node(attach->nexus);
}

struct nexus *
pci_attach_nexus(struct pci_attach *attach)
{
	return attach->nexus;
}

void
pci_attach_describe(struct pci_attach *attach, char *buf, size_t size)
{
	struct pci_fn *fn = nexus_fn(attach->nexus);
	const unsigned int msix = fn->bus->intr_count(fn, DDI_INTR_TYPE_MSIX);
	const unsigned int msi = fn->bus->intr_count(fn, DDI_INTR_TYPE_MSI);

	(void)snprintf(buf, size, "%s %04x:%04x, %s, %s %u", fn->name, fn->vendor, fn->device,
	    fn->bus->name, msix > 0 ? "MSI-X" : msi > 0 ? "MSI" : "INTx",
	    msix > 0 ? msix : msi > 0 ? msi : fn->bus->intr_count(fn, DDI_INTR_TYPE_FIXED));
}

/* memory for all */

static struct memory *
memory_find(const char *va, size_t bytes)
{
	struct memory *m;

	LIST_FOREACH(m, &memories, link)
		if (va < m->va + m->bytes && m->va < va + bytes)
			return m;
	return NULL;
}

int
pci_memory_add(void *va, size_t bytes)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	struct pci_attach *a;
	struct memory *m;
	int r = 0;

	if (bytes < page || ((uintptr_t)va & (page - 1)) != 0)
		return -EINVAL;
	m = fault_hit() ? NULL : calloc(1, sizeof(*m));
	if (m == NULL)
		return -ENOMEM;
	m->va = va;
	m->bytes = bytes;
	(void)pthread_mutex_lock(&lock);
	if (memory_find(va, bytes) != NULL) {
		r = -EEXIST;
		free(m);
	} else {
		LIST_INSERT_HEAD(&memories, m, link);
		LIST_FOREACH(a, &attached, link)
			if (pci_dma_add(nexus_dma(a->nexus), va, bytes) < 0)
				continue;	/* it copies */
	}
	(void)pthread_mutex_unlock(&lock);
	return r;
}

int
pci_memory_remove(void *va)
{
	struct pci_attach *a;
	struct memory *m;
	int r = 0;

	(void)pthread_mutex_lock(&lock);
	m = memory_find(va, 1);
	if (m == NULL || m->va != va) {
		(void)pthread_mutex_unlock(&lock);
		return -ENOENT;
	}
	m->is_leaving = true;
	LIST_FOREACH(a, &attached, link)
		if (pci_dma_remove(nexus_dma(a->nexus), va) == -EBUSY)
			r = -EBUSY;
	if (r == 0) {
		LIST_REMOVE(m, link);
		free(m);
	}
	(void)pthread_mutex_unlock(&lock);
	return r;
}
