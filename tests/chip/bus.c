/* the qtest bus: an adapter of a QEMU without a guest, as a struct pci_bus; and its lies */
#include <errno.h>
#include <stdio.h>
#include <sys/pci.h>
#include <sys/sunddi.h>

#include "base/num.h"
#include "tests/chip/chip_impl.h"

#define DOORBELL_SLOT	0x1eu
#define DOORBELL_BASE	0xfe000000u
#define MEMORY_BASE	0xe0000000u	/* BARs from here on, 16 MiB for each adapter */
#define MEMORY_STEP	0x01000000u
#define IO_BASE		0xc000u
#define IO_STEP		0x400u
#define LINE_FIRST	20u		/* where the lines of slots begin, see line_of() */
#define VECTORS		16u		/* messages of one adapter */
#define MSI_64		0x0080u
#define MSI_ENABLE	0x0001u
#define MSI_QUEUE	0x0070u
#define MSIX_ENABLE	0x8000u
#define MSIX_MASK	0x4000u

static struct qfn *
qfn_of(struct pci_fn *fn)
{
	return container_of(fn, struct qfn, fn);
}

static bool
poke_hits(struct qfn *q, bool is_write, unsigned int bar, uint64_t off, unsigned int width,
    uint64_t *ret_value)
{
	struct poke *p;
	bool does_hit = false;

	(void)pthread_mutex_lock(&q->lock);
	q->accesses++;
	for (p = q->poke; p < q->poke + POKES_MAX && !does_hit; p++) {
		if (p->left == 0 || p->is_write != is_write || p->bar != bar || p->off != off ||
		    (p->width != 0 && p->width != width))
			continue;
		if (p->left != UINT32_MAX)
			p->left--;
		q->pokes_used++;
		*ret_value = p->value & pci_ones(width);
		does_hit = true;
	}
	(void)pthread_mutex_unlock(&q->lock);
	return does_hit;
}

static void
poke_add(struct qfn *q, const struct poke *poke)
{
	struct poke *p;

	(void)pthread_mutex_lock(&q->lock);
	for (p = q->poke; p < q->poke + POKES_MAX && p->left != 0; p++)
		continue;
	if (p == q->poke + POKES_MAX)
		ck_abort_msg("more than %d lies", POKES_MAX);
	*p = *poke;
	(void)pthread_mutex_unlock(&q->lock);
}

void
chip_poke_read(struct chip *chip, unsigned int bar, uint64_t off, unsigned int width,
    uint64_t value, uint32_t times)
{
	poke_add(chip->qfn, &(struct poke){ .bar = bar, .off = off, .width = width,
	    .value = value, .left = times });
}

void
chip_poke_write(struct chip *chip, unsigned int bar, uint64_t off, uint32_t times)
{
	poke_add(chip->qfn, &(struct poke){ .is_write = true, .bar = bar, .off = off,
	    .left = times });
}

void
chip_poke_none(struct chip *chip)
{
	(void)pthread_mutex_lock(&chip->qfn->lock);
	for (unsigned int i = 0; i < POKES_MAX; i++)
		chip->qfn->poke[i].left = 0;
	(void)pthread_mutex_unlock(&chip->qfn->lock);
}

unsigned int
chip_pokes_used(struct chip *chip)
{
	unsigned int n;

	(void)pthread_mutex_lock(&chip->qfn->lock);
	n = chip->qfn->pokes_used;
	(void)pthread_mutex_unlock(&chip->qfn->lock);
	return n;
}

void
chip_on_write(struct chip *chip, chip_write_fn fn, void *arg)
{
	(void)pthread_mutex_lock(&chip->qfn->lock);
	chip->qfn->on_write = fn;
	chip->qfn->on_write_arg = arg;
	(void)pthread_mutex_unlock(&chip->qfn->lock);
}

