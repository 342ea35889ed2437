#include <errno.h>
#include <getopt.h>
#include <locale.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/num.h"
#include "base/text.h"
#include "client/scsactl/out.h"

#define GLOBAL_N	9	/* more than there are */
#define OPT_BASE	256	/* getopt values of options: global ones, then the verb's */
#define TIMEOUT_MAX_S	86400
#define WAIT_STEP_NS	5000000	/* between two looks for the daemon's socket */
#define VERB_NAME_LEN	64

enum {
	GLOBAL_JSON,
	GLOBAL_SOCKET,
	GLOBAL_TIMEOUT,
	GLOBAL_WAIT,
	GLOBAL_INITIATOR,
	GLOBAL_VERBOSE,
	GLOBAL_HELP,
	GLOBAL_VERSION,
};

const struct verb_opt global_opts[] = {
	[GLOBAL_JSON]    = { "json", 'j', NULL, "one JSON document instead of text" },
	[GLOBAL_SOCKET]  = { "socket", 's', "PATH", "socket of the daemon" },
	[GLOBAL_TIMEOUT] = { "timeout", 't', "SECONDS", "time a command may take" },
	[GLOBAL_WAIT]    = { "wait", 'w', "SECONDS", "wait so long for a daemon to come" },
	[GLOBAL_INITIATOR] = { "initiator", 'I', "NAME", "as whom to appear to units" },
	[GLOBAL_VERBOSE] = { "verbose", 'v', NULL, "say more" },
	[GLOBAL_HELP]    = { "help", 'h', NULL, "this help, or that of the verb" },
	[GLOBAL_VERSION] = { "version", 'V', NULL, "version of this program" },
	{ NULL, 0, NULL, NULL },
};

struct parse {
	struct option longs[GLOBAL_N + VERB_OPTS_MAX + 1];
	char shorts[4 * (GLOBAL_N + VERB_OPTS_MAX) + 3];
	int n;
};

static void
parse_add(struct parse *p, const struct verb_opt *opts, int base)
{
	size_t at = strlen(p->shorts);

	for (int i = 0; opts != NULL && opts[i].name != NULL; i++) {
		p->longs[p->n++] = (struct option){ opts[i].name,
			opts[i].arg != NULL ? required_argument : no_argument, NULL, base + i };
		if (opts[i].letter == 0)
			continue;
		p->shorts[at++] = opts[i].letter;
		if (opts[i].arg != NULL)
			p->shorts[at++] = ':';
		p->shorts[at] = '\0';
	}
}

/* Place of the option @letter in @opts, -1 when it is none of them. */
static int
opt_by_letter(const struct verb_opt *opts, int letter)
{
	for (int i = 0; opts != NULL && opts[i].name != NULL; i++) {
		if (opts[i].letter == letter)
			return i;
	}
	return -1;
}

static enum ctl_exit
global_set(struct ctl *ctl, int which, const char *value)
{
	uint64_t seconds;

	switch (which) {
	case GLOBAL_JSON:
		ctl->is_json = true;
		break;
	case GLOBAL_SOCKET:
		ctl->socket = value;
		break;
	case GLOBAL_TIMEOUT:
		if (num_parse_u64(value, TIMEOUT_MAX_S, &seconds) < 0 || seconds == 0)
			return ctl_syntax(ctl, "--timeout takes 1 to %d seconds",
			    TIMEOUT_MAX_S);
		ctl->timeout_ms = (unsigned)(seconds * 1000);
		break;
	case GLOBAL_WAIT:
		if (num_parse_u64(value, TIMEOUT_MAX_S, &seconds) < 0)
			return ctl_syntax(ctl, "--wait takes 0 to %d seconds", TIMEOUT_MAX_S);
		ctl->wait_ns = seconds * NS_PER_S;
		break;
	case GLOBAL_INITIATOR:
		ctl->initiator = value;
		break;
	case GLOBAL_VERBOSE:
		ctl->verbose++;
		break;
	case GLOBAL_HELP:
		ctl->verb = verb_find("help");
		break;
	case GLOBAL_VERSION:
		ctl->verb = verb_find("version");
		break;
	default:
		break;
	}
	return CTL_OK;
}

/* Options of one stretch of the command line: up to the verb, or behind it. */
static enum ctl_exit
opts_read(struct ctl *ctl, const struct verb_opt *opts, int argc, char **argv,
    struct args *args)
{
	struct parse p = { .n = 0 };
	int c;

