/*
 * scsactl/verbs.h - the rows of the verb table, each defined in the file of its verb
 */
#ifndef SCSACTL_VERBS_H
#define SCSACTL_VERBS_H

#include "client/scsactl/ctl.h"

extern const struct verb verb_abort;
extern const struct verb verb_acl_add;
extern const struct verb verb_acl_list;
extern const struct verb verb_acl_remove;
extern const struct verb verb_acl_set;
extern const struct verb verb_cdb;
extern const struct verb verb_chap_list;
extern const struct verb verb_chap_remove;
extern const struct verb verb_chap_set;
extern const struct verb verb_completion;
extern const struct verb verb_discovery;
extern const struct verb verb_export_add;
extern const struct verb verb_export_list;
extern const struct verb verb_export_remove;
extern const struct verb verb_export_set;
extern const struct verb verb_fault;
extern const struct verb verb_getcap;
extern const struct verb verb_hba_bind;
extern const struct verb verb_hba_list;
extern const struct verb verb_hba_unbind;
extern const struct verb verb_help;
extern const struct verb verb_inquiry;
extern const struct verb verb_list;
extern const struct verb verb_local_add;
extern const struct verb verb_local_list;
extern const struct verb verb_local_remove;
extern const struct verb verb_local_set;
extern const struct verb verb_luns;
extern const struct verb verb_portal_add;
extern const struct verb verb_portal_list;
extern const struct verb verb_portal_remove;
extern const struct verb verb_portal_state;
extern const struct verb verb_probe;
extern const struct verb verb_read;
extern const struct verb verb_readcap;
extern const struct verb verb_reload;
extern const struct verb verb_reserve_status;
extern const struct verb verb_reset;
extern const struct verb verb_sessions_close;
extern const struct verb verb_sessions_list;
extern const struct verb verb_sessions_show;
extern const struct verb verb_setcap;
extern const struct verb verb_show;
extern const struct verb verb_smp;
extern const struct verb verb_soft_expander;
extern const struct verb verb_soft_lun;
extern const struct verb verb_soft_phy;
extern const struct verb verb_soft_rescan;
extern const struct verb verb_soft_resize;
extern const struct verb verb_soft_target;
extern const struct verb verb_status;
extern const struct verb verb_target_add;
extern const struct verb verb_target_list;
extern const struct verb verb_target_remove;
extern const struct verb verb_target_set;
extern const struct verb verb_target_show;
extern const struct verb verb_unit_list;
extern const struct verb verb_unit_remove;
extern const struct verb verb_unit_set;
extern const struct verb verb_unit_show;
extern const struct verb verb_verify;
extern const struct verb verb_version;
extern const struct verb verb_vpd;
extern const struct verb verb_watch;
extern const struct verb verb_write;

#endif /* SCSACTL_VERBS_H */
