/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration reader: values, lists, and every error with its place. */
#include "base/conf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "unit.h"

struct sample {
	struct conf_text text, path, url;
	bool flag;
	int64_t number, size, duration;
	int word;
	struct conf_list list, lines;
};

static const struct conf_opt sample_opts[] = {
	{"text", CONF_TEXT, offsetof(struct sample, text), "initial", NULL, "A text"},
	{"path", CONF_PATH, offsetof(struct sample, path), NULL, NULL, "A path"},
	{"url", CONF_URL, offsetof(struct sample, url), NULL, NULL, "A URL"},
	{"flag", CONF_BOOL, offsetof(struct sample, flag), "on", NULL, "A flag"},
	{"number", CONF_INT, offsetof(struct sample, number), "4", "1-8", "A number"},
	{"size", CONF_SIZE, offsetof(struct sample, size), "64k", "1k-1m", "A size"},
	{"duration", CONF_DURATION, offsetof(struct sample, duration), "50ms", "0-7d", "A duration"},
	{"word", CONF_WORD, offsetof(struct sample, word), "deny", "deny|local", "A word"},
	{"list", CONF_LIST, offsetof(struct sample, list), "a, b", NULL, "A list"},
	{"lines", CONF_LINES, offsetof(struct sample, lines), NULL, NULL, "Lines"},
	{NULL, CONF_TEXT, 0, NULL, NULL, NULL},
};
static const struct conf_kind sample_kind = {"sample", false, sizeof(struct sample), sample_opts, "A sample"};
static const struct conf_kind named_kind = {"named", true, sizeof(struct sample), sample_opts, "A named sample"};
static const struct conf_kind *const kinds[] = {&sample_kind, &named_kind, NULL};

static char path[] = "/tmp/test_conf.XXXXXX";

static bool load(const char *text, struct conf **conf, struct conf_error *error)
{
	FILE *file = fopen(path, "w");
	CU_ASSERT_FATAL(file != NULL);
	fputs(text, file);
	fclose(file);
	error->text[0] = '\0';
	return conf_open(path, kinds, conf, error);
}

/* A default stands nowhere, also when the file says the same. */
static void given(void)
{
	struct conf *conf;
	struct conf_error error;
	CU_ASSERT_FATAL(load("[sample]\ntext = initial\nlist = a\nlist = b\n", &conf, &error));
	CU_ASSERT_TRUE(conf_is_given(conf->sections, "text"));
	CU_ASSERT_TRUE(conf_is_given(conf->sections, "list"));
	CU_ASSERT_FALSE(conf_is_given(conf->sections, "flag"));
	conf_close(&conf);
}

static void defaults(void)
{
	struct conf *conf;
	struct conf_error error;
	CU_ASSERT_FATAL(load("", &conf, &error));
	const struct sample *s = conf_find(conf, &sample_kind, STR_NONE);
	CU_ASSERT_FATAL(s != NULL);
	UNIT_STR_EQ(s->text.value, STR("initial"), "text");
	CU_ASSERT(s->flag && s->number == 4 && s->size == 65536 && s->duration == 50 && s->word == 0);
	CU_ASSERT(s->list.n == 2 && s->lines.n == 0 && !s->path.value.p);
	CU_ASSERT(conf_find(conf, &named_kind, STR("x")) == NULL);
	conf_close(&conf);
	CU_ASSERT(conf == NULL);
}

static void values(void)
{
	struct conf *conf;
	struct conf_error error;
	CU_ASSERT_FATAL(
		load("# comment\r\n[sample]\n text = a = b # c \nflag=off\nnumber = 8\nsize = 1m\nduration = 2h\n"
		     "word = local\nlist = x\nlist = y , z\nlines = p, q\nlines = r\npath = /p\nurl = https://u/\n"
		     "[named \"one two\"]\ntext = t\n",
		     &conf, &error));
	const struct sample *s = conf_find(conf, &sample_kind, STR_NONE);
	UNIT_STR_EQ(s->text.value, STR("a = b # c"), "a value keeps '=' and '#'");
	CU_ASSERT(!s->flag && s->number == 8 && s->size == 1048576 && s->duration == 7200000 && s->word == 1);
	CU_ASSERT_FATAL(s->list.n == 3 && s->lines.n == 2);
	UNIT_STR_EQ(s->list.items[1].value, STR("y"), "list");
	CU_ASSERT_EQUAL(s->list.items[2].line, 10);
	UNIT_STR_EQ(s->lines.items[0].value, STR("p, q"), "commas belong to lines");
	const struct sample *n = conf_find(conf, &named_kind, STR("one two"));
	CU_ASSERT_FATAL(n != NULL);
	UNIT_STR_EQ(n->text.value, STR("t"), "named");
	conf_close(&conf);
}

