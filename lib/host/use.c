#include "host/use_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "host/sysfs.h"

#define SECTOR_BYTES	512

/* a device that belongs to a disk: itself, a part of it, or what is made of it */
struct member {
	char name[HOST_NAME_LEN];
	char key[512];			/* folder of the device it is the face of; "" */
	size_t disk;
};

struct search {
	const struct host *h;
	const char *address;
	const char *class;		/* that is being walked */
	struct host_tables tables;
	struct host_disks *disks;
	struct member *members;
	size_t n_members;
	size_t n_uses;
};

static const struct {
	const char *name, *format;
} kinds[] = {
	[HOST_MOUNTED] = { "mounted", "%s is mounted at %s" },
	[HOST_SWAP]    = { "swap", "%s is swap%.0s" },
	[HOST_HELD]    = { "held", "%s is held by %s" },
	[HOST_OPEN]    = { "open", "%s is open in process %s" },
	[HOST_CLAIMED] = { "claimed", "%s is claimed inside the kernel%s" },
};

const char *
host_use_kind_name(enum host_use_kind kind)
{
	return kinds[kind].name;
}

char *
host_use_format(const struct host_use *use, char *buf, size_t size)
{
	char device[4 * HOST_NAME_LEN], by[512];

	(void)text_escape(use->device, strlen(use->device), device, sizeof(device));
	(void)text_escape(use->by, strlen(use->by), by, sizeof(by));
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	(void)snprintf(buf, size, kinds[use->kind].format, device, by);
#pragma GCC diagnostic pop
	return buf;
}

/* ------ finding what is there ------ */

static int
member_add(struct search *s, const char *name, const char *key, size_t disk)
{
	struct member *members = reallocarray(s->members, s->n_members + 1, sizeof(*members));

	if (members == NULL)
		return -ENOMEM;
	s->members = members;
	members += s->n_members++;
	(void)text_copy(members->name, sizeof(members->name), name);
	if (!text_copy(members->key, sizeof(members->key), key))
		members->key[0] = '\0';
	members->disk = disk;
	return 0;
}

static int
disk_add(struct search *s, const char *name, bool is_block, size_t *ret)
{
	struct host_disk *disk;
	uint64_t sectors = 0;

	disk = reallocarray(s->disks->disks, s->disks->n + 1, sizeof(*disk));
	if (disk == NULL)
		return -ENOMEM;
	s->disks->disks = disk;
	*ret = s->disks->n++;
	disk += *ret;
	*disk = (struct host_disk){ .is_block = is_block };
	(void)text_copy(disk->name, sizeof(disk->name), name);
	(void)!sysfs_read(disk->model, sizeof(disk->model), "%s/class/%s/%s/device/model",
	    s->h->sysfs, s->class, name);
	disk->model[strcspn(disk->model, "\n")] = '\0';
	for (size_t len = strlen(disk->model); len > 0 && disk->model[len - 1] == ' '; len--)
		disk->model[len - 1] = '\0';
	if (sysfs_number(&sectors, "%s/class/block/%s/size", s->h->sysfs, name) == 0)
		disk->bytes = sectors * SECTOR_BYTES;
	return 0;
}

/* where the device @name of the class really is, when it is behind the function */
static bool
is_behind(const struct search *s, const char *name, char real[PATH_MAX])
{
	char path[PATH_MAX], part[HOST_NAME_LEN];

	(void)snprintf(path, sizeof(path), "%s/class/%s/%s", s->h->sysfs, s->class, name);
	(void)snprintf(part, sizeof(part), "/%.32s/", s->address);
	return realpath(path, real) != NULL && strstr(real, part) != NULL;
}

/* the disk that is called so, or NULL */
static const struct host_disk *
disk_named(const struct host_disks *disks, const char *name)
{
	for (size_t i = 0; i < disks->n; i++)
		if (strcmp(disks->disks[i].name, name) == 0)
			return &disks->disks[i];
	return NULL;
}

/* the folder of the device that an entry of a class is the face of */
static void
key_of(const struct search *s, const char *name, char key[PATH_MAX])
{
	char path[PATH_MAX];

	(void)snprintf(path, sizeof(path), "%s/class/%s/%s/device", s->h->sysfs, s->class, name);
	if (realpath(path, key) == NULL)
		key[0] = '\0';
}

