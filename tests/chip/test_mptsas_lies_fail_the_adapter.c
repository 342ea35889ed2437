/* a chip that lies: its adapter fails at once, every command ends once, another adapter goes
 * on, and the chip is given a second chance */
#include <sys/ddi_intr.h>

#include "base/bytes.h"
#include "mptsas.h"
#include "stop_clock.h"

static const struct chip_spec spec = MPT_SPEC(.n_disks = 2, .twins = 1,
	.intr_types = DDI_INTR_TYPE_MSI, .disks = {
	MPT_DISK(0), MPT_DISK(1),
});

static struct chip *chip;
static struct chip_cmd *held;
static _Atomic uint32_t last_frame;		/* posted last */
static _Atomic uint32_t last_reply;		/* reply frame the chip was given last */

static bool
look(void *arg, unsigned int bar, uint64_t off, unsigned int width, uint64_t value)
{
	(void)arg;
	(void)width;
	if (bar == MPT_BAR && off == MPT_REQUEST_FIFO)
		last_frame = (uint32_t)value;
	if (bar == MPT_BAR && off == MPT_REPLY_FIFO)
		last_reply = (uint32_t)value;
	return true;
}

static void
begin(void)
{
	uint8_t cdb[10];

	chip = chip_start(&spec);
	(void)chip_tur(chip, mpt_unit(chip, 0, 0));
	(void)chip_tur(chip, mpt_unit(chip, 1, 0));
	chip_on_write(chip, look, NULL);
	/* a complaint: it gives a reply frame back */
	chip_cdb_rw10(cdb, false, 0x7fffffff, 1);
	held = chip_cmd_new(chip, mpt_unit(chip, 0, 0), cdb, sizeof(cdb), CHIP_IN, 512);
	ck_assert_int_eq(chip_cmd_start(held), TRAN_ACCEPT);
	chip_cmd_wait(held);
	chip_cmd_free(held);
	chip_cdb_rw10(cdb, false, 0, 1);
	held = chip_cmd_new(chip, mpt_unit(chip, 1, 0), cdb, sizeof(cdb), CHIP_IN, 512);
}

static bool
has_failed(void *arg)
{
	(void)arg;
	return mpt_prop(chip, "hba-failures") == 1;
}

/* the lie has been told */
static void
ends_in_failure(uint64_t since_ns)
{
	uint64_t took_ns;

	chip_await(chip, has_failed, NULL, "failure");
	took_ns = clock_now_ns() - since_ns;
	chip_poke_none(chip);
	ck_assert_uint_lt(took_ns, chip_at_once_ns());
	ck_assert(mpt_state_is(chip_twin(chip, 1), "ready"));
}

static bool
is_ready(void *arg)
{
	(void)arg;
	return mpt_state_is(chip, "ready");
}

static void
end(void)
{
	chip_await(chip, is_ready, NULL, "a second chance");
	ck_assert_int_eq(chip_tur(chip, mpt_unit(chip, 0, 0)), 0);
	ck_assert_int_eq(mpt_prop(chip, "hba-failures"), 1);
	ck_assert_int_eq(mpt_prop(chip_twin(chip, 1), "hba-failures"), 0);
	chip_cmd_free(held);
	chip_on_write(chip, NULL, NULL);
	chip_stop(chip);
}

/* one word in the reply FIFO that the chip never wrote */
static void
says(uint32_t word)
{
	uint64_t now_ns = clock_now_ns();

	chip_poke_read(chip, MPT_BAR, MPT_REPLY_FIFO, 4, word, 1);
	chip_interrupt(chip, 0);
	ends_in_failure(now_ns);
	end();
}

START_TEST(an_idle_slot)
{
	begin();
	says(0x00000455);
}
END_TEST

START_TEST(a_slot_beyond_all)
{
	begin();
	says(0x000003ff);
}
END_TEST

START_TEST(a_reply_for_targets)
{
	begin();
	says(0x20000000);
}
END_TEST

START_TEST(a_frame_elsewhere)
{
	begin();
	says(0x80000000 | 0x1000);
}
END_TEST

START_TEST(a_frame_askew)
{
	begin();
	says(0x80000000 | (last_reply + 4) >> 1);
}
END_TEST

START_TEST(a_reply_of_no_length)
{
	begin();
	memset(chip_memory(chip, last_reply, 128), 0, 128);
	says(0x80000000 | last_reply >> 1);
}
END_TEST

START_TEST(the_same_reply_again)
{
	begin();
	says(0x80000000 | last_reply >> 1);
}
END_TEST

static void
own_reply(uint8_t function, uint32_t context)
{
	uint8_t *reply = chip_memory(chip, last_reply, 128);

	memset(reply, 0, 128);
	reply[MPT_R_LENGTH] = 5;
	reply[MPT_FUNCTION] = function;
	le32_put(reply + MPT_CONTEXT, context);
}

START_TEST(a_message_nobody_sent)
{
	begin();
	own_reply(MPT_FN_CONFIG, 0);
	says(0x80000000 | last_reply >> 1);
}
END_TEST

