/* list, show, probe, capabilities, reset, abort, faults, events, status */
#include <stdio.h>
#include <string.h>

#include "check_main.h"
#include "mock_client.h"
#include "scsi/cdb.h"
#include "scsi/status.h"
#include <sys/scsi/scsi_pkt.h>

static uint8_t cdb[CDB_BUF_LEN];

static void
begin(struct fixture *f, struct mc *c, unsigned int loops)
{
	fixture_init(f);
	f->conf.loops = loops;
	fixture_disk(f, "mem:16M,serial=AAA");
	fixture_disk(f, "null:1T,block=4096,serial=BBB,readonly=1");
	fixture_start(f);
	mc_connect(f, c);
}

static void
end(struct fixture *f, struct mc *c)
{
	mc_check_alive(c);
	mc_close(c);
	fixture_wait(f, 0, 0);
	fixture_stop(f);
}

START_TEST(list_names_units_and_hbas)
{
	struct fixture f;
	struct mc c;
	Scsad__ListRequest req = SCSAD__LIST_REQUEST__INIT;
	const Scsad__ListReply *reply;
	uint32_t id;

	begin(&f, &c, 1);
	id = mc_send(&c, METHOD_LIST, &req.base, NULL, 0);
	reply = mc_reply(&c, id, &scsad__list_reply__descriptor);
	ck_assert(c.head.has_more);
	ck_assert_uint_eq(reply->n_units, 2);
	ck_assert_str_eq(reply->units[0]->path, "soft0/iport0/disk@0,0");
	ck_assert_uint_eq(reply->units[0]->blocks, (16u << 20) / 512);
	ck_assert_str_eq(reply->units[0]->store->kind, "mem");
	ck_assert_str_eq(reply->units[1]->identity->serial, "BBB");
	ck_assert_str_eq(reply->units[1]->address->target, "1");
	ck_assert_uint_eq(reply->units[1]->block_bytes, 4096);
	ck_assert(reply->units[1]->store->readonly);
	reply = mc_reply(&c, id, &scsad__list_reply__descriptor);
	ck_assert(c.head.has_more);
	ck_assert_uint_eq(reply->n_ports, 1);
	ck_assert_str_eq(reply->ports[0]->hba, "soft0");
	ck_assert_str_eq(reply->ports[0]->label, "iport0");
	ck_assert_str_eq(reply->ports[0]->iport, "iport0");
	ck_assert_str_eq(reply->ports[0]->kind, "plain");
	ck_assert_uint_eq(reply->ports[0]->targets, 2);
	ck_assert_uint_eq(reply->ports[0]->units, 2);
	ck_assert_uint_eq(reply->n_phys, 0);
	reply = mc_reply(&c, id, &scsad__list_reply__descriptor);
	ck_assert(!c.head.has_more);
	ck_assert_uint_eq(reply->n_hbas, 1);
	ck_assert_str_eq(reply->hbas[0]->name, "soft0");
	ck_assert_uint_eq(reply->hbas[0]->units, 2);
	end(&f, &c);
}
END_TEST

/* names count the HBAs of a driver; instances of the framework count ports, too */
START_TEST(hbas_are_numbered_in_order)
{
	Scsad__ListRequest req = SCSAD__LIST_REQUEST__INIT;
	CLEANUP(free_ptr) struct soft_disk_conf *disk = malloc(sizeof(*disk));
	const Scsad__ListReply *reply;
	char text[SOFT_ERR_LEN];
	struct fixture f;
	struct mc c;
	uint32_t id;

	fixture_init(&f);
	fixture_disk(&f, "mem:1M,serial=AAA");
	for (int i = 1; i < 3; i++) {
		ck_assert_int_eq(soft_conf_parse("mem:1M", disk, text), 0);
		ck_assert_int_eq(config_add_disk(config_add_hba(&f.conf, "soft"), disk), 0);
	}
	fixture_start(&f);
	mc_connect(&f, &c);
	id = mc_send(&c, METHOD_LIST, &req.base, NULL, 0);
	reply = mc_reply(&c, id, &scsad__list_reply__descriptor);
	ck_assert_uint_eq(reply->n_units, 3);
	ck_assert_str_eq(reply->units[0]->path, "soft0/iport0/disk@0,0");
	ck_assert_str_eq(reply->units[1]->path, "soft1/iport0/disk@0,0");
	ck_assert_str_eq(reply->units[2]->address->hba, "soft2");
	ck_assert_str_eq(reply->units[2]->store->kind, "mem");
	do {
		reply = mc_reply(&c, id, &scsad__list_reply__descriptor);
	} while (c.head.has_more);
	ck_assert_uint_eq(reply->n_hbas, 3);
	ck_assert_str_eq(reply->hbas[1]->name, "soft1");
	ck_assert_uint_eq(reply->hbas[1]->units, 1);
	ck_assert_str_eq(reply->hbas[2]->name, "soft2");
	end(&f, &c);
}
END_TEST

