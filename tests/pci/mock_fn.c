#include "tests/pci/mock_fn.h"

#include <errno.h>
#include <string.h>
#include <sys/pci.h>
#include <sys/sunddi.h>

#include "base/bytes.h"
#include "base/num.h"

/* also where Check is not, in a fuzz target */
static void
must(bool is_so)
{
	if (!is_so)
		abort();
}

static struct mock_fn *
mock_of(struct pci_fn *fn)
{
	return container_of(fn, struct mock_fn, fn);
}

static uint64_t
bytes_get(const uint8_t *p, unsigned int width)
{
	uint64_t v = 0;

	for (unsigned int i = 0; i < width; i++)
		v |= (uint64_t)p[i] << (8 * i);
	return v;
}

static void
bytes_put(uint8_t *p, unsigned int width, uint64_t value)
{
	for (unsigned int i = 0; i < width; i++)
		p[i] = (uint8_t)(value >> (8 * i));
}

static uint64_t
mock_config_get(struct pci_fn *fn, unsigned int off, unsigned int width)
{
	return bytes_get(mock_of(fn)->config + off, width);
}

static void
mock_config_put(struct pci_fn *fn, unsigned int off, unsigned int width, uint64_t value)
{
	bytes_put(mock_of(fn)->config + off, width, value);
}

static uint64_t
mock_bar_get(struct pci_fn *fn, unsigned int bar, uint64_t off, unsigned int width)
{
	struct mock_fn *m = mock_of(fn);

	m->gets++;
	return bytes_get(m->bar[bar] + off, width);
}

static void
mock_bar_put(struct pci_fn *fn, unsigned int bar, uint64_t off, unsigned int width,
    uint64_t value)
{
	struct mock_fn *m = mock_of(fn);

	m->puts++;
	bytes_put(m->bar[bar] + off, width, value);
}

/* spans that are neighbours neither in memory nor on the bus */
static int
mock_memory_get(struct pci_fn *fn, size_t bytes, struct pci_span *ret_spans, unsigned int *count)
{
	struct mock_fn *m = mock_of(fn);
	const size_t each = num_round_up(bytes / m->want_spans, 4096);

	if (m->memory_error != 0)
		return pci_fn_refuse(fn, m->memory_error, "no memory today");
	for (unsigned int i = 0; i < m->want_spans; i++) {
		m->span[i].va = aligned_alloc(4096, each);
		m->span[i].iova = MOCK_IOVA + i * 0x10000000ull;
		m->span[i].bytes = each;
		memset(m->span[i].va, 0, each);
		ret_spans[i] = m->span[i];
	}
	m->n_spans = *count = m->want_spans;
	return 0;
}

static void
mock_memory_put(struct pci_fn *fn, const struct pci_span *spans, unsigned int count)
{
	struct mock_fn *m = mock_of(fn);

	must(count == m->n_spans);
	for (unsigned int i = 0; i < count; i++)
		free(spans[i].va);
	m->n_spans = 0;
}

static int
mock_map(struct pci_fn *fn, void *va, size_t bytes, uint64_t *ret_iova)
{
	struct mock_fn *m = mock_of(fn);

	if (m->map_error != 0)
		return m->map_error;
	must(m->n_maps < MOCK_MAPS);
	m->next_iova += 0x01000000;
	m->map[m->n_maps++] = (struct mock_map){ va, bytes, m->next_iova };
	*ret_iova = m->next_iova;
	return 0;
}

static void
mock_unmap(struct pci_fn *fn, void *va, size_t bytes, uint64_t iova)
{
	struct mock_fn *m = mock_of(fn);
	unsigned int i = 0;

	while (i < m->n_maps && m->map[i].va != va)
		i++;
	must(i < m->n_maps);
	must(m->map[i].bytes == bytes);
	must(m->map[i].iova == iova);
	m->map[i] = m->map[--m->n_maps];
}

static unsigned int
mock_intr_count(struct pci_fn *fn, int type)
{
	const struct mock_fn *m = mock_of(fn);

	return type == DDI_INTR_TYPE_FIXED ? m->vectors_fixed :
	    type == DDI_INTR_TYPE_MSI ? m->vectors_msi : m->vectors_msix;
}

