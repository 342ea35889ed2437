#include "lu/lu_impl.h"

#include "base/clock.h"

static bool
media_kind(const struct sense_data *sense, enum lu_media *ret_kind)
{
	if (sense->key == SENSE_MEDIUM_ERROR || sense->key == SENSE_HARDWARE_ERROR ||
	    sense->key == SENSE_BLANK_CHECK) {
		*ret_kind = LU_MEDIA_ERROR;
		return true;
	}
	if (sense->key == SENSE_DATA_PROTECT && sense->asc == ASC_SPACE_ALLOCATION_FAILED) {
		*ret_kind = LU_MEDIA_FULL;
		return true;
	}
	return false;
}

static void
news_tell(struct lu *lu, enum lu_event event, const struct lu_media_report *report)
{
	lu->media_report = report;
	lu->host->event(lu->host, event, lu);
	lu->media_report = NULL;
}

void
lu_news_tell(struct lu *lu, const struct sense_data *sense)
{
	news_tell(lu, LU_EVENT_CHANGED, &(struct lu_media_report){ .sense = *sense });
}

void
lu_media_note(struct lu *lu, const struct lu_task *task)
{
	struct sense_data sense;
	enum lu_media kind;
	uint64_t now_ns;

	if (sense_parse(task->sense, task->sense_len, &sense) < 0 || !media_kind(&sense, &kind))
		return;
	lu_count(&lu->stats.media_errors, 1);
	lu->media[kind].n++;
	now_ns = clock_now_ns();
	if (lu->media[kind].told_ns != 0 &&
	    now_ns - lu->media[kind].told_ns < LU_MEDIA_QUIET_MS * NS_PER_MS)
		return;
	news_tell(lu, LU_EVENT_MEDIA, &(struct lu_media_report){ kind, lu->media[kind].n, sense });
	lu->media[kind].told_ns = now_ns;
	lu->media[kind].n = 0;
}

const struct sense_data *
lu_changed_sense(const struct lu *unit)
{
	return &unit->media_report->sense;
}

const struct lu_media_report *
lu_media_report(const struct lu *unit)
{
	return unit->media_report;
}