START_TEST(show_tells_of_each_kind)
{
	static const char *const rows[][2] = {
		{ "soft0", "hba" }, { "soft0/iport0", "iport" }, { "AAA", "unit" },
		    { "disk@1,0", "unit" },
	};
	struct fixture f;
	struct mc c;
	Scsad__ShowRequest req = SCSAD__SHOW_REQUEST__INIT;

	begin(&f, &c, 1);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const Scsad__ShowReply *reply;

		req.path = (char *)(uintptr_t)rows[i][0];
		reply = mc_reply(&c, mc_send(&c, METHOD_SHOW, &req.base, NULL, 0),
		    &scsad__show_reply__descriptor);
		ck_assert_str_eq(reply->kind, rows[i][1]);
		ck_assert_uint_gt(reply->n_details, 0);
	}
	req.path = (char *)(uintptr_t)"soft0/iport7";
	ck_assert_int_eq(mc_error(&c, mc_send(&c, METHOD_SHOW, &req.base, NULL, 0)),
	    SCSAD__ERROR_CODE__ERR_NO_SUCH_UNIT);
	end(&f, &c);
}
END_TEST

START_TEST(probe_knows_present_and_absent)
{
	static const struct {
		const char *path, *target;
		uint64_t lun;
		uint32_t result;
	} rows[] = {
		{ "AAA", NULL, 0, 0 },
		{ "soft0", "0", 0, 0 },
		{ "soft0/iport0", "1", 0, 0 },
		{ "soft0", "5", 0, 2 },
		{ "soft0", "0", 3, 2 },
		{ "soft0/iport0", "05", 0, 2 },
		{ "soft0/iport0", "01", 0, 0 },
		{ "soft0/iport0", "w5000c50012345678", 0, 2 },
		{ "soft0/iport0", "5000C50012345678", 0, 2 },
	};
	struct fixture f;
	struct mc c;

	begin(&f, &c, 1);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		Scsad__ProbeRequest req = SCSAD__PROBE_REQUEST__INIT;
		const Scsad__ProbeReply *reply;

		req.path = (char *)(uintptr_t)rows[i].path;
		req.target = (char *)(uintptr_t)rows[i].target;
		req.has_lun = 1;
		req.lun = rows[i].lun;
		reply = mc_reply(&c, mc_send(&c, METHOD_PROBE, &req.base, NULL, 0),
		    &scsad__probe_reply__descriptor);
		ck_assert_msg(reply->result == rows[i].result, "row %zu: %u", i, reply->result);
		ck_assert_uint_eq(reply->inquiry.len > 0, rows[i].result == 0);
		ck_assert((reply->path != NULL && reply->path[0] != '\0') == (
		    rows[i].result == 0));
	}
	{
		Scsad__ProbeRequest req = SCSAD__PROBE_REQUEST__INIT;

		req.path = (char *)(uintptr_t)"soft9";
		req.target = (char *)(uintptr_t)"0";
		ck_assert_int_eq(mc_error(&c, mc_send(&c, METHOD_PROBE, &req.base, NULL, 0)),
		    SCSAD__ERROR_CODE__ERR_NO_SUCH_UNIT);
		req.path = (char *)(uintptr_t)"soft0";
		req.target = (char *)(uintptr_t)"no target's name";
		ck_assert_int_eq(mc_error(&c, mc_send(&c, METHOD_PROBE, &req.base, NULL, 0)),
		    SCSAD__ERROR_CODE__ERR_BAD_MESSAGE);
		req.target = (char *)(uintptr_t)"0";
		/* no logical unit number at all */
		req.has_lun = 1;
		req.lun = UINT64_MAX;
		ck_assert_int_eq(mc_error(&c, mc_send(&c, METHOD_PROBE, &req.base, NULL, 0)),
		    SCSAD__ERROR_CODE__ERR_BAD_MESSAGE);
	}
	end(&f, &c);
}
END_TEST

