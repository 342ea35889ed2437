#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/num.h"
#include "base/text.h"
#include "client/scsactl/out.h"
#include "client/scsactl/verbs.h"

/* frames of the serial management protocol: SPL-3, section "SMP application layer" */
#define SMP_REQUEST		0x40
#define SMP_RESPONSE		0x41
#define SMP_GENERAL		0x00
#define SMP_MANUFACTURER	0x01
#define SMP_DISCOVER		0x10
#define GENERAL_MIN		20	/* bytes of an answer that holds all that is shown */
#define MANUFACTURER_MIN	60
#define DISCOVER_MIN		45
#define REQUEST_LEN		8
#define DISCOVER_LEN		12
#define PHY_AT			9	/* of a DISCOVER request and its answer */

/* what an exchange was about */
struct smp_ask {
	const char *what;	/* "general" */
	uint8_t function;
	size_t request_len, response_min;
	void (*show)(const struct ctl *ctl, const uint8_t *frame);
};

/* ------ words ------ */

static const struct {
	uint8_t result;
	enum ctl_exit status;
	const char *words;
} results[] = {
	{ 0x01, CTL_INVALID_OPCODE, "unknown SMP function" },
	{ 0x02, CTL_OTHER, "SMP function failed" },
	{ 0x03, CTL_ILLEGAL_REQUEST, "invalid request frame length" },
	{ 0x04, CTL_OTHER, "invalid expander change count" },
	{ 0x05, CTL_BUSY, "busy" },
	{ 0x06, CTL_OTHER, "incomplete descriptor list" },
	{ 0x10, CTL_ILLEGAL_REQUEST, "phy does not exist" },
	{ 0x11, CTL_ILLEGAL_REQUEST, "index does not exist" },
	{ 0x12, CTL_ILLEGAL_REQUEST, "phy does not support SATA" },
	{ 0x13, CTL_ILLEGAL_REQUEST, "unknown phy operation" },
	{ 0x16, CTL_FALSE, "phy vacant" },
	{ 0x20, CTL_NOT_PERMITTED, "SMP zone violation" },
	{ 0x22, CTL_NOT_PERMITTED, "zone lock violation" },
};

static const char *
device_type(unsigned type)
{
	static const char *const names[8] = { "none", "end device", "expander",
		"fanout expander" };

	return names[type & 7] == NULL ? "reserved" : names[type & 7];
}

static const char *
link_rate(unsigned rate)
{
	static const char *const names[16] = {
		[0x0] = "unknown", [0x1] = "disabled", [0x2] = "reset problem",
		[0x3] = "spinup hold", [0x4] = "port selector", [0x5] = "reset in progress",
		[0x6] = "unsupported phy", [0x8] = "1.5 Gbit/s", [0x9] = "3 Gbit/s",
		[0xa] = "6 Gbit/s", [0xb] = "12 Gbit/s", [0xc] = "22.5 Gbit/s",
	};

	return names[rate & 15] == NULL ? "reserved" : names[rate & 15];
}

static const char *
routing(unsigned attribute)
{
	static const char *const names[] = { "direct", "subtractive", "table" };

	return attribute < ARRAY_LEN(names) ? names[attribute] : "reserved";
}

/* bits of an initiator or target byte, as words */
static char *
protocols(uint8_t bits, char *dst, size_t size)
{
	static const char *const names[] = { "SATA", "SMP", "STP", "SSP" };
	size_t at = 0;

	dst[0] = '\0';
	for (size_t i = ARRAY_LEN(names); i-- > 0;) {
		if ((bits & 1u << i) == 0 || at >= size)
			continue;
		at += (size_t)snprintf(dst + at, size - at, "%s%s", at > 0 ? " " : "", names[i]);
	}
	return dst;
}

/* ------ one fact in either form ------ */

static void
show_text(const struct ctl *ctl, const char *key, const char *words, const char *text)
{
	if (ctl->is_json)
		doc_text(ctl->root, key, text);
	else
		fact(words, "%s", text);
}

static void
show_number(const struct ctl *ctl, const char *key, const char *words, uint64_t value)
{
	if (ctl->is_json)
		doc_number(ctl->root, key, value);
	else
		fact(words, "%" PRIu64, value);
}

static void
show_wwn(const struct ctl *ctl, const char *key, const char *words, const uint8_t *bytes)
{
	char text[17];

	(void)snprintf(text, sizeof(text), "%016" PRIx64, be64_get(bytes));
	show_text(ctl, key, words, text);
}

static void
show_field(const struct ctl *ctl, const char *key, const char *words, const uint8_t *bytes,
    size_t len)
{
	char text[32];

	(void)text_trim_field(bytes, len, text);
	show_text(ctl, key, words, text);
}

/* ------ answers ------ */

static void
general_show(const struct ctl *ctl, const uint8_t *frame)
{
	show_number(ctl, "change_count", "changes", be16_get(frame + 4));
	show_number(ctl, "route_indexes", "route indexes", be16_get(frame + 6));
	show_number(ctl, "phys", "phys", frame[9]);
	show_text(ctl, "route_table", "route table", (frame[10] & 0x01) != 0 ?
	    "configurable from outside" : "not configurable from outside");
	show_text(ctl, "state", "state", (frame[10] & 0x02) != 0 ? "configuring" : "configured");
	show_wwn(ctl, "enclosure", "enclosure", frame + 12);
}

