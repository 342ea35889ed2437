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
	mutex_enter(&unit->ask_lock);
	*ret_result = scsi_ifsetcap(&unit->sd->sd_address, cap_name(name, buf), value,
	    is_hba_wide ? 0 : 1);
	mutex_exit(&unit->ask_lock);
	lu_exit(unit);
	return 0;
}

/* ask_lock is held; false: it has no value to set again */
static bool
cap_ask(struct lu *lu, char *name, uint32_t bit)
{
	int value = scsi_ifgetcap(&lu->sd->sd_address, name, 1);

	if (value == -1)
		return false;
	if (scsi_ifsetcap(&lu->sd->sd_address, name, value, 1) == 1)
		lu->caps_settable |= bit;
	lu->caps_asked |= bit;
	return true;
}

int
lu_cap_can_set(struct lu *unit, const char *name, bool *ret_can)
{
	char buf[CAP_NAME_LEN];
	int id = scsi_hba_lookup_capstr(cap_name(name, buf));
	bool is_known;
	uint32_t bit;

	if (id < 0 || id >= SCSI_CAP_N || id == SCSI_CAP_SECTOR_SIZE)
		return -ENOENT;
	if (lu_enter(unit) < 0)
		return -ENODEV;
	bit = 1u << id;
	mutex_enter(&unit->ask_lock);
	is_known = (unit->caps_asked & bit) != 0 || cap_ask(unit, buf, bit);
	if (is_known)
		*ret_can = (unit->caps_settable & bit) != 0;
	mutex_exit(&unit->ask_lock);
	lu_exit(unit);
	return is_known ? 0 : -ENOENT;
}

int
lu_probe(struct lu *unit, int *ret_result, uint8_t inquiry[48], size_t *ret_len)
{
	if (lu_enter(unit) < 0)
		return -ENODEV;
	/* sd_inq is replaced in place: one prober at a time */
	mutex_enter(&unit->ask_lock);
	*ret_result = scsi_probe(unit->sd, SLEEP_FUNC);
	*ret_len = 0;
	if (*ret_result == SCSIPROBE_EXISTS && unit->sd->sd_inq != NULL) {
		*ret_len = SUN_INQSIZE;
		memcpy(inquiry, unit->sd->sd_inq, SUN_INQSIZE);
	}
	mutex_exit(&unit->ask_lock);
	lu_exit(unit);
	return 0;
}
