/*
 * scsactl/file.h - files that data comes from and goes to; "-" is a standard stream
 */
#ifndef SCSACTL_FILE_H
#define SCSACTL_FILE_H

#include <sys/types.h>

#include "client/scsactl/ctl.h"

/* file_open() - with flags of open(2); the descriptor is closed by file_close() */
enum ctl_exit file_open(struct ctl *ctl, const char *path, int flags, int *ret_fd);

/* file_close() - all but the standard streams; for CLEANUP() */
void file_close(int *fd);

/* file_read() - @len bytes, fewer only at the end; bytes read, or negative errno */
ssize_t file_read(int fd, void *buf, size_t len);

/* file_write() - all of @len bytes; 0 or negative errno */
int file_write(int fd, const void *buf, size_t len);

#endif /* SCSACTL_FILE_H */
