/* long random sequences: what must always hold, and every state can be saved and read */
#include "check_main.h"
#include "mock_pr.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/fault.h"
#include "base/rng.h"

#define UNIT	"unit 7"

static void
states_are_equal(const struct pr *a, const struct pr *b)
{
	ck_assert_uint_eq(a->n, b->n);
	ck_assert_uint_eq(a->type, b->type);
	ck_assert_uint_eq(a->holder, b->holder);
	for (uint32_t i = 0; i < a->n; i++)
		if (a->regs[i].key != b->regs[i].key ||
		    !pr_nexus_equal(&a->regs[i].nexus, &b->regs[i].nexus))
			ck_abort_msg("registration %u", i);
}

static void
round_trip(void)
{
	uint8_t *buf = malloc(pr_save_room(prt.pr));
	size_t len = pr_save(prt.pr, UNIT, strlen(UNIT), buf);
	struct pr *back;

	ck_assert_int_eq(pr_load(buf, len, UNIT, strlen(UNIT), 8, &back), 0);
	ck_assert_uint_eq(back->generation, 0);
	ck_assert(back->is_aptpl);
	states_are_equal(prt.pr, back);
	pr_free(back);
	ck_assert_int_eq(pr_load(buf, len, "unit 8", 6, 8, &back), -EBADMSG);
	ck_assert_int_eq(pr_load(buf, len, UNIT "x", 7, 8, &back), -EBADMSG);
	free(buf);
}

/* one random command; keys are few, so that they meet */
static void
step(struct rng *rng)
{
	static const uint8_t types[] = { PR_WE, PR_EA, PR_WERO, PR_EARO, PR_WEAR, PR_EAAR, 2 };
	uint8_t list[PR_LIST_LEN + 4 + LU_TRANSPORT_ID_MAX];
	int who = (int)rng_below(rng, 2) * 10 + (int)rng_below(rng, 4);
	enum pr_action action = (enum pr_action)rng_below(rng, PR_REPLACE_LOST + 1);
	uint64_t key = rng_below(rng, 3) != 0 ? prt_key(who) : rng_below(rng, 4);
	uint8_t type = types[rng_below(rng, ARRAY_LEN(types))];
	uint8_t flags = (uint8_t)(rng_next(rng) & (PRT_APTPL | PRT_ALL_TG_PT));
	const struct lu_initiator *other = prt_initiator((int)rng_below(rng, 4));
	uint32_t generation = prt.pr->generation;
	bool was_aptpl = prt.pr->is_aptpl;
	size_t len = PR_LIST_LEN;

	if (action == PR_REGISTER && rng_below(rng, 4) == 0)
		flags |= PRT_SPEC_I_PT;
	prt_list(list, key, rng_below(rng, 4), flags);
	if ((flags & PRT_SPEC_I_PT) != 0 || action == PR_REGISTER_AND_MOVE) {
		size_t at = action == PR_REGISTER ? PR_LIST_LEN + 4 : PR_LIST_LEN;

		if (action == PR_REGISTER_AND_MOVE) {
			list[17] = (uint8_t)rng_below(rng, 4);
			be16_put(list + 18, (uint16_t)(1 + rng_below(rng, 2)));
		}
		be32_put(list + at - 4, other->id_len);
		memcpy(list + at, other->id, other->id_len);
		len = at + other->id_len;
	}
	if (action == PR_RELEASE && rng_below(rng, 2) == 0)
		type = prt.pr->type;
	(void)prt_out_list(who, action, type, list, len);
	if (!prt.is_changed) {
		ck_assert(!prt.is_save_due);
		return;
	}
	ck_assert_uint_eq(prt.pr->generation, generation +
	    (action != PR_RESERVE && action != PR_RELEASE));
	ck_assert(prt.is_save_due == (was_aptpl || prt.pr->is_aptpl));
	round_trip();
}

START_TEST(sequences)
{
	for (uint64_t seed = 0; seed < 50; seed++) {
		struct rng rng = rng_init(seed);

		prt_begin(1 + (uint32_t)rng_below(&rng, 12));
		for (int i = 0; i < 400; i++)
			step(&rng);
		prt_end();
	}
}
END_TEST

/* an image with something wrong in it, at every place */
START_TEST(bad_images)
{
	static uint8_t buf[4096], bad[4096];
	struct pr *back;
	size_t len;

	prt_begin(8);
	(void)prt_out(0, PR_REGISTER, 0, 0, 1, PRT_APTPL);
	(void)prt_out(1, PR_REGISTER, 0, 0, 2, PRT_APTPL);
	(void)prt_out(1, PR_RESERVE, PR_WERO, 2, 0, 0);
	len = pr_save(prt.pr, UNIT, strlen(UNIT), buf);
	for (size_t cut = 0; cut < len; cut++)
		ck_assert_int_eq(pr_load(buf, cut, UNIT, strlen(UNIT), 8, &back), -EBADMSG);
	ck_assert_int_eq(pr_load(buf, len + 1, UNIT, strlen(UNIT), 8, &back), -EBADMSG);
	for (size_t i = 0; i < len; i++)
		for (int bit = 0; bit < 8; bit++) {
			memcpy(bad, buf, len);
			bad[i] ^= (uint8_t)(1 << bit);
			if (pr_load(bad, len, UNIT, strlen(UNIT), 8, &back) == 0) {
				struct pr *keep = prt.pr;

				prt.pr = back;	/* different, but one that can be */
				prt_check();
				prt.pr = keep;
				pr_free(back);
			}
		}
	/* one nexus twice, no key, no port, too many, a holder where none can be */
	memcpy(bad, buf, len);
	memcpy(bad + 22 + 52, buf + 22, 52);	/* both registrations have 52 bytes */
	ck_assert_uint_eq(len, 22 + 2 * 52);
	ck_assert_int_eq(pr_load(bad, len, UNIT, strlen(UNIT), 8, &back), -EBADMSG);
	memcpy(bad, buf, len);
	memset(bad + 22, 0, 8);
	ck_assert_int_eq(pr_load(bad, len, UNIT, strlen(UNIT), 8, &back), -EBADMSG);
	memcpy(bad, buf, len);
	memset(bad + 30, 0, 2);
	ck_assert_int_eq(pr_load(bad, len, UNIT, strlen(UNIT), 8, &back), -EBADMSG);
	memcpy(bad, buf, len);
	be32_put(bad + 8, PR_LIMIT_MAX + 1);
	ck_assert_int_eq(pr_load(bad, len, UNIT, strlen(UNIT), 8, &back), -EBADMSG);
	memcpy(bad, buf, len);
	bad[4] = PR_WEAR;
	ck_assert_int_eq(pr_load(bad, len, UNIT, strlen(UNIT), 8, &back), -EBADMSG);
	bad[4] = PR_NONE;
	ck_assert_int_eq(pr_load(bad, len, UNIT, strlen(UNIT), 8, &back), -EBADMSG);
	/* a limit that was lowered meanwhile does not lose anybody */
	ck_assert_int_eq(pr_load(buf, len, UNIT, strlen(UNIT), 1, &back), 0);
	ck_assert_uint_eq(back->limit, 2);
	ck_assert_uint_eq(back->n, 2);
	pr_free(back);
	fault_arm(1);
	ck_assert_int_eq(pr_load(buf, len, UNIT, strlen(UNIT), 1, &back), -ENOMEM);
	(void)fault_disarm();
	prt_end();
}
END_TEST

CHECK_MAIN("pr_random", sequences, bad_images)
