/*
 * scsactl/out.h - how things are shown
 *
 * What      Tables for people (fitting the terminal), and members of the JSON document. Text
 *           from elsewhere is made printable for a terminal; JSON has its own escapes.
 * Owner     A table belongs to its maker until table_print().
 */
#ifndef SCSACTL_OUT_H
#define SCSACTL_OUT_H

#include <json-c/json.h>

#include "client/scsactl/ctl.h"

struct libscols_table;

/* table_new() - @columns is "NAME,NAME,>NAME": '>' aligns right; NULL without memory */
struct libscols_table *table_new(const char *columns);

/* table_row() - cells in the order of the columns, NULL at the end */
void table_row(struct libscols_table *table, ...) __attribute__((sentinel));

/* table_print() - to standard output; frees it. NULL is fine */
void table_print(struct libscols_table *table);

/* fact() - one line "key: value" for people */
void fact(const char *key, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* hex_print() - 16 bytes a line, with offsets and characters; equal lines are one "*" */
void hex_print(const uint8_t *bytes, size_t len);

/* doc_text(), doc_number(), doc_bool(), doc_hex() - add a member; @object may be NULL */
void doc_text(json_object *object, const char *key, const char *text);
void doc_number(json_object *object, const char *key, uint64_t value);
void doc_signed(json_object *object, const char *key, int64_t value);
void doc_bool(json_object *object, const char *key, bool value);
void doc_hex(json_object *object, const char *key, const uint8_t *bytes, size_t len);

/* doc_list() - add an empty array; doc_item() - append an object to it. NULL in, NULL out */
json_object *doc_list(json_object *object, const char *key);
json_object *doc_item(json_object *list);
json_object *doc_part(json_object *object, const char *key);

/* escaped() - @text for a terminal; one of a few static buffers, for use at once */
const char *escaped(const char *text);

#endif /* SCSACTL_OUT_H */