	/* '+' stops at the verb; ':' tells a missing value from an unknown option */
	(void)text_copy(p.shorts, sizeof(p.shorts), args == NULL ? "+:" : ":");
	parse_add(&p, global_opts, OPT_BASE);
	parse_add(&p, opts, OPT_BASE + GLOBAL_N);
	while ((c = getopt_long(argc, argv, p.shorts, p.longs, NULL)) != -1) {
		int global = c >= OPT_BASE ? c - OPT_BASE : opt_by_letter(global_opts, c);
		int local = c >= OPT_BASE ? c - OPT_BASE - GLOBAL_N : opt_by_letter(opts, c);
		enum ctl_exit status;

		if (c == '?')
			return ctl_syntax(ctl, "no such option: '%s'", argv[optind - 1]);
		if (c == ':')
			return ctl_syntax(ctl, "option '%s' wants a value", argv[optind - 1]);
		if (args != NULL && local >= 0) {
			args->opt[local] = optarg != NULL ? optarg : "";
			continue;
		}
		status = global_set(ctl, global, optarg);
		if (status != CTL_OK)
			return status;
	}
	return CTL_OK;
}

static enum ctl_exit
ctl_run(struct ctl *ctl, struct args *args)
{
	enum ctl_exit status;

	if (args->n < ctl->verb->min)
		return ctl_syntax(ctl, "%s wants %s", ctl->verb->name, ctl->verb->args);
	if (ctl->verb->max >= 0 && args->n > ctl->verb->max)
		return ctl_syntax(ctl, "too many words: '%s'", args->v[ctl->verb->max]);
	if (!ctl->verb->is_offline) {
		status = ctl_connect(ctl);
		if (status != CTL_OK)
			return status;
	}
	return ctl->verb->run(ctl, args);
}

/* Without a verb the answer is how things are; that no daemon runs is an answer, too. */
static enum ctl_exit
ctl_no_verb(struct ctl *ctl, struct args *args)
{
	enum ctl_exit status;

	ctl->verb = verb_find("status");
	status = ctl_run(ctl, args);
	if (!ctl->is_json)
		(void)printf("\nscsactl list shows the units, scsactl help all verbs.\n");
	return status == CTL_UNREACHABLE ? CTL_OK : status;
}

/* Global options in front of a word; they and getopt's argv[0] are taken off. */
static enum ctl_exit
opts_skip(struct ctl *ctl, struct args *args)
{
	enum ctl_exit status;

	optind = 0;
	status = opts_read(ctl, NULL, args->n, args->v, NULL);
	args->n -= optind;
	args->v += optind;
	return status;
}

/* The words of the verb's name; the last of them becomes getopt's argv[0]. */
static enum ctl_exit
verb_take(struct ctl *ctl, struct args *args, const struct verb **ret_verb)
{
	char name[VERB_NAME_LEN] = "";
	const struct verb *verb = NULL;

	while (verb == NULL) {
		size_t len = strlen(name);
		enum ctl_exit status;

		(void)snprintf(name + len, sizeof(name) - len, "%s%s", len > 0 ? " " : "",
		    args->v[0]);
		verb = verb_find(name);
		if (verb == NULL && !verb_is_group(name))
			return ctl_syntax(ctl, "no such verb: '%s'", name);
		if (verb != NULL)
			break;
		status = opts_skip(ctl, args);
		if (status != CTL_OK)
			return status;
		if (ctl->verb != NULL)		/* "GROUP --help" */
			break;
		if (args->n == 0)
			return ctl_syntax(ctl, "%s what? see: scsactl help %s", name, name);
	}
	*ret_verb = verb;
	return CTL_OK;
}

static enum ctl_exit
ctl_main(struct ctl *ctl, int argc, char **argv)
{
	struct args args = { .n = argc, .v = argv };
	const struct verb *verb = NULL;
	enum ctl_exit status;
	char *name;
	int n;

	status = opts_skip(ctl, &args);
	if (status != CTL_OK)
		return status;
	if (ctl->verb != NULL)		/* --help, --version before any verb */
		return ctl_run(ctl, &args);
	if (args.n == 0)
		return ctl_no_verb(ctl, &args);
	name = args.v[0];
	status = verb_take(ctl, &args, &verb);
	if (status != CTL_OK)
		return status;
	if (verb == NULL) {
		args = (struct args){ .n = 1, .v = &name };
		return ctl_run(ctl, &args);
	}
	ctl->verb = verb;

	n = args.n;
	argv = args.v;
	optind = 0;
	status = opts_read(ctl, verb->opts, n, argv, &args);
	if (status != CTL_OK)
		return status;
	args.n = n - optind;
	args.v = argv + optind;
	if (ctl->verb != verb) {	/* "VERB --help" */
		name = (char *)(uintptr_t)verb->name;
		args = (struct args){ .n = 1, .v = &name };
	}
	return ctl_run(ctl, &args);
}

enum ctl_exit
ctl_open(struct ctl *ctl, const char *name, uint64_t *ret_handle)
{
	int r;

	scsac_list_free(ctl->unit);
	ctl->unit = NULL;
	r = scsac_open(ctl->conn, name, ret_handle, &ctl->unit);
	if (r < 0)
		return ctl_refused(ctl, r, NULL);
	return CTL_OK;
}

const struct scsac_unit *
ctl_unit(const struct ctl *ctl)
{
	return &ctl->unit->units[0];
}

