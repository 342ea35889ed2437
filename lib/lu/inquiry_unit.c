/* INQUIRY of a unit: the device is asked, its answer corrected (lu/inquiry.h) */
#include "lu/inquiry.h"

#include "base/bytes.h"
#include "base/num.h"
#include "lu/copy.h"
#include "lu/lu_impl.h"
#include "lu/policy.h"
#include "scsi/cdb.h"
#include "scsi/inquiry.h"
#include "scsi/vpd.h"

#define EVPD		0x01
#define STD_LEN_MAX	255	/* some devices take only the lower byte of the length */

/* what initiators have to be told, because the HBA does less than this layer */
static uint32_t
xfer_max_blocks(const struct lu *lu)
{
	uint32_t block = lu->info.block_bytes;

	if (lu->info.type != INQ_TYPE_DISK || block == 0 ||
	    lu->info.xfer_max_bytes >= LU_XFER_MAX)
		return 0;
	return lu->info.xfer_max_bytes / block;
}

static struct inquiry_extra
extra_of(const struct lu *lu, const struct lu_task *task)
{
	return (struct inquiry_extra){
		.port = lu_port_or_local(task->nexus->port),
		.alua = lu->alua,
		.is_alua_passed = lu_policy_is_passed(lu, LU_POLICY_ALUA),
		.is_copy_passed = !lu_copy_is_here(lu),
		.has_copy = lu_copy_is_here(lu),
		.vendor = lu->info.vendor,
		.product = lu->info.product,
		.serial = lu->info.serial,
		.xfer_max_blocks = xfer_max_blocks(lu),
	};
}

/* ------ answers ------ */

/* the device has no such page: what is known is told without it */
static bool
is_refused(const struct lu_ask *ask)
{
	struct sense_data sense;

	return ask->task.reason == CMD_CMPLT && ask->task.status == STATUS_CHECK &&
	    sense_parse(ask->task.sense, ask->task.sense_len, &sense) == 0 &&
	    sense.key == SENSE_ILLEGAL_REQUEST;
}

static void
reply_standard(struct lu *lu, struct lu_task *task, struct lu_ask *ask)
{
	struct inquiry_extra extra = extra_of(lu, task);
	uint8_t buf[INQUIRY_STD_MAX];
	size_t len = num_min(ask->task.moved, sizeof(buf));

	memcpy(buf, ask->data, len);
	lu_local_reply(task, buf, inquiry_standard(&extra, buf, len), be16_get(task->cdb + 3));
}

static void
reply_page(struct lu *lu, struct lu_task *task, const uint8_t *device, size_t device_len)
{
	struct inquiry_extra extra = extra_of(lu, task);
	uint8_t type_qual = device_len > 0 ? device[0] : lu->info.inquiry[0];
	uint8_t buf[INQUIRY_MAX + VPD_PAGE_MAX];
	size_t len = 0;

	switch (task->cdb[2]) {
	case VPD_SUPPORTED:
		len = inquiry_supported(&extra, type_qual, device, device_len, buf);
		break;
	case VPD_IDENT:
		len = inquiry_ident(&extra, type_qual, device, device_len, buf, sizeof(buf));
		break;
	case VPD_EXTENDED:
		len = inquiry_extended(type_qual, device, device_len, buf);
		break;
	case VPD_BLOCK_LIMITS:
		len = inquiry_limits(&extra, type_qual, device, device_len, buf);
		break;
	default:
		break;
	}
	lu_local_reply(task, buf, len, be16_get(task->cdb + 3));
}

static void
reply_ports(struct lu *lu, struct lu_task *task)
{
	struct inquiry_extra extra = extra_of(lu, task);
	uint16_t alloc_len = be16_get(task->cdb + 3);
	size_t len = inquiry_ports(&extra, lu->info.inquiry[0], task->data,
	    num_min(alloc_len, task->data_len));

	lu_local_reply(task, task->data, len, alloc_len);
}

static void
reply_copy(struct lu *lu, struct lu_task *task)
{
	uint8_t buf[COPY_PAGE_MAX];

	lu_local_reply(task, buf, copy_put_page(lu->info.inquiry[0],
	    lu->info.block_bytes, buf),
	    be16_get(task->cdb + 3));
}

/* ------ asking ------ */

static void
ask_done(struct lu_ask *ask)
{
	struct lu_task *task = ask->arg;
	struct lu *lu = task->nexus->unit;
	bool is_page = (task->cdb[1] & EVPD) != 0;

	if (lu_ask_good(ask) && is_page)
		reply_page(lu, task, ask->data, ask->task.moved);
	else if (lu_ask_good(ask))
		reply_standard(lu, task, ask);
	else if (is_page && is_refused(ask))
		reply_page(lu, task, NULL, 0);
	else
		lu_local_as(task, ask);
	lu_ask_free(ask);
}

static void
ask_device(struct lu *lu, struct lu_task *task, bool is_page)
{
	uint32_t len = is_page ? INQUIRY_MAX : (uint32_t)num_min(STD_LEN_MAX,
	    lu->info.inquiry[4] + 5u);
	struct lu_ask *ask = lu_ask_new(lu, len, ask_done, task);

	if (ask == NULL) {
		lu_local_no_room(task);
		return;
	}
	ask->task.cdb_len = (uint16_t)(is_page ?
	    cdb_inquiry_vpd(ask->task.cdb, task->cdb[2], (uint16_t)len) :
	    cdb_inquiry(ask->task.cdb, (uint16_t)len));
	lu_ask_in(ask, len);
	if (lu_ask(lu, ask) == 0)
		return;
	lu_ask_free(ask);
	lu_task_end(task, CMD_DEV_GONE, 0);
}

void
lu_inquiry_do(struct lu *lu, struct lu_task *task)
{
	bool is_page = (task->cdb[1] & EVPD) != 0;
	uint8_t page = task->cdb[2];

	if (!is_page && page != 0)
		lu_local_bad_cdb(task, 2, -1);
	else if (is_page && page == VPD_PORTS)
		reply_ports(lu, task);
	else if (is_page && page == VPD_THIRD_PARTY_COPY && lu_copy_is_here(lu))
		reply_copy(lu, task);
	else if (!is_page || page == VPD_SUPPORTED || page == VPD_IDENT || page == VPD_EXTENDED ||
	    (page == VPD_BLOCK_LIMITS && xfer_max_blocks(lu) != 0))
		ask_device(lu, task, is_page);
	else
		lu_local_pass(task);
}
