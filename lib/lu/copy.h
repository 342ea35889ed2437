/*
 * lu/copy.h - third-party copy: EXTENDED COPY(LID1) and what is told of it afterwards
 *
 * What      Handlers of the commands with which an initiator has data moved between units
 *           without moving it itself. Both ends are looked up among the units of its view alone
 *           (without a view: all units), need READ at the source and WRITE at the destination,
 *           and every read and write is a command of that initiator through its port:
 *           reservations and access states stop it as they would stop the initiator.
 * Names     A CSCD descriptor names a unit by a designator of its page 83h. Candidates are
 *           found by what units said when they were attached; before anything is moved each is
 *           asked again.
 * Results   Results of a copy with LIST ID USAGE 00b are held (copy_result.h); of one that
 *           failed, whatever the usage but 11b.
 * Ends      GOOD; COPY ABORTED 0Ah with 08h/04h (a CSCD identifier without a descriptor),
 *           0Dh/02h (no such unit in the view, or it is gone), 0Dh/03h (not a block device),
 *           0Dh/01h (an end refused a read or a write), 00h/00h (blocks beyond the end),
 *           26h/0Ah (ends or sizes that are no whole blocks of both units), all with a segment
 *           pointer to the descriptor; 05h 20h/02h without the class; BUSY when too many run.
 *           Segments before the one that failed have been copied, of that one perhaps a part.
 * Thread    The home of the unit that got the command. Lists of other units are not touched.
 * Limits    copy_list.h
 * Source    SPC-4 5.16, 6.4, 6.18 to 6.21
 */
#ifndef LU_COPY_H
#define LU_COPY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "lu/copy_list.h"

struct lu;
struct lu_nexus;
struct lu_task;

#define COPY_IDENT_MAX	8	/* designators of a unit that it can be named by */

/* lu_copy_is_here() - does this layer copy for the unit? Others' commands are the device's */
bool lu_copy_is_here(const struct lu *lu);

/**
 * lu_copy_identify() - keep what page 83h says of a unit that attaches
 *
 * @page     @len bytes of the page; 0: the device has none, and the unit cannot be named
 *
 * Returns:  0 or -ENOMEM
 */
int lu_copy_identify(struct lu *lu, const void *page, size_t len) MUST_CHECK;

/* copy_page_has() - has page 83h a designator of the logical unit like @desig? */
bool copy_page_has(const void *page, size_t len, const struct copy_desig *desig);

/* lu_copy_nexus_gone() - its results are forgotten; no copy of it is left */
void lu_copy_nexus_gone(struct lu *lu, const struct lu_nexus *nexus);

/* lu_copy_fini() - all results, and the names; with the last reference to the unit */
void lu_copy_fini(struct lu *lu);

/* lu_copy_end_refused() - @task ends as copy_result_begin() said */
void lu_copy_end_refused(struct lu_task *task, int r);

/* lu_copy_unit() - a reference to a unit that the nexus may reach: by @desig, or when that is
 * NULL by @id (lu_id()), and the classes it has there; NULL */
struct lu *lu_copy_unit(const struct lu_nexus *nexus, const struct copy_desig *desig,
    uint64_t id, uint32_t *ret_classes);

/* handlers (lu_local_ops): EXTENDED COPY(LID1); RECEIVE COPY STATUS, DATA, FAILURE DETAILS
 * (LID1) and OPERATING PARAMETERS; those of the family that are not there: refused, because the
 * device would copy for whom it does not know */
void lu_copy_do_extended(struct lu *lu, struct lu_task *task);
void lu_copy_do_receive(struct lu *lu, struct lu_task *task);
void lu_copy_do_refuse(struct lu *lu, struct lu_task *task);

#endif /* LU_COPY_H */
