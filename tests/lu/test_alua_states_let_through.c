/* every command in every asymmetric access state: let through, or refused with its sense */
#include <string.h>

#include "check_main.h"
#include "lu/alua.h"

/* SPC-4 5.15.2.4: letters of the states that execute the command; O optimized, N non-optimized,
 * S standby, U unavailable, F offline, T transitioning. What is not named: "ON" */
static const struct {
	enum op_id id;
	const char *states;
} rows[] = {
	{ OP_INQUIRY, "ONSUFT" },
	{ OP_REPORT_LUNS, "ONSUFT" },
	{ OP_REQUEST_SENSE, "ONSUFT" },
	{ OP_REPORT_TARGET_PORT_GROUPS, "ONSUFT" },
	{ OP_SET_TARGET_PORT_GROUPS, "ONSUFT" },
	{ OP_REPORT_SUPPORTED_OPCODES, "ONSUFT" },
	{ OP_REPORT_SUPPORTED_TMFS, "ONSUFT" },
	{ OP_LOG_SELECT, "ONS" },
	{ OP_LOG_SENSE, "ONS" },
	{ OP_MODE_SELECT_6, "ONS" },
	{ OP_MODE_SELECT_10, "ONS" },
	{ OP_MODE_SENSE_6, "ONS" },
	{ OP_MODE_SENSE_10, "ONS" },
	{ OP_RECEIVE_DIAGNOSTIC, "ONS" },
	{ OP_SEND_DIAGNOSTIC, "ONS" },
	{ OP_PRIN_READ_KEYS, "ONS" },
	{ OP_PRIN_READ_RESERVATION, "ONS" },
	{ OP_PRIN_REPORT_CAPABILITIES, "ONS" },
	{ OP_PRIN_READ_FULL_STATUS, "ONS" },
	{ OP_PROUT_REGISTER, "ONS" },
	{ OP_PROUT_RESERVE, "ONS" },
	{ OP_PROUT_RELEASE, "ONS" },
	{ OP_PROUT_CLEAR, "ONS" },
	{ OP_PROUT_PREEMPT, "ONS" },
	{ OP_PROUT_PREEMPT_AND_ABORT, "ONS" },
	{ OP_PROUT_REGISTER_AND_IGNORE, "ONS" },
	{ OP_PROUT_REGISTER_AND_MOVE, "ONS" },
	{ OP_PROUT_REPLACE_LOST, "ONS" },
};

static const struct {
	enum alua_state state;
	char letter;
	uint16_t asc;
} states[] = {
	{ ALUA_OPTIMIZED, 'O', 0 },
	{ ALUA_NON_OPTIMIZED, 'N', 0 },
	{ ALUA_STANDBY, 'S', 0x040b },
	{ ALUA_UNAVAILABLE, 'U', 0x040c },
	{ ALUA_OFFLINE, 'F', 0x0412 },
	{ ALUA_TRANSITIONING, 'T', 0x040a },
};

static const char *
states_of(enum op_id id)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (rows[i].id == id)
			return rows[i].states;
	}
	return "ON";
}

static void
expect(const struct op_info *op, const uint8_t *cdb, const char *want)
{
	const char *name = op == NULL ? "unknown" : op->name;

	for (size_t i = 0; i < ARRAY_LEN(states); i++) {
		bool is_let = strchr(want, states[i].letter) != NULL;
		struct sense_data sense = { .key = 0 };

		ck_assert_msg(alua_check(states[i].state, op, cdb, &sense) ==
		    (is_let ? ALUA_GO : ALUA_REFUSE), "%s in %c", name, states[i].letter);
		ck_assert_uint_eq(sense.key, is_let ? 0 : SENSE_NOT_READY);
		ck_assert_uint_eq(sense.asc, is_let ? 0 : states[i].asc);
	}
}

START_TEST(commands_are_let_through_by_the_table)
{
	static const uint8_t cdb[OP_CDB_MAX];

	for (const struct op_info *op = op_next(NULL); op != NULL; op = op_next(op))
		expect(op, cdb, states_of(op->id));
	expect(NULL, cdb, "ON");
}
END_TEST

START_TEST(some_modes_of_buffers_are_let_through)
{
	for (uint8_t mode = 0; mode < 32; mode++) {
		const uint8_t cdb[10] = { 0, mode };
		bool is_echo = mode == 0x0a || mode == 0x0b;
		bool is_download = (mode >= 4 && mode <= 7) || (mode >= 0x0d && mode <= 0x0f);

		expect(op_get(OP_READ_BUFFER_10), cdb, is_echo ? "ONSUFT" : "ON");
		expect(op_get(OP_WRITE_BUFFER), cdb,
		    is_echo ? "ONSUFT" : is_download ? "ONUFT" : "ON");
	}
}
END_TEST

CHECK_MAIN("asymmetric access states", commands_are_let_through_by_the_table,
    some_modes_of_buffers_are_let_through)
