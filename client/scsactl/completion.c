#include <stdio.h>
#include <string.h>

#include "client/scsactl/out.h"
#include "client/scsactl/verbs.h"

static const char *const shells[] = { "bash", "zsh", NULL };

static void
words_print(const char *const *words)
{
	for (size_t i = 0; words[i] != NULL; i++)
		(void)printf("%s%s", i > 0 ? " " : "", words[i]);
}

static void
opts_print(const struct verb_opt *opts)
{
	for (size_t i = 0; opts != NULL && opts[i].name != NULL; i++)
		(void)printf(" --%s", opts[i].name);
}

/* Options whose value is a file; both shells ask the same question. */
static void
file_opts_print(const char *between)
{
	bool is_first = true;

	for (size_t v = 0; verbs[v] != NULL; v++) {
		const struct verb_opt *opts = verbs[v]->opts;

		for (size_t i = 0; opts != NULL && opts[i].name != NULL; i++) {
			if (opts[i].arg == NULL || strcmp(opts[i].arg, "FILE") != 0)
				continue;
			(void)printf("%s--%s", is_first ? "" : between, opts[i].name);
			is_first = false;
		}
	}
}

/* Global options that take a value, as a pattern of case: the next word is not the verb. */
static void
value_opts_print(void)
{
	const char *between = "";

	for (size_t i = 0; global_opts[i].name != NULL; i++) {
		if (global_opts[i].arg == NULL)
			continue;
		(void)printf("%s-%c|--%s", between, global_opts[i].letter, global_opts[i].name);
		between = "|";
	}
}

/* The words that may follow @group, "" for the first one, each once; verbs of one group stand
 * together. */
static void
next_print(const char *group)
{
	size_t at = strlen(group) + (group[0] != '\0');
	const char *last = "";
	size_t last_len = 0;

	for (size_t i = 0; verbs[i] != NULL; i++) {
		const char *word = verbs[i]->name + at;
		size_t len;

		if (at > 0 && (strncmp(verbs[i]->name, group, at - 1) != 0 ||
		    verbs[i]->name[at - 1] != ' '))
			continue;
		len = strcspn(word, " ");
		if (len == last_len && strncmp(word, last, len) == 0)
			continue;
		(void)printf("%s%.*s", last_len > 0 ? " " : "", (int)len, word);
		last = word;
		last_len = len;
	}
}

/* Call @fn with each group once; groups are one word. */
static void
groups_each(void (*fn)(const char *group))
{
	char last[32] = "";

	for (size_t i = 0; verbs[i] != NULL; i++) {
		size_t len = strcspn(verbs[i]->name, " ");

		if (verbs[i]->name[len] == '\0' || len >= sizeof(last) ||
		    (strncmp(verbs[i]->name, last, len) == 0 && last[len] == '\0'))
			continue;
		(void)snprintf(last, sizeof(last), "%.*s", (int)len, verbs[i]->name);
		fn(last);
	}
}

static void
group_name(const char *group)
{
	(void)printf("%s|", group);
}

static void
bash_group(const char *group)
{
	(void)printf("\t%s) ((COMP_CWORD == at + 1)) && words=\"", group);
	next_print(group);
	(void)printf("\" ;;\n");
}

static void
bash_verb(const struct verb *verb)
{
	(void)printf("\t\"%s\") opts+=\"", verb->name);
	opts_print(verb->opts);
	(void)printf("\"");
	if (verb->words != NULL) {
		(void)printf("; ((COMP_CWORD == at + 1)) && words=\"");
		words_print(verb->words);
		(void)printf("\"");
	}
	if (verb->lister != NULL)
		(void)printf("; ((COMP_CWORD == at + %d)) && lister=\"%s\"",
		    verb->words != NULL ? 2 : 1, verb->lister);
	(void)printf(" ;;\n");
}

