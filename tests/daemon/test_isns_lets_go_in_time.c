/* stopping waits for a name server, but not for long, and for a resolver not at all */
#include "base/clock.h"
#include "check_main.h"
#include "mock_isns.h"

#define A	"iqn.2001-01.com.example:a"
#define STOP_MS	300
#define SLOW_MS	45000	/* far from STOP_MS, and from what a busy machine takes */

static const char file[] =
    "portals: [{address: \"127.0.0.1:1\"}]\n"
    "targets: [{name: " A "}]\n"
    "exports: [{target: " A ", lun: 0, unit: disk@0}]\n";

/* stop, and how long that took */
static uint64_t
stop_ms(struct mi_world *w)
{
	uint64_t begin = clock_now_ns();

	isns_stop(w->isns);
	return (clock_now_ns() - begin) / NS_PER_MS;
}

START_TEST(a_server_that_is_silent_at_first)
{
	const struct isns_conf conf = { .answer_ms = 60000, .stop_ms = STOP_MS };
	struct mi_world w;

	mi_begin(&w, file);
	mi_answer(&w.server, (struct mi_answer){ .what = MI_SILENT });
	mi_go(&w, &conf);
	(void)mi_next(&w.server);
	ck_assert_uint_lt(stop_ms(&w), SLOW_MS);
	mi_end(&w);
}
END_TEST

START_TEST(a_server_that_is_silent_at_the_end)
{
	const struct isns_conf conf = { .answer_ms = 60000, .stop_ms = STOP_MS };
	struct mi_world w;

	mi_begin(&w, file);
	mi_go(&w, &conf);
	mi_wait(&w, ISNS_IN, "");
	mi_answer(&w.server, (struct mi_answer){ .what = MI_SILENT });
	ck_assert_uint_lt(stop_ms(&w), SLOW_MS);
	(void)mi_next(&w.server);
	mi_expect(&w.server, "dereg node=" A " | entity=e");
	mi_end(&w);
}
END_TEST

START_TEST(a_server_that_has_gone)
{
	struct mi_world w;

	mi_begin(&w, file);
	mi_go(&w, NULL);
	mi_wait(&w, ISNS_IN, "");
	mi_stop(&w.server);
	ck_assert_uint_lt(stop_ms(&w), SLOW_MS);
	mi_end(&w);
}
END_TEST

START_TEST(a_server_that_refuses_at_the_end)
{
	struct mi_world w;

	mi_begin(&w, file);
	mi_go(&w, NULL);
	mi_wait(&w, ISNS_IN, "");
	mi_answer(&w.server, (struct mi_answer){ .status = 8 });
	ck_assert_uint_lt(stop_ms(&w), SLOW_MS);
	mi_end(&w);
}
END_TEST

START_TEST(a_name_that_is_being_resolved)
{
	const struct isns_conf conf = { .server = "slow", .stop_ms = STOP_MS };
	struct mi_world w;

	mi_slow_begin();
	mi_begin(&w, file);
	mi_go(&w, &conf);
	mi_slow_wait();
	ck_assert_uint_lt(stop_ms(&w), SLOW_MS);
	/* all that it could look at is gone when it comes back */
	mi_end(&w);
	mi_slow_end();
}
END_TEST

START_TEST(one_that_never_went)
{
	const struct isns_conf conf = { .server = "192.0.2.1" };
	struct isns_status st;
	struct isns *isns;

	ck_assert_int_eq(isns_new(&conf, &isns), 0);
	isns_status_get(isns, &st);
	ck_assert_int_eq(st.state, ISNS_OUT);
	ck_assert_str_eq(isns_state_name(st.state), "not registered");
	isns_poke(isns);
	isns_stop(isns);
	isns_free(isns);
	isns_stop(NULL);
	isns_free(NULL);
}
END_TEST

CHECK_MAIN("isns_lets_go_in_time", a_server_that_is_silent_at_first,
    a_server_that_is_silent_at_the_end, a_server_that_has_gone,
    a_server_that_refuses_at_the_end, a_name_that_is_being_resolved, one_that_never_went)
