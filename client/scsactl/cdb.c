#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/num.h"
#include "base/text.h"
#include "client/scsactl/file.h"
#include "client/scsactl/out.h"
#include "client/scsactl/scsi.h"
#include "client/scsactl/verbs.h"
#include "scsi/cdb.h"

#define DATA_DEFAULT 65536u

enum { CDB_IN, CDB_OUT, CDB_LEN, CDB_NONE };

static const struct verb_opt cdb_opts[] = {
	[CDB_IN]   = { "in", 'i', "FILE", "data to the unit, from FILE or - (stdin)" },
	[CDB_OUT]  = { "out", 'o', "FILE", "data from the unit, to FILE or - (stdout)" },
	[CDB_LEN]  = { "length", 'l', "BYTES", "room for data from the unit, bytes to it" },
	[CDB_NONE] = { "none", 'n', NULL, "no data, whatever the command seems to want" },
	{ NULL, 0, NULL, NULL },
};

/* All words behind the unit are one CDB. */
static enum ctl_exit
cdb_words(struct ctl *ctl, const struct args *args, uint8_t cdb[SCSAC_CDB_MAX], size_t *ret_len)
{
	size_t len = 0;

	for (int i = 1; i < args->n; i++) {
		size_t n = 0;

		if (num_parse_hex(args->v[i], cdb + len, SCSAC_CDB_MAX - len, &n) < 0)
			return ctl_syntax(ctl, "'%s' is no bytes of a CDB in hex, each of two "
			    "digits", args->v[i]);
		len += n;
	}
	if (len < 6)
		return ctl_syntax(ctl, "a CDB has at least 6 bytes, these are %zu", len);
	*ret_len = len;
	return CTL_OK;
}

struct shape {
	enum scsac_direction direction;
	size_t len;
};

/* Which way and how much: what was asked for, else what the CDB says. */
static enum ctl_exit
cdb_shape(struct ctl *ctl, const struct args *args, const uint8_t *cdb, size_t cdb_len,
    struct shape *ret)
{
	size_t data_max = scsac_info(ctl->conn)->data_max;
	struct cdb_info info;
	uint64_t len = 0;

	if (cdb_decode(cdb, cdb_len, ctl_unit(ctl)->block_bytes, &info) < 0)
		return ctl_syntax(ctl, "the CDB is shorter than its opcode says");
	if (args->opt[CDB_LEN] != NULL &&
	    (num_parse_bytes(args->opt[CDB_LEN], data_max, &len) < 0 || len == 0))
		return ctl_syntax(ctl, "--length takes 1 to %zu bytes", data_max);
	ret->direction = args->opt[CDB_NONE] != NULL ? SCSAC_NONE :
	    args->opt[CDB_IN] != NULL || info.dir == OP_DIR_OUT ? SCSAC_OUT :
	    args->opt[CDB_OUT] != NULL || len > 0 || info.dir == OP_DIR_IN ? SCSAC_IN :
	    SCSAC_NONE;
	if (len == 0 && info.has_bytes)
		len = info.bytes;
	else if (len == 0)
		len = ret->direction == SCSAC_IN ? DATA_DEFAULT : data_max;
	if (len > data_max)
		return ctl_fail(ctl, CTL_LIMIT, "%zu bytes is the most a command can move",
		    data_max);
	ret->len = (size_t)len;
	if (len == 0)
		ret->direction = SCSAC_NONE;
	if (ret->direction == SCSAC_OUT && args->opt[CDB_IN] == NULL)
		return ctl_syntax(ctl, "this command sends data: give --in FILE");
	return CTL_OK;
}

static enum ctl_exit
data_out_read(struct ctl *ctl, const char *path, struct scsi_io *io)
{
	CLEANUP(file_close) int fd = -1;
	enum ctl_exit status = file_open(ctl, path, O_RDONLY, &fd);
	ssize_t n;

	if (status != CTL_OK)
		return status;
	n = file_read(fd, io->data, io->data_len);
	if (n < 0)
		return ctl_fail(ctl, CTL_FILE, "%s: %s", path, strerror((int)-n));
	if (n == 0)
		return ctl_fail(ctl, CTL_FILE, "%s: is empty", path);
	io->data_len = (size_t)n;
	return CTL_OK;
}

static enum ctl_exit
data_in_tell(struct ctl *ctl, const char *path, const struct scsi_io *io)
{
	CLEANUP(file_close) int fd = -1;
	enum ctl_exit status;
	int r;

	if (path != NULL) {
		status = file_open(ctl, path, O_WRONLY | O_CREAT | O_TRUNC, &fd);
		if (status != CTL_OK)
			return status;
		r = file_write(fd, io->data, io->result.data_len);
		return r < 0 ? ctl_fail(ctl, CTL_FILE, "%s: %s", path, strerror(-r)) : CTL_OK;
	}
	if (ctl->is_json)
		doc_hex(ctl->root, "data", io->data, io->result.data_len);
	else
		hex_print(io->data, io->result.data_len);
	return CTL_OK;
}

static enum ctl_exit
cdb_send(struct ctl *ctl, const struct args *args, struct scsi_io *io)
{
	enum ctl_exit status = CTL_OK;

	if (io->direction == SCSAC_OUT)
		status = data_out_read(ctl, args->opt[CDB_IN], io);
	if (status == CTL_OK)
		status = ctl_scsi(ctl, io);
	if (io->result.data_len > 0 && data_in_tell(ctl, args->opt[CDB_OUT], io) != CTL_OK)
		return CTL_FILE;
	if (status != CTL_OK)
		return status;
	if (ctl->is_json)
		result_json(doc_part(ctl->root, "result"), &io->result);
	else if (args->opt[CDB_OUT] == NULL || strcmp(args->opt[CDB_OUT], "-") != 0)
		fact("status", "GOOD, %u bytes in, residual %u, %llu us", io->result.data_len,
		    io->result.resid, (unsigned long long)io->result.duration_ns / 1000);
	return CTL_OK;
}

static enum ctl_exit
cdb_run(struct ctl *ctl, const struct args *args)
{
	CLEANUP(free_ptr) uint8_t *data = NULL;
	uint8_t cdb[SCSAC_CDB_MAX];
	struct scsi_io io = { .cdb = cdb, .keep_attention = true };
	struct shape shape = { 0 };
	enum ctl_exit status = cdb_words(ctl, args, cdb, &io.cdb_len);

	if (status == CTL_OK)
		status = ctl_open(ctl, args->v[0], &io.handle);
	if (status == CTL_OK)
		status = cdb_shape(ctl, args, cdb, io.cdb_len, &shape);
	if (status != CTL_OK)
		return status;
	if (shape.direction != SCSAC_NONE) {
		data = calloc(1, shape.len);
		if (data == NULL)
			return ctl_fail(ctl, CTL_OTHER, "out of memory");
		io.data = data;
		io.data_len = shape.len;
		io.direction = shape.direction;
	}
	return cdb_send(ctl, args, &io);
}

const struct verb verb_cdb = {
	.name = "cdb",
	.args = "UNIT HEX...",
	.summary = "send any command",
	.details = "HEX are the bytes of the CDB. Direction and length follow from the\n"
	    "command where it is known; --in, --out, --length and --none decide otherwise.",
	.opts = cdb_opts,
	.min = 2,
	.max = -1,
	.lister = LIST_UNITS,
	.run = cdb_run,
};
