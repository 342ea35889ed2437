/* targets, units, expanders and phys of a software HBA, changed and asked over the wire */
#include <stdio.h>
#include <string.h>

#include "check_main.h"
#include "lu/lu.h"
#include "mock_client.h"

#define REMOTE	0x5000c500000000aau

static char *
text(const char *words)
{
	return (char *)(uintptr_t)words;
}

static void
port_add(struct fixture *f, const char *line)
{
	struct soft_port_conf port;
	char reterr[SOFT_ERR_LEN];

	ck_assert_int_eq(soft_port_parse(line, &port, reterr), 0);
	ck_assert_int_eq(config_add_port(&f->conf.hbas[0], &port), 0);
}

static void
expander_add(struct fixture *f, const char *line)
{
	struct soft_expander_conf exp;
	char reterr[SOFT_ERR_LEN];

	ck_assert_int_eq(soft_expander_parse(line, &exp, reterr), 0);
	ck_assert_int_eq(config_add_expander(&f->conf.hbas[0], &exp), 0);
}

/* iport0 with a disk; p0 at two phys, with a named disk and an expander */
static void
begin(struct fixture *f, struct mc *c)
{
	fixture_init(f);
	fixture_disk(f, "mem:1M,serial=AAA");
	fixture_disk(f, "mem:1M,port=p0,wwn=5000c50012345678");
	port_add(f, "p0,remote=5000c500000000aa,phys=3");
	expander_add(f, "5000c500a0000000,port=p0,phys=4");
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

static void
subscribe(struct mc *c, uint32_t mask)
{
	Scsad__SubscribeRequest req = SCSAD__SUBSCRIBE_REQUEST__INIT;

	req.has_mask = 1;
	req.mask = mask;
	(void)mc_reply(c, mc_send(c, METHOD_SUBSCRIBE, &req.base, NULL, 0),
	    &scsad__done__descriptor);
}

struct news {
	Scsad__EventKind kind;
	const char *subject;
};

/* events come until all of these have, in any order: several threads tell them */
static void
hear_all(struct mc *c, const struct news *news, size_t n)
{
	uint32_t missing = (1u << n) - 1;

	while (missing != 0) {
		const Scsad__Event *event = mc_msg(c, &scsad__event__descriptor);

		ck_assert_int_ne(event->kind, SCSAD__EVENT_KIND__EVENT_LOST);
		for (size_t i = 0; i < n; i++)
			if (event->kind == news[i].kind &&
			    strcmp(event->subject, news[i].subject) == 0)
				missing &= ~(1u << i);
	}
}

static void
hear(struct mc *c, Scsad__EventKind kind, const char *subject)
{
	hear_all(c, &(struct news){ kind, subject }, 1);
}

static uint32_t
send_add(struct mc *c, uint16_t method, const char *path, const char *line)
{
	Scsad__AddRequest req = SCSAD__ADD_REQUEST__INIT;

	req.path = text(path);
	req.text = text(line);
	return mc_send(c, method, &req.base, NULL, 0);
}

static uint32_t
send_remove(struct mc *c, uint16_t method, const char *path, const char *address)
{
	Scsad__RemoveRequest req = SCSAD__REMOVE_REQUEST__INIT;

	req.path = text(path);
	req.address = text(address);
	return mc_send(c, method, &req.base, NULL, 0);
}

static const Scsad__ChangeReply *
changed(struct mc *c, uint32_t id)
{
	return mc_reply(c, id, &scsad__change_reply__descriptor);
}

START_TEST(targets_and_units_follow)
{
	const Scsad__ChangeReply *reply;
	struct fixture f;
	struct mc c, other;

	begin(&f, &c);
	mc_connect(&f, &other);
	subscribe(&other, ~0u);
	reply = changed(&c, send_add(&c, METHOD_TARGET_ADD, NULL, "mem:1M,luns=3"));
	ck_assert_str_eq(reply->hba, "soft0");
	ck_assert_str_eq(reply->address, "iport0/1,0");
	ck_assert_uint_eq(reply->units, 3);
	ck_assert_uint_eq(reply->n_iports, 1);
	ck_assert_str_eq(reply->iports[0], "iport0");
	hear_all(&other, (const struct news[]){
	    { SCSAD__EVENT_KIND__EVENT_TREE, "soft0/iport0/1,0" },
	    { SCSAD__EVENT_KIND__EVENT_UNIT_ADDED, "soft0/iport0/disk@1,0" },
	    { SCSAD__EVENT_KIND__EVENT_UNIT_ADDED, "soft0/iport0/disk@1,1" },
	    { SCSAD__EVENT_KIND__EVENT_UNIT_ADDED, "soft0/iport0/disk@1,2" } }, 4);
	/* an HBA by a unit of it, a unit by its path, by a tail, by its serial */
	reply = changed(&c, send_add(&c, METHOD_LUN_ADD, "AAA", "mem:1M,target=1,serial=BBB"));
	ck_assert_str_eq(reply->address, "iport0/1,3");
	hear(&other, SCSAD__EVENT_KIND__EVENT_UNIT_ADDED, "soft0/iport0/disk@1,3");
	reply = changed(&c, send_remove(&c, METHOD_LUN_REMOVE, NULL, "disk@1,1"));
	ck_assert_str_eq(reply->address, "iport0/1,1");
	ck_assert_uint_eq(reply->units, 1);
	hear(&other, SCSAD__EVENT_KIND__EVENT_UNIT_GONE, "soft0/iport0/disk@1,1");
	reply = changed(&c, send_remove(&c, METHOD_TARGET_REMOVE, NULL, "BBB"));
	ck_assert_str_eq(reply->address, "iport0/1");
	ck_assert_uint_eq(reply->units, 3);
	hear(&other, SCSAD__EVENT_KIND__EVENT_TREE, "soft0/iport0/1");
	while (lu_count_all() > 2)
		(void)mc_msg(&other, &scsad__event__descriptor);
	reply = changed(&c, send_remove(&c, METHOD_TARGET_REMOVE, NULL,
	    "soft0/iport@iport0/disk@0,0"));
	ck_assert_str_eq(reply->address, "iport0/0");
	mc_close(&other);
	end(&f, &c);
}
END_TEST

START_TEST(what_is_wrong_is_refused)
{
	static const struct {
		uint16_t method;
		const char *path, *words;
		Scsad__ErrorCode code;
	} rows[] = {
		{ METHOD_TARGET_ADD, NULL, NULL, SCSAD__ERROR_CODE__ERR_BAD_MESSAGE },
		{ METHOD_TARGET_ADD, NULL, "mem:lots", SCSAD__ERROR_CODE__ERR_BAD_MESSAGE },
		{ METHOD_TARGET_ADD, NULL, "mem:1M,target=0", SCSAD__ERROR_CODE__ERR_IO },
		{ METHOD_TARGET_ADD, "soft9", "mem:1M", SCSAD__ERROR_CODE__ERR_NO_SUCH_UNIT },
		{ METHOD_LUN_ADD, NULL, "mem:1M", SCSAD__ERROR_CODE__ERR_BAD_MESSAGE },
		{ METHOD_LUN_ADD, NULL, "mem:1M,target=9",
		    SCSAD__ERROR_CODE__ERR_NO_SUCH_UNIT },
		{ METHOD_EXPANDER_ADD, NULL, "moon", SCSAD__ERROR_CODE__ERR_BAD_MESSAGE },
		{ METHOD_EXPANDER_ADD, NULL, "5000c500a0000000,port=p0",
		    SCSAD__ERROR_CODE__ERR_IO },
		{ METHOD_TARGET_REMOVE, NULL, NULL, SCSAD__ERROR_CODE__ERR_BAD_MESSAGE },
		{ METHOD_TARGET_REMOVE, NULL, "iport0/9", SCSAD__ERROR_CODE__ERR_NO_SUCH_UNIT },
		{ METHOD_TARGET_REMOVE, NULL, "soft0/iport9/0",
		    SCSAD__ERROR_CODE__ERR_NO_SUCH_UNIT },
		{ METHOD_TARGET_REMOVE, NULL, "/", SCSAD__ERROR_CODE__ERR_BAD_MESSAGE },
		{ METHOD_TARGET_REMOVE, "soft9", "iport0/0",
		    SCSAD__ERROR_CODE__ERR_NO_SUCH_UNIT },
		{ METHOD_LUN_REMOVE, NULL, "iport0/0,9", SCSAD__ERROR_CODE__ERR_NO_SUCH_UNIT },
	};
	struct fixture f;
	struct mc c;

	begin(&f, &c);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		bool is_remove = rows[i].method == METHOD_TARGET_REMOVE ||
		    rows[i].method == METHOD_LUN_REMOVE;
		uint32_t id = (is_remove ? send_remove : send_add)(&c, rows[i].method,
		    rows[i].path, rows[i].words);
		Scsad__ErrorCode code = mc_error(&c, id);

		ck_assert_msg(code == rows[i].code, "row %zu: %d", i, (int)code);
	}
	end(&f, &c);
}
END_TEST

