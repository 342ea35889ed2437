/*
 * lu/view.h - which units an initiator sees, under which LUN, and what it may do there
 *
 * What      A view is a list LUN -> unit and command classes. Front ends make one from their
 *           configuration for each initiator (many may share one), look LUNs up in it, and give
 *           it to the nexuses they open: REPORT LUNS tells what is in it, and copy commands
 *           reach no further. Commands to a LUN that is not in the view are answered here,
 *           with no unit at all.
 * Life      lu_view_new() -> references -> freed with the last one. A view never changes: a
 *           change is a new view and lu_view_diff().
 * Owner     The view holds a reference to each of its units. A nexus holds one to its view,
 *           from lu_nexus_open() until after gone().
 * Thread    Any: views are constant. lu_nexus_set_view(): the unit's home.
 * Limits    LU_VIEW_MAX entries; LUNs 0..LU_VIEW_LUN_MAX.
 * Source    SAM-5 4.7 (LUNs), 4.7.11 (incorrect LUNs); SPC-4 6.33 (REPORT LUNS), 6.6 (INQUIRY)
 */
#ifndef LU_VIEW_H
#define LU_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

#define LU_VIEW_LUN_MAX		16383u	/* peripheral below 256, flat above */
#define LU_VIEW_MAX		16384u
#define LU_VIEW_ERR_LEN		160

struct lu;
struct lu_nexus;
struct lu_port;
struct lu_task;
struct lu_view;

struct lu_view_entry {
	struct lu *unit;		/* never NULL */
	uint32_t lun;			/* 0..LU_VIEW_LUN_MAX */
	uint32_t classes;		/* LU_CLASS() of every op_policy allowed */
	uint32_t weight;		/* of its nexus (struct lu_nexus) */
};

/**
 * lu_view_new() - make a view
 *
 * @entries  @n of them, in any order; 0 is fine. Units are borrowed: the view takes references
 *           of its own
 * @ret      the view
 * @err      LU_VIEW_ERR_LEN bytes or NULL: for people, which LUN and why
 *
 * Returns:  0
 *           -EINVAL   a LUN out of range, an entry without a unit
 *           -EEXIST   a LUN twice, or a unit twice: to one initiator a unit has one LUN
 *           -E2BIG    more than LU_VIEW_MAX entries
 *           -ENOMEM
 */
int lu_view_new(const struct lu_view_entry *entries, size_t n, struct lu_view **ret,
    char err[LU_VIEW_ERR_LEN]) MUST_CHECK;

struct lu_view *lu_view_ref(struct lu_view *view);	/* NULL is fine */
void lu_view_unref(struct lu_view *view);		/* NULL is fine */

/* lu_view_count(), lu_view_at() - the entries, in rising order of LUN; NULL has none */
size_t lu_view_count(const struct lu_view *view);
const struct lu_view_entry *lu_view_at(const struct lu_view *view, size_t i);

/* lu_view_find() - the entry of a LUN as lunfmt_get() gave it, in whatever addressing method;
 * NULL if it is not in the view. Borrowed from @view */
const struct lu_view_entry *lu_view_find(const struct lu_view *view, uint64_t lun);

/* lu_view_find_unit() - the entry of @unit; NULL if it is not in the view */
const struct lu_view_entry *lu_view_find_unit(const struct lu_view *view,
    const struct lu *unit);

/* ------ changes ------ */

enum lu_view_change {
	LU_VIEW_CAME,		/* the LUN is new: @before is NULL */
	LU_VIEW_WENT,		/* the LUN is gone: @after is NULL */
	LU_VIEW_OTHER,		/* the LUN leads to another unit */
	LU_VIEW_CLASSES,	/* the same unit, other classes */
};

/* called for one difference; @before and @after are borrowed from the views */
typedef void lu_view_diff_fn(void *arg, enum lu_view_change change,
    const struct lu_view_entry *before, const struct lu_view_entry *after);

/**
 * lu_view_diff() - what differs between two views
 *
 * @before   NULL is an empty view
 * @after    NULL is an empty view
 * @fn       called in rising order of LUN; may be NULL
 *
 * Returns:  true if the inventory differs: something came, went, or is another unit; then
 *           every remaining nexus owes its initiator a REPORTED LUNS DATA HAS CHANGED.
 *           Classes alone are no such change
 */
bool lu_view_diff(const struct lu_view *before, const struct lu_view *after,
    lu_view_diff_fn *fn, void *arg);

/**
 * lu_nexus_set_view() - the initiator sees other units from now on
 *
 * @nexus    open; its unit is in @view, or the caller ends the nexus next
 * @view     the nexus takes a reference; NULL for none
 *
 * nexus->classes and weight become those of its unit's entry. If the inventory differs, the
 * nexus gets unit attention 3Fh/0Eh, once; if it may write from now on, or not any more,
 * 2Ah/01h, because MODE SENSE tells it so by WP. Nothing else: tasks in flight go on.
 *
 * Thread:   the unit's home
 * Source:   SPC-4 6.33
 */
void lu_nexus_set_view(struct lu_nexus *nexus, struct lu_view *view);

/* ------ LUNs without a unit ------ */

/**
 * lu_view_answer_absent() - answer a command to a LUN that is not in the view
 *
 * @view     NULL is an empty view
 * @lun      as lunfmt_get() gave it
 * @port     where the command came in; NULL is the local one
 * @task     cdb, cdb_len, data, data_len and dir are set; gets reason, status, sense, residual
 *           and data as if a unit had answered. Neither nexus nor done() is looked at
 *
 * INQUIRY says qualifier 011b and type 1Fh; REPORT LUNS tells the view to LUN 0 and to the
 * well known unit REPORT LUNS (C101h), which also answers INQUIRY, REQUEST SENSE and TEST UNIT
 * READY; REQUEST SENSE returns, and everything else ends with, 05h 25h/00h.
 *
 * Thread:   any; at once, nothing is kept
 * Source:   SAM-5 4.7.11; SPC-4 6.6.1, 6.33, 6.39, 8 (well known units)
 */
void lu_view_answer_absent(const struct lu_view *view, uint64_t lun,
    const struct lu_port *port, struct lu_task *task);

/**
 * lu_view_report() - REPORT LUNS parameter data
 *
 * @view     NULL is an empty view
 * @select   SELECT REPORT
 * @buf      @size bytes, written as far as they reach; the header counts the whole list
 * @ret_len  bytes of the whole list
 *
 * Returns:  0
 *           -EINVAL   @select is reserved
 * Source:   SPC-4 6.33
 */
int lu_view_report(const struct lu_view *view, uint8_t select, void *buf, size_t size,
    size_t *ret_len) MUST_CHECK;

/* lu_view_do_report_luns() - handler (lu_local_ops) of REPORT LUNS: the view of the nexus,
 * which thereby has heard of 3Fh/0Eh; without a view it is the device's */
void lu_view_do_report_luns(struct lu *lu, struct lu_task *task);

#endif /* LU_VIEW_H */
