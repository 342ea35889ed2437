/* what the adapter can do, and what may be said to it about that */
#include "virtio.h"

static const struct chip_spec spec = {
	VIRTIO_SPEC, .disks = { { .target = 0, .lun = 0 } }, .n_disks = 1,
};

static const struct {
	char name[24];
	int value, set_one, set_zero;
} rows[] = {
	{ "dma-max", 65535 * 512, 0, 0 },
	{ "msg-out", 1, 0, 0 },
	{ "disconnect", 1, 1, 0 },
	{ "synchronous", 1, 1, 0 },
	{ "wide-xfer", 1, 1, 0 },
	{ "parity", 1, 0, 0 },
	{ "initiator-id", -1, 0, 0 },
	{ "untagged-qing", 1, 0, 0 },
	{ "tagged-qing", 1, 1, 0 },
	{ "auto-rqsense", 1, 1, 0 },
	{ "linked-cmds", 0, 0, 0 },
	{ "reset-notification", 1, 0, 0 },
	{ "scsi-version", 3, 0, 0 },
	{ "interconnect-type", INTERCONNECT_SAS, 0, 0 },
	{ "lun-reset", 1, 1, 0 },
	{ "max-cdb-length", 32, 0, 0 },
	{ "no-such-thing", -1, -1, -1 },
};

START_TEST(as_told)
{
	struct chip *chip = chip_start(&spec);
	struct scsi_address *ap = &chip_await_unit(chip, 0, 0)->sd_address;
	char name[24];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		memcpy(name, rows[i].name, sizeof(name));
		ck_assert_msg(scsi_ifgetcap(ap, name, 1) == rows[i].value, "%s", name);
		ck_assert_msg(scsi_ifsetcap(ap, name, 0, 1) == rows[i].set_zero, "%s = 0",
		    name);
		ck_assert_msg(scsi_ifsetcap(ap, name, 1, 1) == rows[i].set_one, "%s = 1", name);
		ck_assert_msg(scsi_ifgetcap(ap, name, 1) == rows[i].value, "%s", name);
	}
	ck_assert_int_eq(scsi_ifsetcap(ap, (char[]){ "sector-size" }, 4096, 1), 1);
	ck_assert_int_eq(scsi_ifsetcap(ap, (char[]){ "sector-size" }, 1000, 1), 0);
	chip_stop(chip);
}
END_TEST

START_TEST(cdbs_up_to_32_bytes)
{
	/* READ(32): the emulated disk does not know it, and says so; the chip has carried it */
	static const uint8_t cdb[32] = { 0x7f, [7] = 0x18, [9] = 0x09, [31] = 1 };
	static const uint8_t longer[36] = { 0x7f };
	struct chip *chip = chip_start(&spec);
	struct scsi_device *sd = chip_await_unit(chip, 0, 0);
	struct chip_cmd *cmd;
	uint8_t data[512];

	cmd = chip_run(chip, sd, cdb, sizeof(cdb), CHIP_IN, data, sizeof(data), true);
	ck_assert_uint_eq(cmd->pkt->pkt_reason, CMD_CMPLT);
	ck_assert_uint_eq(chip_sense(cmd), 0x052000);
	chip_cmd_free(cmd);
	ck_assert_ptr_null(scsi_init_pkt(&sd->sd_address, NULL, NULL, sizeof(longer), 1, 0, 0,
	    NULL_FUNC, NULL));
	chip_stop(chip);
}
END_TEST

CHECK_MAIN("virtio capabilities", as_told, cdbs_up_to_32_bytes)
