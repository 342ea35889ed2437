#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/queue.h>

#include "base/fault.h"
#include "base/text.h"
#include "ddi/driver.h"
#include "ddi/driver_impl.h"
#include "ddi/sched_impl.h"

/* a driver whose _init was run from here */
struct module {
	LIST_ENTRY(module) link;
	char name[DRIVER_NAME_LEN];
	int (*fini)(void);
	void *handle;			/* of dlopen(3), or NULL */
};

static struct {
	kmutex_t lock;
	LIST_HEAD(, module) modules;
} loaded = { .lock = KMUTEX_INITIALIZER };

/* module_start() - run @init under the driver's name and remember the rest */
static int
module_start(const char *name, int (*init)(void), int (*fini)(void), void *handle)
{
	CLEANUP(free_ptr) struct module *m = fault_hit() ? NULL : calloc(1, sizeof(*m));
	int r;

	if (m == NULL)
		return -ENOMEM;
	if (!text_copy(m->name, sizeof(m->name), name))
		return -EINVAL;
	m->fini = fini;
	m->handle = handle;
	if (driver_find(name) != NULL)
		return -EEXIST;

	driver_init_name = m->name;
	r = init();
	driver_init_name = NULL;
	if (r != 0)
		return r > 0 ? -r : r;
	if (driver_find(name) == NULL) {
		(void)fini();
		return -EINVAL;
	}
	mutex_enter(&loaded.lock);
	LIST_INSERT_HEAD(&loaded.modules, m, link);
	mutex_exit(&loaded.lock);
	m = NULL;
	return 0;
}

int
driver_init(const char *name, int (*init)(void), int (*fini)(void))
{
	return module_start(name, init, fini, NULL);
}

/* name_from_path() - "/x/libfoo.so.1" is foo */
static bool
name_from_path(const char *path, char name[DRIVER_NAME_LEN])
{
	const char *base = strrchr(path, '/');
	size_t len;

	base = base == NULL ? path : base + 1;
	if (strncmp(base, "lib", 3) == 0)
		base += 3;
	len = strcspn(base, ".");
	if (len == 0 || len >= DRIVER_NAME_LEN)
		return false;
	memcpy(name, base, len);
	name[len] = '\0';
	return true;
}

static int (*
entry_find(void *handle, const char *name, const char *what))(void)
{
	char symbol[DRIVER_NAME_LEN + 16];
	int (*fn)(void);
	void *found;

	(void)snprintf(symbol, sizeof(symbol), "%s_mod_%s", name, what);
	found = dlsym(handle, symbol);
	if (found == NULL) {
		(void)snprintf(symbol, sizeof(symbol), "scsa_mod_%s", what);
		found = dlsym(handle, symbol);
	}
	memcpy(&fn, &found, sizeof(fn));	/* ISO C has no cast for it */
	return fn;
}

static void
reason_put(char *err, size_t err_size, const char *text)
{
	if (err_size > 0)
		(void)text_copy(err, err_size, text);
}

int
driver_load(const char *path, char *err, size_t err_size)
{
	char name[DRIVER_NAME_LEN];
	int (*init)(void), (*fini)(void);
	void *handle;
	int r = -ENOSYS;

	if (!name_from_path(path, name)) {
		reason_put(err, err_size, "no driver name in the file's name");
		return -ENOENT;
	}
	handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (handle == NULL) {
		reason_put(err, err_size, dlerror());
		return -ENOENT;
	}
	init = entry_find(handle, name, "init");
	fini = entry_find(handle, name, "fini");
	if (init != NULL && fini != NULL)
		r = module_start(name, init, fini, handle);
	if (r == 0)
		return 0;
	reason_put(err, err_size, r == -ENOSYS ? "no _init and _fini of a driver in it" :
	    r == -EEXIST ? "a driver of this name is there already" : strerror(-r));
	(void)dlclose(handle);
	return r;
}

int
driver_unload(const char *name)
{
	struct module *m;

	mutex_enter(&loaded.lock);
	LIST_FOREACH(m, &loaded.modules, link)
		if (strcmp(m->name, name) == 0)
			break;
	if (m != NULL)
		LIST_REMOVE(m, link);	/* ours alone from here on */
	mutex_exit(&loaded.lock);
	if (m == NULL)
		return -ENOENT;

	if (m->fini() != 0) {
		mutex_enter(&loaded.lock);
		LIST_INSERT_HEAD(&loaded.modules, m, link);
		mutex_exit(&loaded.lock);
		return -EBUSY;
	}
	if (m->handle != NULL)
		(void)dlclose(m->handle);
	free(m);
	return 0;
}
