#include "ddi/prop.h"

#include <string.h>
#include <sys/sunddi.h>
#include <sys/sunndi.h>

#include "base/fault.h"
#include "ddi/devtree_impl.h"

#define PROP_SIZE_MAX	(1u << 30)	/* bytes of one property */

enum prop_type { PROP_BOOLEAN, PROP_INT, PROP_INT64, PROP_STRING, PROP_BYTE, PROP_UNDEF };

/* strings are kept one behind the other, each with its NUL; behind the data is the name. A node
 * has a dozen of these, and there may be many thousand nodes */
struct prop {
	STAILQ_ENTRY(prop) link;
	dev_t dev;
	uint32_t size;			/* bytes of data */
	uint32_t count;			/* elements */
	uint8_t type;			/* enum prop_type */
	_Alignas(8) char data[];
};

static const char *
prop_name(const struct prop *p)
{
	return p->data + p->size;
}

void
prop_list_init(struct prop_list *l)
{
	mutex_init(&l->lock, NULL, MUTEX_DRIVER, NULL);
	for (int owner = 0; owner < PROP_OWNER_N; owner++)
		STAILQ_INIT(&l->props[owner]);
}

static void
list_clear(struct prop_list *l, enum prop_owner owner)
{
	struct prop *p;

	while ((p = STAILQ_FIRST(&l->props[owner])) != NULL) {
		STAILQ_REMOVE_HEAD(&l->props[owner], link);
		free(p);
	}
}

void
prop_list_fini(struct prop_list *l)
{
	list_clear(l, PROP_DRIVER);
	list_clear(l, PROP_SYSTEM);
	mutex_destroy(&l->lock);
}

static bool
is_dev_match(const struct prop *p, dev_t dev)
{
	return dev == DDI_DEV_T_ANY || p->dev == dev;
}

static struct prop *
owner_find(struct prop_list *l, enum prop_owner owner, dev_t dev, const char *name)
{
	struct prop *p;

	STAILQ_FOREACH(p, &l->props[owner], link)
		if (is_dev_match(p, dev) && strcmp(prop_name(p), name) == 0)
			return p;
	return NULL;
}

static struct prop *
list_find(struct prop_list *l, dev_t dev, const char *name)
{
	struct prop *p = owner_find(l, PROP_DRIVER, dev, name);

	return p != NULL ? p : owner_find(l, PROP_SYSTEM, dev, name);
}

static struct prop *
prop_new(dev_t dev, const char *name, enum prop_type type, unsigned int count, size_t size)
{
	size_t name_size = strlen(name) + 1;
	struct prop *p;

	if (size > PROP_SIZE_MAX || fault_hit())
		return NULL;
	p = calloc(1, sizeof(*p) + size + name_size);
	if (p == NULL)
		return NULL;
	p->dev = dev;
	p->type = (uint8_t)type;
	p->count = count;
	p->size = (uint32_t)size;
	memcpy(p->data + size, name, name_size);
	return p;
}

/* prop_put() - @p in place of any of the same owner, name and dev */
static int
prop_put(dev_info_t *dip, enum prop_owner owner, struct prop *p)
{
	struct prop *old;

	mutex_enter(&dip->props.lock);
	STAILQ_FOREACH(old, &dip->props.props[owner], link)
		if (old->dev == p->dev && strcmp(prop_name(old), prop_name(p)) == 0)
			break;
	if (old != NULL)
		STAILQ_REMOVE(&dip->props.props[owner], old, prop, link);
	STAILQ_INSERT_TAIL(&dip->props.props[owner], p, link);
	mutex_exit(&dip->props.lock);
	free(old);
	return DDI_PROP_SUCCESS;
}

static int
prop_update(enum prop_owner owner, dev_t dev, dev_info_t *dip, const char *name,
    enum prop_type type, const void *data, unsigned int count, size_t size)
{
	struct prop *p;

	if (dip == NULL || name == NULL || *name == '\0' || (data == NULL && size > 0))
		return DDI_PROP_INVAL_ARG;
	p = prop_new(dev == DDI_DEV_T_ANY ? DDI_DEV_T_NONE : dev, name, type, count, size);
	if (p == NULL)
		return DDI_PROP_NO_MEMORY;
	if (size > 0)
		memcpy(p->data, data, size);
	return prop_put(dip, owner, p);
}

