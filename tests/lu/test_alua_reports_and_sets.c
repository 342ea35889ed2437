/* target port groups: bound, reported in both forms, set, set in part, refused */
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/fault.h"
#include "check_main.h"
#include "lu/alua.h"
#include "lu/port.h"

static const struct lu_port one = { .rtpi = 1, .group = 1 };
static const struct lu_port stranger = { .rtpi = 77, .group = 7 };
static struct alua *alua;
static uint8_t buf[ALUA_RTPG_MAX];
static struct alua_plan plan;
static struct sense_data sense;

/* groups 1 (ports 1, 2) and 2 (port 3) */
static void
begin(void)
{
	alua = alua_new();
	ck_assert_int_eq(alua_bind(alua, 1, 1), 0);
	ck_assert_int_eq(alua_bind(alua, 2, 1), 0);
	ck_assert_int_eq(alua_bind(alua, 3, 2), 0);
}

static int
stpg(const void *list, size_t len)
{
	return alua_stpg(alua, &one, list, len, &plan, &sense);
}

static void
refused(const void *list, size_t len, uint16_t asc, int byte)
{
	plan.n = 99;
	ck_assert_int_eq(stpg(list, len), -EBADMSG);
	ck_assert_uint_eq(plan.n, 99);
	ck_assert_uint_eq(sense.key, SENSE_ILLEGAL_REQUEST);
	ck_assert_uint_eq(sense.asc, asc);
	ck_assert_int_eq(sense.sks == SENSE_SKS_FIELD ? sense.sks_value : -1, byte);
	ck_assert(sense.sks == SENSE_SKS_NONE || !sense.sks_in_cdb);
}

START_TEST(both_headers_are_right)
{
	static const uint8_t want[] = {
		0, 0, 0, 32, 0x10, 0, 0, 0,
		0x00, 0xcf, 0, 1, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2,
		0x81, 0xcf, 0, 2, 0, 2, 0, 1, 0, 0, 0, 3,
	};
	bool is_changed;

	begin();
	ck_assert_int_eq(alua_set(alua, 2, ALUA_NON_OPTIMIZED, &is_changed), 0);
	ck_assert(is_changed);
	ck_assert_int_eq(alua_set(alua, 2, ALUA_NON_OPTIMIZED, &is_changed), 0);
	ck_assert(!is_changed);
	ck_assert_int_eq(alua_prefer(alua, 2, true), 0);
	ck_assert_uint_eq(alua_rtpg(alua, &one, true, buf, sizeof(buf)), sizeof(want));
	ck_assert_mem_eq(buf, want, sizeof(want));
	ck_assert_uint_eq(alua_rtpg(alua, &one, false, buf, sizeof(buf)), sizeof(want) - 4);
	ck_assert_uint_eq(be32_get(buf), sizeof(want) - 8);
	ck_assert_mem_eq(buf + 4, want + 8, sizeof(want) - 8);
	for (size_t size = 0; size < sizeof(want); size++)
		ck_assert_uint_eq(alua_rtpg(alua, &one, true, buf, size), 0);
	alua_free(alua);
}
END_TEST

START_TEST(who_asks_is_reported)
{
	static const uint8_t alone[] = { 0, 0, 0, 12, 0, 0xcf, 0, 7, 0, 0, 0, 1, 0, 0, 0, 77 };
	struct lu_port fourth = { .rtpi = 4, .group = 2 };

	ck_assert_uint_eq(alua_rtpg(NULL, &stranger, false, buf, sizeof(buf)), sizeof(alone));
	ck_assert_mem_eq(buf, alone, sizeof(alone));
	begin();
	ck_assert_uint_eq(alua_rtpg(alua, &stranger, false, buf, sizeof(buf)), 28 + 4 + 12);
	ck_assert_mem_eq(buf + 32, alone + 4, 12);
	/* not bound, but of a group that is */
	ck_assert_uint_eq(alua_rtpg(alua, &fourth, false, buf, sizeof(buf)), 32 + 4);
	ck_assert_uint_eq(buf[4 + 16 + 7], 2);
	ck_assert_uint_eq(be16_get(buf + 34), 4);
	alua_free(alua);
}
END_TEST