/* may this write be made? */
static bool
write_asked(struct qfn *q, unsigned int bar, uint64_t off, unsigned int width, uint64_t value)
{
	chip_write_fn fn;
	uint64_t ignored;
	void *arg;

	if (poke_hits(q, true, bar, off, width, &ignored))
		return false;
	(void)pthread_mutex_lock(&q->lock);
	fn = q->on_write;
	arg = q->on_write_arg;
	(void)pthread_mutex_unlock(&q->lock);
	return fn == NULL || fn(arg, bar, off, width, value);
}

uint64_t
chip_accesses(struct chip *chip)
{
	uint64_t n;

	(void)pthread_mutex_lock(&chip->qfn->lock);
	n = chip->qfn->accesses;
	(void)pthread_mutex_unlock(&chip->qfn->lock);
	return n;
}

static uint64_t
raw_config_get(struct qfn *q, unsigned int off, unsigned int width)
{
	return qtest_config_get(q->qtest, q->slot, off, width);
}

static void
raw_config_put(struct qfn *q, unsigned int off, unsigned int width, uint64_t value)
{
	qtest_config_put(q->qtest, q->slot, off, width, value);
}

uint64_t
chip_register_get(struct chip *chip, unsigned int bar, uint64_t off, unsigned int width)
{
	struct qfn *q = chip->qfn;

	if (bar == CHIP_CONFIG)
		return raw_config_get(q, (unsigned int)off, width);
	return qtest_get(q->qtest, q->fn.bar[bar].is_io, q->base[bar] + off, width);
}

void
chip_register_put(struct chip *chip, unsigned int bar, uint64_t off, unsigned int width,
    uint64_t value)
{
	struct qfn *q = chip->qfn;

	if (bar == CHIP_CONFIG)
		raw_config_put(q, (unsigned int)off, width, value);
	else
		qtest_put(q->qtest, q->fn.bar[bar].is_io, q->base[bar] + off, width, value);
}

static uint64_t
bus_bar_get(struct pci_fn *fn, unsigned int bar, uint64_t off, unsigned int width)
{
	struct qfn *q = qfn_of(fn);
	uint64_t value;

	if (poke_hits(q, false, bar, off, width, &value))
		return value;
	value = qtest_get(q->qtest, fn->bar[bar].is_io, q->base[bar] + off, width);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return value;
}

static void
bus_bar_put(struct pci_fn *fn, unsigned int bar, uint64_t off, unsigned int width,
    uint64_t value)
{
	struct qfn *q = qfn_of(fn);

	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (write_asked(q, bar, off, width, value))
		qtest_put(q->qtest, fn->bar[bar].is_io, q->base[bar] + off, width, value);
}

static uint64_t
bus_config_get(struct pci_fn *fn, unsigned int off, unsigned int width)
{
	struct qfn *q = qfn_of(fn);
	uint64_t value;

	if (poke_hits(q, false, CHIP_CONFIG, off, width, &value))
		return value;
	return raw_config_get(q, off, width);
}

static void
bus_config_put(struct pci_fn *fn, unsigned int off, unsigned int width, uint64_t value)
{
	struct qfn *q = qfn_of(fn);

	if (write_asked(q, CHIP_CONFIG, off, width, value))
		raw_config_put(q, off, width, value);
}

static int
bus_memory_get(struct pci_fn *fn, size_t bytes, struct pci_span *ret_spans, unsigned int *count)
{
	struct chip *chip = qfn_of(fn)->chip;
	const uint64_t first = RAM_FIRST + chip->number * (QEMU_RAM_BYTES / (TWINS_MAX + 1));

	if (bytes > QEMU_RAM_BYTES / (TWINS_MAX + 1) - RAM_FIRST)
		return pci_fn_refuse(fn, -ENOMEM, "a pool of %zu bytes is too large", bytes);
	*count = 1;
	ret_spans[0] = (struct pci_span){ .va = chip->qemu->ram + first, .iova = first,
	    .bytes = bytes };
	return 0;
}

static void
bus_memory_put(struct pci_fn *fn UNUSED, const struct pci_span *spans UNUSED,
    unsigned int count UNUSED)
{
}

