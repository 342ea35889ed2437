#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/fault.h"
#include "client/scsac_impl.h"

const struct memory *
memory_find(const struct scsac *c, const void *data, size_t len)
{
	for (unsigned i = 0; i < c->n_memories; i++) {
		const struct memory *m = &c->memories[i];
		uintptr_t off = (uintptr_t)data - (uintptr_t)m->base;

		if (m->id != 0 && len > 0 && off < m->bytes && len <= m->bytes - off)
			return m;
	}
	return NULL;
}

void
memory_forget(struct scsac *c)
{
	fds_drop(c);
	c->features = 0;
	for (unsigned i = 0; i < c->n_memories; i++)
		c->memories[i].id = 0;
}

static void
memory_unmap(struct memory *m)
{
	if (m->base != NULL)
		(void)munmap(m->base, m->bytes);
	*m = (struct memory){ .base = NULL };
}

void
memory_fini(struct scsac *c)
{
	for (unsigned i = 0; i < c->n_memories; i++)
		memory_unmap(&c->memories[i]);
	c->n_memories = 0;
}

/* a place that is free; NULL */
static struct memory *
memory_place(struct scsac *c)
{
	for (unsigned i = 0; i < PROTO_MEMORIES_MAX; i++)
		if (c->memories[i].base == NULL) {
			if (i >= c->n_memories)
				c->n_memories = i + 1;
			return &c->memories[i];
		}
	return NULL;
}

bool
memfd_is_good(int fd, uint64_t bytes)
{
	struct stat st;
	int seals = fcntl(fd, F_GET_SEALS);

	return seals >= 0 && (seals & F_SEAL_SHRINK) != 0 && fstat(fd, &st) == 0 &&
	    (uint64_t)st.st_size >= bytes;
}

struct memory_new {
	struct scsac *c;
	size_t bytes;		/* wanted */
	struct memory made;
};

static int
new_take(struct call *call, const ProtobufCMessage *reply)
{
	const Scsad__MemoryNewReply *msg = (const void *)reply;
	struct memory_new *new = call->arg;
	struct scsac *c = new->c;
	CLEANUP(close_fd) int fd = -1;
	void *base;

	if (c->n_fds_in == 1)
		fd = c->fds_in[--c->n_fds_in];
	fds_drop(c);
	if (fd < 0 || msg->memory == 0 || msg->bytes < new->bytes ||
	    !memfd_is_good(fd, msg->bytes))
		return -EBADMSG;
	base = fault_hit() ? MAP_FAILED :
	    mmap(NULL, msg->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	new->made = (struct memory){ NULL, msg->bytes, msg->memory };
	if (base == MAP_FAILED)
		return error_local(c, -ENOMEM, "", "shared memory cannot be mapped");
	new->made.base = base;
	return 0;
}

static int
free_call(struct scsac *c, uint64_t id)
{
	Scsad__MemoryFreeRequest msg = SCSAD__MEMORY_FREE_REQUEST__INIT;

	msg.has_memory = 1;
	msg.memory = id;
	return call_run(c, METHOD_MEMORY_FREE, &msg.base, NULL, NULL);
}

int
scsac_memory_new(struct scsac *c, size_t bytes, void **ret)
{
	Scsad__MemoryNewRequest msg = SCSAD__MEMORY_NEW_REQUEST__INIT;
	struct memory_new new = { .c = c, .bytes = bytes };
	struct memory *m;
	int r;

	if (bytes == 0)
		return error_local(c, -EINVAL, "", "no bytes of shared memory");
	if (c->state == CONN_READY && (c->features & PROTO_FEATURE_MEMORY) == 0)
		return error_local(c, -EOPNOTSUPP, "use a newer daemon",
		    "the daemon shares no memory");
	m = memory_place(c);
	if (m == NULL)
		return error_local(c, -EMSGSIZE, "free one of them", "a connection has %u shared "
		    "memories at most", PROTO_MEMORIES_MAX);
	msg.has_bytes = 1;
	msg.bytes = bytes;
	r = call_run(c, METHOD_MEMORY_NEW, &msg.base, new_take, &new);
	if (r == -ENOMEM && new.made.id != 0 && c->state == CONN_READY)
		(void)free_call(c, new.made.id);
	if (r < 0)
		return r;
	*m = new.made;
	*ret = m->base;
	return 0;
}

/* does a packet in flight have its data there? */
static bool
is_used(const struct scsac *c, const struct memory *m)
{
	for (size_t i = 0; i < c->requests_len; i++) {
		const struct request *req = &c->requests[i];
		uintptr_t off = (uintptr_t)req->data - (uintptr_t)m->base;

		if (req->kind == REQUEST_PACKET && off < m->bytes)
			return true;
	}
	return rings_use(c, m->base, m->bytes);
}

int
scsac_memory_free(struct scsac *c, void *memory)
{
	int r = 0;

	for (unsigned i = 0; i < c->n_memories; i++) {
		struct memory *m = &c->memories[i];

		if (memory == NULL || m->base != memory)
			continue;
		if (is_used(c, m))
			return error_local(c, -EBUSY, "wait for it", "a packet uses this memory");
		if (m->id != 0)
			r = free_call(c, m->id);
		if (r == -EDEADLK || r == -EBUSY)
			return r;
		/* the daemon's end goes with the connection at last */
		memory_unmap(m);
		return 0;
	}
	return error_local(c, -EINVAL, "", "this is no shared memory of the connection");
}