static int
block_entry(const char *name, void *arg)
{
	struct search *s = arg;
	char real[PATH_MAX], path[PATH_MAX], key[PATH_MAX];
	size_t disk;
	int r;

	if (!is_behind(s, name, real))
		return 0;
	(void)snprintf(path, sizeof(path), "%s/class/block/%s/partition", s->h->sysfs, name);
	if (access(path, F_OK) == 0)
		return 0;
	key_of(s, name, key);
	r = disk_add(s, name, true, &disk);
	return r < 0 ? r : member_add(s, name, key, disk);
}

/* after the disks are known: their parts */
static int
part_entry(const char *name, void *arg)
{
	const struct host_disk *disk;
	struct search *s = arg;
	char real[PATH_MAX], *last, *parent;

	if (!is_behind(s, name, real) || disk_named(s->disks, name) != NULL)
		return 0;
	last = strrchr(real, '/');
	*last = '\0';
	parent = strrchr(real, '/');
	disk = parent == NULL ? NULL : disk_named(s->disks, parent + 1);
	return disk == NULL ? 0 : member_add(s, name, "", (size_t)(disk - s->disks->disks));
}

/* other faces of a device: of a disk that is known, or of one that is none for the kernel */
static int
face_entry(const char *name, void *arg)
{
	struct search *s = arg;
	char real[PATH_MAX], key[PATH_MAX];
	size_t disk;
	int r;

	if (!is_behind(s, name, real))
		return 0;
	key_of(s, name, key);
	for (size_t i = 0; i < s->n_members; i++)
		if (key[0] != '\0' && strcmp(s->members[i].key, key) == 0)
			return member_add(s, name, "", s->members[i].disk);
	r = disk_add(s, name, false, &disk);
	return r < 0 ? r : member_add(s, name, key, disk);
}

static int
members_find(struct search *s)
{
	static const struct {
		const char *class;
		int (*fn)(const char *name, void *arg);
	} walks[] = {
		{ "block", block_entry }, { "block", part_entry },
		{ "scsi_tape", face_entry }, { "scsi_changer", face_entry },
		{ "scsi_generic", face_entry },
	};
	char folder[PATH_MAX];

	for (size_t i = 0; i < ARRAY_LEN(walks); i++) {
		int r;

		s->class = walks[i].class;
		(void)snprintf(folder, sizeof(folder), "%s/class/%s", s->h->sysfs, s->class);
		r = sysfs_each(folder, walks[i].fn, s);
		if (r < 0 && (r != -ENOENT || i == 0))
			return r;
	}
	return 0;
}

/* ------ finding who uses it ------ */

static int
use_add(struct search *s, size_t at, enum host_use_kind kind, const char *device, const char *by)
{
	struct host_disk *disk = &s->disks->disks[at];
	struct host_use *uses;

	for (size_t i = 0; i < disk->n_uses; i++)
		if (disk->uses[i].kind == kind && strcmp(disk->uses[i].device, device) == 0 &&
		    strcmp(disk->uses[i].by, by) == 0)
			return 0;
	if (s->n_uses == HOST_USES_MAX && disk->n_uses > 0)
		return 0;
	uses = reallocarray(disk->uses, disk->n_uses + 1, sizeof(*uses));
	if (uses == NULL)
		return -ENOMEM;
	disk->uses = uses;
	uses += disk->n_uses++;
	uses->kind = kind;
	(void)text_copy(uses->device, sizeof(uses->device), device);
	(void)text_copy(uses->by, sizeof(uses->by), by);
	s->n_uses++;
	return 0;
}

/* "dm-0 (LVM vg-root)", "md0 (raid1)" */
static void
holder_describe(const struct search *s, const char *holder, char *buf, size_t size)
{
	char name[HOST_NAME_LEN], uuid[160], level[32];

	if (sysfs_read(name, sizeof(name), "%s/class/block/%s/dm/name", s->h->sysfs, holder) == 0) {
		(void)!sysfs_read(uuid, sizeof(uuid), "%s/class/block/%s/dm/uuid", s->h->sysfs,
		    holder);
		uuid[strcspn(uuid, "-")] = '\0';
		(void)snprintf(buf, size, "%.64s (%.16s%s%.64s)", holder, uuid,
		    uuid[0] == '\0' ? "" : " ", name);
	} else if (sysfs_read(level, sizeof(level), "%s/class/block/%s/md/level", s->h->sysfs,
	    holder) == 0) {
		(void)snprintf(buf, size, "%.64s (%s)", holder, level);
	} else {
		(void)snprintf(buf, size, "%.64s", holder);
	}
}

