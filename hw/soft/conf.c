/* the one-line form of a disk */
#include <errno.h>
#include <string.h>

#include "base/num.h"
#include "base/text.h"
#include "hw/soft/soft.h"
#include "hw/soft/words.h"

#define CONF_SIZE_MAX	(1ull << 60)

const char *
soft_store_kind_name(enum soft_store_kind kind)
{
	static const char *const names[SOFT_STORE_N] = {
		[SOFT_STORE_NULL] = "null",
		[SOFT_STORE_MEM] = "mem",
		[SOFT_STORE_FILE] = "file",
	};

	return kind < SOFT_STORE_N ? names[kind] : "none";
}

void
soft_disk_conf_init(struct soft_disk_conf *conf)
{
	*conf = (struct soft_disk_conf){
		.kind = SOFT_STORE_MEM,
		.block_bytes = 512,
		.is_thin = true,
		.sanitize_rate = SOFT_SANITIZE_RATE,
		.app_tag = -1,
		.target = SOFT_ANY,
		.lun = SOFT_ANY,
	};
}

static int
conf_read_type(UNUSED void *dst, const char *value, char *reterr)
{
	if (value == NULL || strcmp(value, "disk") != 0)
		return words_error(reterr, "the only device type is disk");
	return 0;
}

static int
conf_read_size(void *dst, const char *value, char *reterr)
{
	struct soft_disk_conf *conf = dst;

	if (conf->size_bytes != 0)
		return words_error(reterr, "the size is given twice");
	return words_bytes(value, CONF_SIZE_MAX, &conf->size_bytes, reterr);
}

static int
conf_read_block(void *dst, const char *value, char *reterr)
{
	struct soft_disk_conf *conf = dst;
	uint64_t v;

	if (value == NULL || num_parse_bytes(value, UINT32_MAX, &v) < 0 ||
	    (v != 512 && v != 4096))
		return words_error(reterr, "the block is 512 or 4096");
	conf->block_bytes = (uint32_t)v;
	return 0;
}

static int
conf_read_physical(void *dst, const char *value, char *reterr)
{
	struct soft_disk_conf *conf = dst;
	uint64_t v;

	if (value == NULL || num_parse_bytes(value, UINT32_MAX, &v) < 0 || !num_is_pow2(v) ||
	    v < 512 || v > 65536)
		return words_error(reterr, "the physical block is a power of two, 512 to 64K");
	conf->physical_bytes = (uint32_t)v;
	return 0;
}

static int
conf_read_pi(void *dst, const char *value, char *reterr)
{
	struct soft_disk_conf *conf = dst;
	uint64_t v;
	int r = words_u64(value, 0, 3, &v, reterr);

	if (r == 0 && v == 2)
		return words_error(reterr, "protection information is of type 1 or 3, or 0: none");
	if (r == 0)
		conf->pi_type = (uint8_t)v;
	return r;
}

static int
conf_read_app_tag(void *dst, const char *value, char *reterr)
{
	struct soft_disk_conf *conf = dst;
	uint64_t v;
	/* FFFFh is the value that stops all checks */
	int r = words_u64(value, 0, UINT16_MAX - 1, &v, reterr);

	if (r == 0)
		conf->app_tag = (int32_t)v;
	return r;
}

static int
conf_read_target(void *dst, const char *value, char *reterr)
{
	struct soft_disk_conf *conf = dst;
	uint64_t v;
	int r = words_u64(value, 0, SOFT_TARGETS - 1, &v, reterr);

	if (r == 0)
		conf->target = (int32_t)v;
	return r;
}

static int
conf_read_lun(void *dst, const char *value, char *reterr)
{
	struct soft_disk_conf *conf = dst;
	uint64_t v;
	int r = words_u64(value, 0, SOFT_LUNS - 1, &v, reterr);

	if (r == 0)
		conf->lun = (int32_t)v;
	return r;
}

static int
conf_read_luns(void *dst, const char *value, char *reterr)
{
	struct soft_disk_conf *conf = dst;
	uint64_t v;
	int r = words_u64(value, 1, SOFT_LUNS, &v, reterr);

	if (r == 0)
		conf->luns = (uint32_t)v;
	return r;
}

static int
conf_read_sanitize_rate(void *dst, const char *value, char *reterr)
{
	struct soft_disk_conf *conf = dst;

	if (value != NULL && strcmp(value, "0") == 0) {
		conf->sanitize_rate = 0;
		return 0;
	}
	return words_bytes(value, CONF_SIZE_MAX, &conf->sanitize_rate, reterr);
}

static int
conf_read_wwn(void *dst, const char *value, char *reterr)
{
	return words_wwn(value, &((struct soft_disk_conf *)dst)->wwn, reterr);
}

