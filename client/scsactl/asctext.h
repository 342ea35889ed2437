/*
 * scsactl/asctext.h - words for any additional sense code of the T10 list
 *
 * What      A file of its own: the header of sg3_utils' library and scsi/status.h name the same
 *           status values, one as macros.
 */
#ifndef SCSACTL_ASCTEXT_H
#define SCSACTL_ASCTEXT_H

#include <stddef.h>
#include <stdint.h>

/* asc_text() - words into @size bytes at @buf, which is returned */
char *asc_text(uint16_t asc, char *buf, size_t size);

#endif /* SCSACTL_ASCTEXT_H */
