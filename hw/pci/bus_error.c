#include "hw/pci/bus_error.h"

#include <signal.h>
#include <string.h>
#include <sys/mman.h>

struct area {
	_Atomic(char *) va;		/* NULL: free. Set last, cleared first */
	size_t bytes;
	struct pci_fn *fn;
};

static struct area areas[BUS_AREAS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct sigaction before;
static bool is_installed;
static size_t page;

/* the area that @at is in; NULL */
static struct area *
area_of(const char *at)
{
	for (unsigned int i = 0; i < BUS_AREAS; i++) {
		const char *va = atomic_load(&areas[i].va);

		if (va != NULL && at >= va && at < va + areas[i].bytes)
			return &areas[i];
	}
	return NULL;
}

/* ones where registers were; false: it cannot be */
static bool
ones_put(char *at)
{
	char *start = at - (uintptr_t)at % page;

	if (mmap(start, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
	    -1, 0) == MAP_FAILED)
		return false;
	memset(start, 0xff, page);
	return true;
}

static void
bus_error(int sig, siginfo_t *info, void *context)
{
	struct area *area = area_of(info->si_addr);

	if (area != NULL && ones_put(info->si_addr)) {
		pci_fn_fail(area->fn);
		return;
	}
	if ((before.sa_flags & SA_SIGINFO) != 0) {
		before.sa_sigaction(sig, info, context);
		return;
	}
	/* by default it ends the process, when the access is made again */
	(void)sigaction(SIGBUS, &before, NULL);
}

static void
install(void)
{
	struct sigaction sa = { .sa_sigaction = bus_error, .sa_flags = SA_SIGINFO };

	if (is_installed)
		return;
	page = (size_t)sysconf(_SC_PAGESIZE);
	(void)sigemptyset(&sa.sa_mask);
	is_installed = sigaction(SIGBUS, &sa, &before) == 0;
}

void
bus_error_add(struct pci_fn *fn, void *va, size_t bytes)
{
	(void)pthread_mutex_lock(&lock);
	install();
	for (unsigned int i = 0; i < BUS_AREAS; i++) {
		if (atomic_load(&areas[i].va) != NULL)
			continue;
		areas[i].bytes = bytes;
		areas[i].fn = fn;
		atomic_store(&areas[i].va, va);
		break;
	}
	(void)pthread_mutex_unlock(&lock);
}

void
bus_error_remove(void *va)
{
	(void)pthread_mutex_lock(&lock);
	for (unsigned int i = 0; i < BUS_AREAS; i++)
		if (atomic_load(&areas[i].va) == va)
			atomic_store(&areas[i].va, NULL);
	(void)pthread_mutex_unlock(&lock);
}
