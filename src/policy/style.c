/* SPDX-License-Identifier: Apache-2.0 */
/* Short style sheets, their hashes, and colours that can be read. */
#include "policy/style.h"

#include "base/codec.h"
#include "token/digest.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Behind a comment that begins at i. */
static size_t behind_comment(struct str s, size_t i)
{
	for (i += 2; i + 1 < s.n; i++)
		if (s.p[i] == '*' && s.p[i + 1] == '/')
			return i + 2;
	return s.n;
}

/* Behind the text in quotes that begins at i. */
static size_t behind_quotes(struct str s, size_t i)
{
	char quote = s.p[i++];
	while (i < s.n && s.p[i] != quote)
		i += s.p[i] == '\\' && i + 1 < s.n ? 2 : 1;
	return i < s.n ? i + 1 : s.n;
}

static bool needs_blank(const struct buf *out, size_t begin, struct str s, size_t next)
{
	if (out->n == begin || next >= s.n)
		return false;
	char last = out->p[out->n - 1], first = s.p[next];
	bool joins = last == '{' || last == '}' || last == ';' || last == ',' || last == ':';
	return !joins && first != '{' && first != '}';
}

void style_shorten(struct str s, struct buf *out)
{
	size_t begin = out->n;
	for (size_t i = 0; i < s.n && !out->full;) {
		size_t end = i;
		while (end < s.n && (is_blank(s.p[end]) || (s.p[end] == '/' && end + 1 < s.n && s.p[end + 1] == '*')))
			end = is_blank(s.p[end]) ? end + 1 : behind_comment(s, end);
		if (end > i) {
			if (needs_blank(out, begin, s, end))
				buf_char(out, ' ');
			i = end;
			continue;
		}
		end = s.p[i] == '"' || s.p[i] == '\'' ? behind_quotes(s, i) : i + 1;
		buf_add(out, (struct str){s.p + i, end - i});
		i = end;
	}
}

bool style_hash(struct arena *arena, struct str sheet, struct str *out)
{
	unsigned char digest[DIGEST_SIZE];
	struct buf b = arena_buf(arena, 8 + BASE64URL_ENCODED(DIGEST_SIZE) + 1);
	buf_add(&b, STR("sha256-"));
	size_t begin = b.n;
	if (b.full || !digest_sha256(sheet, digest))
		return false;
	base64url_encode(&b, digest, sizeof digest);
	for (size_t i = begin; i < b.n; i++)
		b.p[i] = b.p[i] == '-' ? '+' : b.p[i] == '_' ? '/' : b.p[i];
	buf_char(&b, '=');
	*out = buf_str(&b);
	return !b.full;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool style_color_parse(struct str text, struct style_color *out)
{
	int digit[6];
	if (text.n != 7 || text.p[0] != '#')
		return false;
	for (size_t i = 0; i < 6; i++)
		if ((digit[i] = hex_digit(text.p[i + 1])) < 0)
			return false;
	*out = (struct style_color){16 * digit[0] + digit[1], 16 * digit[2] + digit[3], 16 * digit[4] + digit[5]};
	return true;
}

/* x to the power of 2.4, for 0 < x <= 1: by the fifth root of x^12. */
static double power_2_4(double x)
{
	double power = x * x * x * x, root = 1;
	power = power * power * power;
	for (int i = 0; i < 60; i++)
		root -= (root - power / (root * root * root * root)) / 5;
	return root;
}

static double linear(int channel)
{
	double x = channel / 255.0;
	return x <= 0.04045 ? x / 12.92 : power_2_4((x + 0.055) / 1.055);
}

static double luminance(struct style_color c)
{
	return 0.2126 * linear(c.red) + 0.7152 * linear(c.green) + 0.0722 * linear(c.blue);
}

double style_contrast(struct style_color a, struct style_color b)
{
	double x = luminance(a) + 0.05, y = luminance(b) + 0.05;
	return x > y ? x / y : y / x;
}

static const struct style_color black = {0, 0, 0}, white = {255, 255, 255};
/* --card of style.css, and a bit beyond AA's 4.5, for the ground around it. */
static const struct style_color dark_ground = {0x1d, 0x21, 0x29};
static const double enough = 5.0;

/* The colour, mixed with as little of `with` as makes it readable on the ground. */
static struct style_color readable(struct style_color color, struct style_color ground, struct style_color with)
{
	struct style_color mixed = color;
	for (int part = 1; part <= 50 && style_contrast(mixed, ground) < enough; part++)
		mixed = (struct style_color){
			color.red + (with.red - color.red) * part / 50,
			color.green + (with.green - color.green) * part / 50,
			color.blue + (with.blue - color.blue) * part / 50,
		};
	return mixed;
}

static void print_color(const char *name, struct style_color color, struct buf *out)
{
	buf_printf(out, "%s:#%02x%02x%02x;", name, (unsigned)color.red, (unsigned)color.green, (unsigned)color.blue);
}

/* Links and frames stand on the ground; what is written on a button, on the colour itself. */
static void print_accent(struct style_color color, struct style_color ground, struct style_color with, struct buf *out)
{
	buf_add(out, STR(":root{"));
	print_color("--act", readable(color, ground, with), out);
	print_color("--fill", color, out);
	print_color("--on-fill", style_contrast(color, white) >= style_contrast(color, black) ? white : black, out);
	buf_char(out, '}');
}

void style_accent(struct style_color color, struct buf *out)
{
	print_accent(color, white, black, out);
	buf_add(out, STR("@media (prefers-color-scheme:dark){"));
	print_accent(color, dark_ground, white, out);
	buf_char(out, '}');
}
