/* SPDX-License-Identifier: Apache-2.0 */
/* `authctl keys list`: which keys the issuers have, never what is secret of them. */
#include <stdio.h>

#include "base/secret.h"
#include "bin/authctl_output.h"
#include "bin/authctl_tool.h"
#include "token/ring.h"

/* What is read of one issuer: a secret or a ring, and the JSON of it. */
enum { SCRATCH = 1 << 20, WHERE_MAX = 512 };

struct listing {
	const struct tool *tool;
	struct arena *scratch;
	const struct conf_section *section;
	struct issuer *issuer; /* NULL: its keys could not be loaded */
	bool signs;	       /* its first key does */
	unsigned rank;	       /* of the key that is shown */
	bool titled, failed;
};

struct row {
	struct str kid, algorithm;
	unsigned bits;
	int64_t added;
	const char *source;
	struct str where;
};

static void print_json(const struct listing *l, const struct row *row)
{
	struct document document;
	document_begin(&document);
	document_text(&document, "issuer", l->section->name);
	document_number(&document, "rank", l->rank);
	document_text(&document, "kid", row->kid);
	document_text(&document, "algorithm", row->algorithm);
	document_time(&document, "bits", row->bits, 0);
	document_bool(&document, "signs", l->signs && l->rank == 1);
	document_time(&document, "added", row->added, RING_TIME_ABSENT);
	document_text(&document, "source", str_of(row->source));
	document_text(&document, "where", row->where);
	document_end(&document);
}

static void print_text(struct listing *l, const struct row *row)
{
	static const char *const titles[] = {"issuer", "rank", "kid", "algorithm", "bits", "use"};
	static const size_t widths[] = {16, 6, 44, 11, 6, 10};
	char rank[16], bits[16];
	snprintf(rank, sizeof rank, "%u", l->rank);
	snprintf(bits, sizeof bits, "%u", row->bits);
	struct str columns[] = {
		l->section->name,
		str_of(rank),
		row->kid.n ? row->kid : STR("-"),
		row->algorithm.n ? row->algorithm : STR("-"),
		row->bits ? str_of(bits) : STR("-"),
		l->signs && l->rank == 1 ? STR("signs") : STR("verifies"),
	};
	for (size_t i = 0; !l->titled && i < sizeof titles / sizeof *titles; i++)
		output_column(str_of(titles[i]), widths[i]);
	if (!l->titled)
		puts("source");
	l->titled = true;
	for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
		output_column(columns[i], widths[i]);
	printf("%s%s", row->source, row->where.n ? " " : "");
	output_text(row->where);
	putchar('\n');
}

static void print_row(struct listing *l, const struct row *row)
{
	l->rank++;
	if (l->tool->arguments->json)
		print_json(l, row);
	else
		print_text(l, row);
}

static void fail(struct listing *l, const char *text)
{
	output_error("%s", text);
	l->failed = true;
}

static void list_ring(struct listing *l, const struct conf_text *where)
{
	char memory[1024];
	struct buf why = buf_over(memory, sizeof memory);
	struct conf_error error;
	struct str path = secret_path(l->scratch, where->value), text;
	struct ring ring;
	if (!secret_load(l->scratch, where->value, &text, &why) || !ring_read(l->scratch, text, &ring, &why)) {
		conf_fail_at(&error, where, "key-ring", "%s", buf_z(&why));
		/* Else it has been said when the issuer was opened. */
		if (l->issuer)
			fail(l, error.text);
		return;
	}
	for (size_t i = 0; i < ring.n; i++) {
		const struct ring_key *key = &ring.keys[i];
		print_row(l, &(struct row){key->kid, key->alg, key->bits, key->added, "key-ring", path});
	}
}

/* The one place that its keys come from. */
static const char *source_of(const struct issuer_conf *conf, struct str *where)
{
	*where = conf->jwks.value;
	if (conf->jwks.value.p)
		return "jwks";
	*where = conf->public_key.n == 1 ? conf->public_key.items[0].value : STR_NONE;
	return conf->public_key.n ? "public-key" : "secret";
}

static void visit(void *context, const struct issuer_key *key)
{
	struct listing *l = context;
	struct row row = {key->kid, str_of(key->algorithm), (unsigned)key->bits, RING_TIME_ABSENT, NULL, STR_NONE};
	row.source = source_of(l->section->values, &row.where);
	print_row(l, &row);
}

static void list_issuer(struct listing *l)
{
	const struct issuer_conf *conf = l->section->values;
	struct conf_error error;
	l->rank = 0;
	if (!issuer_open(l->section, 1, &l->issuer, &error))
		fail(l, error.text);
	l->signs = l->issuer && issuer_can_sign(l->issuer);
	/* A ring is shown even when it is refused: the key that is wrong is named by its kid. */
	if (conf->key_ring.value.p)
		list_ring(l, &conf->key_ring);
	else if (l->issuer && !issuer_each_key(l->issuer, visit, l))
		print_row(l, &(struct row){.added = RING_TIME_ABSENT, .source = "jwks", .where = conf->jwks.value});
	issuer_close(&l->issuer);
	arena_reset(l->scratch);
}

static int list(struct listing *l)
{
	struct str name = str_of(arguments_value(l->tool->arguments, OPTION_ISSUER));
	size_t n = 0;
	for (const struct conf_section *c = l->tool->conf->sections; c; c = c->next) {
		if (c->kind != &issuer_kind || (name.p && !str_eq(c->name, name)))
			continue;
		l->section = c;
		list_issuer(l);
		n++;
	}
	if (name.p && n == 0)
		return arguments_wrong(l->tool->arguments, "the configuration has no [issuer \"%.*s\"]",
				       STR_ARGS(name));
	return l->failed ? EXIT_FAILED : EX_OK;
}

int authctl_keys_list(const struct arguments *arguments)
{
	struct tool tool;
	struct listing listing = {.tool = &tool};
	int status = tool_open_conf(arguments, &tool);
	if (status)
		return status;
	status = EXIT_FAILED;
	if (arena_open(SCRATCH, &listing.scratch))
		status = list(&listing);
	else
		output_error("no memory");
	arena_close(&listing.scratch);
	tool_close(&tool);
	return status;
}
