/* EXTENDED COPY: ends found, segments moved one after the other, results held (lu/copy.h) */
#include "lu/copy.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/fault.h"
#include "base/num.h"
#include "lu/copy_result.h"
#include "lu/lu_impl.h"
#include "lu/mover.h"
#include "lu/policy.h"
#include "lu/view.h"
#include "scsi/inquiry.h"
#include "scsi/status.h"
#include "scsi/vpd.h"

struct copy {
	struct lu_task *task;
	struct lu *lu;
	struct mover *m;
	struct copy_result *result;
	bool has_failed;
	struct sense_data sense;	/* of the failure */
	unsigned int segment;		/* the one at work */
	int ends[COPY_CSCD_MAX + 1];	/* of the mover, by CSCD; the last is the unit itself;
					 * -1: not used */
	struct copy_list list;
};

/* ------ the end of a copy ------ */

static void
copy_closed(struct mover *m, void *arg)
{
	struct copy *copy = arg;
	struct lu_task *task = copy->task;
	bool is_held = copy->list.usage == COPY_HOLD || copy->has_failed;

	copy->result->n_segments = (uint16_t)copy->segment;
	copy->result->bytes = mover_bytes(m);
	copy_result_end(copy->lu, copy->result, is_held,
	    copy->has_failed ? &copy->sense : NULL);
	if (mover_failure(m)->error == -ECANCELED)
		lu_local_aborted(task);
	else if (copy->has_failed)
		lu_local_sense(task, &copy->sense);
	else
		lu_local_good(task);
	mover_free(m);
	free(copy);
}

static void
copy_fail(struct copy *copy, uint16_t asc, uint16_t at)
{
	copy->has_failed = true;
	copy->sense = sense_make(SENSE_COPY_ABORTED, asc);
	copy->sense.sks = SENSE_SKS_SEGMENT;
	copy->sense.sks_value = at;
}

static void
copy_end(struct copy *copy)
{
	mover_close(copy->m, copy_closed);
}

/* ------ segments ------ */

static int
end_of(const struct copy *copy, uint16_t cscd)
{
	return copy->ends[cscd == COPY_SELF ? COPY_CSCD_MAX : cscd];
}

static bool
is_inside(const struct copy *copy, int end, uint64_t at, uint32_t bytes)
{
	uint64_t size = UINT64_MAX;

	(void)num_mul(mover_unit(copy->m, end)->info.blocks, mover_block_bytes(copy->m, end),
	    &size);
	return at <= size && bytes <= size - at;
}

static void copy_next(struct copy *copy);

static void
copy_moved(struct mover *m, void *arg)
{
	struct copy *copy = arg;
	const struct mover_failure *f = mover_failure(m);

	if (f->error == 0) {
		copy->segment++;
		copy_next(copy);
		return;
	}
	copy_fail(copy, f->error == -EIO && f->reason == CMD_CMPLT ? ASC_THIRD_PARTY_FAILURE :
	    ASC_COPY_TARGET_NOT_REACHABLE, copy->list.segments[copy->segment].at);
	copy_end(copy);
}

/* 1: it moves now; 0: nothing to do; below: it cannot be done, and the copy has failed */
static int
segment_begin(struct copy *copy, const struct copy_segment *s)
{
	int src = end_of(copy, s->src), dst = end_of(copy, s->dst), r;
	uint32_t src_block = mover_block_bytes(copy->m, src), bytes;
	uint32_t dst_block = mover_block_bytes(copy->m, dst);
	uint64_t src_at, dst_at;

	if (src_block == 0 || dst_block == 0) {
		copy_fail(copy, ASC_COPY_TARGET_NOT_REACHABLE, s->at);
		return -ENODEV;
	}
	r = copy_segment_bytes(s, src_block, dst_block, &src_at, &dst_at, &bytes);
	if (r == 0 && (!is_inside(copy, src, src_at, bytes) ||
	    !is_inside(copy, dst, dst_at, bytes)))
		r = -ERANGE;
	if (r < 0) {
		copy_fail(copy, r == -EINVAL ? ASC_INEXACT_SEGMENT : ASC_NONE, s->at);
		return r;
	}
	if (bytes == 0)
		return 0;
	mover_run(copy->m, src, src_at, dst, dst_at, bytes, copy_moved);
	return 1;
}

