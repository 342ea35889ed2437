/*
 * iscsi/discovery.h - answers to SendTargets
 *
 * What      Judges the value of SendTargets and writes the records: TargetName, then one
 *           TargetAddress a portal.
 * Owner     Nothing is kept.
 * Thread    Any; no state.
 * Limits    The answer is bounded by the text_out it is written into.
 * Source    RFC 7143 appendix C.
 */
#ifndef ISCSI_DISCOVERY_H
#define ISCSI_DISCOVERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "iscsi/name.h"
#include "iscsi/text.h"

/* what an initiator asked for */
enum iscsi_send_targets {
	ISCSI_SEND_ALL,		/* every target that it may see */
	ISCSI_SEND_ONE,		/* the target named; nothing if it may not see it */
	ISCSI_SEND_OWN,		/* the target of its session */
};

/**
 * iscsi_send_targets_parse() - judge the value of SendTargets
 *
 * @value         from iscsi_keys_text()
 * @is_discovery  session type. In a normal session "All" means the session's own target, as an
 *                empty value does: RFC 7143 forbids to answer All there, the conformance suite
 *                wants an answer, and what the session knows anyway can be said
 * @ret_name      for ISCSI_SEND_ONE the name in its normal form
 *
 * Returns:  0
 *           -EINVAL   no name of a target, or an empty value in a discovery session: Reject
 *                     with ISCSI_REJECT_PROTOCOL
 */
int iscsi_send_targets_parse(struct iscsi_text value, bool is_discovery,
	enum iscsi_send_targets *ret, char ret_name[ISCSI_NAME_LEN]) MUST_CHECK;

/* iscsi_send_targets_name(), _portal() - one target, then each of its portals; failures stay in
 * out->error. @address->tag must not be 0 */
void iscsi_send_targets_name(struct iscsi_text_out *out, const char *name);
void iscsi_send_targets_portal(struct iscsi_text_out *out, const struct iscsi_address *address);

#endif /* ISCSI_DISCOVERY_H */
