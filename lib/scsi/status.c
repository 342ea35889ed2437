#include "scsi/status.h"

#include <stddef.h>

const char *
sstat_name(uint8_t status)
{
	switch (status) {
	case SAM_STAT_GOOD:
		return "GOOD";
	case SAM_STAT_CHECK_CONDITION:
		return "CHECK CONDITION";
	case SAM_STAT_CONDITION_MET:
		return "CONDITION MET";
	case SAM_STAT_BUSY:
		return "BUSY";
	case SAM_STAT_RESERVATION_CONFLICT:
		return "RESERVATION CONFLICT";
	case SAM_STAT_TASK_SET_FULL:
		return "TASK SET FULL";
	case SAM_STAT_ACA_ACTIVE:
		return "ACA ACTIVE";
	case SAM_STAT_TASK_ABORTED:
		return "TASK ABORTED";
	default:
		return NULL;
	}
}

const char *
sattr_name(unsigned attr)
{
	static const char *const names[SAM_ATTR_N] = {
		[SAM_ATTR_SIMPLE] = "SIMPLE",
		[SAM_ATTR_ORDERED] = "ORDERED",
		[SAM_ATTR_HEAD_OF_QUEUE] = "HEAD OF QUEUE",
		[SAM_ATTR_ACA] = "ACA",
	};

	return attr < SAM_ATTR_N ? names[attr] : NULL;
}
