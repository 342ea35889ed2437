/*
 * mock_sgl.h - a scatter/gather list as a chip reads it
 *
 * Source    MPI 1.5: scatter/gather elements
 */
#ifndef TESTS_MPTSAS_MOCK_SGL_H
#define TESTS_MPTSAS_MOCK_SGL_H

#include <stdbool.h>

#include "hw/mptsas/ring.h"

struct sgl_piece {
	uint64_t iova;
	uint32_t len;
	bool is_out;			/* towards the device */
};

/* sgl_at_fn - where @len bytes at @iova are; fails the test when they are nowhere */
typedef void *(*sgl_at_fn)(void *arg, uint64_t iova, uint32_t len);

/**
 * sgl_read() - the pieces of a SCSI IO request
 *
 * Fails the test for anything a chip would not accept: an unknown element, one that leaves its
 * segment, a segment without an end, a piece of no length, data beyond what the header says.
 *
 * Returns:  how many there are; 0: no data
 */
unsigned int sgl_read(const uint8_t *frame, uint32_t frame_bytes, sgl_at_fn at, void *arg,
    struct sgl_piece *pieces, unsigned int max);

#endif /* TESTS_MPTSAS_MOCK_SGL_H */