struct holding {
	struct search *s;
	char device[HOST_NAME_LEN];
	size_t disk;
};

static int
holder_entry(const char *name, void *arg)
{
	struct holding *holding = arg;
	struct search *s = holding->s;
	char by[192];
	int r;

	holder_describe(s, name, by, sizeof(by));
	r = use_add(s, holding->disk, HOST_HELD, holding->device, by);
	for (size_t i = 0; r == 0 && i < s->n_members; i++)
		if (s->members[i].disk == holding->disk &&
		    strcmp(s->members[i].name, name) == 0)
			return 0;
	return r < 0 ? r : member_add(s, name, "", holding->disk);
}

static int
tables_ask(struct search *s, const char *name, size_t disk)
{
	char dev[24], mapper[HOST_NAME_LEN + 8], dm[HOST_NAME_LEN];
	int r = 0;

	(void)!sysfs_read(dev, sizeof(dev), "%s/class/block/%s/dev", s->h->sysfs, name);
	mapper[0] = '\0';
	if (sysfs_read(dm, sizeof(dm), "%s/class/block/%s/dm/name", s->h->sysfs, name) == 0)
		(void)snprintf(mapper, sizeof(mapper), "mapper/%s", dm);
	for (size_t i = 0; r == 0 && i < s->tables.n; i++) {
		const struct host_row *row = &s->tables.rows[i];

		if ((dev[0] != '\0' && strcmp(row->dev, dev) == 0) ||
		    strcmp(row->device, name) == 0 ||
		    (mapper[0] != '\0' && strcmp(row->device, mapper) == 0))
			r = use_add(s, disk, row->kind, name, row->by);
	}
	return r;
}

/* also what is made of it, which joins the members as it is found */
static int
uses_find(struct search *s)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < s->n_members && s->n_uses < HOST_USES_MAX; i++) {
		struct holding holding = { .s = s, .disk = s->members[i].disk };
		char folder[PATH_MAX];

		(void)text_copy(holding.device, sizeof(holding.device), s->members[i].name);
		r = tables_ask(s, holding.device, holding.disk);
		if (r < 0)
			return r;
		(void)snprintf(folder, sizeof(folder), "%s/class/block/%s/holders", s->h->sysfs,
		    holding.device);
		r = sysfs_each(folder, holder_entry, &holding);
		if (r == -ENOENT)
			r = 0;
	}
	return r;
}

/* a disk of which nobody tells may be claimed all the same: the kernel says so to who asks */
static int
claims_find(struct search *s)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < s->n_members; i++) {
		const struct member *m = &s->members[i];
		char path[PATH_MAX];
		struct stat st;
		int fd;

		if (s->disks->disks[m->disk].n_uses > 0)
			continue;
		(void)snprintf(path, sizeof(path), "%s/%s", s->h->dev, m->name);
		if (stat(path, &st) < 0 || !S_ISBLK(st.st_mode))
			continue;
		fd = open(path, O_RDONLY | O_EXCL | O_NONBLOCK | O_CLOEXEC);
		if (fd >= 0)
			(void)close(fd);
		else if (errno == EBUSY)
			r = use_add(s, m->disk, HOST_CLAIMED, m->name, "");
	}
	return r;
}

int
host_disks_read(const struct host *h, const char *address, struct host_disks *ret)
{
	struct host_disks disks = { 0 };
	struct search s = { .h = h, .address = address, .disks = &disks };
	int r = host_tables_read(h, &s.tables);

	if (r == 0)
		r = members_find(&s);
	if (r == 0)
		r = uses_find(&s);
	if (r == 0)
		r = claims_find(&s);
	free(s.members);
	host_tables_fini(&s.tables);
	if (r < 0) {
		host_disks_fini(&disks);
		return r;
	}
	for (size_t i = 0; i < disks.n; i++)
		disks.n_used += disks.disks[i].n_uses > 0;
	*ret = disks;
	return 0;
}

void
host_disks_fini(struct host_disks *disks)
{
	for (size_t i = 0; i < disks->n; i++)
		free(disks->disks[i].uses);
	free(disks->disks);
	*disks = (struct host_disks){ 0 };
}
