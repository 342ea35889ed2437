#include <string.h>

#include "client/scsactl/verbs.h"

const struct verb *const verbs[] = {
	&verb_list,
	&verb_show,
	&verb_status,
	&verb_watch,
	&verb_probe,
	&verb_inquiry,
	&verb_vpd,
	&verb_readcap,
	&verb_luns,
	&verb_getcap,
	&verb_setcap,
	&verb_reset,
	&verb_abort,
	&verb_cdb,
	&verb_read,
	&verb_write,
	&verb_verify,
	&verb_soft_target,
	&verb_soft_lun,
	&verb_soft_expander,
	&verb_soft_phy,
	&verb_smp,
	&verb_fault,
	&verb_completion,
	&verb_help,
	&verb_version,
	NULL,
};

const struct verb *
verb_find(const char *name)
{
	for (size_t i = 0; verbs[i] != NULL; i++) {
		if (strcmp(verbs[i]->name, name) == 0)
			return verbs[i];
	}
	return NULL;
}

bool
verb_is_group(const char *words)
{
	size_t len = strlen(words);

	for (size_t i = 0; verbs[i] != NULL; i++) {
		if (strncmp(verbs[i]->name, words, len) == 0 && verbs[i]->name[len] == ' ')
			return true;
	}
	return false;
}
