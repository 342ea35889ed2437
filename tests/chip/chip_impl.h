/*
 * tests/chip/chip_impl.h - the harness itself; tests/chip/chip.h is what tests see
 */
#ifndef TESTS_CHIP_CHIP_IMPL_H
#define TESTS_CHIP_CHIP_IMPL_H

#include <pthread.h>
#include <sys/queue.h>

#include "tests/chip/chip.h"
#include "tests/chip/qemu.h"
#include "tests/chip/qtest.h"

#define POKES_MAX	32
#define TWINS_MAX	3
#define POOL_BYTES	(16u << 20)
#define RAM_FIRST	(1u << 20)	/* below it are firmware and holes */

struct poke {
	bool is_write;
	unsigned int bar, width;	/* width 0: any */
	uint64_t off, value;
	uint32_t left;			/* UINT32_MAX: for ever; 0: over */
};

/* an adapter on the qtest bus */
struct qfn {
	struct pci_fn fn;
	struct chip *chip;
	struct qtest *qtest;
	unsigned int slot;
	uint64_t base[PCI_BARS];	/* address of a BAR */
	unsigned int first_message;	/* its messages among those of the doorbell */
	int intr_types;
	unsigned int msix_bar;		/* where its table is */
	uint64_t msix_off;
	pthread_mutex_t lock;		/* of the lies */
	struct poke poke[POKES_MAX];
	unsigned int pokes_used;
	chip_write_fn on_write;
	void *on_write_arg;
	uint64_t accesses;
};

struct chip {
	struct chip_spec spec;
	unsigned int number;		/* 0: the first */
	struct qemu *qemu;
	struct qtest *qtest;
	struct qfn *qfn;		/* the nexus's */
	struct nexus *nexus;
	struct chip *twin[TWINS_MAX];	/* of the first */
	bool is_attached, is_killed;
	chip_write_fn is_awaited;	/* behind which disks let go */
	void *is_awaited_arg;
	char disk_path[128];
};

/* chip_bus_open() - adapter @number as a function; the caller gives it to a nexus */
struct qfn *chip_bus_open(struct chip *chip);

/* the target driver for all units: cmd.c waits by its condition, which everything that happens
 * signals */
int chip_disk_mod_init(void);
int chip_disk_mod_fini(void);
extern pthread_mutex_t chip_lock;
extern pthread_cond_t chip_changed;
void chip_notice(void);

#endif /* TESTS_CHIP_CHIP_IMPL_H */
