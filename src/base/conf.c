/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the file: lines into sections and entries. conf_value.c gives the
 * entries their types. */
#include "base/conf.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/conf_internal.h"

enum { FILE_MAX = 4 << 20, ARENA_SIZE = 64 << 20, FILES_MAX = 256 };

struct reader {
	struct arena *arena;
	const struct conf_kind *const *kinds;
	struct conf_section *first, **last_section;
	struct conf_section *current;
	const struct conf_entry **last_entry;
	struct conf_text files[FILES_MAX];
	size_t n_files;
	struct conf_error *error;
};

static bool read_file(struct reader *r, const char *path, unsigned depth);

bool conf_error_set(struct conf_error *error, const char *file, unsigned line, const char *format, ...)
{
	struct buf b = buf_over(error->text, sizeof error->text - 1);
	if (line)
		buf_printf(&b, "%s:%u: ", file, line);
	else
		buf_printf(&b, "%s: ", file);
	va_list args;
	va_start(args, format);
	vsnprintf(b.p + b.n, sizeof error->text - b.n, format, args);
	va_end(args);
	return false;
}

static const char *kind_word(const void *list, size_t i)
{
	const struct conf_kind *kind = ((const struct conf_kind *const *)list)[i];
	return kind ? kind->name : NULL;
}

static const struct conf_kind *find_kind(const struct reader *r, struct str name)
{
	for (size_t i = 0; r->kinds[i]; i++)
		if (str_eq(name, str_of(r->kinds[i]->name)))
			return r->kinds[i];
	return NULL;
}

static struct conf_section *find_section(const struct reader *r, const struct conf_kind *kind, struct str name)
{
	for (struct conf_section *s = r->first; s; s = s->next)
		if (s->kind == kind && str_eq(s->name, name))
			return s;
	return NULL;
}

static bool add_section(struct reader *r, const struct conf_kind *kind, struct str name, const char *file,
			unsigned line)
{
	struct conf_section *section = arena_alloc(r->arena, sizeof *section);
	void *values = arena_alloc(r->arena, kind->size);
	if (!section || !values)
		return conf_error_set(r->error, file, line, "the configuration is too large");
	*section = (struct conf_section){.kind = kind, .name = name, .values = values, .file = file, .line = line};
	*r->last_section = section;
	r->last_section = &section->next;
	r->current = section;
	r->last_entry = &section->entries;
	return true;
}

/* The name in quotes after the kind; STR_NONE when there is none. */
static bool section_name(struct str text, struct str *name)
{
	*name = STR_NONE;
	if (text.n == 0)
		return true;
	if (text.n < 3 || text.p[0] != '"' || text.p[text.n - 1] != '"')
		return false;
	*name = (struct str){text.p + 1, text.n - 2};
	return str_find(*name, '"') == name->n && !str_has_control(*name) && name->n <= 64;
}

static bool read_section(struct reader *r, struct str text, const char *file, unsigned line)
{
	if (text.p[text.n - 1] != ']')
		return conf_error_set(r->error, file, line, "a section is written [name] or [name \"which\"]");
	text = str_trim((struct str){text.p + 1, text.n - 2});
	size_t end = 0;
	while (end < text.n && text.p[end] != ' ' && text.p[end] != '\t' && text.p[end] != '"')
		end++;
	struct str word = {text.p, end}, name;
	const struct conf_kind *kind = find_kind(r, word);
	if (!kind) {
		const char *near = conf_nearest(word, kind_word, r->kinds);
		return conf_error_set(r->error, file, line, "unknown section [%.*s]%s%s%s", STR_ARGS(word),
				      near ? "; did you mean [" : "", near ? near : "", near ? "]?" : "");
	}
	if (!section_name(str_trim(str_skip(text, end)), &name) || kind->named != (name.p != NULL))
		return conf_error_set(r->error, file, line,
				      kind->named ? "[%s] needs a name: [%s \"main\"]" : "[%s] has no name: write [%s]",
				      kind->name, kind->name);
	struct str copy = name.p ? arena_copy(r->arena, name) : STR_NONE;
	struct conf_section *old = find_section(r, kind, name);
	if (old)
		return conf_error_set(r->error, file, line, "[%.*s] is given a second time; the first is at %s:%u",
				      STR_ARGS(text), old->file, old->line);
	return add_section(r, kind, copy, file, line);
}