static void
manufacturer_show(const struct ctl *ctl, const uint8_t *frame)
{
	show_field(ctl, "vendor", "vendor", frame + 12, 8);
	show_field(ctl, "product", "product", frame + 20, 16);
	show_field(ctl, "revision", "revision", frame + 36, 4);
	if ((frame[8] & 0x01) == 0)
		return;
	show_field(ctl, "component_vendor", "component vendor", frame + 40, 8);
	show_number(ctl, "component", "component", be16_get(frame + 48));
	show_number(ctl, "component_revision", "component revision", frame[50]);
}

static void
discover_show(const struct ctl *ctl, const uint8_t *frame)
{
	char words[32];

	show_number(ctl, "phy", "phy", frame[PHY_AT]);
	show_wwn(ctl, "address", "address", frame + 16);
	show_text(ctl, "attached", "attached", device_type(frame[12] >> 4));
	show_text(ctl, "rate", "rate", link_rate(frame[13]));
	if ((frame[12] >> 4 & 7) != 0) {
		show_wwn(ctl, "attached_address", "attached address", frame + 24);
		show_number(ctl, "attached_phy", "attached phy", frame[32]);
		show_text(ctl, "initiator", "initiator", protocols(frame[14], words,
		    sizeof(words)));
		show_text(ctl, "target", "target", protocols(frame[15], words, sizeof(words)));
	}
	show_text(ctl, "rate_min", "slowest rate", link_rate(frame[40] & 15));
	show_text(ctl, "rate_max", "fastest rate", link_rate(frame[41] & 15));
	show_number(ctl, "phy_change_count", "phy changes", frame[42]);
	show_text(ctl, "routing", "routing", routing(frame[44] & 15));
}

/* ------ the verb ------ */

static const struct smp_ask asks[] = {
	{ "general", SMP_GENERAL, REQUEST_LEN, GENERAL_MIN, general_show },
	{ "manufacturer", SMP_MANUFACTURER, REQUEST_LEN, MANUFACTURER_MIN, manufacturer_show },
	{ "discover", SMP_DISCOVER, DISCOVER_LEN, DISCOVER_MIN, discover_show },
};

/* the function result of an answer that is none */
static enum ctl_exit
result_tell(struct ctl *ctl, const struct smp_ask *ask, uint8_t result)
{
	if (ctl->is_json)
		doc_number(ctl->root, "result", result);
	for (size_t i = 0; i < ARRAY_LEN(results); i++) {
		if (results[i].result == result)
			return ctl_fail(ctl, results[i].status, "%s: %s", ask->what,
			    results[i].words);
	}
	return ctl_fail(ctl, CTL_OTHER, "%s: function result %02xh", ask->what, result);
}

static enum ctl_exit
smp_ask(struct ctl *ctl, const char *path, const struct smp_ask *ask, uint8_t phy)
{
	uint8_t request[DISCOVER_LEN] = { SMP_REQUEST, ask->function };
	uint8_t response[SCSAC_SMP_MAX];
	struct scsac_smp smp = {
		.request = request, .request_len = ask->request_len,
		.response = response, .response_size = sizeof(response),
	};
	int r;

	if (ask->function == SMP_DISCOVER)
		request[PHY_AT] = phy;
	r = scsac_smp(ctl->conn, path, &smp);
	if (r < 0)
		return ctl_refused(ctl, r, NULL);
	if (smp.response_len < 4 || response[0] != SMP_RESPONSE || response[1] != ask->function)
		return ctl_fail(ctl, CTL_MALFORMED, "%s: the answer is no such answer",
		    ask->what);
	if (response[2] != 0)
		return result_tell(ctl, ask, response[2]);
	if (smp.response_len < ask->response_min)
		return ctl_fail(ctl, CTL_MALFORMED, "%s: %zu bytes came", ask->what,
		    smp.response_len);
	ask->show(ctl, response);
	return CTL_OK;
}

static enum ctl_exit
smp_run(struct ctl *ctl, const struct args *args)
{
	uint64_t phy = 0;

	for (size_t i = 0; i < ARRAY_LEN(asks); i++) {
		bool wants_phy = asks[i].function == SMP_DISCOVER;

		if (strcmp(asks[i].what, args->v[1]) != 0)
			continue;
		if (args->n != (wants_phy ? 3 : 2))
			return ctl_syntax(ctl, wants_phy ? "%s wants the number of a phy" :
			    "%s takes no further word", asks[i].what);
		if (wants_phy && num_parse_u64(args->v[2], UINT8_MAX, &phy) < 0)
			return ctl_syntax(ctl, "'%s' is no phy, they are 0 to 255", args->v[2]);
		return smp_ask(ctl, args->v[0], &asks[i], (uint8_t)phy);
	}
	return ctl_syntax(ctl, "'%s' is none of general, manufacturer, discover", args->v[1]);
}

const struct verb verb_smp = {
	.name = "smp",
	.args = "EXPANDER general|manufacturer|discover [PHY]",
	.summary = "ask an expander who it is, and what is at its phys",
	.details = "EXPANDER is a path as 'list --tree' shows it, or an unambiguous tail of it.",
	.min = 2,
	.max = 3,
	.run = smp_run,
};
