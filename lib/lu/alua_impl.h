/*
 * lu/alua_impl.h - the inside of the machine of lu/alua.h
 *
 * What      struct alua, for alua.c (states), alua_rtpg.c (parameter data) and alua_unit.c
 *           (units).
 */
#ifndef LU_ALUA_IMPL_H
#define LU_ALUA_IMPL_H

#include "lu/alua.h"

struct alua {
	enum alua_mode mode;
	bool is_restricted;	/* some group is neither optimized nor non-optimized */
	bool is_busy;		/* a SET TARGET PORT GROUPS is at work (alua_unit.c) */
	size_t n_groups;
	size_t n_ports;
	struct alua_group groups[ALUA_GROUPS_MAX];	/* in order of appearance */
	struct alua_port ports[ALUA_PORTS_MAX];		/* in order of binding */
};

/* alua_group_find() - NULL if there is none */
struct alua_group *alua_group_find(struct alua *alua, uint16_t id);

#endif /* LU_ALUA_IMPL_H */
