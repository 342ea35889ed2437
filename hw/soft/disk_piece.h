/*
 * soft/disk_piece.h - commands that are done some blocks at a time
 *
 * What      Everything but plain READ and WRITE of a disk without protection information:
 *           blocks go through memory of the command (cmd->chunk), so that they can be compared,
 *           combined, repeated, or get and lose their protection information.
 * Flow      piece_open() -> piece_read() or piece_write() -> its then() -> ... In between,
 *           piece_take() fills the piece from the data phase and piece_give() empties it there.
 *           All of them return what a handler returns.
 * Wire      A block in the data phase has unit bytes: the block, and its tuple if PROTECT asked
 *           for it.
 * Thread    That of the command.
 */
#ifndef SOFT_DISK_PIECE_H
#define SOFT_DISK_PIECE_H

#include "hw/soft/disk_impl.h"
#include "hw/soft/disk_pi.h"

typedef int piece_fn(struct disk_cmd *cmd);

/* piece_unit() - bytes of a block in the data phase */
static inline uint64_t
piece_unit(const struct disk_cmd *cmd)
{
	return cmd->disk->block_bytes + (cmd->piece.is_sent ? PI_BYTES : 0);
}

struct pi_rules piece_rules(const struct disk *disk);

/**
 * piece_open() - memory for pieces of a command
 *
 * @lba, @blocks  of the whole command; a piece has DISK_CHUNK_MAX bytes at most
 *
 * Returns:  false: no memory now
 */
bool piece_open(struct disk_cmd *cmd, uint64_t lba, uint64_t blocks) MUST_CHECK;

/* piece_begin() - start again at the first block of the command: piece_open() has done it once.
 * piece_next() - the next piece; false: there is none */
void piece_begin(struct disk_cmd *cmd, uint64_t lba, uint64_t blocks);
bool piece_next(struct disk_cmd *cmd);

/* piece_read() - fill the piece from the medium, check its protection information, @then */
int piece_read(struct disk_cmd *cmd, piece_fn *then) MUST_CHECK;

/* piece_write() - the piece to the medium, then call @then */
int piece_write(struct disk_cmd *cmd, piece_fn *then) MUST_CHECK;

/* piece_reread() - piece_read() of what the medium has, not the cache: it was written stable */
int piece_reread(struct disk_cmd *cmd, piece_fn *then) MUST_CHECK;

/**
 * piece_take() - the piece from the data phase, whose byte @from begins it
 *
 * Protection information that was not sent is made; what was sent is checked.
 *
 * Returns:  DISK_IO: go on; DISK_DONE: it was wrong, the command is finished
 */
int piece_take(struct disk_cmd *cmd, uint64_t from) MUST_CHECK;

/* piece_give() - the piece into the data phase from byte @from on; what has room, that much of
 * moved */
void piece_give(struct disk_cmd *cmd, uint64_t from);

/**
 * piece_differs() - is the data phase from byte @from on what the piece holds?
 *
 * @n        units that are compared with the first @n blocks
 * @ret_at   byte of the data phase, counted from @from, that is the first that differs
 */
bool piece_differs(const struct disk_cmd *cmd, uint64_t from, uint64_t n, uint64_t *ret_at);

#endif /* SOFT_DISK_PIECE_H */
