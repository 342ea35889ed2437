/*
 * iscsi/digest.h - CRC32C over headers and data segments
 *
 * What      One checksum over one piece, or over several pieces in turn; the four bytes as they
 *           travel.
 * Thread    Any; no state.
 * Source    RFC 7143 section 13.1, appendix A.4 of RFC 3720 for vectors: 32 zeros are aa 36 91
 *           8a.
 */
#ifndef ISCSI_DIGEST_H
#define ISCSI_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ISCSI_DIGEST_LEN	4

/* iscsi_digest_start(), _add(), _end(): pieces in the order of the wire, padding included */
static inline uint32_t
iscsi_digest_start(void)
{
	return 0xffffffffu;
}

uint32_t iscsi_digest_add(uint32_t crc, const void *data, size_t len);

static inline uint32_t
iscsi_digest_end(uint32_t crc)
{
	return ~crc;
}

/* iscsi_digest() - of @len bytes in one piece */
uint32_t iscsi_digest(const void *data, size_t len);

/* iscsi_digest_padded() - of a data segment whose padding (zeros) is not behind it in memory */
uint32_t iscsi_digest_padded(const void *data, size_t len);

/* iscsi_digest_put(), iscsi_digest_get() - the four bytes on the wire */
void iscsi_digest_put(uint8_t wire[ISCSI_DIGEST_LEN], uint32_t digest);
uint32_t iscsi_digest_get(const uint8_t wire[ISCSI_DIGEST_LEN]);

#endif /* ISCSI_DIGEST_H */
