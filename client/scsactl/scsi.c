#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "client/scsactl/asctext.h"
#include "client/scsactl/out.h"
#include "client/scsactl/scsi.h"
#include "scsi/cdb.h"
#include "scsi/sense.h"
#include "scsi/status.h"

#define ATTENTIONS_MAX	8	/* of one unit in a row */

static void
sense_words(const struct scsac_result *result, char *words, size_t size)
{
	struct sense_data sense;
	char more[160];
	size_t len;

	if (sense_parse(result->sense, result->sense_len, &sense) < 0) {
		(void)snprintf(words, size, "without sense data");
		return;
	}
	(void)sense_format(&sense, words, size);
	if (sense.format == SENSE_FMT_VENDOR ||
	    asc_name((uint8_t)(sense.asc >> 8), (uint8_t)sense.asc) != NULL)
		return;
	/* codes that only the full list of T10 has */
	len = strlen(words);
	(void)snprintf(words + len, size - len, " [%s]",
	    asc_text(sense.asc, more, sizeof(more)));
}

char *
result_words(const struct scsac_result *result, char words[SCSI_WORDS_LEN])
{
	const char *name = sstat_name(result->status);
	char sense[SCSI_WORDS_LEN - 64];

	if (result->is_unknown)
		(void)snprintf(words, SCSI_WORDS_LEN,
		    "the daemon is gone; nobody knows whether the command was executed");
	else if (result->reason != SCSAC_CMPLT)
		(void)snprintf(words, SCSI_WORDS_LEN, "transport: %s (%u), state %02xh, "
		    "statistics %02xh", scsac_reason_name(result->reason), result->reason,
		    result->state, result->statistics);
	else if ((result->state & SCSAC_GOT_STATUS) == 0)
		(void)snprintf(words, SCSI_WORDS_LEN, "transport: no status came");
	else if (result->status == SAM_STAT_CHECK_CONDITION) {
		sense_words(result, sense, sizeof(sense));
		(void)snprintf(words, SCSI_WORDS_LEN, "%s: %s", name, sense);
	} else if (name != NULL)
		(void)snprintf(words, SCSI_WORDS_LEN, "%s", name);
	else
		(void)snprintf(words, SCSI_WORDS_LEN, "status %02xh", result->status);
	return words;
}

static void
sense_json(json_object *object, const struct scsac_result *result)
{
	json_object *part;
	struct sense_data sense;

	if (object == NULL || result->sense_len == 0)
		return;
	part = doc_part(object, "sense");
	doc_hex(part, "raw", result->sense, result->sense_len);
	if (sense_parse(result->sense, result->sense_len, &sense) < 0 ||
	    sense.format == SENSE_FMT_VENDOR)
		return;
	doc_number(part, "key", sense.key);
	doc_text(part, "key_name", sense_key_name(sense.key));
	doc_number(part, "asc", sense.asc >> 8);
	doc_number(part, "ascq", sense.asc & 0xff);
	doc_bool(part, "deferred", sense.is_deferred);
	if (sense.has_info)
		doc_number(part, "information", sense.info);
	if (sense.sks == SENSE_SKS_FIELD)
		doc_number(part, "field", sense.sks_value);
}

void
result_json(json_object *object, const struct scsac_result *result)
{
	const char *name = sstat_name(result->status);
	char words[SCSI_WORDS_LEN];

	doc_number(object, "reason", result->reason);
	doc_text(object, "reason_name", scsac_reason_name(result->reason));
	doc_bool(object, "unknown", result->is_unknown);
	doc_number(object, "state", result->state);
	doc_number(object, "statistics", result->statistics);
	doc_number(object, "status", result->status);
	doc_text(object, "status_name", name != NULL ? name : "");
	doc_number(object, "resid", result->resid);
	doc_number(object, "overflow", result->overflow);
	doc_number(object, "duration_ns", result->duration_ns);
	doc_text(object, "words", result_words(result, words));
	sense_json(object, result);
}

enum ctl_exit
result_tell(struct ctl *ctl, const uint8_t *cdb, size_t cdb_len,
    const struct scsac_result *result)
{
	enum ctl_exit status = exit_of_result(result);
	const struct op_info *op = op_find(cdb, cdb_len);
	char words[SCSI_WORDS_LEN];
	char name[32];

	(void)snprintf(name, sizeof(name), "opcode %02xh", cdb[0]);
	if (ctl->is_json)
		result_json(doc_part(ctl->root, "result"), result);
	return ctl_fail(ctl, status, "%s: %s: %s",
	    ctl->unit != NULL ? ctl_unit(ctl)->path : "unit", op != NULL ? op->name : name,
	    result_words(result, words));
}

static bool
is_attention(const struct scsac_result *result)
{
	return exit_of_result(result) == CTL_UNIT_ATTENTION;
}

enum ctl_exit
ctl_scsi(struct ctl *ctl, struct scsi_io *io)
{
	const struct scsac_cmd cmd = {
		.handle = io->handle, .cdb = io->cdb, .cdb_len = io->cdb_len,
		.direction = io->direction, .data = io->data, .data_len = io->data_len,
		.timeout_ms = ctl->timeout_ms,
	};
	int tries = 0;
	int r;

	do {
		r = scsac_exec(ctl->conn, &cmd, &io->result);
		if (r < 0)
			return ctl_refused(ctl, r, "command");
	} while (is_attention(&io->result) && !io->keep_attention && ++tries < ATTENTIONS_MAX);
	if (exit_of_result(&io->result) != CTL_OK)
		return result_tell(ctl, io->cdb, io->cdb_len, &io->result);
	return CTL_OK;
}

static enum ctl_exit
capacity_get_10(struct ctl *ctl, uint64_t handle, struct capacity *ret)
{
	uint8_t cdb[CDB_BUF_LEN];
	uint8_t data[8];
	struct scsi_io io = { .handle = handle, .cdb = cdb, .direction = SCSAC_IN,
		.data = data, .data_len = sizeof(data) };
	enum ctl_exit status;

	io.cdb_len = cdb_readcap10(cdb);
	status = ctl_scsi(ctl, &io);
	if (status != CTL_OK)
		return status;
	if (io.result.data_len < sizeof(data))
		return ctl_fail(ctl, CTL_MALFORMED, "READ CAPACITY(10): short answer");
	ret->blocks = (uint64_t)be32_get(data) + 1;
	ret->block_bytes = be32_get(data + 4);
	return CTL_OK;
}

enum ctl_exit
capacity_get(struct ctl *ctl, uint64_t handle, struct capacity *ret)
{
	uint8_t cdb[CDB_BUF_LEN];
	uint8_t data[32];
	const struct scsac_cmd cmd = { .handle = handle, .cdb = cdb,
		.cdb_len = cdb_readcap16(cdb, sizeof(data)), .direction = SCSAC_IN,
		.data = data, .data_len = sizeof(data), .timeout_ms = ctl->timeout_ms };
	struct scsac_result result;
	int tries = 0;
	int r;

	do {
		r = scsac_exec(ctl->conn, &cmd, &result);
		if (r < 0)
			return ctl_refused(ctl, r, "READ CAPACITY(16)");
	} while (is_attention(&result) && ++tries < ATTENTIONS_MAX);
	/* old units know only the short form; what else is wrong it will tell as well */
	if (exit_of_result(&result) != CTL_OK || result.data_len < 12)
		return capacity_get_10(ctl, handle, ret);
	ret->blocks = be64_get(data) + 1;
	ret->block_bytes = be32_get(data + 8);
	return CTL_OK;
}
