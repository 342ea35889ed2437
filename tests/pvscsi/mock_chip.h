/*
 * mock_chip.h - a paravirtual SCSI adapter in memory, that can be told to lie
 *
 * What      Registers by devi_reg_ops, interrupts by an eventfd, rings and data wherever the
 *           driver says they are (bus addresses are addresses). Behind it targets with one disk
 *           of 64 KiB each. What it does by default is what an honest chip does.
 * Thread    Registers: any thread of the simulation. Fields marked "test" are set by the test
 *           while nothing runs.
 */
#ifndef TESTS_PVSCSI_MOCK_CHIP_H
#define TESTS_PVSCSI_MOCK_CHIP_H

#include <sys/sunddi.h>

#include <stdbool.h>
#include <stddef.h>
#include <sys/queue.h>

#include "hw/pvscsi/regs.h"

#define MOCK_DISK_BYTES	65536u
#define MOCK_BLOCK	512u
#define MOCK_HELD	64

struct mock_disk {
	bool is_there;			/* test: at the start; then mock_plug(), mock_pull() */
	bool is_held;			/* test: keeps its commands */
	bool has_attention;
	uint8_t type;			/* peripheral device type */
	unsigned int commands, aborts, resets;
	uint8_t *data;
};

/* what happens to the next completion; all 0: nothing */
struct mock_lie {
	bool has_context, is_twice;
	uint64_t context;
	uint64_t data_len;
	uint32_t sense_len;
	uint16_t host_status, scsi_status;
	uint32_t index_jump;		/* added to the producer index, once */
	uint32_t times;			/* how many completions; 0: the next one */
};

struct mock_chip {
	dev_info_t *dip;
	kmutex_t lock;
	uint8_t config[256];
	int intr_type;			/* test: DDI_INTR_TYPE_MSI or FIXED */

	/* test: things it does not do */
	bool is_gone;			/* registers read as ones */
	bool is_deaf_to_abort, is_deaf_to_device, is_deaf_to_bus;
	bool has_no_rings, has_no_messages, has_no_master, has_other_size;
	bool has_config;		/* answers CONFIG, with config_targets */
	uint32_t config_targets;
	bool is_stuck;			/* INTR_STATUS never clears */
	bool says_lengths;		/* data_len in completions */
	bool is_deaf;			/* does not look at the ring when kicked */
	struct mock_lie lie;

	uint32_t command, words[132], nwords, status;
	uint32_t intr_status, intr_mask;
	bool has_rings, has_msgs;
	struct pv_setup_rings rings;
	uint64_t msg_ppn;
	uint32_t req_done, cmp_prod, msg_prod;
	struct pv_req held[MOCK_HELD];
	unsigned int nheld;
	int fd;				/* -1: no vector is open */
	bool is_enabled;
	struct mock_disk disks[PV_TARGETS];
	unsigned int adapter_resets, setups, aborts, device_resets, bus_resets, kicks;
	unsigned int stray;		/* requests or completions while not a bus master */
	struct pv_req last;		/* request */
};

/* mock_chip_open() - a node "pvscsi" below the root; _close() frees it */
void mock_chip_open(struct mock_chip *chip);
void mock_chip_close(struct mock_chip *chip);

/* mock_plug(), mock_pull() - hot plug, with a message; commands of a pulled one are aborted */
void mock_plug(struct mock_chip *chip, unsigned int target);
void mock_pull(struct mock_chip *chip, unsigned int target);
/* mock_message() - any message; mock_message_raw() without an interrupt */
void mock_message(struct mock_chip *chip, uint32_t type, uint32_t target, uint8_t lun);
/* mock_release() - complete what @target holds, oldest first; @n commands at most */
void mock_release(struct mock_chip *chip, unsigned int target, unsigned int n);
/* mock_interrupt() - without reason */
void mock_interrupt(struct mock_chip *chip);
/* mock_return() - a completion out of thin air */
void mock_return(struct mock_chip *chip, const struct pv_cmp *cmp);

#endif /* TESTS_PVSCSI_MOCK_CHIP_H */
