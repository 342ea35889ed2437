#include "daemon/rpc_impl.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* what a negative errno of a room below means to a client, and what it can do */
static const struct {
	int err;
	Scsad__ErrorCode code;
	const char *text;
	const char *hint;
} refusals[] = {
	{ -ENODEV, SCSAD__ERROR_CODE__ERR_STALE_HANDLE, "the unit is gone",
	    "look at the list of units and open it again" },
	{ -ESHUTDOWN, SCSAD__ERROR_CODE__ERR_NOT_READY, "the daemon is stopping",
	    "connect again later" },
	{ -ENOENT, SCSAD__ERROR_CODE__ERR_NO_SUCH_UNIT, "no such unit",
	    "see the list of units" },
	{ -ENOTUNIQ, SCSAD__ERROR_CODE__ERR_AMBIGUOUS, "the name fits several units",
	    "use more of the path" },
	{ -EINVAL, SCSAD__ERROR_CODE__ERR_BAD_CDB, "the CDB is shorter than its opcode demands",
	    "send as many bytes as the command has" },
	{ -EFAULT, SCSAD__ERROR_CODE__ERR_BAD_MESSAGE,
	    "the data does not lie inside of that shared memory",
	    "name a memory of this connection, and a place in it" },
	{ -EPROTO, SCSAD__ERROR_CODE__ERR_BAD_CDB, "the CDB moves data the other way",
	    "give the direction that the command has" },
	{ -EMSGSIZE, SCSAD__ERROR_CODE__ERR_LIMIT, "larger than the unit takes",
	    "split the transfer, see transfer_bytes_max of the unit" },
	{ -EDQUOT, SCSAD__ERROR_CODE__ERR_LIMIT,
	    "devices that do not answer still have shared memory that you have given back",
	    "it counts; reset the units, or the HBA, whose packets have not come back" },
	{ -EACCES, SCSAD__ERROR_CODE__ERR_NOT_PERMITTED,
	    "this role may not send a command of that class",
	    "ask the administrator for more" },
	{ -EBUSY, SCSAD__ERROR_CODE__ERR_BUSY, "too much is in flight",
	    "try again after a completion" },
	{ -ENOMEM, SCSAD__ERROR_CODE__ERR_NO_MEMORY, "out of memory", "try again later" },
	{ -EOPNOTSUPP, SCSAD__ERROR_CODE__ERR_NOT_SUPPORTED, "this object cannot do that",
	    NULL },
	{ -ESTALE, SCSAD__ERROR_CODE__ERR_STALE_HANDLE, "no unit is open under this handle",
	    "open the unit again" },
};

Scsad__ErrorCode
rpc_code_of(int err)
{
	for (size_t i = 0; i < ARRAY_LEN(refusals); i++)
		if (refusals[i].err == err)
			return refusals[i].code;
	return error_code_from_errno(err);
}

void
rpc_refuse_errno(struct rpc_conn *conn, uint32_t id, uint16_t method, int err, const char *text)
{
	for (size_t i = 0; i < ARRAY_LEN(refusals); i++)
		if (refusals[i].err == err) {
			rpc_refuse(conn, id, method, &(struct rpc_refusal){
			    refusals[i].code, err, text != NULL ? text : refusals[i].text,
			    refusals[i].hint, NULL });
			return;
		}
	rpc_refuse(conn, id, method, &(struct rpc_refusal){ error_code_from_errno(err), err,
	    text != NULL ? text : strerror(-err), NULL, NULL });
}

char *
rpc_text(char *dst, size_t size, const char *src)
{
	size_t n = 0;

	for (const uint8_t *s = (const uint8_t *)src; *s != 0; s++) {
		bool is_plain = *s >= 0x20 && *s <= 0x7e;

		if (n + (is_plain ? 1 : 4) >= size)
			break;
		if (is_plain)
			dst[n] = (char)*s;
		else
			(void)snprintf(dst + n, 5, "\\x%02x", *s);
		n += is_plain ? 1 : 4;
	}
	dst[n] = '\0';
	return dst;
}

/* blank-separated words to an array; how many */
static size_t
words_split(char *text, char *words[], size_t max)
{
	size_t n = 0;

	while (n < max && *text != '\0') {
		size_t len = strcspn(text, " ");

		words[n++] = text;
		text += len;
		if (*text == ' ')
			*text++ = '\0';
	}
	return n;
}

void
rpc_refuse(struct rpc_conn *conn, uint32_t id, uint16_t method, const struct rpc_refusal *why)
{
	Scsad__Error error = SCSAD__ERROR__INIT;
	char text[RPC_TEXT_MAX], hint[RPC_TEXT_MAX], list[2048] = "";
	char *words[PROTO_CANDIDATES_MAX];
	const struct frame_head head = { .method = method, .kind = FRAME_KIND_ERROR, .id = id };

	if (conn->is_closed)
		return;
	(void)rpc_text(text, sizeof(text), why->text);
	(void)rpc_text(hint, sizeof(hint), why->hint == NULL ? "" : why->hint);
	(void)rpc_text(list, sizeof(list), why->candidates == NULL ? "" : why->candidates);
	error.has_code = 1;
	error.code = why->code;
	error.has_sys_errno = 1;
	error.sys_errno = -why->err;
	error.text = text;
	error.hint = hint[0] == '\0' ? NULL : hint;
	error.n_candidates = words_split(list, words, PROTO_CANDIDATES_MAX);
	error.candidates = words;
	rpc_count(&conn->loop->count.errors, 1);
	(void)rpc_send(conn, &head, &error.base, NULL);
}
