/*
 * tests/pci/mock_tree.h - a folder that looks like /sys and /dev of a machine
 */
#ifndef TESTS_PCI_MOCK_TREE_H
#define TESTS_PCI_MOCK_TREE_H

#include <stddef.h>

#include "base/compiler.h"

#define TREE_FN		"0000:00:10.0"

extern char tree_root[];	/* the folder, while there is one */

void tree_begin(void);
void tree_end(void);

/* tree_file() - a file of @bytes zeros, or @text; folders on the way are made */
void tree_file(const char *path, const char *text);
void tree_zeros(const char *path, size_t bytes);
void tree_fifo(const char *path);
void tree_link(const char *path, const char *to);
void tree_remove(const char *path);

/* tree_path() - path in the folder; valid until the next call */
const char *tree_path(const char *path);

#endif /* TESTS_PCI_MOCK_TREE_H */
