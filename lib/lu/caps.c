#include "lu/lu_impl.h"

#include <errno.h>
#include <string.h>

#define CAP_NAME_LEN	64

/* the framework's prototypes take names that they do not change as char * */
static char *
cap_name(const char *name, char buf[CAP_NAME_LEN])
{
	size_t len = strnlen(name, CAP_NAME_LEN - 1);

	memcpy(buf, name, len);
	buf[len] = '\0';
	return buf;
}

int
lu_getcap(struct lu *unit, const char *name, bool is_hba_wide, int *ret_value)
{
	char buf[CAP_NAME_LEN];

	if (lu_enter(unit) < 0)
		return -ENODEV;
	*ret_value = scsi_ifgetcap(&unit->sd->sd_address, cap_name(name, buf),
	    is_hba_wide ? 0 : 1);
	lu_exit(unit);
	return 0;
}

int
lu_setcap(struct lu *unit, const char *name, bool is_hba_wide, int value, int *ret_result)
{
	char buf[CAP_NAME_LEN];

	if (lu_enter(unit) < 0)
		return -ENODEV;
	*ret_result =
	    scsi_ifsetcap(&unit->sd->sd_address, cap_name(name, buf), value,
	    is_hba_wide ? 0 : 1);
	lu_exit(unit);
	return 0;
}

int
lu_probe(struct lu *unit, int *ret_result, uint8_t inquiry[48], size_t *ret_len)
{
	if (lu_enter(unit) < 0)
		return -ENODEV;
	/* sd_inq is replaced in place: one prober at a time */
	mutex_enter(&unit->probe_lock);
	*ret_result = scsi_probe(unit->sd, SLEEP_FUNC);
	*ret_len = 0;
	if (*ret_result == SCSIPROBE_EXISTS && unit->sd->sd_inq != NULL) {
		*ret_len = SUN_INQSIZE;
		memcpy(inquiry, unit->sd->sd_inq, SUN_INQSIZE);
	}
	mutex_exit(&unit->probe_lock);
	lu_exit(unit);
	return 0;
}