static void
copy_next(struct copy *copy)
{
	int r = 0;

	while (copy->segment < copy->list.n_segments) {
		r = segment_begin(copy, &copy->list.segments[copy->segment]);
		if (r > 0)
			return;
		if (r < 0)
			break;
		copy->segment++;
	}
	copy_end(copy);
}

/* the list may say how long blocks are; the first descriptor that says so wrongly, or NULL */
static const struct copy_cscd *
cscd_wrong(const struct copy *copy)
{
	for (unsigned int i = 0; i < copy->list.n_cscds; i++) {
		const struct copy_cscd *cscd = &copy->list.cscds[i];
		uint32_t block = copy->ends[i] < 0 ? 0 :
		    mover_block_bytes(copy->m, copy->ends[i]);

		if (block != 0 && cscd->block_bytes != 0 && cscd->block_bytes != block)
			return cscd;
	}
	return NULL;
}

static void
copy_opened(struct mover *m, void *arg)
{
	struct copy *copy = arg;
	const struct copy_cscd *wrong = cscd_wrong(copy);

	if (mover_failure(m)->error == 0 && wrong == NULL) {
		copy_next(copy);
		return;
	}
	if (mover_failure(m)->error == 0) {
		copy->has_failed = true;
		copy->sense = sense_invalid_field_list((uint16_t)(wrong->at + 29), -1);
	} else {
		copy_fail(copy, ASC_COPY_TARGET_NOT_REACHABLE, copy->list.segments[0].at);
	}
	copy_end(copy);
}

/* ------ names ------ */

bool
lu_copy_is_here(const struct lu *lu)
{
	return lu->info.type == INQ_TYPE_DISK && !lu_policy_is_passed(lu, LU_POLICY_COPY);
}

/* false: an EXTENDED COPY cannot say it */
static bool
desig_take(const struct vpd_desig *d, struct copy_desig *ret)
{
	if (d->assoc != VPD_ASSOC_UNIT || d->len == 0 || d->len > COPY_DESIG_MAX)
		return false;
	*ret = (struct copy_desig){ d->code_set, d->type, (uint8_t)d->len, { 0 } };
	memcpy(ret->data, d->data, d->len);
	return true;
}

static bool
desig_equal(const struct copy_desig *a, const struct copy_desig *b)
{
	return a->code_set == b->code_set && a->type == b->type && a->len == b->len &&
	    memcmp(a->data, b->data, a->len) == 0;
}

static size_t
page_desigs(const void *page, size_t len, struct copy_desig *ret, size_t max)
{
	struct vpd_desig_walk walk;
	struct vpd_desig d;
	size_t n = 0;

	if (len == 0 || vpd_desig_begin(page, len, &walk) < 0)
		return 0;
	while (n < max && vpd_desig_next(&walk, &d) == 1)
		n += desig_take(&d, &ret[n]);
	return n;
}

bool
copy_page_has(const void *page, size_t len, const struct copy_desig *desig)
{
	struct copy_desig desigs[COPY_IDENT_MAX];
	size_t n = page_desigs(page, len, desigs, COPY_IDENT_MAX);

	for (size_t i = 0; i < n; i++) {
		if (desig_equal(&desigs[i], desig))
			return true;
	}
	return false;
}

int
lu_copy_identify(struct lu *lu, const void *page, size_t len)
{
	struct copy_desig desigs[COPY_IDENT_MAX];
	size_t n = page_desigs(page, len, desigs, COPY_IDENT_MAX);

	if (n == 0)
		return 0;
	lu->idents = fault_hit() ? NULL : malloc(n * sizeof(*lu->idents));
	if (lu->idents == NULL)
		return -ENOMEM;
	memcpy(lu->idents, desigs, n * sizeof(*lu->idents));
	lu->n_idents = n;
	return 0;
}

static bool
unit_is(const struct lu *lu, const struct copy_desig *desig, uint64_t id)
{
	if (desig == NULL)
		return lu->id == id && lu_is_active(lu);
	for (size_t i = 0; i < lu->n_idents; i++) {
		if (desig_equal(&lu->idents[i], desig))
			return lu_is_active(lu);
	}
	return false;
}

/* without a view: any unit there is */
static struct lu *
unit_anywhere(const struct copy_desig *desig, uint64_t id)
{
	struct lu *lu;
	uint64_t at = 0;

	while ((lu = lu_next(at)) != NULL && !unit_is(lu, desig, id)) {
		at = lu_id(lu);
		lu_unref(lu);
	}
	return lu;
}

