/* a change of exports happens completely, in the right order, and is kept, or does not
 * happen */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "check_main.h"
#include "lu/port.h"
#include "mock_plane.h"

#define A	"iqn.2001-01.com.example:a"
#define B	"iqn.2001-01.com.example:b"

static const char file[] =
    "portals:\n"
    "  - address: 127.0.0.1:1\n"
    "targets:\n"
    "  - name: " A "\n"
    "acls:\n"
    "  - name: hosts\n"
    "    initiators: [iqn.h]\n"
    "  - name: others\n"
    "    addresses: [10.0.0.0/8]\n"
    "exports:\n"
    "  - {target: " A ", lun: 0, unit: disk@0, acl: hosts}\n";

static void
begin(struct world *w)
{
	world_init(w, true);
	world_file(w, file);
	ck_assert_int_eq(world_up(w), 0);
}

START_TEST(order_of_coming_and_going)
{
	struct world w;

	begin(&w);
	ck_assert_str_eq(world_log(&w), "up " A ";open 127.0.0.1:1;start 127.0.0.1:1;");
	world_do(&w, "add target " B " groups=2;add portal [::1]:7 group=2");
	ck_assert_str_eq(world_log(&w), "up " B ";open [::1]:7;start [::1]:7;");
	world_do(&w, "remove portal [::1]:7;remove target " B);
	ck_assert_str_eq(world_log(&w), "close [::1]:7;down " B ";");
	world_down(&w);
	ck_assert_str_eq(world_log(&w), "close 127.0.0.1:1;down " A ";");
	world_fini(&w);
}
END_TEST

START_TEST(only_targets_that_differ_hear_of_it)
{
	struct world w;

	begin(&w);
	world_do(&w, "add target " B ";add acl mine initiators=iqn.x");
	(void)world_log(&w);
	world_do(&w, "set target " B " window=7");
	ck_assert_str_eq(world_log(&w), "changed " B ";");
	world_do(&w, "set acl mine initiators=iqn.x,iqn.y");
	ck_assert_str_eq(world_log(&w), "");
	world_do(&w, "add group 1 state=standby");
	ck_assert_str_eq(world_log(&w), "");
	/* units that come: whoever exports one of that name */
	exports_units_changed(w.exports, "soft0/iport0/disk@0");
	world_down(&w);
	ck_assert_str_eq(world_log(&w), "changed " A ";close 127.0.0.1:1;down " A ";down " B ";");
	world_fini(&w);
}
END_TEST

/* the portal moves to another group: its address is needed again at once */
START_TEST(portals_change_their_group)
{
	struct ex_result res;
	struct world w;

	begin(&w);
	world_do(&w, "add portal 127.0.0.1:2");
	(void)world_log(&w);
	world_do(&w, "set portal 127.0.0.1:2 group=9");
	ck_assert_str_eq(world_log(&w), "close 127.0.0.1:2;open 127.0.0.1:2;start 127.0.0.1:2;");
	w.plane.refuse = "open 127.0.0.1:3";
	ck_assert_int_eq(world_edits(&w, "set portal 127.0.0.1:2 group=8;add portal 127.0.0.1:3",
	    0, &res), -EADDRINUSE);
	ck_assert_str_eq(world_value(&w, EX_PORTAL, "127.0.0.1:2", "group"), "9");
	ck_assert_uint_eq(w.plane.n_portals, 2);
	w.plane.refuse = NULL;
	world_fini(&w);
}
END_TEST

