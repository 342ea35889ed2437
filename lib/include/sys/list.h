/*
 * sys/list.h - intrusive lists of the kernel's kind
 *
 * What      A list knows where in its objects the node lies. A node of zeros is not linked.
 * Owner     The objects belong to the caller; an object is on one list a node.
 * Thread    The caller's lock.
 * Limits    list_remove() of an object that is not linked is logged and ignored: drivers that
 *           were written for the kernel do it on rare paths.
 * Source    list_create(9F)
 */
#ifndef SYS_DDI_LIST_H
#define SYS_DDI_LIST_H

#include <sys/types.h>

typedef struct list_node {
	struct list_node *list_next;	/* this file only */
	struct list_node *list_prev;
} list_node_t;

typedef struct list {
	size_t list_size;
	size_t list_offset;
	struct list_node list_head;
} list_t;

/* list_create() - an empty list of objects of @size bytes with their node at @offset */
void list_create(list_t *list, size_t size, size_t offset);

/* list_destroy() - the end of an empty list; one with objects is a violation "list-busy" */
void list_destroy(list_t *list);

void list_insert_after(list_t *list, void *object, void *nobject);
void list_insert_before(list_t *list, void *object, void *nobject);
void list_insert_head(list_t *list, void *object);
void list_insert_tail(list_t *list, void *object);

void list_remove(list_t *list, void *object);
void *list_remove_head(list_t *list);		/* NULL when empty */
void *list_remove_tail(list_t *list);

void *list_head(list_t *list);			/* NULL when empty */
void *list_tail(list_t *list);
void *list_next(list_t *list, void *object);	/* NULL behind the last */
void *list_prev(list_t *list, void *object);
int list_is_empty(list_t *list);

/* list_move_tail() - append all of @src to @dst; @src is empty afterwards */
void list_move_tail(list_t *dst, list_t *src);

void list_link_init(list_node_t *node);		/* now not linked */
int list_link_active(list_node_t *node);
void list_link_replace(list_node_t *old, list_node_t *new);

#endif /* SYS_DDI_LIST_H */
