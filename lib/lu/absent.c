/* commands to LUNs that lead to no unit (lu/view.h) */
#include <string.h>
#include <sys/scsi/scsi.h>

#include "base/bytes.h"
#include "base/num.h"
#include "lu/lu.h"
#include "lu/port.h"
#include "lu/view.h"
#include "scsi/cdb.h"
#include "scsi/inquiry.h"
#include "scsi/lun.h"
#include "scsi/vpd.h"

#define EVPD			0x01
#define DESC			0x01	/* REQUEST SENSE: descriptor format */
#define ABSENT_TYPE_QUAL	(INQ_QUAL_IMPOSSIBLE | INQ_TYPE_UNKNOWN)
#define WELL_KNOWN_TYPE_QUAL	(INQ_QUAL_CONNECTED | INQ_TYPE_WLUN)

/* one command being answered */
struct absent {
	const struct lu_view *view;
	const struct lu_port *port;
	struct lu_task *task;
	bool is_zero;			/* to LUN 0 */
	bool is_well_known;		/* to the unit REPORT LUNS */
};

/* ------ ends ------ */

static void
end_status(struct lu_task *task, uint8_t status, uint32_t state)
{
	task->reason = CMD_CMPLT;
	task->statistics = 0;
	task->state = STATE_GOT_BUS | STATE_GOT_TARGET | STATE_SENT_CMD | STATE_GOT_STATUS |
	    state;
	task->status = status;
	task->sense_len = 0;
	task->is_orphan = false;
	task->moved = 0;
	task->resid = task->data_len;
	task->resid_kind = task->data_len > 0 ? LU_RESID_UNDER : LU_RESID_NONE;
}

static void
end_sense(struct lu_task *task, const struct sense_data *sense)
{
	end_status(task, STATUS_CHECK, STATE_ARQ_DONE);
	task->sense_len = (uint8_t)sense_build(sense, false, task->sense, sizeof(task->sense));
}

static void
end_illegal(struct lu_task *task, uint16_t asc)
{
	struct sense_data sense = sense_make(SENSE_ILLEGAL_REQUEST, asc);

	end_sense(task, &sense);
}

static void
end_bad_cdb(struct lu_task *task, uint16_t byte, int bit)
{
	struct sense_data sense = sense_invalid_field_cdb(byte, bit);

	end_sense(task, &sense);
}

/* @len bytes were there to send, of which @alloc_len were asked for; data[] already has them as
 * far as it reaches */
static void
end_data(struct lu_task *task, size_t len, uint64_t alloc_len)
{
	size_t want = num_min(len, alloc_len);

	end_status(task, STATUS_GOOD, STATE_XFERRED_DATA);
	task->moved = (uint32_t)num_min(want, task->data_len);
	task->resid = (uint32_t)(task->moved < task->data_len ? task->data_len - task->moved :
	    want - task->moved);
	task->resid_kind = task->moved < task->data_len ? LU_RESID_UNDER :
	    want > task->moved ? LU_RESID_OVER : LU_RESID_NONE;
}

static void
end_reply(struct lu_task *task, const void *data, size_t len, uint64_t alloc_len)
{
	size_t n = num_min(num_min(len, alloc_len), task->data_len);

	if (n > 0)
		memcpy(task->data, data, n);
	end_data(task, len, alloc_len);
}

/* ------ INQUIRY ------ */

static uint8_t
type_qual(const struct absent *a)
{
	return a->is_well_known ? WELL_KNOWN_TYPE_QUAL : ABSENT_TYPE_QUAL;
}

static size_t
inquiry_standard(const struct absent *a, uint8_t *buf)
{
	struct inq_std inq = {
		.qualifier = type_qual(a) & 0xe0,
		.type = type_qual(a) & 0x1f,
		.version = INQ_VERSION_SPC4,
		.format = 2,
		.has_hisup = true,
		.has_cmdque = true,
		.vendor = "SCSAD",
		.product = "No unit",
		.n_versions = 2,
		.versions = { INQ_STANDARD_SAM5, INQ_STANDARD_SPC4 },
	};

	if (a->port->protocol == LU_PROTOCOL_ISCSI)
		inq.versions[inq.n_versions++] = INQ_STANDARD_ISCSI;
	if (a->is_well_known)
		(void)memcpy(inq.product, "Report LUNs", sizeof("Report LUNs"));
	return inq_build_std(&inq, buf);
}

