/* the harness: adapters, their units, and what happens to them from outside */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/modctl.h>
#include <sys/sunddi.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "ddi/driver.h"
#include "scsa/scsa.h"
#include "tests/chip/chip_impl.h"

#define UNIT_DRIVER	"chipunit"
#define UNIT_ALIAS	"scsiclass"
#define LOOK_AGAIN_NS	5000000l

pthread_mutex_t chip_lock = PTHREAD_MUTEX_INITIALIZER;
pthread_cond_t chip_changed = PTHREAD_COND_INITIALIZER;

void
chip_notice(void)
{
	(void)pthread_mutex_lock(&chip_lock);
	(void)pthread_cond_broadcast(&chip_changed);
	(void)pthread_mutex_unlock(&chip_lock);
}

static int
tree_changed(enum devi_event event UNUSED, dev_info_t *dip UNUSED, void *arg UNUSED)
{
	chip_notice();
	return 0;
}

/* look at @is_so until it says true; woken by what happens, and for the rest by the clock */
void
chip_await(struct chip *chip UNUSED, chip_cond is_so, void *arg, const char *what)
{
	const uint64_t end_ns = clock_now_ns() + CHIP_WAIT_MS * NS_PER_MS;
	struct timespec until;

	while (!is_so(arg)) {
		if (clock_now_ns() > end_ns)
			ck_abort_msg("waited %u ms in vain for %s", CHIP_WAIT_MS, what);
		(void)clock_gettime(CLOCK_REALTIME, &until);
		until.tv_nsec += LOOK_AGAIN_NS;
		until.tv_sec += until.tv_nsec / 1000000000l;
		until.tv_nsec %= 1000000000l;
		(void)pthread_mutex_lock(&chip_lock);
		(void)pthread_cond_timedwait(&chip_changed, &chip_lock, &until);
		(void)pthread_mutex_unlock(&chip_lock);
	}
}

uint64_t
chip_at_once_ns(void)
{
	return getenv("CHIP_STRICT") != NULL ? 100 * NS_PER_MS : UINT64_MAX;
}

/* up and down */

int
chip_attach(struct chip *chip)
{
	int r = devi_attach(chip_node(chip));

	if (r < 0)
		return r;
	chip->is_attached = true;
	r = scsa_bus_config_all(chip_node(chip));
	return r < 0 ? r : 0;
}

/* further adapters have no disks */
static bool
has_all_units(void *arg)
{
	struct chip *chip = arg;

	return chip->number > 0 || chip_units(chip) >= chip->spec.n_disks;
}

void
chip_attach_all(struct chip *chip)
{
	int r = chip_attach(chip);

	if (r < 0)
		ck_abort_msg("driver '%s' does not attach: %s", chip->spec.driver, strerror(-r));
	chip_await(chip, has_all_units, chip, "a unit for each disk");
}

int
chip_scan(struct chip *chip)
{
	return scsa_bus_config_all(chip_node(chip));
}

int
chip_detach(struct chip *chip)
{
	int r;

	if (!chip->is_attached)
		return 0;
	r = scsa_bus_unconfig_all(chip_node(chip));
	if (r == 0)
		r = devi_detach(chip_node(chip), DEVI_DETACH_CHILDREN);
	if (r == 0)
		chip->is_attached = false;
	return r;
}

static void
adapter_open(struct chip *chip)
{
	const size_t bytes = chip->spec.pool_bytes == 0 ? POOL_BYTES : chip->spec.pool_bytes;
	char detail[PCI_DETAIL_LEN];

	chip->qfn = chip_bus_open(chip);
	if (nexus_new(&chip->qfn->fn, chip->spec.driver, bytes, &chip->nexus, detail) < 0)
		ck_abort_msg("%s", detail);
	if (!chip->spec.is_detached)
		chip_attach_all(chip);
}

static void
drivers_init(const struct chip_spec *spec)
{
	ck_assert_int_eq(driver_init(UNIT_DRIVER, chip_disk_mod_init, chip_disk_mod_fini), 0);
	ck_assert_int_eq(driver_alias_add(UNIT_DRIVER, UNIT_ALIAS), 0);
	ck_assert_int_eq(driver_init(spec->driver, spec->mod_init, spec->mod_fini), 0);
	devi_set_notify(tree_changed, NULL);
}

static struct chip *
twin_open(struct chip *first, unsigned int number)
{
	struct chip *chip = calloc(1, sizeof(*chip));

	ck_assert_ptr_nonnull(chip);
	chip->spec = first->spec;
	chip->number = number;
	chip->qemu = first->qemu;
	chip->qtest = first->qtest;
	adapter_open(chip);
	return chip;
}

struct chip *
chip_start(const struct chip_spec *spec)
{
	struct chip *chip = calloc(1, sizeof(*chip));

	ck_assert_ptr_nonnull(chip);
	ck_assert_uint_le(spec->twins, TWINS_MAX);
	chip->spec = *spec;
	chip->qemu = calloc(1, sizeof(*chip->qemu));
	ck_assert_ptr_nonnull(chip->qemu);
	qemu_start(chip->qemu, spec);
	chip->qtest = qtest_open(chip->qemu->qtest_fd, chip->qemu->irq_fd);
	(void)qemu_qmp(chip->qemu, "{\"execute\":\"qmp_capabilities\"}");
	drivers_init(spec);
	adapter_open(chip);
	for (unsigned int i = 0; i < spec->twins; i++)
		chip->twin[i] = twin_open(chip, i + 1);
	return chip;
}

