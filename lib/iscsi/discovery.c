/* discovery.c - SendTargets: its value, its records */
#include <assert.h>
#include <errno.h>

#include "iscsi/discovery.h"

int
iscsi_send_targets_parse(struct iscsi_text value, bool is_discovery,
	enum iscsi_send_targets *ret, char ret_name[ISCSI_NAME_LEN])
{
	if (value.len == 0 && is_discovery)
		return -EINVAL;
	if (value.len == 0 || iscsi_text_is(value, "All")) {
		*ret = is_discovery ? ISCSI_SEND_ALL : ISCSI_SEND_OWN;
		return 0;
	}
	if (iscsi_name_fold(value.at, value.len, ret_name) < 0)
		return -EINVAL;
	*ret = ISCSI_SEND_ONE;
	return 0;
}

void
iscsi_send_targets_name(struct iscsi_text_out *out, const char *name)
{
	iscsi_text_add(out, "TargetName", name);
}

void
iscsi_send_targets_portal(struct iscsi_text_out *out, const struct iscsi_address *address)
{
	char text[ISCSI_ADDRESS_LEN];

	assert(address->tag != 0);
	iscsi_text_add(out, "TargetAddress", iscsi_address_format(address, text));
}
