/* commands of a test, and the target driver that a unit needs to be there */
#define SCSA_MOD chipunit
#include <errno.h>
#include <string.h>
#include <sys/modctl.h>
#include <sys/scsi/scsi.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "tests/chip/chip_impl.h"

#define TIME_S		30
#define UA_TRIES	3
#define BLOCK		512u

static int
unit_attach(dev_info_t *dip, ddi_attach_cmd_t cmd)
{
	struct scsi_device *sd = ddi_get_driver_private(dip);

	if (cmd != DDI_ATTACH || scsi_probe(sd, SLEEP_FUNC) != SCSIPROBE_EXISTS)
		return DDI_FAILURE;
	return DDI_SUCCESS;
}

static int
unit_detach(dev_info_t *dip UNUSED, ddi_detach_cmd_t cmd)
{
	return cmd == DDI_DETACH ? DDI_SUCCESS : DDI_FAILURE;
}

static struct dev_ops unit_ops = {
	.devo_rev = DEVO_REV,
	.devo_probe = nulldev,
	.devo_attach = unit_attach,
	.devo_detach = unit_detach,
	.devo_reset = nodev,
};

static struct modldrv unit_modldrv = { &mod_driverops, "units of chip tests", &unit_ops };
static struct modlinkage unit_modlinkage = { MODREV_1, { &unit_modldrv, NULL } };

int
chip_disk_mod_init(void)
{
	return mod_install(&unit_modlinkage);
}

int
chip_disk_mod_fini(void)
{
	return mod_remove(&unit_modlinkage);
}

static void
cmd_done(struct scsi_pkt *pkt)
{
	struct chip_cmd *cmd = pkt->pkt_private;

	(void)pthread_mutex_lock(&chip_lock);
	cmd->completions++;
	cmd->done_ns = clock_now_ns();
	if (cmd->completions > 1)
		ck_abort_msg("a command has completed %u times", cmd->completions);
	(void)pthread_cond_broadcast(&chip_changed);
	(void)pthread_mutex_unlock(&chip_lock);
}

/* a packet for cmd->bp; false: refused */
static bool
cmd_packet(struct chip_cmd *cmd, struct scsi_device *sd, const void *cdb, size_t cdb_len,
    int flags)
{
	cmd->pkt = scsi_init_pkt(&sd->sd_address, NULL, cmd->bp, (int)cdb_len,
	    sizeof(struct scsi_arq_status), 0, flags, NULL_FUNC, NULL);
	if (cmd->pkt == NULL)
		return false;
	memcpy(cmd->pkt->pkt_cdbp, cdb, cdb_len);
	cmd->arq = (struct scsi_arq_status *)(void *)cmd->pkt->pkt_scbp;
	cmd->pkt->pkt_private = cmd;
	cmd->pkt->pkt_comp = cmd_done;
	cmd->pkt->pkt_time = TIME_S;
	return true;
}

static struct chip_cmd *
cmd_alloc(struct chip *chip)
{
	struct chip_cmd *cmd = calloc(1, sizeof(*cmd));

	ck_assert_ptr_nonnull(cmd);
	cmd->chip = chip;
	return cmd;
}

struct chip_cmd *
chip_cmd_new(struct chip *chip, struct scsi_device *sd, const void *cdb, size_t cdb_len,
    enum chip_dir dir, size_t len)
{
	struct chip_cmd *cmd = cmd_alloc(chip);

	ck_assert_ptr_nonnull(sd);
	if (len > 0) {
		cmd->bp = scsi_alloc_consistent_buf(&sd->sd_address, NULL, len,
		    dir == CHIP_OUT ? B_WRITE : B_READ, NULL_FUNC, NULL);
		if (cmd->bp == NULL)
			ck_abort_msg("no consistent buffer of %zu bytes", len);
		cmd->data = (uint8_t *)cmd->bp->b_un.b_addr;
		cmd->len = len;
	}
	if (!cmd_packet(cmd, sd, cdb, cdb_len, len > 0 ? PKT_CONSISTENT : 0))
		ck_abort_msg("no packet for opcode 0x%02x with %zu bytes",
		    *(const uint8_t *)cdb, len);
	return cmd;
}

struct chip_cmd *
chip_cmd_new_at(struct chip *chip, struct scsi_device *sd, const void *cdb, size_t cdb_len,
    enum chip_dir dir, void *data, size_t len, int flags)
{
	struct chip_cmd *cmd = cmd_alloc(chip);

	ck_assert_ptr_nonnull(sd);
	cmd->bp = getrbuf(KM_SLEEP);
	cmd->bp->b_flags |= dir == CHIP_OUT ? B_WRITE : B_READ;
	cmd->bp->b_un.b_addr = data;
	cmd->bp->b_bcount = len;
	cmd->data = data;
	cmd->len = 0;		/* of the test, not of the framework */
	if (cmd_packet(cmd, sd, cdb, cdb_len, flags))
		return cmd;
	freerbuf(cmd->bp);
	free(cmd);
	return NULL;
}

int
chip_cmd_start(struct chip_cmd *cmd)
{
	(void)pthread_mutex_lock(&chip_lock);
	cmd->completions = 0;
	cmd->started_ns = clock_now_ns();
	(void)pthread_mutex_unlock(&chip_lock);
	cmd->accepted = scsi_transport(cmd->pkt);
	return cmd->accepted;
}