static uint32_t
send_phy(struct mc *c, bool is_up, uint32_t phy, uint64_t remote)
{
	Scsad__PhyUpRequest up = SCSAD__PHY_UP_REQUEST__INIT;
	Scsad__PhyDownRequest down = SCSAD__PHY_DOWN_REQUEST__INIT;

	up.has_phy = up.has_remote = down.has_phy = 1;
	up.phy = down.phy = phy;
	up.remote = remote;
	return is_up ? mc_send(c, METHOD_PHY_UP, &up.base, NULL, 0) :
	    mc_send(c, METHOD_PHY_DOWN, &down.base, NULL, 0);
}

START_TEST(phys_carry_their_port)
{
	struct fixture f;
	struct mc c, other;

	begin(&f, &c);
	mc_connect(&f, &other);
	subscribe(&other, ~0u);
	ck_assert_int_eq(mc_error(&c, send_phy(&c, true, 64, REMOTE)),
	    SCSAD__ERROR_CODE__ERR_BAD_MESSAGE);
	ck_assert_int_eq(mc_error(&c, send_phy(&c, true, 5, 0)),
	    SCSAD__ERROR_CODE__ERR_BAD_MESSAGE);
	ck_assert_int_eq(mc_error(&c, send_phy(&c, false, 64, 0)),
	    SCSAD__ERROR_CODE__ERR_BAD_MESSAGE);
	ck_assert_int_eq(mc_error(&c, send_phy(&c, false, 5, 0)),
	    SCSAD__ERROR_CODE__ERR_NO_SUCH_UNIT);
	ck_assert_int_eq(mc_error(&c, send_phy(&c, true, 0, REMOTE)),
	    SCSAD__ERROR_CODE__ERR_IO);
	ck_assert_str_eq(changed(&c, send_phy(&c, false, 0, 0))->hba, "soft0");
	(void)changed(&c, send_phy(&c, false, 1, 0));
	hear_all(&other, (const struct news[]){
	    { SCSAD__EVENT_KIND__EVENT_UNIT_GONE, "soft0/3/disk@w5000c50012345678,0" },
	    { SCSAD__EVENT_KIND__EVENT_EXPANDER_GONE, "soft0/3/smp@w5000c500a0000000" },
	    { SCSAD__EVENT_KIND__EVENT_PORT_GONE, "soft0/3" } }, 3);
	/* nothing leads there: what is added is kept, and not seen */
	ck_assert_uint_eq(changed(&c, send_add(&c, METHOD_TARGET_ADD, NULL,
	    "mem:1M,port=p0,wwn=5000c50012340000"))->n_iports, 0);
	(void)changed(&c, send_phy(&c, true, 8, REMOTE));
	hear(&other, SCSAD__EVENT_KIND__EVENT_PORT_ADDED, "soft0/100");
	mc_close(&other);
	end(&f, &c);
}
END_TEST

