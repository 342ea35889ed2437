#include "hw/soft/fault.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "hw/soft/words.h"

static const char *const action_names[FAULT_ACTION_N] = {
	[FAULT_NONE] = "none",
	[FAULT_DELAY] = "delay",
	[FAULT_DROP] = "drop",
	[FAULT_DUP] = "dup",
	[FAULT_BUSY] = "busy",
	[FAULT_QFULL] = "qfull",
	[FAULT_CHECK] = "check",
	[FAULT_MEDIUM] = "medium",
	[FAULT_SHORT] = "short",
	[FAULT_BUS_RESET] = "bus_reset",
	[FAULT_GONE] = "gone",
	[FAULT_TRAN_ERR] = "tran_err",
	[FAULT_RESID] = "resid",
	[FAULT_STUCK] = "stuck",
};

static const char *const until_names[FAULT_UNTIL_N] = {
	[FAULT_UNTIL_LUN] = "lun",
	[FAULT_UNTIL_TARGET] = "target",
	[FAULT_UNTIL_BUS] = "bus",
	[FAULT_UNTIL_HBA] = "hba",
	[FAULT_UNTIL_QUIESCE] = "quiesce",
};

/* what was said, beside what it means */
struct fault_words {
	struct fault_rule rule;
	bool has_delay, has_sense, has_bytes, has_until;
};

const char *
fault_action_name(enum fault_action action)
{
	return action < FAULT_ACTION_N ? action_names[action] : "none";
}

static int
fault_read_action(void *dst, const char *value, char *reterr)
{
	struct fault_words *w = dst;

	for (unsigned int i = FAULT_DELAY; value != NULL && i < FAULT_ACTION_N; i++) {
		if (strcmp(value, action_names[i]) == 0) {
			w->rule.action = (enum fault_action)i;
			return 0;
		}
	}
	return words_error(reterr, "needs one of delay drop dup busy qfull check medium short "
	    "bus_reset gone tran_err resid stuck");
}

static int
fault_read_small(const char *value, uint64_t max, int32_t *ret, char *reterr)
{
	uint64_t v;
	int r = words_u64(value, 0, max, &v, reterr);

	if (r == 0)
		*ret = (int32_t)v;
	return r;
}

static int
fault_read_target(void *dst, const char *value, char *reterr)
{
	return fault_read_small(
	    value, 65535, &((struct fault_words *)dst)->rule.target, reterr);
}

static int
fault_read_lun(void *dst, const char *value, char *reterr)
{
	return fault_read_small(value, 65535, &((struct fault_words *)dst)->rule.lun, reterr);
}

static int
fault_read_op(void *dst, const char *value, char *reterr)
{
	struct fault_words *w = dst;
	uint64_t v;

	if (value != NULL && (strcmp(value, "read") == 0 || strcmp(value, "write") == 0)) {
		w->rule.class = (uint8_t)value[0];
		return 0;
	}
	if (value == NULL || num_parse_u64(value, 255, &v) < 0)
		return words_error(
		    reterr, "needs read, write or an operation code 0x00 to 0xff");
	w->rule.opcode = (int32_t)v;
	return 0;
}

static int
fault_read_lba(void *dst, const char *value, char *reterr)
{
	struct fault_rule *rule = &((struct fault_words *)dst)->rule;
	char first[24];
	const char *dash = value == NULL ? NULL : strchr(value, '-');
	size_t len = value == NULL ? 0 : dash == NULL ? strlen(value) : (size_t)(dash - value);

	if (len == 0 || len >= sizeof(first))
		return words_error(
		    reterr, "needs a block or a range of blocks, for instance 0-99");
	memcpy(first, value, len);
	first[len] = '\0';
	if (num_parse_u64(first, UINT64_MAX, &rule->lba_first) < 0 ||
	    num_parse_u64(dash == NULL ? first : dash + 1, UINT64_MAX, &rule->lba_last) < 0 ||
	    rule->lba_last < rule->lba_first)
		return words_error(
		    reterr, "needs a block or a range of blocks, for instance 0-99");
	rule->has_lba = true;
	return 0;
}

