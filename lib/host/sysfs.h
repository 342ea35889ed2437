/*
 * host/sysfs.h - one value a file, as the kernel tells it below /sys and /proc
 *
 * What      Small files that are read and written whole, links whose last part is a name.
 * Root      Every function takes a folder and a path below it, so that tests can use a tree of
 *           their own.
 * Thread    Any; no state.
 */
#ifndef HOST_SYSFS_H
#define HOST_SYSFS_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

/**
 * sysfs_read() - what is in a file, without the line end
 *
 * @path     printf format
 * @buf      @size bytes; always a string, what does not fit is cut
 *
 * Returns:  0, or -errno; @buf is "" then
 */
int sysfs_read(char *buf, size_t size, const char *path, ...) PRINTF_LIKE(3, 4) MUST_CHECK;

/* sysfs_number() - a number, with or without 0x; 0, -errno, or -EINVAL */
int sysfs_number(uint64_t *ret, const char *path, ...) PRINTF_LIKE(2, 3) MUST_CHECK;

/* sysfs_link() - the last part of where a link points; 0, or -errno and @buf is "" */
int sysfs_link(char *buf, size_t size, const char *path, ...) PRINTF_LIKE(3, 4) MUST_CHECK;

/**
 * sysfs_write() - @text into a file that is there
 *
 * Returns:  0, or -errno: what the kernel says to the value
 */
int sysfs_write(const char *text, const char *path, ...) PRINTF_LIKE(2, 3) MUST_CHECK;

/**
 * sysfs_each() - call @fn for the names in a folder, in order, without "." and ".."
 *
 * @fn       negative: the walk ends
 *
 * Returns:  0, what @fn answered when negative, -errno of reading the folder, -ENOMEM
 */
int
sysfs_each(const char *folder, int (*fn)(const char *name, void *arg), void *arg) MUST_CHECK;

#endif /* HOST_SYSFS_H */
