/* sys/file.h - the host's, and the mode bits of a driver's ioctl(9E) */
#ifndef SYS_DDI_FILE_H
#define SYS_DDI_FILE_H

#include_next <sys/file.h>

#define FREAD		0x01
#define FWRITE		0x02
#define FEXCL		0x0400
#define FKIOCTL		0x80000000u	/* the argument is in the caller's own memory */

#endif /* SYS_DDI_FILE_H */