static int
fault_read_count(void *dst, const char *value, char *reterr)
{
	uint64_t v;
	int r = words_u64(value, 1, UINT32_MAX, &v, reterr);

	if (r == 0)
		((struct fault_words *)dst)->rule.count = (uint32_t)v;
	return r;
}

static int
fault_read_prob(void *dst, const char *value, char *reterr)
{
	uint64_t v;
	int r = words_u64(value, 1, 1000, &v, reterr);

	if (r == 0)
		((struct fault_words *)dst)->rule.prob_permille = (uint32_t)v;
	return r;
}

static int
fault_read_seed(void *dst, const char *value, char *reterr)
{
	return words_u64(value, 0, UINT64_MAX, &((struct fault_words *)dst)->rule.seed, reterr);
}

static int
fault_read_delay(struct fault_words *w, const char *value, uint64_t unit_us, char *reterr)
{
	uint64_t v;
	int r;

	if (w->has_delay)
		return words_error(reterr, "the delay is given twice; use one of us, ms, s");
	r = words_u64(value, 0, 3600000000ull / unit_us, &v, reterr);
	if (r < 0)
		return r;
	w->rule.delay_us = v * unit_us;
	w->has_delay = true;
	return 0;
}

static int
fault_read_us(void *dst, const char *value, char *reterr)
{
	return fault_read_delay(dst, value, 1, reterr);
}

static int
fault_read_ms(void *dst, const char *value, char *reterr)
{
	return fault_read_delay(dst, value, 1000, reterr);
}

static int
fault_read_s(void *dst, const char *value, char *reterr)
{
	return fault_read_delay(dst, value, 1000000, reterr);
}

static int
fault_read_sense(void *dst, const char *value, char *reterr)
{
	struct fault_words *w = dst;
	unsigned int key, asc, ascq;
	int end = 0;

	if (value == NULL || strlen(value) > 8 ||
	    sscanf(value, "%x/%x/%x%n", &key, &asc, &ascq, &end) != 3 || value[end] != '\0' ||
	    key > 15 || asc > 255 || ascq > 255)
		return words_error(reterr, "needs key/asc/ascq in hex, for instance 3/11/00");
	w->rule.key = (uint8_t)key;
	w->rule.asc = (uint8_t)asc;
	w->rule.ascq = (uint8_t)ascq;
	w->has_sense = true;
	return 0;
}

static int
fault_read_bytes(void *dst, const char *value, char *reterr)
{
	struct fault_words *w = dst;

	w->has_bytes = true;
	return words_bytes(value, UINT32_MAX, &w->rule.bytes, reterr);
}

static int
fault_read_until(void *dst, const char *value, char *reterr)
{
	struct fault_words *w = dst;

	for (unsigned int i = 0; value != NULL && i < FAULT_UNTIL_N; i++) {
		if (strcmp(value, until_names[i]) == 0) {
			w->rule.until = (enum fault_until)i;
			w->has_until = true;
			return 0;
		}
	}
	return words_error(reterr, "needs one of lun target bus hba quiesce");
}

static const struct word fault_words[] = {
	{ "action", fault_read_action },
	{ "target", fault_read_target },
	{ "lun", fault_read_lun },
	{ "op", fault_read_op },
	{ "lba", fault_read_lba },
	{ "count", fault_read_count },
	{ "prob", fault_read_prob },
	{ "seed", fault_read_seed },
	{ "us", fault_read_us },
	{ "ms", fault_read_ms },
	{ "s", fault_read_s },
	{ "sense", fault_read_sense },
	{ "bytes", fault_read_bytes },
	{ "until", fault_read_until },
};

static bool
fault_has_bytes(const struct fault_rule *rule)
{
	return rule->action == FAULT_SHORT || rule->action == FAULT_RESID;
}