static void
bash_print(void)
{
	(void)printf("# completion of scsactl for bash, made by: scsactl completion bash\n"
	    "_scsactl()\n{\n"
	    "\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} verb= i\n"
	    "\tlocal at=0 words= lister= groups='|");
	groups_each(group_name);
	(void)printf("' opts=\"");
	opts_print(global_opts);
	(void)printf("\"\n\tCOMPREPLY=()\n"
	    "\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
	    "\t\tcase ${COMP_WORDS[i]} in\n"
	    "\t\t");
	value_opts_print();
	(void)printf(") ((i++)) ;;\n"
	    "\t\t-*) ;;\n"
	    "\t\t*) verb=\"${verb:+$verb }${COMP_WORDS[i]}\" at=$i\n"
	    "\t\t   [[ $groups == *\"|$verb|\"* ]] || break ;;\n"
	    "\t\tesac\n\tdone\n"
	    "\tcase $prev in\n\t--socket|");
	file_opts_print("|");
	(void)printf(") COMPREPLY=($(compgen -f -- \"$cur\")); return ;;\n\tesac\n"
	    "\tcase $verb in\n\t\"\") words=\"");
	next_print("");
	(void)printf("\" ;;\n");
	groups_each(bash_group);
	for (size_t i = 0; verbs[i] != NULL; i++)
		bash_verb(verbs[i]);
	(void)printf("\tesac\n"
	    "\t[[ -n $lister ]] && words=$(scsactl $lister 2>/dev/null)\n"
	    "\t[[ $cur == -* ]] && words=$opts\n"
	    "\tCOMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
	    "}\ncomplete -F _scsactl scsactl\n");
}

/* between single quotes */
static void
zsh_quoted(const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '\'')
			(void)printf("'\\''");
		else
			(void)putchar(*text);
	}
}

static void
zsh_opts(const struct verb_opt *opts)
{
	for (size_t i = 0; opts != NULL && opts[i].name != NULL; i++) {
		bool is_file = opts[i].arg != NULL && (strcmp(opts[i].arg, "FILE") == 0 ||
		    strcmp(opts[i].arg, "PATH") == 0);

		(void)printf(" \\\n\t\t\t'--%s[", opts[i].name);
		zsh_quoted(opts[i].help);
		(void)printf("]%s%s%s'",
		    opts[i].arg != NULL ? ":" : "", opts[i].arg != NULL ? opts[i].arg : "",
		    is_file ? ":_files" : opts[i].arg != NULL ? ":" : "");
	}
}

/* the first words of a group, and what each begins */
static void
zsh_group(const char *group)
{
	(void)printf("\t\t%s) compadd ", group);
	next_print(group);
	(void)printf(" ;;\n");
}

static void
zsh_verb(const struct verb *verb)
{
	int at = 1;

	(void)printf("\t\t'%s') _arguments", verb->name);
	zsh_opts(global_opts);
	zsh_opts(verb->opts);
	if (verb->words != NULL) {
		(void)printf(" '%d: :(", at++);
		words_print(verb->words);
		(void)printf(")'");
	}
	if (verb->lister != NULL)
		(void)printf(" '%d: : _scsactl_names %s'", at, verb->lister);
	(void)printf(" ;;\n");
}

static void
zsh_print(void)
{
	(void)printf("#compdef scsactl\n"
	    "# completion of scsactl for zsh, made by: scsactl completion zsh\n"
	    "_scsactl_names() {\n"
	    "\tlocal -a names=(${(f)\"$(scsactl $@ 2>/dev/null)\"})\n"
	    "\tcompadd -a names\n}\n"
	    "_scsactl() {\n\tlocal state line verb\n\t_arguments -C");
	zsh_opts(global_opts);
	(void)printf(" \\\n\t\t'1: :->verb' '*:: :->words'\n\tcase $state in\n\tverb)\n"
	    "\t\tcompadd ");
	next_print("");
	(void)printf(" ;;\n\twords)\n\t\tverb=$words[1]\n"
	    "\t\tif [[ '|");
	groups_each(group_name);
	(void)printf("' == *\"|$verb|\"* ]] && (( CURRENT > 2 )); then\n"
	    "\t\t\tverb=\"$verb $words[2]\"\n"
	    "\t\t\tshift words\n\t\t\t(( CURRENT-- ))\n\t\tfi\n"
	    "\t\tcase $verb in\n");
	groups_each(zsh_group);
	for (size_t i = 0; verbs[i] != NULL; i++)
		zsh_verb(verbs[i]);
	(void)printf("\t\tesac ;;\n\tesac\n}\n_scsactl \"$@\"\n");
}

static enum ctl_exit
completion_run(struct ctl *ctl, const struct args *args)
{
	/* a script is a script: --json would only make it unusable */
	ctl->is_json = false;
	if (strcmp(args->v[0], "bash") == 0)
		bash_print();
	else if (strcmp(args->v[0], "zsh") == 0)
		zsh_print();
	else
		return ctl_syntax(ctl, "'%s' is no shell known here: bash, zsh", args->v[0]);
	return CTL_OK;
}

const struct verb verb_completion = {
	.name = "completion",
	.args = "bash|zsh",
	.summary = "script that completes words in that shell",
	.min = 1,
	.max = 1,
	.is_offline = true,
	.words = shells,
	.run = completion_run,
};