static int
mock_intr_on(struct pci_fn *fn, int type, const int *fds, unsigned int count)
{
	struct mock_fn *m = mock_of(fn);

	if (m->intr_error != 0)
		return m->intr_error;
	m->type_on = type;
	m->n_fds = count;
	m->on_calls++;
	memcpy(m->fds, fds, count * sizeof(*fds));
	return 0;
}

static void
mock_intr_off(struct pci_fn *fn, int type)
{
	struct mock_fn *m = mock_of(fn);

	must(type == m->type_on);
	m->type_on = 0;
	m->n_fds = 0;
	m->off_calls++;
}

static void
mock_intr_unmask(struct pci_fn *fn)
{
	(void)__atomic_fetch_add(&mock_of(fn)->unmasks, 1, __ATOMIC_SEQ_CST);
}

static int
mock_reset(struct pci_fn *fn UNUSED)
{
	return -ENOTSUP;
}

static int
mock_event_fd(struct pci_fn *fn UNUSED, enum pci_event event UNUSED)
{
	return -ENOTSUP;
}

static void
mock_close(struct pci_fn *fn)
{
	struct mock_fn *m = mock_of(fn);

	must(m->n_spans == 0);
	must(m->n_maps == 0);
	must(m->config[PCI_CONF_COMM] == 0xff || (m->config[PCI_CONF_COMM] & PCI_COMM_ME) == 0);
	if (m->ret_closed != NULL)
		*m->ret_closed = true;
	free(m);
}

static const struct pci_bus mock_bus = {
	.name = "mock",
	.has_iommu = true,
	.config_get = mock_config_get,
	.config_put = mock_config_put,
	.bar_get = mock_bar_get,
	.bar_put = mock_bar_put,
	.memory_get = mock_memory_get,
	.memory_put = mock_memory_put,
	.map = mock_map,
	.unmap = mock_unmap,
	.intr_count = mock_intr_count,
	.intr_on = mock_intr_on,
	.intr_off = mock_intr_off,
	.intr_unmask = mock_intr_unmask,
	.reset = mock_reset,
	.event_fd = mock_event_fd,
	.close = mock_close,
};

const struct pci_bus *
mock_fn_bus(void)
{
	return &mock_bus;
}

static void
config_fill(struct mock_fn *m)
{
	uint8_t *c = m->config;

	le16_put(c + PCI_CONF_VENID, 0x1af4);
	le16_put(c + PCI_CONF_DEVID, 0x1048);
	le16_put(c + PCI_CONF_COMM, PCI_COMM_ME);
	le16_put(c + PCI_CONF_STAT, 0x10);
	c[PCI_CONF_REVID] = 1;
	c[PCI_CONF_BASCLASS] = 0x01;
	le16_put(c + PCI_CONF_SUBVENID, 0x1af4);
	le16_put(c + PCI_CONF_SUBSYSID, 0x1100);
	c[PCI_CONF_CAP_PTR] = 0x40;
	c[0x40] = PCI_CAP_MSI;
	c[0x41] = 0x50;
	c[0x50] = PCI_CAP_MSIX;
}

struct mock_fn *
mock_fn_new(void)
{
	struct mock_fn *m = calloc(1, sizeof(*m));

	must(m != NULL);
	config_fill(m);
	m->fn.bus = &mock_bus;
	memcpy(m->fn.name, "0000:00:10.0", sizeof("0000:00:10.0"));
	m->fn.config_bytes = PCI_CONFIG_BYTES;
	m->fn.bar[0] = (struct pci_bar){ .bytes = 256, .is_io = true };
	m->fn.bar[1] = (struct pci_bar){ .bytes = MOCK_BAR_BYTES };
	m->fn.bar[4] = (struct pci_bar){ .bytes = 1024, .is_64 = true, .is_prefetchable = true };
	m->want_spans = 1;
	m->vectors_fixed = m->vectors_msi = 1;
	m->vectors_msix = 5;
	m->next_iova = 0x80000000ull;
	must(pci_fn_init(&m->fn) == 0);
	return m;
}
