/*
 * scsa/smp.h - expanders for the process that hosts the framework
 *
 * What      The target driver "smp": it attaches the nodes of expanders that answer, and lets
 *           the process send them requests. Without it, expanders that a target map reports
 *           have no node.
 * Life      scsa_smp_init() once, before HBA nodes are attached; scsa_smp_fini() after they are
 *           gone.
 * Source    smp(4D), SPL-3
 */
#ifndef SCSA_SMP_H
#define SCSA_SMP_H

#include <stddef.h>
#include <stdint.h>
#include <sys/dditypes.h>

#include "base/compiler.h"

/* scsa_smp_init(), scsa_smp_fini() - register the driver "smp", and take it away; 0 or
 * -errno */
int scsa_smp_init(void) MUST_CHECK;
int scsa_smp_fini(void);

/**
 * scsa_smp_command() - one exchange with an expander
 *
 * @dip       its node, "smp@w..."; attached
 * @req       request frame of @req_bytes bytes, without CRC; 8 to 1032
 * @rsp       room for @rsp_bytes bytes of the answer; 8 to 1032
 * @timeout_s 0: 60
 *
 * Exchanges with one expander take turns.
 *
 * Returns:   0
 *            -ENODEV     no attached expander
 *            -EINVAL     a length out of bounds
 *            -EOVERFLOW  the answer was longer; @rsp has its beginning
 *            -errno      what the HBA driver said
 * Thread:    blocks until the answer is there
 */
int scsa_smp_command(dev_info_t *dip, const void *req, size_t req_bytes, void *rsp,
    size_t rsp_bytes, unsigned int timeout_s) MUST_CHECK;

#endif /* SCSA_SMP_H */