struct lu *
lu_copy_unit(const struct lu_nexus *nexus, const struct copy_desig *desig, uint64_t id,
    uint32_t *ret_classes)
{
	*ret_classes = nexus->classes;
	if (unit_is(nexus->unit, desig, id))
		return lu_ref(nexus->unit);
	if (nexus->view == NULL)
		return unit_anywhere(desig, id);
	for (size_t i = 0; i < lu_view_count(nexus->view); i++) {
		const struct lu_view_entry *entry = lu_view_at(nexus->view, i);

		if (!unit_is(entry->unit, desig, id))
			continue;
		*ret_classes = entry->classes;
		return lu_ref(entry->unit);
	}
	return NULL;
}

/* ------ ends ------ */

static int
end_add(struct copy *copy, struct lu *unit, uint32_t classes, const struct copy_cscd *cscd,
    uint16_t at, int *ret)
{
	if (unit->info.type != INQ_TYPE_DISK) {
		copy_fail(copy, ASC_COPY_TARGET_TYPE, at);
		return -ENODEV;
	}
	*ret = mover_add(copy->m, unit, classes, cscd == NULL ? NULL : &cscd->desig);
	if (*ret >= 0)
		return 0;
	copy->has_failed = true;
	copy->sense = sense_make(SENSE_ILLEGAL_REQUEST, ASC_INSUFFICIENT_RESOURCES);
	return -ENOMEM;
}

/* the end that a segment at @at names; it is there afterwards */
static int
end_find(struct copy *copy, uint16_t id, uint16_t at)
{
	uint32_t classes = copy->task->nexus->classes;
	struct lu *unit;
	int r;

	if (id != COPY_SELF && id >= copy->list.n_cscds) {
		copy_fail(copy, ASC_UNREACHABLE_COPY_TARGET, at);
		return -ENODEV;
	}
	if (end_of(copy, id) >= 0)
		return 0;
	if (id == COPY_SELF)
		return end_add(copy, copy->lu, classes, NULL, at, &copy->ends[COPY_CSCD_MAX]);
	unit = lu_copy_unit(copy->task->nexus, &copy->list.cscds[id].desig, 0, &classes);
	if (unit == NULL) {
		copy_fail(copy, ASC_COPY_TARGET_NOT_REACHABLE, at);
		return -ENODEV;
	}
	r = end_add(copy, unit, classes, &copy->list.cscds[id], at, &copy->ends[id]);
	lu_unref(unit);
	return r;
}

static int
end_allows(struct copy *copy, uint16_t id, uint32_t class)
{
	if ((mover_classes(copy->m, end_of(copy, id)) & class) != 0)
		return 0;
	copy->has_failed = true;
	copy->sense = sense_make(SENSE_ILLEGAL_REQUEST, ASC_NO_ACCESS_RIGHTS);
	return -EACCES;
}

/* all ends of all segments, before anything is moved */
static int
ends_find(struct copy *copy)
{
	int r = 0;

	for (unsigned int i = 0; r == 0 && i < copy->list.n_segments; i++) {
		const struct copy_segment *s = &copy->list.segments[i];

		r = end_find(copy, s->src, (uint16_t)(s->at + 4));
		if (r == 0)
			r = end_find(copy, s->dst, (uint16_t)(s->at + 6));
		if (r == 0)
			r = end_allows(copy, s->src, LU_CLASS(OP_READ));
		if (r == 0)
			r = end_allows(copy, s->dst, LU_CLASS(OP_WRITE));
	}
	return r;
}

/* ------ the beginning ------ */

static struct copy *
copy_new(struct lu *lu, struct lu_task *task)
{
	struct copy *copy = fault_hit() ? NULL : calloc(1, sizeof(*copy));

	if (copy == NULL)
		return NULL;
	copy->task = task;
	copy->lu = lu;
	for (size_t i = 0; i <= COPY_CSCD_MAX; i++)
		copy->ends[i] = -1;
	copy->m = mover_new(task, copy);
	copy->result = copy_result_new();
	if (copy->m != NULL && copy->result != NULL)
		return copy;
	mover_free(copy->m);
	free(copy->result);
	free(copy);
	return NULL;
}

/* not begun: nothing is told of it afterwards */
static void
copy_free(struct copy *copy)
{
	mover_free(copy->m);
	free(copy->result);
	free(copy);
}

