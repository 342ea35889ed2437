#include "daemon/config_form.h"

#include <cyaml/cyaml.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <yaml.h>

#include "base/text.h"

/* no schema of ours is deeper, and a text can go no deeper than its schema */
#define DEPTH_MAX	8

/* ------ complaints ------ */

PRINTF_LIKE(3, 4) static int
complain(struct config_fault *fault, const yaml_mark_t *mark, const char *fmt, ...)
{
	va_list ap;

	fault->line = mark->line + 1;
	fault->column = mark->column + 1;
	va_start(ap, fmt);
	(void)vsnprintf(fault->text, sizeof(fault->text), fmt, ap);
	va_end(ap);
	return -EINVAL;
}

static char *
key_text(const yaml_node_t *key, char *dst, size_t size)
{
	return text_escape(key->data.scalar.value, key->data.scalar.length, dst, size);
}

/* the place of the character that byte @at belongs to, or should: errors of encoding only count
 * bytes, and blame the byte that does not continue a character */
static yaml_mark_t
mark_of_byte(const uint8_t *bytes, size_t len, size_t at)
{
	yaml_mark_t mark = { 0 };

	while (at > 0 && at < len && bytes[at] < 0xc0 && bytes[at - 1] >= 0x80)
		at--;
	for (size_t i = 0; i < len && i < at; i++) {
		if (bytes[i] == '\n') {
			mark.line++;
			mark.column = 0;
		} else if ((bytes[i] & 0xc0) != 0x80) {
			mark.column++;
		}
	}
	return mark;
}

/* ------ what YAML itself says ------ */

static size_t
byte_of_mark(const uint8_t *bytes, size_t len, const yaml_mark_t *mark)
{
	size_t at = 0;

	for (size_t line = 0; at < len && line < mark->line; at++)
		line += bytes[at] == '\n';
	return at + mark->column;
}

static int
syntax_complain(const yaml_parser_t *parser, const uint8_t *bytes, size_t len,
    struct config_fault *fault)
{
	const char *problem = parser->problem != NULL ? parser->problem : "is no YAML";
	yaml_mark_t mark = parser->problem_mark;
	size_t at;

	if (parser->error == YAML_MEMORY_ERROR)
		return -ENOMEM;
	if (parser->error == YAML_READER_ERROR) {
		mark = mark_of_byte(bytes, len, parser->problem_offset);
		return complain(fault, &mark, "is not UTF-8: %s", problem);
	}
	at = byte_of_mark(bytes, len, &mark);
	if (at < len && bytes[at] == '\t')
		return complain(fault, &mark, "a tab indents here, YAML wants blanks");
	if (parser->context != NULL)
		return complain(fault, &mark, "%s, %s", problem, parser->context);
	return complain(fault, &mark, "%s", problem);
}

static bool
event_has_anchor(const yaml_event_t *event)
{
	if (event->type == YAML_SCALAR_EVENT)
		return event->data.scalar.anchor != NULL;
	if (event->type == YAML_SEQUENCE_START_EVENT)
		return event->data.sequence_start.anchor != NULL;
	if (event->type == YAML_MAPPING_START_EVENT)
		return event->data.mapping_start.anchor != NULL;
	return event->type == YAML_ALIAS_EVENT;
}

/* aliases are gone once a document is loaded: look at the events. *@ret_n: documents */
static int
events_check(const uint8_t *bytes, size_t len, unsigned int *ret_n, struct config_fault *fault)
{
	yaml_parser_t parser;
	yaml_event_t event;
	bool is_end = false;
	int r = 0;

	*ret_n = 0;
	if (!yaml_parser_initialize(&parser))
		return -ENOMEM;
	yaml_parser_set_input_string(&parser, bytes, len);
	while (r == 0 && !is_end) {
		if (!yaml_parser_parse(&parser, &event)) {
			r = syntax_complain(&parser, bytes, len, fault);
			break;
		}
		is_end = event.type == YAML_STREAM_END_EVENT;
		if (event_has_anchor(&event))
			r = complain(fault, &event.start_mark,
			    "anchors and aliases cannot be used here");
		else if (event.type == YAML_DOCUMENT_START_EVENT && ++*ret_n > 1)
			r = complain(fault, &event.start_mark, "a second document begins here, "
			    "there can be one");
		yaml_event_delete(&event);
	}
	yaml_parser_delete(&parser);
	return r;
}

/* ------ what the schema says ------ */

/* a node that was found to be of its schema's kind; its parts come next */
struct form_step {
	const yaml_node_t *node;
	const cyaml_schema_value_t *schema;
	size_t next;
};

struct form {
	yaml_document_t doc;
	struct form_step steps[DEPTH_MAX];
	size_t depth;
	struct config_fault *fault;
};

static int
node_enter(struct form *f, const yaml_node_t *node, const cyaml_schema_value_t *schema)
{
	if (schema->type == CYAML_STRING) {
		if (node->type != YAML_SCALAR_NODE)
			return complain(f->fault, &node->start_mark,
			    "must be one word or number");
		if (node->data.scalar.length > schema->string.max)
			return complain(f->fault, &node->start_mark,
			    "is longer than %u bytes", schema->string.max);
		if (memchr(node->data.scalar.value, '\0', node->data.scalar.length) != NULL)
			return complain(f->fault, &node->start_mark, "has a NUL in it");
		return 0;
	}
	if (schema->type == CYAML_MAPPING && node->type != YAML_MAPPING_NODE)
		return complain(f->fault, &node->start_mark, "must be keys with values");
	if (schema->type == CYAML_SEQUENCE && node->type != YAML_SEQUENCE_NODE)
		return complain(f->fault, &node->start_mark, "must be a list, one item a '-'");
	if (f->depth == DEPTH_MAX)
		return complain(f->fault, &node->start_mark, "is too deep");
	f->steps[f->depth++] = (struct form_step){ node, schema, 0 };
	return 0;
}

