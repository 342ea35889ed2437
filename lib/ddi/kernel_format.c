#include "ddi/kernel_format.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/compiler.h"

#define SPEC_MAX	32	/* of one conversion, '%' to letter */

struct out {
	char *buf;
	size_t size, len;	/* len never above size - 1 */
};

struct spec {
	char text[SPEC_MAX];	/* for snprintf(3), '*' replaced */
	size_t len;
	int longs;		/* number of 'l' */
	char modifier;		/* 'j', 'z', 't', 'L', or 0 */
	char letter;
};

static void
out_add(struct out *o, const char *text, size_t len)
{
	size_t room = o->size - 1 - o->len;

	len = len < room ? len : room;
	memcpy(o->buf + o->len, text, len);
	o->len += len;
	o->buf[o->len] = '\0';
}

static void
out_advance(struct out *o, int len)
{
	size_t room = o->size - 1 - o->len;

	if (len > 0)
		o->len += (size_t)len < room ? (size_t)len : room;
}

static void
spec_add(struct spec *s, char c)
{
	if (s->len < SPEC_MAX - 1)
		s->text[s->len++] = c;
}

static void
spec_add_int(struct spec *s, int v)
{
	int n = snprintf(s->text + s->len, SPEC_MAX - s->len, "%d", v);

	if (n > 0)
		s->len += (size_t)n < SPEC_MAX - 1 - s->len ? (size_t)n : SPEC_MAX - 1 - s->len;
}

/* spec_read() - the conversion at @p ('%'); where it ends */
static const char *
spec_read(struct spec *s, const char *p, va_list *ap)
{
	*s = (struct spec){ 0 };
	spec_add(s, *p++);
	for (; *p != '\0' && strchr("-+ #0123456789.*'", *p) != NULL; p++) {
		if (*p == '*')
			spec_add_int(s, va_arg(*ap, int));
		else
			spec_add(s, *p);
	}
	for (; *p != '\0' && strchr("hljztL", *p) != NULL; p++) {
		s->longs += *p == 'l';
		if (*p != 'l' && *p != 'h')
			s->modifier = *p;
		spec_add(s, *p);
	}
	s->letter = *p;
	spec_add(s, *p);
	s->text[s->len] = '\0';
	return *p == '\0' ? p : p + 1;
}

static void
bits_format(struct out *o, unsigned int value, const char *names)
{
	unsigned int base = (unsigned char)*names;
	char number[24];
	const char *p;
	bool is_first = true;
	int n;

	n = snprintf(number, sizeof(number), base == 8 ? "%o" : base == 10 ? "%u" : "%x",
	    value);
	out_add(o, number, (size_t)n);
	for (p = *names == '\0' ? names : names + 1; *p != '\0';) {
		unsigned int bit = (unsigned char)*p++;
		size_t len = strcspn(p,
		    "\1\2\3\4\5\6\7\10\11\12\13\14\15\16\17\20\21\22\23\24\25"
		    "\26\27\30\31\32\33\34\35\36\37\40");

		if (bit <= 32 && (value & 1u << (bit - 1)) != 0) {
			out_add(o, is_first ? "<" : ",", 1);
			out_add(o, p, len);
			is_first = false;
		}
		p += len;
	}
	if (!is_first)
		out_add(o, ">", 1);
}

#define FORMAT_AS(o, s, ap, type)                                              \
	out_advance(o, snprintf((o)->buf + (o)->len, (o)->size - (o)->len, (s)->text,         \
	    va_arg(*(ap), type)))

static void
integer_format(struct out *o, const struct spec *s, va_list *ap)
{
	if (s->modifier == 'j')
		FORMAT_AS(o, s, ap, intmax_t);
	else if (s->modifier == 'z')
		FORMAT_AS(o, s, ap, size_t);
	else if (s->modifier == 't')
		FORMAT_AS(o, s, ap, ptrdiff_t);
	else if (s->longs >= 2)
		FORMAT_AS(o, s, ap, long long);
	else if (s->longs == 1)
		FORMAT_AS(o, s, ap, long);
	else
		FORMAT_AS(o, s, ap, int);
}

static void
spec_format(struct out *o, const struct spec *s, va_list *ap)
{
	unsigned int value;

	switch (s->letter) {
	case 'b':
		value = va_arg(*ap, unsigned int);
		bits_format(o, value, va_arg(*ap, const char *));
		break;
	case 'd': case 'i': case 'o': case 'u': case 'x': case 'X': case 'c':
		integer_format(o, s, ap);
		break;
	case 's': case 'p':
		FORMAT_AS(o, s, ap, const void *);
		break;
	case 'e': case 'E': case 'f': case 'F': case 'g': case 'G': case 'a': case 'A':
		if (s->modifier == 'L')
			FORMAT_AS(o, s, ap, long double);
		else
			FORMAT_AS(o, s, ap, double);
		break;
	case 'n':
		(void)va_arg(*ap, void *);
		break;
	case '%':
		out_add(o, "%", 1);
		break;
	default:
		out_add(o, s->text, strlen(s->text));
	}
}

size_t
kernel_vformat(char *buf, size_t size, const char *fmt, va_list ap)
{
	struct out o = { .buf = buf, .size = size };
	struct spec spec;
	va_list args;
	size_t plain;

	buf[0] = '\0';
	va_copy(args, ap);
	while (*fmt != '\0') {
		plain = strcspn(fmt, "%");
		out_add(&o, fmt, plain);
		fmt += plain;
		if (*fmt == '%') {
			fmt = spec_read(&spec, fmt, &args);
			spec_format(&o, &spec, &args);
		}
	}
	va_end(args);
	return o.len;
}
