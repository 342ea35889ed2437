#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "base/num.h"
#include "client/scsactl/file.h"
#include "client/scsactl/scsi.h"
#include "client/scsactl/verbs.h"
#include "client/scsactl/xfer.h"

#define DEPTH_DEFAULT	32u
#define DEPTH_MAX	256u
#define CHUNK_DEFAULT	(256u << 10)

/* the same places in all three verbs */
enum { IO_FILE, IO_DEPTH, IO_CHUNK, IO_FUA, IO_NO_SYNC };

#define OPT_DEPTH { "depth", 'd', "N", "packets in flight, 32 if not given" }
#define OPT_CHUNK { "chunk", 'c', "SIZE", "bytes a packet, 256K if not given" }

static const struct verb_opt read_opts[] = {
	[IO_FILE]  = { "out", 'o', "FILE", "where to, - for standard output (required)" },
	[IO_DEPTH] = OPT_DEPTH,
	[IO_CHUNK] = OPT_CHUNK,
	[IO_FUA]   = { "fua", 'f', NULL, "from the medium, not a cache" },
	{ NULL, 0, NULL, NULL },
};

static const struct verb_opt write_opts[] = {
	[IO_FILE]    = { "in", 'i', "FILE", "where from, - for standard input (required)" },
	[IO_DEPTH]   = OPT_DEPTH,
	[IO_CHUNK]   = OPT_CHUNK,
	[IO_FUA]     = { "fua", 'f', NULL, "each packet onto the medium" },
	[IO_NO_SYNC] = { "no-sync", 0, NULL, "no SYNCHRONIZE CACHE at the end" },
	{ NULL, 0, NULL, NULL },
};

static const struct verb_opt verify_opts[] = {
	[IO_FILE]  = { "in", 'i', "FILE", "compare with it; without: the unit checks itself" },
	[IO_DEPTH] = OPT_DEPTH,
	[IO_CHUNK] = OPT_CHUNK,
	{ NULL, 0, NULL, NULL },
};

/* Which blocks: words 2 and 3, else all there are behind word 2. */
static enum ctl_exit
range_read(struct xfer *x, const struct args *args, uint64_t capacity)
{
	if (args->n > 1 && num_parse_u64(args->v[1], UINT64_MAX, &x->lba) < 0)
		return ctl_syntax(x->ctl, "'%s' is no block", args->v[1]);
	if (x->lba > capacity)
		return ctl_fail(x->ctl, CTL_LBA_RANGE, "block %" PRIu64
		    " is behind the end: the unit has %" PRIu64, x->lba, capacity);
	x->blocks = capacity - x->lba;
	x->is_open_ended = args->n < 3;
	if (args->n < 3)
		return CTL_OK;
	if (num_parse_u64(args->v[2], UINT64_MAX, &x->blocks) < 0 || x->blocks == 0)
		return ctl_syntax(x->ctl, "'%s' is no number of blocks", args->v[2]);
	if (x->blocks > capacity - x->lba)
		return ctl_fail(x->ctl, CTL_LBA_RANGE, "%" PRIu64 " blocks from %" PRIu64
		    " reach behind the end: the unit has %" PRIu64, x->blocks, x->lba,
		    capacity);
	return CTL_OK;
}

static enum ctl_exit
sizes_read(struct xfer *x, const struct args *args)
{
	const struct scsac_info *info = scsac_info(x->ctl->conn);
	const struct scsac_unit *unit = ctl_unit(x->ctl);
	uint64_t max = info->data_max;
	uint64_t depth = num_min(DEPTH_DEFAULT, info->packets_max);
	uint64_t chunk;

	if (unit->transfer_max > 0)
		max = num_min(max, unit->transfer_max);
	chunk = num_min(CHUNK_DEFAULT, max);
	if (args->opt[IO_DEPTH] != NULL && (depth = 0, num_parse_u64(args->opt[IO_DEPTH],
	    num_min(DEPTH_MAX, info->packets_max), &depth) < 0 || depth == 0))
		return ctl_syntax(x->ctl, "--depth takes 1 to %" PRIu64,
		    num_min(DEPTH_MAX, info->packets_max));
	if (args->opt[IO_CHUNK] != NULL &&
	    num_parse_bytes(args->opt[IO_CHUNK], max, &chunk) < 0)
		return ctl_syntax(x->ctl, "--chunk takes up to %" PRIu64 " bytes here", max);
	x->depth = (unsigned)depth;
	x->chunk_blocks = (uint32_t)(chunk / x->block_bytes);
	if (x->chunk_blocks == 0)
		return ctl_syntax(x->ctl, "--chunk is less than a block of %" PRIu32 " bytes",
		    x->block_bytes);
	return CTL_OK;
}