static int
fault_check(const struct fault_words *w, char *reterr)
{
	const char *name = fault_action_name(w->rule.action);
	bool has_bytes = fault_has_bytes(&w->rule);

	if (w->rule.action == FAULT_NONE)
		return words_error(
		    reterr, "'action' is missing, for instance action=delay,ms=50");
	if (w->has_delay != (w->rule.action == FAULT_DELAY))
		return words_error(reterr,
		    w->has_delay ? "action=%s takes no time; use action=delay"
				 : "action=%s needs a time: us, ms or s",
		    name);
	if (w->has_sense != (w->rule.action == FAULT_CHECK))
		return words_error(reterr,
		    w->has_sense ? "action=%s takes no 'sense'; use action=check"
				 : "action=%s needs 'sense', for instance sense=3/11/00",
		    name);
	if (w->has_until && w->rule.action != FAULT_STUCK)
		return words_error(
		    reterr, "action=%s takes no 'until'; use action=stuck", name);
	if (w->has_bytes != has_bytes)
		return words_error(reterr,
		    w->has_bytes ? "action=%s takes no 'bytes'; use action=short or resid"
				 : "action=%s needs 'bytes'",
		    name);
	return 0;
}

int
fault_parse(const char *text, struct fault_rule *ret, char *reterr)
{
	struct fault_words w = {.rule = {
				    .target = FAULT_ANY,
				    .lun = FAULT_ANY,
				    .opcode = FAULT_ANY,
				    .prob_permille = 1000,
				}};
	int r;

	r = words_parse(text, fault_words, ARRAY_LEN(fault_words), &w, reterr);
	if (r == 0)
		r = fault_check(&w, reterr);
	if (r == 0)
		*ret = w.rule;
	return r;
}

/* append "word" and a number when the rule has one */
static void
fault_put(char buf[FAULT_TEXT_LEN], const char *word, uint64_t v)
{
	size_t used = strlen(buf);

	(void)snprintf(
	    buf + used, FAULT_TEXT_LEN - used, ",%s=%llu", word, (unsigned long long)v);
}

static void
fault_put_scope(char buf[FAULT_TEXT_LEN], const struct fault_rule *rule)
{
	size_t used;

	if (rule->target != FAULT_ANY)
		fault_put(buf, "target", (uint64_t)rule->target);
	if (rule->lun != FAULT_ANY)
		fault_put(buf, "lun", (uint64_t)rule->lun);
	used = strlen(buf);
	if (rule->class != 0)
		(void)snprintf(buf + used, FAULT_TEXT_LEN - used, ",op=%s",
		    rule->class == 'r' ? "read" : "write");
	else if (rule->opcode != FAULT_ANY)
		(void)snprintf(buf + used, FAULT_TEXT_LEN - used, ",op=0x%02x",
		    (unsigned int)rule->opcode);
	used = strlen(buf);
	if (rule->has_lba)
		(void)snprintf(buf + used, FAULT_TEXT_LEN - used, ",lba=%llu-%llu",
		    (unsigned long long)rule->lba_first, (unsigned long long)rule->lba_last);
}

char *
fault_format(const struct fault_rule *rule, char buf[FAULT_TEXT_LEN])
{
	size_t used;

	(void)snprintf(buf, FAULT_TEXT_LEN, "action=%s", fault_action_name(rule->action));
	fault_put_scope(buf, rule);
	if (rule->action == FAULT_DELAY)
		fault_put(buf, "us", rule->delay_us);
	if (fault_has_bytes(rule))
		fault_put(buf, "bytes", rule->bytes);
	used = strlen(buf);
	if (rule->action == FAULT_CHECK)
		(void)snprintf(buf + used, FAULT_TEXT_LEN - used, ",sense=%x/%02x/%02x",
		    rule->key, rule->asc, rule->ascq);
	used = strlen(buf);
	if (rule->until != FAULT_UNTIL_LUN)
		(void)snprintf(buf + used, FAULT_TEXT_LEN - used, ",until=%s",
		    until_names[rule->until]);
	if (rule->count != 0)
		fault_put(buf, "count", rule->count);
	if (rule->prob_permille != 1000) {
		fault_put(buf, "prob", rule->prob_permille);
		fault_put(buf, "seed", rule->seed);
	}
	return buf;
}

void
fault_set_init(struct fault_set *set)
{
	*set = (struct fault_set){ .nslots = 0 };
}