/* all replies of a list, counted */
struct found {
	size_t units, ports, phys, expanders, hbas;
	uint64_t phys_of_p0;
};

static struct found
list(struct mc *c)
{
	Scsad__ListRequest req = SCSAD__LIST_REQUEST__INIT;
	uint32_t id = mc_send(c, METHOD_LIST, &req.base, NULL, 0);
	struct found found = { 0 };

	do {
		const Scsad__ListReply *reply = mc_reply(c, id, &scsad__list_reply__descriptor);

		found.units += reply->n_units;
		found.ports += reply->n_ports;
		found.phys += reply->n_phys;
		found.expanders += reply->n_expanders;
		found.hbas += reply->n_hbas;
		for (size_t i = 0; i < reply->n_ports; i++)
			if (strcmp(reply->ports[i]->label, "p0") == 0)
				found.phys_of_p0 = reply->ports[i]->phys;
	} while (c->head.has_more);
	return found;
}

START_TEST(the_list_has_the_whole_tree)
{
	struct fixture f;
	struct found found;
	struct mc c;

	begin(&f, &c);
	found = list(&c);
	ck_assert_uint_eq(found.units, 2);
	ck_assert_uint_eq(found.ports, 2);
	ck_assert_uint_eq(found.phys, 2);
	ck_assert_uint_eq(found.phys_of_p0, 3);
	ck_assert_uint_eq(found.expanders, 1);
	ck_assert_uint_eq(found.hbas, 1);
	/* many expanders come in several replies */
	for (unsigned int i = 1; i <= 40; i++) {
		char line[64];

		(void)snprintf(line, sizeof(line), "5000c500b00000%02x,port=p0", i);
		(void)changed(&c, send_add(&c, METHOD_EXPANDER_ADD, NULL, line));
	}
	while (list(&c).expanders < 41)
		continue;
	end(&f, &c);
}
END_TEST

