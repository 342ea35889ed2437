/* split rings: both indices wrap, kicks and interrupts are asked for when they are needed, and
 * a device that returns what it has not is found out */
#include <errno.h>
#include <string.h>

#include "check_main.h"
#include "hw/virtio_scsi/ring.h"

#define SIZE	8

static _Alignas(64) uint8_t mem[4096];
static struct vs_ring ring;

static uint16_t *
used16(size_t i)
{
	return (uint16_t *)(void *)(mem + vs_ring_used_off(SIZE)) + i;
}

static uint16_t *
avail16(size_t i)
{
	return (uint16_t *)(void *)(mem + vs_ring_avail_off(SIZE)) + i;
}

/* the device's side: chain @head is done */
static void
device_returns(uint32_t head)
{
	uint16_t idx = *used16(1);

	memcpy(used16(2 + 4 * (size_t)(idx % SIZE)), &head, sizeof(head));
	*used16(1) = (uint16_t)(idx + 1);
}

static void
make(bool has_event_idx)
{
	memset(mem, 0xa5, sizeof(mem));
	vs_ring_init(&ring, mem, SIZE, has_event_idx);
}

START_TEST(parts_do_not_overlap)
{
	for (unsigned int size = 1; size <= VS_RING_SIZE_MAX; size *= 2) {
		size_t avail = vs_ring_avail_off((uint16_t)size);
		size_t used = vs_ring_used_off((uint16_t)size);

		ck_assert_uint_eq(avail, 16u * size);
		ck_assert_uint_ge(used, avail + 6 + 2u * size);
		ck_assert_uint_eq(used % 4, 0);
		ck_assert_uint_eq(vs_ring_bytes((uint16_t)size), used + 6 + 8u * size);
	}
}
END_TEST

START_TEST(memory_of_an_earlier_life_is_no_command)
{
	make(true);
	for (size_t i = 0; i < vs_ring_bytes(SIZE); i++)
		ck_assert_uint_eq(mem[i], 0);
}
END_TEST

START_TEST(indices_wrap)
{
	uint16_t head;

	make(true);
	for (unsigned int i = 0; i < 3 * 65536 + 5; i++) {
		uint16_t want = (uint16_t)(i * 5 % SIZE);
		bool is_right;

		vs_ring_put(&ring, want);
		is_right = *avail16(2 + i % SIZE) == want && *avail16(1) == (uint16_t)(i + 1);
		device_returns(want);
		is_right = is_right && vs_ring_get(&ring, &head) == 1 && head == want &&
		    vs_ring_get(&ring, &head) == 0;
		if (!is_right)
			ck_abort_msg("at entry %u", i);
	}
	ck_assert_uint_eq(ring.in_flight, 0);
}
END_TEST

START_TEST(all_entries_can_be_out_at_the_wrap)
{
	uint16_t head;

	make(true);
	for (unsigned int round = 0; round < 65536 / SIZE + 3; round++) {
		for (uint16_t i = 0; i < SIZE; i++)
			vs_ring_put(&ring, i);
		for (uint16_t i = SIZE; i > 0; i--)
			device_returns(i - 1u);
		for (uint16_t i = SIZE; i > 0; i--) {
			if (vs_ring_get(&ring, &head) != 1 || head != i - 1)
				ck_abort_msg("round %u, entry %u", round, i);
		}
		if (vs_ring_get(&ring, &head) != 0)
			ck_abort_msg("round %u: more than were given", round);
	}
}
END_TEST

START_TEST(kicks_follow_the_event_index)
{
	make(true);
	ck_assert(!vs_ring_want_kick(&ring));
	vs_ring_put(&ring, 0);
	ck_assert(vs_ring_want_kick(&ring));	/* avail_event is 0: the first one */
	ck_assert(!vs_ring_want_kick(&ring));
	vs_ring_put(&ring, 1);
	ck_assert(!vs_ring_want_kick(&ring));	/* it has not asked again */
	*used16(2 + 4 * SIZE) = 3;		/* tell me of the fourth */
	vs_ring_put(&ring, 2);
	ck_assert(!vs_ring_want_kick(&ring));
	vs_ring_put(&ring, 3);
	ck_assert(vs_ring_want_kick(&ring));
}
END_TEST