/* what the software HBA really lets be set, not what SCSA lets be asked */
static void
caps_check(const Scsad__Cap *cap)
{
	static const char *const settable[] = {
		"disconnect", "synchronous", "wide-xfer", "tagged-qing", "auto-rqsense",
		"qfull-retries", "qfull-retry-interval", "lun-reset",
	};
	static const char *const unknown[] = { "sector-size", "total-sectors" };
	bool can_set = false, is_known = true;

	for (size_t i = 0; i < ARRAY_LEN(settable); i++)
		can_set = can_set || strcmp(settable[i], cap->name) == 0;
	for (size_t i = 0; i < ARRAY_LEN(unknown); i++)
		is_known = is_known && strcmp(unknown[i], cap->name) != 0;
	ck_assert_msg(cap->can_set == can_set, "%s: can_set %d", cap->name, cap->can_set);
	ck_assert_msg(cap->has_can_set == is_known, "%s: known %d", cap->name,
	    cap->has_can_set);
}

START_TEST(capabilities_are_read_and_set)
{
	struct fixture f;
	struct mc c;
	Scsad__GetCapRequest get = SCSAD__GET_CAP_REQUEST__INIT;
	Scsad__SetCapRequest set = SCSAD__SET_CAP_REQUEST__INIT;
	const Scsad__GetCapReply *got;

	begin(&f, &c, 1);
	get.path = (char *)(uintptr_t)"AAA";
	got = mc_reply(&c, mc_send(&c, METHOD_GETCAP, &get.base, NULL, 0),
	    &scsad__get_cap_reply__descriptor);
	ck_assert_uint_eq(got->n_caps, 23);
	for (size_t i = 0; i < got->n_caps; i++)
		caps_check(got->caps[i]);
	get.name = (char *)(uintptr_t)"lun-reset";
	got = mc_reply(&c, mc_send(&c, METHOD_GETCAP, &get.base, NULL, 0),
	    &scsad__get_cap_reply__descriptor);
	ck_assert_uint_eq(got->n_caps, 1);
	ck_assert_int_eq(got->caps[0]->value, 1);
	get.name = (char *)(uintptr_t)"no-such-cap";
	got = mc_reply(&c, mc_send(&c, METHOD_GETCAP, &get.base, NULL, 0),
	    &scsad__get_cap_reply__descriptor);
	ck_assert_int_eq(got->caps[0]->value, -1);
	ck_assert(!got->caps[0]->has_can_set);
	get.name = (char *)(uintptr_t)"disconnect";
	got = mc_reply(&c, mc_send(&c, METHOD_GETCAP, &get.base, NULL, 0),
	    &scsad__get_cap_reply__descriptor);
	ck_assert(got->caps[0]->value == 1 && got->caps[0]->can_set);

	/* having asked has not made the value the unit's own: it follows the adapter's */
	set.path = get.path;
	set.name = get.name;
	set.has_value = set.has_is_hba_wide = set.is_hba_wide = 1;
	set.value = 0;
	ck_assert_int_eq(((const Scsad__SetCapReply *)mc_reply(&c, mc_send(&c, METHOD_SETCAP,
	    &set.base, NULL, 0), &scsad__set_cap_reply__descriptor))->result, 1);
	got = mc_reply(&c, mc_send(&c, METHOD_GETCAP, &get.base, NULL, 0),
	    &scsad__get_cap_reply__descriptor);
	ck_assert(got->caps[0]->value == 0 && got->caps[0]->can_set);
	get.has_is_hba_wide = get.is_hba_wide = 1;
	got = mc_reply(&c, mc_send(&c, METHOD_GETCAP, &get.base, NULL, 0),
	    &scsad__get_cap_reply__descriptor);
	ck_assert(got->caps[0]->value == 0 && !got->caps[0]->has_can_set);
	set.has_value = set.has_is_hba_wide = set.is_hba_wide = 0;
	set.path = NULL;

	set.has_handle = 1;
	set.handle = mc_open(&c, "AAA");
	set.name = (char *)(uintptr_t)"lun-reset";
	ck_assert_int_eq(mc_error(&c, mc_send(&c, METHOD_SETCAP, &set.base, NULL, 0)),
	    SCSAD__ERROR_CODE__ERR_BAD_MESSAGE);
	set.has_value = 1;
	set.value = 1;
	ck_assert_int_eq(((const Scsad__SetCapReply *)mc_reply(&c, mc_send(&c, METHOD_SETCAP,
	    &set.base, NULL, 0), &scsad__set_cap_reply__descriptor))->result, 1);
	set.name = (char *)(uintptr_t)"no-such-cap";
	ck_assert_int_eq(((const Scsad__SetCapReply *)mc_reply(&c, mc_send(&c, METHOD_SETCAP,
	    &set.base, NULL, 0), &scsad__set_cap_reply__descriptor))->result, -1);
	end(&f, &c);
}
END_TEST

