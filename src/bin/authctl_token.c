/* SPDX-License-Identifier: Apache-2.0 */
/* `authctl token issue` and `token verify`. */
#include <stdio.h>

#include "base/clock.h"
#include "base/conf_internal.h"
#include "bin/authctl_judge.h"
#include "bin/authctl_output.h"

/* verify ----------------------------------------------------------------- */

static void print_attributes(struct document *document, const struct judgement *j)
{
	const struct policy *policy = j->verdict.policy;
	bool user = j->verdict.err == ERR_NONE && !j->verdict.anonymous;
	document_open(document, "attributes", "{}");
	for (size_t i = 0; user && i < policy->n_attributes; i++) {
		struct str value = attribute_value(j->tool.worker.arena, &policy->attributes[i], &j->verdict.subject);
		if (value.p)
			document_text(document, policy->attributes[i].name.p, value);
	}
	document_close(document, "{}");
}

int authctl_token_verify(const struct arguments *arguments)
{
	struct judgement j;
	struct document document;
	int status = judge_open(arguments, &j);
	if (status)
		return status;
	const struct json *claims = j.verdict.anonymous ? NULL : judge_claims(&j);
	document_begin(&document);
	document_text(&document, "decision", str_of(judge_decision(&j)));
	document_text(&document, "reason", str_of(judge_reason(&j)));
	document_number(&document, "status", err_row(j.verdict.err)->status);
	document_text(&document, "user_id", claims ? j.verdict.claims.user_id : STR_NONE);
	if (j.verdict.policy && j.verdict.policy->conf->local_user)
		document_time(&document, "local_user_id", j.verdict.subject.local_user_id, 0);
	document_json(&document, "claims", claims);
	print_attributes(&document, &j);
	document_end(&document);
	status = j.verdict.err == ERR_NONE ? EX_OK : EXIT_FAILED;
	judge_close(&j);
	return status;
}

/* issue ------------------------------------------------------------------ */

/* The one that is named, else the login's, else the only one there is. */
static int choose_issuer(const struct tool *tool, struct issuer **out)
{
	const struct snapshot *snapshot = tool->snapshot;
	struct str name = str_of(arguments_value(tool->arguments, OPTION_ISSUER));
	if (!name.p)
		name = snapshot->login->issuer.value;
	if (name.p)
		*out = snapshot_issuer(snapshot, name);
	else if (snapshot->issuers.n == 1)
		*out = snapshot->issuers.items[0];
	if (*out)
		return EX_OK;
	if (name.p)
		return arguments_wrong(tool->arguments, "the configuration has no [issuer \"%.*s\"]", STR_ARGS(name));
	return arguments_wrong(tool->arguments, "the configuration has %zu issuers: choose by --issuer NAME",
			       snapshot->issuers.n);
}

static int read_lifetime(const struct tool *tool, int64_t *seconds)
{
	const char *text = arguments_value(tool->arguments, OPTION_LIFETIME);
	int64_t milliseconds = tool->snapshot->login->lifetime;
	if (text && !conf_duration(str_of(text), &milliseconds))
		return arguments_wrong(tool->arguments, "--lifetime is a number and s, m, h or d, as 8h");
	*seconds = milliseconds / 1000;
	if (*seconds <= 0)
		return arguments_wrong(tool->arguments, "--lifetime is at least 1s");
	return EX_OK;
}

/* "NAME=VALUE" as a member of the claims set. */
static int add_claim(const struct tool *tool, const struct given *given, struct buf *members)
{
	struct str text = str_of(given->value);
	size_t equal = str_find(text, '=');
	struct str name = {text.p, equal};
	const struct json *value;
	if (equal == 0 || equal == text.n)
		return arguments_wrong(tool->arguments, "a claim is written NAME=VALUE");
	text = str_skip(text, equal + 1);
	if (!str_is_utf8(name) || !str_is_utf8(text))
		return arguments_wrong(tool->arguments, "a claim is not UTF-8");
	if (given->id == OPTION_CLAIM_JSON && !json_parse(tool->worker.arena, text, &value))
		return arguments_wrong(tool->arguments,
				       "--claim-json %.*s: the value is no strict JSON; for text use --claim",
				       STR_ARGS(name));
	if (members->n)
		buf_char(members, ',');
	buf_json(members, name);
	buf_char(members, ':');
	if (given->id == OPTION_CLAIM)
		buf_json(members, text);
	else
		buf_add(members, text);
	return members->full ? arguments_wrong(tool->arguments, "the claims are longer than a token may be") : EX_OK;
}

