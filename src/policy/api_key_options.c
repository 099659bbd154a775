/* SPDX-License-Identifier: Apache-2.0 */
/* [api-keys], and the file of records that it may name. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/secret.h"
#include "policy/api_key.h"
#include "policy/runtime.h"

enum { FILE_SIZE_MAX = 1 << 20, HEADER_NAME_MAX = 64, LINE_ARENA = 64 << 10 };

static const struct conf_opt opts[] = {
	{"header", CONF_TEXT, offsetof(struct api_keys_conf, header), "X-API-Key", NULL,
	 "The request header that a key comes in, beside Authorization: Bearer"},
	{"prefix", CONF_TEXT, offsetof(struct api_keys_conf, prefix), "fak", NULL,
	 "What every key begins with, before the first _: letters and digits"},
	{"rate", CONF_TEXT, offsetof(struct api_keys_conf, rate), "none", NULL,
	 "How often a key without a rate of its own may be used on each host: 100/m, or with s, h, d; none: as often "
	 "as it likes"},
	{"file", CONF_PATH, offsetof(struct api_keys_conf, file), NULL, NULL,
	 "Further keys: a file with one record in each line, as authctl api-keys add --print-record prints them"},
	{"secret", CONF_LIST, offsetof(struct api_keys_conf, secret), NULL, NULL,
	 "Signs the records of keys, needed with memcached and the same on all hosts: the first signs, all verify"},
	{NULL, CONF_TEXT, 0, NULL, NULL, NULL},
};

const struct conf_kind api_keys_kind = {"api-keys", false, sizeof(struct api_keys_conf), opts,
					"Credentials of programs, for policies with api-key in token-from"};

/* The header --------------------------------------------------------------- */

/* These have another meaning, to us or to web servers. */
static const char *const taken[] = {"Authorization", "Cookie", "Host",	 "Proxy", "Origin", "Accept",
				    "Content-Type",  "Referer", "Content-Length", NULL};

static bool is_taken(struct str name)
{
	for (size_t i = 0; taken[i]; i++)
		if (str_eq_nocase(name, str_of(taken[i])))
			return true;
	return false;
}

