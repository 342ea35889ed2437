#include "daemon/demo.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"

#define FILE_NAME	"disk.img"

/* "/tmp/scsad-demo-kX3f9a" */
static int
dir_make(struct config *conf, char *reterr)
{
	const char *base = conf->state_dir != NULL ? conf->state_dir : getenv("TMPDIR");
	CLEANUP(free_ptr) char *dir = NULL;
	char shown[160];

	if (base == NULL || base[0] == '\0')
		base = "/tmp";
	if (asprintf(&dir, "%s/scsad-demo-XXXXXX", base) < 0) {
		dir = NULL;
		return -ENOMEM;
	}
	if (mkdtemp(dir) == NULL) {
		int err = errno;

		(void)snprintf(reterr, CONFIG_ERR_LEN,
		    "demo: no folder can be made in '%s': %s; name another one in $TMPDIR",
		    text_escape(base, strlen(base), shown, sizeof(shown)), strerror(err));
		return -err;
	}
	conf->demo_dir = STEAL(dir);
	return 0;
}

static int
disk_add(struct config_hba *hba, const char *spec, const char *dir, char *reterr)
{
	CLEANUP(free_ptr) struct soft_disk_conf *disk = malloc(sizeof(*disk));
	char text[SOFT_ERR_LEN];

	if (disk == NULL)
		return -ENOMEM;
	if (soft_conf_parse(spec, disk, text) < 0) {
		(void)snprintf(reterr, CONFIG_ERR_LEN, "demo: %s", text);
		return -EINVAL;
	}
	if (disk->kind == SOFT_STORE_FILE && dir != NULL &&
	    snprintf(disk->path, sizeof(disk->path), "%s/" FILE_NAME, dir) >=
	    (int)sizeof(disk->path)) {
		(void)snprintf(reterr, CONFIG_ERR_LEN, "demo: the folder's name is too long");
		return -ENAMETOOLONG;
	}
	return config_add_disk(hba, disk);
}

int
demo_add(struct config *conf, bool want_dir, char *reterr)
{
	struct config_hba *hba = config_add_hba(conf, SOFT_DRIVER);
	char shown[256];
	int r;

	if (hba == NULL) {
		(void)snprintf(reterr, CONFIG_ERR_LEN, "no room for one more HBA");
		return -ENOMEM;
	}
	r = want_dir ? dir_make(conf, reterr) : 0;
	if (r == 0)
		r = disk_add(hba, "mem:64M", NULL, reterr);
	if (r == 0)
		r = disk_add(hba, "file:" FILE_NAME ",size=256M", conf->demo_dir, reterr);
	if (r < 0 || !want_dir)
		return r;
	log_notice("demo: memory disk of 64 MiB, file disk of 256 MiB in %s until the end",
	    text_escape(conf->demo_dir, strlen(conf->demo_dir), shown, sizeof(shown)));
	return 0;
}

void
demo_remove(const struct config *conf)
{
	CLEANUP(free_ptr) char *file = NULL;

	if (conf->demo_dir == NULL)
		return;
	if (asprintf(&file, "%s/" FILE_NAME, conf->demo_dir) < 0) {
		file = NULL;
		return;
	}
	(void)unlink(file);
	if (rmdir(conf->demo_dir) < 0)
		log_info("demo: its folder stays: %s", strerror(errno));
}
