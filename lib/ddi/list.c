#include <sys/list.h>

#include "base/compiler.h"
#include "base/log.h"
#include "ddi/violation.h"

static inline list_node_t *
to_node(const list_t *list, void *object)
{
	return (list_node_t *)(void *)((char *)object + list->list_offset);
}

static inline void *
to_object(list_t *list, list_node_t *node)
{
	if (node == &list->list_head)
		return NULL;
	return (char *)node - list->list_offset;
}

static void
insert_between(list_node_t *node, list_node_t *prev, list_node_t *next)
{
	node->list_prev = prev;
	node->list_next = next;
	prev->list_next = node;
	next->list_prev = node;
}

void
list_create(list_t *list, size_t size, size_t offset)
{
	list->list_size = size;
	list->list_offset = offset;
	list->list_head.list_next = &list->list_head;
	list->list_head.list_prev = &list->list_head;
}

void
list_destroy(list_t *list)
{
	if (!list_is_empty(list))
		ddi_violation("list-busy", "list %p destroyed with objects", (void *)list);
	list->list_head = (list_node_t){ 0 };
}

void
list_insert_after(list_t *list, void *object, void *nobject)
{
	list_node_t *at = object == NULL ? &list->list_head : to_node(list, object);

	insert_between(to_node(list, nobject), at, at->list_next);
}

void
list_insert_before(list_t *list, void *object, void *nobject)
{
	list_node_t *at = object == NULL ? &list->list_head : to_node(list, object);

	insert_between(to_node(list, nobject), at->list_prev, at);
}

void
list_insert_head(list_t *list, void *object)
{
	list_insert_after(list, NULL, object);
}

void
list_insert_tail(list_t *list, void *object)
{
	list_insert_before(list, NULL, object);
}

void
list_remove(list_t *list, void *object)
{
	list_node_t *node = to_node(list, object);

	if (!list_link_active(node)) {
		log_debug("list %p: object %p removed though not linked, ignored", (void *)list,
		    object);
		return;
	}
	node->list_prev->list_next = node->list_next;
	node->list_next->list_prev = node->list_prev;
	list_link_init(node);
}

void *
list_remove_head(list_t *list)
{
	void *object = list_head(list);

	if (object != NULL)
		list_remove(list, object);
	return object;
}

void *
list_remove_tail(list_t *list)
{
	void *object = list_tail(list);

	if (object != NULL)
		list_remove(list, object);
	return object;
}

void *
list_head(list_t *list)
{
	return to_object(list, list->list_head.list_next);
}

void *
list_tail(list_t *list)
{
	return to_object(list, list->list_head.list_prev);
}

void *
list_next(list_t *list, void *object)
{
	return to_object(list, to_node(list, object)->list_next);
}

void *
list_prev(list_t *list, void *object)
{
	return to_object(list, to_node(list, object)->list_prev);
}

int
list_is_empty(list_t *list)
{
	return list->list_head.list_next == &list->list_head;
}

void
list_move_tail(list_t *dst, list_t *src)
{
	list_node_t *first = src->list_head.list_next, *last = src->list_head.list_prev;
	list_node_t *tail = dst->list_head.list_prev;

	if (list_is_empty(src))
		return;
	tail->list_next = first;
	first->list_prev = tail;
	last->list_next = &dst->list_head;
	dst->list_head.list_prev = last;
	src->list_head.list_next = &src->list_head;
	src->list_head.list_prev = &src->list_head;
}

void
list_link_init(list_node_t *node)
{
	node->list_next = NULL;
	node->list_prev = NULL;
}

int
list_link_active(list_node_t *node)
{
	return node->list_next != NULL;
}

void
list_link_replace(list_node_t *old, list_node_t *new)
{
	insert_between(new, old->list_prev, old->list_next);
	list_link_init(old);
}
