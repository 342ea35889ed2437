/* what a virtio SCSI adapter says: configuration space, rings, answers, events */
#include <assert.h>
#include <stdint.h>
#include <string.h>
#include <sys/scsi/scsi.h>

#include "base/num.h"
#include "hw/virtio_scsi/layout.h"
#include "hw/virtio_scsi/ring.h"

#define SIZE	16

static void
fuzz_config(const uint8_t *data, size_t size)
{
	uint8_t config[VS_PCI_CONFIG_BYTES] = { 0 };
	struct vs_places places;

	memcpy(config, data, num_min(size, sizeof(config)));
	if (vs_places_read(config, &places) < 0)
		return;
	for (unsigned int i = 0; i < VS_BLOCK_N; i++)
		assert(places.block[i].len != 0 && places.block[i].bar < VS_PCI_BARS);
}

static void
fuzz_answer(const uint8_t *data, size_t size)
{
	uint8_t head[VS_RESP_SENSE];
	struct vs_result result;
	struct vs_fate fate;

	if (size < sizeof(head) + 4)
		return;
	memcpy(head, data, sizeof(head));
	data += sizeof(head);
	fate = (struct vs_fate){
		.data_bytes = (size_t)data[0] << 8 | data[1],
		.is_expired = (data[2] & 1) != 0,
		.was_known = (data[2] & 2) != 0,
		.is_bus_reset = (data[2] & 4) != 0,
	};
	if (vs_response_judge(head, &fate, &result) < 0)
		return;
	assert(result.resid <= fate.data_bytes);
	assert(result.sense_bytes <= VS_SENSE_BYTES);
	assert(result.reason <= CMD_DEV_GONE);
	/* a status that means something comes with the reason "complete", and no other way */
	assert(((result.state & STATE_GOT_STATUS) != 0) == (result.reason == CMD_CMPLT));
	assert((result.reason == CMD_TIMEOUT) == ((result.stats & STAT_TIMEOUT) != 0));
	/* the whole word is compared by those who look for absent targets */
	assert(result.reason != CMD_INCOMPLETE || result.state == STATE_GOT_BUS);
}

static void
fuzz_event(const uint8_t *data, size_t size)
{
	struct vs_event event;

	if (size < VS_EVENT_BYTES)
		return;
	vs_event_read(data, &event);
	assert(event.kind <= VS_EVENT_PARAM_CHANGE);
	assert(!event.has_lun || event.lun <= VS_LUN_MAX);
}

/* a device that writes what it likes into its half of the ring: nobody gets more back than was
 * given, and every head is inside */
static void
fuzz_ring(const uint8_t *data, size_t size)
{
	static _Alignas(64) uint8_t mem[2048];
	unsigned int given = 0, taken = 0;
	struct vs_ring ring;
	uint16_t head;

	vs_ring_init(&ring, mem, SIZE, size > 0 && (data[0] & 1) != 0);
	for (size_t i = 0; i + 3 < size; i += 3) {
		size_t at = data[i + 1] % (vs_ring_bytes(SIZE) - vs_ring_used_off(SIZE));

		mem[vs_ring_used_off(SIZE) + at] = data[i + 2];
		if (ring.in_flight < SIZE && (data[i] & 2) != 0) {
			vs_ring_put(&ring, (uint16_t)(data[i] % SIZE));
			given++;
		}
		(void)vs_ring_want_kick(&ring);
		while (vs_ring_get(&ring, &head) == 1) {
			assert(head < SIZE);
			taken++;
		}
		(void)vs_ring_arm(&ring);
		assert(taken <= given && ring.in_flight == given - taken);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const parts[])(const uint8_t *, size_t) = {
		fuzz_config, fuzz_answer, fuzz_event, fuzz_ring,
	};

	if (size > 0)
		parts[data[0] % (sizeof(parts) / sizeof(parts[0]))](data + 1, size - 1);
	return 0;
}
