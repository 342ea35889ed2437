#include "daemon/tree.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/scsi/scsi.h>
#include <sys/sunddi.h>

#include "base/fault.h"
#include "base/log.h"
#include "base/text.h"
#include "ddi/devtree.h"

struct tree {
	tree_fn fn;
	void *arg;
	pthread_mutex_t lock;
	TAILQ_HEAD(, tree_node) nodes;
};

/* ------ what a node is ------ */

/* a string property of the node itself; false, and "", when it has none */
static bool
prop_copy(dev_info_t *dip, const char *name, char *dst, size_t size)
{
	char *text;

	dst[0] = '\0';
	if (ddi_prop_lookup_string(DDI_DEV_T_ANY, dip, DDI_PROP_DONTPASS,
	    (char *)(uintptr_t)name, &text) != DDI_PROP_SUCCESS)
		return false;
	(void)text_escape(text, strlen(text), dst, size);
	ddi_prop_free(text);
	return true;
}

static bool
hba_name(dev_info_t *iport, char *dst, size_t size)
{
	dev_info_t *hba = ddi_get_parent(iport);

	return hba != NULL && prop_copy(hba, LU_PROP_HBA_NAME, dst, size);
}

static bool
port_read(dev_info_t *dip, struct tree_node *node)
{
	if (!prop_copy(dip, "scsi-iport", node->iport, sizeof(node->iport)) ||
	    !hba_name(dip, node->hba, sizeof(node->hba)))
		return false;
	node->kind = TREE_PORT;
	(void)snprintf(node->path, sizeof(node->path), "%s/%s", node->hba, node->iport);
	return true;
}

static bool
expander_read(dev_info_t *dip, struct tree_node *node)
{
	dev_info_t *port = ddi_get_parent(dip);
	char wwn[24];

	if (port == NULL || !prop_copy(dip, "smp-wwn", wwn, sizeof(wwn)) ||
	    !prop_copy(port, "scsi-iport", node->iport, sizeof(node->iport)) ||
	    !hba_name(port, node->hba, sizeof(node->hba)))
		return false;
	node->kind = TREE_EXPANDER;
	(void)scsi_wwnstr_to_wwn(wwn, &node->wwn);
	(void)prop_copy(dip, "inquiry-vendor-id", node->vendor, sizeof(node->vendor));
	(void)prop_copy(dip, "inquiry-product-id", node->product, sizeof(node->product));
	(void)prop_copy(dip, "inquiry-revision-id", node->revision, sizeof(node->revision));
	(void)snprintf(node->path, sizeof(node->path), "%s/%s/smp@w%016llx", node->hba,
	    node->iport, (unsigned long long)node->wwn);
	return true;
}

/* ------ coming and going ------ */

static void
node_add(struct tree *tree, dev_info_t *dip)
{
	struct tree_node found = { .dip = dip };
	struct tree_node *node;

	if (!port_read(dip, &found) && !expander_read(dip, &found))
		return;
	node = fault_hit() ? NULL : malloc(sizeof(*node));
	if (node == NULL) {
		log_warning("%s: out of memory, it will not be listed", found.path);
		return;
	}
	*node = found;
	(void)devi_ref(dip);
	(void)pthread_mutex_lock(&tree->lock);
	TAILQ_INSERT_TAIL(&tree->nodes, node, entry);
	(void)pthread_mutex_unlock(&tree->lock);
	tree->fn(tree->arg, &found, true);
}

static void
node_remove(struct tree *tree, dev_info_t *dip)
{
	struct tree_node *node;

	(void)pthread_mutex_lock(&tree->lock);
	TAILQ_FOREACH(node, &tree->nodes, entry)
		if (node->dip == dip)
			break;
	if (node != NULL)
		TAILQ_REMOVE(&tree->nodes, node, entry);
	(void)pthread_mutex_unlock(&tree->lock);
	if (node == NULL)
		return;
	tree->fn(tree->arg, node, false);
	devi_unref(node->dip);
	free(node);
}