void *
chip_memory(struct chip *chip, uint64_t iova, size_t bytes)
{
	if (iova > QEMU_RAM_BYTES || bytes > QEMU_RAM_BYTES - iova)
		ck_abort_msg("no memory at 0x%llx", (unsigned long long)iova);
	return chip->qemu->ram + iova;
}

static unsigned int
bus_intr_count(struct pci_fn *fn, int type)
{
	struct qfn *q = qfn_of(fn);
	unsigned int cap;

	if ((q->intr_types & type) == 0)
		return 0;
	switch (type) {
	case DDI_INTR_TYPE_FIXED:
		return raw_config_get(q, PCI_CONF_IPIN, 1) != 0;
	case DDI_INTR_TYPE_MSI:
		return pci_config_cap(fn, PCI_CAP_MSI, 0) != 0;
	default:
		cap = pci_config_cap(fn, PCI_CAP_MSIX, 0);
		if (cap == 0)
			return 0;
		return (unsigned int)num_min((raw_config_get(q, cap + 2, 2) & 0x7ff) + 1,
		    VECTORS);
	}
}

/* the line of a slot, as the chip set routes them without firmware */
static unsigned int
line_of(struct qfn *q)
{
	return LINE_FIRST + (q->slot + (unsigned int)raw_config_get(q, PCI_CONF_IPIN, 1) - 1) % 4;
}

static void
msi_set(struct qfn *q, bool is_on)
{
	const unsigned int cap = pci_config_cap(&q->fn, PCI_CAP_MSI, 0);
	const uint64_t cleared = MSI_QUEUE | MSI_ENABLE;
	const uint64_t control = raw_config_get(q, cap + 2, 2) & ~cleared;
	const unsigned int data = (control & MSI_64) != 0 ? cap + 12 : cap + 8;

	raw_config_put(q, cap + 4, 4, QTEST_DOORBELL);
	if ((control & MSI_64) != 0)
		raw_config_put(q, cap + 8, 4, 0);
	raw_config_put(q, data, 2, q->first_message);
	raw_config_put(q, cap + 2, 2, control | (is_on ? MSI_ENABLE : 0));
}

static void
msix_entry(struct qfn *q, unsigned int i, bool is_on)
{
	const uint64_t at = q->base[q->msix_bar] + q->msix_off + 16ull * i;

	qtest_put(q->qtest, false, at, 4, QTEST_DOORBELL);
	qtest_put(q->qtest, false, at + 4, 4, 0);
	qtest_put(q->qtest, false, at + 8, 4, q->first_message + i);
	qtest_put(q->qtest, false, at + 12, 4, !is_on);
}

static void
msix_set(struct qfn *q, const int *fds, unsigned int count)
{
	const unsigned int cap = pci_config_cap(&q->fn, PCI_CAP_MSIX, 0);
	const uint64_t table = raw_config_get(q, cap + 4, 4);
	const uint64_t control = raw_config_get(q, cap + 2, 2) & ~(uint64_t)MSIX_MASK;

	q->msix_bar = table & 7;
	q->msix_off = table & ~7ull;
	for (unsigned int i = 0; i < count; i++)
		msix_entry(q, i, fds[i] >= 0);
	raw_config_put(q, cap + 2, 2, count > 0 ? control | MSIX_ENABLE :
	    control & ~(uint64_t)MSIX_ENABLE);
}

static int
bus_intr_on(struct pci_fn *fn, int type, const int *fds, unsigned int count)
{
	struct qfn *q = qfn_of(fn);

	if (type == DDI_INTR_TYPE_FIXED) {
		qtest_line_on(q->qtest, q->slot, line_of(q), fds[0]);
		return 0;
	}
	for (unsigned int i = 0; i < count; i++)
		qtest_message_on(q->qtest, q->first_message + i, fds[i]);
	if (type == DDI_INTR_TYPE_MSI)
		msi_set(q, true);
	else
		msix_set(q, fds, count);
	return 0;
}

