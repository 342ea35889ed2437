#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <libsmartcols.h>

#include "base/text.h"
#include "client/scsactl/out.h"

#define ESCAPED_LEN 4096
#define ESCAPED_N   4
#define HEX_LINE    16u

const char *
escaped(const char *text)
{
	static char bufs[ESCAPED_N][ESCAPED_LEN];
	static unsigned next;
	char *buf = bufs[next++ % ESCAPED_N];

	return text_escape(text, strlen(text), buf, ESCAPED_LEN);
}

struct libscols_table *
table_new(const char *columns)
{
	struct libscols_table *table = scols_new_table();
	char name[32];

	if (table == NULL)
		return NULL;
	while (*columns != '\0') {
		size_t len = strcspn(columns, ",");
		int flags = columns[0] == '>' ? SCOLS_FL_RIGHT : 0;
		size_t skip = columns[0] == '>';

		(void)snprintf(name, sizeof(name), "%.*s", (int)(len - skip), columns + skip);
		if (scols_table_new_column(table, name, 0, flags) == NULL) {
			scols_unref_table(table);
			return NULL;
		}
		columns += len + (columns[len] == ',');
	}
	return table;
}

void
table_row(struct libscols_table *table, ...)
{
	struct libscols_line *line = table == NULL ? NULL : scols_table_new_line(table, NULL);
	const char *cell;
	size_t column = 0;
	va_list ap;

	va_start(ap, table);
	while ((cell = va_arg(ap, const char *)) != NULL) {
		if (line != NULL)
			(void)scols_line_set_data(line, column++, escaped(cell));
	}
	va_end(ap);
}

/* cells that are empty at the end of a line leave blanks there */
static void
lines_print(const char *text)
{
	while (*text != '\0') {
		size_t len = strcspn(text, "\n"), shown = len;

		while (shown > 0 && text[shown - 1] == ' ')
			shown--;
		(void)printf("%.*s\n", (int)shown, text);
		text += len + (text[len] == '\n');
	}
}

void
table_print(struct libscols_table *table)
{
	CLEANUP(free_ptr) char *text = NULL;

	if (table == NULL)
		return;
	if (scols_print_table_to_string(table, &text) == 0 && text != NULL)
		lines_print(text);
	scols_unref_table(table);
}

void
fact(const char *key, const char *fmt, ...)
{
	char text[1024];
	size_t len;
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	for (len = strlen(text); len > 0 && text[len - 1] == ' '; len--)
		text[len - 1] = '\0';
	(void)printf("%-22s %s\n", escaped(key), escaped(text));
}

static void
hex_line(const uint8_t *bytes, size_t at, size_t n)
{
	(void)printf("%04zx ", at);
	for (size_t i = 0; i < HEX_LINE; i++)
		(void)(i < n ? printf(" %02x", bytes[at + i]) : printf("   "));
	(void)printf("  ");
	for (size_t i = 0; i < n; i++) {
		uint8_t b = bytes[at + i];

		(void)putchar(b >= 0x20 && b < 0x7f ? b : '.');
	}
	(void)putchar('\n');
}

void
hex_print(const uint8_t *bytes, size_t len)
{
	bool is_folded = false;

	for (size_t at = 0; at < len; at += HEX_LINE) {
		size_t n = len - at < HEX_LINE ? len - at : HEX_LINE;
		bool is_same = at > 0 && at + n < len &&
		    memcmp(bytes + at - HEX_LINE, bytes + at, n) == 0;

		if (!is_same)
			hex_line(bytes, at, n);
		else if (!is_folded)
			(void)printf("*\n");
		is_folded = is_same;
	}
}

static void
doc_add(json_object *object, const char *key, json_object *value)
{
	if (object == NULL || json_object_object_add(object, key, value) != 0)
		(void)json_object_put(value);
}

void
doc_text(json_object *object, const char *key, const char *text)
{
	if (object != NULL)
		doc_add(object, key, json_object_new_string(text));
}

void
doc_number(json_object *object, const char *key, uint64_t value)
{
	if (object != NULL)
		doc_add(object, key, json_object_new_uint64(value));
}

void
doc_signed(json_object *object, const char *key, int64_t value)
{
	if (object != NULL)
		doc_add(object, key, json_object_new_int64(value));
}

void
doc_bool(json_object *object, const char *key, bool value)
{
	if (object != NULL)
		doc_add(object, key, json_object_new_boolean(value));
}

void
doc_hex(json_object *object, const char *key, const uint8_t *bytes, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	CLEANUP(free_ptr) char *text = NULL;

	if (object == NULL)
		return;
	text = malloc(2 * len + 1);
	if (text == NULL)
		return;
	for (size_t i = 0; i < len; i++) {
		text[2 * i] = digits[bytes[i] >> 4];
		text[2 * i + 1] = digits[bytes[i] & 15];
	}
	text[2 * len] = '\0';
	doc_text(object, key, text);
}

json_object *
doc_list(json_object *object, const char *key)
{
	json_object *list = object == NULL ? NULL : json_object_new_array();

	if (object != NULL)
		doc_add(object, key, list);
	return list;
}

json_object *
doc_item(json_object *list)
{
	json_object *item = list == NULL ? NULL : json_object_new_object();

	if (list != NULL && json_object_array_add(list, item) != 0) {
		(void)json_object_put(item);
		return NULL;
	}
	return item;
}

json_object *
doc_part(json_object *object, const char *key)
{
	json_object *part = object == NULL ? NULL : json_object_new_object();

	if (object != NULL)
		doc_add(object, key, part);
	return part;
}
