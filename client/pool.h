/*
 * client/pool.h - memory of one answer, freed in one piece
 *
 * What      Lists that the caller gets are made of many strings and arrays; all of them come
 *           from the answer's pool.
 * Life      pool_new() gives the answer's own struct; pool_free() takes it and all that belongs
 *           to it. Arrays that grow leave their old copy in the pool until then.
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

/**
 * pool_append() - room for @add more items behind the @n of @items
 *
 * Returns:  the new array, first @n items copied, the others zero; NULL without memory
 */
void *pool_append(void *answer, const void *items, size_t n, size_t add, size_t item_len);

#endif /* CLIENT_POOL_H */