#define CONF_BOOL(field)                                                       \
	static int                                                             \
	conf_read_##field(void *dst, const char *value, char *reterr)          \
	{                                                                      \
		struct soft_disk_conf *conf = dst;                             \
                                                                               \
		return words_bool(value, &conf->is_##field, reterr);           \
	}

#define CONF_TEXT(field)                                                       \
	static int                                                             \
	conf_read_##field(void *dst, const char *value, char *reterr)          \
	{                                                                      \
		struct soft_disk_conf *conf = dst;                             \
                                                                               \
		return words_text(value, conf->field, sizeof(conf->field), reterr); \
	}

CONF_BOOL(direct)
CONF_BOOL(readonly)
CONF_BOOL(removable)
CONF_BOOL(unmap_any)
CONF_BOOL(thin)
CONF_TEXT(serial)
CONF_TEXT(vendor)
CONF_TEXT(product)
CONF_TEXT(revision)

static int
conf_read_port(void *dst, const char *value, char *reterr)
{
	struct soft_disk_conf *conf = dst;

	return words_label(value, conf->port, sizeof(conf->port), reterr);
}

static const struct word conf_words[] = {
	{ "type", conf_read_type },
	{ "size", conf_read_size },
	{ "block", conf_read_block },
	{ "physical", conf_read_physical },
	{ "direct", conf_read_direct },
	{ "readonly", conf_read_readonly },
	{ "removable", conf_read_removable },
	{ "unmap_any", conf_read_unmap_any },
	{ "thin", conf_read_thin },
	{ "pi", conf_read_pi },
	{ "app_tag", conf_read_app_tag },
	{ "target", conf_read_target },
	{ "lun", conf_read_lun },
	{ "port", conf_read_port },
	{ "wwn", conf_read_wwn },
	{ "luns", conf_read_luns },
	{ "serial", conf_read_serial },
	{ "vendor", conf_read_vendor },
	{ "product", conf_read_product },
	{ "revision", conf_read_revision },
	{ "sanitize_rate", conf_read_sanitize_rate },
};

/* the first word: what the disk is made of */
static int
conf_parse_store(const char *what, struct soft_disk_conf *conf, char *reterr)
{
	char why[WORDS_ERR_LEN];
	const char *size;

	if (strncmp(what, "mem:", 4) == 0 || strncmp(what, "null:", 5) == 0) {
		conf->kind = what[0] == 'm' ? SOFT_STORE_MEM : SOFT_STORE_NULL;
		size = strchr(what, ':') + 1;
		if (words_bytes(size, CONF_SIZE_MAX, &conf->size_bytes, why) < 0)
			return words_error(reterr, "'%.64s': %.200s", what, why);
		return 0;
	}
	if (strcmp(what, "mem") == 0 || strcmp(what, "null") == 0) {
		conf->kind = what[0] == 'm' ? SOFT_STORE_MEM : SOFT_STORE_NULL;
		return 0;
	}
	conf->kind = SOFT_STORE_FILE;
	if (strncmp(what, "file:", 5) == 0)
		what += 5;
	if (*what == '\0')
		return words_error(
		    reterr, "a file needs a path, for instance file:/srv/disk.img");
	if (!text_copy(conf->path, sizeof(conf->path), what))
		return words_error(reterr, "the path is longer than %zu bytes",
		    sizeof(conf->path) - 1);
	return 0;
}

/* many units of a kind, and who they are */
static int
conf_check_units(const struct soft_disk_conf *conf, char *reterr)
{
	uint32_t first = conf->lun == SOFT_ANY ? 0 : (uint32_t)conf->lun;

	if (conf->wwn != 0 && conf->target != SOFT_ANY)
		return words_error(reterr, "a target has a number or a name: target= and wwn= "
		    "exclude each other");
	if (conf->luns <= 1)
		return 0;
	if (conf->kind == SOFT_STORE_FILE)
		return words_error(reterr, "'luns' is for mem and null; a file is one disk");
	if (conf->serial[0] != '\0')
		return words_error(
		    reterr, "'luns' makes several disks, and they cannot share one serial");
	if (first + conf->luns > SOFT_LUNS)
		return words_error(reterr, "%u luns from %u on are too many; the last one is "
		    "%d", conf->luns, first, SOFT_LUNS - 1);
	return 0;
}

/* what no single word can know */
static int
conf_check(struct soft_disk_conf *conf, char *reterr)
{
	const char *kind = soft_store_kind_name(conf->kind);

	if (conf->physical_bytes == 0)
		conf->physical_bytes = conf->block_bytes;
	if (conf->physical_bytes < conf->block_bytes)
		return words_error(reterr,
		    "the physical block (%u) is smaller than the block (%u)",
		    conf->physical_bytes, conf->block_bytes);
	if (conf->size_bytes == 0 && conf->kind != SOFT_STORE_FILE)
		return words_error(
		    reterr, "a %s disk needs a size, for instance %s:1G", kind, kind);
	if (conf->size_bytes % conf->block_bytes != 0)
		return words_error(reterr,
		    "the size (%llu bytes) is not a multiple of the block (%u)",
		    (unsigned long long)conf->size_bytes, conf->block_bytes);
	if (conf->is_direct && conf->kind != SOFT_STORE_FILE)
		return words_error(
		    reterr, "'direct' is for files; a %s disk has no page cache", kind);
	if (conf->pi_type != 0 && conf->kind == SOFT_STORE_NULL)
		return words_error(reterr, "a null disk keeps nothing, so no 'pi' either");
	if (conf->app_tag >= 0 && conf->pi_type == 0)
		return words_error(
		    reterr, "'app_tag' is part of protection information; say pi=1 or pi=3");
	return conf_check_units(conf, reterr);
}

int
soft_conf_parse(const char *text, struct soft_disk_conf *ret, char *reterr)
{
	CLEANUP(free_ptr) struct soft_disk_conf *conf = calloc(1, sizeof(*conf));
	CLEANUP(free_ptr) char *what = NULL;
	const char *comma = strchr(text, ',');
	int r;

	what = comma == NULL ? strdup(text) : strndup(text, (size_t)(comma - text));
	if (conf == NULL || what == NULL)
		return words_error(reterr, "out of memory");
	soft_disk_conf_init(conf);

	r = conf_parse_store(what, conf, reterr);
	if (r == 0 && comma != NULL)
		r = words_parse(comma + 1, conf_words, ARRAY_LEN(conf_words), conf, reterr);
	if (r == 0)
		r = conf_check(conf, reterr);
	if (r == 0)
		*ret = *conf;
	return r;
}
