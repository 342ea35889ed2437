#include <stdio.h>
#include <string.h>

#include "client/scsactl/out.h"
#include "client/scsactl/verbs.h"

#define WIDTH	80

/* @left, and @text behind it from column @at on, in lines of a narrow terminal */
static void
entry_print(const char *left, int at, const char *text)
{
	int column = printf("  %s", left);

	if (column >= at) {
		(void)printf("\n");
		column = 0;
	}
	(void)printf("%*s", at - column, "");
	column = at;
	while (*text != '\0') {
		int len = (int)strcspn(text, " ");

		if (column > at && column + 1 + len > WIDTH)
			column = printf("\n%*s", at, "") - 1;
		else if (column > at)
			column += printf(" ");
		column += printf("%.*s", len, text);
		text += len + (text[len] == ' ');
	}
	(void)printf("\n");
}

static void
opts_print(const struct verb_opt *opts)
{
	for (size_t i = 0; opts != NULL && opts[i].name != NULL; i++) {
		const struct verb_opt *opt = &opts[i];
		char letter[] = { '-', opt->letter, ',', '\0' };
		char left[64];

		(void)snprintf(left, sizeof(left), "%-3s --%s%s%s",
		    opt->letter != 0 ? letter : "", opt->name, opt->arg != NULL ? " " : "",
		    opt->arg != NULL ? opt->arg : "");
		entry_print(left, 29, opts[i].help);
	}
}

/* is it the verb called @name, or one of that group? "" is everybody's group */
static bool
is_meant(const struct verb *verb, const char *name)
{
	size_t len = strlen(name);

	return len == 0 || (strncmp(verb->name, name, len) == 0 &&
	    (verb->name[len] == ' ' || verb->name[len] == '\0'));
}

static void
verbs_print(const char *group)
{
	for (size_t i = 0; verbs[i] != NULL; i++) {
		char left[96];

		if (!is_meant(verbs[i], group))
			continue;
		(void)snprintf(left, sizeof(left), "%s %s", verbs[i]->name, verbs[i]->args);
		entry_print(left, 33, verbs[i]->summary);
	}
}

static void
help_group(const char *group)
{
	(void)printf("Usage: scsactl %s VERB [OPTION...] [WORD...]\n\n", group);
	verbs_print(group);
	(void)printf("\nMore: scsactl help %s VERB; scsactl(1)\n", group);
}

static void
help_all(void)
{
	(void)printf("Usage: scsactl [OPTION...] VERB [WORD...]\n"
	    "Look at and command the units of scsad. Without a verb: status.\n\n");
	verbs_print("");
	(void)printf("\n"
	    "UNIT is a path as list prints it, an unambiguous tail of one, or a serial.\n"
	    "\nOptions, before or behind the verb:\n");
	opts_print(global_opts);
	(void)printf("\nMore: scsactl help VERB; scsactl(1)\n");
}

static void
help_verb(const struct verb *verb)
{
	(void)printf("Usage: scsactl %s%s%s%s\n%s\n", verb->name,
	    verb->opts != NULL ? " [OPTION...]" : "", verb->args[0] != '\0' ? " " : "",
	    verb->args, verb->summary);
	if (verb->details != NULL)
		(void)printf("\n%s\n", verb->details);
	(void)printf("\nOptions:\n");
	opts_print(verb->opts);
	opts_print(global_opts);
}

static void
opts_json(json_object *object, const struct verb_opt *opts)
{
	json_object *list = doc_list(object, "options");

	for (size_t i = 0; opts != NULL && opts[i].name != NULL; i++) {
		json_object *item = doc_item(list);

		doc_text(item, "name", opts[i].name);
		doc_text(item, "arg", opts[i].arg != NULL ? opts[i].arg : "");
		doc_text(item, "help", opts[i].help);
	}
}

static void
help_json(json_object *root, const char *name)
{
	json_object *list = doc_list(root, "verbs");

	opts_json(root, global_opts);
	for (size_t i = 0; verbs[i] != NULL; i++) {
		json_object *item;

		if (!is_meant(verbs[i], name))
			continue;
		item = doc_item(list);
		doc_text(item, "name", verbs[i]->name);
		doc_text(item, "args", verbs[i]->args);
		doc_text(item, "summary", verbs[i]->summary);
		opts_json(item, verbs[i]->opts);
	}
}

static enum ctl_exit
help_run(struct ctl *ctl, const struct args *args)
{
	const struct verb *verb;
	char name[64] = "";

	for (int i = 0; i < args->n; i++) {
		size_t len = strlen(name);

		(void)snprintf(name + len, sizeof(name) - len, "%s%s", i > 0 ? " " : "",
		    args->v[i]);
	}
	verb = verb_find(name);
	if (args->n > 0 && verb == NULL && !verb_is_group(name))
		return ctl_syntax(ctl, "no such verb: '%s'", name);
	if (ctl->is_json)
		help_json(ctl->root, name);
	else if (verb != NULL)
		help_verb(verb);
	else if (args->n > 0)
		help_group(name);
	else
		help_all();
	return CTL_OK;
}

const struct verb verb_help = {
	.name = "help",
	.args = "[VERB]",
	.summary = "this help, or that of a verb",
	.max = 3,
	.is_offline = true,
	.run = help_run,
};

static enum ctl_exit
version_run(struct ctl *ctl, const struct args *args)
{
	(void)args;
	if (ctl->is_json)
		doc_text(ctl->root, "version", SCSAD_VERSION);
	else
		(void)printf("scsactl %s\n", SCSAD_VERSION);
	return CTL_OK;
}

const struct verb verb_version = {
	.name = "version",
	.args = "",
	.summary = "version of this program",
	.max = 1,
	.is_offline = true,
	.run = version_run,
};
