/* a server may be away, silent, forgetful or mad: by and by it knows what is there */
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/fault.h"
#include "check_main.h"
#include "mock_isns.h"

#define A	"iqn.2001-01.com.example:a"
#define REG	" node=" A " entity=e | entity=e protocol=2 period=300 portal=127.0.0.1:1" \
		" node=" A " type=1 group=1 at=127.0.0.1:1"
#define REPLACE	"reg replace" REG
#define QUERY	"query node=" A " node=" A " | node="
#define DEREG	"dereg node=" A " | entity=e"

static const char file[] =
    "portals: [{address: \"127.0.0.1:1\"}]\n"
    "targets: [{name: " A "}]\n"
    "exports: [{target: " A ", lun: 0, unit: disk@0}]\n";

/* registered, and the clock stands still */
static void
begin(struct mi_world *w, struct mi_answer answer)
{
	mi_clock_hold();
	mi_begin(w, file);
	mi_answer(&w->server, answer);
	mi_go(w, NULL);
	mi_expect(&w->server, REPLACE);
	mi_wait(w, ISNS_IN, "");
}

START_TEST(registration_is_refreshed_in_time)
{
	struct mi_world w;

	begin(&w, (struct mi_answer){ 0 });
	for (int i = 0; i < 2; i++) {
		mi_clock_advance(&w, 100);
		mi_expect(&w.server, QUERY);
		mi_wait(&w, ISNS_IN, "");
	}
	/* too early */
	mi_clock_advance(&w, 99);
	isns_stop(w.isns);
	mi_expect(&w.server, DEREG);
	mi_quiet(&w.server);
	mi_end(&w);
}
END_TEST

/* the server says for how long */
START_TEST(the_period_is_the_servers)
{
	struct isns_status st;
	struct mi_world w;

	begin(&w, (struct mi_answer){ .period_s = 30 });
	isns_status_get(w.isns, &st);
	ck_assert_uint_eq(st.period_s, 30);
	mi_clock_advance(&w, 10);
	mi_expect(&w.server, QUERY);
	mi_end(&w);
}
END_TEST

START_TEST(short_and_endless_periods)
{
	struct isns_status st;
	struct mi_world w;

	begin(&w, (struct mi_answer){ .period_s = 1 });
	mi_clock_advance(&w, 1);
	mi_expect(&w.server, QUERY);
	mi_end(&w);

	begin(&w, (struct mi_answer){ .period_s = UINT32_MAX });
	isns_status_get(w.isns, &st);
	ck_assert_uint_eq(st.period_s, ISNS_PERIOD_MAX_S);
	mi_end(&w);
}
END_TEST

/* told again, and nothing is taken away before */
START_TEST(what_is_forgotten_is_told_again)
{
	struct isns_status st;
	struct mi_world w;

	begin(&w, (struct mi_answer){ .is_forgetful = true });
	mi_clock_advance(&w, 100);
	mi_expect(&w.server, QUERY);
	mi_expect(&w.server, "reg" REG);
	mi_wait(&w, ISNS_IN, "");
	/* one that does not know who asks */
	mi_answer(&w.server, (struct mi_answer){ .status = ISNS_STATUS_SOURCE_UNKNOWN });
	mi_clock_advance(&w, 100);
	mi_expect(&w.server, QUERY);
	mi_expect(&w.server, "reg" REG);
	mi_wait(&w, ISNS_OUT, "registration is refused: source unknown (6)");
	mi_answer(&w.server, (struct mi_answer){ 0 });
	mi_clock_advance(&w, 1);
	mi_expect(&w.server, REPLACE);
	mi_wait(&w, ISNS_IN, "");
	isns_status_get(w.isns, &st);
	ck_assert_uint_eq(st.retry_s, 0);
	mi_end(&w);
}
END_TEST

