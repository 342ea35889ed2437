#include <errno.h>
#include <string.h>

#include "check_main.h"
#include "mock_daemon.h"

static struct mock m;
static struct scsac *c;

static void
begin(void)
{
	mock_init(&m);
	c = mock_connect(&m);
}

static void
end(void)
{
	scsac_free(c);
	mock_stop(&m);
	mock_fini(&m);
}

START_TEST(hello_tells_limits_and_role)
{
	const struct scsac_info *info;

	mock_init(&m);
	m.packets_max = 33;
	m.data_max = 12345;
	m.role = SCSAC_ROLE_IO;
	c = mock_connect(&m);
	info = scsac_info(c);
	ck_assert_str_eq(info->version, "9.9");
	ck_assert_uint_eq(info->packets_max, 33);
	ck_assert_uint_eq(info->data_max, 12345);
	ck_assert_int_eq(info->role, SCSAC_ROLE_IO);
	ck_assert_uint_eq(info->generation, 42);
	ck_assert_uint_eq(info->instance[2], 3);
	ck_assert_int_eq(scsac_connect(c, NULL), -EISCONN);
	end();
}
END_TEST

START_TEST(a_list_comes_in_pieces)
{
	struct scsac_list *list = NULL;

	begin();
	ck_assert_int_eq(scsac_list(c, &list), 0);
	ck_assert_uint_eq(list->n_units, 2);
	ck_assert_uint_eq(list->n_hbas, 1);
	ck_assert_str_eq(list->units[0].path, "soft0/iport0/disk@0,0");
	ck_assert_str_eq(list->units[1].path, "soft0/iport0/disk@1,0");
	ck_assert_str_eq(list->units[1].vendor, "SCSAD");
	ck_assert_str_eq(list->units[0].aliases[0], "naa.3000000000000001");
	ck_assert_str_eq(list->units[0].store_kind, "");
	ck_assert_uint_eq(list->units[0].blocks, MOCK_BLOCKS);
	ck_assert_str_eq(list->hbas[0].name, "soft0");
	scsac_list_free(list);
	end();
}
END_TEST

START_TEST(open_gives_a_handle_or_words)
{
	struct scsac_list *unit = NULL;
	uint64_t handle = 0;

	begin();
	ck_assert_int_eq(scsac_open(c, "disk", &handle, &unit), 0);
	ck_assert_uint_eq(handle, MOCK_HANDLE);
	ck_assert_str_eq(unit->units[0].serial, "SN1");
	scsac_list_free(unit);
	ck_assert_int_eq(scsac_open(c, "disk", &handle, NULL), 0);
	ck_assert_int_eq(scsac_close(c, handle), 0);

	ck_assert_int_eq(scsac_open(c, "nobody", &handle, &unit), -ENODEV);
	ck_assert_int_eq(scsac_last_error(c)->code, SCSAC_NO_SUCH_UNIT);
	ck_assert_int_eq(scsac_open(c, "ambiguous", &handle, NULL), -ENOTUNIQ);
	ck_assert_str_eq(scsac_last_error(c)->candidates, "soft0/a\nsoft0/b\n");
	ck_assert_str_eq(scsac_last_error(c)->hint, "name one of the candidates");
	end();
}
END_TEST

