/* what an initiator may write on a disk for others to read: identifying information, the
 * time */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/bytes.h"
#include "base/num.h"
#include "hw/soft/disk_impl.h"

#define NAME_TYPES	0x7f	/* INFORMATION TYPE: which types are there? */
#define NAME_HDR	4
#define TIME_LEN	12
#define TIME_MASK	0xffffffffffffull	/* milliseconds are told in six bytes */

/* byte 2 of REPORT TIMESTAMP data: who has set it (SPC-4 5.2) */
enum { ORIGIN_SET = 2, ORIGIN_OUTSIDE = 3 };

static const struct {
	uint8_t type;
	uint16_t max;
} name_rows[DISK_NAME_N] = {
	[DISK_NAME_IDENT] = { 0, DISK_IDENT_MAX },
	[DISK_NAME_TEXT] = { 2, DISK_TEXT_MAX },
};

/* DISK_NAME_N: no such type */
static size_t
name_index(const struct disk_cmd *cmd)
{
	uint8_t type = cmd->cdb[10] >> 1;
	size_t i = 0;

	while (i < DISK_NAME_N && name_rows[i].type != type)
		i++;
	return i;
}

static int
name_report_types(struct disk_cmd *cmd)
{
	uint8_t buf[NAME_HDR + 4 * DISK_NAME_N] = { 0 };

	be16_put(buf + 2, 4 * DISK_NAME_N);
	for (size_t i = 0; i < DISK_NAME_N; i++) {
		buf[NAME_HDR + 4 * i] = (uint8_t)(name_rows[i].type << 1);
		be16_put(buf + NAME_HDR + 4 * i + 2, name_rows[i].max);
	}
	return disk_reply(cmd, buf, sizeof(buf), be32_get(cmd->cdb + 6));
}

int
disk_do_report_name(struct disk *disk, struct disk_cmd *cmd)
{
	uint8_t buf[NAME_HDR + DISK_TEXT_MAX] = { 0 };
	size_t i = name_index(cmd);
	struct disk_name name;

	if (cmd->cdb[10] >> 1 == NAME_TYPES)
		return name_report_types(cmd);
	if (i == DISK_NAME_N)
		return disk_bad_cdb(cmd, 10, 7);
	mutex_enter(&disk->lock);
	name = disk_saved_image(disk)->names[i];
	mutex_exit(&disk->lock);
	be16_put(buf + 2, name.len);
	memcpy(buf + NAME_HDR, name.bytes, name.len);
	return disk_reply(cmd, buf, (size_t)(NAME_HDR + name.len), be32_get(cmd->cdb + 6));
}

static int
name_save(struct disk_cmd *cmd)
{
	struct disk_image image;
	struct disk_name *name;

	disk_save_begin(cmd->disk, &image);
	name = &image.names[name_index(cmd)];
	name->len = (uint16_t)cmd->left;
	memcpy(name->bytes, cmd->chunk, cmd->left);
	return disk_save_end(cmd->disk, &image);
}

static int
name_saved(struct disk_cmd *cmd, int result)
{
	return result < 0 ? disk_save_failed(cmd) : disk_good(cmd);
}

int
disk_do_set_name(struct disk *disk, struct disk_cmd *cmd)
{
	uint32_t len = be32_get(cmd->cdb + 6);
	size_t i = name_index(cmd);

	(void)disk;
	if (i == DISK_NAME_N)
		return disk_bad_cdb(cmd, 10, 7);
	if (len > name_rows[i].max)
		return disk_bad_cdb(cmd, 6, -1);
	if (!disk_get_chunk(cmd, DISK_TEXT_MAX))
		return disk_busy(cmd);
	if (disk_take(cmd, cmd->chunk, len) < len)
		return disk_check(cmd, SENSE_ILLEGAL_REQUEST, ASC_PARAMETER_LIST_LENGTH);
	/* a text ends with its first NUL (SPC-4 6.46) */
	if (i == DISK_NAME_TEXT && len > 0 && cmd->chunk[len - 1] != 0)
		return disk_bad_list(cmd, (uint16_t)(len - 1), -1);
	cmd->left = len;
	cmd->work = name_save;
	cmd->step = name_saved;
	return DISK_WORK;
}

/* milliseconds since 1970 by the host's clock */
static uint64_t
time_outside(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* the host's clock, until an initiator knows better; from then on the two differ by the same */
int
disk_do_report_time(struct disk *disk, struct disk_cmd *cmd)
{
	uint8_t buf[TIME_LEN] = { 0 };
	uint64_t now;

	be16_put(buf, TIME_LEN - 2);
	mutex_enter(&disk->lock);
	buf[2] = disk->is_time_set ? ORIGIN_SET : ORIGIN_OUTSIDE;
	now = (time_outside() + disk->time_offset) & TIME_MASK;
	mutex_exit(&disk->lock);
	be16_put(buf + 4, (uint16_t)(now >> 32));
	be32_put(buf + 6, (uint32_t)now);
	return disk_reply(cmd, buf, sizeof(buf), be32_get(cmd->cdb + 6));
}

int
disk_do_set_time(struct disk *disk, struct disk_cmd *cmd)
{
	uint32_t len = be32_get(cmd->cdb + 6);
	uint8_t list[TIME_LEN];
	uint64_t time;

	if (len == 0)
		return disk_good(cmd);
	if (len < TIME_LEN || disk_take(cmd, list, TIME_LEN) < TIME_LEN)
		return disk_check(cmd, SENSE_ILLEGAL_REQUEST, ASC_PARAMETER_LIST_LENGTH);
	time = (uint64_t)be16_get(list + 4) << 32 | be32_get(list + 6);
	mutex_enter(&disk->lock);
	disk->is_time_set = true;
	disk->time_offset = time - time_outside();
	mutex_exit(&disk->lock);
	return disk_good(cmd);
}