static uint32_t
send_smp(struct mc *c, const char *path, uint8_t function, uint8_t phy, uint32_t room)
{
	uint8_t request[12] = { 0x40, function, [9] = phy };
	Scsad__SmpRequest req = SCSAD__SMP_REQUEST__INIT;

	req.path = text(path);
	req.has_request = 1;
	req.request.data = request;
	req.request.len = sizeof(request);
	req.has_response_max = room != 0;
	req.response_max = room;
	return mc_send(c, METHOD_SMP, &req.base, NULL, 0);
}

START_TEST(expanders_answer)
{
	Scsad__SmpRequest none = SCSAD__SMP_REQUEST__INIT;
	const Scsad__SmpReply *reply;
	struct fixture f;
	struct mc c;

	begin(&f, &c);
	reply = mc_reply(&c, send_smp(&c, "smp@w5000c500a0000000", 0x00, 0, 0),
	    &scsad__smp_reply__descriptor);
	ck_assert_str_eq(reply->path, "soft0/3/smp@w5000c500a0000000");
	ck_assert_uint_eq(reply->response.len, 4 + 4u * reply->response.data[3]);
	ck_assert_uint_eq(reply->response.data[9], 4);
	/* an error that tells no length fills the room */
	reply = mc_reply(&c, send_smp(&c, "w5000c500a0000000", 0x10, 4, 100),
	    &scsad__smp_reply__descriptor);
	ck_assert_uint_eq(reply->response.len, 100);
	ck_assert_uint_eq(reply->response.data[2], 0x10);
	ck_assert_int_eq(mc_error(&c, send_smp(&c, "w5000c500a0000000", 0x00, 0, 8)),
	    SCSAD__ERROR_CODE__ERR_IO);
	ck_assert_int_eq(mc_error(&c, send_smp(&c, "w5000c500a0000000", 0x00, 0, 7)),
	    SCSAD__ERROR_CODE__ERR_BAD_MESSAGE);
	ck_assert_int_eq(mc_error(&c, send_smp(&c, "w5000c500a0000009", 0x00, 0, 0)),
	    SCSAD__ERROR_CODE__ERR_NO_SUCH_UNIT);
	ck_assert_int_eq(mc_error(&c, mc_send(&c, METHOD_SMP, &none.base, NULL, 0)),
	    SCSAD__ERROR_CODE__ERR_BAD_MESSAGE);
	end(&f, &c);
}
END_TEST

START_TEST(an_expander_is_shown_and_may_be_ambiguous)
{
	Scsad__ShowRequest req = SCSAD__SHOW_REQUEST__INIT;
	const Scsad__ShowReply *reply;
	struct fixture f;
	struct mc c;

	begin(&f, &c);
	req.path = text("w5000c500a0000000");
	reply = mc_reply(&c, mc_send(&c, METHOD_SHOW, &req.base, NULL, 0),
	    &scsad__show_reply__descriptor);
	ck_assert_str_eq(reply->kind, "expander");
	req.path = text("soft0/3");
	reply = mc_reply(&c, mc_send(&c, METHOD_SHOW, &req.base, NULL, 0),
	    &scsad__show_reply__descriptor);
	ck_assert_str_eq(reply->kind, "iport");
	ck_assert_uint_gt(reply->n_details, 5);
	/* the same name at two ports */
	subscribe(&c, 1u << SCSAD__EVENT_KIND__EVENT_EXPANDER_ADDED);
	ck_assert_str_eq(changed(&c, send_add(&c, METHOD_EXPANDER_ADD, "soft0",
	    "5000c500a0000000"))->address, "iport0/w5000c500a0000000");
	hear(&c, SCSAD__EVENT_KIND__EVENT_EXPANDER_ADDED,
	    "soft0/iport0/smp@w5000c500a0000000");
	ck_assert_int_eq(mc_error(&c, send_smp(&c, "w5000c500a0000000", 0x00, 0, 0)),
	    SCSAD__ERROR_CODE__ERR_AMBIGUOUS);
	(void)mc_reply(&c, send_smp(&c, "soft0/3/smp@w5000c500a0000000", 0x00, 0, 0),
	    &scsad__smp_reply__descriptor);
	end(&f, &c);
}
END_TEST