START_TEST(groups_without_ports_are_not_reported)
{
	begin();
	alua_unbind(alua, 1);
	alua_unbind(alua, 9);
	ck_assert_uint_eq(alua_rtpg(alua, &stranger, false, buf, sizeof(buf)), 4 + 12 + 12 + 12);
	ck_assert_uint_eq(be16_get(buf + 14), 2);
	alua_unbind(alua, 2);
	alua_unbind(alua, 3);
	ck_assert_uint_eq(alua_rtpg(alua, &stranger, false, buf, sizeof(buf)), 4 + 12);
	refused("\0\0\0\0" "\2\0\0\2", 8, ASC_INVALID_FIELD_IN_LIST, 6);
	/* its state is not forgotten */
	ck_assert_int_eq(alua_bind(alua, 3, 2), 0);
	ck_assert_int_eq(alua_bind(alua, 3, 2), 0);
	ck_assert_int_eq(alua_bind(alua, 3, 1), -EEXIST);
	alua_free(alua);
}
END_TEST

START_TEST(a_list_changes_states)
{
	static const uint8_t list[] = { 0, 0, 0, 0, 2, 0, 0, 1, 3, 0, 0, 2 };
	const struct alua_group *groups = NULL;

	begin();
	ck_assert_int_eq(stpg(list, sizeof(list)), 0);
	ck_assert_uint_eq(plan.n, 2);
	ck_assert_uint_eq(alua_state_of(alua, 1), ALUA_OPTIMIZED);
	alua_begin(alua, &plan);
	ck_assert_uint_eq(alua_state_of(alua, 1), ALUA_TRANSITIONING);
	ck_assert_uint_eq(alua_state_of(alua, 2), ALUA_TRANSITIONING);
	ck_assert(alua_end(alua, &plan, plan.n));
	ck_assert_uint_eq(alua_state_of(alua, 1), ALUA_STANDBY);
	ck_assert_uint_eq(alua_state_of(alua, 2), ALUA_UNAVAILABLE);
	ck_assert_uint_eq(alua_groups(alua, &groups), 2);
	ck_assert_uint_eq(groups[0].cause, ALUA_CAUSE_EXPLICIT);
	/* the same again is no change */
	ck_assert_int_eq(stpg(list, sizeof(list)), 0);
	alua_begin(alua, &plan);
	ck_assert(!alua_end(alua, &plan, plan.n));
	ck_assert_uint_eq(alua_state_of(alua, 2), ALUA_UNAVAILABLE);
	/* nothing, and no group */
	ck_assert_int_eq(stpg(NULL, 0), 0);
	ck_assert_uint_eq(plan.n, 0);
	ck_assert_int_eq(stpg(list, 4), 0);
	ck_assert_uint_eq(plan.n, 0);
	alua_begin(alua, &plan);
	ck_assert(!alua_end(alua, &plan, 0));
	alua_free(alua);
}
END_TEST

START_TEST(what_failed_goes_back)
{
	static const uint8_t list[] = { 0, 0, 0, 0, 2, 0, 0, 2, 3, 0, 0, 1 };
	bool is_changed;

	begin();
	ck_assert_int_eq(stpg(list, sizeof(list)), 0);
	alua_begin(alua, &plan);
	ck_assert(!alua_end(alua, &plan, 0));
	ck_assert_uint_eq(alua_state_of(alua, 1), ALUA_OPTIMIZED);
	ck_assert_uint_eq(alua_state_of(alua, 2), ALUA_OPTIMIZED);
	/* the first in the list happened, the second did not */
	alua_begin(alua, &plan);
	ck_assert(alua_end(alua, &plan, 1));
	ck_assert_uint_eq(alua_state_of(alua, 1), ALUA_OPTIMIZED);
	ck_assert_uint_eq(alua_state_of(alua, 2), ALUA_STANDBY);
	/* what the API says meanwhile stays */
	alua_begin(alua, &plan);
	ck_assert_int_eq(alua_set(alua, 1, ALUA_OFFLINE, &is_changed), 0);
	ck_assert(is_changed);
	ck_assert(!alua_end(alua, &plan, 2));
	ck_assert_uint_eq(alua_state_of(alua, 1), ALUA_OFFLINE);
	alua_free(alua);
}
END_TEST

