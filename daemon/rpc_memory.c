/* memory that a client shares with us: it moves user data there instead of through its socket */
#include "daemon/rpc_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/log.h"
#include "base/num.h"
#include "hw/pci/attach.h"

/* ------ the end of one ------ */

static void
memory_unmap(struct rpc_memory *memory)
{
	close_fd(&memory->fd);
	if (memory->base != NULL)
		(void)munmap(memory->base, memory->bytes);
	free(memory);
}

/* false: a device that does not answer may still write there */
static bool
memory_end(struct rpc_memory *memory)
{
	if (memory->base != NULL && pci_memory_remove(memory->base) == -EBUSY)
		return false;
	memory_unmap(memory);
	return true;
}

/* dead_lock is held */
static void
memories_reap(struct rpc_server *server, bool is_end)
{
	struct rpc_memory *memory, *next;

	for (memory = LIST_FIRST(&server->dead_memories); memory != NULL; memory = next) {
		next = LIST_NEXT(memory, entry);
		LIST_REMOVE(memory, entry);
		if (memory_end(memory))
			continue;
		if (!is_end)
			LIST_INSERT_HEAD(&server->dead_memories, memory, entry);
		else
			free(memory);	/* what is mapped stays so until the process ends */
	}
}

void
rpc_memory_reap(struct rpc_server *server, bool is_end)
{
	(void)pthread_mutex_lock(&server->dead_lock);
	memories_reap(server, is_end);
	(void)pthread_mutex_unlock(&server->dead_lock);
}

/* on a worker: a device's map is changed, which takes its time */
static void
bury_work(struct lu_work *w)
{
	struct rpc_memory *memory = container_of(w, struct rpc_memory, work);
	struct rpc_server *server = memory->server;

	(void)pthread_mutex_lock(&server->dead_lock);
	memories_reap(server, false);
	if (!memory_end(memory)) {
		log_warning("uid %u: %zu bytes of shared memory are kept, a device has them "
		    "still", memory->uid, memory->bytes);
		LIST_INSERT_HEAD(&server->dead_memories, memory, entry);
	}
	(void)pthread_mutex_unlock(&server->dead_lock);
}

static void
memory_bury(struct rpc_conn *conn, struct rpc_memory *memory)
{
	LIST_REMOVE(memory, entry);
	conn->n_memories--;
	conn->memory_bytes -= memory->bytes;
	lu_exec_post(conn->server->conf.worker, &memory->work, bury_work);
}

void
rpc_memory_drop_all(struct rpc_conn *conn)
{
	struct rpc_memory *memory;

	while ((memory = LIST_FIRST(&conn->memories)) != NULL)
		memory_bury(conn, memory);
}

/* ------ the beginning of one ------ */

static int
memfd_make(uint64_t bytes)
{
	CLEANUP(close_fd) int fd = fault_hit() ? -1 :
	    memfd_create("scsad", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return -ENOMEM;
	if (fallocate(fd, 0, 0, (off_t)bytes) < 0)
		return errno == EINTR ? -EINTR : -ENOMEM;
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0)
		return -errno;
	return STEAL_FD(fd);
}

int
rpc_memfd_new(uint64_t bytes)
{
	int fd;

	do {
		fd = memfd_make(bytes);
	} while (fd == -EINTR);
	return fd;
}

/* on a worker */
static int
memory_make(struct rpc_memory *memory)
{
	void *base;
	int r;

	memory->fd = rpc_memfd_new(memory->bytes);
	if (memory->fd < 0)
		return memory->fd;
	base = mmap(NULL, memory->bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE,
	    memory->fd, 0);
	if (base == MAP_FAILED)
		return -ENOMEM;
	memory->base = base;
	r = pci_memory_add(base, memory->bytes);
	if (r < 0)
		log_warning("shared memory cannot be given to devices, data is copied: %s",
		    strerror(-r));
	return 0;
}

/* dead_lock held: what devices still have of the user's */
static uint64_t
dead_bytes(const struct rpc_server *server, uid_t uid)
{
	const struct rpc_memory *memory;
	uint64_t bytes = 0;

	LIST_FOREACH(memory, &server->dead_memories, entry)
		bytes += memory->uid == uid ? memory->bytes : 0;
	return bytes;
}

static void
new_work(struct rpc_call *call)
{
	struct rpc_memory *memory = call->more;
	struct rpc_server *server = memory->server;
	uint64_t bytes = memory->beside_bytes + memory->bytes;

	(void)pthread_mutex_lock(&server->dead_lock);
	memories_reap(server, false);
	bytes += dead_bytes(server, memory->uid);
	(void)pthread_mutex_unlock(&server->dead_lock);
	call->result = bytes > server->config->client_bytes ? -EDQUOT : memory_make(memory);
}

static void
new_free(void *more)
{
	struct rpc_memory *memory = more;

	/* nobody has been told of it: no device has anything of it */
	if (memory != NULL && !memory_end(memory))
		free(memory);
}