static bool read_include(struct reader *r, struct str value, const char *file, unsigned line, unsigned depth)
{
	if (depth >= 8)
		return conf_error_set(r->error, file, line, "include: nested too deeply (does a file include itself?)");
	const char *slash = strrchr(file, '/');
	struct str pattern = value.n && value.p[0] == '/'
				     ? arena_copy(r->arena, value)
				     : arena_printf(r->arena, "%.*s%.*s", slash ? (int)(slash - file + 1) : 0, file,
						    STR_ARGS(value));
	glob_t found = {0};
	int result = pattern.p ? glob(pattern.p, 0, NULL, &found) : GLOB_NOSPACE;
	bool wildcard = pattern.p && strpbrk(pattern.p, "*?[") != NULL;
	bool good = result == 0 || (result == GLOB_NOMATCH && wildcard);
	if (!good)
		conf_error_set(r->error, file, line, "include: %.*s: no such file", STR_ARGS(value));
	struct conf_section *current = r->current;
	const struct conf_entry **last_entry = r->last_entry;
	for (size_t i = 0; good && i < found.gl_pathc; i++) {
		struct str path = arena_copy(r->arena, str_of(found.gl_pathv[i]));
		r->current = NULL;
		good = path.p && read_file(r, path.p, depth + 1);
	}
	r->current = current;
	r->last_entry = last_entry;
	globfree(&found);
	return good;
}

static bool read_entry(struct reader *r, struct str text, const char *file, unsigned line, unsigned depth)
{
	size_t equal = str_find(text, '=');
	if (equal == text.n)
		return conf_error_set(r->error, file, line, "neither [section], key = value nor # comment: \"%.*s\"",
				      (int)(text.n < 60 ? text.n : 60), text.p);
	struct str key = str_trim((struct str){text.p, equal});
	struct str value = str_trim(str_skip(text, equal + 1));
	if (str_eq(key, STR("include")))
		return read_include(r, value, file, line, depth);
	if (!r->current)
		return conf_error_set(r->error, file, line, "%.*s: stands before the first [section]", STR_ARGS(key));
	struct conf_entry *entry = arena_alloc(r->arena, sizeof *entry);
	struct str copy = arena_copy(r->arena, value);
	if (!entry || !copy.p)
		return conf_error_set(r->error, file, line, "the configuration is too large");
	*entry = (struct conf_entry){.key = key, .text = {copy, file, line}};
	*r->last_entry = entry;
	r->last_entry = &entry->next;
	return true;
}

static bool read_lines(struct reader *r, struct str text, const char *file, unsigned depth)
{
	struct str line;
	for (unsigned number = 1; str_split(&text, '\n', &line); number++) {
		if (line.n && line.p[line.n - 1] == '\r')
			line.n--;
		line = str_trim(line);
		for (size_t i = 0; i < line.n; i++)
			if (((unsigned char)line.p[i] < 0x20 && line.p[i] != '\t') || line.p[i] == 0x7f)
				return conf_error_set(r->error, file, number, "a control byte (0x%02x) in column %zu",
						      (unsigned)(unsigned char)line.p[i], i + 1);
		if (line.n == 0 || line.p[0] == '#')
			continue;
		bool good = line.p[0] == '[' ? read_section(r, line, file, number)
					     : read_entry(r, line, file, number, depth);
		if (!good)
			return false;
	}
	return true;
}

