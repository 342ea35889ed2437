#include <sys/modctl.h>

/* has no _fini */
int
_init(void)
{
	return 0;
}
