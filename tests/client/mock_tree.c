/*
 * The tree of the mock: iport0 (plain) with two units, port p0 reached as "f" by phy 0 with an
 * expander, and port p1 that nothing leads to. Phy 1 is down.
 */
#include <string.h>

#include "mock_daemon.h"

#define WWN(n)	(0x5000c500a0000000u + (n))

static char *
text(const char *words)
{
	return (char *)(uintptr_t)words;
}

static void
port_fill(Scsad__Port *port, const char *label, const char *iport, const char *kind)
{
	scsad__port__init(port);
	port->hba = text("soft0");
	port->label = text(label);
	port->iport = text(iport);
	port->kind = text(kind);
	port->has_phys = port->has_remote = strcmp(kind, "phys") == 0;
	port->phys = iport[0] == 'f';
	port->remote = WWN(9);
	port->has_targets = port->has_units = port->has_expanders = 1;
	port->targets = port->units = 2;
	port->expanders = iport[0] == 'f';
}

static void
phy_fill(Scsad__Phy *phy, uint32_t n, bool is_up)
{
	scsad__phy__init(phy);
	phy->hba = text("soft0");
	phy->has_phy = phy->has_is_up = phy->has_remote = 1;
	phy->phy = n;
	phy->is_up = is_up;
	phy->remote = is_up ? WWN(9) : 0;
	phy->iport = text(is_up ? "f" : "");
}

void
mock_tree_reply(struct mock *m, const struct frame *frame, Scsad__ListReply *msg)
{
	Scsad__Port port[3];
	Scsad__Port *ports[3] = { &port[0], &port[1], &port[2] };
	Scsad__Phy phy[2];
	Scsad__Phy *phys[2] = { &phy[0], &phy[1] };
	Scsad__Expander expander = SCSAD__EXPANDER__INIT;
	Scsad__Expander *expanders[1] = { &expander };
	Scsad__Identity identity = SCSAD__IDENTITY__INIT;

	port_fill(&port[0], "iport0", "iport0", "plain");
	port_fill(&port[1], "p0", "f", "phys");
	port_fill(&port[2], "p1", "", "phys");
	phy_fill(&phy[0], 0, true);
	phy_fill(&phy[1], 1, false);
	identity.vendor = text("SCSAD");
	expander.path = text("soft0/f/smp@w5000c500a0000000");
	expander.hba = text("soft0");
	expander.iport = text("f");
	expander.has_wwn = 1;
	expander.wwn = WWN(0);
	expander.identity = &identity;
	msg->ports = ports;
	msg->n_ports = 3;
	msg->phys = phys;
	msg->n_phys = 2;
	msg->expanders = expanders;
	msg->n_expanders = 1;
	mock_reply(m, frame, &msg->base, NULL, 0);
}

static void
change_send(struct mock *m, const struct frame *frame, const char *address, const char *iport,
    uint32_t units)
{
	Scsad__ChangeReply msg = SCSAD__CHANGE_REPLY__INIT;
	char *iports[1] = { text(iport) };

	msg.hba = text("soft0");
	msg.address = text(address);
	msg.iports = iports;
	msg.n_iports = iport[0] != '\0';
	msg.has_units = 1;
	msg.units = units;
	mock_reply(m, frame, &msg.base, NULL, 0);
}

/* by what the request's bytes hold; strings stand in them as they are */
static bool
has(const struct frame *frame, const char *words)
{
	return memmem(frame->msg, frame->head.msg_len, words, strlen(words)) != NULL;
}

void
mock_change(struct mock *m, const struct frame *frame)
{
	bool is_phy = frame->head.method == METHOD_PHY_UP ||
	    frame->head.method == METHOD_PHY_DOWN;

	if (has(frame, "wrong"))
		mock_error(m, frame->head.id, SCSAD__ERROR_CODE__ERR_BAD_MESSAGE,
		    "'wrong': no such word");
	else if (has(frame, "nowhere"))
		mock_error(m, frame->head.id, SCSAD__ERROR_CODE__ERR_NO_SUCH_UNIT, "no port");
	else if (is_phy)
		change_send(m, frame, "", "", 0);
	else if (frame->head.method == METHOD_EXPANDER_ADD)
		change_send(m, frame, has(frame, "a0000000") ? "p0/w5000c500a0000000" :
		    "p0/w5000c500a0000001", "f", 0);
	else if (has(frame, "w5000"))
		change_send(m, frame, has(frame, "a0000000") ? "f/w5000c500a0000000" :
		    "f/w5000c500a0000001", "f", 0);
	else if (has(frame, "p1"))
		change_send(m, frame, "p1/0,0", "", 1);
	else
		change_send(m, frame, has(frame, "7") ? "iport0/7,0" : "iport0/1,0", "iport0",
		    1);
}

/* ------ SMP ------ */

/* what is wrong with the answer about a phy; 0: nothing */
static const uint8_t phy_results[] = { [1] = 0x16, [12] = 0x10, [13] = 0x02, [14] = 0x77 };

void
mock_smp(struct mock *m, const struct frame *frame)
{
	/* the request is the second field, and its type stands in front of its function */
	static const uint8_t head[] = { 0x12, 8, 0x40 }, long_head[] = { 0x12, 12, 0x40 };
	const uint8_t *req = memmem(frame->msg, frame->head.msg_len, head, sizeof(head));
	Scsad__SmpReply msg = SCSAD__SMP_REPLY__INIT;
	uint8_t rsp[64] = { 0x41 };
	uint8_t phy;

	if (has(frame, "nobody")) {
		mock_error(m, frame->head.id, SCSAD__ERROR_CODE__ERR_NO_SUCH_UNIT,
		    "no such expander");
		return;
	}
	if (req == NULL)
		req = memmem(frame->msg, frame->head.msg_len, long_head, sizeof(long_head));
	rsp[1] = req[3];
	phy = req[1] == 12 ? req[2 + 9] : 0;
	rsp[2] = phy < sizeof(phy_results) ? phy_results[phy] : 0;
	rsp[9] = phy;
	rsp[12] = phy == 2 ? 0 : 0x10;
	rsp[13] = 0x0b;
	rsp[15] = 0x0e;
	memcpy(rsp + 20, "MOCK", 4);
	msg.has_response = 1;
	msg.response.data = rsp;
	msg.response.len = phy == 15 ? 8 : sizeof(rsp);
	if (phy == 16)
		rsp[0] = 0x40;
	mock_reply(m, frame, &msg.base, NULL, 0);
}
