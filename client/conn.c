#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include "base/fault.h"
#include "base/text.h"
#include "client/scsac_impl.h"

#define CALL_TIMEOUT_MS	180000u

int
scsac_new(const char *name, struct scsac **ret)
{
	CLEANUP(free_ptr) struct scsac *c = NULL;

	if (strlen(name) > PROTO_NAME_MAX)
		return -EINVAL;
	c = fault_hit() ? NULL : calloc(1, sizeof(*c));
	if (c == NULL)
		return -ENOMEM;
	c->in = fault_hit() ? NULL : malloc(IN_BUF_LEN);
	if (c->in == NULL)
		return -ENOMEM;
	if (requests_resize(c, CALLS_MAX) < 0) {
		free(c->in);
		return -ENOMEM;
	}
	(void)text_copy(c->name, sizeof(c->name), name);
	c->fd = -1;
	LIST_INIT(&c->rings);
	c->timeout_ms = CALL_TIMEOUT_MS;
	outq_init(&c->out, request_sent, c);
	arena_init(&c->arena, ARENA_FACTOR_REPLY);
	*ret = STEAL(c);
	return 0;
}

int
scsac_set_initiator(struct scsac *c, const char *name)
{
	if (name != NULL && strlen(name) > PROTO_NAME_MAX)
		return error_local(c, -EINVAL, "", "the initiator's name is too long");
	(void)text_copy(c->initiator, sizeof(c->initiator), name == NULL ? "" : name);
	return 0;
}

void
scsac_free(struct scsac *c)
{
	if (c == NULL)
		return;
	assert(c->callback_depth == 0);
	scsac_disconnect(c);
	rings_fini(c);
	memory_fini(c);
	outq_fini(&c->out);
	arena_fini(&c->arena);
	free(c->requests);
	free(c->in);
	free(c);
}

/* What happened to a packet whose daemon is gone, nobody knows. */
static void
request_orphan(struct scsac *c, struct request *req, int err)
{
	if (req->kind != REQUEST_PACKET) {
		request_finish(c, req, err);
		return;
	}
	if (!req->is_answered) {
		memset(&req->result, 0, sizeof(req->result));
		req->result.reason = SCSAC_TRAN_ERR;
		req->result.is_unknown = true;
		req->result.resid = req->data_len;
	}
	req->is_sent = true;
	request_finish(c, req, 0);
}

static void
conn_close(struct scsac *c, int err)
{
	if (c->state == CONN_IDLE)
		return;
	c->state = CONN_IDLE;
	close_fd(&c->fd);
	memory_forget(c);
	outq_clear(&c->out);
	c->in_start = 0;
	c->in_end = 0;
	c->data_req = NULL;
	c->data_left = 0;
	c->event = NULL;
	c->is_doomed = false;
	memset(&c->info, 0, sizeof(c->info));
	STAILQ_INIT(&c->ready);
	for (size_t i = 0; i < c->requests_len; i++) {
		if (c->requests[i].kind != REQUEST_FREE)
			request_orphan(c, &c->requests[i], err);
	}
	rings_lose(c);
}

void
conn_lost(struct scsac *c, int err, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	(void)error_local(c, err, "", "%s", text);
	conn_close(c, err);
}

void
conn_doom(struct scsac *c, int err)
{
	c->is_doomed = true;
	c->doom_err = err;
}

void
conn_doom_now(struct scsac *c)
{
	if (c->is_doomed)
		conn_close(c, c->doom_err);
}

void
scsac_disconnect(struct scsac *c)
{
	if (c->callback_depth == 0)
		conn_close(c, -ENOTCONN);
	else if (c->state != CONN_IDLE)	/* else it is for the next connection */
		conn_doom(c, -ENOTCONN);
}

/* The daemon may lower what we asked for; what it grants is checked against our own bounds. */
static int
hello_limits(struct scsac *c, const Scsad__Limits *limits)
{
	uint32_t packets_max = PROTO_REQUESTS_DEFAULT;
	uint32_t data_max = PROTO_DATA_DEFAULT;

	if (limits != NULL && limits->has_requests_max)
		packets_max = limits->requests_max;
	if (limits != NULL && limits->has_data_bytes_max)
		data_max = limits->data_bytes_max;
	if (packets_max == 0 || packets_max > PROTO_REQUESTS_MAX || data_max > PROTO_DATA_MAX)
		return error_local(c, -EBADMSG, "", "daemon grants limits that cannot be");
	c->info.packets_max = packets_max;
	c->info.data_max = data_max;
	c->limits.data_max = data_max;
	return 0;
}

static int
hello_take(struct call *call, const ProtobufCMessage *reply)
{
	const Scsad__HelloReply *msg = (const void *)reply;
	struct scsac *c = call->arg;

	if (msg->major != PROTO_MAJOR || msg->minor > PROTO_MINOR)
		return error_local(c, -EPROTONOSUPPORT, "use programs of the same version",
		    "daemon speaks protocol %u.%u, this library %u.%u", msg->major, msg->minor,
		    PROTO_MAJOR, PROTO_MINOR);
	(void)text_copy(c->info.version, sizeof(c->info.version),
	    msg->version != NULL ? msg->version : "");
	c->info.protocol_minor = msg->minor;
	c->info.role = (enum scsac_role)msg->role;
	c->info.generation = msg->generation;
	c->features = msg->features & PROTO_FEATURES;
	if (msg->has_instance)
		memcpy(c->info.instance, msg->instance.data, SCSAC_INSTANCE_LEN);
	return hello_limits(c, msg->limits);
}

