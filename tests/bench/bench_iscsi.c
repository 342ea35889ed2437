/*
 * bench_iscsi - the iSCSI target beside a bare echo of the same bytes and beside tgtd
 *
 * Each row is a load. A round runs it on everybody in turn: scsad (target on one CPU, initiator on
 * another), E, the echo of the same shape (iscsi_echo.h), and T, Debian's tgtd with a store that
 * throws data away, or F, tgtd with a file, where it is installed. Who is not being measured is
 * stopped. What counts is the median of the ratios inside each round, so that a slow minute of the
 * machine hurts everybody alike. Rounds in which the host took CPU time away are thrown out.
 */
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/compiler.h"
#include "base/num.h"
#include "bench_iscsi.h"
#include "iscsi_echo.h"
#include "iscsi_wire.h"

#define SPAN_BYTES	(256u << 20)
#define ROUNDS_MAX	31
#define STEAL_PCT	5.0

static struct {
	unsigned int rounds;
	unsigned int ms;
	const char *only;	/* "P1,P4" or NULL */
	const char *scsad;
	const char *disk;	/* for scsad */
	bool is_json;
} opt = { .rounds = 5, .ms = 600, .disk = "mem:256M" };

/* ------ rows ------ */

enum kind {
	RATE,		/* commands a second: more is better */
	P50,		/* median latency: less is better */
	TAIL,		/* p99 : p50 of scsad alone */
	CPU,		/* CPU time a command: less is better */
	SPREAD,		/* slowest : fastest session of scsad alone */
};

struct row {
	const char *id, *what;
	enum kind kind;
	struct iscsi_load load;
	bool is_polling;	/* scsad looks for events for a while before it sleeps */
	bool uses_file;		/* compare with tgtd's file, not its null store */
	double must_e, stretch_e, must_t, stretch_t;	/* 0: no such bar */
};

#define KIB4		.bytes = 4096, .conns = 1
#define READS		.reads_pct = 100
#define WRITES		.reads_pct = 0

static const struct row rows[] = {
	{ "P1", "4 KiB reads, depth 32", RATE, { KIB4, READS, .depth = 32 }, .must_e = 0.55,
	    .stretch_e = 0.75, .must_t = 4, .stretch_t = 7 },
	{ "P2", "4 KiB writes, depth 32", RATE, { KIB4, WRITES, .depth = 32 }, .must_e = 0.50,
	    .stretch_e = 0.75, .must_t = 3.3, .stretch_t = 6 },
	{ "P3", "70/30, depth 32 x 4 connections", RATE,
	    { .bytes = 4096, .conns = 4, .reads_pct = 70, .depth = 32 }, .must_t = 3.5,
	    .stretch_t = 5.5 },
	{ "P4", "TEST UNIT READY, depth 32", RATE,
	    { KIB4, .op = ISCSI_LOAD_TUR, .depth = 32, READS }, .must_e = 0.50,
	    .stretch_e = 0.80, .must_t = 7, .stretch_t = 11 },
	{ "P5", "read, depth 1, asleep: p50", P50, { KIB4, READS, .depth = 1 }, .must_e = 1.25,
	    .stretch_e = 1.12, .must_t = 1.0 },
	{ "P6", "read, depth 1, polling: p50", P50, { KIB4, READS, .depth = 1 },
	    .is_polling = true, .must_e = 1.30, .stretch_e = 1.12, .must_t = 0.80,
	    .stretch_t = 0.70 },
	{ "P7", "read, depth 1: p99 : p50", TAIL, { KIB4, READS, .depth = 1 }, .must_e = 3,
	    .stretch_e = 2 },
	{ "P7b", "read, depth 32: p99 : p50", TAIL, { KIB4, READS, .depth = 32 },
	    .must_e = 2.5, .stretch_e = 2 },
	{ "P8", "CPU a read, depth 32", CPU, { KIB4, READS, .depth = 32 }, .must_e = 1.9,
	    .stretch_e = 1.4, .must_t = 0.25, .stretch_t = 0.15 },
	{ "P9", "CPU a read, depth 1", CPU, { KIB4, READS, .depth = 1 }, .must_e = 1.35,
	    .stretch_e = 1.15, .must_t = 1.0 },
	{ "P10", "128 KiB reads, depth 8", RATE,
	    { .bytes = 131072, .conns = 1, READS, .depth = 8 }, .uses_file = true,
	    .must_e = 0.75, .stretch_e = 0.90, .must_t = 2.2, .stretch_t = 3 },
	{ "P11", "128 KiB writes, depth 8", RATE,
	    { .bytes = 131072, .conns = 1, WRITES, .depth = 8 }, .uses_file = true,
	    .must_t = 1.5, .stretch_t = 2 },
	{ "P12", "1 MiB reads, depth 4", RATE,
	    { .bytes = 1048576, .conns = 1, READS, .depth = 4 }, .uses_file = true,
	    .must_t = 2.5, .stretch_t = 3.2 },
	{ "P12b", "1 MiB writes, depth 4", RATE,
	    { .bytes = 1048576, .conns = 1, WRITES, .depth = 4 }, .uses_file = true,
	    .must_t = 2.5, .stretch_t = 3.5 },
	{ "P13", "64 connections x depth 4", RATE,
	    { .bytes = 4096, .conns = 64, READS, .depth = 4 }, .must_e = 0.65,
	    .stretch_e = 0.85, .must_t = 2.5, .stretch_t = 4 },
	{ "P14", "16 connections x depth 1", RATE,
	    { .bytes = 4096, .conns = 16, READS, .depth = 1 }, .must_e = 0.80,
	    .stretch_e = 0.92, .must_t = 1.1 },
	{ "P14b", "64 connections x depth 1", RATE,
	    { .bytes = 4096, .conns = 64, READS, .depth = 1 }, .must_e = 0.80,
	    .stretch_e = 0.92, .must_t = 1.1 },
	{ "P15", "64 x 4: slowest : fastest", SPREAD,
	    { .bytes = 4096, .conns = 64, READS, .depth = 4 }, .must_e = 0.5,
	    .stretch_e = 0.8 },
};

