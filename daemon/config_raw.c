#include "daemon/config_raw.h"

#include <cyaml/cyaml.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <yaml.h>

#include "base/num.h"
#include "daemon/config_form.h"

#define FILE_MAX_BYTES		(32u << 20)
#define FILE_FIRST_BYTES	(16u << 10)
#define WORD_MAX	4096
#define LIST_MAX	4096
#define OBJECTS_MAX	65536

struct config_raw {
	char *path;
	const cyaml_schema_value_t *schema;
	uint8_t *bytes;
	size_t len;
	struct raw_config *tree;	/* NULL: the file is empty */
	struct raw_config empty;
};

#define WORD(key, type, member)                                                \
	CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, type, member, 0, \
	    WORD_MAX)

static const cyaml_schema_value_t word_schema = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 0, WORD_MAX),
};

#define PART	(CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL)
#define FIELD_WORD(T, key)	WORD(#key, T, key),
#define FIELD_LIST(T, key)	CYAML_FIELD_SEQUENCE(#key, PART, T, key, &word_schema, 0, LIST_MAX),

static const cyaml_schema_field_t hba_fields[] = {
	HBA_WORDS(FIELD_WORD, FIELD_LIST, struct raw_hba)
	CYAML_FIELD_END
};

static const cyaml_schema_value_t hba_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct raw_hba, hba_fields),
};

static const cyaml_schema_field_t access_fields[] = {
	WORD("user", struct raw_access, user),
	WORD("uid", struct raw_access, uid),
	WORD("group", struct raw_access, group),
	WORD("gid", struct raw_access, gid),
	WORD("role", struct raw_access, role),
	CYAML_FIELD_END
};

static const cyaml_schema_value_t access_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct raw_access, access_fields),
};

static const cyaml_schema_field_t socket_fields[] = {
	WORD("path", struct raw_socket, path),
	WORD("mode", struct raw_socket, mode),
	WORD("group", struct raw_socket, group),
	CYAML_FIELD_END
};

static const cyaml_schema_field_t limits_fields[] = {
	WORD("connections", struct raw_limits, connections),
	WORD("connections_per_uid", struct raw_limits, connections_per_uid),
	WORD("requests", struct raw_limits, requests),
	WORD("data_bytes", struct raw_limits, data_bytes),
	WORD("client_bytes", struct raw_limits, client_bytes),
	WORD("unsent_bytes", struct raw_limits, unsent_bytes),
	WORD("handles", struct raw_limits, handles),
	CYAML_FIELD_END
};

static const cyaml_schema_field_t log_fields[] = {
	WORD("level", struct raw_log, level),
	CYAML_FIELD_END
};

static const cyaml_schema_field_t isns_fields[] = {
	WORD("server", struct raw_isns, server),
	WORD("entity", struct raw_isns, entity),
	WORD("period_s", struct raw_isns, period_s),
	CYAML_FIELD_END
};

/* ------ exports ------ */

#define FIELDS(kind, one, many, words)                                         \
	static const cyaml_schema_field_t one##_fields[] = {                   \
		words(FIELD_WORD, FIELD_LIST, struct raw_##one) CYAML_FIELD_END \
	};
#define SCHEMA(kind, one, many, words)                                         \
	FIELDS(kind, one, many, words)                                         \
	static const cyaml_schema_value_t one##_schema = {                     \
		CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct raw_##one, one##_fields), \
	};
EX_LISTS(SCHEMA)
EX_MAPPINGS(FIELDS)
EX_OWN_LISTS(SCHEMA)

#define FIELD_MANY(kind, one, many, words)                                     \
	CYAML_FIELD_SEQUENCE(#many, PART, struct raw_config, many, &one##_schema, 0, \
	    OBJECTS_MAX),
#define FIELD_ONE(kind, one, many, words)                                      \
	CYAML_FIELD_MAPPING_PTR(#many, PART, struct raw_config, many, one##_fields),

/* ------ the files ------ */

static const cyaml_schema_field_t config_fields[] = {
	CYAML_FIELD_SEQUENCE("hbas", PART, struct raw_config, hbas, &hba_schema, 0, LIST_MAX),
	CYAML_FIELD_MAPPING_PTR("socket", PART, struct raw_config, socket, socket_fields),
	CYAML_FIELD_SEQUENCE("access", PART, struct raw_config, access, &access_schema, 0,
	    LIST_MAX),
	CYAML_FIELD_MAPPING_PTR("limits", PART, struct raw_config, limits, limits_fields),
	CYAML_FIELD_MAPPING_PTR("log", PART, struct raw_config, log, log_fields),
	CYAML_FIELD_MAPPING_PTR("isns", PART, struct raw_config, isns, isns_fields),
	WORD("loops", struct raw_config, loops),
	WORD("busy_poll_us", struct raw_config, busy_poll_us),
	WORD("drain_ms", struct raw_config, drain_ms),
	WORD("user", struct raw_config, user),
	WORD("seccomp", struct raw_config, seccomp),
	WORD("state_dir", struct raw_config, state_dir),
	EX_LISTS(FIELD_MANY)
	EX_MAPPINGS(FIELD_ONE)
	CYAML_FIELD_END
};

static const cyaml_schema_field_t own_fields[] = {
	WORD("generation", struct raw_config, generation),
	EX_LISTS(FIELD_MANY)
	EX_MAPPINGS(FIELD_ONE)
	EX_OWN_LISTS(FIELD_MANY)
	CYAML_FIELD_END
};

static const cyaml_schema_value_t config_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct raw_config, config_fields),
};