static void
bus_intr_off(struct pci_fn *fn, int type)
{
	struct qfn *q = qfn_of(fn);

	if (type == DDI_INTR_TYPE_FIXED)
		qtest_line_on(q->qtest, q->slot, line_of(q), -1);
	else if (type == DDI_INTR_TYPE_MSI)
		msi_set(q, false);
	else
		msix_set(q, NULL, 0);
	for (unsigned int i = 0; i < VECTORS; i++)
		qtest_message_on(q->qtest, q->first_message + i, -1);
}

static void
bus_intr_unmask(struct pci_fn *fn)
{
	struct qfn *q = qfn_of(fn);

	qtest_line_unmask(q->qtest, q->slot);
}

static int
bus_reset(struct pci_fn *fn UNUSED)
{
	return -ENOTSUP;	/* no adapter on the root bus has any */
}

static int
bus_event_fd(struct pci_fn *fn UNUSED, enum pci_event event UNUSED)
{
	return -ENOTSUP;
}

static void
bus_close(struct pci_fn *fn)
{
	struct qfn *q = qfn_of(fn);

	(void)pthread_mutex_destroy(&q->lock);
	free(q);
}

static const struct pci_bus qtest_bus = {
	.name = "qtest",
	.config_get = bus_config_get,
	.config_put = bus_config_put,
	.bar_get = bus_bar_get,
	.bar_put = bus_bar_put,
	.memory_get = bus_memory_get,
	.memory_put = bus_memory_put,
	.intr_count = bus_intr_count,
	.intr_on = bus_intr_on,
	.intr_off = bus_intr_off,
	.intr_unmask = bus_intr_unmask,
	.reset = bus_reset,
	.event_fd = bus_event_fd,
	.close = bus_close,
};

/* there is no firmware: give the adapter its addresses */
static void
bars_place(struct qfn *q)
{
	uint64_t memory = MEMORY_BASE + q->chip->number * MEMORY_STEP;
	uint64_t io = IO_BASE + q->chip->number * IO_STEP;

	for (unsigned int i = 0; i < PCI_BARS; i++) {
		const unsigned int at = PCI_CONF_BASE0 + 4 * i;
		uint32_t mask, mask_hi = 0;
		uint64_t *next;

		raw_config_put(q, at, 4, UINT32_MAX);
		mask = (uint32_t)raw_config_get(q, at, 4);
		if (i + 1 < PCI_BARS) {
			raw_config_put(q, at + 4, 4, UINT32_MAX);
			mask_hi = (uint32_t)raw_config_get(q, at + 4, 4);
		}
		q->fn.bar[i] = pci_bar_decode(mask, mask_hi);
		if (q->fn.bar[i].bytes == 0)
			continue;
		next = q->fn.bar[i].is_io ? &io : &memory;
		*next = num_round_up(*next, q->fn.bar[i].bytes);
		q->base[i] = *next;
		*next += q->fn.bar[i].bytes;
		raw_config_put(q, at, 4, q->base[i]);
		if (q->fn.bar[i].is_64)
			raw_config_put(q, PCI_CONF_BASE0 + 4 * ++i, 4, 0);
	}
}

struct qfn *
chip_bus_open(struct chip *chip)
{
	struct qfn *q = calloc(1, sizeof(*q));

	ck_assert_ptr_nonnull(q);
	q->chip = chip;
	q->qtest = chip->qtest;
	q->slot = QEMU_SLOT + chip->number;
	q->first_message = VECTORS * chip->number;
	q->intr_types = chip->spec.intr_types == 0 ? ~0 : chip->spec.intr_types;
	q->fn.bus = &qtest_bus;
	q->fn.config_bytes = PCI_CONFIG_BYTES;
	(void)snprintf(q->fn.name, sizeof(q->fn.name), "0000:00:%02x.0", q->slot);
	(void)pthread_mutex_init(&q->lock, NULL);
	qtest_config_put(q->qtest, DOORBELL_SLOT, PCI_CONF_BASE0, 4, DOORBELL_BASE);
	qtest_config_put(q->qtest, DOORBELL_SLOT, PCI_CONF_COMM, 2, PCI_COMM_MAE);
	bars_place(q);
	if (pci_fn_init(&q->fn) < 0)
		ck_abort_msg("%s", q->fn.detail);
	return q;
}
