/*
 * fuzz_pvscsi.c - what a paravirtual SCSI chip may write: completions, messages, ring indices
 *
 * The input is a script: commands are given tags and posted, the chip writes entries and moves
 * its indices, the driver's side takes what is there. Whatever comes, no command ends twice,
 * none ends that was not out, and lengths stay within what was given.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "hw/pvscsi/pvscsi.h"

#define SLOTS	31
#define ENTRIES	32

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct {
	struct pv_ring_state state __attribute__((aligned(4096)));
	uint8_t rest[PV_PAGE];
	struct pv_req req[ENTRIES];
	struct pv_cmp cmp[ENTRIES];
	struct pv_msg msg[ENTRIES];
	struct pvscsi_slot slots[SLOTS];
	struct pvscsi_cmd cmds[SLOTS];
	struct pvscsi_tags tags;
	struct pvscsi_rings rings;
} w;

struct script {
	const uint8_t *data;
	size_t size;
};

/* the next bytes; zeros behind the end */
static void
take(struct script *s, void *mem, size_t len)
{
	size_t n = len < s->size ? len : s->size;

	memset(mem, 0, len);
	if (n > 0)
		memcpy(mem, s->data, n);
	s->data += n;
	s->size -= n;
}

static uint8_t
take8(struct script *s)
{
	uint8_t v;

	take(s, &v, 1);
	return v;
}

static void
world_make(void)
{
	memset(&w, 0, sizeof(w));
	w.rings = (struct pvscsi_rings){ .state = &w.state, .req = w.req, .cmp = w.cmp,
		.msg = w.msg, .req_entries = ENTRIES, .cmp_entries = ENTRIES,
		.msg_entries = ENTRIES };
	tags_init(&w.tags, w.slots, SLOTS);
}

static void
post(struct script *s)
{
	struct pvscsi_cmd *cmd = NULL;
	struct pv_req req = { .data_len = 0 };

	for (int i = 0; i < SLOTS && cmd == NULL; i++)
		cmd = w.cmds[i].context == 0 ? &w.cmds[i] : NULL;
	if (cmd == NULL) {
		assert(tags_take(&w.tags, w.cmds) == 0);
		return;
	}
	*cmd = (struct pvscsi_cmd){ .want = { .data_len = take8(s) * 512u,
	    .sense_len = take8(s), .is_exact = take8(s) & 1, .is_known = take8(s) & 1 } };
	cmd->context = tags_take(&w.tags, cmd);
	assert(cmd->context != 0 && tags_find(&w.tags, cmd->context) == cmd);
	req.context = cmd->context;
	ring_post(&w.rings, &req);
	assert(w.state.req_prod == w.rings.req_prod);
}

static void
judge(const struct pv_cmp *cmp, struct pvscsi_cmd *cmd)
{
	struct pvscsi_result result;

	if (result_judge(cmp, &cmd->want, &result) < 0)
		return;
	assert(result.moved <= cmd->want.data_len && result.sense_len <= cmd->want.sense_len);
	assert(result.reason <= CMD_DEV_GONE);
	assert((result.state & STATE_GOT_BUS) != 0);
	assert(result.sense_len == 0 || result.status == STATUS_CHECK);
	assert((result.state & STATE_GOT_STATUS) != 0 || result.reason != CMD_CMPLT);
	tags_drop(&w.tags, cmd->context);
	cmd->context = 0;
}

static void
drain(void)
{
	struct pv_cmp cmp;
	uint32_t before = w.tags.used;
	int n = 0, r;

	while ((r = ring_cmp_next(&w.rings, w.tags.used, &cmp)) > 0) {
		struct pvscsi_cmd *cmd = tags_find(&w.tags, cmp.context);

		if (cmd == NULL)
			break;
		assert(cmd->context == cmp.context);
		judge(&cmp, cmd);
		assert(++n <= (int)before);
	}
	assert(r >= -EPROTO && w.tags.used <= before);
}

static void
messages(void)
{
	struct pv_msg msg;
	bool is_lost;
	int n = 0;

	while (ring_msg_next(&w.rings, &msg, &is_lost) > 0)
		assert(++n <= ENTRIES);
}

/* the chip: an entry with a context that is out, or with any bytes at all */
static void
chip_completes(struct script *s)
{
	struct pv_cmp *cmp = &w.cmp[w.state.cmp_prod & (ENTRIES - 1)];
	uint8_t how = take8(s);

	take(s, cmp, sizeof(*cmp));
	if (how < 192)
		cmp->context = w.cmds[how % SLOTS].context;
	if (how < 128)
		cmp->data_len &= 0x3ff;
	if (how < 64) {
		cmp->sense_len &= 0x1f;
		cmp->host_status &= 0x3f;
		cmp->scsi_status &= 0x3f;
	}
	w.state.cmp_prod++;
}

static void
cookies(struct script *s)
{
	ddi_dma_cookie_t list[8];
	struct pv_sge table[8];
	uint64_t sum = 0, all = 0, bytes = take8(s) * 16u;
	uint32_t n = 0;

	for (int i = 0; i < 8; i++) {
		list[i] = (ddi_dma_cookie_t){ .dmac_laddress = take8(s) * 4096ull,
			.dmac_size = take8(s) };
		all += list[i].dmac_size;
	}
	assert(sg_build(table, list, 8, bytes, &n) == (bytes < all ? bytes : all));
	for (uint32_t i = 0; i < n; i++) {
		assert(table[i].len > 0 && table[i].flags == 0);
		sum += table[i].len;
	}
	assert(sum == (bytes < all ? bytes : all));
}

static void
chip_moves(struct script *s, uint32_t *index)
{
	uint8_t b[4];

	take(s, b, sizeof(b));
	*index = (b[0] & 1) != 0 ? le32_get(b) : *index + b[1] % 40;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct script s = { data, size };

	world_make();
	while (s.size > 0) {
		switch (take8(&s) % 8) {
		case 0:
		case 1:
			post(&s);
			break;
		case 2:
		case 3:
			chip_completes(&s);
			break;
		case 4:
			drain();
			break;
		case 5:
			chip_moves(&s, &w.state.cmp_prod);
			w.state.cmp_cons = take8(&s);
			break;
		case 6:
			take(&s, &w.msg[take8(&s) % ENTRIES], sizeof(struct pv_msg));
			chip_moves(&s, &w.state.msg_prod);
			messages();
			break;
		default:
			cookies(&s);
			break;
		}
	}
	drain();
	take(&s, &w.state.req_log2, 8);
	(void)rings_agree(&w.rings);
	return 0;
}