START_TEST(what_fails_leaves_everything)
{
	static const struct {
		const char *refuse;
		int err;
		const char *text, *log;
	} rows[] = {
		{ "up " B, -ENOMEM, "target '" B "': cannot be made", "up " B ";" },
		{ "open 127.0.0.1:3", -EADDRINUSE, "127.0.0.1:3: Address already in use",
		    "up " B ";open 127.0.0.1:2;open 127.0.0.1:3;close 127.0.0.1:2;down " B ";" },
	};
	char before[65536];
	struct world w;

	begin(&w);
	strcpy(before, world_own_file(&w));
	ck_assert_str_ne(before, "");
	(void)world_log(&w);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct ex_set *set = exports_set(w.exports);
		struct ex_set *after;
		struct ex_result res;

		w.plane.refuse = rows[i].refuse;
		ck_assert_int_eq(world_edits(&w, "add target " B ";add portal 127.0.0.1:2;"
		    "add portal 127.0.0.1:3", 0, &res), rows[i].err);
		ck_assert_msg(strstr(res.text, rows[i].text) != NULL, "%s", res.text);
		ck_assert_str_eq(world_log(&w), rows[i].log);
		after = exports_set(w.exports);
		ck_assert_ptr_eq(set, after);
		ck_assert_str_eq(before, world_own_file(&w));
		ck_assert_ptr_null(lu_port_find(2));
		ex_set_unref(set);
		ex_set_unref(after);
	}
	w.plane.refuse = NULL;
	world_fini(&w);
}
END_TEST

/* every allocation, every step onto the disk */
START_TEST(every_fault_leaves_everything)
{
	static const char words[] = "add acl new initiators=iqn.x,iqn.y* addresses=10.0.0.0/8;"
	    "add target " B " groups=1,2 alias=b;add portal [::1]:9 group=2;"
	    "set target " B " window=9";
	struct ex_result res;
	bool is_reached = true;
	struct world w;
	unsigned int failed = 0;

	begin(&w);
	for (int64_t n = 1; is_reached; n++) {
		char before[65536];
		int r;

		strcpy(before, world_own_file(&w));
		fault_arm(n);
		r = world_edits(&w, words, 0, &res);
		is_reached = fault_disarm();
		if (r < 0) {
			failed++;
			ck_assert_msg(res.text[0] != '\0', "%ld", (long)n);
			ck_assert_str_eq(before, world_own_file(&w));
			ck_assert_uint_eq(w.plane.n_targets, 1);
			ck_assert_uint_eq(w.plane.n_portals, 1);
			ck_assert_ptr_null(world_value(&w, EX_ACL, "new", "name"));
			continue;
		}
		ck_assert_str_eq(world_value(&w, EX_TARGET, B, "window"), "9");
		ck_assert_uint_eq(w.plane.n_targets, 2);
		world_do(&w, "remove acl new;remove target " B ";remove portal [::1]:9");
	}
	ck_assert_uint_gt(failed, 20);
	world_fini(&w);
}
END_TEST

START_TEST(a_restart_finds_it_again)
{
	static const char file_again[] =
	    "targets:\n"
	    "  - name: iqn.2001-01.com.example:first\n"
	    "  - name: " A "\n";
	struct ex_result res;
	struct world w;
	uint64_t generation;

	begin(&w);
	world_do(&w, "add target " B " groups=3,4 alias=quo\"te\\ nop_interval=0;"
	    "add group 3 state=standby preferred=yes;add acl mine initiators=iqn.x*");
	ck_assert_int_eq(world_edits(&w, "set target " B " max_sessions=5", 0, &res), 0);
	ck_assert(res.is_kept);
	generation = res.generation;
	world_down(&w);

	/* a target more in front of the others: identifiers stay with their ports */
	world_file(&w, file_again);
	ck_assert_int_eq(world_up(&w), 0);
	ck_assert_str_eq(world_value(&w, EX_TARGET, B, "groups"), "3,4");
	ck_assert_str_eq(world_value(&w, EX_TARGET, B, "alias"), "quo\"te\\");
	ck_assert_str_eq(world_value(&w, EX_TARGET, B, "max_sessions"), "5");
	ck_assert_str_eq(world_value(&w, EX_TARGET, B, "nop_interval"), "0");
	ck_assert_str_eq(world_value(&w, EX_GROUP, "3", "state"), "standby");
	ck_assert_str_eq(world_value(&w, EX_ACL, "mine", "initiators"), "iqn.x*");
	ck_assert_str_eq(world_value(&w, EX_PORT, A ",1", "rtpi"), "1");
	ck_assert_str_eq(world_value(&w, EX_PORT, B ",3", "rtpi"), "2");
	ck_assert_str_eq(world_value(&w, EX_PORT, B ",4", "rtpi"), "3");
	ck_assert_str_eq(world_value(&w, EX_PORT, "iqn.2001-01.com.example:first,1", "rtpi"),
	    "4");
	ck_assert_int_eq(world_edits(&w, "set target " B " window=1", generation, &res), 0);
	world_fini(&w);
}
END_TEST