/* is less better? */
static bool
is_cost(enum kind kind)
{
	return kind == P50 || kind == TAIL || kind == CPU;
}

/* ------ one measurement ------ */

static double
value_of(enum kind kind, const struct sample *s, double slowest)
{
	switch (kind) {
	case RATE:
		return sample_rate(s);
	case P50:
		return sample_quantile_us(s, 0.5);
	case TAIL:
		return sample_quantile_us(s, 0.99) / fmax(sample_quantile_us(s, 0.5), 1e-3);
	case CPU:
		return (double)s->server_cpu_ns / 1e3 / fmax((double)s->count, 1);
	case SPREAD:
		return slowest;
	}
	return 0;
}

static struct iscsi_load
load_of(const struct row *row)
{
	struct iscsi_load load = row->load;

	load.run_ns = opt.ms * 1000000ull;
	load.warm_ns = load.run_ns / 4;
	return load;
}

static double
target_measure(const struct row *row, struct peer_target *t)
{
	struct iscsi_load load = load_of(row);
	static struct sample s;
	double slowest;

	target_wake(t);
	iscsi_load_run(&t->where, &load, &s, &slowest);
	target_sleep(t);
	return value_of(row->kind, &s, slowest);
}

static double
echo_measure(const struct row *row)
{
	const bool is_tur = row->load.op == ISCSI_LOAD_TUR;
	const bool is_write = !is_tur && row->load.reads_pct == 0;
	const struct iscsi_echo_conf conf = {
		.conns = row->load.conns,
		.depth = row->load.depth,
		.request_data = is_write ? row->load.bytes : 0,
		.answer_data = is_tur || is_write ? 0 : row->load.bytes,
		.span_bytes = SPAN_BYTES,
		.is_server_spinning = row->is_polling,
		.warm_ns = opt.ms * 250000ull,
		.run_ns = opt.ms * 1000000ull,
		.server_cpu = CPU_TARGET,
		.client_cpu = CPU_INITIATOR,
	};
	static struct sample s;

	iscsi_echo_run(&conf, &s);
	return value_of(row->kind, &s, 1);
}

/* ------ rounds ------ */

struct result {
	double value[ROUNDS_MAX], to_e[ROUNDS_MAX], to_t[ROUNDS_MAX];
	unsigned int n;		/* rounds that count */
	unsigned int n_stolen;
	bool has_e, has_t;
};