static const cyaml_schema_value_t own_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct raw_config, own_fields),
};

/* ------ places ------ */

/* the child of @node that @step (of @len bytes) names: key of a mapping, index of a sequence */
static yaml_node_t *
node_step(yaml_document_t *doc, const yaml_node_t *node, const char *step, size_t len)
{
	char digits[24];
	uint64_t index;

	if (node->type == YAML_MAPPING_NODE) {
		for (yaml_node_pair_t *p = node->data.mapping.pairs.start;
		    p < node->data.mapping.pairs.top; p++) {
			const yaml_node_t *key = yaml_document_get_node(doc, p->key);

			if (key != NULL && key->type == YAML_SCALAR_NODE &&
			    key->data.scalar.length == len &&
			    memcmp(key->data.scalar.value, step, len) == 0)
				return yaml_document_get_node(doc, p->value);
		}
		return NULL;
	}
	if (node->type != YAML_SEQUENCE_NODE || len >= sizeof(digits))
		return NULL;
	memcpy(digits, step, len);
	digits[len] = '\0';
	if (num_parse_u64(digits, OBJECTS_MAX, &index) < 0 ||
	    index >= (uint64_t)(node->data.sequence.items.top -
	    node->data.sequence.items.start))
		return NULL;
	return yaml_document_get_node(doc, node->data.sequence.items.start[index]);
}

static yaml_mark_t
doc_mark(yaml_document_t *doc, const char *where)
{
	yaml_mark_t mark = { 0 };
	yaml_node_t *node = yaml_document_get_root_node(doc);

	while (node != NULL) {
		size_t len = strcspn(where, "/");

		mark = node->start_mark;
		if (len == 0)
			break;
		node = node_step(doc, node, where, len);
		where += len + (where[len] == '/');
	}
	return mark;
}

void
config_raw_complain(const struct config_raw *raw, const char *where, const char *text,
    char *reterr, size_t size)
{
	yaml_parser_t parser;
	yaml_document_t doc;
	yaml_mark_t mark = { 0 };

	if (yaml_parser_initialize(&parser)) {
		yaml_parser_set_input_string(&parser, raw->bytes, raw->len);
		if (yaml_parser_load(&parser, &doc)) {
			mark = doc_mark(&doc, where);
			yaml_document_delete(&doc);
		}
		yaml_parser_delete(&parser);
	}
	(void)snprintf(reterr, size, "%s:%zu:%zu: %s", raw->path, mark.line + 1,
	    mark.column + 1, text);
}

/* ------ reading ------ */

/* all of it, and no more than tells that it is too large; its length is not known before (pipe) */
static int
bytes_read(struct config_raw *raw, FILE *f)
{
	size_t room = 0;

	errno = 0;
	while (raw->len == room && room <= FILE_MAX_BYTES) {
		size_t grown = room == 0 ? FILE_FIRST_BYTES : 2 * room;
		unsigned char *bytes = realloc(raw->bytes, grown);

		if (bytes == NULL)
			return -ENOMEM;
		raw->bytes = bytes;
		room = grown;
		raw->len += fread(bytes + raw->len, 1, room - raw->len, f);
	}
	if (ferror(f))
		return errno == 0 ? -EIO : -errno;
	return 0;
}

static int
file_read(struct config_raw *raw, char *reterr, size_t size)
{
	FILE *f = fopen(raw->path, "re");
	int r = f == NULL ? -errno : bytes_read(raw, f);

	if (f != NULL)
		(void)fclose(f);
	if (r < 0) {
		(void)snprintf(reterr, size, "%s: cannot be read: %s", raw->path, strerror(-r));
		return r;
	}
	if (raw->len > FILE_MAX_BYTES) {
		(void)snprintf(reterr, size, "%s: larger than 32 MiB, this is no configuration",
		    raw->path);
		return -EINVAL;
	}
	return 0;
}

static int
tree_load(struct config_raw *raw, char *reterr, size_t size)
{
	const cyaml_config_t config = {
		.mem_fn = cyaml_mem,
		.flags = CYAML_CFG_NO_ALIAS,
	};
	struct config_fault fault;
	cyaml_data_t *tree = NULL;
	cyaml_err_t err;
	int r;

	r = config_form_check(raw->bytes, raw->len, raw->schema, &fault);
	if (r == -EINVAL)
		(void)snprintf(reterr, size, "%s:%zu:%zu: %s", raw->path, fault.line,
		    fault.column, fault.text);
	else if (r < 0)
		(void)snprintf(reterr, size, "%s: out of memory", raw->path);
	if (r < 0)
		return r;
	err = cyaml_load_data(raw->bytes, raw->len, &config, raw->schema, &tree, NULL);
	if (err == CYAML_OK) {
		raw->tree = tree;
		return 0;
	}
	/* the form is right: this is about memory, or about us */
	(void)snprintf(reterr, size, "%s: cannot be loaded: %s", raw->path,
	    cyaml_strerror(err));
	return err == CYAML_ERR_OOM ? -ENOMEM : -EINVAL;
}

