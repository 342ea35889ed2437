#include <scsi/sg_lib.h>

#include "client/scsactl/asctext.h"

char *
asc_text(uint16_t asc, char *buf, size_t size)
{
	return sg_get_asc_ascq_str(asc >> 8, asc & 0xff, (int)size, buf);
}