static uint32_t
tur(struct mc *c, uint64_t h)
{
	return mc_submit(c, h, cdb, cdb_tur(cdb), SCSAD__DIRECTION__DIR_NONE, NULL, 0);
}

/* the unit on this loop and one on another: an abort answers after the completions it caused */
static void
abort_on(const char *name, unsigned int loops)
{
	struct fixture f;
	struct mc c;
	Scsad__AbortRequest req = SCSAD__ABORT_REQUEST__INIT;
	const Scsad__AbortReply *reply;
	const Scsad__Completion *done;
	uint64_t h;
	uint32_t a, b, id;

	begin(&f, &c, loops);
	(void)mc_open(&c, "AAA");
	h = mc_open(&c, name);
	(void)mc_fault(&c, "action=drop");
	a = tur(&c, h);
	b = tur(&c, h);
	req.has_request_id = 1;
	req.request_id = a;
	id = mc_send(&c, METHOD_ABORT, &req.base, NULL, 0);
	done = mc_completion(&c, a);
	ck_assert_uint_eq(done->reason, CMD_ABORTED);
	ck_assert((done->statistics & STAT_ABORTED) != 0);
	reply = mc_reply(&c, id, &scsad__abort_reply__descriptor);
	ck_assert_uint_eq(reply->aborted, 1);
	ck_assert_uint_eq(reply->failed, 0);
	/* it is not there any more */
	ck_assert_int_eq(mc_error(&c, mc_send(&c, METHOD_ABORT, &req.base, NULL, 0)),
	    SCSAD__ERROR_CODE__ERR_NO_SUCH_REQUEST);
	req.has_request_id = 0;
	req.has_handle = 1;
	req.handle = h;
	id = mc_send(&c, METHOD_ABORT, &req.base, NULL, 0);
	ck_assert_uint_eq(mc_completion(&c, b)->reason, CMD_ABORTED);
	reply = mc_reply(&c, id, &scsad__abort_reply__descriptor);
	ck_assert_uint_eq(reply->aborted, 1);
	reply = mc_reply(&c, mc_send(&c, METHOD_ABORT, &req.base, NULL, 0),
	    &scsad__abort_reply__descriptor);
	ck_assert_uint_eq(reply->aborted, 0);
	req.handle = 12345;
	ck_assert_int_eq(mc_error(&c, mc_send(&c, METHOD_ABORT, &req.base, NULL, 0)),
	    SCSAD__ERROR_CODE__ERR_STALE_HANDLE);
	end(&f, &c);
}

START_TEST(abort_at_home)
{
	abort_on("AAA", 1);
}
END_TEST

START_TEST(abort_elsewhere)
{
	abort_on("BBB", 2);
}
END_TEST

static const Scsad__ResetLevel levels[] = {
	SCSAD__RESET_LEVEL__RESET_LEVEL_LUN, SCSAD__RESET_LEVEL__RESET_LEVEL_TARGET,
	SCSAD__RESET_LEVEL__RESET_LEVEL_BUS, SCSAD__RESET_LEVEL__RESET_LEVEL_HBA,
};

