#include "daemon/config_exports.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static void
set_unrefp(struct ex_set **set)
{
	ex_set_unref(*set);
}

void
config_exports_complain(const struct config_raw *raw, const struct ex_fault *f, char *reterr)
{
	char where[96], text[EX_ERR_LEN + 300];
	int n;

	n = f->kind == EX_DISCOVERY ? snprintf(where, sizeof(where), "discovery") :
	    f->kind == EX_KIND_N ? snprintf(where, sizeof(where), "%s", "") :
	    snprintf(where, sizeof(where), "%s/%zu", ex_kind_plural(f->kind), f->at);
	if (f->key != NULL)
		/* a word has no such step, and its own place is meant then */
		(void)snprintf(where + n, sizeof(where) - (size_t)n, "/%s/%zu", f->key,
		    f->index);
	ex_fault_format(f, text, sizeof(text));
	config_raw_complain(raw, where, text, reterr, CONFIG_ERR_LEN);
}

static int
object_read(const struct config_raw *raw, enum ex_kind kind, enum ex_from from, size_t i,
    struct ex_set *set, struct ex_fault *f)
{
	struct ex_setting settings[EX_KEYS_MAX];
	struct raw_setting words[EX_KEYS_MAX];
	struct ex_object *o;
	size_t n = config_raw_object(raw, kind, i, settings, words);
	int r = ex_object_new(kind, from, i, NULL, NULL, settings, n, &o, f);

	if (r < 0)
		return r;
	r = ex_set_add(set, o);
	if (r < 0) {
		(void)ex_complain(f, NULL, r, NULL, 0, r == -ENOSPC ?
		    "is one more than there can be" : "out of memory");
		f->kind = kind;
		f->at = i;
	}
	return r;
}

int
config_exports_read(const struct config_raw *raw, enum ex_from from, struct ex_set *set,
    char *reterr)
{
	struct ex_fault fault;

	for (size_t k = 0; k < EX_KIND_N; k++) {
		enum ex_kind kind = (enum ex_kind)k;
		size_t n = config_raw_objects(raw, kind);

		for (size_t i = 0; i < n; i++) {
			int r = object_read(raw, kind, from, i, set, &fault);

			if (r < 0) {
				config_exports_complain(raw, &fault, reterr);
				return r;
			}
		}
	}
	return 0;
}

int
config_exports_check(const struct ex_set *set, struct ex_fault *reterr)
{
	CLEANUP(set_unrefp) struct ex_set *copy = ex_set_copy(set, 1);
	int r;

	if (copy == NULL)
		return ex_complain(reterr, NULL, -ENOMEM, NULL, 0, "out of memory");
	r = ex_ports_assign(copy, reterr);
	if (r == 0)
		r = ex_set_seal(copy, reterr);
	return r < 0 ? r : ex_check(copy, reterr);
}

int
config_exports_load(const struct config_raw *raw, struct config *c, char *reterr)
{
	struct ex_fault fault;
	int r;

	if (c->exports == NULL)
		c->exports = ex_set_new(1);
	if (c->exports == NULL)
		return -ENOMEM;
	r = config_exports_read(raw, EX_FROM_FILE, c->exports, reterr);
	if (r < 0)
		return r == -ENOMEM ? r : -EINVAL;
	r = config_exports_check(c->exports, &fault);
	if (r == 0 || r == -ENOMEM)
		return r;
	config_exports_complain(raw, &fault, reterr);
	return -EINVAL;
}