/* tried again after 1, 2, 4 ... seconds, and 120 at last */
START_TEST(away_and_back)
{
	struct isns_status st;
	struct mi_world w;
	uint32_t s = 1;

	begin(&w, (struct mi_answer){ 0 });
	mi_stop(&w.server);
	mi_clock_advance(&w, 100);
	for (int i = 0; i < 10; i++, s = s < 64 ? s * 2 : ISNS_RETRY_MAX_S) {
		mi_wait(&w, ISNS_OUT, "cannot be reached: Connection refused");
		isns_status_get(w.isns, &st);
		ck_assert_uint_eq(st.retry_s, s);
		/* whoever asks for it gets a try at once */
		if (i == 4) {
			isns_poke(w.isns);
			mi_wait(&w, ISNS_OUT, "cannot be reached");
			i++;
			s *= 2;
		}
		if (i == 9)
			mi_start(&w.server);
		mi_clock_advance(&w, s);
	}
	/* it has come back with all that it knew */
	mi_expect(&w.server, QUERY);
	mi_wait(&w, ISNS_IN, "");
	mi_end(&w);
}
END_TEST

START_TEST(away_at_first)
{
	struct mi_world w;

	mi_clock_hold();
	mi_begin(&w, file);
	mi_stop(&w.server);
	mi_go(&w, NULL);
	mi_wait(&w, ISNS_OUT, "cannot be reached: Connection refused; is an iSNS server "
	    "running there?");
	mi_start(&w.server);
	/* a change is a reason to try at once */
	world_do(&w.world, "add acl mine initiators=iqn.x");
	mi_expect(&w.server, REPLACE);
	mi_wait(&w, ISNS_IN, "");
	mi_end(&w);
}
END_TEST

static const struct {
	struct mi_answer answer;
	const char *error;
} wrong[] = {
	{ { .what = MI_CLOSE }, "registration: Connection reset by peer" },
	{ { .what = MI_GARBAGE }, "registration: what it says is no iSNS" },
	{ { .what = MI_SHORT }, "registration: what it says is no iSNS" },
	{ { .what = MI_BAD_ATTR }, "registration: what it says is no iSNS" },
	{ { .what = MI_HALF }, "registration: Connection reset by peer" },
	{ { .what = MI_OTHER_XID }, "registration: what it says is no iSNS" },
	{ { .what = MI_OTHER_FUNCTION }, "registration: what it says is no iSNS" },
	{ { .what = MI_LATER_PART }, "registration: what it says is no iSNS" },
	{ { .what = MI_BAD_PARTS }, "registration: what it says is no iSNS" },
	{ { .status = 8 }, "registration is refused: source unauthorized (8); the server" },
	{ { .status = 3 }, "registration is refused: invalid registration (3)" },
	{ { .status = 0xffffffff }, "registration is refused: unknown (4294967295)" },
};

START_TEST(wrong_answers_are_no_end)
{
	struct mi_world w;

	mi_clock_hold();
	mi_begin(&w, file);
	mi_answer(&w.server, wrong[0].answer);
	mi_go(&w, NULL);
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		mi_expect(&w.server, REPLACE);
		mi_wait(&w, ISNS_OUT, wrong[i].error);
		mi_answer(&w.server, i + 1 < ARRAY_LEN(wrong) ? wrong[i + 1].answer :
		    (struct mi_answer){ 0 });
		isns_poke(w.isns);
	}
	mi_expect(&w.server, REPLACE);
	mi_wait(&w, ISNS_IN, "");
	mi_end(&w);
}
END_TEST

START_TEST(silence_is_no_end)
{
	static const struct isns_conf impatient = { .period_s = 300, .answer_ms = 50 };
	struct mi_world w;

	mi_clock_hold();
	mi_begin(&w, file);
	mi_answer(&w.server, (struct mi_answer){ .what = MI_SILENT });
	mi_go(&w, &impatient);
	mi_expect(&w.server, REPLACE);
	mi_wait(&w, ISNS_OUT, "registration: no answer in time");
	/* tried again, as after every other failure */
	mi_clock_advance(&w, 1);
	mi_expect(&w.server, REPLACE);
	mi_wait(&w, ISNS_OUT, "registration: no answer in time");
	mi_answer(&w.server, (struct mi_answer){ 0 });
	mi_end(&w);
}
END_TEST

