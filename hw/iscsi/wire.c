/* a connection: opened, logged in, served, closed; and what libiscsi calls instead of libc */
#include "hw/iscsi/wire_impl.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "base/text.h"

#define USER_TIMEOUT_MS	15000	/* data that nobody acknowledges: the connection is broken */

static _Thread_local struct wire *wire_now;

struct wire *
wire_enter(struct wire *wire)
{
	struct wire *before = wire_now;

	wire_now = wire;
	return before;
}

void
wire_leave(struct wire *before)
{
	wire_now = before;
}

/*
 * In place of functions of the C library (see CMakeLists.txt).
 */

ssize_t wire_hook_recv(int fd, void *buf, size_t len, int flags);
ssize_t wire_hook_readv(int fd, const struct iovec *iov, int niov);
ssize_t wire_hook_writev(int fd, const struct iovec *iov, int niov);
char *wire_hook_getenv(const char *name);
int wire_hook_rand(void);
void iscsi_init_iser_transport(struct iscsi_context *ctx);

/* @n bytes have come where @want would fit; -1 ends the connection */
static ssize_t
hook_judge(void *buf, size_t want, ssize_t n)
{
	struct screen *s = &wire_now->screen;
	int err = errno;

	/* libiscsi has no words of its own for these two */
	if (n == 0)
		wire_die(wire_now, "the target has closed the connection");
	else if (n < 0 && err != EAGAIN && err != EINTR)
		wire_die(wire_now, "connection lost: %s", strerror(err));
	errno = err;
	if (n <= 0 || screen_take(s, buf, want, (size_t)n))
		return n;
	wire_now->is_liar = true;
	wire_die(wire_now, "the target lies: %s", s->lie);
	errno = EBADMSG;
	return -1;
}

ssize_t
wire_hook_recv(int fd, void *buf, size_t len, int flags)
{
	return hook_judge(buf, len, recv(fd, buf, len, flags));
}

ssize_t
wire_hook_readv(int fd, const struct iovec *iov, int niov)
{
	return hook_judge(NULL, 0, readv(fd, iov, niov));
}

ssize_t
wire_hook_writev(int fd, const struct iovec *iov, int niov)
{
	struct msghdr msg = { .msg_iov = (struct iovec *)(uintptr_t)iov,
		.msg_iovlen = (size_t)niov };

	return sendmsg(fd, &msg, MSG_NOSIGNAL);
}

char *
wire_hook_getenv(const char *name)
{
	(void)name;
	return NULL;
}

/* challenges of CHAP, the first CmdSN, tags */
int
wire_hook_rand(void)
{
	unsigned int n;

	while (getrandom(&n, sizeof(n), 0) != sizeof(n))
		continue;
	return (int)(n & 0x7fffffff);
}

/* nobody asks for iSER */
void
iscsi_init_iser_transport(struct iscsi_context *ctx)
{
	(void)ctx;
}

/*
 * Ends.
 */

void
wire_die(struct wire *wire, const char *fmt, ...)
{
	va_list ap;

	if (wire->error[0] == '\0') {
		va_start(ap, fmt);
		(void)vsnprintf(wire->error, sizeof(wire->error), fmt, ap);
		va_end(ap);
	}
	wire->state = WIRE_DEAD;
}

void
wire_die_of_error(struct wire *wire, const char *what)
{
	const char *error = iscsi_get_error(wire->ctx);
	size_t len = strcspn(error, "\n");
	char shown[160];

	wire_die(wire, "%s%s%s", what, len == 0 ? "" : ": ",
	    text_escape(error, len, shown, sizeof(shown)));
}

/*
 * The way up. Callbacks of libiscsi only take notes: it still stands on what would be freed.
 */

static void
logged_in(struct iscsi_context *ctx, int status, void *data, void *private)
{
	struct wire *wire = private;
	const char *address = iscsi_get_target_address(ctx);

	(void)data;
	if (wire->is_closing || wire->state == WIRE_DEAD)
		return;
	if (status == SCSI_STATUS_GOOD) {
		wire->state = WIRE_UP;
		return;
	}
	/* libiscsi knows a temporary redirection as such; a permanent one is an error with an
	 * address */
	if (address[0] != '\0' &&
	    text_copy(wire->redirect, sizeof(wire->redirect), address)) {
		wire->is_redirected = true;
		wire_die(wire, "redirected");
		return;
	}
	wire_die_of_error(wire, "login refused");
}

static void
connected(struct iscsi_context *ctx, int status, void *data, void *private)
{
	struct wire *wire = private;

	(void)data;
	if (wire->is_closing || wire->state == WIRE_DEAD)
		return;
	if (status != SCSI_STATUS_GOOD) {
		wire_die_of_error(wire, "no connection");
		return;
	}
	wire->state = WIRE_LOGIN;
	if (iscsi_login_async(ctx, logged_in, wire) != 0)
		wire_die_of_error(wire, "no login");
}

static const enum iscsi_header_digest digests[ISCSI_HBA_DIGEST_N] = {
	[ISCSI_HBA_DIGEST_NONE] = ISCSI_HEADER_DIGEST_NONE,
	[ISCSI_HBA_DIGEST_PREFER] = ISCSI_HEADER_DIGEST_CRC32C_NONE,
	[ISCSI_HBA_DIGEST_CRC32C] = ISCSI_HEADER_DIGEST_CRC32C,
};