/* changes that are under way when the daemon stops end, or are refused; nothing is left */
START_TEST(a_stop_comes_in_between)
{
	struct fixture f;
	struct mc c;

	begin(&f, &c);
	for (unsigned int i = 0; i < 30; i++)
		(void)send_add(&c, METHOD_TARGET_ADD, NULL, "mem:1M");
	fixture_stop(&f);
	while (mc_recv(&c))
		continue;
	mc_close(&c);
}
END_TEST

/* a unit that says it is not as it was; an adapter that goes */
START_TEST(changes_of_units_and_adapters_are_told)
{
	static uint8_t tur[6];
	struct fixture f;
	struct mc c, other;
	uint64_t h;

	begin(&f, &c);
	(void)mc_fault(&c, "action=check,sense=6/2a/09,count=1,op=0x00");
	h = mc_open(&c, "AAA");
	mc_connect(&f, &other);
	subscribe(&other, ~0u);
	(void)mc_completion(&c, mc_submit(&c, h, tur, sizeof(tur),
	    SCSAD__DIRECTION__DIR_NONE, NULL, 0));
	hear(&other, SCSAD__EVENT_KIND__EVENT_UNIT_CHANGED, "soft0/iport0/disk@0,0");
	fixture_stop(&f);
	hear_all(&other, (const struct news[]){
	    { SCSAD__EVENT_KIND__EVENT_STOPPING, "scsad" },
	    { SCSAD__EVENT_KIND__EVENT_PORT_GONE, "soft0/iport0" },
	    { SCSAD__EVENT_KIND__EVENT_HBA_STATE, "soft0" } }, 3);
	mc_close(&other);
	mc_close(&c);
}
END_TEST

START_TEST(disks_are_resized_and_hbas_look_again)
{
	Scsad__ResizeRequest resize = SCSAD__RESIZE_REQUEST__INIT;
	Scsad__RescanRequest rescan = SCSAD__RESCAN_REQUEST__INIT;
	const Scsad__RescanReply *found;
	const Scsad__ChangeReply *reply;
	struct fixture f;
	struct mc c;

	begin(&f, &c);
	resize.address = text("disk@0,0");
	resize.has_bytes = 1;
	resize.bytes = 2 << 20;
	reply = mc_reply(&c, mc_send(&c, METHOD_RESIZE, &resize.base, NULL, 0),
	    &scsad__change_reply__descriptor);
	ck_assert_str_eq(reply->address, "iport0/0,0");
	resize.bytes = 1000;
	ck_assert_int_eq(mc_error(&c, mc_send(&c, METHOD_RESIZE, &resize.base, NULL, 0)),
	    SCSAD__ERROR_CODE__ERR_BAD_MESSAGE);
	resize.address = text("iport0/9");
	ck_assert_int_eq(mc_error(&c, mc_send(&c, METHOD_RESIZE, &resize.base, NULL, 0)),
	    SCSAD__ERROR_CODE__ERR_NO_SUCH_UNIT);
	resize.address = NULL;
	ck_assert_int_eq(mc_error(&c, mc_send(&c, METHOD_RESIZE, &resize.base, NULL, 0)),
	    SCSAD__ERROR_CODE__ERR_BAD_MESSAGE);

	found = mc_reply(&c, mc_send(&c, METHOD_RESCAN, &rescan.base, NULL, 0),
	    &scsad__rescan_reply__descriptor);
	ck_assert_uint_eq(found->hbas, 1);
	ck_assert_uint_eq(found->units, 2);
	rescan.path = text("soft0");
	(void)mc_reply(&c, mc_send(&c, METHOD_RESCAN, &rescan.base, NULL, 0),
	    &scsad__rescan_reply__descriptor);
	rescan.path = text("soft7");
	ck_assert_int_eq(mc_error(&c, mc_send(&c, METHOD_RESCAN, &rescan.base, NULL, 0)),
	    SCSAD__ERROR_CODE__ERR_NO_SUCH_UNIT);
	end(&f, &c);
}
END_TEST

CHECK_MAIN("tree", targets_and_units_follow, what_is_wrong_is_refused, phys_carry_their_port,
    the_list_has_the_whole_tree, expanders_answer, an_expander_is_shown_and_may_be_ambiguous,
    a_stop_comes_in_between, changes_of_units_and_adapters_are_told,
    disks_are_resized_and_hbas_look_again)