static int
by_value(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double
median(const double *v, unsigned int n)
{
	double sorted[ROUNDS_MAX];

	memcpy(sorted, v, n * sizeof(*v));
	qsort(sorted, n, sizeof(*sorted), by_value);
	return n == 0 ? 0 : n % 2 != 0 ? sorted[n / 2] :
	    (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
}

static void
round_run(const struct row *row, struct bench *b, struct result *res)
{
	struct peer_target *t = row->uses_file ? &b->tgt_file : &b->tgt_null;
	struct peer_target *s = row->is_polling ? &b->scsad_polling : &b->scsad;
	uint64_t since = sample_now_ns(), steal = sample_steal_ticks();
	double own, share;
	unsigned int i = res->n;

	own = target_measure(row, s);
	res->value[i] = own;
	res->has_e = row->must_e > 0 && row->kind != TAIL && row->kind != SPREAD;
	res->has_t = row->must_t > 0 && t->where.pid > 0;
	if (res->has_e)
		res->to_e[i] = own / echo_measure(row);
	if (res->has_t)
		res->to_t[i] = own / target_measure(row, t);
	share = 100.0 * (double)(sample_steal_ticks() - steal) * 1e7 /
	    (double)(sample_now_ns() - since) / (double)sysconf(_SC_NPROCESSORS_ONLN);
	if (share > STEAL_PCT)
		res->n_stolen++;
	else
		res->n++;
}

/* ------ printing ------ */

static const char *
verdict(const struct row *row, double x, double must, double stretch)
{
	bool cost = is_cost(row->kind);

	if (must <= 0)
		return "";
	if (stretch > 0 && (cost ? x <= stretch : x >= stretch))
		return "stretch";
	if (cost ? x <= must : x >= must)
		return "must";
	return "BELOW";
}

static void
ratio_format(char *buf, size_t size, const double *v, unsigned int n, const char *word)
{
	double least = INFINITY, most = -INFINITY;

	for (unsigned int i = 0; i < n; i++) {
		least = fmin(least, v[i]);
		most = fmax(most, v[i]);
	}
	(void)snprintf(buf, size, "%5.2f [%.2f-%.2f] %s", median(v, n), least, most, word);
}

static bool
row_print(const struct row *row, const struct result *res)
{
	static const char *const units[] = { "/s", " us", " x", " us", " x" };
	char to_e[64] = "-", to_t[64] = "-";
	const char *word_e, *word_t;
	bool is_alone = row->kind == TAIL || row->kind == SPREAD;
	double e = is_alone ? median(res->value, res->n) : median(res->to_e, res->n);

	if (res->n < 3 && opt.rounds >= 3) {
		(void)printf("%-5s %-32s not measured: the host took CPU time away in %u rounds\n",
		    row->id, row->what, res->n_stolen);
		return true;
	}
	word_e = verdict(row, e, row->must_e, row->stretch_e);
	word_t = verdict(row, median(res->to_t, res->n), row->must_t, row->stretch_t);
	if (res->has_e || is_alone)
		ratio_format(to_e, sizeof(to_e), is_alone ? res->value : res->to_e, res->n, word_e);
	if (res->has_t)
		ratio_format(to_t, sizeof(to_t), res->to_t, res->n, word_t);
	(void)printf("%-5s %-32s %9.*f%-3s %-27s %-27s\n", row->id, row->what,
	    row->kind == RATE ? 0 : 2, median(res->value, res->n), units[row->kind], to_e, to_t);
	(void)fflush(stdout);
	return strcmp(word_e, "BELOW") != 0;
}

static bool
row_run(const struct row *row, struct bench *b)
{
	static struct result res;

	memset(&res, 0, sizeof(res));
	for (unsigned int i = 0; i < 2 * opt.rounds && res.n < opt.rounds; i++)
		round_run(row, b, &res);
	return row_print(row, &res);
}

static bool
is_wanted(const char *id)
{
	const char *p = opt.only;
	size_t n = strlen(id);

	if (p == NULL)
		return true;
	while ((p = strstr(p, id)) != NULL) {
		if ((p == opt.only || p[-1] == ',') && (p[n] == ',' || p[n] == '\0'))
			return true;
		p += n;
	}
	return false;
}

/* ------ logins and idle sessions: no rounds of ratios to an echo ------ */

static void
logins_print(struct bench *b)
{
	double own[ROUNDS_MAX], to_t[ROUNDS_MAX];
	static struct sample s;
	char text[64] = "-";

	for (unsigned int i = 0; i < opt.rounds; i++) {
		target_wake(&b->scsad);
		iscsi_load_logins(&b->scsad.where, opt.ms * 1000000ull, &s);
		target_sleep(&b->scsad);
		own[i] = sample_rate(&s);
		if (b->tgt_null.where.pid <= 0)
			continue;
		target_wake(&b->tgt_null);
		iscsi_load_logins(&b->tgt_null.where, opt.ms * 1000000ull, &s);
		target_sleep(&b->tgt_null);
		to_t[i] = own[i] / sample_rate(&s);
	}
	if (b->tgt_null.where.pid > 0)
		ratio_format(text, sizeof(text), to_t, opt.rounds,
		    median(to_t, opt.rounds) >= 1 ? "stretch" :
		    median(to_t, opt.rounds) >= 0.8 ? "must" : "BELOW");
	(void)printf("%-5s %-32s %9.0f%-3s %-27s %-27s\n", "P16", "logins, one after another",
	    median(own, opt.rounds), "/s", "-", text);
}

static void
idle_print(struct bench *b)
{
	struct iscsi_idle idle;

	target_wake(&b->scsad);
	iscsi_load_idle(&b->scsad.where, 256, 2000000000ull, &idle);
	target_sleep(&b->scsad);
	(void)printf("%-5s %-32s %9.3f%-3s %s\n", "P17", "256 idle sessions: CPU", idle.cpu * 100,
	    " %", idle.cpu <= 0.001 ? "must: <= 0.1 % of a core" : "BELOW: > 0.1 % of a core");
	(void)printf("%-5s %-32s %9.1f%-3s %s\n", "P18", "an idle session: memory",
	    idle.kib_session, "KiB", idle.kib_session <= 16 ? "stretch: <= 16 KiB" :
	    idle.kib_session <= 32 ? "must: <= 32 KiB" : "BELOW");
	(void)printf("%-5s %-32s %9.1f%-3s %s\n", "P18b", "memory after the start",
	    (double)b->at_start.rss_kib / 1024, "MiB", b->at_start.rss_kib <= 16384 ?
	    "must: <= 16 MiB" : "BELOW: > 16 MiB");
}

/* ------ main ------ */

static void
usage(void)
{
	(void)fprintf(stderr, "usage: bench_iscsi --scsad PATH [--rounds N] [--ms N] [--only P1,P2] "
	    "[--disk LINE]\n");
	exit(1);
}

static void
options(int argc, char **argv)
{
	static const struct option words[] = {
		{ "scsad", required_argument, NULL, 's' },
		{ "rounds", required_argument, NULL, 'r' },
		{ "ms", required_argument, NULL, 'm' },
		{ "only", required_argument, NULL, 'o' },
		{ "disk", required_argument, NULL, 'd' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "", words, NULL)) != -1) {
		switch (c) {
		case 's':
			opt.scsad = optarg;
			break;
		case 'r':
			opt.rounds = (unsigned int)num_min(strtoul(optarg, NULL, 10), ROUNDS_MAX);
			break;
		case 'm':
			opt.ms = (unsigned int)strtoul(optarg, NULL, 10);
			break;
		case 'o':
			opt.only = optarg;
			break;
		case 'd':
			opt.disk = optarg;
			break;
		default:
			usage();
		}
	}
	if (opt.scsad == NULL || opt.rounds == 0 || opt.ms == 0)
		usage();
}

int
main(int argc, char **argv)
{
	static struct bench b;
	bool is_good = true;

	options(argc, argv);
	bench_start(&b, opt.scsad, opt.disk, SPAN_BYTES, opt.rounds >= 3);
	sample_pin(CPU_INITIATOR);
	(void)printf("%-5s %-32s %12s %-27s %-27s\n", "row", opt.disk, "scsad", "to the echo",
	    b.tgt_null.where.pid > 0 ? "to tgtd" : "(tgtd is not installed)");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (is_wanted(rows[i].id) && !row_run(&rows[i], &b))
			is_good = false;
	if (is_wanted("P16"))
		logins_print(&b);
	if (is_wanted("P17") || is_wanted("P18"))
		idle_print(&b);
	bench_stop(&b);
	return is_good ? 0 : 2;
}
