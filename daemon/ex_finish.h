/*
 * daemon/ex_finish.h - the meaning of the words of one object
 *
 * What      After the words of an object have been set: is each good by itself, and what does
 *           it say in bytes and numbers? What other objects say is not looked at (ex_check()).
 *           A finish function answers 0, -EINVAL, -errno of a file (all with the fault set), or
 *           -ENOMEM; what it has made so far goes with the object.
 */
#ifndef DAEMON_EX_FINISH_H
#define DAEMON_EX_FINISH_H

#include "daemon/ex_impl.h"

#define EX_RTPI_MAX		0xfffe	/* LU_PORT_LOCAL_RTPI is the local socket's */
#define EX_KNOWN_PORTS_MAX	4096	/* identifiers kept for targets that may come back */
#define EX_WORD_MAX		64	/* name of an access list or an account */

int ex_portal_finish(struct ex_object *o, struct ex_fault *f);
int ex_group_finish(struct ex_object *o, struct ex_fault *f);
int ex_chap_finish(struct ex_object *o, struct ex_fault *f);
int ex_acl_finish(struct ex_object *o, struct ex_fault *f);
int ex_target_finish(struct ex_object *o, struct ex_fault *f);
int ex_export_finish(struct ex_object *o, struct ex_fault *f);
int ex_discovery_finish(struct ex_object *o, struct ex_fault *f);
int ex_local_finish(struct ex_object *o, struct ex_fault *f);
int ex_unit_finish(struct ex_object *o, struct ex_fault *f);
int ex_port_finish(struct ex_object *o, struct ex_fault *f);

void ex_chap_fini(struct ex_object *o);
void ex_acl_fini(struct ex_object *o);
bool ex_chap_secrets_same(const struct ex_object *a, const struct ex_object *b);

#endif /* DAEMON_EX_FINISH_H */
