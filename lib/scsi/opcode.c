#include "scsi/opcode.h"

#include <string.h>

#include "base/bytes.h"
#include "scsi/opcode_table.h"

const struct op_info *
op_get(enum op_id id)
{
	return &op_rows[id];
}

const struct op_info *
op_find_sa(uint8_t opcode, uint16_t sa)
{
	const struct op_info *op = op_first[opcode];

	for (; op != NULL && op->opcode == opcode; op = op_next(op)) {
		if (op->sa_place == OP_SA_NONE || op->sa == sa)
			return op;
	}
	return NULL;
}

const struct op_info *
op_find(const uint8_t *cdb, size_t len)
{
	const struct op_info *op = len == 0 ? NULL : op_first[cdb[0]];

	if (op == NULL)
		return NULL;
	switch (op->sa_place) {
	case OP_SA_NONE:
		return op;
	case OP_SA_BYTE1:
		return len < 2 ? NULL : op_find_sa(cdb[0], cdb[1] & 0x1f);
	case OP_SA_BYTES8:
		return len < 10 ? NULL : op_find_sa(cdb[0], be16_get(cdb + 8));
	}
	return NULL;
}

bool
op_has_sa(uint8_t opcode)
{
	const struct op_info *first = op_first[opcode];

	return first != NULL && first->sa_place != OP_SA_NONE;
}

const struct op_info *
op_next(const struct op_info *op)
{
	if (op == NULL)
		return op_rows;
	return op + 1 < op_rows + OP_N ? op + 1 : NULL;
}

size_t
op_usage(const struct op_info *op, uint8_t usage[OP_CDB_MAX])
{
	memcpy(usage, op->usage, op->cdb_len);
	usage[0] = op->opcode;
	if (op->sa_place == OP_SA_BYTE1)
		usage[1] = (uint8_t)((usage[1] & 0xe0) | op->sa);
	else if (op->sa_place == OP_SA_BYTES8)
		be16_put(usage + 8, op->sa);
	return op->cdb_len;
}

const char *
op_dir_name(enum op_dir dir)
{
	static const char *const names[] = {
		[OP_DIR_NONE] = "none",
		[OP_DIR_IN] = "in",
		[OP_DIR_OUT] = "out",
		[OP_DIR_BOTH] = "both",
	};

	return names[dir];
}

const char *
op_policy_name(enum op_policy policy)
{
	static const char *const names[OP_POLICY_N] = {
		[OP_INFO] = "info",
		[OP_READ] = "read",
		[OP_WRITE] = "write",
		[OP_RESERVE] = "reserve",
		[OP_MANAGE] = "manage",
		[OP_FIRMWARE] = "firmware",
		[OP_SECURITY] = "security",
	};

	return names[policy];
}
