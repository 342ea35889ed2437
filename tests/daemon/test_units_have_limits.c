/* depth, patience and weights of the configuration reach units and those who use them */
#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "check_main.h"
#include "lu/exec.h"
#include "lu/lu.h"
#include "lu/recover.h"
#include "lu/view.h"
#include "mock_client.h"
#include "mock_plane.h"

#define A	"iqn.2001-01.com.example:a"
#define EXPORT	"targets: [{name: '" A "'}]\n"

/* what a unit says of itself, at home */
struct look {
	struct lu_work work;
	const struct lu *unit;
	uint32_t depth;
	struct lu_recover_times times;
	pthread_mutex_t lock;
	pthread_cond_t cond;
	bool is_done;
};

static struct fixture f;
static struct world w;

static void
look_home(struct lu_work *work)
{
	struct look *l = container_of(work, struct look, work);

	(void)pthread_mutex_lock(&l->lock);
	l->depth = lu_depth(l->unit);
	l->times = *lu_recover_times(l->unit);
	l->is_done = true;
	(void)pthread_cond_signal(&l->cond);
	(void)pthread_mutex_unlock(&l->lock);
}

static struct look
look(const char *name)
{
	struct look l = { .lock = PTHREAD_MUTEX_INITIALIZER, .cond = PTHREAD_COND_INITIALIZER };
	struct lu *unit;

	ck_assert_int_eq(lu_find(name, &unit, NULL, 0), 0);
	l.unit = unit;
	lu_exec_post(lu_home(unit), &l.work, look_home);
	(void)pthread_mutex_lock(&l.lock);
	while (!l.is_done)
		(void)pthread_cond_wait(&l.cond, &l.lock);
	(void)pthread_mutex_unlock(&l.lock);
	lu_unref(unit);
	return l;
}

static void
begin(const char *file)
{
	fixture_init(&f);
	fixture_disk(&f, "mem:1M,luns=2");
	fixture_start(&f);
	world_init(&w, false);
	world_file(&w, file);
	ck_assert_int_eq(world_up(&w), 0);
}

static void
end(void)
{
	world_fini(&w);
	fixture_stop(&f);
}

static void
expect_defaults(const char *name)
{
	struct look l = look(name);

	ck_assert_uint_eq(l.depth, 0);
	ck_assert_uint_eq(l.times.grace_s, LU_EXPIRE_GRACE_S);
	ck_assert_uint_eq(l.times.step_s[LU_RECOVER_ABORT], LU_RECOVER_ABORT_S);
	ck_assert_uint_eq(l.times.step_s[LU_RECOVER_LUN], LU_RECOVER_LUN_S);
	ck_assert_uint_eq(l.times.step_s[LU_RECOVER_TARGET], LU_RECOVER_TARGET_S);
	ck_assert_uint_eq(l.times.step_s[LU_RECOVER_BUS], LU_RECOVER_BUS_S);
	ck_assert_uint_eq(l.times.step_s[LU_RECOVER_HBA], LU_RECOVER_HBA_S);
}

START_TEST(limits_of_the_file)
{
	struct look l;

	begin("units: [{unit: 'disk@0,1', depth: 7, recover_grace: 9, recover_abort: 0,\n"
	    "         recover_lun: 11, recover_target: 12, recover_bus: 13, recover_hba: 14}]\n");
	expect_defaults("disk@0,0");
	l = look("disk@0,1");
	ck_assert_uint_eq(l.depth, 7);
	ck_assert_uint_eq(l.times.grace_s, 9);
	ck_assert_uint_eq(l.times.step_s[LU_RECOVER_ABORT], 0);
	ck_assert_uint_eq(l.times.step_s[LU_RECOVER_LUN], 11);
	ck_assert_uint_eq(l.times.step_s[LU_RECOVER_TARGET], 12);
	ck_assert_uint_eq(l.times.step_s[LU_RECOVER_BUS], 13);
	ck_assert_uint_eq(l.times.step_s[LU_RECOVER_HBA], 14);
	/* the file changes, and nothing is said any more */
	world_file(&w, "loops: 1\n");
	ck_assert_int_eq(exports_reload(w.exports, &(struct ex_result){ .edit = 0 }), 0);
	expect_defaults("disk@0,1");
	end();
}
END_TEST

START_TEST(limits_at_run_time)
{
	begin("loops: 1\n");
	world_do(&w, "add unit disk@0,0 depth=3 recover_hba=0");
	ck_assert_uint_eq(look("disk@0,0").depth, 3);
	ck_assert_uint_eq(look("disk@0,0").times.step_s[LU_RECOVER_HBA], 0);
	world_do(&w, "set unit disk@0,0 depth=5");
	ck_assert_uint_eq(look("disk@0,0").depth, 5);
	ck_assert_uint_eq(look("disk@0,0").times.step_s[LU_RECOVER_HBA], 0);
	world_do(&w, "remove unit disk@0,0");
	expect_defaults("disk@0,0");
	end();
}
END_TEST

static uint32_t
weight_of(const char *initiator)
{
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000001) };
	const struct ex_peer peer = { initiator, (const struct sockaddr *)&addr, 1 };
	struct ex_set *set = exports_set(w.exports);
	struct lu_view *view;
	uint32_t weight;

	ck_assert_int_eq(ex_view(set, ex_set_target(set, A), &peer, &view), 0);
	ck_assert_uint_eq(lu_view_count(view), 1);
	weight = lu_view_at(view, 0)->weight;
	lu_view_unref(view);
	ex_set_unref(set);
	return weight;
}

START_TEST(weights_of_exports)
{
	begin(EXPORT "acls:\n"
	    "  - {name: heavy, initiators: ['iqn.2001-01.com.host:heavy']}\n"
	    "  - {name: light, initiators: ['iqn.2001-01.com.host:light']}\n"
	    "exports:\n"
	    "  - {target: '" A "', lun: 0, unit: 'disk@0,0', acl: heavy, weight: 16}\n"
	    "  - {target: '" A "', lun: 0, unit: 'disk@0,0', acl: light}\n");
	ck_assert_uint_eq(weight_of("iqn.2001-01.com.host:heavy"), 16);
	ck_assert_uint_eq(weight_of("iqn.2001-01.com.host:light"), LU_WEIGHT_DEFAULT);
	end();
}
END_TEST

START_TEST(weights_change)
{
	char words[256];
	struct lu *unit;

	begin(EXPORT);
	/* by its serial number: the words have no place for a comma */
	ck_assert_int_eq(lu_find("disk@0,0", &unit, NULL, 0), 0);
	(void)snprintf(words, sizeof(words), "add export - target=%s lun=0 unit=%s", A,
	    lu_info(unit)->serial);
	lu_unref(unit);
	world_do(&w, words);
	ck_assert_uint_eq(weight_of("iqn.2001-01.com.host:a"), LU_WEIGHT_DEFAULT);
	(void)world_log(&w);
	world_do(&w, "set export " A ",0 weight=64");
	ck_assert_uint_eq(weight_of("iqn.2001-01.com.host:a"), 64);
	/* sessions hear of it */
	ck_assert_str_eq(world_log(&w), "changed " A ";");
	end();
}
END_TEST

CHECK_MAIN("limits of units", limits_of_the_file, limits_at_run_time, weights_of_exports,
    weights_change)