START_TEST(odd_answers_are_understood)
{
	static const enum mi_do odd[] = { MI_STRAY_FIRST, MI_PARTS };

	for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
		struct isns_status st;
		struct mi_world w;

		begin(&w, (struct mi_answer){ .what = odd[i], .period_s = 60 });
		isns_status_get(w.isns, &st);
		ck_assert_uint_eq(st.period_s, 60);
		mi_clock_advance(&w, 20);
		mi_expect(&w.server, QUERY);
		mi_wait(&w, ISNS_IN, "");
		mi_end(&w);
	}
}
END_TEST

/* status 23: all portals lead to all targets then, as far as the server knows */
START_TEST(portal_groups_may_be_too_much)
{
	struct mi_world w;

	mi_clock_hold();
	mi_begin(&w, file);
	mi_answer(&w.server, (struct mi_answer){ .status = ISNS_STATUS_NO_FEATURE });
	mi_go(&w, NULL);
	mi_expect(&w.server, REPLACE);
	mi_expect(&w.server, "reg replace node=" A " entity=e | entity=e protocol=2 period=300"
	    " portal=127.0.0.1:1 node=" A " type=1");
	mi_wait(&w, ISNS_OUT, "registration feature not supported (23)");
	mi_answer(&w.server, (struct mi_answer){ 0 });
	mi_clock_advance(&w, 1);
	mi_expect(&w.server, "reg replace node=" A " entity=e | entity=e protocol=2 period=300"
	    " portal=127.0.0.1:1 node=" A " type=1");
	mi_wait(&w, ISNS_IN, "");
	mi_end(&w);
}
END_TEST

START_TEST(names_are_resolved)
{
	struct isns_conf conf = { .period_s = 300 };
	char server[64];
	struct mi_world w;

	mi_begin(&w, file);
	(void)snprintf(server, sizeof(server), "localhost:%u", w.server.port);
	conf.server = server;
	mi_go(&w, &conf);
	mi_expect(&w.server, REPLACE);
	mi_wait(&w, ISNS_IN, "");
	isns_stop(w.isns);
	isns_free(w.isns);
	conf.server = "no-such-name.invalid";
	w.rounds = 0;
	mi_go(&w, &conf);
	mi_wait(&w, ISNS_OUT, "the name cannot be resolved");
	mi_end(&w);
}
END_TEST

/* registered, be it a second after something went wrong, once */
static void
retried(struct mi_world *w)
{
	bool was_wrong = false;
	struct isns_status st;

	do {
		isns_status_get(w->isns, &st);
		if (!was_wrong && st.state == ISNS_OUT && st.error[0] != '\0') {
			was_wrong = true;
			mi_clock_advance(w, 1);
		}
		(void)sched_yield();
	} while (st.state != ISNS_IN);
}

START_TEST(memory_may_be_short)
{
	for (int64_t n = 1;; n++) {
		struct isns_conf conf = { .entity = "e", .period_s = 300,
			.answer_ms = MI_WAIT_S * 1000 };
		struct isns *isns = NULL;
		struct mi_world w;
		bool was_hit;
		int r;

		mi_clock_hold();
		mi_begin(&w, file);
		conf.server = w.server.server;
		conf.exports = w.world.exports;
		fault_arm(n);
		r = isns_new(&conf, &isns);
		if (r == 0)
			r = isns_go(isns);
		w.isns = isns;
		if (r == 0)
			retried(&w);
		was_hit = fault_disarm();
		mi_end(&w);
		if (!was_hit)
			break;
	}
}
END_TEST

CHECK_MAIN("isns_outlives_its_server", registration_is_refreshed_in_time,
    the_period_is_the_servers, short_and_endless_periods, what_is_forgotten_is_told_again,
    away_and_back, away_at_first, wrong_answers_are_no_end, silence_is_no_end,
    odd_answers_are_understood, portal_groups_may_be_too_much, names_are_resolved, memory_may_be_short)