START_TEST(without_a_folder_it_is_not_kept)
{
	struct ex_result res;
	struct world w;

	world_init(&w, false);
	world_file(&w, file);
	ck_assert_int_eq(world_up(&w), 0);
	ck_assert_int_eq(world_edit(&w, "add target " B, &res), 0);
	ck_assert(!res.is_kept);
	ck_assert_str_eq(world_own_file(&w), "");
	world_fini(&w);
}
END_TEST

/* what cannot be written down does not happen */
START_TEST(a_failed_write_is_told)
{
	struct ex_result res;
	struct world w;
	char path[128];

	begin(&w);
	/* a folder in the place of the successor: nobody, not even root, opens that to write */
	(void)snprintf(path, sizeof(path), "%s/state/exports.yaml.new", w.dir);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	(void)world_log(&w);
	ck_assert_int_eq(world_edit(&w, "add target " B, &res), -EISDIR);
	ck_assert_ptr_nonnull(strstr(res.text, "nothing was changed"));
	ck_assert_str_eq(world_log(&w), "up " B ";down " B ";");
	ck_assert_ptr_null(world_value(&w, EX_TARGET, B, "name"));
	ck_assert_int_eq(rmdir(path), 0);
	world_do(&w, "add target " B);
	world_fini(&w);
}
END_TEST

START_TEST(an_own_file_that_is_wrong_stops_the_start)
{
	struct world w;
	char path[128];
	FILE *f;

	begin(&w);
	world_down(&w);
	(void)snprintf(path, sizeof(path), "%s/state/exports.yaml", w.dir);
	f = fopen(path, "w");
	ck_assert_int_ge(fputs("generation: 4\ntargets:\n  - name: moon\n", f), 0);
	ck_assert_int_eq(fclose(f), 0);
	log_set_level(LOG_LEVEL_ERROR);
	ck_assert_int_eq(world_up(&w), -EINVAL);
	config_fini(&w.config);
	/* both files have a target of that name */
	f = fopen(path, "w");
	ck_assert_int_ge(fputs("generation: 4\ntargets:\n  - name: " A "\n", f), 0);
	ck_assert_int_eq(fclose(f), 0);
	ck_assert_int_eq(world_up(&w), -EEXIST);
	world_fini(&w);
}
END_TEST

/* ------ reading again ------ */

START_TEST(a_reload_changes_only_what_differs)
{
	struct ex_result res;
	struct world w;

	begin(&w);
	world_do(&w, "add target " B);
	(void)world_log(&w);
	ck_assert_int_eq(exports_reload(w.exports, &res), 0);
	ck_assert_str_eq(world_log(&w), "");
	world_file(&w,
	    "portals:\n"
	    "  - address: 127.0.0.1:1\n"
	    "  - address: 127.0.0.1:5\n"
	    "targets:\n"
	    "  - name: " A "\n"
	    "acls:\n"
	    "  - {name: hosts, initiators: [iqn.h, iqn.j]}\n"
	    "exports:\n"
	    "  - {target: " A ", lun: 0, unit: disk@0, acl: hosts}\n");
	ck_assert_int_eq(exports_reload(w.exports, &res), 0);
	ck_assert_str_eq(world_log(&w),
	    "open 127.0.0.1:5;changed " A ";start 127.0.0.1:5;");
	ck_assert_ptr_nonnull(world_value(&w, EX_TARGET, B, "name"));

	/* a mistake: nothing happens, and the place is told */
	world_file(&w, "targets:\n  - name: moon\n");
	ck_assert_int_eq(exports_reload(w.exports, &res), -EINVAL);
	ck_assert_ptr_nonnull(strstr(res.text, ":2:11: "));
	ck_assert_str_eq(world_log(&w), "");

	world_file(&w, "targets: []\n");
	ck_assert_int_eq(exports_reload(w.exports, &res), 0);
	ck_assert_str_eq(world_log(&w), "close 127.0.0.1:1;close 127.0.0.1:5;down " A ";");
	world_fini(&w);
}
END_TEST

