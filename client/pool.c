#include <errno.h>
#include <stdalign.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/queue.h>

#include "base/fault.h"
#include "client/pool.h"

#define APPEND_ROOM_MIN	16u

/* One malloc each: answers are small and rare. */
struct piece {
	SLIST_ENTRY(piece) link;
	alignas(max_align_t) unsigned char bytes[];
};

struct pool {
	SLIST_HEAD(, piece) pieces;
	alignas(max_align_t) unsigned char answer[];
};

static struct pool *
pool_of(void *answer)
{
	return container_of(answer, struct pool, answer);
}

void *
pool_new(size_t len)
{
	struct pool *pool = fault_hit() ? NULL : calloc(1, sizeof(*pool) + len);

	if (pool == NULL)
		return NULL;
	SLIST_INIT(&pool->pieces);
	return pool->answer;
}

void
pool_free(void *answer)
{
	struct pool *pool;
	struct piece *piece;

	if (answer == NULL)
		return;
	pool = pool_of(answer);
	while ((piece = SLIST_FIRST(&pool->pieces)) != NULL) {
		SLIST_REMOVE_HEAD(&pool->pieces, link);
		free(piece);
	}
	free(pool);
}

void *
pool_alloc(void *answer, size_t len)
{
	struct piece *piece = fault_hit() ? NULL : calloc(1, sizeof(*piece) + len);

	if (piece == NULL)
		return NULL;
	SLIST_INSERT_HEAD(&pool_of(answer)->pieces, piece, link);
	return piece->bytes;
}

const char *
pool_text(void *answer, const char *text)
{
	size_t len;
	char *copy;

	if (text == NULL || text[0] == '\0')
		return "";
	len = strlen(text) + 1;
	copy = pool_alloc(answer, len);
	if (copy != NULL)
		memcpy(copy, text, len);
	return copy;
}

int
pool_texts(void *answer, const struct pool_pair *pairs, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		*pairs[i].to = pool_text(answer, pairs[i].from);
		if (*pairs[i].to == NULL)
			return -ENOMEM;
	}
	return 0;
}

/* items that an array of @n has room for; 0 for none */
static size_t
room_for(size_t n)
{
	size_t room = n == 0 ? 0 : APPEND_ROOM_MIN;

	while (room < n)
		room *= 2;
	return room;
}

void *
pool_append(void *answer, const void *items, size_t n, size_t add, size_t item_len)
{
	void *grown;

	if (n > 0 && n + add <= room_for(n))
		return (void *)(uintptr_t)items;
	grown = pool_alloc(answer, room_for(n + add) * item_len);
	if (grown != NULL && n > 0)
		memcpy(grown, items, n * item_len);
	return grown;
}
