#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>

#include "base/num.h"
#include "client/scsactl/out.h"
#include "client/scsactl/verbs.h"

enum { WATCH_COUNT };

static const struct verb_opt watch_opts[] = {
	[WATCH_COUNT] = { "count", 'c', "N", "end after N events" },
	{ NULL, 0, NULL, NULL },
};

struct watch {
	struct ctl *ctl;
	uint64_t seen;
	uint64_t wanted;	/* 0: without end */
};

static void
event_print(const struct scsac_event *event)
{
	time_t s = (time_t)(event->time_us / 1000000);
	struct tm tm;
	char when[32] = "";

	if (localtime_r(&s, &tm) != NULL)
		(void)strftime(when, sizeof(when), "%F %T", &tm);
	(void)printf("%s.%06u %s %s: %s", when, (unsigned)(event->time_us % 1000000),
	    scsac_event_name(event->kind), escaped(event->subject), escaped(event->text));
	if (event->lost > 0)
		(void)printf(" (%" PRIu32 " events lost)", event->lost);
	(void)printf("\n");
}

/* With --json every event is a document of its own, one a line. */
static void
event_json(const struct scsac_event *event)
{
	json_object *root = json_object_new_object();

	doc_number(root, "schema", CTL_SCHEMA);
	doc_text(root, "tool", "scsactl " SCSAD_VERSION);
	doc_text(root, "kind", scsac_event_name(event->kind));
	doc_number(root, "seq", event->seq);
	doc_number(root, "time_us", event->time_us);
	doc_text(root, "subject", event->subject);
	doc_text(root, "text", event->text);
	doc_number(root, "lost", event->lost);
	(void)printf("%s\n", json_object_to_json_string_ext(root,
	    JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	(void)json_object_put(root);
}

static void
watch_event(struct scsac *c, const struct scsac_event *event, void *arg)
{
	struct watch *w = arg;

	(void)c;
	if (w->wanted > 0 && w->seen == w->wanted)
		return;
	w->seen++;
	if (w->ctl->is_json)
		event_json(event);
	else
		event_print(event);
	(void)fflush(stdout);
}

static enum ctl_exit
watch_run(struct ctl *ctl, const struct args *args)
{
	struct watch w = { .ctl = ctl };
	int r;

	if (args->opt[WATCH_COUNT] != NULL &&
	    (num_parse_u64(args->opt[WATCH_COUNT], UINT64_MAX, &w.wanted) < 0 || w.wanted == 0))
		return ctl_syntax(ctl, "--count takes a number from 1 on");
	r = scsac_subscribe(ctl->conn, SCSAC_EVENTS_ALL, watch_event, &w);
	while (r >= 0 && (w.wanted == 0 || w.seen < w.wanted))
		r = scsac_wait(ctl->conn, -1);
	return r < 0 ? ctl_refused(ctl, r, NULL) : CTL_OK;
}

const struct verb verb_watch = {
	.name = "watch",
	.args = "",
	.summary = "tell events as they happen, until interrupted",
	.details = "With --json each event is a document on a line of its own, and a last\n"
	    "document tells how it ended.",
	.opts = watch_opts,
	.run = watch_run,
};
