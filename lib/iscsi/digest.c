/* digest.c - CRC32C by isa-l */
#include <isa-l/crc.h>

#include "base/bytes.h"
#include "base/num.h"
#include "iscsi/digest.h"

#define PIECE_MAX	(1u << 30)	/* isa-l counts with an int */

uint32_t
iscsi_digest_add(uint32_t crc, const void *data, size_t len)
{
	uint8_t *at = (uint8_t *)(uintptr_t)data; /* only read */

	while (len > 0) {
		size_t n = num_min(len, PIECE_MAX);

		crc = crc32_iscsi(at, (int)n, crc);
		at += n;
		len -= n;
	}
	return crc;
}

uint32_t
iscsi_digest(const void *data, size_t len)
{
	return iscsi_digest_end(iscsi_digest_add(iscsi_digest_start(), data, len));
}

uint32_t
iscsi_digest_padded(const void *data, size_t len)
{
	static const uint8_t zeros[4];
	uint32_t crc = iscsi_digest_add(iscsi_digest_start(), data, len);

	return iscsi_digest_end(iscsi_digest_add(crc, zeros, -len & 3));
}

/* the polynomial's bits are mirrored: its lowest byte goes first (RFC 7143 section 13.1) */
void
iscsi_digest_put(uint8_t wire[ISCSI_DIGEST_LEN], uint32_t digest)
{
	le32_put(wire, digest);
}

uint32_t
iscsi_digest_get(const uint8_t wire[ISCSI_DIGEST_LEN])
{
	return le32_get(wire);
}