static void errors(void)
{
	static const struct {
		const char *text;
		unsigned line;
		const char *says;
	} rows[] = {
		{"[sampel]\n", 1, "did you mean [sample]?"},
		{"[sample]\ntexd = x\n", 2, "texd: [sample] has no such key; did you mean text?"},
		{"[sample]\nzzzzzzzz = x\n", 2, "authctl reference"},
		{"[sample]\ntext = a\ntext = b\n", 3, "second time; the first is at"},
		{"[sample]\n[sample]\n", 2, "second time; the first is at"},
		{"[named \"a\"]\n[named \"a\"]\n", 2, "second time"},
		{"[named]\n", 1, "needs a name"},
		{"[sample \"x\"]\n", 1, "has no name"},
		{"[named x]\n", 1, "needs a name"},
		{"[sample\n", 1, "a section is written"},
		{"text = x\n", 1, "before the first [section]"},
		{"[sample]\nnonsense\n", 2, "neither"},
		{"[sample]\nflag = yes\n", 2, "flag: \"yes\": this is on or off"},
		{"[sample]\nnumber = 9\n", 2, "out of range 1-8"},
		{"[sample]\nnumber = -1\n", 2, "whole number"},
		{"[sample]\nsize = 1q\n", 2, "is a size"},
		{"[sample]\nsize = 99999999999999999999\n", 2, "is a size"},
		{"[sample]\nsize = 9223372036854775807g\n", 2, "is a size"},
		{"[sample]\nduration = 10\n", 2, "is a duration"},
		{"[sample]\nduration = 8d\n", 2, "out of range"},
		{"[sample]\nword = open\n", 2, "is one of deny|local"},
		{"[sample]\npath = rel\n", 2, "begin it with '/'"},
		{"[sample]\nurl = ftp://x\n", 2, "is a URL"},
		{"[sample]\nurl = //x\n", 2, "is a URL"},
		{"[sample]\ntext =\n", 2, "is empty"},
		{"[sample]\nlist = a,,b\n", 2, "is empty"},
		{"[sample]\ntext = a\x01\n", 2, "control byte (0x01)"},
		{"include = /nonexistent/file\n", 1, "no such file"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct conf *conf = NULL;
		struct conf_error error;
		char place[64];
		snprintf(place, sizeof place, "%s:%u: ", path, rows[i].line);
		bool refused = !load(rows[i].text, &conf, &error);
		UNIT_ROW(refused && strstr(error.text, place) == error.text && strstr(error.text, rows[i].says),
			 refused ? error.text : rows[i].text);
		conf_close(&conf);
	}
}

static void missing_file(void)
{
	struct conf *conf = NULL;
	struct conf_error error;
	CU_ASSERT(!conf_open("/nonexistent/conf", kinds, &conf, &error));
	CU_ASSERT(strstr(error.text, "/nonexistent/conf: ") == error.text && strstr(error.text, "-c FILE"));
}

static void includes(void)
{
	char other[] = "/tmp/test_conf_inc.XXXXXX", text[256];
	int fd = mkstemp(other);
	struct conf *conf;
	struct conf_error error;
	CU_ASSERT_FATAL(fd >= 0);
	CU_ASSERT(dprintf(fd, "[named \"x\"]\nnumber = 99\n") > 0);
	close(fd);
	snprintf(text, sizeof text, "[sample]\ninclude = %s\ntext = after\n", other);
	CU_ASSERT(!load(text, &conf, &error));
	CU_ASSERT(strstr(error.text, other) == error.text && strstr(error.text, ":2: number: "));
	snprintf(text, sizeof text, "include = %s\n", path);
	CU_ASSERT(!load(text, &conf, &error) && strstr(error.text, "include itself"));
	unlink(other);
}

static void reference_names_all(void)
{
	static char text[8192];
	struct buf b = buf_over(text, sizeof text - 1);
	conf_reference(&b, kinds);
	const char *all = buf_z(&b);
	for (const struct conf_opt *o = sample_opts; o->key; o++)
		UNIT_ROW(strstr(all, o->key) && strstr(all, o->help), o->key);
}

static void print_masks(void)
{
	static const char *const masked[] = {"text", NULL};
	static char text[8192];
	struct buf b = buf_over(text, sizeof text - 1);
	struct conf *conf;
	struct conf_error error;
	CU_ASSERT_FATAL(load("[sample]\ntext = text:hush\n", &conf, &error));
	conf_print(&b, conf, masked);
	CU_ASSERT(strstr(buf_z(&b), "text = ********\n") && !strstr(buf_z(&b), "hush"));
	conf_close(&conf);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{"defaults", defaults},
		{"given", given},
		{"values", values},
		{"errors", errors},
		{"missing file", missing_file},
		{"include", includes},
		{"reference", reference_names_all},
		{"secrets are masked", print_masks},
		{NULL, NULL},
	};
	int fd = mkstemp(path);
	if (fd < 0)
		return 1;
	close(fd);
	int status = unit_main("conf", cases);
	unlink(path);
	return status;
}
