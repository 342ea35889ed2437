/* where the register blocks are: the vendor capabilities of the function */
#include "hw/virtio_scsi/regs.h"

#include <errno.h>
#include <sys/pci.h>

#include "base/bytes.h"

#define CAP_NEXT	1
#define CAP_LEN		2
#define CAP_KIND	3
#define CAP_BAR		4
#define CAP_OFFSET	8
#define CAP_LENGTH	12
#define CAP_STEP	16
#define CAP_BYTES	16
#define CAP_STEP_BYTES	20

/* what a capability calls them: one more than we do */
#define KIND_OF(block)	((block) + 1u)

/* registers that we touch have to be there */
static const uint32_t block_bytes[VS_BLOCK_N] = {
	[VS_BLOCK_COMMON] = VS_COMMON_BYTES,
	[VS_BLOCK_NOTIFY] = 2,
	[VS_BLOCK_ISR] = 1,
	[VS_BLOCK_DEVICE] = VS_DEVICE_BYTES,
};

static void
place_take(const uint8_t *cap, size_t room, struct vs_places *places)
{
	unsigned int kind = cap[CAP_KIND];
	struct vs_place *place;

	if (kind < KIND_OF(VS_BLOCK_COMMON) || kind > KIND_OF(VS_BLOCK_DEVICE) ||
	    cap[CAP_BAR] >= VS_PCI_BARS)
		return;
	place = &places->block[kind - KIND_OF(VS_BLOCK_COMMON)];
	if (place->len != 0)
		return;
	if (kind == KIND_OF(VS_BLOCK_NOTIFY)) {
		if (room < CAP_STEP_BYTES || cap[CAP_LEN] < CAP_STEP_BYTES)
			return;
		places->notify_step = le32_get(cap + CAP_STEP);
	}
	*place = (struct vs_place){
		.bar = cap[CAP_BAR],
		.off = le32_get(cap + CAP_OFFSET),
		.len = le32_get(cap + CAP_LENGTH),
	};
}

int
vs_places_read(const uint8_t config[VS_PCI_CONFIG_BYTES], struct vs_places *ret)
{
	struct vs_places places = { .notify_step = 0 };
	unsigned int at = 0, left = VS_PCI_CONFIG_BYTES / 4;

	if ((config[PCI_CONF_STAT] & VS_PCI_STATUS_CAPS) != 0)
		at = config[PCI_CONF_CAP_PTR] & ~3u;
	/* as many steps as there is room for capabilities: then it is a circle */
	for (; at >= 0x40 && at + CAP_BYTES <= VS_PCI_CONFIG_BYTES && left > 0; left--) {
		if (config[at] == VS_PCI_CAP_VENDOR)
			place_take(config + at, VS_PCI_CONFIG_BYTES - at, &places);
		at = config[at + CAP_NEXT] & ~3u;
	}
	for (unsigned int i = 0; i < VS_BLOCK_N; i++) {
		if (places.block[i].len < block_bytes[i])
			return -ENODEV;
	}
	*ret = places;
	return 0;
}
