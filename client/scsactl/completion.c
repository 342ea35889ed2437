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

static void
bash_print(void)
{
	(void)printf("# completion of scsactl for bash, made by: scsactl completion bash\n"
	    "_scsactl()\n{\n"
	    "\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} verb= i\n"
	    "\tlocal at=0 opts=\"");
	opts_print(global_opts);
	(void)printf("\"\n\tCOMPREPLY=()\n"
	    "\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
	    "\t\tcase ${COMP_WORDS[i]} in\n"
	    "\t\t");
	value_opts_print();
	(void)printf(") ((i++)) ;;\n"
	    "\t\t-*) ;;\n"
	    "\t\t*) verb=${COMP_WORDS[i]} at=$i; break ;;\n"
	    "\t\tesac\n\tdone\n"
	    "\tcase $prev in\n\t--socket|");
	file_opts_print("|");
	(void)printf(") COMPREPLY=($(compgen -f -- \"$cur\")); return ;;\n\tesac\n"
	    "\tlocal words= units=\n\tcase $verb in\n\t\"\") words=\"");
	for (size_t i = 0; verbs[i] != NULL; i++)
		(void)printf("%s%s", i > 0 ? " " : "", verbs[i]->name);
	(void)printf("\" ;;\n");
	for (size_t i = 0; verbs[i] != NULL; i++) {
		(void)printf("\t%s) opts+=\"", verbs[i]->name);
		opts_print(verbs[i]->opts);
		(void)printf("\"");
		if (verbs[i]->complete == COMPLETE_WORDS) {
			(void)printf("; ((COMP_CWORD == at + 1)) && words=\"");
			words_print(verbs[i]->words);
			(void)printf("\"");
		}
		if (verbs[i]->complete == COMPLETE_UNIT)
			(void)printf("; ((COMP_CWORD == at + 1)) && units=1");
		(void)printf(" ;;\n");
	}
	(void)printf("\tesac\n"
	    "\t[[ $verb == @(reset|target|lun) ]] && ((COMP_CWORD == at + 2)) && units=1\n"
	    "\t[[ -n $units ]] && words=$(scsactl list --names 2>/dev/null)\n"
	    "\t[[ $cur == -* ]] && words=$opts\n"
	    "\tCOMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
	    "}\ncomplete -F _scsactl scsactl\n");
}

static void
zsh_opts(const struct verb_opt *opts)
{
	for (size_t i = 0; opts != NULL && opts[i].name != NULL; i++) {
		bool is_file = opts[i].arg != NULL && (strcmp(opts[i].arg, "FILE") == 0 ||
		    strcmp(opts[i].arg, "PATH") == 0);

		(void)printf(" \\\n\t\t\t'--%s[%s]%s%s%s'", opts[i].name, opts[i].help,
		    opts[i].arg != NULL ? ":" : "", opts[i].arg != NULL ? opts[i].arg : "",
		    is_file ? ":_files" : opts[i].arg != NULL ? ":" : "");
	}
}

static void
zsh_print(void)
{
	(void)printf("#compdef scsactl\n"
	    "# completion of scsactl for zsh, made by: scsactl completion zsh\n"
	    "_scsactl_units() {\n"
	    "\tlocal -a units=(${(f)\"$(scsactl list --names 2>/dev/null)\"})\n"
	    "\tcompadd -a units\n}\n"
	    "_scsactl() {\n\tlocal state line\n\t_arguments -C");
	zsh_opts(global_opts);
	(void)printf(" \\\n\t\t'1: :->verb' '*:: :->words'\n\tcase $state in\n\tverb)\n"
	    "\t\tlocal -a verbs=(");
	for (size_t i = 0; verbs[i] != NULL; i++)
		(void)printf("\n\t\t\t'%s:%s'", verbs[i]->name, verbs[i]->summary);
	(void)printf(")\n\t\t_describe verb verbs ;;\n\twords)\n\t\tcase $line[1] in\n");
	for (size_t i = 0; verbs[i] != NULL; i++) {
		(void)printf("\t\t%s) _arguments", verbs[i]->name);
		zsh_opts(global_opts);
		zsh_opts(verbs[i]->opts);
		if (verbs[i]->complete == COMPLETE_WORDS) {
			(void)printf(" '1: :(");
			words_print(verbs[i]->words);
			(void)printf(")' '2: :_scsactl_units'");
		}
		if (verbs[i]->complete == COMPLETE_UNIT)
			(void)printf(" '1: :_scsactl_units'");
		(void)printf(" ;;\n");
	}
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
	.complete = COMPLETE_WORDS,
	.words = shells,
	.run = completion_run,
};
