/* what can you do: made from the opcode table and the table of handlers */
#include <string.h>

#include "base/bytes.h"
#include "base/cursor.h"
#include "hw/soft/disk_impl.h"

#define OPCODES_BUF	4096
#define OPCODES_CTDP	0x02	/* descriptor byte 5: a timeouts descriptor follows */
#define OPCODES_SERVACTV 0x01	/* the service action is meant */
#define SUPPORT_NO	0x01
#define SUPPORT_YES	0x03	/* as the standards say */

enum { ONE_OPCODE = 1, ONE_WITH_SA, ONE_EITHER };

/* command timeouts descriptor: no values, since nothing here has a typical time */
static void
opcodes_put_timeouts(struct cursor *c)
{
	cursor_put_be16(c, 10);
	cursor_put_be16(c, 0);
	cursor_put_be32(c, 0);
	cursor_put_be32(c, 0);
}

static int
opcodes_all(const struct disk *disk, struct disk_cmd *cmd, bool want_timeouts)
{
	uint8_t buf[OPCODES_BUF];
	struct cursor c = cursor_write_init(buf, sizeof(buf));

	cursor_put_be32(&c, 0);
	for (const struct op_info *op = op_next(NULL); op != NULL; op = op_next(op)) {
		if (disk_op_get(disk, op) == NULL)
			continue;
		cursor_put_u8(&c, op->opcode);
		cursor_put_u8(&c, 0);
		cursor_put_be16(&c, op->sa);
		cursor_put_u8(&c, 0);
		cursor_put_u8(&c, (uint8_t)((want_timeouts ? OPCODES_CTDP : 0) |
		    (op->sa_place != OP_SA_NONE ? OPCODES_SERVACTV : 0)));
		cursor_put_be16(&c, op->cdb_len);
		if (want_timeouts)
			opcodes_put_timeouts(&c);
	}
	be32_put(buf, (uint32_t)(c.pos - 4));
	return disk_reply(cmd, buf, c.pos, be32_get(cmd->cdb + 6));
}

static int
opcodes_one(
    const struct disk *disk, struct disk_cmd *cmd, const struct op_info *op, bool want_timeouts)
{
	uint8_t buf[4 + OP_CDB_MAX + 12];
	struct cursor c = cursor_write_init(buf, sizeof(buf));
	bool has = op != NULL && disk_op_get(disk, op) != NULL;
	uint8_t usage[OP_CDB_MAX];
	size_t len = has ? op_usage(op, usage) : 0;

	cursor_put_u8(&c, 0);
	cursor_put_u8(&c, (uint8_t)((has ? SUPPORT_YES : SUPPORT_NO) |
	    (has && want_timeouts ? 0x80 : 0)));
	cursor_put_be16(&c, (uint16_t)len);
	cursor_put_bytes(&c, usage, len);
	if (has && want_timeouts)
		opcodes_put_timeouts(&c);
	return disk_reply(cmd, buf, c.pos, be32_get(cmd->cdb + 6));
}

int
disk_do_report_opcodes(struct disk *disk, struct disk_cmd *cmd)
{
	bool want_timeouts = (cmd->cdb[2] & 0x80) != 0;
	uint8_t option = cmd->cdb[2] & 0x07, opcode = cmd->cdb[3];
	uint16_t sa = be16_get(cmd->cdb + 4);

	switch (option) {
	case 0:
		return opcodes_all(disk, cmd, want_timeouts);
	case ONE_OPCODE:
		if (op_has_sa(opcode))
			return disk_bad_cdb(cmd, 2, 2);
		return opcodes_one(disk, cmd, op_find_sa(opcode, 0), want_timeouts);
	case ONE_WITH_SA:
		if (!op_has_sa(opcode))
			return disk_bad_cdb(cmd, 2, 2);
		return opcodes_one(disk, cmd, op_find_sa(opcode, sa), want_timeouts);
	case ONE_EITHER:
		return opcodes_one(disk, cmd, op_find_sa(opcode, op_has_sa(opcode) ? sa : 0),
		    want_timeouts);
	default:
		return disk_bad_cdb(cmd, 2, 2);
	}
}

/* abort task, abort task set, clear task set, logical unit reset, target reset */
int
disk_do_report_tmfs(struct disk *disk, struct disk_cmd *cmd)
{
	static const uint8_t data[16] = { [0] = 0xda, [3] = 12 };
	bool want_extended = (cmd->cdb[2] & 0x80) != 0;
	uint8_t buf[16];

	(void)disk;
	if (be32_get(cmd->cdb + 6) < 4)
		return disk_bad_cdb(cmd, 6, 7);
	memcpy(buf, data, sizeof(buf));
	if (!want_extended)
		buf[3] = 0;
	return disk_reply(cmd, buf, want_extended ? 16 : 4, be32_get(cmd->cdb + 6));
}
