/* row 12: whoever had the chip before died at the worst moment: attach works. What becomes of
 * memory when a process is killed, the guest tests show */
#include "mptsas.h"

static const struct chip_spec detached =
	MPT_SPEC(.is_detached = true, .n_disks = 1, .disks = { MPT_DISK(0) });

static void
works(struct chip *chip)
{
	chip_attach_all(chip);
	ck_assert_int_eq(chip_tur(chip, mpt_unit(chip, 0, 0)), 0);
	ck_assert(mpt_state_is(chip, "ready"));
}

/* the doorbell as it was in the middle of a handshake */
START_TEST(in_a_handshake)
{
	struct chip *chip = chip_start(&detached);

	chip_register_put(chip, MPT_BAR, MPT_DOORBELL, 4,
	    MPT_DB_FUNCTION(MPT_DB_HANDSHAKE) | MPT_DB_DWORDS(3));
	chip_register_put(chip, MPT_BAR, MPT_DOORBELL, 4, MPT_DB_FUNCTION(MPT_FN_IOC_FACTS));
	works(chip);
	ck_assert_int_eq(chip_detach(chip), 0);
	chip_stop(chip);
}
END_TEST

/* given back in order, and taken again */
START_TEST(given_back)
{
	static const struct chip_spec slow = MPT_SPEC(.n_disks = 1, .disks = {
		MPT_DISK(0, .store = CHIP_NULL, .latency_ms = 500) });
	struct chip *chip = chip_start(&slow);

	ck_assert_int_eq(chip_detach(chip), 0);
	works(chip);
	ck_assert_int_eq(chip_detach(chip), 0);
	works(chip);
	chip_stop(chip);
}
END_TEST

static bool
never(void *arg, unsigned int bar, uint64_t off, unsigned int width, uint64_t value)
{
	(void)arg;
	(void)width;
	(void)value;
	/* what would stop it: the doorbell and the diagnostic register */
	return !(bar == MPT_BAR && (off == MPT_DOORBELL || off == MPT_DIAGNOSTIC));
}

/* a chip that cannot be stopped at detach is stopped at the next attach */
START_TEST(not_stopped)
{
	struct chip *chip = chip_start(&detached);

	works(chip);
	chip_on_write(chip, never, NULL);
	(void)chip_detach(chip);
	chip_on_write(chip, NULL, NULL);
	ck_assert_uint_eq(MPT_DB_STATE((uint32_t)chip_register_get(chip, MPT_BAR, MPT_DOORBELL,
	    4)), MPT_ST_OPERATIONAL);
	works(chip);
	chip_stop(chip);
}
END_TEST

CHECK_MAIN("mptsas: leftovers", in_a_handshake, given_back, not_stopped)
