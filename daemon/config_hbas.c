#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "base/text.h"
#include "daemon/config_impl.h"

#define POOL_MIN	(1u << 20)	/* memory for DMA of one function */
#define POOL_MAX	(1u << 30)

static const char *const bus_names[] = {
	[CONFIG_BUS_VFIO] = "vfio",
	[CONFIG_BUS_UIO] = "uio",
};

const char *
config_bus_name(enum config_bus bus)
{
	return bus_names[bus];
}

void
config_hba_fini(struct config_hba *hba)
{
	for (size_t i = 0; i < hba->n_props; i++) {
		for (size_t t = 0; t < hba->props[i].n; t++)
			free(hba->props[i].texts[t]);
		free(hba->props[i].texts);
	}
	free(hba->props);
	free(hba->name);
	free(hba->driver);
	free(hba->module);
	free(hba->disks);
	free(hba->ports);
	free(hba->expanders);
}

/* ------ does it make sense ------ */

/* part of paths, log lines and messages */
static bool
name_is_good(const char *name)
{
	static const char good[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "0123456789_-";
	size_t len = strlen(name);

	return len > 0 && len <= CONFIG_DRIVER_MAX && strspn(name, good) == len;
}

/* "soft0" for driver soft: what an HBA without a name is called */
static bool
name_is_of(const char *name, const char *driver)
{
	size_t len = strlen(driver);

	return strncmp(name, driver, len) == 0 && name[len] != '\0' &&
	    strspn(name + len, "0123456789") == strlen(name + len);
}

/* a foreign word inside a sentence of ours; -EINVAL */
PRINTF_LIKE(3, 4) static int
fault(char *reterr, const char *word, const char *fmt, ...)
{
	char escaped[128], rest[384];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(rest, sizeof(rest), fmt, ap);
	va_end(ap);
	(void)snprintf(reterr, CONFIG_ERR_LEN, "'%s' %s",
	    text_escape(word, strlen(word), escaped, sizeof(escaped)), rest);
	return -EINVAL;
}

static int
check_name(const struct config *c, const struct config_hba *hba, char *reterr)
{
	if (!name_is_good(hba->name))
		return fault(reterr, hba->name, "is not a name for an HBA: 1 to %d letters, "
		    "digits, '_' and '-'", CONFIG_DRIVER_MAX);
	for (size_t i = 0; i < driver_row_count(); i++)
		if (name_is_of(hba->name, driver_row(i)->name))
			return fault(reterr, hba->name, "is what an HBA without a name is "
			    "called, use another");
	for (const struct config_hba *other = c->hbas; other < hba; other++)
		if (other->name != NULL && strcmp(other->name, hba->name) == 0)
			return fault(reterr, hba->name, "is the name of another HBA already");
	return 0;
}

static int
check_driver(const struct config_hba *hba, const char **ret_key, char *reterr)
{
	const struct hba_driver *row;
	char names[256];

	*ret_key = "driver";
	if (hba->driver == NULL) {
		*ret_key = hba->module != NULL ? "module" : "";
		(void)snprintf(reterr, CONFIG_ERR_LEN,
		    "needs a driver, for instance 'driver: soft'");
		return hba->pci.address[0] == '\0' || hba->module != NULL ? -EINVAL : 0;
	}
	if (!name_is_good(hba->driver))
		return fault(reterr, hba->driver, "is not a driver's name: 1 to %d letters, "
		    "digits, '_' and '-'", CONFIG_DRIVER_MAX);
	row = driver_row_find(hba->driver);
	if (row == NULL && hba->module == NULL)
		return fault(reterr, hba->driver, "is not a built-in driver, name the file of "
		    "its module, or use one of: %s",
		    driver_row_names(DRIVER_WHERE_N, names, sizeof(names)));
	if (row != NULL && hba->module != NULL) {
		*ret_key = "module";
		return fault(reterr, hba->module, "is not needed, driver %s is built in",
		    row->name);
	}
	if (row != NULL && row->where == DRIVER_PCI && hba->pci.address[0] == '\0')
		return fault(reterr, hba->driver, "drives PCI functions: say which, for "
		    "instance 'pci: 0000:00:10.0'; scsactl hba list shows them");
	if (row != NULL && row->where != DRIVER_PCI && hba->pci.address[0] != '\0') {
		*ret_key = "pci";
		return fault(reterr, hba->pci.address, "is a PCI function, which driver %s does "
		    "not drive", row->name);
	}
	return 0;
}

static int
check_pci(const struct config *c, const struct config_hba *hba, const char **ret_key,
    char *reterr)
{
	*ret_key = "pci";
	for (const struct config_hba *other = c->hbas; other < hba; other++)
		if (strcmp(other->pci.address, hba->pci.address) == 0)
			return fault(reterr, hba->pci.address, "is another HBA already");
	if (hba->pci.bus != CONFIG_BUS_UIO || hba->pci.allow_unsafe_dma)
		return 0;
	*ret_key = "bus";
	return fault(reterr, "uio", "lets the device write to all memory of this machine: use "
	    "bus vfio, or say 'allow_unsafe_dma: yes' beside it if that is meant "
	    "(--allow-unsafe-dma for --pci)");
}

int
config_hba_check(const struct config *c, const char **ret_key, char *reterr)
{
	const struct config_hba *hba = &c->hbas[c->n_hbas - 1];
	int r = 0;

	*ret_key = "name";
	if (hba->name != NULL)
		r = check_name(c, hba, reterr);
	if (r == 0)
		r = check_driver(hba, ret_key, reterr);
	if (r == 0 && hba->pci.address[0] != '\0')
		r = check_pci(c, hba, ret_key, reterr);
	return r;
}

/* ------ a PCI function ------ */

static int
pci_set(struct config_pci *pci, const char *word, char *reterr)
{
	if (host_addr_parse(word, pci->address) < 0)
		return fault(reterr, word, "is not the address of a PCI function, for instance "
		    "0000:00:10.0");
	return 0;
}

static bool
bus_set(struct config_pci *pci, const char *word)
{
	for (size_t b = 0; b < CONFIG_BUS_N; b++)
		if (strcmp(word, bus_names[b]) == 0) {
			pci->bus = (enum config_bus)b;
			return true;
		}
	return false;
}

int
config_pci_parse(const char *line, struct config_hba *hba, char *reterr)
{
	CLEANUP(free_ptr) char *copy = strdup(line);
	char *rest = copy, *word;
	bool has_bus = false;
	int r;

	if (copy == NULL)
		return -ENOMEM;
	r = pci_set(&hba->pci, strsep(&rest, ","), reterr);
	while (r == 0 && (word = strsep(&rest, ",")) != NULL) {
		if (!has_bus && bus_set(&hba->pci, word))
			has_bus = true;
		else if (hba->driver == NULL && !has_bus)
			r = config_read_word(&hba->driver, word);
		else
			r = fault(reterr, word, "is one word too many: it is "
			    "ADDRESS[,DRIVER][,BUS], and BUS is vfio or uio");
	}
	return r;
}

/* ------ out of a file ------ */

static int
read_yes_no(const struct config_reader *rd, const char *where, const char *word, bool *ret)
{
	static const struct {
		const char *word;
		bool value;
	} words[] = {
		{ "yes", true }, { "on", true }, { "true", true }, { "1", true },
		{ "no", false }, { "off", false }, { "false", false }, { "0", false },
	};

	if (word == NULL)
		return 0;
	for (size_t w = 0; w < ARRAY_LEN(words); w++)
		if (strcmp(word, words[w].word) == 0) {
			*ret = words[w].value;
			return 0;
		}
	return config_complain_word(rd, where, word, "is neither yes nor no");
}

static int
read_pool(const struct config_reader *rd, const char *where, const char *word, uint32_t *ret)
{
	uint64_t bytes = 0;

	if (word == NULL)
		return 0;
	if (num_parse_bytes(word, POOL_MAX, &bytes) < 0 || bytes < POOL_MIN)
		return config_complain_word(rd, where, word,
		    "is no size for memory for DMA, it can be 1M to 1G");
	*ret = (uint32_t)bytes;
	return 0;
}

static int
read_pci_more(const struct config_reader *rd, const struct raw_hba *raw, unsigned int i,
    struct config_hba *hba)
{
	const struct {
		const char *key, *word;
		bool *ret;
	} keys[] = {
		{ "allow_unsafe_dma", raw->allow_unsafe_dma, &hba->pci.allow_unsafe_dma },
		{ "identity_dma", raw->identity_dma, &hba->pci.is_identity },
		{ "dma_pool", raw->dma_pool, NULL },
	};
	char where[64];
	int r = 0;

	for (size_t k = 0; r == 0 && k < ARRAY_LEN(keys); k++) {
		(void)snprintf(where, sizeof(where), "hbas/%u/%s", i, keys[k].key);
		if (keys[k].word != NULL && raw->pci == NULL)
			return config_complain(rd, where, "is for HBAs that have 'pci' only");
		r = keys[k].ret != NULL ? read_yes_no(rd, where, keys[k].word, keys[k].ret) :
		    read_pool(rd, where, keys[k].word, &hba->pci.pool_bytes);
	}
	return r;
}

static int
read_pci(const struct config_reader *rd, const struct raw_hba *raw, unsigned int i,
    struct config_hba *hba)
{
	char where[64], text[CONFIG_ERR_LEN];

	(void)snprintf(where, sizeof(where), "hbas/%u/pci", i);
	if (raw->pci != NULL && pci_set(&hba->pci, raw->pci, text) < 0)
		return config_complain(rd, where, text);
	(void)snprintf(where, sizeof(where), "hbas/%u/bus", i);
	if (raw->bus != NULL && raw->pci == NULL)
		return config_complain(rd, where, "there is a bus, but no 'pci': which function?");
	if (raw->bus != NULL && !bus_set(&hba->pci, raw->bus))
		return config_complain_word(rd, where, raw->bus,
		    "is no way to a PCI function, there are vfio and uio");
	return read_pci_more(rd, raw, i, hba);
}

/* ------ the software HBA ------ */

static int
read_disk(const struct config_reader *rd, struct config_hba *hba, const char *where,
    const char *word)
{
	CLEANUP(free_ptr) struct soft_disk_conf *disk = malloc(sizeof(*disk));
	char text[SOFT_ERR_LEN];

	if (disk == NULL)
		return -ENOMEM;
	if (soft_conf_parse(word, disk, text) < 0)
		return config_complain(rd, where, text);
	return config_add_disk(hba, disk);
}

static int
read_port(const struct config_reader *rd, struct config_hba *hba, const char *where,
    const char *word)
{
	struct soft_port_conf port;
	char text[SOFT_ERR_LEN];

	if (soft_port_parse(word, &port, text) < 0)
		return config_complain(rd, where, text);
	if (hba->n_ports == SOFT_PORTS)
		return config_complain(rd, where, "is one port more than there can be");
	return config_add_port(hba, &port);
}

static int
read_expander(const struct config_reader *rd, struct config_hba *hba, const char *where,
    const char *word)
{
	struct soft_expander_conf exp;
	char text[SOFT_ERR_LEN];

	if (soft_expander_parse(word, &exp, text) < 0)
		return config_complain(rd, where, text);
	return config_add_expander(hba, &exp);
}

/* the lists of a soft HBA: a line each */
static int
read_lines(const struct config_reader *rd, const struct raw_hba *raw, unsigned int i,
    struct config_hba *hba)
{
	const struct {
		const char *key;
		const char *noun;
		char *const *words;
		unsigned int n;
		int (*read)(const struct config_reader *rd, struct config_hba *hba,
		    const char *where, const char *word);
	} lists[] = {
		{ "ports", "port", raw->ports, raw->ports_count, read_port },
		{ "disks", "disk", raw->disks, raw->disks_count, read_disk },
		{ "expanders", "expander", raw->expanders, raw->expanders_count, read_expander },
	};
	char where[64], text[64];
	int r = 0;

	for (size_t l = 0; r == 0 && l < ARRAY_LEN(lists); l++)
		for (unsigned int w = 0; r == 0 && w < lists[l].n; w++) {
			(void)snprintf(where, sizeof(where), "hbas/%u/%s/%u", i, lists[l].key, w);
			(void)snprintf(text, sizeof(text), "is empty, it must name %s %s",
			    lists[l].noun[0] == 'e' ? "an" : "a", lists[l].noun);
			r = lists[l].words[w] == NULL ? config_complain(rd, where, text) :
			    lists[l].read(rd, hba, where, lists[l].words[w]);
		}
	return r;
}

/* ------ keys of a driver ------ */

static int
prop_texts(struct config_prop *prop, const struct ex_setting *s)
{
	prop->texts = calloc(s->n_values, sizeof(*prop->texts));
	if (prop->texts == NULL)
		return s->n_values == 0 ? 0 : -ENOMEM;
	for (; prop->n < s->n_values; prop->n++) {
		prop->texts[prop->n] = strdup(s->values[prop->n]);
		if (prop->texts[prop->n] == NULL)
			return -ENOMEM;
	}
	return 0;
}

static int
prop_number(const struct config_reader *rd, const char *where, const char *word,
    struct config_prop *prop)
{
	uint64_t v = 0;
	int r = num_parse_bytes(word, prop->key->max, &v);

	if (r == -EINVAL)
		return config_complain_word(rd, where, word, "is not a number");
	if (r < 0 || v < prop->key->min)
		return config_complain_word(rd, where, word, "is out of range, it can be %u to %u",
		    prop->key->min, prop->key->max);
	prop->number = (int)v;
	return 0;
}

static int
prop_set(const struct config_reader *rd, const char *where, const struct ex_setting *s,
    struct config_prop *prop)
{
	bool value = false;
	int r;

	for (size_t i = 0; i < s->n_values; i++)
		if (s->values[i] == NULL)
			return config_complain(rd, where, "has an item that is empty");
	switch (prop->key->value) {
	case DRIVER_NUMBER:
		return prop_number(rd, where, s->values[0], prop);
	case DRIVER_YES_NO:
		r = read_yes_no(rd, where, s->values[0], &value);
		prop->number = value;
		return r;
	case DRIVER_FILE:
		if (s->values[0][0] != '/')
			return config_complain_word(rd, where, s->values[0],
			    "is not an absolute path");
		return prop_texts(prop, s);
	case DRIVER_TEXT:
	case DRIVER_TEXTS:
		return prop_texts(prop, s);
	case DRIVER_OWN:
	case DRIVER_VALUE_N:
		break;
	}
	return 0;
}

/* what the driver itself has to say of its texts */
static int
texts_check(const struct config_reader *rd, const char *where, const struct hba_driver *row,
    const struct config_prop *prop)
{
	char text[DRIVER_ERR_LEN];
	int r;

	for (size_t i = 0; row->check != NULL && i < prop->n; i++) {
		r = row->check(prop->key->key, prop->texts[i], text);
		if (r == -ENOMEM)
			return r;
		if (r < 0)
			return config_complain(rd, where, text);
	}
	return 0;
}

static int
prop_add(struct config_hba *hba, const struct driver_key *key)
{
	struct config_prop *props =
	    reallocarray(hba->props, hba->n_props + 1, sizeof(*props));

	if (props == NULL)
		return -ENOMEM;
	hba->props = props;
	props[hba->n_props++] = (struct config_prop){ .key = key };
	return 0;
}

int
config_add_texts(struct config_hba *hba, const char *key, const char *const *texts, size_t n,
    char *reterr)
{
	const struct hba_driver *row = driver_row_find(hba->driver);
	const struct ex_setting s = { .key = key, .values = texts,
		.n_values = n };
	int r = prop_add(hba, driver_row_key(row, key));

	for (size_t i = 0; r == 0 && row->check != NULL && i < n; i++)
		r = row->check(key, texts[i], reterr);
	return r < 0 ? r : prop_texts(&hba->props[hba->n_props - 1], &s);
}

static bool
key_is_common(const char *key)
{
#define COMMON(T, name)	#name,
	static const char *const keys[] = {
		HBA_COMMON_WORDS(COMMON, COMMON, ) HBA_PCI_WORDS(COMMON, COMMON, )
	};
#undef COMMON

	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (strcmp(keys[i], key) == 0)
			return true;
	return false;
}

static int
key_is_foreign(const struct config_reader *rd, const char *where, const char *key)
{
	char text[128];
	size_t len;

	len = (size_t)snprintf(text, sizeof(text), "is a key for driver");
	for (size_t i = 0; i < driver_row_count(); i++)
		if (driver_row_key(driver_row(i), key) != NULL && len < sizeof(text))
			len += (size_t)snprintf(text + len, sizeof(text) - len, " '%s'",
			    driver_row(i)->name);
	return config_complain_word(rd, where, key, "%s only", text);
}

static int
read_key(const struct config_reader *rd, const char *where, const struct hba_driver *row,
    const struct ex_setting *s, struct config_hba *hba)
{
	const struct driver_key *key = row == NULL ? NULL : driver_row_key(row, s->key);
	int r;

	if (key == NULL)
		return key_is_foreign(rd, where, s->key);
	if (key->value == DRIVER_OWN)
		return 0;
	r = prop_add(hba, key);
	if (r == 0)
		r = prop_set(rd, where, s, &hba->props[hba->n_props - 1]);
	return r < 0 ? r : texts_check(rd, where, row, &hba->props[hba->n_props - 1]);
}

static int
read_keys(const struct config_reader *rd, unsigned int i, struct config_hba *hba)
{
	const struct hba_driver *row = hba->driver == NULL ? NULL : driver_row_find(hba->driver);
	struct ex_setting settings[HBA_KEYS_MAX];
	struct raw_setting words[HBA_KEYS_MAX];
	size_t n = config_raw_hba(rd->raw, i, settings, words);
	char where[64];
	int r = 0;

	for (size_t k = 0; r == 0 && k < n; k++) {
		if (key_is_common(settings[k].key))
			continue;
		(void)snprintf(where, sizeof(where), "hbas/%u/%s", i, settings[k].key);
		r = read_key(rd, where, row, &settings[k], hba);
	}
	return r;
}

int
config_read_hba(const struct config_reader *rd, unsigned int i)
{
	const struct raw_hba *raw = &config_raw_get(rd->raw)->hbas[i];
	char where[64], text[CONFIG_ERR_LEN];
	struct config_hba *hba;
	const char *key;
	int r;

	(void)snprintf(where, sizeof(where), "hbas/%u", i);
	hba = config_add_hba(rd->config, raw->driver);
	if (hba == NULL)
		return config_complain(rd, where, "is one HBA more than there can be");
	r = config_read_word(&hba->name, raw->name);
	if (r == 0)
		r = config_read_word(&hba->module, raw->module);
	if (r == 0)
		r = read_pci(rd, raw, i, hba);
	if (r < 0)
		return r;
	if (config_hba_check(rd->config, &key, text) < 0) {
		(void)snprintf(where, sizeof(where), "hbas/%u/%s", i, key);
		return config_complain(rd, where, text);
	}
	r = read_keys(rd, i, hba);
	if (r == 0)
		r = read_lines(rd, raw, i, hba);
	(void)snprintf(where, sizeof(where), "hbas/%u/dynamic", i);
	return r < 0 ? r : read_yes_no(rd, where, raw->dynamic, &hba->is_dynamic);
}
