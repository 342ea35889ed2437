/*
 * lu/policy.h - what a unit answers itself, and what it leaves to its device
 *
 * What      By default everything that SAM and SPC define for each I_T nexus is answered here,
 *           because to the device all of us is one initiator. A unit whose device is shared
 *           with others, who talk to it directly, may be told to leave some of it to the
 *           device; then all nexuses of ours are one there.
 * Source    SAM-5 4.8 (what is per I_T nexus)
 */
#ifndef LU_POLICY_H
#define LU_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "scsi/opcode.h"

struct lu;

enum lu_policy {
	LU_POLICY_RESERVATIONS,	/* RESERVE, RELEASE, PERSISTENT RESERVE IN and OUT */
	LU_POLICY_ALUA,		/* REPORT and SET TARGET PORT GROUPS, access states */
	LU_POLICY_INQUIRY,	/* what INQUIRY says of ports, access states and identity */
	LU_POLICY_OPCODES,	/* REPORT SUPPORTED OPERATION CODES, REPORT SUPPORTED TMFS */
	LU_POLICY_COPY,		/* EXTENDED COPY, tokens, and RECEIVE COPY RESULTS */
	LU_POLICY_PREVENT,	/* PREVENT ALLOW MEDIUM REMOVAL: counted for each nexus */
	LU_POLICY_N
};

/* lu_policy_name() - "reservations", "alua" ...: the words of the configuration */
const char *lu_policy_name(enum lu_policy policy);

/* lu_policy_parse() - the policy of that name; 0 or -ENOENT */
int lu_policy_parse(const char *name, enum lu_policy *ret) MUST_CHECK;

/* lu_policy_of() - which policy decides over a command; LU_POLICY_N: none, a handler that is
 * there answers */
enum lu_policy lu_policy_of(const struct op_info *op);

/* lu_policy_is_passed() - is it left to the device? Home, or while the unit attaches */
bool lu_policy_is_passed(const struct lu *lu, enum lu_policy policy);

/* lu_policy_set() - leave it to the device, or not; home. Reservations that are held do not
 * move over: change it while there are none */
void lu_policy_set(struct lu *lu, enum lu_policy policy, bool is_passed);

#endif /* LU_POLICY_H */
