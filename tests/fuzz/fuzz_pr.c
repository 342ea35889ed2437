/*
 * fuzz_pr.c - persistent reservations: parameter lists from initiators, saved states from disk
 *
 * The first byte chooses. Even: the rest is a saved state; one that is believed must be a state
 * that can be, and must be the same after it was saved and read again. Odd: the rest is a list
 * of PERSISTENT RESERVE OUT commands (who, service action, scope and type, 16 bits of length,
 * the parameter list); after each the state must be one that can be, the parameter data must
 * have room where it is promised, and a command that fails must change nothing.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "lu/pr.h"
#include "scsi/status.h"

#define UNIT		"unit"
#define LIMIT		6
#define COMMANDS_MAX	64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
state_check(const struct pr *pr)
{
	uint8_t *buf = malloc(pr_in_room(pr)), caps[PR_CAPABILITIES_LEN];

	if (buf == NULL)
		abort();
	assert(pr->n <= pr->limit && pr->n <= pr->room);
	assert(pr->type == PR_NONE || pr_type_is_valid(pr->type));
	if (pr->type != PR_NONE && !pr_type_is_all(pr->type))
		assert(pr->holder < pr->n);
	else
		assert(pr->holder == PR_NOBODY);
	for (uint32_t i = 0; i < pr->n; i++) {
		assert(pr->regs[i].key != 0);
		assert(pr_find(pr, &pr->regs[i].nexus) == i);
	}
	assert(pr_in_keys(pr, buf) == 8 + pr->n * (size_t)8);
	assert(pr_in_reservation(pr, buf) == (pr->type == PR_NONE ? 8 : 24));
	assert(pr_in_full_status(pr, buf) <= pr_in_room(pr));
	assert(pr_in_capabilities(pr, true, caps) == PR_CAPABILITIES_LEN);
	free(buf);
}

static void
round_trip(const struct pr *pr)
{
	uint8_t *buf = malloc(pr_save_room(pr));
	size_t len;
	struct pr *back;

	if (buf == NULL)
		abort();
	len = pr_save(pr, UNIT, strlen(UNIT), buf);
	assert(len <= pr_save_room(pr));
	assert(pr_load(buf, len, UNIT, strlen(UNIT), pr->limit, &back) == 0);
	assert(back->n == pr->n && back->type == pr->type && back->holder == pr->holder);
	for (uint32_t i = 0; i < pr->n; i++)
		assert(back->regs[i].key == pr->regs[i].key &&
		    pr_nexus_equal(&back->regs[i].nexus, &pr->regs[i].nexus));
	pr_free(back);
	free(buf);
}

static void
image(const uint8_t *data, size_t size)
{
	struct pr *pr;

	if (pr_load(data, size, UNIT, strlen(UNIT), LIMIT, &pr) < 0)
		return;
	state_check(pr);
	round_trip(pr);
	pr_free(pr);
}

/* one command; the next state */
static struct pr *
command(struct pr *pr, struct cursor *c, const struct pr_world *world)
{
	uint8_t who = cursor_u8(c), action = cursor_u8(c), type = cursor_u8(c);
	size_t len = cursor_be16(c);
	uint8_t *list = malloc(len + 1);
	struct pr_nexus nexus = { .rtpi = 0 };
	struct pr_request req = { .nexus = &nexus, .world = world, .list = list,
		.action = action & 0x1f, .scope = type >> 4, .type = type & 0xf,
		.can_persist = (who & 0x80) != 0 };
	struct pr_result result;

	if (list == NULL)
		abort();
	if (len > cursor_left(c))
		len = cursor_left(c);
	memcpy(list, cursor_take(c, len), len);
	req.list_len = len;
	pr_nexus_set(&nexus, world->peers[who % world->n_peers], world->ports[who / 16 % 2]);
	if (pr_out(pr, &req, &result) < 0)
		abort();
	assert(result.status == SAM_STAT_GOOD || result.next == NULL);
	assert(result.status == SAM_STAT_GOOD ||
	    result.status == SAM_STAT_RESERVATION_CONFLICT ||
	    (result.status == SAM_STAT_CHECK_CONDITION &&
	    result.sense.key == SENSE_ILLEGAL_REQUEST));
	for (size_t i = 0; i < result.n_effects; i++) {
		assert(result.effects[i].reg < pr->n);
		assert(!pr_nexus_equal(&pr->regs[result.effects[i].reg].nexus, &nexus));
	}
	if (result.next != NULL) {
		pr_free(pr);
		pr = STEAL(result.next);
		state_check(pr);
		round_trip(pr);
	}
	pr_result_fini(&result);
	free(list);
	return pr;
}

static void
commands(const uint8_t *data, size_t size)
{
	static const uint16_t ports[] = { 1, 2, LU_PORT_LOCAL_RTPI };
	static const uint8_t isid[LU_ISID_LEN] = { 0x40 };
	struct lu_initiator who[3];
	const struct lu_initiator *peers[3] = { &who[0], &who[1], &who[2] };
	struct pr_world world = { ports, 3, peers, 3 };
	struct cursor c = cursor_read_init(data, size);
	struct pr *pr = pr_new(LIMIT);

	if (pr == NULL || lu_initiator_isid(&who[0], "iqn.a", isid) < 0 ||
	    lu_initiator_iscsi(&who[1], "iqn.b") < 0)
		abort();
	lu_initiator_sas(&who[2], 7);
	for (int i = 0; i < COMMANDS_MAX && cursor_left(&c) >= 5; i++)
		pr = command(pr, &c, &world);
	pr_free(pr);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	if ((data[0] & 1) == 0)
		image(data + 1, size - 1);
	else
		commands(data + 1, size - 1);
	return 0;
}
