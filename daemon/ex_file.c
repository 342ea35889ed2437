#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/fault.h"
#include "daemon/ex_impl.h"

static const char head[] =
    "# Written by scsad as scsactl asked for it. It is replaced as a whole with each change:\n"
    "# edit it only while scsad does not run, or send SIGHUP before anything else changes.\n";

/* in double quotes, so that nothing in it means anything to YAML */
static void
word_print(FILE *f, const char *word)
{
	(void)fputc('"', f);
	for (const unsigned char *c = (const unsigned char *)word; *c != '\0'; c++) {
		if (*c == '"' || *c == '\\')
			(void)fprintf(f, "\\%c", *c);
		else if (*c < 0x20 || *c == 0x7f)
			(void)fprintf(f, "\\x%02x", *c);
		else
			(void)fputc(*c, f);
	}
	(void)fputc('"', f);
}

static void
key_print(FILE *f, const struct ex_dump_key *key, const char *indent)
{
	(void)fprintf(f, "%s%s: ", indent, key->key);
	if (key->is_list) {
		(void)fputc('[', f);
		for (size_t i = 0; i < key->n; i++) {
			if (i > 0)
				(void)fputs(", ", f);
			word_print(f, key->v[i]);
		}
		(void)fputs("]\n", f);
		return;
	}
	word_print(f, key->v[0]);
	(void)fputc('\n', f);
}

static void
object_print(FILE *f, const struct ex_object *o)
{
	bool is_mapping = o->kind == EX_DISCOVERY;
	struct ex_dump dump;

	ex_object_dump(o, false, &dump);
	for (size_t i = 0; i < dump.n; i++)
		key_print(f, &dump.keys[i], is_mapping ? "  " : i == 0 ? "  - " : "    ");
}

static void
set_print(FILE *f, const struct ex_set *set)
{
	(void)fprintf(f, "%sgeneration: %llu\n", head,
	    (unsigned long long)ex_set_generation(set));
	for (size_t k = 0; k < EX_KIND_N; k++) {
		enum ex_kind kind = (enum ex_kind)k;
		bool has_head = false;

		for (size_t i = 0; i < ex_set_count(set, kind); i++) {
			const struct ex_object *o = ex_set_at(set, kind, i);

			if (o->from != EX_FROM_STATE)
				continue;
			if (!has_head)
				(void)fprintf(f, "%s:\n", ex_kind_plural(kind));
			has_head = true;
			object_print(f, o);
		}
	}
}

static int
bytes_write(int fd, const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t n = fault_hit() ? (errno = EIO, -1) : write(fd, bytes, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		bytes += n;
		len -= (size_t)n;
	}
	return fault_hit() ? -EIO : fsync(fd) < 0 ? -errno : 0;
}

void
ex_folder_sync(const char *path)
{
	const char *slash = strrchr(path, '/');
	CLEANUP(free_ptr) char *folder = strndup(path, (size_t)(slash - path));
	CLEANUP(close_fd) int fd = folder == NULL ? -1 : open(folder,
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0)
		(void)fsync(fd);
}

static int
text_write(const char *path, const char *text, size_t len)
{
	CLEANUP(free_ptr) char *successor = NULL;
	int fd, r;

	if (fault_hit() || asprintf(&successor, "%s.new", path) < 0)
		return -ENOMEM;
	fd = open(successor, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	r = bytes_write(fd, text, len);
	if (close(fd) < 0 && r == 0)
		r = -errno;
	if (r == 0 && (fault_hit() ? (errno = EIO, -1) : rename(successor, path)) < 0)
		r = -errno;
	if (r < 0)
		(void)unlink(successor);
	else
		ex_folder_sync(path);
	return r;
}

int
ex_file_write(const struct ex_set *set, const char *path)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = fault_hit() ? NULL : open_memstream(&text, &len);
	bool is_good;
	int r;

	if (f == NULL)
		return -ENOMEM;
	set_print(f, set);
	is_good = ferror(f) == 0;
	if (fclose(f) != 0 || !is_good)
		r = -ENOMEM;
	else
		r = text_write(path, text, len);
	free(text);
	return r;
}
