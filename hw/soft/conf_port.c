/* the one-line forms of ports and expanders */
#include <errno.h>
#include <string.h>

#include "base/num.h"
#include "base/text.h"
#include "hw/soft/soft.h"
#include "hw/soft/words.h"

#define EXPANDER_PHYS		12
#define EXPANDER_PHYS_MAX	128

static int
port_read_virtual(void *dst, const char *value, char *reterr)
{
	return words_bool(value, &((struct soft_port_conf *)dst)->is_virtual, reterr);
}

static int
port_read_remote(void *dst, const char *value, char *reterr)
{
	return words_wwn(value, &((struct soft_port_conf *)dst)->remote, reterr);
}

static int
port_read_local(void *dst, const char *value, char *reterr)
{
	return words_wwn(value, &((struct soft_port_conf *)dst)->local, reterr);
}

/* a mask as ports are called by it: "f", "100"; "0x" in front is fine */
static int
port_read_phys(void *dst, const char *value, char *reterr)
{
	static const char good[] = "0123456789abcdefABCDEF";
	struct soft_port_conf *conf = dst;
	size_t len;

	if (value != NULL && value[0] == '0' && value[1] == 'x')
		value += 2;
	len = value == NULL ? 0 : strlen(value);
	if (len == 0 || len > 16 || strspn(value, good) != len)
		return words_error(reterr, "needs a mask of phys, for instance f or 0x30");
	conf->phys = strtoull(value, NULL, 16);
	return 0;
}

static const struct word port_words[] = {
	{ "virtual", port_read_virtual },
	{ "remote", port_read_remote },
	{ "local", port_read_local },
	{ "phys", port_read_phys },
};

static int
expander_read_phys(void *dst, const char *value, char *reterr)
{
	struct soft_expander_conf *conf = dst;
	uint64_t v;
	int r = words_u64(value, 1, EXPANDER_PHYS_MAX, &v, reterr);

	if (r == 0)
		conf->phys = (uint8_t)v;
	return r;
}

#define EXPANDER_TEXT(field)                                                   \
	static int                                                             \
	expander_read_##field(void *dst, const char *value, char *reterr)      \
	{                                                                      \
		struct soft_expander_conf *conf = dst;                         \
                                                                               \
		return words_text(value, conf->field, sizeof(conf->field), reterr); \
	}

EXPANDER_TEXT(vendor)
EXPANDER_TEXT(product)
EXPANDER_TEXT(revision)

static int
expander_read_port(void *dst, const char *value, char *reterr)
{
	struct soft_expander_conf *conf = dst;

	return words_label(value, conf->port, sizeof(conf->port), reterr);
}

static const struct word expander_words[] = {
	{ "phys", expander_read_phys },
	{ "port", expander_read_port },
	{ "vendor", expander_read_vendor },
	{ "product", expander_read_product },
	{ "revision", expander_read_revision },
};

/* what is in front of the first comma, in @size bytes; the options behind it, or NULL */
static const char *
head_take(const char *text, char *head, size_t size, bool *ret_fits)
{
	size_t len = strcspn(text, ",");

	*ret_fits = len > 0 && len < size;
	if (*ret_fits) {
		memcpy(head, text, len);
		head[len] = '\0';
	}
	return text[len] == ',' ? text + len + 1 : NULL;
}

int
soft_port_parse(const char *text, struct soft_port_conf *ret, char *reterr)
{
	struct soft_port_conf conf = { .phys = 0 };
	char label[SOFT_LABEL_LEN], why[WORDS_ERR_LEN];
	const char *options;
	bool fits;
	int r;

	options = head_take(text, label, sizeof(label), &fits);
	if (!fits || words_label(label, conf.label, sizeof(conf.label), why) < 0)
		return words_error(reterr, "a port begins with its label, of 1 to %d "
		    "letters, digits, '.', '_' and '-'", SOFT_LABEL_LEN - 1);
	r = options == NULL ? 0 :
	    words_parse(options, port_words, ARRAY_LEN(port_words), &conf, reterr);
	if (r < 0)
		return r;
	if (conf.remote == 0 && (conf.phys != 0 || conf.local != 0))
		return words_error(reterr, "phys= and local= need remote=, the address they "
		    "lead to");
	if (conf.remote != 0 && conf.is_virtual)
		return words_error(reterr, "a virtual port has no remote=");
	*ret = conf;
	return 0;
}

static void
expander_defaults(struct soft_expander_conf *conf)
{
	if (conf->port[0] == '\0')
		(void)text_copy(conf->port, sizeof(conf->port), SOFT_IPORT);
	if (conf->vendor[0] == '\0')
		(void)text_copy(conf->vendor, sizeof(conf->vendor), "SCSAD");
	if (conf->product[0] == '\0')
		(void)text_copy(conf->product, sizeof(conf->product), "EXPANDER");
	if (conf->revision[0] == '\0')
		(void)text_copy(conf->revision, sizeof(conf->revision), SCSAD_VERSION);
}

int
soft_expander_parse(const char *text, struct soft_expander_conf *ret, char *reterr)
{
	struct soft_expander_conf conf = { .phys = EXPANDER_PHYS };
	char name[SOFT_TADDR_LEN], why[WORDS_ERR_LEN];
	const char *options;
	bool fits;
	int r;

	options = head_take(text, name, sizeof(name), &fits);
	if (!fits || words_wwn(name, &conf.wwn, why) < 0)
		return words_error(
		    reterr, "an expander begins with its name, of 16 hexadecimal digits");
	r = options == NULL ? 0 :
	    words_parse(options, expander_words, ARRAY_LEN(expander_words), &conf, reterr);
	if (r < 0)
		return r;
	expander_defaults(&conf);
	*ret = conf;
	return 0;
}