void
config_raw_free(struct config_raw *raw)
{
	const cyaml_config_t config = { .mem_fn = cyaml_mem };

	if (raw == NULL)
		return;
	if (raw->tree != NULL)
		(void)cyaml_free(&config, raw->schema, raw->tree, 0);
	free(raw->bytes);
	free(raw->path);
	free(raw);
}

static void
raw_freep(struct config_raw **raw)
{
	config_raw_free(*raw);
}

int
config_raw_load(const char *path, enum config_writer writer, struct config_raw **ret_raw,
    char *reterr, size_t size)
{
	CLEANUP(raw_freep) struct config_raw *raw = calloc(1, sizeof(*raw));
	int r;

	if (raw == NULL || (raw->path = strdup(path)) == NULL) {
		(void)snprintf(reterr, size, "%s: out of memory", path);
		return -ENOMEM;
	}
	raw->schema = writer == CONFIG_ADMIN ? &config_schema : &own_schema;
	r = file_read(raw, reterr, size);
	if (r < 0)
		return r;
	if (raw->len > 0) {
		r = tree_load(raw, reterr, size);
		if (r < 0)
			return r;
	}
	*ret_raw = STEAL(raw);
	return 0;
}

const struct raw_config *
config_raw_get(const struct config_raw *raw)
{
	return raw->tree != NULL ? raw->tree : &raw->empty;
}

/* ------ objects ------ */

/* where a key's value is in the struct of its kind */
struct column {
	const char *key;
	size_t at, count_at;
	bool is_list;
};

#define COLUMN_WORD(T, name)	{ #name, offsetof(T, name), 0, false },
#define COLUMN_LIST(T, name)	{ #name, offsetof(T, name), offsetof(T, name##_count), true },
#define COLUMNS(kind, one, many, words)                                        \
	[kind] = { words(COLUMN_WORD, COLUMN_LIST, struct raw_##one) { NULL, 0, 0, false } },

static const struct column columns[EX_KIND_N][EX_KEYS_MAX] = {
	EX_LISTS(COLUMNS)
	EX_MAPPINGS(COLUMNS)
	EX_OWN_LISTS(COLUMNS)
};

static const struct column hba_columns[] = {
	HBA_WORDS(COLUMN_WORD, COLUMN_LIST, struct raw_hba) { NULL, 0, 0, false }
};

_Static_assert(ARRAY_LEN(hba_columns) <= HBA_KEYS_MAX + 1, "room for every key");

/* the first object of a kind, how large one is, and how many there are */
struct part {
	const void *first;
	size_t size, n;
};

#define PART_MANY(kind, one, many, words)                                      \
	[kind] = { tree->many, sizeof(*tree->many), tree->many##_count },
#define PART_ONE(kind, one, many, words)                                       \
	[kind] = { tree->many, sizeof(*tree->many), tree->many != NULL },

static struct part
part_of(const struct raw_config *tree, enum ex_kind kind)
{
	const struct part parts[EX_KIND_N] = {
		EX_LISTS(PART_MANY)
		EX_MAPPINGS(PART_ONE)
		EX_OWN_LISTS(PART_MANY)
	};

	return parts[kind];
}

size_t
config_raw_objects(const struct config_raw *raw, enum ex_kind kind)
{
	return part_of(config_raw_get(raw), kind).n;
}

/* the keys that the struct at @object has, by its columns; how many */
static size_t
settings_of(const char *object, const struct column *c, struct ex_setting *settings,
    struct raw_setting *words)
{
	size_t n = 0;

	for (; c->key != NULL; c++) {
		char **value = (char **)(uintptr_t)(object + c->at);

		if (c->is_list) {
			char **list = *(char ***)(void *)value;
			unsigned int count = *(const unsigned int *)(const void *)(object +
			    c->count_at);

			if (list == NULL)
				continue;
			settings[n] = (struct ex_setting){ c->key, (const char *const *)list,
			    count };
		} else if (*value != NULL) {
			words[n].one = *value;
			settings[n] = (struct ex_setting){ c->key, &words[n].one, 1 };
		} else {
			continue;
		}
		n++;
	}
	return n;
}

size_t
config_raw_object(const struct config_raw *raw, enum ex_kind kind, size_t i,
    struct ex_setting settings[EX_KEYS_MAX], struct raw_setting words[EX_KEYS_MAX])
{
	const struct part part = part_of(config_raw_get(raw), kind);

	return settings_of((const char *)part.first + i * part.size, columns[kind], settings,
	    words);
}

size_t
config_raw_hba(const struct config_raw *raw, size_t i,
    struct ex_setting settings[HBA_KEYS_MAX], struct raw_setting words[HBA_KEYS_MAX])
{
	return settings_of((const char *)&config_raw_get(raw)->hbas[i], hba_columns, settings,
	    words);
}
