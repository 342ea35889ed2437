/*
 * fuzz_lu_map.c - what lib/lu reads of initiators and devices without asking a unit
 *
 * The first byte chooses: a TransportID, a SET TARGET PORT GROUPS list, a command to a LUN that
 * is not there, a page or list of a device that is corrected, or a list of a third-party copy.
 * Whatever comes, answers stay in their buffers, their lengths are true, and what was accepted
 * reads back as the same.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/num.h"
#include "lu/alua.h"
#include "lu/copy_list.h"
#include "lu/inquiry.h"
#include "lu/lu_impl.h"
#include "lu/opcodes.h"
#include "lu/port.h"
#include "lu/token_list.h"
#include "lu/view.h"
#include "scsi/vpd.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct lu_port port = {
	.rtpi = 2, .group = 2, .protocol = LU_PROTOCOL_ISCSI,
	.name = "iqn.t,t,0x0002", .device_name = "iqn.t",
};

static void
initiator(const uint8_t *data, size_t size)
{
	struct lu_initiator who, again;
	char text[300];
	int n = lu_initiator_parse(data, size, &who);

	if (n < 0)
		return;
	assert(n >= LU_TRANSPORT_ID_MIN && (size_t)n <= size);
	assert(who.id_len >= LU_TRANSPORT_ID_MIN && who.id_len <= LU_TRANSPORT_ID_MAX);
	assert(lu_initiator_parse(who.id, who.id_len, &again) == who.id_len);
	assert(lu_initiator_equal(&who, &again) && strcmp(who.name, again.name) == 0);
	assert(lu_initiator_covers(&who, &again));
	assert(strlen(lu_initiator_format(&who, text, sizeof(text))) >= strlen(who.name));
}

static void
stpg(const uint8_t *data, size_t size)
{
	struct alua *alua = alua_new();
	uint8_t buf[ALUA_RTPG_MAX];
	struct alua_plan plan;
	struct sense_data sense;
	bool is_changed;

	if (alua == NULL)
		abort();
	for (uint16_t i = 1; i < 8; i++)
		assert(alua_bind(alua, i, i / 2) == 0);
	assert(alua_set(alua, 1, ALUA_STANDBY, &is_changed) == 0);
	if (alua_stpg(alua, &port, data, size, &plan, &sense) == 0) {
		alua_begin(alua, &plan);
		(void)alua_end(alua, &plan, plan.n);
		for (unsigned int i = 0; i < plan.n; i++)
			assert(alua_state_of(alua, plan.set[i].group) == plan.set[i].state);
	} else {
		assert(sense.key == SENSE_ILLEGAL_REQUEST);
	}
	assert(alua_rtpg(alua, &port, size & 1, buf, sizeof(buf)) > 0);
	alua_free(alua);
}

/* LUN, buffer length, CDB */
static void
absent(const uint8_t *data, size_t size)
{
	static struct lu unit;
	struct lu_view *view = NULL;
	struct lu_task *task = calloc(1, sizeof(*task));
	uint8_t *buf;

	atomic_store(&unit.refs, 1);
	if (task == NULL || size < 10 ||
	    lu_view_new(&(struct lu_view_entry){ &unit, 300, 0, 1 }, 1, &view, NULL) < 0) {
		free(task);
		return;
	}
	task->data_len = be16_get(data + 8) % 1024;
	task->dir = task->data_len == 0 ? LU_DIR_NONE : data[8] & 0x80 ? LU_DIR_OUT : LU_DIR_IN;
	task->cdb_len = (uint16_t)num_min(size - 10, LU_CDB_MAX);
	memcpy(task->cdb, data + 10, task->cdb_len);
	buf = calloc(1, task->data_len + 1u);
	if (buf == NULL)
		abort();
	buf[task->data_len] = 0xa5;
	task->data = task->data_len == 0 ? NULL : buf;
	lu_view_answer_absent(view, be64_get(data), &port, task);
	assert(buf[task->data_len] == 0xa5 && task->moved <= task->data_len);
	assert(task->status == STATUS_GOOD ||
	    (task->status == STATUS_CHECK && task->sense_len >= 8 && task->moved == 0));
	lu_view_unref(view);
	assert(atomic_load(&unit.refs) == 1);
	free(buf);
	free(task);
}

static enum opcodes_who
who(const void *arg, const struct op_info *op)
{
	(void)arg;
	return (enum opcodes_who)(op->id % 3);
}

static void
device(const uint8_t *data, size_t size)
{
	const struct inquiry_extra extra = { .port = &port, .vendor = "V", .product = "P",
		.serial = "S", .has_copy = size & 1 };
	const struct opcodes o = { who, NULL };
	static uint8_t buf[INQUIRY_MAX + VPD_PAGE_MAX + 1], list[65536];
	struct vpd_desig_walk walk;
	struct vpd_desig d;
	size_t n;
	int r;

	size = num_min(size, INQUIRY_MAX);
	memcpy(buf, data, num_min(size, INQUIRY_STD_MAX));
	n = inquiry_standard(&extra, buf, num_min(size, INQUIRY_STD_MAX));
	assert(n <= INQUIRY_STD_MAX && (n < 8 || buf[4] + 5u == n));
	n = inquiry_supported(&extra, 0, data, size, buf);
	assert(n >= 4 + 4 && n <= 4 + 256);
	assert(inquiry_extended(0, data, size, buf) == 64);
	n = inquiry_ident(&extra, 0, data, size, buf, sizeof(buf) - 1);
	assert(n > 4 && vpd_desig_begin(buf, n, &walk) == 0);
	while ((r = vpd_desig_next(&walk, &d)) == 1)
		continue;
	assert(r == 0);
	n = opcodes_list(&o, data, size, size & 2, list, sizeof(list));
	assert(be32_get(list) + 4 == n);
}

static void
copies(const uint8_t *data, size_t size)
{
	static struct copy_list copy;
	static struct token_list token;
	struct sense_data sense;
	uint64_t src, dst;
	uint32_t bytes;

	if (size == 0)
		return;
	if (copy_list_parse(data, size, &copy, &sense) == 0) {
		assert(copy.n_cscds <= COPY_CSCD_MAX && copy.n_segments <= COPY_SEGMENT_MAX);
		for (unsigned int i = 0; i < copy.n_segments; i++) {
			if (copy_segment_bytes(&copy.segments[i], 512, 4096, &src, &dst,
			    &bytes) == 0)
				assert(bytes <= COPY_BYTES_MAX && src + bytes >= src &&
				    dst % 4096 == 0);
		}
	} else {
		assert(sense.key == SENSE_ILLEGAL_REQUEST);
	}
	if (token_populate_parse(data, size, 1000, 512, &token, &sense) == 0 ||
	    token_write_parse(data, size, 1000, 512, &token, &sense) == 0) {
		assert(token.n_ranges <= TOKEN_RANGE_MAX && token.blocks <= 1000);
		for (unsigned int i = 0; i < token.n_ranges; i++)
			assert(token.ranges[i].lba + token.ranges[i].blocks <= 1000);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const parts[])(const uint8_t *, size_t) = {
		initiator, stpg, absent, device, copies,
	};

	if (size > 0)
		parts[data[0] % ARRAY_LEN(parts)](data + 1, size - 1);
	return 0;
}