START_TEST(reset_answers_after_its_packets)
{
	struct fixture f;
	struct mc c;
	Scsad__ResetRequest req = SCSAD__RESET_REQUEST__INIT;
	const Scsad__ResetReply *reply;
	uint64_t h;
	uint32_t a, id;

	begin(&f, &c, 2);
	h = mc_open(&c, "AAA");
	(void)mc_open(&c, "BBB");
	(void)mc_fault(&c, "action=drop,op=0x00");
	for (size_t i = 0; i < ARRAY_LEN(levels); i++) {
		/* the reset before this one */
		if (i > 0)
			ck_assert_uint_eq(mc_completion(&c, tur(&c, h))->scsi_status,
			    SAM_STAT_CHECK_CONDITION);
		a = tur(&c, h);
		req.has_level = 1;
		req.level = levels[i];
		req.has_handle = i < 2;
		req.handle = h;
		req.path = i < 2 ? NULL : (char *)(uintptr_t)"soft0";
		id = mc_send(&c, METHOD_RESET, &req.base, NULL, 0);
		ck_assert_uint_eq(mc_completion(&c, a)->reason, CMD_RESET);
		reply = mc_reply(&c, id, &scsad__reset_reply__descriptor);
		ck_assert(reply->is_done);
		ck_assert_uint_eq(reply->returned, 1);
	}
	req.level = SCSAD__RESET_LEVEL__RESET_LEVEL_NONE;
	ck_assert_int_eq(mc_error(&c, mc_send(&c, METHOD_RESET, &req.base, NULL, 0)),
	    SCSAD__ERROR_CODE__ERR_BAD_MESSAGE);
	end(&f, &c);
}
END_TEST

START_TEST(faults_come_and_go)
{
	struct fixture f;
	struct mc c;
	Scsad__FaultAddRequest add = SCSAD__FAULT_ADD_REQUEST__INIT;
	Scsad__FaultListRequest list = SCSAD__FAULT_LIST_REQUEST__INIT;
	Scsad__FaultClearRequest clear = SCSAD__FAULT_CLEAR_REQUEST__INIT;
	const Scsad__FaultListReply *rules;
	uint32_t id, rule;

	begin(&f, &c, 1);
	rule = mc_fault(&c, "action=busy,count=2");
	add.path = (char *)(uintptr_t)"BBB";
	add.text = (char *)(uintptr_t)"action=qfull";
	(void)mc_reply(&c, mc_send(&c, METHOD_FAULT_ADD, &add.base, NULL, 0),
	    &scsad__fault_add_reply__descriptor);
	add.text = (char *)(uintptr_t)"action=explode";
	ck_assert_int_eq(mc_error(&c, mc_send(&c, METHOD_FAULT_ADD, &add.base, NULL, 0)),
	    SCSAD__ERROR_CODE__ERR_BAD_MESSAGE);
	id = mc_send(&c, METHOD_FAULT_LIST, &list.base, NULL, 0);
	rules = mc_reply(&c, id, &scsad__fault_list_reply__descriptor);
	ck_assert_uint_eq(rules->n_rules, 2);
	ck_assert_ptr_nonnull(strstr(rules->rules[1]->text, "target=1"));
	(void)mc_reply(&c, id, &scsad__fault_list_reply__descriptor);
	list.path = (char *)(uintptr_t)"soft0";
	rules = mc_reply(&c, mc_send(&c, METHOD_FAULT_LIST, &list.base, NULL, 0),
	    &scsad__fault_list_reply__descriptor);
	ck_assert_uint_eq(rules->n_rules, 2);
	clear.has_id = 1;
	clear.id = rule;
	ck_assert_uint_eq(((const Scsad__FaultClearReply *)mc_reply(&c, mc_send(&c,
	    METHOD_FAULT_CLEAR,
	    &clear.base, NULL, 0), &scsad__fault_clear_reply__descriptor))->cleared, 1);
	clear.id = 0;
	clear.path = (char *)(uintptr_t)"soft0";
	ck_assert_uint_eq(((const Scsad__FaultClearReply *)mc_reply(&c, mc_send(&c,
	    METHOD_FAULT_CLEAR,
	    &clear.base, NULL, 0), &scsad__fault_clear_reply__descriptor))->cleared, 1);
	end(&f, &c);
}
END_TEST

static uint32_t
fault_add_send(struct mc *c, const char *path, const char *text)
{
	Scsad__FaultAddRequest req = SCSAD__FAULT_ADD_REQUEST__INIT;

	req.path = (char *)(uintptr_t)path;
	req.text = (char *)(uintptr_t)text;
	return mc_send(c, METHOD_FAULT_ADD, &req.base, NULL, 0);
}

static uint32_t
fault_clear_send(struct mc *c, const char *path, uint32_t id)
{
	Scsad__FaultClearRequest req = SCSAD__FAULT_CLEAR_REQUEST__INIT;

	req.path = (char *)(uintptr_t)path;
	req.has_id = 1;
	req.id = id;
	return mc_send(c, METHOD_FAULT_CLEAR, &req.base, NULL, 0);
}