/* copy_out() - the data of @p as the caller gets it: strings with an array of pointers in front
 */
static void *
copy_out(const struct prop *p, bool want_pointers)
{
	size_t front = want_pointers ? p->count * sizeof(char *) : 0;
	char *copy, *text;

	if (fault_hit())
		return NULL;
	copy = malloc(front + p->size + 1);
	if (copy == NULL)
		return NULL;
	text = copy + front;
	memcpy(text, p->data, p->size);
	text[p->size] = '\0';
	for (unsigned int i = 0; want_pointers && i < p->count; i++) {
		((char **)(void *)copy)[i] = text;
		text += strlen(text) + 1;
	}
	return copy;
}

/* node_lookup() - at one node; DDI_PROP_NOT_FOUND: ask the parent */
static int
node_lookup(dev_info_t *dip, dev_t dev, const char *name, enum prop_type type,
    bool want_pointers, void **ret_data, uint_t *ret_count)
{
	struct prop *p;
	int r = DDI_PROP_NOT_FOUND;
	void *copy;

	mutex_enter(&dip->props.lock);
	p = list_find(&dip->props, dev, name);
	if (p != NULL && p->type == PROP_UNDEF) {
		r = DDI_PROP_UNDEFINED;
	} else if (p != NULL && p->type == type) {
		copy = copy_out(p, want_pointers);
		r = copy == NULL ? DDI_PROP_NO_MEMORY : DDI_PROP_SUCCESS;
		if (copy != NULL) {
			*ret_data = copy;
			*ret_count = p->count;
		}
	}
	mutex_exit(&dip->props.lock);
	return r;
}

static int
prop_lookup(dev_t dev, dev_info_t *dip, uint_t flags, const char *name, enum prop_type type,
    bool want_pointers, void **ret_data, uint_t *ret_count)
{
	int r = DDI_PROP_NOT_FOUND;

	if (dip == NULL || name == NULL || *name == '\0')
		return DDI_PROP_INVAL_ARG;
	for (; dip != NULL && r == DDI_PROP_NOT_FOUND; dip = dip->parent) {
		r = node_lookup(dip, dev, name, type, want_pointers, ret_data, ret_count);
		if ((flags & DDI_PROP_DONTPASS) != 0)
			break;
	}
	return r;
}

int
ddi_prop_lookup_int_array(dev_t dev, dev_info_t *dip, uint_t flags, const char *name,
    int **ret_data, uint_t *ret_count)
{
	void *data;
	int r;

	r = prop_lookup(dev, dip, flags, name, PROP_INT, false, &data, ret_count);
	if (r == DDI_PROP_SUCCESS)
		*ret_data = data;
	return r;
}

int
ddi_prop_lookup_int64_array(dev_t dev, dev_info_t *dip, uint_t flags, const char *name,
    int64_t **ret_data, uint_t *ret_count)
{
	void *data;
	int r;

	r = prop_lookup(dev, dip, flags, name, PROP_INT64, false, &data, ret_count);
	if (r == DDI_PROP_SUCCESS)
		*ret_data = data;
	return r;
}

int
ddi_prop_lookup_string(dev_t dev, dev_info_t *dip, uint_t flags, const char *name,
    char **ret_data)
{
	uint_t count;
	void *data;
	int r;

	r = prop_lookup(dev, dip, flags, name, PROP_STRING, false, &data, &count);
	if (r == DDI_PROP_SUCCESS)
		*ret_data = data;
	return r;
}

int
ddi_prop_lookup_string_array(dev_t dev, dev_info_t *dip, uint_t flags, const char *name,
    char ***ret_data, uint_t *ret_count)
{
	void *data;
	int r;

	r = prop_lookup(dev, dip, flags, name, PROP_STRING, true, &data, ret_count);
	if (r == DDI_PROP_SUCCESS)
		*ret_data = data;
	return r;
}

int
ddi_prop_lookup_byte_array(dev_t dev, dev_info_t *dip, uint_t flags, const char *name,
    uchar_t **ret_data, uint_t *ret_count)
{
	void *data;
	int r;

	r = prop_lookup(dev, dip, flags, name, PROP_BYTE, false, &data, ret_count);
	if (r == DDI_PROP_SUCCESS)
		*ret_data = data;
	return r;
}

void
ddi_prop_free(void *data)
{
	free(data);
}

/* number_get() - the nearest property of this name as a number; @none if there is none, or it
 * is none */
