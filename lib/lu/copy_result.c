/* results of copies: a short list for each unit (lu/copy_result.h) */
#include "lu/copy_result.h"

#include <errno.h>

#include "base/fault.h"
#include "lu/copy.h"
#include "lu/lu_impl.h"

struct lu_copies {
	TAILQ_HEAD(, copy_result) results;	/* oldest first */
	unsigned int n_held, n_running;
};

static _Atomic unsigned int n_running_all;

static struct lu_copies *
copies_of(struct lu *lu)
{
	if (lu->copies != NULL)
		return lu->copies;
	lu->copies = fault_hit() ? NULL : calloc(1, sizeof(*lu->copies));
	if (lu->copies != NULL)
		TAILQ_INIT(&lu->copies->results);
	return lu->copies;
}

struct copy_result *
copy_result_new(void)
{
	return fault_hit() ? NULL : calloc(1, sizeof(struct copy_result));
}

struct copy_result *
copy_result_find(const struct lu *lu, const struct lu_nexus *nexus, enum copy_family family,
    uint32_t id)
{
	struct copy_result *result;

	if (lu->copies == NULL)
		return NULL;
	TAILQ_FOREACH(result, &lu->copies->results, entry) {
		if (result->nexus == nexus && result->family == family && result->has_id &&
		    result->id == id)
			return result;
	}
	return NULL;
}

void
copy_result_drop(struct lu *lu, struct copy_result *result)
{
	TAILQ_REMOVE(&lu->copies->results, result, entry);
	lu->copies->n_held--;
	free(result);
}

int
copy_result_begin(struct lu *lu, struct copy_result *result)
{
	struct lu_copies *copies = copies_of(lu);
	struct copy_result *old;

	if (copies == NULL)
		return -ENOMEM;
	old = result->has_id ? copy_result_find(lu, result->nexus, result->family,
	    result->id) : NULL;
	if (old != NULL && old->state == COPY_RUNNING)
		return -EEXIST;
	if (copies->n_running >= COPY_UNIT_MAX)
		return -EBUSY;
	if (atomic_fetch_add_explicit(&n_running_all, 1, memory_order_relaxed) >=
	    COPY_TOTAL_MAX) {
		(void)atomic_fetch_sub_explicit(&n_running_all, 1, memory_order_relaxed);
		return -EBUSY;
	}
	if (old != NULL)
		copy_result_drop(lu, old);
	result->state = COPY_RUNNING;
	copies->n_running++;
	TAILQ_INSERT_TAIL(&copies->results, result, entry);
	return 0;
}

static void
results_trim(struct lu *lu)
{
	struct copy_result *result = TAILQ_FIRST(&lu->copies->results), *next;

	for (; lu->copies->n_held > COPY_HELD_MAX && result != NULL; result = next) {
		next = TAILQ_NEXT(result, entry);
		if (result->state != COPY_RUNNING)
			copy_result_drop(lu, result);
	}
}

void
copy_result_end(struct lu *lu, struct copy_result *result, bool is_held,
    const struct sense_data *sense)
{
	(void)atomic_fetch_sub_explicit(&n_running_all, 1, memory_order_relaxed);
	lu->copies->n_running--;
	lu->copies->n_held++;
	result->state = sense == NULL ? COPY_GOOD : COPY_FAILED;
	if (sense != NULL)
		result->sense_len = (uint8_t)sense_build(sense, false, result->sense,
		    sizeof(result->sense));
	if (is_held && result->has_id)
		results_trim(lu);
	else
		copy_result_drop(lu, result);
}

void
lu_copy_nexus_gone(struct lu *lu, const struct lu_nexus *nexus)
{
	struct copy_result *result, *next;

	if (lu->copies == NULL)
		return;
	for (result = TAILQ_FIRST(&lu->copies->results); result != NULL; result = next) {
		next = TAILQ_NEXT(result, entry);
		if (result->nexus == nexus)
			copy_result_drop(lu, result);
	}
}

void
lu_copy_fini(struct lu *lu)
{
	struct copy_result *result;

	while (lu->copies != NULL &&
	    (result = TAILQ_FIRST(&lu->copies->results)) != NULL)
		copy_result_drop(lu, result);
	free(STEAL(lu->copies));
	free(STEAL(lu->idents));
	lu->n_idents = 0;
}
