/*
 * scsactl/scsi.h - one SCSI command, and telling how it ended
 *
 * What      ctl_scsi() sends a CDB to the unit that is open, takes unit attentions that only
 *           say "something happened before you came", and tells every other failure in words:
 *           transport, status, sense.
 */
#ifndef SCSACTL_SCSI_H
#define SCSACTL_SCSI_H

#include "client/scsactl/ctl.h"

#define SCSI_WORDS_LEN 512

struct scsi_io {
	uint64_t handle;
	const uint8_t *cdb;
	size_t cdb_len;
	enum scsac_direction direction;
	void *data;
	size_t data_len;
	bool keep_attention;		/* unit attention is an answer, not an obstacle */
	struct scsac_result result;	/* set by ctl_scsi() */
};

/* ctl_scsi() - send, wait, tell; CTL_OK when the status is GOOD; result.data_len bytes came */
enum ctl_exit ctl_scsi(struct ctl *ctl, struct scsi_io *io);

/* result_tell() - tell how a packet failed, and with JSON add "result"; answers the status */
enum ctl_exit result_tell(struct ctl *ctl, const uint8_t *cdb, size_t cdb_len,
    const struct scsac_result *result);

/* result_words() - "CHECK CONDITION: MEDIUM ERROR: ..." into SCSI_WORDS_LEN bytes */
char *result_words(const struct scsac_result *result, char words[SCSI_WORDS_LEN]);

/* result_json() - all of @result as members of @object */
void result_json(json_object *object, const struct scsac_result *result);

struct capacity {
	uint64_t blocks;
	uint32_t block_bytes;
};

/* capacity_get() - READ CAPACITY (16), else (10); or the error has been told */
enum ctl_exit capacity_get(struct ctl *ctl, uint64_t handle, struct capacity *ret);

#endif /* SCSACTL_SCSI_H */
