#include <string.h>
#include <sys/sunddi.h>

/* the header declares them without parameters, to fit members of any type */
#pragma GCC diagnostic ignored "-Wmissing-prototypes"

int
nodev(void)
{
	return ENXIO;
}

int
nulldev(void)
{
	return 0;
}

int
ddi_no_info(void)
{
	return DDI_FAILURE;
}

int
nochpoll(void)
{
	return ENXIO;
}

int
ddi_prop_op(void)
{
	return DDI_PROP_NOT_FOUND;
}

int
ddi_quiesce_not_needed(void)
{
	return DDI_SUCCESS;
}

int
ddi_quiesce_not_supported(void)
{
	return DDI_FAILURE;
}

int
ddi_copyin(const void *src, void *dst, size_t len, int flags __attribute__((unused)))
{
	memcpy(dst, src, len);
	return 0;
}

int
ddi_copyout(const void *src, void *dst, size_t len, int flags __attribute__((unused)))
{
	memcpy(dst, src, len);
	return 0;
}
