#include "lu/policy.h"

#include <errno.h>
#include <string.h>

#include "lu/lu_impl.h"

static const char *const names[LU_POLICY_N] = {
	[LU_POLICY_RESERVATIONS] = "reservations",
	[LU_POLICY_ALUA] = "alua",
	[LU_POLICY_INQUIRY] = "inquiry",
	[LU_POLICY_OPCODES] = "opcodes",
	[LU_POLICY_COPY] = "copy",
	[LU_POLICY_PREVENT] = "prevent",
};

const char *
lu_policy_name(enum lu_policy policy)
{
	return names[policy];
}

int
lu_policy_parse(const char *name, enum lu_policy *ret)
{
	for (unsigned int i = 0; i < LU_POLICY_N; i++) {
		if (strcmp(names[i], name) == 0) {
			*ret = (enum lu_policy)i;
			return 0;
		}
	}
	return -ENOENT;
}

/* service actions of MAINTENANCE IN and OUT differ */
static enum lu_policy
policy_of_maintenance(enum op_id id)
{
	if (id == OP_REPORT_TARGET_PORT_GROUPS || id == OP_SET_TARGET_PORT_GROUPS)
		return LU_POLICY_ALUA;
	if (id == OP_REPORT_SUPPORTED_OPCODES || id == OP_REPORT_SUPPORTED_TMFS)
		return LU_POLICY_OPCODES;
	return LU_POLICY_N;
}

enum lu_policy
lu_policy_of(const struct op_info *op)
{
	switch (op->opcode) {
	case 0x16:	/* RESERVE(6) */
	case 0x17:
	case 0x56:
	case 0x57:	/* RELEASE(10) */
	case 0x5e:
	case 0x5f:	/* PERSISTENT RESERVE OUT */
		return LU_POLICY_RESERVATIONS;
	case 0x12:	/* INQUIRY */
		return LU_POLICY_INQUIRY;
	case 0x1e:	/* PREVENT ALLOW MEDIUM REMOVAL */
		return LU_POLICY_PREVENT;
	case 0x83:	/* THIRD-PARTY COPY OUT */
	case 0x84:
		return LU_POLICY_COPY;
	default:
		return policy_of_maintenance(op->id);
	}
}

bool
lu_policy_is_passed(const struct lu *lu, enum lu_policy policy)
{
	return policy < LU_POLICY_N && (lu->policy >> policy & 1) != 0;
}

void
lu_policy_set(struct lu *lu, enum lu_policy policy, bool is_passed)
{
	if (is_passed)
		lu->policy |= 1u << policy;
	else
		lu->policy &= ~(1u << policy);
}