START_TEST(what_breaks_the_limits_is_not_sent)
{
	char name[PROTO_PATH_MAX + 2];
	uint64_t handle;

	begin();
	memset(name, 'n', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	ck_assert_int_eq(scsac_open(c, name, &handle, NULL), -EINVAL);
	ck_assert_int_eq(scsac_last_error(c)->code, SCSAC_LOCAL);
	ck_assert_str_eq(scsac_last_error(c)->text, "OpenRequest.name: too long");
	ck_assert_int_eq(scsac_reset(c, 1, NULL, (enum scsac_level)9, NULL, NULL), -EINVAL);
	end();
}
END_TEST

START_TEST(the_other_calls)
{
	struct scsac_show *show = NULL;
	struct scsac_status *status = NULL;
	struct scsac_caps *caps = NULL;
	struct scsac_faults *faults = NULL;
	struct scsac_probe probe;
	struct scsac_aborted aborted;
	unsigned returned = 0, cleared = 0;
	uint32_t id = 0;
	bool is_done = false;
	int set = 7;

	begin();
	ck_assert_int_eq(scsac_show(c, "disk", &show), 0);
	ck_assert_uint_eq(show->n_details, 2);
	ck_assert_str_eq(show->details[1].value, "SCSAD");
	ck_assert_str_eq(show->counters[0].name, "reads");
	ck_assert_int_eq(scsac_show(c, "nobody", &show), -ENODEV);
	scsac_show_free(show);
	ck_assert_int_eq(scsac_status(c, &status), 0);
	ck_assert_uint_eq(status->pid, 4711);
	ck_assert_uint_eq(status->counters[0].value, 12);
	ck_assert_ptr_nonnull(status->isns);
	ck_assert_str_eq(status->isns->server, "isns.example");
	ck_assert_str_eq(status->isns->error, "");
	ck_assert(status->isns->is_registered);
	ck_assert_uint_eq(status->isns->targets, 3);
	scsac_status_free(status);
	ck_assert_int_eq(scsac_probe(c, "soft0", "0", 0, &probe), 0);
	ck_assert_uint_eq(probe.result, 0);
	ck_assert_uint_eq(probe.inquiry_len, 36);
	ck_assert_int_eq(scsac_probe(c, "soft0", "9", 0, &probe), 0);
	ck_assert_uint_eq(probe.result, 2);
	ck_assert_uint_eq(probe.inquiry_len, 0);
	ck_assert_int_eq(scsac_getcap(c, 7, NULL, NULL, &caps), 0);
	ck_assert_uint_eq(caps->n_caps, 2);
	ck_assert(caps->caps[0].can_set);
	scsac_caps_free(caps);
	ck_assert_int_eq(scsac_setcap(c, 7, NULL, "nonsense", 1, false, &set), 0);
	ck_assert_int_eq(set, -1);
	ck_assert_int_eq(scsac_reset(c, 7, NULL, SCSAC_LEVEL_LUN, &is_done, &returned), 0);
	ck_assert(is_done);
	ck_assert_uint_eq(returned, 3);
	ck_assert_int_eq(scsac_abort(c, 7, &aborted), 0);
	ck_assert_uint_eq(aborted.aborted, 2);
	ck_assert_int_eq(scsac_abort(c, 7, NULL), 0);
	ck_assert_int_eq(scsac_fault_add(c, NULL, "action=busy", &id), 0);
	ck_assert_uint_eq(id, 11);
	ck_assert_int_eq(scsac_fault_list(c, NULL, &faults), 0);
	ck_assert_str_eq(faults->rules[0].text, "action=busy");
	scsac_faults_free(faults);
	ck_assert_int_eq(scsac_fault_clear(c, NULL, 0, &cleared), 0);
	ck_assert_uint_eq(cleared, 1);
	end();
}
END_TEST

START_TEST(the_tree_is_listed_and_changed)
{
	static const uint8_t ask[8] = { 0x40 };
	struct scsac_change *change = NULL;
	struct scsac_list *list = NULL;
	uint8_t room[64];
	struct scsac_smp smp = {
		.request = ask, .request_len = sizeof(ask), .response = room,
		.response_size = sizeof(room), .timeout_s = 1,
	};

	begin();
	ck_assert_int_eq(scsac_list(c, &list), 0);
	ck_assert_uint_eq(list->n_ports, 3);
	ck_assert_str_eq(list->ports[1].label, "p0");
	ck_assert_str_eq(list->ports[1].iport, "f");
	ck_assert_uint_eq(list->ports[1].phys, 1);
	ck_assert_uint_eq(list->n_phys, 2);
	ck_assert(list->phys[0].is_up && !list->phys[1].is_up);
	ck_assert_uint_eq(list->n_expanders, 1);
	ck_assert_uint_eq(list->expanders[0].wwn, 0x5000c500a0000000);
	ck_assert_str_eq(list->expanders[0].vendor, "SCSAD");
	ck_assert_str_eq(list->expanders[0].product, "");
	scsac_list_free(list);
	ck_assert_int_eq(scsac_target_add(c, NULL, "mem:1M", &change), 0);
	ck_assert_str_eq(change->hba, "soft0");
	ck_assert_str_eq(change->address, "iport0/1,0");
	ck_assert_uint_eq(change->n_iports, 1);
	ck_assert_str_eq(change->iports[0], "iport0");
	ck_assert_uint_eq(change->units, 1);
	scsac_change_free(change);
	ck_assert_int_eq(scsac_target_add(c, NULL, "wrong", NULL), -EINVAL);
	ck_assert_int_eq(scsac_target_remove(c, "soft0", "nowhere/1", NULL), -ENODEV);
	ck_assert_int_eq(scsac_lun_add(c, "soft0", "mem:1M,target=1", NULL), 0);
	ck_assert_int_eq(scsac_lun_remove(c, "soft0", "iport0/1,0", NULL), 0);
	ck_assert_int_eq(scsac_expander_add(c, "soft0", "5000c500a0000000", NULL), 0);
	ck_assert_int_eq(scsac_phy_up(c, "soft0", 3, 1, 2, NULL), 0);
	ck_assert_int_eq(scsac_phy_down(c, "soft0", 3, NULL), 0);
	ck_assert_int_eq(scsac_smp(c, "smp", &smp), 0);
	ck_assert_uint_eq(smp.response_len, 64);
	ck_assert_uint_eq(room[0], 0x41);
	ck_assert_int_eq(scsac_smp(c, "nobody", &smp), -ENODEV);
	/* more came than there is room for: it is not written */
	smp.response_size = 32;
	ck_assert_int_eq(scsac_smp(c, "smp", &smp), -EBADMSG);
	smp.response_size = 7;
	ck_assert_int_eq(scsac_smp(c, "smp", &smp), -EINVAL);
	smp.response_size = sizeof(room);
	smp.request_len = 7;
	ck_assert_int_eq(scsac_smp(c, "smp", &smp), -EINVAL);
	end();
}
END_TEST

static unsigned events;

static void
on_event(struct scsac *conn, const struct scsac_event *event, void *arg)
{
	ck_assert_ptr_eq(arg, &events);
	ck_assert_int_eq(scsac_wait(conn, 0), -EDEADLK);
	ck_assert_int_eq(scsac_close(conn, 1), -EDEADLK);
	events++;
	ck_assert_uint_eq(event->seq, events);
	ck_assert_uint_eq(event->kind, events);
	ck_assert_uint_eq(event->lost, event->kind == SCSAC_EVENT_LOST ? 5 : 0);
}

START_TEST(events_are_told_in_order)
{
	begin();
	ck_assert_int_eq(scsac_subscribe(c, SCSAC_EVENTS_ALL, on_event, &events), 0);
	while (events < SCSAC_EVENT_LOST)
		ck_assert_int_ge(scsac_wait(c, -1), 0);
	end();
}
END_TEST

START_TEST(names_are_there)
{
	ck_assert_str_eq(scsac_strerror(SCSAC_NO_SUCH_UNIT), "no such unit");
	ck_assert_str_eq(scsac_strerror(SCSAC_LOCAL), "local error");
	ck_assert_str_eq(scsac_reason_name(SCSAC_DEV_GONE), "gone");
	ck_assert_str_eq(scsac_reason_name(SCSAC_TIMED_OUT), "timeout");
	ck_assert_str_eq(scsac_reason_name(25), "unknown");
	ck_assert_str_eq(scsac_event_name(SCSAC_EVENT_LOST), "lost");
	ck_assert_str_eq(scsac_event_name(0), "event");
	ck_assert_str_eq(scsac_event_name(99), "event");
}
END_TEST

CHECK_MAIN("calls", hello_tells_limits_and_role, a_list_comes_in_pieces,
    open_gives_a_handle_or_words, what_breaks_the_limits_is_not_sent, the_other_calls,
    the_tree_is_listed_and_changed, events_are_told_in_order, names_are_there)
