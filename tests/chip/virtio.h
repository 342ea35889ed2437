/*
 * tests/chip/virtio.h - what the tests of the virtio SCSI driver have in common
 *
 * What      The adapter as tests start it, its state, and ways to wait.
 */
#ifndef TESTS_CHIP_VIRTIO_H
#define TESTS_CHIP_VIRTIO_H

#include <string.h>

#include "check_main.h"
#include "hw/virtio_scsi/module.h"
#include "tests/chip/chip.h"

#define VIRTIO_DEVICE	"virtio-scsi-pci,disable-legacy=on"

/* the adapter with its driver; disks and the rest are the test's */
#define VIRTIO_SPEC                                                            \
	.device = VIRTIO_DEVICE, .driver = VIRTIO_SCSI_DRIVER,                 \
	.mod_init = virtio_scsi_mod_init, .mod_fini = virtio_scsi_mod_fini

/* registers of the emulated adapter: BAR 4 */
#define VIRTIO_BAR	4
#define VIRTIO_COMMON	0x0000
#define VIRTIO_ISR	0x1000
#define VIRTIO_DEVICE_CFG 0x2000
#define VIRTIO_NOTIFY	0x3000
#define VIRTIO_STATUS	(VIRTIO_COMMON + 20)

static const uint8_t virtio_tur[6] __attribute__((unused)) = { 0 };

/* virtio_has_state() - is "hba-state" of the adapter @name? */
static inline bool
virtio_has_state(struct chip *chip, const char *name)
{
	char *state;
	bool is;

	if (ddi_prop_lookup_string(DDI_DEV_T_ANY, chip_node(chip), DDI_PROP_DONTPASS,
	    "hba-state", &state) != DDI_PROP_SUCCESS)
		return false;
	is = strcmp(state, name) == 0;
	ddi_prop_free(state);
	return is;
}

static inline int
virtio_failures(struct chip *chip)
{
	return ddi_prop_get_int(
	    DDI_DEV_T_ANY, chip_node(chip), DDI_PROP_DONTPASS, "hba-failures", -1);
}

static inline bool
virtio_is_ready(void *chip)
{
	return virtio_has_state(chip, "ready");
}

static inline bool
virtio_is_dead(void *chip)
{
	return virtio_has_state(chip, "dead");
}

/* an adapter that has acted on a doorbell when it has been rung */
#define VIRTIO_AT_ONCE	VIRTIO_DEVICE ",ioeventfd=off"

/* virtio_is_function() - for chip_let_go_behind(): the doorbell of the control queue */
static inline bool
virtio_is_function(void *arg, unsigned int bar, uint64_t off, unsigned int width, uint64_t value)
{
	(void)arg;
	(void)width;
	return bar == VIRTIO_BAR && off >= VIRTIO_NOTIFY && value == 0;
}

/* virtio_read_new() - READ(10) of @blocks at @lba; the packet may be changed before it
 * starts */
static inline struct chip_cmd *
virtio_read_new(struct chip *chip, struct scsi_device *sd, uint32_t lba, uint32_t blocks)
{
	uint8_t cdb[10];

	chip_cdb_rw10(cdb, false, lba, blocks);
	return chip_cmd_new(chip, sd, cdb, sizeof(cdb), CHIP_IN, blocks * 512);
}

/* virtio_expect() - how a finished command ended; @stats: STAT_* */
static inline void
virtio_expect(const struct chip_cmd *cmd, uint8_t reason, uint_t state, uint_t stats)
{
	ck_assert_uint_eq(cmd->pkt->pkt_reason, reason);
	ck_assert_uint_eq(cmd->pkt->pkt_state, state);
	ck_assert_uint_eq(cmd->pkt->pkt_statistics, stats);
	ck_assert_uint_eq(cmd->completions, 1);
}

#define VIRTIO_SENT	(STATE_GOT_BUS | STATE_GOT_TARGET | STATE_SENT_CMD)
#define VIRTIO_DONE	(VIRTIO_SENT | STATE_GOT_STATUS)
#define VIRTIO_MOVED	(VIRTIO_DONE | STATE_XFERRED_DATA)

#endif /* TESTS_CHIP_VIRTIO_H */