START_TEST(bad_lists_are_refused_whole)
{
	static const uint8_t states[] = { 4, 5, 0xe, 0xf };
	uint8_t list[12] = { 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2 };
	uint8_t full[ALUA_STPG_MAX + 4] = { 0 };

	begin();
	for (size_t len = 1; len < sizeof(list); len++) {
		if (len % 4 != 0)
			refused(list, len, ASC_PARAMETER_LIST_LENGTH, -1);
	}
	refused(full, sizeof(full), ASC_PARAMETER_LIST_LENGTH, -1);
	for (size_t i = 0; i < sizeof(states); i++) {
		list[8] = states[i];
		refused(list, sizeof(list), ASC_INVALID_FIELD_IN_LIST, 8);
		ck_assert(sense.sks_has_bit && sense.sks_bit == 3);
	}
	list[8] = 0;
	list[11] = 1;	/* twice */
	refused(list, sizeof(list), ASC_INVALID_FIELD_IN_LIST, 10);
	list[11] = 7;	/* nobody's */
	refused(list, sizeof(list), ASC_INVALID_FIELD_IN_LIST, 10);
	/* but the asker's own group is known */
	list[11] = 7;
	ck_assert_int_eq(alua_stpg(alua, &stranger, list, 12, &plan, &sense), 0);
	alua_free(alua);
}
END_TEST

START_TEST(limits_hold)
{
	const struct lu_port last = { .rtpi = 500, .group = 500 };
	const uint8_t list[] = { 0, 0, 0, 0, 1, 0, 500 >> 8, 500 & 0xff };
	const struct alua_port *ports = NULL;
	bool is_changed;

	fault_arm(1);
	ck_assert_ptr_null(alua_new());
	ck_assert(fault_disarm());
	alua = alua_new();
	for (uint16_t i = 0; i < ALUA_PORTS_MAX; i++)
		ck_assert_int_eq(alua_bind(alua, i, i % ALUA_GROUPS_MAX), 0);
	ck_assert_uint_eq(alua_ports(alua, &ports), ALUA_PORTS_MAX);
	ck_assert_int_eq(alua_bind(alua, 900, 0), -ENOSPC);
	ck_assert_uint_eq(alua_rtpg(alua, &last, true, buf, sizeof(buf)), sizeof(buf));
	alua_unbind(alua, 0);
	ck_assert_int_eq(alua_bind(alua, 900, 500), -ENOSPC);
	ck_assert_int_eq(alua_set(alua, 500, ALUA_STANDBY, &is_changed), -ENOSPC);
	ck_assert_int_eq(alua_prefer(alua, 500, true), -ENOSPC);
	ck_assert_int_eq(alua_set(alua, 0, 0x4, &is_changed), -EINVAL);
	ck_assert_int_eq(alua_stpg(alua, &last, list, sizeof(list), &plan, &sense), -EBADMSG);
	ck_assert_uint_eq(sense.asc, ASC_INSUFFICIENT_RESOURCES);
	alua_free(alua);
	alua_free(NULL);
	ck_assert_uint_eq(alua_groups(NULL, NULL), 0);
	ck_assert_uint_eq(alua_ports(NULL, NULL), 0);
}
END_TEST

START_TEST(modes_are_kept)
{
	ck_assert_int_eq(alua_mode(NULL), ALUA_MODE_BOTH);
	alua = alua_new();
	ck_assert_int_eq(alua_mode(alua), ALUA_MODE_BOTH);
	alua_set_mode(alua, ALUA_MODE_IMPLICIT);
	ck_assert_int_eq(alua_mode(alua), ALUA_MODE_IMPLICIT);
	alua_free(alua);
}
END_TEST

CHECK_MAIN("target port groups", both_headers_are_right, who_asks_is_reported,
    groups_without_ports_are_not_reported, a_list_changes_states, what_failed_goes_back,
    bad_lists_are_refused_whole, limits_hold, modes_are_kept)