static void
adapter_close(struct chip *chip)
{
	struct pci_dma_stats stats;
	int r = chip_detach(chip);

	if (r < 0)
		ck_abort_msg("driver '%s' does not detach: %s", chip->spec.driver, strerror(-r));
	pci_dma_stats(nexus_dma(chip->nexus), &stats);
	if (stats.pool_used_bytes != 0)
		ck_abort_msg("driver '%s' keeps %zu bytes of DMA memory", chip->spec.driver,
		    stats.pool_used_bytes);
	ck_assert_int_eq(nexus_free(chip->nexus), 0);
}

void
chip_stop(struct chip *chip)
{
	for (unsigned int i = 0; i < chip->spec.twins; i++) {
		adapter_close(chip->twin[i]);
		free(chip->twin[i]);
	}
	adapter_close(chip);
	devi_set_notify(NULL, NULL);
	ck_assert_int_eq(driver_unload(chip->spec.driver), 0);
	driver_alias_remove(UNIT_ALIAS);
	ck_assert_int_eq(driver_unload(UNIT_DRIVER), 0);
	qemu_kill(chip->qemu);
	qtest_close(chip->qtest);
	qemu_stop(chip->qemu);
	free(chip->qemu);
	free(chip);
}

struct chip *
chip_twin(struct chip *chip, unsigned int i)
{
	ck_assert_uint_ge(i, 1);
	ck_assert_uint_le(i, chip->spec.twins);
	return chip->twin[i - 1];
}

dev_info_t *
chip_node(struct chip *chip)
{
	return nexus_node(chip->nexus);
}

struct nexus *
chip_nexus(struct chip *chip)
{
	return chip->nexus;
}

struct pci_fn *
chip_fn(struct chip *chip)
{
	return &chip->qfn->fn;
}

/* units */

struct search {
	const char *address;		/* NULL: only count */
	const char *target_port;	/* else this and a LUN */
	int64_t lun;
	struct scsi_device *found;
	unsigned int count;
};

static bool
port_matches(dev_info_t *dip, const struct search *s)
{
	char *port;
	bool is_it;

	if (s->target_port == NULL || ddi_prop_lookup_string(DDI_DEV_T_ANY, dip,
	    DDI_PROP_DONTPASS, "target-port", &port) != DDI_PROP_SUCCESS)
		return false;
	is_it = strcmp(port, s->target_port) == 0 && s->lun ==
	    ddi_prop_get_int64(DDI_DEV_T_ANY, dip, DDI_PROP_DONTPASS, "lun64", -1);
	ddi_prop_free(port);
	return is_it;
}

/* the parent is entered: meanwhile no child of it gets a name or loses its driver */
static void
search_look(dev_info_t *dip, struct search *s)
{
	const char *address;

	if (!devi_is_attached(dip) || devi_driver(dip) == NULL ||
	    strcmp(driver_name(devi_driver(dip)), UNIT_DRIVER) != 0)
		return;
	address = ddi_get_name_addr(dip);
	s->count++;
	if (s->address == NULL || address == NULL)
		return;
	if (strcmp(address, s->address) == 0 || port_matches(dip, s))
		s->found = ddi_get_driver_private(dip);
}

static enum devi_walk
search_step(dev_info_t *dip, void *arg)
{
	dev_info_t *parent = ddi_get_parent(dip);

	devi_enter(parent);
	search_look(dip, arg);
	devi_exit(parent);
	return DEVI_WALK_CONTINUE;
}

struct scsi_device *
chip_unit_named(struct chip *chip, const char *unit_address)
{
	struct search s = { .address = unit_address };

	devi_walk(chip_node(chip), search_step, &s);
	return s.found;
}

struct scsi_device *
chip_unit(struct chip *chip, unsigned int target, unsigned int lun)
{
	char address[32], port[16];
	struct search s = { .address = address, .target_port = port, .lun = lun };

	(void)snprintf(address, sizeof(address), "%x,%x", target, lun);
	(void)snprintf(port, sizeof(port), "%x", target);
	devi_walk(chip_node(chip), search_step, &s);
	return s.found;
}

unsigned int
chip_units(struct chip *chip)
{
	struct search s = { .address = NULL };

	devi_walk(chip_node(chip), search_step, &s);
	return s.count;
}

struct wanted {
	struct chip *chip;
	unsigned int target, lun;
};

static bool
is_here(void *arg)
{
	const struct wanted *w = arg;

	return chip_unit(w->chip, w->target, w->lun) != NULL;
}

static bool
is_gone(void *arg)
{
	return !is_here(arg);
}

struct scsi_device *
chip_await_unit(struct chip *chip, unsigned int target, unsigned int lun)
{
	struct wanted w = { chip, target, lun };

	chip_await(chip, is_here, &w, "a unit to come");
	return chip_unit(chip, target, lun);
}

