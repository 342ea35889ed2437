/*
 * scsactl/xfer.h - many blocks between a unit and a file
 *
 * What      Keeps up to depth packets in flight; the file side is in order, as it may be a
 *           pipe. After the first failure nothing new is sent, what is in flight is awaited,
 *           and the failure at the lowest block is told.
 * Life      A slot is free, filled (data read), in flight, done, free again; slots are used
 *           round robin, so that the oldest is always the next to be finished.
 * Limits    chunk bytes a packet: at most the daemon's and the unit's largest transfer.
 */
#ifndef SCSACTL_XFER_H
#define SCSACTL_XFER_H

#include "client/scsactl/ctl.h"
#include "scsi/cdb.h"

enum xfer_kind { XFER_READ, XFER_WRITE, XFER_VERIFY };

struct xfer_slot {
	struct xfer *xfer;
	uint8_t *data;
	uint8_t cdb[CDB_BUF_LEN];
	size_t cdb_len;
	size_t len;		/* bytes of data, also for VERIFY without data */
	uint64_t lba;
	bool is_active;		/* filled or in flight */
	bool is_done;
	struct scsac_result result;
};

struct xfer {
	struct ctl *ctl;
	enum xfer_kind kind;
	uint64_t handle;
	int fd;			/* the file; -1 for VERIFY without data */
	const char *path;	/* for words; "-" a standard stream */
	uint32_t block_bytes;
	uint64_t lba;		/* next to be sent */
	uint64_t blocks;	/* left to be sent */
	bool is_open_ended;	/* the input says how much, blocks is the most */
	bool want_fua;
	uint32_t chunk_blocks;
	unsigned depth;
	struct xfer_slot *slots;
	void *shared, *plain;		/* one of them is */
	uint8_t *buffers;
	unsigned head;		/* oldest active slot */
	unsigned active;
	bool has_ended;		/* end of input, or a failure: nothing new is sent */
	enum ctl_exit status;
	uint64_t bytes_done;
	uint64_t bytes_all;	/* 0 when the input says how much */
	uint64_t shown_us;	/* when progress was shown last */
	uint64_t begin_us;
};

/* xfer_run() - from start to end; everything is told, the summary included */
enum ctl_exit xfer_run(struct xfer *x);

#endif /* SCSACTL_XFER_H */