static uint32_t
faults_armed(struct mc *c)
{
	Scsad__StatusRequest req = SCSAD__STATUS_REQUEST__INIT;
	const Scsad__StatusReply *reply = mc_reply(c, mc_send(c, METHOD_STATUS, &req.base, NULL,
	    0), &scsad__status_reply__descriptor);

	return reply->faults;
}

START_TEST(status_tells_of_the_name_server)
{
	Scsad__StatusRequest req = SCSAD__STATUS_REQUEST__INIT;
	const Scsad__StatusReply *reply;
	struct fixture f;
	struct mc c;

	fixture_init(&f);
	fixture_disk(&f, "mem:1M");
	f.conf.isns_server = strdup("192.0.2.1");
	f.conf.isns_entity = strdup("here");
	fixture_start(&f);
	mc_connect(&f, &c);
	reply = mc_reply(&c, mc_send(&c, METHOD_STATUS, &req.base, NULL, 0),
	    &scsad__status_reply__descriptor);
	ck_assert_ptr_nonnull(reply->isns);
	ck_assert_str_eq(reply->isns->server, "192.0.2.1");
	ck_assert_str_eq(reply->isns->entity, "here");
	ck_assert(reply->isns->has_registered && !reply->isns->registered);
	ck_assert_uint_eq(reply->isns->targets, 0);
	mc_close(&c);
	fixture_stop(&f);

	fixture_simple(&f);
	mc_connect(&f, &c);
	reply = mc_reply(&c, mc_send(&c, METHOD_STATUS, &req.base, NULL, 0),
	    &scsad__status_reply__descriptor);
	ck_assert_ptr_null(reply->isns);
	mc_close(&c);
	fixture_stop(&f);
}
END_TEST

/* two software HBAs: a rule, or its number, could be meant for either */
START_TEST(faults_of_several_hbas)
{
	CLEANUP(free_ptr) struct soft_disk_conf *disk = malloc(sizeof(*disk));
	char text[SOFT_ERR_LEN];
	struct fixture f;
	uint32_t a, b;
	struct mc c;

	fixture_init(&f);
	fixture_disk(&f, "mem:1M,serial=AAA");
	ck_assert_int_eq(soft_conf_parse("mem:1M,serial=BBB", disk, text), 0);
	ck_assert_int_eq(config_add_disk(config_add_hba(&f.conf, "soft"), disk), 0);
	fixture_start(&f);
	mc_connect(&f, &c);
	ck_assert_int_eq(mc_error(&c, fault_add_send(&c, NULL, "action=drop")),
	    SCSAD__ERROR_CODE__ERR_AMBIGUOUS);
	a = ((Scsad__FaultAddReply *)mc_reply(&c, fault_add_send(&c, "soft0", "action=drop"),
	    &scsad__fault_add_reply__descriptor))->id;
	b = ((Scsad__FaultAddReply *)mc_reply(&c, fault_add_send(&c, "BBB", "action=drop"),
	    &scsad__fault_add_reply__descriptor))->id;
	if (a == b)
		ck_assert_int_eq(mc_error(&c, fault_clear_send(&c, NULL, a)),
		    SCSAD__ERROR_CODE__ERR_AMBIGUOUS);
	ck_assert_uint_eq(faults_armed(&c), 2);
	ck_assert_uint_eq(((Scsad__FaultClearReply *)mc_reply(&c, fault_clear_send(&c, "soft1",
	    b), &scsad__fault_clear_reply__descriptor))->cleared, 1);
	ck_assert_uint_eq(((Scsad__FaultClearReply *)mc_reply(&c, fault_clear_send(&c, NULL, a),
	    &scsad__fault_clear_reply__descriptor))->cleared, 1);
	ck_assert_uint_eq(faults_armed(&c), 0);
	end(&f, &c);
}
END_TEST