void
chip_await_no_unit(struct chip *chip, unsigned int target, unsigned int lun)
{
	struct wanted w = { chip, target, lun };

	chip_await(chip, is_gone, &w, "a unit to go");
}

/* from outside */

const char *
chip_qmp(struct chip *chip, const char *fmt, ...)
{
	char line[2048];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	return qemu_qmp(chip->qemu, line);
}

void
chip_disk_add(struct chip *chip, const struct chip_disk *disk)
{
	char node[1024];

	qemu_disk_node(chip->qemu, disk, node, sizeof(node));
	(void)chip_qmp(chip, "{\"execute\":\"blockdev-add\",\"arguments\":%s}", node);
	(void)chip_qmp(chip, "{\"execute\":\"device_add\",\"arguments\":{\"driver\":\"scsi-hd\","
	    "\"id\":\"t%ul%u\",\"bus\":\"hba0.0\",\"channel\":0,\"scsi-id\":%u,\"lun\":%u,"
	    "\"drive\":\"n%ux%u\",\"serial\":\"S%u-%u\",\"wwn\":%llu}}", disk->target,
	    disk->lun, disk->target, disk->lun, disk->target, disk->lun, disk->target,
	    disk->lun, 0x5000c500a0000001ull | (uint64_t)disk->target << 16 |
	    (uint64_t)disk->lun << 8);
}

void
chip_disk_remove(struct chip *chip, unsigned int target, unsigned int lun)
{
	(void)chip_qmp(chip, "{\"execute\":\"device_del\",\"arguments\":{\"id\":\"t%ul%u\"}}",
	    target, lun);
}

void
chip_disk_resize(struct chip *chip, unsigned int target, unsigned int lun, uint64_t bytes)
{
	(void)chip_qmp(chip, "{\"execute\":\"block_resize\",\"arguments\":{\"node-name\":"
	    "\"n%ux%u\",\"size\":%llu}}", target, lun, (unsigned long long)bytes);
}

const char *
chip_disk_path(struct chip *chip, unsigned int target, unsigned int lun)
{
	qemu_disk_path(chip->qemu, target, lun, chip->disk_path, sizeof(chip->disk_path));
	return chip->disk_path;
}

/* the emulator's limit of bytes a second for a disk; 0: none, and what waited goes on */
static void
disk_limit(struct chip *chip, unsigned int target, unsigned int lun, unsigned int bps)
{
	(void)chip_qmp(chip, "{\"execute\":\"block_set_io_throttle\",\"arguments\":{"
	    "\"id\":\"t%ul%u\",\"bps\":%u,\"bps_rd\":0,\"bps_wr\":0,"
	    "\"iops\":0,\"iops_rd\":0,\"iops_wr\":0}}", target, lun, bps);
}

/* a byte a second; and somebody is before us, who has been given bytes of hours */
void
chip_disk_hold(struct chip *chip, unsigned int target, unsigned int lun)
{
	disk_limit(chip, target, lun, 1);
	(void)chip_qmp(chip, "{\"execute\":\"human-monitor-command\",\"arguments\":{"
	    "\"command-line\":\"qemu-io -d t%ul%u \\\"read -q 0 64k\\\"\"}}", target, lun);
}

void
chip_disk_let_go(struct chip *chip, unsigned int target, unsigned int lun)
{
	disk_limit(chip, target, lun, 0);
}

/* what is written here is handed on first; then questions to the emulator: while it answers the
 * first its loop sees what the write has left for it, and it has been done before the next */
static bool
let_go_behind(void *arg, unsigned int bar, uint64_t off, unsigned int width, uint64_t value)
{
	struct chip *chip = arg;

	if (!chip->is_awaited(chip->is_awaited_arg, bar, off, width, value))
		return true;
	chip_on_write(chip, NULL, NULL);
	chip_register_put(chip, bar, off, width, value);
	for (unsigned int i = 0; i < 2; i++)
		(void)chip_qmp(chip, "{\"execute\":\"query-name\"}");
	for (unsigned int i = 0; i < chip->spec.n_disks; i++)
		chip_disk_let_go(chip, chip->spec.disks[i].target, chip->spec.disks[i].lun);
	return false;
}

void
chip_let_go_behind(struct chip *chip, chip_write_fn fn, void *arg)
{
	chip->is_awaited = fn;
	chip->is_awaited_arg = arg;
	chip_on_write(chip, let_go_behind, chip);
}

void
chip_freeze(struct chip *chip)
{
	ck_assert_int_eq(kill(chip->qemu->pid, SIGSTOP), 0);
}

void
chip_thaw(struct chip *chip)
{
	ck_assert_int_eq(kill(chip->qemu->pid, SIGCONT), 0);
}

void
chip_kill(struct chip *chip)
{
	qemu_kill(chip->qemu);
	chip->is_killed = true;
	nexus_fail(chip->nexus);
}

void
chip_interrupt(struct chip *chip, unsigned int vector)
{
	nexus_intr_signal(chip->nexus, vector);
}
