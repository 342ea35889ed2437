#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "client/scsac_impl.h"

int
error_local(struct scsac *c, int err, const char *hint, const char *fmt, ...)
{
	va_list ap;

	memset(&c->error, 0, sizeof(c->error));
	c->error.code = SCSAC_LOCAL;
	c->error.sys_errno = -err;
	va_start(ap, fmt);
	(void)vsnprintf(c->error.text, sizeof(c->error.text), fmt, ap);
	va_end(ap);
	(void)text_copy(c->error.hint, sizeof(c->error.hint), hint);
	return err;
}

static void
error_candidates(struct scsac_error *error, const Scsad__Error *msg)
{
	size_t at = 0;

	for (size_t i = 0; i < msg->n_candidates; i++) {
		size_t len = strlen(msg->candidates[i]);

		/* a cut name would name something else */
		if (at + len + 2 > sizeof(error->candidates))
			return;
		memcpy(error->candidates + at, msg->candidates[i], len);
		error->candidates[at + len] = '\n';
		at += len + 1;
		error->candidates[at] = '\0';
	}
}

int
error_remote(struct scsac *c, const Scsad__Error *msg)
{
	struct scsac_error *error = &c->error;
	Scsad__ErrorCode code = msg->has_code ? msg->code : SCSAD__ERROR_CODE__ERR_INTERNAL;

	memset(error, 0, sizeof(*error));
	error->code = (enum scsac_code)code;
	error->sys_errno = msg->sys_errno > 0 && msg->sys_errno < 4096 ? msg->sys_errno : 0;
	(void)text_copy(error->text, sizeof(error->text),
	    msg->text != NULL ? msg->text : error_code_name(code));
	if (msg->hint != NULL)
		(void)text_copy(error->hint, sizeof(error->hint), msg->hint);
	error_candidates(error, msg);
	if (code == SCSAD__ERROR_CODE__ERR_IO && error->sys_errno > 0)
		return -error->sys_errno;
	return code == SCSAD__ERROR_CODE__ERR_NONE ? -EIO : error_code_to_errno(code);
}

const struct scsac_error *
scsac_last_error(const struct scsac *c)
{
	return &c->error;
}
