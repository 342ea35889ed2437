/*
 * hw/pci/mmio.h - one access to a mapped register, in order
 *
 * What      A put comes behind all earlier stores to memory, a get before all later loads. On
 *           x86 the processor does that with ordinary memory and registers by itself, only the
 *           compiler has to be told; others need a barrier that reaches devices. Several
 *           threads may write one register, a doorbell: each access is one by itself.
 * Thread    Any.
 */
#ifndef HW_PCI_MMIO_H
#define HW_PCI_MMIO_H

#include <endian.h>
#include <stdint.h>

static inline void
mmio_barrier(void)
{
#if defined(__aarch64__)
	__asm__ volatile("dmb osh" ::: "memory");
#elif defined(__x86_64__) || defined(__i386__)
	__asm__ volatile("" ::: "memory");
#else
	__sync_synchronize();
#endif
}

/* mmio_get(), mmio_put() - @width 1, 2, 4 or 8; registers are little endian */
static inline uint64_t
mmio_get(const volatile void *at, unsigned int width)
{
	uint64_t value;

	switch (width) {
	case 1:
		value = __atomic_load_n((const volatile uint8_t *)at, __ATOMIC_RELAXED);
		break;
	case 2:
		value = le16toh(__atomic_load_n((const volatile uint16_t *)at,
		    __ATOMIC_RELAXED));
		break;
	case 4:
		value = le32toh(__atomic_load_n((const volatile uint32_t *)at,
		    __ATOMIC_RELAXED));
		break;
	default:
		value = le64toh(__atomic_load_n((const volatile uint64_t *)at,
		    __ATOMIC_RELAXED));
		break;
	}
	mmio_barrier();
	return value;
}

static inline void
mmio_put(volatile void *at, unsigned int width, uint64_t value)
{
	mmio_barrier();
	switch (width) {
	case 1:
		__atomic_store_n((volatile uint8_t *)at, (uint8_t)value, __ATOMIC_RELAXED);
		break;
	case 2:
		__atomic_store_n((volatile uint16_t *)at, htole16((uint16_t)value),
		    __ATOMIC_RELAXED);
		break;
	case 4:
		__atomic_store_n((volatile uint32_t *)at, htole32((uint32_t)value),
		    __ATOMIC_RELAXED);
		break;
	default:
		__atomic_store_n((volatile uint64_t *)at, htole64(value), __ATOMIC_RELAXED);
		break;
	}
}

#endif /* HW_PCI_MMIO_H */
