/* compiled with -DSCSA_MOD=own: the same driver under names of its own */
#include "module_tiny.c"
