/*
 * fuzz_config.c - a configuration file of any bytes
 *
 * Either it is accepted, and then everything in it is inside its limits, or there is one line
 * that says what is wrong.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "daemon/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config config;
	char err[CONFIG_ERR_LEN], path[40];
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	config_init(&config);
	memset(err, 0x55, sizeof(err));
	if (config_load(&config, path, err) < 0) {
		assert(memchr(err, '\0', sizeof(err)) != NULL && err[0] != '\0');
		assert(memchr(err, '\n', strlen(err)) == NULL);
	} else {
		assert(config.n_hbas <= CONFIG_HBAS_MAX && config.n_access <= CONFIG_ACCESS_MAX);
		assert(config.connections > 0 && config.requests > 0);
	}
	config_fini(&config);
	(void)close(fd);
	return 0;
}
