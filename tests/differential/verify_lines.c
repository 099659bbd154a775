/* SPDX-License-Identifier: Apache-2.0 */
/* Judge many tokens in one process: verify_lines CONFIGURATION NOW. Each line of
 * standard input is the name of an issuer, a blank, and a token in hexadecimal
 * digits, so that it may have any byte; each line of standard output the reason
 * word, and for an accepted token a blank and the user. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "policy/runtime.h"

enum { ARENA = 8 << 20 };

struct judge {
	struct snapshot *snapshot;
	struct token_thread *thread;
	struct arena *arena;
};

static int digit(char c)
{
	const char *digits = "0123456789abcdef", *at = c ? strchr(digits, c) : NULL;
	return at ? (int)(at - digits) : -1;
}

static bool read_hex(struct judge *judge, struct str text, struct str *out)
{
	char *bytes = arena_alloc(judge->arena, text.n / 2 + 1);
	if (!bytes || text.n % 2)
		return false;
	for (size_t i = 0; i < text.n; i += 2) {
		int high = digit(text.p[i]), low = digit(text.p[i + 1]);
		if (high < 0 || low < 0)
			return false;
		bytes[i / 2] = (char)(high << 4 | low);
	}
	*out = (struct str){bytes, text.n / 2};
	return true;
}

static enum err verify(struct judge *judge, const struct issuer *issuer, struct str text, struct claims *claims)
{
	struct token token;
	if (text.n > issuer_max_token(issuer))
		return ERR_TOKEN_MALFORMED;
	enum err err = token_parse(judge->arena, text, &token);
	token.cookie = STR_NONE;
	const struct verification with = {judge->thread, judge->arena, clock_now()};
	return err ? err : issuer_verify(issuer, &with, &token, claims);
}

static bool answer(struct judge *judge, struct str line)
{
	size_t blank = str_find(line, ' ');
	const struct issuer *issuer = snapshot_issuer(judge->snapshot, (struct str){line.p, blank});
	struct claims claims = {0};
	struct str text;
	if (!issuer || blank == line.n || !read_hex(judge, str_skip(line, blank + 1), &text))
		return false;
	enum err err = verify(judge, issuer, text, &claims);
	if (err)
		printf("%s\n", err_row(err)->reason);
	else
		printf("%s %.*s\n", err_row(err)->reason, STR_ARGS(claims.user_id));
	arena_reset(judge->arena);
	return true;
}

static int answer_all(struct judge *judge)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t n;
	bool good = true;
	while (good && (n = getline(&line, &size, stdin)) > 0)
		good = answer(judge, (struct str){line, (size_t)n - (line[n - 1] == '\n')});
	free(line);
	if (!good)
		fprintf(stderr, "verify_lines: a line is ISSUER HEX\n");
	return good ? 0 : 1;
}

int main(int argc, char **argv)
{
	struct judge judge = {0};
	struct conf_error error;
	if (argc != 3) {
		fprintf(stderr, "usage: verify_lines CONFIGURATION NOW\n");
		return 64;
	}
	clock_set(strtoll(argv[2], NULL, 10));
	if (!token_start() || !token_thread_open(0, &judge.thread) || !arena_open(ARENA, &judge.arena))
		return 1;
	int status = 78;
	if (snapshot_open(argv[1], 1, &judge.snapshot, &error)) {
		status = answer_all(&judge);
		snapshot_close(&judge.snapshot);
	} else {
		fprintf(stderr, "verify_lines: %s\n", error.text);
	}
	arena_close(&judge.arena);
	token_thread_close(&judge.thread);
	return status;
}
