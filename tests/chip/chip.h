/*
 * tests/chip/chip.h - a real driver on an emulated chip, in one test process
 *
 * What      chip_start() runs a QEMU whose processor is parked: its adapters and disks live, no
 *           guest does. The adapter's registers are reached over the qtest socket, its memory
 *           is ours, its interrupts are eventfds. The driver is attached by the framework as in
 *           the daemon (hw/pci's nexus; only the bus below is another one), and each logical
 *           unit that enumeration finds gets a small target driver, through which the test
 *           sends commands.
 * Life      chip_start → chip_unit, chip_run, ... → chip_stop. One at a time for each adapter;
 *           several adapters (of one QEMU) with chip_spec.twins.
 * Failure   What the harness cannot do fails the test by ck_abort_msg().
 * Waiting   Nothing sleeps: waits end with the event, or fail the test after CHIP_WAIT_MS.
 * Limits    The emulator moves the whole buffer of a read or write, whatever the CDB says: give
 *           commands buffers of the length their CDB moves. First commands to a disk get a unit
 *           attention (6/29/00); enumeration has taken the first one, of LUN 0 at least.
 */
#ifndef TESTS_CHIP_CHIP_H
#define TESTS_CHIP_CHIP_H

#include <check.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/scsi/scsi.h>

#include "ddi/devtree.h"
#include "hw/pci/nexus.h"

#define CHIP_WAIT_MS	120000u	/* longest wait for anything: what takes longer, hangs */
#define CHIP_BYTES	(64ull << 20)	/* of a disk, when its description has 0 */

struct chip;

enum chip_store {
	CHIP_FILE,		/* keeps what is written; zeros at first */
	CHIP_NULL		/* zeros; what is written goes nowhere */
};

struct chip_disk {
	unsigned int target, lun;
	enum chip_store store;
	uint64_t bytes;		/* 0: CHIP_BYTES */
	uint64_t latency_ms;	/* CHIP_NULL: of each command, so that it can be aborted */
	/* medium errors: read and write of this sector (512 bytes) fail when is_broken; the
	 * answer is CHECK CONDITION */
	bool is_broken;
	uint64_t broken_sector;
	const char *options;	/* further ones of scsi-hd: "ver=abc,removable=on"; may be NULL */
};

#define CHIP_DISKS_MAX	16

struct chip_spec {
	const char *device;	/* QEMU's: "virtio-scsi-pci,disable-legacy=on"; addr is added */
	const char *driver;	/* name of the driver, and of the node */
	int (*mod_init)(void);	/* its _init and _fini: pvscsi_mod_init, pvscsi_mod_fini */
	int (*mod_fini)(void);
	struct chip_disk disks[CHIP_DISKS_MAX];
	unsigned int n_disks;
	size_t pool_bytes;	/* of DMA memory; 0: 16 MiB */
	int intr_types;		/* DDI_INTR_TYPE_* that the bus shall have; 0: all it can */
	bool is_detached;	/* do not attach: the test calls chip_attach() */
	const char *options;	/* further words for QEMU, separated by blanks; may be NULL */
	unsigned int twins;	/* further adapters of the kind, without disks; see chip_twin() */
};

/**
 * chip_start() - QEMU up, driver attached, units enumerated
 *
 * Where qemu-system-x86_64 is not installed ctest skips the program (with-qemu), and this call
 * fails it.
 */
struct chip *chip_start(const struct chip_spec *spec);

/* chip_stop() - detach (which must succeed), end QEMU, free; fails the test when memory of the
 * pool was not given back */
void chip_stop(struct chip *chip);

/* chip_attach() - devi_attach() and enumeration; 0 or -errno. Enumeration waits for a scan no longer
 * than its driver says: units may come later. chip_detach(): 0 or -errno */
int chip_attach(struct chip *chip);
int chip_detach(struct chip *chip);

/* chip_attach_all() - the same, until there is a unit for each disk, however slow the machine is;
 * fails the test when it does not attach. chip_start() does so */
void chip_attach_all(struct chip *chip);

/* chip_scan() - enumerate again; how many units there are, or -errno */
int chip_scan(struct chip *chip);

/* chip_twin() - adapter @i (1 ..) of the same QEMU, with node and driver of its own; it is
 * attached, and goes with chip_stop() of the first */
struct chip *chip_twin(struct chip *chip, unsigned int i);

