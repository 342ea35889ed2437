/*
 * daemon/tree.h - the ports and expanders that are attached now
 *
 * What      Iports and expanders come and go by themselves, on threads of the framework. A tree
 *           hears of each attach and detach of a node and keeps what there is, so that a loop
 *           can look without a lock of the device tree, and tells the daemon.
 * Life      tree_new() before the first HBA is attached, tree_free() after the last is gone.
 * Names     A port is "soft0/iport0", an expander "soft0/iport0/smp@w5000c500a0000000".
 * Thread    new, free: the main thread. The rest: any; a short lock.
 */
#ifndef DAEMON_TREE_H
#define DAEMON_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/dditypes.h>
#include <sys/queue.h>

#include "base/compiler.h"
#include "lu/lu.h"

#define TREE_IPORT_LEN	64	/* unit address of an iport, with its NUL */

enum tree_kind { TREE_PORT, TREE_EXPANDER, TREE_KIND_N };

struct tree_node {
	TAILQ_ENTRY(tree_node) entry;	/* the tree only; in order of appearance */
	enum tree_kind kind;
	dev_info_t *dip;		/* a reference */
	char path[LU_PATH_MAX];
	char hba[32];
	char iport[TREE_IPORT_LEN];
	uint64_t wwn;			/* of an expander; so the rest: "" when unknown */
	char vendor[16], product[32], revision[16];
};

/* tree_fn - a node has come, or gone; on the thread that attached it, must not block */
typedef void (*tree_fn)(void *arg, const struct tree_node *node, bool is_added);

struct tree;

/* tree_new() - begin to listen; 0 or -ENOMEM */
int tree_new(tree_fn fn, void *arg, struct tree **ret_tree) MUST_CHECK;
void tree_free(struct tree *tree);	/* NULL is fine */

/**
 * tree_list() - copies of all nodes of a kind
 *
 * @hba      only those of this HBA; NULL: all
 * @ret      @ret_n nodes, their dip is NULL; the caller frees it
 *
 * Returns:  0, or -ENOMEM
 */
int tree_list(struct tree *tree, enum tree_kind kind, const char *hba, struct tree_node **ret,
    size_t *ret_n) MUST_CHECK;

/**
 * tree_find() - the node called @name: its path, or an unambiguous tail of it behind '/' or '@'
 *
 * @ret         a copy; its dip is a reference for devi_unref()
 * @candidates  -ENOTUNIQ: the paths that fit, separated by blanks, cut at @size
 *
 * Returns:  0, -ENOENT, -ENOTUNIQ
 */
int tree_find(struct tree *tree, enum tree_kind kind, const char *name, struct tree_node *ret,
    char *candidates, size_t size) MUST_CHECK;

#endif /* DAEMON_TREE_H */