/* The error member of the document is written by whoever tells first. */
static json_object *
error_begin(struct ctl *ctl, enum ctl_exit status, const char *text)
{
	json_object *error;

	if (!ctl->is_json || ctl->has_failed)
		return NULL;
	error = doc_part(ctl->root, "error");
	doc_number(error, "exit", status);
	doc_text(error, "text", text);
	return error;
}

enum ctl_exit
ctl_fail(struct ctl *ctl, enum ctl_exit status, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (ctl->is_json)
		(void)error_begin(ctl, status, text);
	else
		(void)fprintf(stderr, "scsactl: %s\n", escaped(text));
	ctl->has_failed = true;
	return status;
}

enum ctl_exit
ctl_syntax(struct ctl *ctl, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	(void)ctl_fail(ctl, CTL_SYNTAX, "%s", text);
	if (!ctl->is_json)
		(void)fprintf(stderr, "Try: scsactl help%s%s\n", ctl->verb != NULL ? " " : "",
		    ctl->verb != NULL ? ctl->verb->name : "");
	return CTL_SYNTAX;
}

static void
candidates_tell(json_object *error, const char *candidates)
{
	json_object *list = doc_list(error, "candidates");

	while (*candidates != '\0') {
		size_t len = strcspn(candidates, "\n");
		char line[1100];

		(void)snprintf(line, sizeof(line), "%.*s", (int)len, candidates);
		if (list != NULL)
			(void)json_object_array_add(list, json_object_new_string(line));
		else
			(void)fprintf(stderr, "  %s\n", escaped(line));
		candidates += len + (candidates[len] == '\n');
	}
}

static enum ctl_exit
refused_tell(struct ctl *ctl, enum ctl_exit status, int err, const char *what)
{
	const struct scsac_error *last = scsac_last_error(ctl->conn);
	const char *text = last->text[0] != '\0' ? last->text : strerror(-err);
	json_object *error = error_begin(ctl, status, text);

	ctl->has_failed = true;
	if (ctl->is_json) {
		doc_text(error, "code", scsac_strerror(last->code));
		doc_number(error, "errno", (uint64_t)last->sys_errno);
		doc_text(error, "hint", last->hint);
	} else {
		(void)fprintf(stderr, "scsactl: %s%s%s\n", what != NULL ? what : "",
		    what != NULL ? ": " : "", escaped(text));
		if (last->hint[0] != '\0')
			(void)fprintf(stderr, "hint: %s\n", escaped(last->hint));
	}
	if (last->candidates[0] != '\0')
		candidates_tell(error, last->candidates);
	return status;
}

enum ctl_exit
ctl_refused(struct ctl *ctl, int err, const char *what)
{
	return refused_tell(ctl, exit_of_error(scsac_last_error(ctl->conn), err), err, what);
}

enum ctl_exit
ctl_connect(struct ctl *ctl)
{
	uint64_t give_up = clock_now_ns() + ctl->wait_ns;
	int r = scsac_new("scsactl", &ctl->conn);

	if (r < 0)
		return ctl_fail(ctl, CTL_OTHER, "out of memory");
	r = scsac_set_initiator(ctl->conn, ctl->initiator);
	if (r < 0)
		return ctl_refused(ctl, r, NULL);
	for (;;) {
		r = scsac_connect(ctl->conn, ctl->socket);
		if ((r != -ENOENT && r != -ECONNREFUSED) || clock_now_ns() >= give_up)
			break;
		(void)nanosleep(&(struct timespec){ .tv_nsec = WAIT_STEP_NS }, NULL);
	}
	if (r == -ENOENT)
		return refused_tell(ctl, CTL_UNREACHABLE, r, NULL);
	if (r == -EACCES)
		return refused_tell(ctl, CTL_NOT_PERMITTED, r, NULL);
	return r < 0 ? ctl_refused(ctl, r, NULL) : CTL_OK;
}

int
ctl_reach(struct ctl *ctl)
{
	int r = scsac_new("scsactl", &ctl->conn);

	return r < 0 ? r : scsac_connect(ctl->conn, ctl->socket);
}

int
main(int argc, char **argv)
{
	struct ctl ctl = { .timeout_ms = 0 };
	enum ctl_exit status;

	(void)setlocale(LC_ALL, "");
	opterr = 0;
	/* errors of the command line itself come in the form that was asked for, too */
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--json") == 0 || strcmp(argv[i], "-j") == 0)
			ctl.is_json = true;
	}
	ctl.root = json_object_new_object();
	doc_number(ctl.root, "schema", CTL_SCHEMA);
	doc_text(ctl.root, "tool", "scsactl " SCSAD_VERSION);
	status = ctl_main(&ctl, argc, argv);
	if (ctl.is_json)
		(void)printf("%s\n", json_object_to_json_string_ext(ctl.root,
		    JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE));
	if (fflush(stdout) != 0 && status == CTL_OK)
		status = ctl_fail(&ctl, CTL_FILE, "standard output: %s", strerror(errno));
	scsac_list_free(ctl.unit);
	scsac_free(ctl.conn);
	(void)json_object_put(ctl.root);
	return (int)status;
}
