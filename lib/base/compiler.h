/*
 * base/compiler.h - words that C lacks
 *
 * What      CLEANUP/STEAL (local ownership), MUST_CHECK, PRINTF_LIKE, container_of, ARRAY_LEN.
 * Owner     A CLEANUP variable owns what it holds until STEAL() hands it on.
 */
#ifndef BASE_COMPILER_H
#define BASE_COMPILER_H

#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#define CLEANUP(fn)		__attribute__((cleanup(fn)))
#define MUST_CHECK		__attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args)	__attribute__((format(printf, fmt, args)))
#define UNUSED			__attribute__((unused))
#define LIKELY(x)		__builtin_expect(!!(x), 1)
#define UNLIKELY(x)		__builtin_expect(!!(x), 0)

#define ARRAY_LEN(a)		(sizeof(a) / sizeof((a)[0]))

#define container_of(ptr, type, member)                                        \
	((type *)(void *)((char *)(ptr) - offsetof(type, member)))

/* STEAL(p) - the value of @p, which is NULL afterwards: ownership moves to the caller */
#define STEAL(p)                                                               \
	({                                                                     \
		__typeof__(p) stolen_ = (p);                                   \
		(p) = NULL;                                                    \
		stolen_;                                                       \
	})

/* STEAL_FD(fd) - the same for a file descriptor; -1 stays behind */
#define STEAL_FD(fd)                                                           \
	({                                                                     \
		int stolen_ = (fd);                                            \
		(fd) = -1;                                                     \
		stolen_;                                                       \
	})

static inline void
free_ptr(void *pp)
{
	void **p = pp;

	free(*p);
	*p = NULL;
}

static inline void
close_fd(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

/* IS_SANITIZED - 1 in a build with a sanitizer, which asks more of the kernel than we do; else
 * 0 */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SANITIZED	1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define IS_SANITIZED	1
#endif
#endif
#ifndef IS_SANITIZED
#define IS_SANITIZED	0
#endif

#endif /* BASE_COMPILER_H */
