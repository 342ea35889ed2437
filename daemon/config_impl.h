/*
 * daemon/config_impl.h - what the readers of a configuration file share
 *
 * What      A reader gives meaning to the words of a file. The first thing that is wrong ends
 *           the reading, with a complaint that names its place.
 * Thread    One.
 */
#ifndef DAEMON_CONFIG_IMPL_H
#define DAEMON_CONFIG_IMPL_H

#include "daemon/config.h"
#include "daemon/config_raw.h"

struct config_reader {
	struct config *config;
	const struct config_raw *raw;
	char *reterr;		/* CONFIG_ERR_LEN bytes */
};

/* config_complain() - "file:line:column: @text" about the place @where; -EINVAL */
int config_complain(const struct config_reader *rd, const char *where, const char *text);

/* config_complain_word() - the same with a foreign word in front of a sentence of ours */
int config_complain_word(const struct config_reader *rd, const char *where, const char *word,
    const char *fmt, ...) PRINTF_LIKE(4, 5);

/* config_read_word() - a copy of @word into *@ret, which is freed; NULL leaves it; 0 or
 * -ENOMEM */
int config_read_word(char **ret, const char *word) MUST_CHECK;

/* config_read_hba() - the @i-th HBA of the file; 0, -EINVAL or -ENOMEM */
int config_read_hba(const struct config_reader *rd, unsigned int i) MUST_CHECK;

/* config_hba_fini() - free what hangs from it */
void config_hba_fini(struct config_hba *hba);

#endif /* DAEMON_CONFIG_IMPL_H */