/* Our own claims, and a name twice, would make a token that nobody may read. */
static int check_claims(const struct tool *tool, struct str members)
{
	static const char *const ours[] = {"sub", "iss", "aud", "iat", "exp", "jti", NULL};
	const struct json *object;
	struct str text = arena_printf(tool->worker.arena, "{%.*s}", STR_ARGS(members));
	if (!text.p || !json_parse(tool->worker.arena, text, &object))
		return arguments_wrong(tool->arguments, "the claims make no JSON object: is a name given twice?");
	for (size_t i = 0; ours[i]; i++)
		if (json_member(object, str_of(ours[i])))
			return arguments_wrong(tool->arguments, "the claim %s is set by authctl itself", ours[i]);
	return EX_OK;
}

int token_read_claims(const struct tool *tool, struct str *members)
{
	struct buf out = arena_buf(tool->worker.arena, ISSUED_MAX);
	for (size_t i = 0; i < tool->arguments->n_given; i++) {
		const struct given *given = &tool->arguments->given[i];
		bool claim = given->id == OPTION_CLAIM || given->id == OPTION_CLAIM_JSON;
		int status = claim ? add_claim(tool, given, &out) : EX_OK;
		if (status)
			return status;
	}
	*members = buf_str(&out);
	return check_claims(tool, *members);
}

/* Sign, and let our own verification look at it: a token that it would refuse is
 * of no use to anybody. */
static int sign(const struct tool *tool, struct issuer *issuer, const struct issue *issue, struct str *out)
{
	const struct worker *worker = &tool->worker;
	struct token token;
	struct claims claims;
	if (issuer_sign(issuer, worker->token, worker->arena, issue, out)) {
		output_error("issuer \"%.*s\" cannot sign this: does its type sign, and is the token small enough?",
			     STR_ARGS(issuer_name(issuer)));
		return EXIT_FAILED;
	}
	enum err err = token_parse(worker->arena, *out, &token);
	if (!err)
		err = issuer_verify(issuer, &(struct verification){worker->token, worker->arena, issue->now},
				    &token, &claims);
	bool same = !err && str_eq(claims.user_id, issue->user_id);
	if (same)
		return EX_OK;
	output_error(
		"issuer \"%.*s\" would refuse the token itself (%s): look at its typ, user-id, authorized-parties and "
		"max-lifetime, or give the claims it wants with --claim",
		STR_ARGS(issuer_name(issuer)), err ? err_row(err)->reason : "its user-id is another claim");
	return EXIT_FAILED;
}

static int issue_token(struct tool *tool)
{
	const char *user = arguments_value(tool->arguments, OPTION_USER);
	struct issue issue = {.user_id = str_of(user), .now = clock_now()};
	struct issuer *issuer = NULL;
	struct str token;
	if (!claims_user_id_valid(issue.user_id))
		return arguments_wrong(tool->arguments,
				       "--user is 1 to %d bytes of UTF-8 without control bytes and blanks at the ends",
				       USER_ID_MAX);
	int status = choose_issuer(tool, &issuer);
	if (!status)
		status = read_lifetime(tool, &issue.lifetime);
	if (!status)
		status = token_read_claims(tool, &issue.members);
	if (!status)
		status = sign(tool, issuer, &issue, &token);
	if (status)
		return status;
	tool_log(tool, "token_issue", issue.user_id);
	if (tool->arguments->json) {
		struct document document;
		document_begin(&document);
		document_text(&document, "token", token);
		document_text(&document, "issuer", issuer_name(issuer));
		document_text(&document, "user_id", issue.user_id);
		document_number(&document, "expires", issue.now + issue.lifetime);
		document_end(&document);
	} else {
		printf("%.*s\n", STR_ARGS(token));
	}
	return EX_OK;
}

int authctl_token_issue(const struct arguments *arguments)
{
	struct tool tool;
	int status = tool_open(arguments, &tool);
	if (status)
		return status;
	status = issue_token(&tool);
	tool_close(&tool);
	return status;
}
