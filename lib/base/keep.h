/*
 * base/keep.h - small state files that a crash cannot spoil
 *
 * What      A name in a folder holds a few bytes of state. keep_write() replaces them as a
 *           whole: a reader, and the next start after a power failure, finds the old bytes or
 *           the new ones, never a mixture. keep_read() believes a file only if its header,
 *           length and checksums fit.
 * Shape     24 bytes of header, little-endian: magic "SCSADKEP", u32 version, u32 length of the
 *           data, u32 CRC-32C of the data, u32 CRC-32C of the 20 bytes before; then the data,
 *           and nothing behind them. A half-written successor is called "<name>.new"; it is
 *           never read, and the next write replaces it.
 * Owner     The folder's descriptor is borrowed; it was opened for reading (O_DIRECTORY, not
 *           O_PATH). Nobody else writes into the folder.
 * Thread    Any, blocks (fsync). Calls for one name in one folder must not overlap; other names
 *           do not matter.
 * Limits    KEEP_LEN_MAX bytes of data; names of 1..KEEP_NAME_MAX characters that do not begin
 *           with '.', have no '/', and do not end in ".new".
 */
#ifndef BASE_KEEP_H
#define BASE_KEEP_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

#define KEEP_LEN_MAX	(1u << 20)
#define KEEP_NAME_MAX	200
#define KEEP_HEADER_LEN	24
#define KEEP_VERSION	1

/**
 * keep_write() - make @data what @name holds
 *
 * Returns:  0           it is on stable storage: data, name and folder were flushed
 *           -EINVAL     a name that cannot be
 *           -EMSGSIZE   @len above KEEP_LEN_MAX
 *           -EUCLEAN    the new data stand there now, but the folder could not be flushed:
 *                       after a power failure it may be either
 *           -errno      of openat(2), write(2), fsync(2), renameat(2); -ENOSPC, -EDQUOT and
 *                       -EFBIG are a full disk. What @name held before, it still holds
 */
int keep_write(int dirfd, const char *name, const void *data, size_t len) MUST_CHECK;

/**
 * keep_read() - what @name holds
 *
 * @buf      @size bytes; undefined after an error
 * @ret_len  bytes of it
 *
 * Returns:  0
 *           -EINVAL     a name that cannot be
 *           -ENOENT     nothing was ever kept
 *           -EBADMSG    not a file that keep_write() finished: foreign, cut, longer, or changed
 *           -EPROTO     written by a later version of this format
 *           -EMSGSIZE   sound so far, but more than @size bytes
 *           -errno      of openat(2), fstat(2), read(2); -ELOOP is a symbolic link
 */
int keep_read(int dirfd, const char *name, void *buf, size_t size, size_t *ret_len) MUST_CHECK;

/**
 * keep_remove() - @name holds nothing from now on
 *
 * Returns:  0           it is gone, also if it was not there; the folder was flushed
 *           -EINVAL     a name that cannot be
 *           -EUCLEAN    it is gone, but the folder could not be flushed
 *           -errno      of unlinkat(2)
 */
int keep_remove(int dirfd, const char *name) MUST_CHECK;

/**
 * keep_name() - any bytes as a name
 *
 * Letters, digits, '-' and '_' stay; every other byte becomes %XX, so different bytes give
 * different names.
 *
 * @prefix   what the name begins with: says whose it is ("pr-"); taken as it is
 * @src      @len bytes, at least 1
 * @dst      KEEP_NAME_MAX + 1 bytes
 *
 * Returns:  0
 *           -ENAMETOOLONG   it does not fit, or @len is 0; @dst is undefined
 */
int keep_name(const char *prefix, const void *src, size_t len,
    char dst[KEEP_NAME_MAX + 1]) MUST_CHECK;

/* keep_crc() - CRC-32C (Castagnoli) of @len bytes, as iSCSI and SCTP use it; for continuation
 * give what came before as @crc, 0 to begin */
uint32_t keep_crc(uint32_t crc, const void *data, size_t len);

#endif /* BASE_KEEP_H */
