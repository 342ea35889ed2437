/*
 * tests/chip/pvscsi.h - words that tests of the paravirtual SCSI adapter have in common
 *
 * What      The model has targets 0 .. 63 with LUN 0 only, MSI or INTx, and never says how much
 *           data moved. An abort or reset takes as long as the disk behind it.
 */
#ifndef TESTS_CHIP_PVSCSI_H
#define TESTS_CHIP_PVSCSI_H

#include <check_main.h>
#include <string.h>
#include <sys/ddi_intr.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "hw/pvscsi/pvscsi.h"
#include "scsi/cdb.h"
#include "tests/chip/chip.h"

#define PV_CHIP_BAR	0
#define PV_SPEC(...)                                                           \
	{ .device = "pvscsi", .driver = PVSCSI_DRIVER,                         \
	    .mod_init = pvscsi_mod_init, .mod_fini = pvscsi_mod_fini, __VA_ARGS__ }

static inline bool
pv_state_is(struct chip *chip, enum pvscsi_state want)
{
	struct pvscsi *hba = pvscsi_of(chip_node(chip));
	bool is_so;

	mutex_enter(&hba->lock);
	is_so = hba->state == want;
	mutex_exit(&hba->lock);
	return is_so;
}

static inline bool
pv_is_ready(void *chip)
{
	return pv_state_is(chip, PVSCSI_READY);
}

/* pv_tur() - a TEST UNIT READY, not started */
static inline struct chip_cmd *
pv_tur(struct chip *chip, struct scsi_device *sd)
{
	uint8_t cdb[CDB_BUF_LEN];

	return chip_cmd_new(chip, sd, cdb, cdb_tur(cdb), CHIP_NONE, 0);
}

/* pv_read() - a READ(10) of @blocks at 0, started */
static inline struct chip_cmd *
pv_read(struct chip *chip, struct scsi_device *sd, uint32_t blocks)
{
	struct chip_cmd *cmd;
	uint8_t cdb[10];

	chip_cdb_rw10(cdb, false, 0, blocks);
	cmd = chip_cmd_new(chip, sd, cdb, sizeof(cdb), CHIP_IN, blocks * 512u);
	ck_assert_int_eq(chip_cmd_start(cmd), TRAN_ACCEPT);
	return cmd;
}

/* pv_ended() - it has completed, and how */
static inline bool
pv_ended(struct chip_cmd *cmd, uint8_t reason, uint_t stats)
{
	return chip_cmd_is_done(cmd) && cmd->pkt->pkt_reason == reason &&
	    cmd->pkt->pkt_statistics == stats;
}

#endif /* TESTS_CHIP_PVSCSI_H */
