#include "mock_pr.h"

#include <check.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"

struct prt prt;

const struct lu_initiator *
prt_initiator(int who)
{
	static struct lu_initiator made[10];
	static const uint8_t isid[LU_ISID_LEN] = { 0x40, 0, 1, 0x37, 0, 0 };
	char name[64];

	who %= 10;
	(void)snprintf(name, sizeof(name), "iqn.2026-11.test:%c", 'a' + who);
	ck_assert_int_eq(lu_initiator_isid(&made[who], name, isid), 0);
	return &made[who];
}

struct pr_nexus
prt_nexus(int who)
{
	struct pr_nexus nexus;

	memset(&nexus, 0, sizeof(nexus));
	pr_nexus_set(&nexus, prt_initiator(who), (uint16_t)(1 + who / 10));
	return nexus;
}

void
prt_begin(uint32_t limit)
{
	memset(&prt, 0, sizeof(prt));
	prt.pr = pr_new(limit);
	ck_assert_ptr_nonnull(prt.pr);
	prt.can_persist = true;
	for (uint16_t p = 0; p < 4; p++)
		prt.ports[prt.n_ports++] = (uint16_t)(p + 1);
	prt.ports[prt.n_ports++] = LU_PORT_LOCAL_RTPI;
}

void
prt_end(void)
{
	pr_free(prt.pr);
	prt.pr = NULL;
}

void
prt_check(void)
{
	const struct pr *pr = prt.pr;
	bool is_alone = pr->type != PR_NONE && !pr_type_is_all(pr->type);

	ck_assert_uint_le(pr->n, pr->limit);
	ck_assert_uint_le(pr->n, pr->room);
	ck_assert(pr->type == PR_NONE || pr_type_is_valid(pr->type));
	if (is_alone)
		ck_assert_uint_lt(pr->holder, pr->n);
	else
		ck_assert_uint_eq(pr->holder, PR_NOBODY);
	/* no assertion for each: they take longer than what they look at */
	for (uint32_t i = 0; i < pr->n; i++)
		if (pr->regs[i].key == 0 || pr_find(pr, &pr->regs[i].nexus) != i)
			ck_abort_msg("registration %u", i);
}

static int
who_is(const struct pr_nexus *nexus)
{
	for (int who = 0; who < PRT_WHO; who++) {
		struct pr_nexus other = prt_nexus(who);

		if (pr_nexus_equal(nexus, &other))
			return who;
	}
	return -1;
}

static void
effects_take(const struct pr *now, const struct pr_result *result, int asked)
{
	memset(prt.ua, 0, sizeof(prt.ua));
	memset(prt.is_aborted, 0, sizeof(prt.is_aborted));
	prt.n_effects = result->n_effects;
	for (size_t i = 0; i < result->n_effects; i++) {
		const struct pr_effect *e = &result->effects[i];
		int who;

		ck_assert_uint_lt(e->reg, now->n);
		who = who_is(&now->regs[e->reg].nexus);
		ck_assert_int_ne(who, asked);
		if (who < 0)
			continue;
		prt.ua[who] = e->asc;
		prt.is_aborted[who] = e->is_abort;
	}
}

uint8_t
prt_out_list(int who, enum pr_action action, uint8_t type, const uint8_t *list, size_t len)
{
	struct pr_nexus nexus = prt_nexus(who);
	struct pr_world world = { prt.ports, prt.n_ports, prt.peers, prt.n_peers };
	struct pr_request req = {
		.nexus = &nexus, .world = &world, .list = list, .list_len = len,
		.action = (uint8_t)action, .scope = (uint8_t)(type >> 4),
		.type = type & 0xf, .can_persist = prt.can_persist,
	};
	struct pr_result result;

	ck_assert_int_eq(pr_out(prt.pr, &req, &result), 0);
	effects_take(prt.pr, &result, who);
	prt.status = result.status;
	prt.sense = result.sense;
	prt.is_changed = result.next != NULL;
	prt.is_save_due = result.is_save_due;
	if (result.status != SAM_STAT_GOOD)
		ck_assert(result.next == NULL && result.n_effects == 0);
	if (result.next != NULL) {
		pr_free(prt.pr);
		prt.pr = STEAL(result.next);
	}
	pr_result_fini(&result);
	prt_check();
	return prt.status;
}

void
prt_list(uint8_t *list, uint64_t key, uint64_t sa_key, uint8_t flags)
{
	memset(list, 0, PR_LIST_LEN);
	be64_put(list, key);
	be64_put(list + 8, sa_key);
	list[20] = flags;
}

uint8_t
prt_out(int who, enum pr_action action, uint8_t type, uint64_t key, uint64_t sa_key,
    uint8_t flags)
{
	uint8_t list[PR_LIST_LEN];

	prt_list(list, key, sa_key, flags);
	return prt_out_list(who, action, type, list, sizeof(list));
}

uint64_t
prt_key(int who)
{
	struct pr_nexus nexus = prt_nexus(who);
	uint32_t i = pr_find(prt.pr, &nexus);

	return i == PR_NOBODY ? 0 : prt.pr->regs[i].key;
}

bool
prt_holds(int who)
{
	struct pr_nexus nexus = prt_nexus(who);

	return pr_is_holder(prt.pr, pr_find(prt.pr, &nexus));
}

void
prt_told(unsigned int asc, ...)
{
	size_t n = 0;
	va_list ap;
	int who;

	va_start(ap, asc);
	while ((who = va_arg(ap, int)) >= 0) {
		ck_assert_msg(prt.ua[who] == asc, "nexus %d was told %04x", who, prt.ua[who]);
		n++;
	}
	va_end(ap);
	ck_assert_uint_eq(prt.n_effects, n);
}