/* ------ who may change what ------ */

START_TEST(refusals_name_the_object_and_the_word)
{
	static const struct {
		const char *words;
		int err;
		const char *text;
	} rows[] = {
		{ "add target " A, -EEXIST, "target '" A "': is there already" },
		{ "set target " A " window=1", -EPERM, "administrator's file" },
		{ "remove target " A, -EPERM, "administrator's file" },
		{ "set target " B " window=1", -ENOENT, "target '" B "': is not there" },
		{ "add target moon", -EINVAL, "target 'moon': name: 'moon' is no iSCSI name" },
		{ "add target " B " window=0", -EINVAL, "window: '0' is no number from 1" },
		{ "add target " B " groups=1,0", -EINVAL, "groups: '0' is no tag" },
		{ "add target " B " groups=2,2", -EINVAL, "twice" },
		{ "add target " B " chap=nobody", -ENOENT, "there is no account 'nobody'" },
		{ "add target " B " colour=red", -EINVAL, "there is no key 'colour'" },
		{ "add target " B " redirect=[", -EINVAL, "is no address" },
		{ "add target " B " redirect_permanent=yes", -EINVAL, "needs redirect" },
		{ "add target " B " redirect_permanent=maybe", -EINVAL, "neither yes nor no" },
		{ "add portal nowhere", -EINVAL, "'nowhere' is no address" },
		{ "add portal 127.0.0.1:99999", -EINVAL, "is no address" },
		{ "add portal 127.0.0.1:1", -EEXIST, "is there already" },
		{ "add acl x", -EINVAL, "fits nobody" },
		{ "add acl x initiators=iqn.*.x", -EINVAL, "no name of an initiator" },
		{ "add acl x addresses=10.0.0.1/8", -EINVAL, "no bits behind the prefix" },
		{ "add acl x addresses=10.0.0.0/33", -EINVAL, "no address or network" },
		{ "add acl a/b initiators=*", -EINVAL, "is no name" },
		{ "add group 0 state=standby", -EINVAL, "is no tag" },
		{ "add group 1 state=sleepy", -EINVAL, "there are: optimized, non-optimized" },
		{ "add export target=" A " lun=0 unit=nowhere acl=hosts", -ENOENT, "is no unit" },
		{ "add export target=" A " lun=16384", -EINVAL, "0 to 16383" },
		{ "add export target=" A, -EINVAL, "needs target, lun" },
		{ "remove export " A ",0,hosts", -EPERM, "administrator's file" },
		{ "add local user:no-such-user-here units=*", -EINVAL, "not on this system" },
		{ "add local uid:5", -EINVAL, "needs units" },
		{ "add local moon units=*", -EINVAL, "write user:NAME" },
		{ "add local uid:5 units=* access=fly", -EINVAL, "'fly' is unknown" },
		{ "add unit a@0 reservations=maybe", -EINVAL, "there are: emulate, pass" },
		{ "add port " A ",1 rtpi=5", -EINVAL, "the daemon itself" },
		{ "add chap bob", -EINVAL, "needs either secret_file" },
		{ "add chap bob secret_file=/no/such", -ENOENT, "cannot be read" },
		{ "add chap bob secret_file=/tmp", -EINVAL, "is no file" },
		{ "add chap bob secret_credential=none", -ENOENT, "LoadCredential" },
		{ "add discovery chap=nobody", -ENOENT, "there is no account 'nobody'" },
	};
	struct ex_result res;
	struct world w;

	(void)unsetenv("CREDENTIALS_DIRECTORY");
	begin(&w);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int r = world_edit(&w, rows[i].words, &res);

		ck_assert_msg(r == rows[i].err, "%s: %d, %s", rows[i].words, r, res.text);
		ck_assert_msg(strstr(res.text, rows[i].text) != NULL, "%s: %s", rows[i].words,
		    res.text);
	}
	world_do(&w, "add acl mine initiators=iqn.x");
	ck_assert_int_eq(world_edit(&w, "set acl mine name=yours", &res), -EINVAL);
	ck_assert_ptr_nonnull(strstr(res.text, "cannot be changed"));
	/* back to the default, which is nothing: nobody would fit */
	ck_assert_int_eq(world_edit(&w, "set acl mine initiators=", &res), -EINVAL);
	world_fini(&w);
}
END_TEST