/* An input longer than the room for it is refused before anything is written. */
static enum ctl_exit
input_check(struct xfer *x)
{
	struct stat st;
	uint64_t room;

	if (x->fd < 0 || !x->is_open_ended || fstat(x->fd, &st) < 0 || !S_ISREG(st.st_mode))
		return CTL_OK;
	if (num_mul(x->blocks, x->block_bytes, &room) && (uint64_t)st.st_size > room)
		return ctl_fail(x->ctl, CTL_LBA_RANGE, "%s: has %lld bytes, there is room for %"
		    PRIu64, x->path, (long long)st.st_size, room);
	x->bytes_all = (uint64_t)st.st_size;
	return CTL_OK;
}

static enum ctl_exit
unit_ready(struct xfer *x, const char *name, struct capacity *cap)
{
	enum ctl_exit status = ctl_open(x->ctl, name, &x->handle);

	/* asked, not taken from the list: that takes unit attentions out of the way */
	if (status == CTL_OK)
		status = capacity_get(x->ctl, x->handle, cap);
	if (status != CTL_OK)
		return status;
	if (cap->block_bytes == 0 || cap->block_bytes > scsac_info(x->ctl->conn)->data_max)
		return ctl_fail(x->ctl, CTL_MALFORMED, "the unit has blocks of %" PRIu32
		    " bytes", cap->block_bytes);
	x->block_bytes = cap->block_bytes;
	return CTL_OK;
}

static enum ctl_exit
io_run(struct xfer *x, const struct args *args, int flags)
{
	CLEANUP(file_close) int fd = -1;
	struct capacity cap;
	enum ctl_exit status = unit_ready(x, args->v[0], &cap);

	if (status == CTL_OK)
		status = range_read(x, args, cap.blocks);
	if (status == CTL_OK)
		status = sizes_read(x, args);
	if (status == CTL_OK && args->opt[IO_FILE] != NULL)
		status = file_open(x->ctl, args->opt[IO_FILE], flags, &fd);
	if (status != CTL_OK)
		return status;
	x->path = args->opt[IO_FILE];
	x->fd = fd;
	if (fd < 0 || x->kind == XFER_READ || !x->is_open_ended)
		(void)num_mul(x->blocks, x->block_bytes, &x->bytes_all);
	if (x->kind != XFER_READ)
		status = input_check(x);
	if (status == CTL_OK)
		status = xfer_run(x);
	return status;
}

static enum ctl_exit
read_run(struct ctl *ctl, const struct args *args)
{
	struct xfer x = { .ctl = ctl, .kind = XFER_READ, .fd = -1 };

	if (args->opt[IO_FILE] == NULL)
		return ctl_syntax(ctl, "say where to: --out FILE, or --out -");
	if (ctl->is_json && strcmp(args->opt[IO_FILE], "-") == 0)
		return ctl_syntax(ctl, "data and --json cannot share standard output");
	x.want_fua = args->opt[IO_FUA] != NULL;
	return io_run(&x, args, O_WRONLY | O_CREAT | O_TRUNC);
}

static enum ctl_exit
write_run(struct ctl *ctl, const struct args *args)
{
	struct xfer x = { .ctl = ctl, .kind = XFER_WRITE, .fd = -1 };
	uint8_t cdb[CDB_BUF_LEN];
	struct scsi_io sync = { .cdb = cdb };
	enum ctl_exit status;

	if (args->opt[IO_FILE] == NULL)
		return ctl_syntax(ctl, "say where from: --in FILE, or --in -");
	x.want_fua = args->opt[IO_FUA] != NULL;
	status = io_run(&x, args, O_RDONLY);
	if (status != CTL_OK || args->opt[IO_NO_SYNC] != NULL || x.bytes_done == 0)
		return status;
	sync.handle = x.handle;
	sync.cdb_len = cdb_sync_cache(cdb, CDB_AUTO, 0, 0, 0);
	return ctl_scsi(ctl, &sync);
}

static enum ctl_exit
verify_run(struct ctl *ctl, const struct args *args)
{
	struct xfer x = { .ctl = ctl, .kind = XFER_VERIFY, .fd = -1 };

	return io_run(&x, args, O_RDONLY);
}

const struct verb verb_read = {
	.name = "read",
	.args = "UNIT [LBA [BLOCKS]]",
	.summary = "blocks of a unit into a file; all of them if not said otherwise",
	.opts = read_opts,
	.min = 1,
	.max = 3,
	.lister = LIST_UNITS,
	.run = read_run,
};

const struct verb verb_write = {
	.name = "write",
	.args = "UNIT [LBA [BLOCKS]]",
	.summary = "a file into blocks of a unit, then SYNCHRONIZE CACHE",
	.opts = write_opts,
	.min = 1,
	.max = 3,
	.lister = LIST_UNITS,
	.run = write_run,
};

const struct verb verb_verify = {
	.name = "verify",
	.args = "UNIT [LBA [BLOCKS]]",
	.summary = "compare blocks with a file, or let the unit check; status 14 if not equal",
	.opts = verify_opts,
	.min = 1,
	.max = 3,
	.lister = LIST_UNITS,
	.run = verify_run,
};