static const cyaml_schema_field_t *
field_find(const cyaml_schema_field_t *fields, const yaml_node_t *key)
{
	for (; fields->key != NULL; fields++)
		if (strlen(fields->key) == key->data.scalar.length &&
		    memcmp(fields->key, key->data.scalar.value, key->data.scalar.length) == 0)
			return fields;
	return NULL;
}

static int
key_unknown(struct form *f, const cyaml_schema_field_t *fields, const yaml_node_t *key)
{
	char word[80], known[200];
	size_t n = 0;

	for (; fields->key != NULL && n < sizeof(known); fields++)
		n += (size_t)snprintf(known + n, sizeof(known) - n, "%s%s", n == 0 ? "" : ", ",
		    fields->key);
	return complain(f->fault, &key->start_mark, "'%s' is not a key here, there are: %s",
	    key_text(key, word, sizeof(word)), known);
}

/* the line where an earlier pair of @map has the key of pair @i; 0: none has */
static size_t
key_line_before(struct form *f, const yaml_node_t *map, size_t i)
{
	const yaml_node_pair_t *pairs = map->data.mapping.pairs.start;
	const yaml_node_t *key = yaml_document_get_node(&f->doc, pairs[i].key);

	for (size_t k = 0; k < i; k++) {
		const yaml_node_t *other = yaml_document_get_node(&f->doc, pairs[k].key);

		if (other->data.scalar.length == key->data.scalar.length &&
		    memcmp(other->data.scalar.value, key->data.scalar.value,
		    key->data.scalar.length) == 0)
			return other->start_mark.line + 1;
	}
	return 0;
}

static int
pair_check(struct form *f, struct form_step *step)
{
	const yaml_node_pair_t *pairs = step->node->data.mapping.pairs.start;
	const cyaml_schema_field_t *fields = step->schema->mapping.fields, *field;
	size_t i = step->next++, line;
	const yaml_node_t *key = yaml_document_get_node(&f->doc, pairs[i].key);
	char word[80];

	if (key->type != YAML_SCALAR_NODE)
		return complain(f->fault, &key->start_mark, "a key must be one word");
	field = field_find(fields, key);
	if (field == NULL)
		return key_unknown(f, fields, key);
	line = key_line_before(f, step->node, i);
	if (line != 0)
		return complain(f->fault, &key->start_mark,
		    "'%s' is there already, in line %zu",
		    key_text(key, word, sizeof(word)), line);
	return node_enter(f, yaml_document_get_node(&f->doc, pairs[i].value), &field->value);
}

static int
item_check(struct form *f, struct form_step *step)
{
	const yaml_node_item_t *items = step->node->data.sequence.items.start;
	const yaml_node_t *item = yaml_document_get_node(&f->doc, items[step->next]);

	if (step->next++ >= step->schema->sequence.max)
		return complain(f->fault, &item->start_mark, "is one item too many");
	return node_enter(f, item, step->schema->sequence.entry);
}

static size_t
parts_count(const yaml_node_t *node)
{
	if (node->type == YAML_MAPPING_NODE)
		return (size_t)(node->data.mapping.pairs.top - node->data.mapping.pairs.start);
	return (size_t)(node->data.sequence.items.top - node->data.sequence.items.start);
}

static int
nodes_check(struct form *f, const cyaml_schema_value_t *schema)
{
	const yaml_node_t *root = yaml_document_get_root_node(&f->doc);
	int r = root == NULL ? 0 : node_enter(f, root, schema);

	while (r == 0 && f->depth > 0) {
		struct form_step *step = &f->steps[f->depth - 1];

		if (step->next == parts_count(step->node))
			f->depth--;
		else if (step->node->type == YAML_MAPPING_NODE)
			r = pair_check(f, step);
		else
			r = item_check(f, step);
	}
	return r;
}

static int
document_check(const uint8_t *bytes, size_t len, const cyaml_schema_value_t *schema,
    struct config_fault *fault)
{
	struct form f = { .fault = fault };
	yaml_parser_t parser;
	int r;

	if (!yaml_parser_initialize(&parser))
		return -ENOMEM;
	yaml_parser_set_input_string(&parser, bytes, len);
	if (yaml_parser_load(&parser, &f.doc)) {
		r = nodes_check(&f, schema);
		yaml_document_delete(&f.doc);
	} else {
		r = syntax_complain(&parser, bytes, len, fault);
	}
	yaml_parser_delete(&parser);
	return r;
}

int
config_form_check(const uint8_t *bytes, size_t len, const struct cyaml_schema_value *schema,
    struct config_fault *reterr)
{
	unsigned int n;
	int r = events_check(bytes, len, &n, reterr);

	return r < 0 || n == 0 ? r : document_check(bytes, len, schema, reterr);
}