START_TEST(one_kick_tells_of_several)
{
	make(true);
	*used16(2 + 4 * SIZE) = 1;
	for (uint16_t i = 0; i < 4; i++)
		vs_ring_put(&ring, i);
	ck_assert(vs_ring_want_kick(&ring));
	ck_assert(!vs_ring_want_kick(&ring));
}
END_TEST

START_TEST(kicks_follow_the_event_index_at_the_wrap)
{
	uint16_t head;

	make(true);
	for (unsigned int i = 0; i < 65535; i++) {
		vs_ring_put(&ring, 0);
		device_returns(0);
		if (vs_ring_get(&ring, &head) != 1)
			ck_abort_msg("at entry %u", i);
	}
	(void)vs_ring_want_kick(&ring);
	*used16(2 + 4 * SIZE) = 65535;
	vs_ring_put(&ring, 0);
	ck_assert_uint_eq(ring.avail_idx, 0);
	ck_assert(vs_ring_want_kick(&ring));
}
END_TEST

START_TEST(without_event_index_flags_count)
{
	make(false);
	vs_ring_put(&ring, 0);
	ck_assert(vs_ring_want_kick(&ring));
	*used16(0) = VS_USED_NO_NOTIFY;
	vs_ring_put(&ring, 1);
	ck_assert(!vs_ring_want_kick(&ring));
	vs_ring_disarm(&ring);
	ck_assert_uint_eq(*avail16(0), VS_AVAIL_NO_INTERRUPT);
	ck_assert(!vs_ring_arm(&ring));
	ck_assert_uint_eq(*avail16(0), 0);
}
END_TEST

START_TEST(arming_sees_what_came_meanwhile)
{
	uint16_t head;

	make(true);
	vs_ring_put(&ring, 3);
	vs_ring_put(&ring, 4);
	ck_assert(!vs_ring_arm(&ring));
	ck_assert_uint_eq(*avail16(2 + SIZE), 0);
	device_returns(3);
	ck_assert(vs_ring_arm(&ring));
	ck_assert_int_eq(vs_ring_get(&ring, &head), 1);
	ck_assert(!vs_ring_arm(&ring));
	ck_assert_uint_eq(*avail16(2 + SIZE), 1);
	vs_ring_disarm(&ring);
	ck_assert_uint_eq(*avail16(0), 0);
}
END_TEST

START_TEST(a_jump_of_the_index_is_refused)
{
	uint16_t head = 77;

	make(true);
	vs_ring_put(&ring, 0);
	*used16(1) = 2;
	ck_assert_int_eq(vs_ring_get(&ring, &head), -EPROTO);
	*used16(1) = 0x8000;
	ck_assert_int_eq(vs_ring_get(&ring, &head), -EPROTO);
	*used16(1) = 0xffff;
	ck_assert_int_eq(vs_ring_get(&ring, &head), -EPROTO);
	ck_assert_uint_eq(head, 77);
	ck_assert_uint_eq(ring.in_flight, 1);
}
END_TEST

START_TEST(a_head_outside_is_refused)
{
	const uint32_t heads[] = { SIZE, 0xffff, 0x10000, 0xffffffff };
	uint16_t head = 77;

	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		make(true);
		vs_ring_put(&ring, 0);
		device_returns(heads[i]);
		ck_assert_int_eq(vs_ring_get(&ring, &head), -EPROTO);
	}
	ck_assert_uint_eq(head, 77);
}
END_TEST

CHECK_MAIN("rings", parts_do_not_overlap, memory_of_an_earlier_life_is_no_command, indices_wrap,
    all_entries_can_be_out_at_the_wrap, kicks_follow_the_event_index, one_kick_tells_of_several,
    kicks_follow_the_event_index_at_the_wrap, without_event_index_flags_count,
    arming_sees_what_came_meanwhile, a_jump_of_the_index_is_refused,
    a_head_outside_is_refused)
