/*
 * replay.c - run a fuzz target without a fuzzer: its seeds, and mutations of them
 *
 * usage: <target> SEEDS-FOLDER
 *
 * Every seed is given whole, at every length up to 512 bytes, and then changed at random (bits,
 * bytes, numbers at the edges, pieces cut out or doubled) with a fixed seed, so that a failure
 * can be had again. REPLAY_ROUNDS says how many mutations a seed gets (default 2000).
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "base/rng.h"

#define INPUT_MAX	(128u << 10)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* an exact copy, so that the sanitizer sees a read past the end */
static void
give(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size == 0 ? 1 : size);

	if (copy == NULL)
		abort();
	memcpy(copy, data, size);
	(void)LLVMFuzzerTestOneInput(copy, size);
	free(copy);
}

static size_t
mutate(struct rng *rng, uint8_t *buf, size_t len)
{
	static const uint32_t edges[] = { 0, 1, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0xffff, 0x10000,
		0x10001, 0x7fffffff, 0x80000000u, 0xffffffffu };
	size_t at = len == 0 ? 0 : rng_below(rng, len);
	size_t n;

	switch (rng_below(rng, 5)) {
	case 0:
		if (len > 0)
			buf[at] ^= (uint8_t)(1u << rng_below(rng, 8));
		break;
	case 1:
		if (len > 0)
			buf[at] = (uint8_t)rng_next(rng);
		break;
	case 2:
		n = (size_t)1 << rng_below(rng, 3);
		if (at + n <= len)
			memcpy(buf + at, &edges[rng_below(rng, ARRAY_LEN(edges))], n);
		break;
	case 3:
		if (len > 1) {
			n = 1 + rng_below(rng, len - at);
			memmove(buf + at, buf + at + n, len - at - n);
			len -= n;
		}
		break;
	default:
		n = rng_below(rng, 64);
		if (at + n <= len && len + n <= INPUT_MAX) {
			memmove(buf + at + n, buf + at, len - at);
			len += n;
		}
		break;
	}
	return len;
}

static void
replay(const uint8_t *seed, size_t len, uint64_t rounds)
{
	static uint8_t buf[INPUT_MAX];
	struct rng rng = rng_init(len);

	for (size_t cut = 0; cut < len && cut < 512; cut++)
		give(seed, cut);
	give(seed, len);
	for (uint64_t i = 0; i < rounds; i++) {
		size_t n = len;

		memcpy(buf, seed, len);
		for (uint64_t k = 1 + rng_below(&rng, 6); k > 0; k--)
			n = mutate(&rng, buf, n);
		give(buf, n);
	}
}

int
main(int argc, char **argv)
{
	static uint8_t seed[INPUT_MAX];
	const char *text = getenv("REPLAY_ROUNDS");
	uint64_t rounds = 2000, files = 0;
	struct dirent *entry;
	DIR *dir;

	if (argc != 2 || (text != NULL && num_parse_u64(text, 1u << 30, &rounds) < 0)) {
		(void)fprintf(stderr, "usage: %s SEEDS-FOLDER\n", argv[0]);
		return 2;
	}
	dir = opendir(argv[1]);
	if (dir == NULL) {
		(void)fprintf(stderr, "%s: no such folder\n", argv[1]);
		return 2;
	}
	while ((entry = readdir(dir)) != NULL) {
		char path[4096];
		size_t len;
		FILE *f;

		if (entry->d_name[0] == '.')
			continue;
		(void)snprintf(path, sizeof(path), "%s/%s", argv[1], entry->d_name);
		f = fopen(path, "rb");
		if (f == NULL)
			return 2;
		len = fread(seed, 1, sizeof(seed), f);
		(void)fclose(f);
		replay(seed, len, rounds);
		files++;
	}
	(void)closedir(dir);
	printf("%llu seeds, %llu mutations each\n", (unsigned long long)files,
	    (unsigned long long)rounds);
	return files == 0 ? 2 : 0;
}