dev_info_t *chip_node(struct chip *chip);	/* of the adapter */
struct nexus *chip_nexus(struct chip *chip);
struct pci_fn *chip_fn(struct chip *chip);

/* Units */

/* chip_unit() - the unit at @target, @lun in SPI addressing, or NULL. chip_unit_named(): by
 * unit address ("w50..1,0"), or the property "target-port" and a LUN, anywhere behind the
 * adapter */
struct scsi_device *chip_unit(struct chip *chip, unsigned int target, unsigned int lun);
struct scsi_device *chip_unit_named(struct chip *chip, const char *unit_address);

/* chip_units() - how many there are */
unsigned int chip_units(struct chip *chip);

/* chip_await_unit(), chip_await_no_unit() - until it has been attached, or has gone */
struct scsi_device *chip_await_unit(struct chip *chip, unsigned int target, unsigned int lun);
void chip_await_no_unit(struct chip *chip, unsigned int target, unsigned int lun);

/* chip_await() - until @is_so says true; asked again after each completion, interrupt and
 * change of the tree, and every few milliseconds. @what is for the message of failure */
typedef bool (*chip_cond)(void *arg);
void chip_await(struct chip *chip, chip_cond is_so, void *arg, const char *what);

/* chip_at_once_ns() - in what time an adapter has to fail: a tenth of a second if CHIP_STRICT
 * is in the environment, for a release build on a machine with nothing else to do; else as long
 * as it likes, within CHIP_WAIT_MS */
uint64_t chip_at_once_ns(void);

/* Commands */

enum chip_dir { CHIP_NONE, CHIP_IN, CHIP_OUT };

/* one command; the packet may be changed before it is started */
struct chip_cmd {
	struct scsi_pkt *pkt;
	struct buf *bp;			/* NULL without data */
	uint8_t *data;
	size_t len;
	struct scsi_arq_status *arq;	/* pkt_scbp */
	int accepted;			/* what scsi_transport() said */
	unsigned int completions;	/* more than one fails the test at once */
	struct chip *chip;
	uint64_t started_ns, done_ns;
};

/**
 * chip_cmd_new() - a packet for @sd
 *
 * @cdb, @cdb_len  copied
 * @len      bytes of data in @dir, in a consistent buffer; 0 with CHIP_NONE
 *
 * pkt_time is 30 s, pkt_flags 0.
 */
struct chip_cmd *chip_cmd_new(struct chip *chip, struct scsi_device *sd, const void *cdb,
    size_t cdb_len, enum chip_dir dir, size_t len);

/* chip_cmd_new_at() - the same with memory of the test's, which the bus has to copy; it stays
 * the test's. @flags further ones for scsi_init_pkt(), PKT_DMA_PARTIAL for instance. NULL when
 * scsi_init_pkt() refuses */
struct chip_cmd *chip_cmd_new_at(struct chip *chip, struct scsi_device *sd, const void *cdb,
    size_t cdb_len, enum chip_dir dir, void *data, size_t len, int flags);

/* chip_cmd_start() - scsi_transport(); TRAN_ACCEPT and so on. With FLAG_NOINTR it has completed
 * when this returns */
int chip_cmd_start(struct chip_cmd *cmd);

/* chip_cmd_wait() - until it has completed; fails the test after CHIP_WAIT_MS */
void chip_cmd_wait(struct chip_cmd *cmd);
bool chip_cmd_is_done(struct chip_cmd *cmd);
void chip_cmd_free(struct chip_cmd *cmd);

/* chip_sense() - sense key, ASC and ASCQ as 0xkkaaqq; 0 when there is no sense */
uint32_t chip_sense(const struct chip_cmd *cmd);

/* chip_run() - start, wait; the caller looks at it and frees it. A unit attention is tried
 * again (3 times) when @skip_ua */
struct chip_cmd *chip_run(struct chip *chip, struct scsi_device *sd, const void *cdb,
    size_t cdb_len, enum chip_dir dir, void *data, size_t len, bool skip_ua);

/* chip_read(), chip_write() - blocks of 512 bytes, READ(10) and WRITE(10); they must succeed.
 * chip_inquiry(): 36 bytes; chip_tur(): the command's result without data, unit attentions
 * skipped: SCSI status, or -1 - pkt_reason */
void chip_read(struct chip *chip, struct scsi_device *sd, uint32_t lba, uint32_t blocks,
    void *data);
void chip_write(struct chip *chip, struct scsi_device *sd, uint32_t lba, uint32_t blocks,
    const void *data);