/* 0: no such page */
static size_t
inquiry_page(const struct absent *a, uint8_t page, uint8_t *buf, size_t size)
{
	static const uint8_t pages[] = { VPD_SUPPORTED, VPD_IDENT };
	bool has_ident = a->is_zero || a->is_well_known;
	struct vpd_ids ids = {
		.port_name = a->port->name,
		.device_name = a->port->device_name,
		.rel_port = a->port->rtpi,
		.has_tpg = true,
		.tpg = a->port->group,
		.port_protocol = a->port->protocol,
		.has_port_protocol = true,
	};

	if (page == VPD_SUPPORTED)
		return vpd_build_supported(type_qual(a), pages, 1u + has_ident, buf, size);
	if (page == VPD_IDENT && has_ident)
		return vpd_build_ident(type_qual(a), &ids, buf, size);
	return 0;
}

static void
do_inquiry(const struct absent *a)
{
	const uint8_t *cdb = a->task->cdb;
	uint16_t alloc_len = be16_get(cdb + 3);
	uint8_t buf[VPD_PAGE_MAX];
	size_t len;

	if ((cdb[1] & EVPD) == 0 && cdb[2] != 0) {
		end_bad_cdb(a->task, 2, -1);
		return;
	}
	len = (cdb[1] & EVPD) == 0 ? inquiry_standard(a, buf) :
	    inquiry_page(a, cdb[2], buf, sizeof(buf));
	if (len == 0)
		end_bad_cdb(a->task, 2, -1);
	else
		end_reply(a->task, buf, len, alloc_len);
}

/* ------ the others ------ */

static void
do_report_luns(const struct absent *a)
{
	const uint8_t *cdb = a->task->cdb;
	uint32_t alloc_len = be32_get(cdb + 6);
	size_t len;

	if (!a->is_zero && !a->is_well_known)
		end_illegal(a->task, ASC_LUN_NOT_SUPPORTED);
	else if (lu_view_report(a->view, cdb[2], a->task->data,
	    num_min(alloc_len, a->task->data_len), &len) < 0)
		end_bad_cdb(a->task, 2, -1);
	else
		end_data(a->task, len, alloc_len);
}

static void
do_request_sense(const struct absent *a)
{
	const uint8_t *cdb = a->task->cdb;
	struct sense_data sense = a->is_well_known ? sense_make(SENSE_NO_SENSE, ASC_NONE) :
	    sense_make(SENSE_ILLEGAL_REQUEST, ASC_LUN_NOT_SUPPORTED);
	uint8_t buf[SENSE_LEN_MAX];
	size_t len = sense_build(&sense, (cdb[1] & DESC) != 0, buf, sizeof(buf));

	end_reply(a->task, buf, len, cdb[4]);
}

static void
do_test_unit_ready(const struct absent *a)
{
	if (a->is_well_known)
		end_status(a->task, STATUS_GOOD, 0);
	else
		end_illegal(a->task, ASC_LUN_NOT_SUPPORTED);
}

static void (*absent_do(enum op_id id))(const struct absent *)
{
	switch ((unsigned int)id) {
	case OP_INQUIRY:
		return do_inquiry;
	case OP_REPORT_LUNS:
		return do_report_luns;
	case OP_REQUEST_SENSE:
		return do_request_sense;
	case OP_TEST_UNIT_READY:
		return do_test_unit_ready;
	default:
		return NULL;
	}
}

void
lu_view_answer_absent(const struct lu_view *view, uint64_t lun, const struct lu_port *port,
    struct lu_task *task)
{
	const struct op_info *op = op_find(task->cdb, task->cdb_len);
	void (*answer)(const struct absent *) = op == NULL ? NULL : absent_do(op->id);
	uint8_t byte, bit;
	uint32_t index;
	struct absent a = {
		.view = view,
		.port = lu_port_or_local(port),
		.task = task,
		.is_zero = lunfmt_index(lun, &index) && index == 0,
		.is_well_known = lun == LUNFMT_REPORT_LUNS_WLUN,
	};

	if (answer == NULL || task->cdb_len < op->cdb_len ||
	    (task->dir == LU_DIR_OUT && op->dir == OP_DIR_IN))
		end_illegal(task, a.is_well_known ? ASC_INVALID_OPCODE :
		    ASC_LUN_NOT_SUPPORTED);
	else if (cdb_reserved_bit(op, task->cdb, task->cdb_len, &byte, &bit))
		end_bad_cdb(task, byte, bit);
	else
		answer(&a);
}