static int
tree_hear(enum devi_event event, dev_info_t *dip, void *arg)
{
	switch (event) {
	case DEVI_EV_ATTACHED:
		node_add(arg, dip);
		break;
	case DEVI_EV_DETACHED:
		node_remove(arg, dip);
		break;
	case DEVI_EV_DETACHING:
		break;
	}
	return 0;
}

int
tree_new(tree_fn fn, void *arg, struct tree **ret_tree)
{
	struct tree *tree = fault_hit() ? NULL : calloc(1, sizeof(*tree));

	if (tree == NULL)
		return -ENOMEM;
	tree->fn = fn;
	tree->arg = arg;
	(void)pthread_mutex_init(&tree->lock, NULL);
	TAILQ_INIT(&tree->nodes);
	devi_set_notify(tree_hear, tree);
	*ret_tree = tree;
	return 0;
}

void
tree_free(struct tree *tree)
{
	struct tree_node *node;

	if (tree == NULL)
		return;
	devi_set_notify(NULL, NULL);
	while ((node = TAILQ_FIRST(&tree->nodes)) != NULL) {
		TAILQ_REMOVE(&tree->nodes, node, entry);
		devi_unref(node->dip);
		free(node);
	}
	(void)pthread_mutex_destroy(&tree->lock);
	free(tree);
}

/* ------ looking ------ */

static bool
node_is(const struct tree_node *node, enum tree_kind kind, const char *hba)
{
	return node->kind == kind && (hba == NULL || strcmp(node->hba, hba) == 0);
}

int
tree_list(struct tree *tree, enum tree_kind kind, const char *hba, struct tree_node **ret,
    size_t *ret_n)
{
	struct tree_node *list, *node;
	size_t n = 0, i = 0;

	(void)pthread_mutex_lock(&tree->lock);
	TAILQ_FOREACH(node, &tree->nodes, entry)
		n += node_is(node, kind, hba);
	list = fault_hit() ? NULL : calloc(n + 1, sizeof(*list));
	TAILQ_FOREACH(node, &tree->nodes, entry) {
		if (list == NULL || !node_is(node, kind, hba))
			continue;
		list[i] = *node;
		list[i++].dip = NULL;
	}
	(void)pthread_mutex_unlock(&tree->lock);
	if (list == NULL)
		return -ENOMEM;
	*ret = list;
	*ret_n = n;
	return 0;
}

static bool
path_has_tail(const char *path, const char *name)
{
	size_t path_len = strlen(path), len = strlen(name);
	const char *tail;

	if (len == 0 || len >= path_len)
		return false;
	tail = path + path_len - len;
	return (tail[-1] == '/' || tail[-1] == '@') && strcmp(tail, name) == 0;
}

int
tree_find(struct tree *tree, enum tree_kind kind, const char *name, struct tree_node *ret,
    char *candidates, size_t size)
{
	struct tree_node *node, *found = NULL;
	unsigned int n = 0;

	candidates[0] = '\0';
	(void)pthread_mutex_lock(&tree->lock);
	TAILQ_FOREACH(node, &tree->nodes, entry) {
		size_t len = strlen(candidates);
		bool is_whole = strcmp(node->path, name) == 0;

		if (node->kind != kind || (!is_whole && !path_has_tail(node->path, name)))
			continue;
		found = node;
		n = is_whole ? 1 : n + 1;
		if (is_whole)
			break;
		if (len + strlen(node->path) + 2 <= size)
			(void)snprintf(candidates + len, size - len, "%s%s",
			    len > 0 ? " " : "", node->path);
	}
	if (n == 1) {
		*ret = *found;
		(void)devi_ref(ret->dip);
	}
	(void)pthread_mutex_unlock(&tree->lock);
	return n == 1 ? 0 : n == 0 ? -ENOENT : -ENOTUNIQ;
}