static int64_t
number_get(dev_t dev, dev_info_t *dip, uint_t flags, const char *name, int64_t none)
{
	int64_t value = none;
	bool is_found = false;

	for (; dip != NULL && name != NULL && !is_found; dip = dip->parent) {
		const struct prop *p;

		mutex_enter(&dip->props.lock);
		p = list_find(&dip->props, dev, name);
		is_found = p != NULL;
		if (p != NULL && p->type == PROP_BOOLEAN)
			value = 1;
		else if (p != NULL && p->type == PROP_INT && p->count > 0)
			value = *(const int *)(const void *)p->data;
		else if (p != NULL && p->type == PROP_INT64 && p->count > 0)
			value = *(const int64_t *)(const void *)p->data;
		mutex_exit(&dip->props.lock);
		if ((flags & DDI_PROP_DONTPASS) != 0)
			break;
	}
	return value;
}

int
ddi_prop_get_int(dev_t dev, dev_info_t *dip, uint_t flags, const char *name, int defvalue)
{
	int64_t value = number_get(dev, dip, flags, name, defvalue);

	return value < INT32_MIN || value > INT32_MAX ? defvalue : (int)value;
}

int64_t
ddi_prop_get_int64(dev_t dev, dev_info_t *dip, uint_t flags, const char *name, int64_t defvalue)
{
	return number_get(dev, dip, flags, name, defvalue);
}

int
ddi_getprop(dev_t dev, dev_info_t *dip, int flags, const char *name, int defvalue)
{
	return ddi_prop_get_int(dev, dip, (uint_t)flags, name, defvalue);
}

int
ddi_prop_exists(dev_t dev, dev_info_t *dip, uint_t flags, const char *name)
{
	int is_found = 0, is_undefined = 0;

	for (; dip != NULL && name != NULL && !is_found; dip = dip->parent) {
		const struct prop *p;

		mutex_enter(&dip->props.lock);
		p = list_find(&dip->props, dev, name);
		is_found = p != NULL;
		is_undefined = p != NULL && p->type == PROP_UNDEF;
		mutex_exit(&dip->props.lock);
		if ((flags & DDI_PROP_DONTPASS) != 0)
			break;
	}
	return is_found && !is_undefined;
}

static int
update_strings(enum prop_owner owner, dev_t dev, dev_info_t *dip, const char *name,
    char *const *data, uint_t count)
{
	size_t size = 0, at = 0, len;
	struct prop *p;

	if (dip == NULL || name == NULL || *name == '\0' || (data == NULL && count > 0))
		return DDI_PROP_INVAL_ARG;
	for (uint_t i = 0; i < count; i++)
		size += strlen(data[i]) + 1;
	p = prop_new(dev == DDI_DEV_T_ANY ? DDI_DEV_T_NONE : dev, name, PROP_STRING, count,
	    size);
	if (p == NULL)
		return DDI_PROP_NO_MEMORY;
	for (uint_t i = 0; i < count; i++, at += len) {
		len = strlen(data[i]) + 1;
		memcpy(p->data + at, data[i], len);
	}
	return prop_put(dip, owner, p);
}

static int
update_string(enum prop_owner owner, dev_t dev, dev_info_t *dip, const char *name,
    const char *data)
{
	if (data == NULL)
		return DDI_PROP_INVAL_ARG;
	return prop_update(owner, dev, dip, name, PROP_STRING, data, 1, strlen(data) + 1);
}

static int
prop_remove(enum prop_owner owner, dev_t dev, dev_info_t *dip, const char *name)
{
	struct prop *p;

	if (name == NULL || *name == '\0')
		return DDI_PROP_INVAL_ARG;
	mutex_enter(&dip->props.lock);
	p = owner_find(&dip->props, owner, dev, name);
	if (p != NULL)
		STAILQ_REMOVE(&dip->props.props[owner], p, prop, link);
	mutex_exit(&dip->props.lock);
	if (p == NULL)
		return DDI_PROP_NOT_FOUND;
	free(p);
	return DDI_PROP_SUCCESS;
}

static void
prop_remove_all(enum prop_owner owner, dev_info_t *dip)
{
	mutex_enter(&dip->props.lock);
	list_clear(&dip->props, owner);
	mutex_exit(&dip->props.lock);
}

/*
 * Those of the driver.
 */

