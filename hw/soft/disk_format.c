/* FORMAT UNIT: what it asks for becomes a job */
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "hw/soft/disk_impl.h"

#define FORMAT_LONGLIST	0x20	/* byte 1; above it FMTPINFO */
#define FORMAT_FMTDATA	0x10
#define FORMAT_LIST_BITS	0x2f	/* LONGLIST, CMPLST, DEFECT LIST FORMAT: only with a list */
#define FORMAT_FFMT	0x03	/* byte 4 */
#define LIST_FOV	0x80	/* byte 1 of the header */
#define LIST_OPTIONS	0x78	/* DPRY, DCRT, STPF, IP: valid with FOV */
#define LIST_IP		0x08
#define LIST_IMMED	0x02
#define PATTERN_HDR	4
#define PATTERN_REPEAT	1	/* byte 1: the pattern follows */

struct format {
	struct job_order order;
	uint8_t pattern[4096];
	uint8_t list[8 + PATTERN_HDR + 4096];
};

_Static_assert(sizeof(struct format) <= 16384, "a command's memory");

static struct format *
format_of(struct disk_cmd *cmd)
{
	return (struct format *)(void *)cmd->chunk;
}

static int
format_start(struct disk_cmd *cmd)
{
	struct format *f = format_of(cmd);

	return disk_job_start(cmd->disk, &f->order, f->pattern, &cmd->at);
}

static int
top_bit(uint8_t v)
{
	return 31 - __builtin_clz(v);
}

/* the initialization pattern descriptor at @at of the list (SBC-3 5.3.2.3) */
static int
format_read_pattern(struct disk *disk, struct disk_cmd *cmd, struct format *f, size_t at)
{
	const uint8_t *d = f->list + at;
	uint16_t len;

	if (disk_take(cmd, f->list, at + PATTERN_HDR) < at + PATTERN_HDR)
		return disk_check(cmd, SENSE_ILLEGAL_REQUEST, ASC_PARAMETER_LIST_LENGTH);
	len = be16_get(d + 2);
	/* SI, security initialize: of blocks that were replaced, and there are none */
	if ((d[0] & 0xdf) != 0)
		return disk_bad_list(cmd, (uint16_t)at, top_bit(d[0] & 0xdf));
	if (d[1] > PATTERN_REPEAT)
		return disk_bad_list(cmd, (uint16_t)(at + 1), -1);
	if ((d[1] == PATTERN_REPEAT) != (len != 0) || len > disk->block_bytes)
		return disk_bad_list(cmd, (uint16_t)(at + 2), -1);
	if (disk_take(cmd, f->list, at + PATTERN_HDR + len) < at + PATTERN_HDR + len)
		return disk_check(cmd, SENSE_ILLEGAL_REQUEST, ASC_PARAMETER_LIST_LENGTH);
	f->order.pattern_len = len;
	memcpy(f->pattern, d + PATTERN_HDR, len);
	return DISK_IO;
}

/* header and what follows; there are no defects, so no list of them is taken */
static int
format_read_list(struct disk *disk, struct disk_cmd *cmd, struct format *f)
{
	bool is_long = (cmd->cdb[1] & FORMAT_LONGLIST) != 0;
	size_t hdr_len = is_long ? 8 : 4;
	const uint8_t *list = f->list;
	uint8_t options;
	uint32_t defects;

	if (disk_take(cmd, f->list, hdr_len) < hdr_len)
		return disk_check(cmd, SENSE_ILLEGAL_REQUEST, ASC_PARAMETER_LIST_LENGTH);
	options = list[1] & LIST_OPTIONS;
	defects = is_long ? be32_get(list + 4) : be16_get(list + 2);
	/* PROTECTION FIELDS USAGE, and reserved bits */
	if (list[0] != (disk->pi_type == 3 ? 1 : 0))
		return disk_bad_list(cmd, 0, list[0] != 0 ? top_bit(list[0]) : 2);
	if ((list[1] & LIST_FOV) == 0 && options != 0)
		return disk_bad_list(cmd, 1, top_bit(options));
	if ((list[1] & 0x05) != 0)	/* DSP and vendor specific */
		return disk_bad_list(cmd, 1, top_bit(list[1] & 0x05));
	if (is_long && (list[2] != 0 || list[3] != 0))	/* protection interval exponent */
		return disk_bad_list(cmd, list[2] != 0 ? 2 : 3, -1);
	if (defects != 0)
		return disk_bad_list(cmd, is_long ? 4 : 2, -1);
	cmd->want_job_end = (list[1] & LIST_IMMED) == 0;
	return (options & LIST_IP) != 0 ? format_read_pattern(disk, cmd, f, hdr_len) : DISK_IO;
}

static int
format_check_cdb(struct disk_cmd *cmd)
{
	/* FMTPINFO by type (SBC-3 5.3.1); type 3 has a header that says the rest */
	static const uint8_t fmtpinfo[] = { [0] = 0, [1] = 2, [3] = 3 };
	uint8_t flags = cmd->cdb[1];

	/* what the disk keeps was decided when it was made: a format changes no type */
	if (flags >> 6 != fmtpinfo[cmd->disk->pi_type])
		return disk_bad_cdb(cmd, 1, 7);
	if (cmd->disk->pi_type == 3 && (flags & FORMAT_FMTDATA) == 0)
		return disk_bad_cdb(cmd, 1, 4);
	if ((flags & FORMAT_FMTDATA) == 0 && (flags & FORMAT_LIST_BITS) != 0)
		return disk_bad_cdb(cmd, 1, top_bit(flags & FORMAT_LIST_BITS));
	if (cmd->cdb[2] != 0)		/* vendor specific */
		return disk_bad_cdb(cmd, 2, 7);
	if ((cmd->cdb[4] & FORMAT_FFMT) > 1)
		return disk_bad_cdb(cmd, 4, 1);
	return DISK_IO;
}

int
disk_do_format(struct disk *disk, struct disk_cmd *cmd)
{
	struct format *f;

	if (format_check_cdb(cmd) == DISK_DONE)
		return DISK_DONE;
	if (!disk_get_chunk(cmd, sizeof(*f)))
		return disk_busy(cmd);
	f = format_of(cmd);
	f->order = (struct job_order){
		.kind = JOB_FORMAT, .passes = 1, .is_over = (cmd->cdb[4] & FORMAT_FFMT) == 1,
	};
	cmd->want_job_end = true;
	if ((cmd->cdb[1] & FORMAT_FMTDATA) != 0 && format_read_list(disk, cmd, f) == DISK_DONE)
		return DISK_DONE;
	cmd->work = format_start;
	cmd->step = disk_job_started;
	return DISK_WORK;
}
