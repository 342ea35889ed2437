#include "daemon/activation.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#ifdef HAVE_SYSTEMD
#include <systemd/sd-daemon.h>
#endif

#define FDS_MAX	128

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int fds[FDS_MAX];
static int n_fds = -1;		/* not asked yet */

/* lock held */
static void
fds_find(void)
{
	n_fds = 0;
#ifdef HAVE_SYSTEMD
	int n = sd_listen_fds(1);

	for (int i = 0; i < n && n_fds < FDS_MAX; i++)
		if (sd_is_socket(SD_LISTEN_FDS_START + i, AF_UNSPEC, SOCK_STREAM, 1) > 0)
			fds[n_fds++] = SD_LISTEN_FDS_START + i;
#endif
}

static bool
is_same(const struct sockaddr *a, const struct sockaddr_storage *b)
{
	const struct sockaddr_in6 *a6 = (const void *)a, *b6 = (const void *)b;
	const struct sockaddr_in *a4 = (const void *)a, *b4 = (const void *)b;

	if (a->sa_family != b->ss_family)
		return false;
	if (a->sa_family == AF_INET)
		return a4->sin_port == b4->sin_port &&
		    a4->sin_addr.s_addr == b4->sin_addr.s_addr;
	return a->sa_family == AF_INET6 && a6->sin6_port == b6->sin6_port &&
	    a6->sin6_scope_id == b6->sin6_scope_id &&
	    memcmp(&a6->sin6_addr, &b6->sin6_addr, sizeof(a6->sin6_addr)) == 0;
}

int
activation_take(const struct sockaddr *addr)
{
	int found = -1;

	(void)pthread_mutex_lock(&lock);
	if (n_fds < 0)
		fds_find();
	for (int i = 0; i < n_fds && found < 0; i++) {
		struct sockaddr_storage at = { 0 };
		socklen_t len = sizeof(at);

		if (getsockname(fds[i], (struct sockaddr *)&at, &len) < 0 || !is_same(addr, &at))
			continue;
		found = fds[i];
		fds[i] = fds[--n_fds];
	}
	(void)pthread_mutex_unlock(&lock);
	if (found >= 0)
		(void)fcntl(found, F_SETFL, fcntl(found, F_GETFL) | O_NONBLOCK);
	return found;
}
