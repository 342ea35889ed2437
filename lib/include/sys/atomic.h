/*
 * sys/atomic.h - integers and pointers changed in one step, and barriers for shared rings
 *
 * What      Every operation is sequentially consistent. "_nv" gives the new value; cas and swap
 *           give the old one. The membar_ functions order memory shared with a device or
 *           another process, and are real fences, not for the compiler alone.
 * Thread    Any context.
 * Source    atomic_ops(9F), membar_ops(9F)
 */
#ifndef SYS_DDI_ATOMIC_H
#define SYS_DDI_ATOMIC_H

#include <sys/types.h>

#define ATOMIC_OPS(suffix, type, delta)                                        \
	static inline void                                                     \
	atomic_inc_##suffix(volatile type *p)                                  \
	{                                                                      \
		(void)__atomic_add_fetch(p, 1, __ATOMIC_SEQ_CST);              \
	}                                                                      \
	static inline void                                                     \
	atomic_dec_##suffix(volatile type *p)                                  \
	{                                                                      \
		(void)__atomic_sub_fetch(p, 1, __ATOMIC_SEQ_CST);              \
	}                                                                      \
	static inline type                                                     \
	atomic_inc_##suffix##_nv(volatile type *p)                             \
	{                                                                      \
		return __atomic_add_fetch(p, 1, __ATOMIC_SEQ_CST);             \
	}                                                                      \
	static inline type                                                     \
	atomic_dec_##suffix##_nv(volatile type *p)                             \
	{                                                                      \
		return __atomic_sub_fetch(p, 1, __ATOMIC_SEQ_CST);             \
	}                                                                      \
	static inline void                                                     \
	atomic_add_##suffix(volatile type *p, delta d)                         \
	{                                                                      \
		(void)__atomic_add_fetch(p, (type)d, __ATOMIC_SEQ_CST);        \
	}                                                                      \
	static inline type                                                     \
	atomic_add_##suffix##_nv(volatile type *p, delta d)                    \
	{                                                                      \
		return __atomic_add_fetch(p, (type)d, __ATOMIC_SEQ_CST);       \
	}                                                                      \
	static inline void                                                     \
	atomic_or_##suffix(volatile type *p, type bits)                        \
	{                                                                      \
		(void)__atomic_or_fetch(p, bits, __ATOMIC_SEQ_CST);            \
	}                                                                      \
	static inline type                                                     \
	atomic_or_##suffix##_nv(volatile type *p, type bits)                   \
	{                                                                      \
		return __atomic_or_fetch(p, bits, __ATOMIC_SEQ_CST);           \
	}                                                                      \
	static inline void                                                     \
	atomic_and_##suffix(volatile type *p, type bits)                       \
	{                                                                      \
		(void)__atomic_and_fetch(p, bits, __ATOMIC_SEQ_CST);           \
	}                                                                      \
	static inline type                                                     \
	atomic_and_##suffix##_nv(volatile type *p, type bits)                  \
	{                                                                      \
		return __atomic_and_fetch(p, bits, __ATOMIC_SEQ_CST);          \
	}                                                                      \
	static inline type                                                     \
	atomic_cas_##suffix(volatile type *p, type old, type new)              \
	{                                                                      \
		(void)__atomic_compare_exchange_n(p, &old, new, 0,             \
		    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);                       \
		return old;                                                    \
	}                                                                      \
	static inline type                                                     \
	atomic_swap_##suffix(volatile type *p, type new)                       \
	{                                                                      \
		return __atomic_exchange_n(p, new, __ATOMIC_SEQ_CST);          \
	}

ATOMIC_OPS(8, uint8_t, int8_t)
ATOMIC_OPS(16, uint16_t, int16_t)
ATOMIC_OPS(32, uint32_t, int32_t)
ATOMIC_OPS(64, uint64_t, int64_t)
ATOMIC_OPS(uchar, uchar_t, signed char)
ATOMIC_OPS(ushort, ushort_t, short)
ATOMIC_OPS(uint, uint_t, int)
ATOMIC_OPS(ulong, ulong_t, long)

/* atomic_cas_ptr() - if *@p is @old, store @new; what *@p was */
static inline void *
atomic_cas_ptr(volatile void *p, void *old, void *new)
{
	(void)__atomic_compare_exchange_n((void *volatile *)p, &old, new, 0,
	    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
	return old;
}

static inline void *
atomic_swap_ptr(volatile void *p, void *new)
{
	return __atomic_exchange_n((void *volatile *)p, new, __ATOMIC_SEQ_CST);
}

/* membar_producer() - stores before it are seen before stores after it */
static inline void
membar_producer(void)
{
	__atomic_thread_fence(__ATOMIC_RELEASE);
}

/* membar_consumer() - loads before it are done before loads after it */
static inline void
membar_consumer(void)
{
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
}

/* membar_enter(), membar_exit() - full barriers around a critical section made by hand */
static inline void
membar_enter(void)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

static inline void
membar_exit(void)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

#endif /* SYS_DDI_ATOMIC_H */
