/*
 * client/pool.h - memory of one answer, freed in one piece
 *
 * What      Lists that the caller gets are made of many strings and arrays; all of them come
 *           from the answer's pool.
 * Life      pool_new() gives the answer's own struct; pool_free() takes it and all that belongs
 *           to it. Arrays that grow double their room, and leave their old copy in the pool
 *           until then.
 * Thread    One a pool.
 */
#ifndef CLIENT_POOL_H
#define CLIENT_POOL_H

#include <stddef.h>

#include "base/compiler.h"

/* pool_new() - a zeroed answer of @len bytes; NULL without memory */
void *pool_new(size_t len);

/* pool_free() - the answer and all of its memory; NULL is fine */
void pool_free(void *answer);

/* pool_alloc() - @len zeroed bytes that live as long as @answer; NULL without memory */
void *pool_alloc(void *answer, size_t len);

/* pool_text() - a copy of @text, "" for NULL; NULL without memory */
const char *pool_text(void *answer, const char *text);

/* pool_texts() - pool_text() for each of @n rows, so that no failed copy is forgotten; 0 or
 * -ENOMEM */
struct pool_pair {
	const char **to;
	const char *from;
};

int pool_texts(void *answer, const struct pool_pair *pairs, size_t n);

/**
 * pool_append() - room for @add more items behind the @n of @items
 *
 * @items    of an earlier call, with as many items as were asked for; NULL when @n is 0
 *
 * Returns:  the new array, first @n items copied, the others zero; NULL without memory
 */
void *pool_append(void *answer, const void *items, size_t n, size_t add, size_t item_len);

#endif /* CLIENT_POOL_H */