START_TEST(what_is_used_is_not_removed)
{
	struct ex_result res;
	struct world w;
	char words[256];
	FILE *f;

	begin(&w);
	(void)snprintf(words, sizeof(words), "%s/secret", w.dir);
	f = fopen(words, "w");
	ck_assert_int_ge(fputs("0123456789ab", f), 0);
	ck_assert_int_eq(fclose(f), 0);
	ck_assert_int_eq(chmod(words, 0600), 0);
	(void)snprintf(words, sizeof(words), "add chap bob secret_file=%s/secret", w.dir);
	world_do(&w, words);
	world_do(&w, "add target " B " chap=bob;add discovery chap=bob");
	ck_assert_int_eq(world_edit(&w, "remove chap bob", &res), -EBUSY);
	ck_assert_ptr_nonnull(strstr(res.text, "target '" B "'"));
	ck_assert_int_eq(world_edits(&w, "remove target " B ";remove chap bob", 0, &res), -EBUSY);
	ck_assert_uint_eq(res.edit, 1);
	ck_assert_ptr_nonnull(strstr(res.text, "discovery"));
	world_do(&w, "remove target " B ";remove discovery discovery;remove chap bob");
	world_fini(&w);
}
END_TEST

START_TEST(lost_updates_are_seen)
{
	struct ex_result res;
	uint64_t generation;
	struct world w;

	begin(&w);
	ck_assert_int_eq(world_edits(&w, "add acl x initiators=iqn.x", 0, &res), 0);
	generation = res.generation;
	ck_assert_int_eq(world_edits(&w, "set acl x initiators=iqn.y", generation, &res), 0);
	ck_assert_uint_eq(res.generation, generation + 1);
	ck_assert_int_eq(world_edits(&w, "set acl x initiators=iqn.z", generation, &res), -ESTALE);
	ck_assert_ptr_nonnull(strstr(res.text, "somebody else"));
	ck_assert_str_eq(world_value(&w, EX_ACL, "x", "initiators"), "iqn.y");
	world_fini(&w);
}
END_TEST

struct racer {
	struct world *w;
	int number;
};

static void *
race(void *arg)
{
	struct racer *r = arg;
	char words[64];

	for (int i = 0; i < 20; i++) {
		(void)snprintf(words, sizeof(words), "add acl a%d-%d initiators=iqn.x", r->number, i);
		world_do(r->w, words);
	}
	return NULL;
}

START_TEST(changes_take_turns)
{
	struct racer racers[4];
	pthread_t threads[4];
	struct ex_set *set;
	struct world w;

	begin(&w);
	for (int i = 0; i < 4; i++) {
		racers[i] = (struct racer){ &w, i };
		ck_assert_int_eq(pthread_create(&threads[i], NULL, race, &racers[i]), 0);
	}
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
	set = exports_set(w.exports);
	ck_assert_uint_eq(ex_set_count(set, EX_ACL), 82);
	ck_assert_uint_eq(ex_set_generation(set), 81);
	ex_set_unref(set);
	world_fini(&w);
}
END_TEST

START_TEST(nothing_changes_after_the_stop)
{
	struct ex_result res;
	struct world w;

	begin(&w);
	exports_stop(w.exports);
	ck_assert_int_eq(world_edit(&w, "add acl x initiators=iqn.x", &res), -ESHUTDOWN);
	ck_assert_int_eq(exports_reload(w.exports, &res), -ESHUTDOWN);
	world_fini(&w);
}
END_TEST

CHECK_MAIN("changes of exports are whole", order_of_coming_and_going,
    only_targets_that_differ_hear_of_it, portals_change_their_group,
    what_fails_leaves_everything, every_fault_leaves_everything, a_restart_finds_it_again,
    without_a_folder_it_is_not_kept, a_failed_write_is_told,
    an_own_file_that_is_wrong_stops_the_start, a_reload_changes_only_what_differs,
    refusals_name_the_object_and_the_word, what_is_used_is_not_removed, lost_updates_are_seen,
    changes_take_turns, nothing_changes_after_the_stop)