static void
new_reply(struct rpc_call *call)
{
	struct rpc_conn *conn = call->req.conn;
	struct rpc_memory *memory = call->more;
	Scsad__MemoryNewReply reply = SCSAD__MEMORY_NEW_REPLY__INIT;
	const struct frame_head head = {
		.method = METHOD_MEMORY_NEW, .kind = FRAME_KIND_REPLY, .id = call->req.id,
	};

	if (call->result < 0) {
		conn->n_memories--;
		conn->memory_bytes -= memory->bytes;
		rpc_refuse_errno(conn, call->req.id, METHOD_MEMORY_NEW, call->result, NULL);
		return;
	}
	call->more = NULL;
	memory->id = ++conn->last_memory;
	LIST_INSERT_HEAD(&conn->memories, memory, entry);
	reply.has_memory = reply.has_bytes = 1;
	reply.memory = memory->id;
	reply.bytes = memory->bytes;
	rpc_send_fds(conn, &head, &reply.base, &memory->fd, 1);
	memory->fd = -1;
}

const char *
rpc_memory_check(const struct rpc_conn *conn, uint64_t bytes)
{
	uint64_t max = conn->server->config->client_bytes;

	if (bytes > max || conn->memory_bytes > max - num_round_up(bytes, 4096))
		return "more shared memory than a client may have";
	return NULL;
}

static const char *
new_check(const struct rpc_conn *conn, uint64_t bytes)
{
	if (conn->n_memories >= PROTO_MEMORIES_MAX)
		return "this connection has as many shared memories as it may";
	return rpc_memory_check(conn, bytes);
}

enum rpc_go
rpc_memory_new(const struct rpc_in *in)
{
	const Scsad__MemoryNewRequest *req = (const void *)in->msg;
	struct rpc_conn *conn = in->conn;
	const char *why = new_check(conn, req->bytes);
	struct rpc_memory *memory;
	struct rpc_call *call;

	if (req->bytes == 0 || why != NULL) {
		rpc_refuse(conn, rpc_in_id(in), METHOD_MEMORY_NEW, &(struct rpc_refusal){
		    .code = why == NULL ? SCSAD__ERROR_CODE__ERR_BAD_MESSAGE :
		    SCSAD__ERROR_CODE__ERR_LIMIT, .err = why == NULL ? -EINVAL : -EMSGSIZE,
		    .text = why == NULL ? "no bytes" : why,
		    .hint = "see limits/client_bytes in scsad.conf(5)" });
		return RPC_NEXT;
	}
	call = rpc_fds_admit(in) ? rpc_call_new(in) : NULL;
	if (call == NULL)
		return RPC_NEXT;
	memory = fault_hit() ? NULL : calloc(1, sizeof(*memory));
	if (memory == NULL) {
		rpc_refuse_errno(conn, rpc_in_id(in), METHOD_MEMORY_NEW, -ENOMEM, NULL);
		rpc_call_free(call);
		return RPC_NEXT;
	}
	memory->server = conn->server;
	memory->fd = -1;
	memory->bytes = num_round_up(req->bytes, 4096);
	memory->uid = conn->cred.uid;
	memory->beside_bytes = conn->memory_bytes;
	conn->n_memories++;
	conn->memory_bytes += memory->bytes;
	call->more = memory;
	call->more_free = new_free;
	call->work_fn = new_work;
	call->reply_fn = new_reply;
	rpc_call_work(call);
	return RPC_NEXT;
}

/* ------ its use ------ */

static struct rpc_memory *
memory_get(struct rpc_conn *conn, uint64_t id)
{
	struct rpc_memory *memory;

	LIST_FOREACH(memory, &conn->memories, entry)
		if (memory->id == id)
			return memory;
	return NULL;
}

struct rpc_memory *
rpc_memory_find(struct rpc_conn *conn, uint64_t id, uint64_t offset, uint32_t len)
{
	struct rpc_memory *memory = memory_get(conn, id);

	if (memory == NULL || offset > memory->bytes || len > memory->bytes - offset)
		return NULL;
	return memory;
}

enum rpc_go
rpc_memory_free(const struct rpc_in *in)
{
	const Scsad__MemoryFreeRequest *req = (const void *)in->msg;
	struct rpc_conn *conn = in->conn;
	struct rpc_memory *memory = memory_get(conn, req->memory);
	Scsad__Done done = SCSAD__DONE__INIT;

	if (memory == NULL) {
		rpc_refuse(conn, rpc_in_id(in), METHOD_MEMORY_FREE, &(struct rpc_refusal){
		    .code = SCSAD__ERROR_CODE__ERR_STALE_HANDLE, .err = -ESTALE,
		    .text = "this connection has no such shared memory" });
		return RPC_NEXT;
	}
	if (memory->n_tasks > 0) {
		rpc_refuse_errno(conn, rpc_in_id(in), METHOD_MEMORY_FREE, -EBUSY,
		    "packets move data to or from this memory");
		return RPC_NEXT;
	}
	memory_bury(conn, memory);
	rpc_reply(conn, rpc_in_id(in), METHOD_MEMORY_FREE, &done.base, false);
	return RPC_NEXT;
}
