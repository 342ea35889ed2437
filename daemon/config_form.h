/*
 * daemon/config_form.h - is a YAML text of the form that a schema asks for, and if not, where
 *
 * What      libcyaml fills structs by a schema, but tells the place of the last value it had
 *           read. Here a text is held against the same schema first, so that a complaint names
 *           the line and column of the very key or value that is wrong.
 * Covers    encoding, syntax, aliases, a second document, keys that are unknown or there twice,
 *           values of another kind, words and lists that are too long.
 * Thread    Any; no state.
 */
#ifndef DAEMON_CONFIG_FORM_H
#define DAEMON_CONFIG_FORM_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

struct cyaml_schema_value;

struct config_fault {
	size_t line, column;	/* from 1; columns count characters */
	char text[320];		/* printable */
};

/**
 * config_form_check() - the first thing that is wrong with a text
 *
 * @bytes    @len bytes
 * @schema   mappings, sequences and strings only
 * @reterr   set when the answer is -EINVAL
 *
 * Returns:  0 (also for a text without any document), -EINVAL, -ENOMEM
 */
int config_form_check(const uint8_t *bytes, size_t len, const struct cyaml_schema_value *schema,
    struct config_fault *reterr) MUST_CHECK;

#endif /* DAEMON_CONFIG_FORM_H */