static bool read_file(struct reader *r, const char *path, unsigned depth)
{
	if (r->n_files == FILES_MAX)
		return conf_error_set(r->error, path, 0, "more than %d files are included", FILES_MAX);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	if (fd < 0)
		return conf_error_set(r->error, path, 0, "%s; name the configuration with -c FILE or $FCGI_AUTH_CONF",
				      strerror(errno));
	char *text = NULL;
	ssize_t n = -1;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size <= FILE_MAX)
		text = arena_alloc(r->arena, (size_t)st.st_size + 1);
	if (text)
		n = read(fd, text, (size_t)st.st_size);
	close(fd);
	/* Half a file may lack the policy that protects something. */
	if (!text || n != st.st_size)
		return conf_error_set(r->error, path, 0, "cannot be read whole: is it a file of at most 4 MiB?");
	r->files[r->n_files++] = (struct conf_text){.value = str_of(path), .file = path};
	return read_lines(r, (struct str){text, (size_t)n}, path, depth);
}

/* Kinds without names always have a section. */
static bool add_missing(struct reader *r, const char *path)
{
	for (size_t i = 0; r->kinds[i]; i++)
		if (!r->kinds[i]->named && !find_section(r, r->kinds[i], STR_NONE) &&
		    !add_section(r, r->kinds[i], STR_NONE, path, 0))
			return false;
	return true;
}

static bool apply_all(struct reader *r)
{
	for (struct conf_section *s = r->first; s; s = s->next)
		if (!conf_apply(r->arena, s, r->error))
			return false;
	return true;
}

static bool keep_files(struct reader *r, struct conf *conf)
{
	struct conf_text *files = arena_array(r->arena, r->n_files, sizeof *files);
	if (!files)
		return conf_error_set(r->error, conf->path, 0, "the configuration is too large");
	memcpy(files, r->files, r->n_files * sizeof *files);
	conf->files = (struct conf_list){files, r->n_files};
	return true;
}

bool conf_open(const char *path, const struct conf_kind *const kinds[], struct conf **out, struct conf_error *error)
{
	struct reader r = {.kinds = kinds, .error = error};
	r.last_section = &r.first;
	if (!arena_open(ARENA_SIZE, &r.arena))
		return conf_error_set(error, path, 0, "no memory");
	struct conf *conf = arena_alloc(r.arena, sizeof *conf);
	struct str copy = arena_copy(r.arena, str_of(path));
	bool good = conf && copy.p && read_file(&r, copy.p, 0) && add_missing(&r, copy.p) && apply_all(&r);
	if (good) {
		conf->arena = r.arena;
		conf->path = copy.p;
		conf->sections = r.first;
		good = keep_files(&r, conf);
	}
	if (!good) {
		arena_close(&r.arena);
		return false;
	}
	*out = conf;
	return true;
}

void conf_close(struct conf **conf)
{
	if (!*conf)
		return;
	struct arena *arena = (*conf)->arena;
	arena_close(&arena);
	*conf = NULL;
}

const void *conf_find(const struct conf *conf, const struct conf_kind *kind, struct str name)
{
	for (const struct conf_section *s = conf->sections; s; s = s->next)
		if (s->kind == kind && str_eq(s->name, name))
			return s->values;
	return NULL;
}

__attribute__((format(printf, 4, 0))) static bool fail(struct conf_error *error, const struct conf_text *where,
						       const char *key, const char *format, va_list args)
{
	char text[768];
	vsnprintf(text, sizeof text, format, args);
	return conf_error_set(error, where->file, where->line, "%s%s%s", key, key[0] ? ": " : "", text);
}

/* Where the option was given last, or NULL. */
static const struct conf_text *find_entry(const struct conf_section *section, const char *key)
{
	const struct conf_text *found = NULL;
	for (const struct conf_entry *e = section->entries; e; e = e->next)
		if (str_eq(e->key, str_of(key)))
			found = &e->text;
	return found;
}

bool conf_is_given(const struct conf_section *section, const char *key)
{
	return find_entry(section, key) != NULL;
}

bool conf_fail(struct conf_error *error, const struct conf_section *section, const char *key, const char *format, ...)
{
	struct conf_text place = {.file = section->file, .line = section->line};
	const struct conf_text *entry = find_entry(section, key);
	va_list args;
	va_start(args, format);
	fail(error, entry ? entry : &place, key, format, args);
	va_end(args);
	return false;
}

bool conf_fail_at(struct conf_error *error, const struct conf_text *where, const char *key, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	fail(error, where, key, format, args);
	va_end(args);
	return false;
}