/* RFC 3875 section 4.1.18; '_' is left out, which web servers drop or fold. */
static bool print_parameter(struct arena *arena, struct str header, struct str *out)
{
	struct buf name = arena_buf(arena, header.n + 5);
	buf_add(&name, STR("HTTP_"));
	for (size_t i = 0; i < header.n; i++) {
		char c = header.p[i];
		bool lower = c >= 'a' && c <= 'z', other = (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
		if (!lower && !other && c != '-')
			return false;
		buf_char(&name, lower ? (char)(c - 'a' + 'A') : c == '-' ? '_' : c);
	}
	*out = buf_str(&name);
	return header.n > 0 && header.n <= HEADER_NAME_MAX && !name.full;
}

/* The file ----------------------------------------------------------------- */

static int compare_lines(const void *a, const void *b)
{
	const struct api_key_line *x = a, *y = b;
	return memcmp(x->id.p, y->id.p, API_KEY_ID_SIZE);
}

struct str api_keys_find(const struct api_key_settings *settings, struct str id)
{
	struct api_key_line wanted = {.id = id};
	if (settings->n_lines == 0 || id.n != API_KEY_ID_SIZE)
		return STR_NONE;
	const struct api_key_line *found =
		bsearch(&wanted, settings->lines, settings->n_lines, sizeof wanted, compare_lines);
	return found ? found->text : STR_NONE;
}

static size_t count_lines(struct str text)
{
	size_t n = 1;
	for (size_t i = 0; i < text.n; i++)
		n += text.p[i] == '\n';
	return n;
}

/* The id as it stands in the snapshot's arena, not in the one of the parser. */
static bool read_line(struct snapshot *s, struct arena *scratch, struct str line, struct api_key_line *out)
{
	struct api_key_record record;
	arena_reset(scratch);
	if (!api_key_record_parse(scratch, line, &record))
		return false;
	*out = (struct api_key_line){arena_copy(s->arena, record.id), line};
	return out->id.p != NULL;
}

static bool read_lines(struct snapshot *s, struct arena *scratch, struct str text, struct conf_error *error)
{
	const struct conf_text *file = &s->api_keys_conf->file;
	struct api_key_line *lines = arena_array(s->arena, count_lines(text), sizeof *lines);
	struct str line;
	size_t n = 0;
	for (unsigned number = 1; lines && str_split(&text, '\n', &line); number++) {
		line = str_trim(line);
		if (line.n == 0 || line.p[0] == '#')
			continue;
		if (!read_line(s, scratch, line, &lines[n++]))
			return conf_fail_at(error, file, "file",
					    "%s:%u: no record of an API key; make one: authctl api-keys add --owner "
					    "ID --print-record",
					    file->value.p, number);
	}
	if (!lines)
		return conf_fail_at(error, file, "file", "the configuration is too large");
	qsort(lines, n, sizeof *lines, compare_lines);
	for (size_t i = 1; i < n; i++)
		if (compare_lines(&lines[i - 1], &lines[i]) == 0)
			return conf_fail_at(error, file, "file", "%s: the key %.*s is there twice", file->value.p,
					    STR_ARGS(lines[i].id));
	s->api_keys.lines = lines;
	s->api_keys.n_lines = n;
	return true;
}

static bool load_file(struct snapshot *s, struct conf_error *error)
{
	const struct conf_text *file = &s->api_keys_conf->file;
	char memory[512];
	struct buf why = buf_over(memory, sizeof memory - 1);
	struct arena *scratch;
	struct str text;
	if (!file->value.p)
		return true;
	if (!file_load(s->arena, file->value.p, FILE_SIZE_MAX, &text, &why))
		return conf_fail_at(error, file, "file", "%s", buf_z(&why));
	if (!arena_open(LINE_ARENA, &scratch))
		return conf_fail_at(error, file, "file", "no memory");
	bool good = read_lines(s, scratch, text, error);
	arena_close(&scratch);
	return good;
}

static bool load_secrets(struct snapshot *s, struct conf_error *error)
{
	const struct conf_list *list = &s->api_keys_conf->secret;
	struct str *secrets = arena_array(s->arena, list->n, sizeof *secrets);
	for (size_t i = 0; i < list->n; i++) {
		char memory[512];
		struct buf why = buf_over(memory, sizeof memory - 1);
		if (!secrets)
			return conf_fail_at(error, &list->items[i], "secret", "the configuration is too large");
		if (!secret_load(s->arena, list->items[i].value, &secrets[i], &why))
			return conf_fail_at(error, &list->items[i], "secret", "%s", buf_z(&why));
		if (secrets[i].n < DIGEST_SIZE)
			return conf_fail_at(error, &list->items[i], "secret",
					    "has %zu bytes, it needs %d; make one: authctl secret generate",
					    secrets[i].n, DIGEST_SIZE);
	}
	s->api_keys.secrets = secrets;
	s->api_keys.n_secrets = list->n;
	s->api_keys.needs_secret = list->n == 0 && s->store->memcached.n > 0;
	return true;
}

bool api_keys_compile(struct snapshot *snapshot, struct conf_error *error)
{
	const struct api_keys_conf *conf = snapshot->api_keys_conf;
	struct api_key_settings *out = &snapshot->api_keys;
	*out = (struct api_key_settings){.prefix = conf->prefix.value, .header = conf->header.value};
	if (!api_key_prefix_valid(out->prefix))
		return conf_fail_at(error, &conf->prefix, "prefix", "\"%.*s\" is no prefix: 1 to %d letters and digits",
				    STR_ARGS(out->prefix), API_KEY_PREFIX_MAX);
	if (!print_parameter(snapshot->arena, out->header, &out->parameter))
		return conf_fail_at(error, &conf->header, "header",
				    "\"%.*s\" is no name of a header: letters, digits and '-', as X-API-Key",
				    STR_ARGS(out->header));
	if (is_taken(out->header))
		return conf_fail_at(error, &conf->header, "header",
				    "%.*s has another meaning: choose one like X-API-Key", STR_ARGS(out->header));
	if (!limiter_rate_parse(conf->rate.value, &out->rate))
		return conf_fail_at(error, &conf->rate, "rate",
				    "\"%.*s\" is no rate: none, or a number up to %d and s, m, h or d, as 100/m",
				    STR_ARGS(conf->rate.value), LIMITER_MOST_MAX);
	return load_secrets(snapshot, error) && load_file(snapshot, error);
}