/* rules that are used up stay visible until their place is needed */
static void
fault_forget_done(struct fault_set *set)
{
	size_t kept = 0;

	for (size_t i = 0; i < set->nslots; i++) {
		if (!set->slots[i].is_done)
			set->slots[kept++] = set->slots[i];
	}
	set->nslots = kept;
}

int
fault_add(struct fault_set *set, const struct fault_rule *rule, uint32_t *ret_id)
{
	struct fault_slot *slot;

	if (set->nslots == FAULT_MAX)
		fault_forget_done(set);
	if (set->nslots == FAULT_MAX)
		return -ENOSPC;

	slot = &set->slots[set->nslots++];
	*slot = (struct fault_slot){ .rule = *rule, .rng = rng_init(rule->seed) };
	slot->rule.id = ++set->last_id;
	slot->rule.hits = 0;
	*ret_id = slot->rule.id;
	return 0;
}

int
fault_remove(struct fault_set *set, uint32_t id)
{
	if (id == 0) {
		set->nslots = 0;
		return 0;
	}
	for (size_t i = 0; i < set->nslots; i++) {
		if (set->slots[i].rule.id != id)
			continue;
		set->nslots--;
		memmove(&set->slots[i], &set->slots[i + 1],
		    (set->nslots - i) * sizeof(set->slots[0]));
		return 0;
	}
	return -ENOENT;
}

bool
fault_is_armed(const struct fault_set *set)
{
	for (size_t i = 0; i < set->nslots; i++) {
		if (!set->slots[i].is_done)
			return true;
	}
	return false;
}

static bool
fault_class_is(uint8_t class, uint8_t opcode)
{
	static const uint8_t reads[] = { 0x08, 0x28, 0xa8, 0x88 };
	static const uint8_t writes[] = { 0x0a, 0x2a, 0xaa, 0x8a };

	return memchr(class == 'r' ? reads : writes, opcode, sizeof(reads)) != NULL;
}

static bool
fault_touches(const struct fault_rule *rule, const struct fault_subject *s)
{
	uint64_t last;

	if (!s->has_lba || s->blocks == 0)
		return false;
	if (__builtin_add_overflow(s->lba, s->blocks - 1, &last))
		last = UINT64_MAX;
	return s->lba <= rule->lba_last && last >= rule->lba_first;
}

static bool
fault_applies(const struct fault_rule *rule, const struct fault_subject *s)
{
	if (rule->target != FAULT_ANY && rule->target != s->target)
		return false;
	if (rule->lun != FAULT_ANY && rule->lun != s->lun)
		return false;
	if (rule->class != 0 && !fault_class_is(rule->class, s->cdb[0]))
		return false;
	if (rule->opcode != FAULT_ANY && rule->opcode != s->cdb[0])
		return false;
	return !rule->has_lba || fault_touches(rule, s);
}

/* the rule acts, unless chance says no */
static bool
fault_take(struct fault_slot *slot)
{
	struct fault_rule *rule = &slot->rule;

	if (rule->prob_permille < 1000 && rng_below(&slot->rng, 1000) >= rule->prob_permille)
		return false;
	rule->hits++;
	slot->is_done = rule->count != 0 && rule->hits >= rule->count;
	return true;
}

struct fault_verdict
fault_match(struct fault_set *set, const struct fault_subject *subject)
{
	struct fault_verdict v = { .action = FAULT_NONE };

	for (size_t i = 0; i < set->nslots; i++) {
		struct fault_slot *slot = &set->slots[i];
		const struct fault_rule *rule = &slot->rule;

		if (slot->is_done || !fault_applies(rule, subject) || !fault_take(slot))
			continue;
		if (rule->action == FAULT_DELAY) {
			v.delay_us = v.delay_us > rule->delay_us ? v.delay_us : rule->delay_us;
			v.id = v.id == 0 ? rule->id : v.id;
			continue;
		}
		v.action = rule->action;
		v.id = rule->id;
		v.key = rule->key;
		v.asc = rule->asc;
		v.ascq = rule->ascq;
		v.bytes = rule->bytes;
		v.until = rule->until;
		v.lba = rule->has_lba && rule->lba_first > subject->lba ? rule->lba_first :
		    subject->lba;
		break;
	}
	return v;
}