bool
chip_cmd_is_done(struct chip_cmd *cmd)
{
	bool is_done;

	(void)pthread_mutex_lock(&chip_lock);
	is_done = cmd->completions > 0;
	(void)pthread_mutex_unlock(&chip_lock);
	return is_done;
}

static bool
is_done(void *arg)
{
	return chip_cmd_is_done(arg);
}

void
chip_cmd_wait(struct chip_cmd *cmd)
{
	chip_await(cmd->chip, is_done, cmd, "a command to complete");
	/* memory that was copied comes back now */
	if (cmd->bp != NULL && cmd->len == 0)
		scsi_sync_pkt(cmd->pkt);
}

void
chip_cmd_free(struct chip_cmd *cmd)
{
	if (cmd == NULL)
		return;
	scsi_destroy_pkt(cmd->pkt);
	if (cmd->bp != NULL && cmd->len > 0)
		scsi_free_consistent_buf(cmd->bp);
	else if (cmd->bp != NULL)
		freerbuf(cmd->bp);
	free(cmd);
}

uint32_t
chip_sense(const struct chip_cmd *cmd)
{
	const struct scsi_extended_sense *s = &cmd->arq->sts_sensedata;

	if ((cmd->pkt->pkt_state & STATE_ARQ_DONE) == 0)
		return 0;
	return (uint32_t)s->es_key << 16 | (uint32_t)s->es_add_code << 8 | s->es_qual_code;
}

static bool
is_unit_attention(const struct chip_cmd *cmd)
{
	return cmd->pkt->pkt_reason == CMD_CMPLT &&
	    *cmd->pkt->pkt_scbp == STATUS_CHECK && chip_sense(cmd) >> 16 == KEY_UNIT_ATTENTION;
}

struct chip_cmd *
chip_run(struct chip *chip, struct scsi_device *sd, const void *cdb, size_t cdb_len,
    enum chip_dir dir, void *data, size_t len, bool skip_ua)
{
	struct chip_cmd *cmd = NULL;

	for (int i = 0; i < UA_TRIES; i++) {
		chip_cmd_free(cmd);
		cmd = chip_cmd_new(chip, sd, cdb, cdb_len, dir, len);
		if (dir == CHIP_OUT)
			memcpy(cmd->data, data, len);
		if (chip_cmd_start(cmd) != TRAN_ACCEPT)
			return cmd;
		chip_cmd_wait(cmd);
		if (!skip_ua || !is_unit_attention(cmd))
			break;
	}
	if (dir == CHIP_IN && data != NULL)
		memcpy(data, cmd->data, len);
	return cmd;
}

void
chip_cdb_rw10(uint8_t cdb[10], bool is_write, uint32_t lba, uint32_t blocks)
{
	memset(cdb, 0, 10);
	cdb[0] = is_write ? SCMD_WRITE_G1 : SCMD_READ_G1;
	be32_put(cdb + 2, lba);
	be16_put(cdb + 7, (uint16_t)blocks);
}

static void
cmd_must_succeed(struct chip_cmd *cmd, const char *what)
{
	const struct scsi_pkt *pkt = cmd->pkt;

	if (cmd->accepted != TRAN_ACCEPT || pkt->pkt_reason != CMD_CMPLT || *pkt->pkt_scbp != 0)
		ck_abort_msg("%s: accepted %d, reason %s, state 0x%x, status 0x%x, sense %06x",
		    what, cmd->accepted, scsi_rname(pkt->pkt_reason), pkt->pkt_state,
		    *pkt->pkt_scbp, chip_sense(cmd));
	chip_cmd_free(cmd);
}

void
chip_read(struct chip *chip, struct scsi_device *sd, uint32_t lba, uint32_t blocks, void *data)
{
	uint8_t cdb[10];

	chip_cdb_rw10(cdb, false, lba, blocks);
	cmd_must_succeed(chip_run(chip, sd, cdb, sizeof(cdb), CHIP_IN, data, blocks * BLOCK,
	    true), "READ(10)");
}

void
chip_write(struct chip *chip, struct scsi_device *sd, uint32_t lba, uint32_t blocks,
    const void *data)
{
	uint8_t cdb[10];

	chip_cdb_rw10(cdb, true, lba, blocks);
	cmd_must_succeed(chip_run(chip, sd, cdb, sizeof(cdb), CHIP_OUT,
	    (void *)(uintptr_t)data, blocks * BLOCK, true), "WRITE(10)");
}

void
chip_inquiry(struct chip *chip, struct scsi_device *sd, uint8_t data[36])
{
	const uint8_t cdb[6] = { SCMD_INQUIRY, 0, 0, 0, 36, 0 };

	cmd_must_succeed(chip_run(chip, sd, cdb, sizeof(cdb), CHIP_IN, data, 36, true),
	    "INQUIRY");
}

int
chip_tur(struct chip *chip, struct scsi_device *sd)
{
	const uint8_t cdb[6] = { SCMD_TEST_UNIT_READY };
	struct chip_cmd *cmd = chip_run(chip, sd, cdb, sizeof(cdb), CHIP_NONE, NULL, 0, true);
	int r;

	if (cmd->accepted != TRAN_ACCEPT)
		ck_abort_msg("TEST UNIT READY is not accepted: %d", cmd->accepted);
	r = cmd->pkt->pkt_reason == CMD_CMPLT ? *cmd->pkt->pkt_scbp : -1 - cmd->pkt->pkt_reason;
	chip_cmd_free(cmd);
	return r;
}