void chip_inquiry(struct chip *chip, struct scsi_device *sd, uint8_t data[36]);
int chip_tur(struct chip *chip, struct scsi_device *sd);

/* CDBs: fill @cdb (10 bytes) */
void chip_cdb_rw10(uint8_t cdb[10], bool is_write, uint32_t lba, uint32_t blocks);

/* What happens outside: QMP */

/* chip_qmp() - send @line, a JSON object; its answer, which must be a "return". The text is
 * valid until the next call */
const char *chip_qmp(struct chip *chip, const char *fmt, ...) PRINTF_LIKE(2, 3);

void chip_disk_add(struct chip *chip, const struct chip_disk *disk);	/* hot */
void chip_disk_remove(struct chip *chip, unsigned int target, unsigned int lun);
void chip_disk_resize(struct chip *chip, unsigned int target, unsigned int lun, uint64_t bytes);

/* chip_disk_path() - image of a CHIP_FILE disk, to look at or to fill from outside */
const char *chip_disk_path(struct chip *chip, unsigned int target, unsigned int lun);

/**
 * chip_disk_hold() - reads and writes begin no more to end
 *
 * What is sent to the disk from now on stays with it until chip_disk_let_go(). A reset, of the
 * disk or of its adapter, ends it: the emulator waits then for what the disk is doing, and the
 * disk does it at once. An abort waits, too, but lets nothing go: see chip_let_go_behind().
 * What moves no data of the medium (TEST UNIT READY, INQUIRY) is not held.
 */
void chip_disk_hold(struct chip *chip, unsigned int target, unsigned int lun);
void chip_disk_let_go(struct chip *chip, unsigned int target, unsigned int lun);

/* chip_let_go_behind() - all disks let go as soon as the chip has been given the write for which
 * @fn says true, and has acted on it: so an abort meets what it is to end. Once; on the thread
 * that writes. In place of chip_on_write() */
typedef bool (*chip_write_fn)(void *arg, unsigned int bar, uint64_t off, unsigned int width,
    uint64_t value);
void chip_let_go_behind(struct chip *chip, chip_write_fn fn, void *arg);

/* chip_freeze(), chip_thaw() - QEMU stopped (SIGSTOP) and going on: nothing completes, and an
 * access to a register waits */
void chip_freeze(struct chip *chip);
void chip_thaw(struct chip *chip);

/* chip_kill() - QEMU is gone, as if the adapter had been pulled out: registers read as ones,
 * and each vector is signalled once */
void chip_kill(struct chip *chip);

/* A lying chip */

/**
 * chip_poke_read() - the next @times reads (UINT32_MAX: all) of @width bytes at @off of @bar
 * give
 * @value, and do not reach the chip
 *
 * @bar      number of the BAR, or CHIP_CONFIG
 * @width    0: of any width
 */
#define CHIP_CONFIG	6
void chip_poke_read(struct chip *chip, unsigned int bar, uint64_t off, unsigned int width,
    uint64_t value, uint32_t times);

/* chip_poke_write() - the next @times writes there go nowhere */
void chip_poke_write(struct chip *chip, unsigned int bar, uint64_t off, uint32_t times);

/* chip_poke_none() - no more lies */
void chip_poke_none(struct chip *chip);

/* chip_pokes_used() - how many accesses were lied to */
unsigned int chip_pokes_used(struct chip *chip);

/* chip_on_write() - call @fn at each write to a register, before it is made; false keeps it
 * from being made. For looking at rings just before the doorbell. NULL: no more */
void chip_on_write(struct chip *chip, chip_write_fn fn, void *arg);

/* chip_memory() - what the chip sees at bus address @iova: the test may write what a lying chip
 * would; fails the test outside of memory */
void *chip_memory(struct chip *chip, uint64_t iova, size_t bytes);

/* chip_interrupt() - signal vector @vector, without reason */
void chip_interrupt(struct chip *chip, unsigned int vector);

/* chip_register_get(), chip_register_put() - straight to the chip, past pokes and hooks */
uint64_t chip_register_get(struct chip *chip, unsigned int bar, uint64_t off,
    unsigned int width);
void chip_register_put(struct chip *chip, unsigned int bar, uint64_t off, unsigned int width,
    uint64_t value);

/* chip_accesses() - how many register accesses there were so far: the price of a command */
uint64_t chip_accesses(struct chip *chip);

#endif /* TESTS_CHIP_CHIP_H */