static int
hello_queue(struct scsac *c)
{
	Scsad__HelloRequest msg = SCSAD__HELLO_REQUEST__INIT;

	msg.client_name = c->name;
	msg.initiator = c->initiator[0] == '\0' ? NULL : c->initiator;
	msg.has_major = 1;
	msg.major = PROTO_MAJOR;
	msg.has_minor_min = 1;
	msg.minor_min = PROTO_MINOR_MIN;
	msg.has_minor_max = 1;
	msg.minor_max = PROTO_MINOR;
	msg.has_features_optional = 1;
	msg.features_optional = PROTO_FEATURES;
	c->hello = (struct call){ .take = hello_take, .arg = c };
	return call_queue(c, METHOD_HELLO, &msg.base, &c->hello);
}

int
scsac_start_fd(struct scsac *c, int fd)
{
	const struct timeval tick = { .tv_sec = 1 };
	int flags = fcntl(fd, F_GETFL);
	int r;

	if (c->callback_depth > 0) {
		/* the packets of the connection before are being told of its end */
		close_fd(&fd);
		return error_local(c, -EDEADLK, "", "a callback must not connect");
	}
	if (c->state != CONN_IDLE) {
		close_fd(&fd);
		return error_local(c, -EISCONN, "", "connected already");
	}
	/* io_process() blocks in recv when it may, and passes MSG_DONTWAIT when it may not */
	if (flags < 0 || fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tick, sizeof(tick)) < 0) {
		r = -errno;
		close_fd(&fd);
		return error_local(c, r, "", "socket cannot be used: %s", strerror(-r));
	}
	r = requests_resize(c, CALLS_MAX);
	if (r < 0) {
		close_fd(&fd);
		return error_local(c, r, "", "out of memory");
	}
	c->limits = (struct frame_limits){ PROTO_MESSAGE_MAX, 0 };
	c->fd = fd;
	c->state = CONN_HELLO;
	r = hello_queue(c);
	if (r < 0)
		conn_lost(c, r, "out of memory");
	return r;
}

static const char *
connect_hint(int err)
{
	switch (-err) {
	case ENOENT:
	case ECONNREFUSED:
		return "start scsad, or name its socket by --socket or $SCSAD_SOCKET";
	case EACCES:
		return "ask for membership in the group of the socket";
	default:
		return "";
	}
}

/* a connected socket, or negative errno; a path that is too long is not there */
static int
path_connect(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	CLEANUP(close_fd) int fd = -1;

	if (!text_copy(addr.sun_path, sizeof(addr.sun_path), path))
		return -ENAMETOOLONG;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		return -errno;
	return STEAL_FD(fd);
}

/* where a daemon of this user would be, or NULL */
static const char *
path_of_user(char *dst, size_t size)
{
	const char *dir = secure_getenv("XDG_RUNTIME_DIR");

	if (dir == NULL || dir[0] != '/' ||
	    snprintf(dst, size, "%s/" PROTO_SOCKET_OF_USER, dir) >= (int)size)
		return NULL;
	return dst;
}

/* nobody has said where: the system's daemon, then one that this user has started */
static int
default_connect(struct scsac *c)
{
	char buf[sizeof(((struct sockaddr_un *)0)->sun_path)];
	const char *own = path_of_user(buf, sizeof(buf));
	int fd, first = path_connect(PROTO_SOCKET_DEFAULT);

	if (first >= 0)
		return first;
	if (own == NULL || (first != -ENOENT && first != -ECONNREFUSED && first != -EACCES))
		return error_local(c, first, connect_hint(first), "cannot connect to %s: %s",
		    PROTO_SOCKET_DEFAULT, strerror(-first));
	fd = path_connect(own);
	if (fd >= 0)
		return fd;
	return error_local(c, first == -ENOENT ? fd : first,
	    connect_hint(first == -ENOENT ? fd : first),
	    "cannot connect to %s: %s, nor to %s: %s", PROTO_SOCKET_DEFAULT, strerror(-first),
	    own, strerror(-fd));
}

int
scsac_start(struct scsac *c, const char *path)
{
	int fd;

	if (path == NULL)
		path = secure_getenv(PROTO_SOCKET_ENV);
	if (path == NULL || path[0] == '\0') {
		fd = default_connect(c);
		return fd < 0 ? fd : scsac_start_fd(c, fd);
	}
	fd = path_connect(path);
	if (fd == -ENAMETOOLONG)
		return error_local(c, fd, "", "socket path is longer than %zu bytes",
		    sizeof(((struct sockaddr_un *)0)->sun_path) - 1);
	if (fd < 0)
		return error_local(c, fd, connect_hint(fd), "cannot connect to %s: %s", path,
		    strerror(-fd));
	return scsac_start_fd(c, fd);
}

int
scsac_connect(struct scsac *c, const char *path)
{
	int r;

	if (c->callback_depth > 0)
		return error_local(c, -EDEADLK, "", "a callback must not wait");
	if (c->state == CONN_IDLE) {
		r = scsac_start(c, path);
		if (r < 0)
			return r;
	}
	if (c->state == CONN_READY)
		return error_local(c, -EISCONN, "", "connected already");
	return call_wait(c, &c->hello, c->timeout_ms);
}

bool
scsac_is_ready(const struct scsac *c)
{
	return c->state == CONN_READY;
}

void
scsac_set_timeout(struct scsac *c, unsigned timeout_ms)
{
	c->timeout_ms = timeout_ms;
}

const struct scsac_info *
scsac_info(const struct scsac *c)
{
	return &c->info;
}
