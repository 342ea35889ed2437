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
	&verb_reserve_status,
	&verb_portal_list,
	&verb_portal_add,
	&verb_portal_remove,
	&verb_portal_state,
	&verb_target_list,
	&verb_target_show,
	&verb_target_add,
	&verb_target_set,
	&verb_target_remove,
	&verb_export_list,
	&verb_export_add,
	&verb_export_set,
	&verb_export_remove,
	&verb_acl_list,
	&verb_acl_add,
	&verb_acl_set,
	&verb_acl_remove,
	&verb_chap_list,
	&verb_chap_set,
	&verb_chap_remove,
	&verb_discovery,
	&verb_local_list,
	&verb_local_add,
	&verb_local_set,
	&verb_local_remove,
	&verb_unit_list,
	&verb_unit_show,
	&verb_unit_set,
	&verb_unit_remove,
	&verb_sessions_list,
	&verb_sessions_show,
	&verb_sessions_close,
	&verb_reload,
	&verb_hba_list,
	&verb_hba_bind,
	&verb_hba_unbind,
	&verb_soft_target,
	&verb_soft_lun,
	&verb_soft_expander,
	&verb_soft_phy,
	&verb_soft_resize,
	&verb_soft_rescan,
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