int
ddi_prop_update_int(dev_t dev, dev_info_t *dip, const char *name, int data)
{
	return ddi_prop_update_int_array(dev, dip, name, &data, 1);
}

int
ddi_prop_update_int_array(dev_t dev, dev_info_t *dip, const char *name, const int *data,
    uint_t count)
{
	return prop_update(PROP_DRIVER, dev, dip, name, PROP_INT, data, count,
	    count * sizeof(*data));
}

int
ddi_prop_update_int64(dev_t dev, dev_info_t *dip, const char *name, int64_t data)
{
	return ddi_prop_update_int64_array(dev, dip, name, &data, 1);
}

int
ddi_prop_update_int64_array(dev_t dev, dev_info_t *dip, const char *name, const int64_t *data,
    uint_t count)
{
	return prop_update(PROP_DRIVER, dev, dip, name, PROP_INT64, data, count,
	    count * sizeof(*data));
}

int
ddi_prop_update_string(dev_t dev, dev_info_t *dip, const char *name, const char *data)
{
	return update_string(PROP_DRIVER, dev, dip, name, data);
}

int
ddi_prop_update_string_array(dev_t dev, dev_info_t *dip, const char *name, char *const *data,
    uint_t count)
{
	return update_strings(PROP_DRIVER, dev, dip, name, data, count);
}

int
ddi_prop_update_byte_array(dev_t dev, dev_info_t *dip, const char *name, const uchar_t *data,
    uint_t count)
{
	return prop_update(PROP_DRIVER, dev, dip, name, PROP_BYTE, data, count, count);
}

int
ddi_prop_create(dev_t dev, dev_info_t *dip, int flags UNUSED, const char *name,
    const void *value, int length)
{
	if (length < 0)
		return DDI_PROP_INVAL_ARG;
	if (length == 0)
		return prop_update(PROP_DRIVER, dev, dip, name, PROP_BOOLEAN, NULL, 0, 0);
	return prop_update(PROP_DRIVER, dev, dip, name, PROP_BYTE, value, (unsigned int)length,
	    (size_t)length);
}

int
ddi_prop_undefine(dev_t dev, dev_info_t *dip, int flags UNUSED, const char *name)
{
	return prop_update(PROP_DRIVER, dev, dip, name, PROP_UNDEF, NULL, 0, 0);
}

int
ddi_prop_remove(dev_t dev, dev_info_t *dip, const char *name)
{
	return prop_remove(PROP_DRIVER, dev, dip, name);
}

void
ddi_prop_remove_all(dev_info_t *dip)
{
	prop_remove_all(PROP_DRIVER, dip);
}

/*
 * Those of the framework and of parents.
 */

int
ndi_prop_update_int(dev_t dev, dev_info_t *dip, const char *name, int data)
{
	return prop_update(PROP_SYSTEM, dev, dip, name, PROP_INT, &data, 1, sizeof(data));
}

int
ndi_prop_update_int_array(dev_t dev, dev_info_t *dip, const char *name, const int *data,
    uint_t count)
{
	return prop_update(PROP_SYSTEM, dev, dip, name, PROP_INT, data, count,
	    count * sizeof(*data));
}

int
ndi_prop_update_int64(dev_t dev, dev_info_t *dip, const char *name, int64_t data)
{
	return prop_update(PROP_SYSTEM, dev, dip, name, PROP_INT64, &data, 1, sizeof(data));
}

int
ndi_prop_update_string(dev_t dev, dev_info_t *dip, const char *name, const char *data)
{
	return update_string(PROP_SYSTEM, dev, dip, name, data);
}

int
ndi_prop_update_string_array(dev_t dev, dev_info_t *dip, const char *name, char *const *data,
    uint_t count)
{
	return update_strings(PROP_SYSTEM, dev, dip, name, data, count);
}

int
ndi_prop_update_byte_array(dev_t dev, dev_info_t *dip, const char *name, const uchar_t *data,
    uint_t count)
{
	return prop_update(PROP_SYSTEM, dev, dip, name, PROP_BYTE, data, count, count);
}

int
ndi_prop_remove(dev_t dev, dev_info_t *dip, const char *name)
{
	return prop_remove(PROP_SYSTEM, dev, dip, name);
}

void
ndi_prop_remove_all(dev_info_t *dip)
{
	prop_remove_all(PROP_SYSTEM, dip);
}
