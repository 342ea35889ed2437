/*
 * scsactl/tree.h - what is connected to what
 *
 * What      HBAs, the ports of each, the phys that form them, units and expanders behind each.
 */
#ifndef SCSACTL_TREE_H
#define SCSACTL_TREE_H

#include <json-c/json.h>

#include "client/scsac.h"

/* tree_print() - for people; units of one port stand together in @list */
void tree_print(const struct scsac_list *list);

/* tree_json() - "ports", "phys" and "expanders" of the document */
void tree_json(json_object *root, const struct scsac_list *list);

#endif /* SCSACTL_TREE_H */