START_TEST(an_event_nobody_wants)
{
	begin();
	own_reply(MPT_FN_EVENTS, 2);
	says(0x80000000 | last_reply >> 1);
}
END_TEST

static void
reply_to_last(uint32_t sense_count, uint8_t dwords)
{
	uint8_t *reply = chip_memory(chip, last_reply, 128);
	const uint8_t *frame = chip_memory(chip, last_frame, 64);

	memset(reply, 0, 128);
	reply[MPT_R_LENGTH] = dwords;
	reply[MPT_FUNCTION] = MPT_FN_SCSI_IO;
	le32_put(reply + MPT_CONTEXT, le32_get(frame + MPT_CONTEXT));
	reply[MPT_IOR_SCSI_STATUS] = STATUS_CHECK;
	reply[MPT_IOR_STATE] = MPT_IO_STATE_SENSE;
	le32_put(reply + MPT_IOR_SENSE_COUNT, sense_count);
}

/* a reply to a command that is held back, which so was never the model's */
static bool
hold(void *arg, unsigned int bar, uint64_t off, unsigned int width, uint64_t value)
{
	(void)look(arg, bar, off, width, value);
	return bar != MPT_BAR || off != MPT_REQUEST_FIFO;
}

static void
held_command_is_answered(uint32_t sense_count, uint8_t dwords)
{
	uint64_t now_ns;

	begin();
	chip_on_write(chip, hold, NULL);
	ck_assert_int_eq(chip_cmd_start(held), TRAN_ACCEPT);
	chip_on_write(chip, look, NULL);
	reply_to_last(sense_count, dwords);
	now_ns = clock_now_ns();
	chip_poke_read(
	    chip, MPT_BAR, MPT_REPLY_FIFO, 4, 0x80000000 | last_reply >> 1, 1);
	chip_interrupt(chip, 0);
	chip_cmd_wait(held);
	ck_assert_uint_eq(held->pkt->pkt_reason, CMD_TRAN_ERR);
	ck_assert_uint_eq(held->pkt->pkt_state, STATE_GOT_BUS);
	ck_assert_uint_eq(held->completions, 1);
	ends_in_failure(now_ns);
	end();
}

START_TEST(too_much_sense)
{
	held_command_is_answered(253, 9);
}
END_TEST

START_TEST(a_reply_cut_short)
{
	held_command_is_answered(0, 5);
}
END_TEST

/* a command in flight, and the chip reads as ones: nothing interrupts, the watch sees it */
START_TEST(all_ones)
{
	uint64_t now_ns;

	begin();
	chip_on_write(chip, hold, NULL);
	ck_assert_int_eq(chip_cmd_start(held), TRAN_ACCEPT);
	chip_on_write(chip, look, NULL);
	now_ns = clock_now_ns();
	chip_poke_read(chip, MPT_BAR, MPT_DOORBELL, 4, UINT32_MAX, UINT32_MAX);
	chip_poke_read(chip, MPT_BAR, MPT_INT_STATUS, 4, UINT32_MAX, UINT32_MAX);
	ends_in_failure(now_ns);
	chip_cmd_wait(held);
	ck_assert_uint_eq(held->pkt->pkt_reason, CMD_TRAN_ERR);
	ck_assert_uint_eq(held->completions, 1);
	end();
}
END_TEST

static bool
storm(void *arg)
{
	chip_interrupt(chip, 0);
	return has_failed(arg);
}

/* a reply ends the count, and every look at the topology brings some: none, while it takes its
 * time on a slow machine */
START_TEST(interrupts_without_end)
{
	stop_clock_use();
	begin();
	stop_clock();
	chip_poke_read(chip, MPT_BAR, MPT_INT_STATUS, 4, MPT_INT_REPLY, UINT32_MAX);
	while (!storm(NULL))
		;
	chip_poke_none(chip);
	stop_clock_end();
	end();
}
END_TEST

/* pulled out: the commands end, and the adapter is given up */
static bool
is_dead(void *arg)
{
	(void)arg;
	return mpt_state_is(chip, "dead");
}

START_TEST(pulled_out)
{
	begin();
	chip_on_write(chip, hold, NULL);
	ck_assert_int_eq(chip_cmd_start(held), TRAN_ACCEPT);
	chip_on_write(chip, NULL, NULL);
	chip_kill(chip);
	chip_cmd_wait(held);
	ck_assert_uint_eq(held->pkt->pkt_reason, CMD_TRAN_ERR);
	chip_await(chip, is_dead, NULL, "the end");
	ck_assert_int_eq(chip_cmd_start(held), TRAN_FATAL_ERROR);
	chip_cmd_free(held);
	chip_stop(chip);
}
END_TEST

CHECK_MAIN("mptsas: lies", an_idle_slot, a_slot_beyond_all, a_reply_for_targets,
    a_frame_elsewhere, a_frame_askew, a_reply_of_no_length, the_same_reply_again,
    a_message_nobody_sent, an_event_nobody_wants, too_much_sense, a_reply_cut_short, all_ones,
    interrupts_without_end, pulled_out)