static void
wire_prepare(struct wire *wire, const struct wire_conf *conf)
{
	const struct iscsi_hba_target *target = conf->target;
	struct iscsi_context *ctx = wire->ctx;

	(void)iscsi_set_targetname(ctx, target->name);
	(void)iscsi_set_session_type(ctx, ISCSI_SESSION_NORMAL);
	(void)iscsi_set_header_digest(ctx, digests[target->header_digest]);
	(void)iscsi_set_isid_random(ctx, conf->isid, conf->isid_qualifier);
	(void)iscsi_set_initiator_username_pwd(ctx, target->chap.user, target->chap.secret);
	(void)iscsi_set_target_username_pwd(ctx, target->mutual.user, target->mutual.secret);
	iscsi_set_noautoreconnect(ctx, 1);
	iscsi_set_tcp_user_timeout(ctx, USER_TIMEOUT_MS);
	wire->screen.want_digest = target->header_digest == ISCSI_HBA_DIGEST_CRC32C;
}

static int
wire_alloc(struct wire *wire, const struct wire_conf *conf)
{
	wire->nslots = conf->target->depth;
	wire->slots = calloc(wire->nslots, sizeof(*wire->slots));
	/* pages of zeros cost nothing until they are read, and little then */
	wire->zeros = mmap(NULL, WIRE_XFER_MAX, PROT_READ,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (wire->zeros == MAP_FAILED)
		wire->zeros = NULL;
	wire->ctx = iscsi_create_context(conf->initiator);
	if (wire->slots == NULL || wire->zeros == NULL || wire->ctx == NULL)
		return -ENOMEM;
	for (unsigned int i = 0; i < wire->nslots; i++) {
		wire->slots[i].wire = wire;
		TAILQ_INSERT_TAIL(&wire->free, &wire->slots[i], link);
	}
	return 0;
}

static void
wire_closep(struct wire **wire)
{
	wire_close(*wire);
}

int
wire_open(const struct wire_conf *conf, struct wire **ret_wire, char *reterr)
{
	CLEANUP(wire_closep) struct wire *wire = calloc(1, sizeof(*wire));
	struct wire *before;
	int r;

	(void)text_copy(reterr, WIRE_ERR_LEN, "out of memory");
	if (wire == NULL)
		return -ENOMEM;
	wire->ops = conf->ops;
	wire->arg = conf->arg;
	TAILQ_INIT(&wire->free);
	TAILQ_INIT(&wire->busy);
	TAILQ_INIT(&wire->early);
	screen_init(&wire->screen, wire_tag_find, wire);
	r = wire_alloc(wire, conf);
	if (r < 0)
		return r;
	wire_prepare(wire, conf);
	before = wire_enter(wire);
	r = iscsi_connect_async(wire->ctx, conf->portal, connected, wire);
	wire_leave(before);
	if (r != 0) {
		wire_die_of_error(wire, "no connection");
		(void)text_copy(reterr, WIRE_ERR_LEN, wire->error);
		return -EHOSTUNREACH;
	}
	*ret_wire = STEAL(wire);
	return 0;
}

void
wire_close(struct wire *wire)
{
	struct wire *before;

	if (wire == NULL)
		return;
	wire->is_closing = true;
	before = wire_enter(wire);
	if (wire->ctx != NULL)
		(void)iscsi_destroy_context(wire->ctx);
	wire_leave(before);
	for (unsigned int i = 0; wire->slots != NULL && i < wire->nslots; i++)
		free(wire->slots[i].task.datain.data);
	if (wire->zeros != NULL)
		(void)munmap(wire->zeros, WIRE_XFER_MAX);
	free(wire->slots);
	free(wire);
}

/*
 * Service.
 */

int
wire_fd(const struct wire *wire)
{
	return iscsi_get_fd(wire->ctx);
}

short
wire_events(const struct wire *wire)
{
	return (short)iscsi_which_events(wire->ctx);
}

void
wire_service(struct wire *wire, short revents)
{
	struct wire *before = wire_enter(wire);
	bool was_up = wire->state == WIRE_UP;
	int r = wire->state == WIRE_DEAD ? 0 : iscsi_service(wire->ctx, revents);

	wire_leave(before);
	if (wire->state == WIRE_DEAD)
		return;
	if (r < 0)
		wire_die_of_error(wire, was_up ? "connection lost" : "no connection");
	else if (was_up && !iscsi_is_logged_in(wire->ctx))
		wire_die(wire, "logged out");
	else
		wire_drained(wire);
}

enum wire_state
wire_state(const struct wire *wire)
{
	return wire->state;
}

const char *
wire_error(const struct wire *wire)
{
	return wire->error;
}

bool
wire_is_liar(const struct wire *wire)
{
	return wire->is_liar;
}

const char *
wire_redirect(const struct wire *wire)
{
	return wire->is_redirected ? wire->redirect : NULL;
}

static void
ponged(struct iscsi_context *ctx, int status, void *data, void *private)
{
	struct wire *wire = private;

	(void)ctx;
	(void)data;
	wire->pongs += status == SCSI_STATUS_GOOD;
}

int
wire_ping(struct wire *wire)
{
	if (wire->state != WIRE_UP)
		return -ENOTCONN;
	return iscsi_nop_out_async(wire->ctx, ponged, NULL, 0, wire) == 0 ? 0 : -ENOMEM;
}

uint64_t
wire_pongs(const struct wire *wire)
{
	return wire->pongs;
}

void
wire_logout(struct wire *wire)
{
	if (wire->state != WIRE_UP || iscsi_logout_async(wire->ctx, NULL, NULL) != 0)
		wire_die(wire, "logged out");
}