START_TEST(faults_are_whole_and_counted_while_armed)
{
	char text[600];
	struct fixture f;
	struct mc c;
	uint32_t id;
	uint64_t h;

	begin(&f, &c, 1);
	/* right up to where a shorter buffer would have cut it, and wrong behind that */
	memset(text, '0', sizeof(text));
	memcpy(text, "action=busy,seed=", 17);
	memcpy(text + sizeof(text) - 10, "1,prob=1x", 10);
	ck_assert_int_eq(mc_error(&c, fault_add_send(&c, NULL, text)),
	    SCSAD__ERROR_CODE__ERR_BAD_MESSAGE);
	ck_assert_int_eq(mc_error(&c, fault_add_send(&c, "AAA", text)),
	    SCSAD__ERROR_CODE__ERR_BAD_MESSAGE);
	ck_assert_uint_eq(faults_armed(&c), 0);

	(void)mc_fault(&c, "action=busy,count=1");
	(void)mc_fault(&c, "action=busy,target=1");
	ck_assert_uint_eq(faults_armed(&c), 2);
	h = mc_open(&c, "AAA");
	id = tur(&c, h);
	ck_assert_uint_eq(mc_completion(&c, id)->scsi_status, 8);
	ck_assert_uint_eq(faults_armed(&c), 1);
	end(&f, &c);
}
END_TEST

START_TEST(subscribers_hear)
{
	struct fixture f;
	struct mc c, other;
	Scsad__SubscribeRequest req = SCSAD__SUBSCRIBE_REQUEST__INIT;
	const Scsad__Event *event;

	begin(&f, &c, 2);
	mc_connect(&f, &other);
	req.has_mask = 1;
	req.mask = 1u << SCSAD__EVENT_KIND__EVENT_FAULT;
	(void)mc_reply(&other, mc_send(&other, METHOD_SUBSCRIBE, &req.base, NULL, 0),
	    &scsad__done__descriptor);
	(void)mc_fault(&c, "action=busy,count=1");
	event = mc_msg(&other, &scsad__event__descriptor);
	ck_assert_int_eq(other.head.kind, FRAME_KIND_EVENT);
	ck_assert_int_eq(event->kind, SCSAD__EVENT_KIND__EVENT_FAULT);
	ck_assert_uint_eq(event->seq, 1);
	ck_assert_str_eq(event->subject, "soft0");
	/* the end of the subscription */
	req.mask = 0;
	(void)mc_reply(&other, mc_send(&other, METHOD_SUBSCRIBE, &req.base, NULL, 0),
	    &scsad__done__descriptor);
	(void)mc_fault(&c, "action=busy,count=1");
	mc_check_alive(&other);
	mc_close(&other);
	end(&f, &c);
}
END_TEST

/* nobody reads: events are coalesced or counted, never kept without bound */
START_TEST(lost_events_are_counted)
{
	struct fixture f;
	struct mc c;
	Scsad__SubscribeRequest req = SCSAD__SUBSCRIBE_REQUEST__INIT;
	struct rpc_stats st;
	bool has_lost = false;
	uint64_t seq = 0;
	char subject[32];

	begin(&f, &c, 1);
	req.has_mask = 1;
	req.mask = ~0u;
	(void)mc_reply(&c, mc_send(&c, METHOD_SUBSCRIBE, &req.base, NULL, 0),
	    &scsad__done__descriptor);
	/* more than queues and the socket take, however many that are */
	for (unsigned int i = 0; i == 0 || st.events_lost == 0; i++) {
		(void)snprintf(subject, sizeof(subject), "unit%u", i);
		rpc_event_publish(f.rpc, SCSAD__EVENT_KIND__EVENT_UNIT_CHANGED, subject,
		    "changed");
		rpc_server_stats(f.rpc, &st);
	}
	while (!has_lost) {
		const Scsad__Event *event = mc_msg(&c, &scsad__event__descriptor);

		ck_assert_uint_gt(event->seq, seq);
		seq = event->seq;
		has_lost = event->kind == SCSAD__EVENT_KIND__EVENT_LOST;
		if (has_lost)
			ck_assert_uint_gt(event->lost, 0);
	}
	mc_close(&c);
	fixture_wait(&f, 0, 0);
	fixture_stop(&f);
}
END_TEST

CHECK_MAIN("control", list_names_units_and_hbas, hbas_are_numbered_in_order,
    show_tells_of_each_kind, probe_knows_present_and_absent, capabilities_are_read_and_set,
    abort_at_home, abort_elsewhere, reset_answers_after_its_packets, faults_come_and_go,
    status_tells_of_the_name_server, faults_of_several_hbas,
    faults_are_whole_and_counted_while_armed, subscribers_hear, lost_events_are_counted)
