#include "daemon/demo.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"

int
demo_add(struct config *conf, char *reterr)
{
	CLEANUP(free_ptr) struct soft_disk_conf *disk = malloc(sizeof(*disk));
	struct config_hba *hba = config_add_hba(conf, SOFT_DRIVER);
	const char *dir = conf->state_dir;
	char specs[2][PATH_MAX], text[SOFT_ERR_LEN];

	if (disk == NULL || hba == NULL) {
		(void)snprintf(reterr, CONFIG_ERR_LEN, "demo: no room for one more HBA");
		return -ENOMEM;
	}
	if (dir == NULL)
		dir = getenv("TMPDIR");
	if (dir == NULL || dir[0] == '\0')
		dir = "/tmp";
	(void)snprintf(specs[0], sizeof(specs[0]), "mem:64M");
	(void)snprintf(specs[1], sizeof(specs[1]), "file:%.3000s/scsad-demo-%u.img,size=256M",
	    dir, (unsigned int)getuid());
	for (size_t i = 0; i < ARRAY_LEN(specs); i++) {
		if (soft_conf_parse(specs[i], disk, text) < 0) {
			(void)snprintf(reterr, CONFIG_ERR_LEN, "demo: %s", text);
			return -EINVAL;
		}
		if (config_add_disk(hba, disk) < 0)
			return -ENOMEM;
	}
	log_notice("demo: memory disk of 64 MiB, file disk %s/scsad-demo-%u.img of 256 MiB",
	    dir, (unsigned int)getuid());
	return 0;
}