/* 0, or how it ends at once */
static int
copy_start(struct copy *copy)
{
	struct copy_result *result = copy->result;
	int r;

	result->nexus = copy->task->nexus;
	result->family = COPY_FAMILY_LID1;
	result->id = copy->list.id;
	result->has_id = copy->list.usage != COPY_NO_ID;
	r = copy_result_begin(copy->lu, result);
	if (r < 0)
		return r;
	mover_open(copy->m, copy_opened);
	return 0;
}

/* SPC-4 5.16.3: an identifier that is in use */
void
lu_copy_end_refused(struct lu_task *task, int r)
{
	if (r == -EEXIST)
		lu_local_check(task, SENSE_ILLEGAL_REQUEST, ASC_OPERATION_IN_PROGRESS);
	else if (r == -EBUSY)
		lu_local_status(task, SAM_STAT_BUSY);
	else
		lu_local_no_room(task);
}

static void
copy_begin(struct copy *copy, const uint8_t *list, size_t len)
{
	struct lu_task *task = copy->task;
	struct sense_data sense;
	int r;

	if (copy_list_parse(list, len, &copy->list, &sense) < 0) {
		lu_local_sense(task, &sense);
	} else if (ends_find(copy) < 0) {
		lu_local_sense(task, &copy->sense);
	} else if (copy->list.n_segments == 0) {
		lu_local_good(task);
	} else {
		r = copy_start(copy);
		if (r == 0)
			return;
		lu_copy_end_refused(task, r);
	}
	copy_free(copy);
}

void
lu_copy_do_extended(struct lu *lu, struct lu_task *task)
{
	uint32_t list_len = be32_get(task->cdb + 10);
	uint8_t list[COPY_LIST_MAX];
	struct copy *copy;

	if (!lu_copy_is_here(lu)) {
		lu_local_pass(task);
		return;
	}
	if (list_len == 0) {
		lu_local_good(task);
		return;
	}
	if (list_len > sizeof(list) || lu_local_take(task, list, list_len) < list_len) {
		lu_local_check(task, SENSE_ILLEGAL_REQUEST, ASC_PARAMETER_LIST_LENGTH);
		return;
	}
	copy = copy_new(lu, task);
	if (copy == NULL)
		lu_local_no_room(task);
	else
		copy_begin(copy, list, list_len);
}

/* ------ what is told afterwards ------ */

static void
receive_failure(struct lu *lu, struct lu_task *task, struct copy_result *result,
    uint32_t alloc_len)
{
	static const uint8_t none[4];
	uint8_t buf[COPY_FAILURE_MAX];

	if (result->state == COPY_GOOD) {
		lu_local_reply(task, none, sizeof(none), alloc_len);
		return;
	}
	lu_local_reply(task, buf, copy_put_failure(SAM_STAT_CHECK_CONDITION, result->sense,
	    result->sense_len, buf), alloc_len);
	copy_result_drop(lu, result);
}

static void
receive_of(struct lu *lu, struct lu_task *task, struct copy_result *result)
{
	static const uint8_t none[4];
	uint32_t alloc_len = be32_get(task->cdb + 10);
	uint8_t buf[COPY_STATUS_LEN];

	if (task->op->id == OP_RECEIVE_COPY_STATUS_LID1)
		lu_local_reply(task, buf, copy_put_status(result->state, result->n_segments,
		    result->bytes, buf), alloc_len);
	else if (result->state == COPY_RUNNING)
		lu_local_bad_cdb(task, 2, -1);
	else if (task->op->id == OP_RECEIVE_COPY_DATA_LID1)
		lu_local_reply(task, none, sizeof(none), alloc_len);
	else
		receive_failure(lu, task, result, alloc_len);
}

void
lu_copy_do_receive(struct lu *lu, struct lu_task *task)
{
	uint8_t buf[COPY_PARAMETERS_LEN];
	struct copy_result *result;

	if (!lu_copy_is_here(lu)) {
		lu_local_pass(task);
		return;
	}
	if (task->op->id == OP_RECEIVE_COPY_PARAMETERS) {
		lu_local_reply(task, buf, copy_put_parameters(buf), be32_get(task->cdb + 10));
		return;
	}
	result = copy_result_find(lu, task->nexus, COPY_FAMILY_LID1, task->cdb[2]);
	if (result == NULL)
		lu_local_bad_cdb(task, 2, -1);
	else
		receive_of(lu, task, result);
}

void
lu_copy_do_refuse(struct lu *lu, struct lu_task *task)
{
	if (lu_copy_is_here(lu))
		lu_local_bad_cdb(task, 1, 4);
	else
		lu_local_pass(task);
}
