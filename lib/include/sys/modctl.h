/*
 * sys/modctl.h - a driver as a module: _init, _fini, _info, and what they call
 *
 * What      mod_install() puts the driver's dev_ops into the framework's registry; mod_remove()
 *           takes them out, or answers EBUSY while nodes are attached.
 * Names     _init, _fini and _info clash with the C library's start-up files, and with one
 *           another when several drivers are linked into one program. So they are renamed:
 *           to scsa_mod_init .., or with -DSCSA_MOD=soft to soft_mod_init .. The driver's name
 *           (which nodes bind to) is the one given to driver_init() or the file name at
 *           driver_load() (ddi/driver.h); without these, SCSA_MOD; without that, the first word
 *           of drv_linkinfo in lower case.
 * Thread    mod_install(), mod_remove(): where sleeping is allowed.
 * Source    _init(9E), mod_install(9F), modlinkage(9S)
 */
#ifndef SYS_DDI_MODCTL_H
#define SYS_DDI_MODCTL_H

#include <sys/devops.h>
#include <sys/types.h>

#define SCSA_MOD_JOIN_(mod, fn)	mod##_mod_##fn
#define SCSA_MOD_JOIN(mod, fn)	SCSA_MOD_JOIN_(mod, fn)
#define SCSA_MOD_TEXT_(mod)	#mod
#define SCSA_MOD_TEXT(mod)	SCSA_MOD_TEXT_(mod)

#ifdef SCSA_MOD
#define _init	SCSA_MOD_JOIN(SCSA_MOD, init)
#define _fini	SCSA_MOD_JOIN(SCSA_MOD, fini)
#define _info	SCSA_MOD_JOIN(SCSA_MOD, info)
#else
#define _init	scsa_mod_init
#define _fini	scsa_mod_fini
#define _info	scsa_mod_info
#endif

#define MODREV_1		1
#define MODMAXLINK		10
#define MODMAXNAMELEN		32
#define MODMAXLINKINFOLEN	32

struct mod_ops {
	int mod_kind;			/* the registry's */
};

extern struct mod_ops mod_driverops;	/* drv_modops of a driver */
/* misc_modops of a helper module: nothing is registered */
extern struct mod_ops mod_miscops;

struct modldrv {
	struct mod_ops *drv_modops;
	const char *drv_linkinfo;	/* a line about the driver */
	struct dev_ops *drv_dev_ops;
};

struct modlmisc {
	struct mod_ops *misc_modops;
	const char *misc_linkinfo;
};

struct modlinkage {
	int ml_rev;			/* MODREV_1 */
	void *ml_linkage[7];		/* modldrv or modlmisc, NULL at the end */
};

struct modinfo {
	int mi_rev;
	char mi_linkinfo[MODMAXLINKINFOLEN];
	char mi_name[MODMAXNAMELEN];
};

/* mod_install() - register; 0, EINVAL (malformed), EEXIST (name taken), ENOMEM */
int scsad_mod_install(struct modlinkage *modlp, const char *name);

/* mod_remove() - 0, EBUSY while nodes are attached, ENXIO when not installed */
int mod_remove(struct modlinkage *modlp);

/* mod_info() - fill @modinfop; 1, or 0 when @modlp is malformed */
int mod_info(struct modlinkage *modlp, struct modinfo *modinfop);

static inline int
mod_install(struct modlinkage *modlp)
{
#ifdef SCSA_MOD
	return scsad_mod_install(modlp, SCSA_MOD_TEXT(SCSA_MOD));
#else
	return scsad_mod_install(modlp, NULL);
#endif
}

int _init(void);
int _fini(void);
int _info(struct modinfo *modinfop);

#endif /* SYS_DDI_MODCTL_H */
