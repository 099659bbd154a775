/* SPDX-License-Identifier: Apache-2.0 */
/* Printing the log lines of decisions and acts. */
#include "policy/event.h"

#include "base/clock.h"

static void begin(struct log_line *line, const char *event, int level, const struct request *request, enum err err)
{
	log_begin(line, level, event);
	log_field(line, "client", request->remote_addr.n ? request->remote_addr : STR("-"));
	log_number(line, "status", err_row(err)->status);
	if (err)
		log_field(line, "reason", str_of(err_row(err)->reason));
	log_field(line, "rid", str_of(request->id));
}

/* Eight digits of the token's SHA-256: enough to find it again, no use to a thief. */
static void token_field(struct log_line *line, struct token_thread *thread, struct str token)
{
	unsigned char digest[DIGEST_SIZE];
	char text[8];
	struct buf b = buf_over(text, sizeof text);
	if (!token.n || !digest_parts(thread, &token, 1, digest))
		return;
	buf_hex(&b, digest, 4);
	log_field(line, "tok", buf_str(&b));
}

static void decision(struct worker *worker, struct log_line *line, const struct request *request,
		     const struct verdict *verdict)
{
	if (verdict->policy)
		log_field(line, "policy", verdict->policy->name);
	bool api_key = verdict->credentials.carrier == CARRIER_API_KEY;
	log_field(line, "issuer", api_key ? STR("api-key") : verdict->claims.issuer);
	token_field(line, worker->token, verdict->credentials.token);
	log_number(line, "us", clock_monotonic_us() - request->arrived_us);
	struct str kid = STR_NONE;
	struct api_key key;
	if (api_key && api_key_parse(worker->snapshot->api_keys.prefix, verdict->credentials.token, &key))
		kid = key.id;
	if (kid.p || json_string(json_member(verdict->token.header, STR("kid")), &kid))
		log_foreign(line, "kid", kid);
	log_foreign(line, "user", verdict->claims.user_id);
	log_foreign(line, "why", verdict->why);
	log_foreign(line, "host", request->host);
	/* Without the query: it may hold what must not be in a log. */
	log_foreign(line, "path", request->raw_path);
	log_foreign(line, "effective", request->effective_path);
	log_end(line);
}

void event_deny(struct worker *worker, const struct request *request, const struct verdict *verdict)
{
	int level = err_row(verdict->err)->level;
	if (!log_wants(level))
		return;
	struct log_line line;
	begin(&line, "deny", level, request, verdict->err);
	decision(worker, &line, request, verdict);
}

void event_allow(struct worker *worker, const struct request *request, const struct verdict *verdict)
{
	struct log_line line;
	begin(&line, "allow", LOG_INFO, request, ERR_NONE);
	decision(worker, &line, request, verdict);
}

void event_preflight(const struct request *request, const struct policy *policy)
{
	struct log_line line;
	log_begin(&line, LOG_INFO, "preflight");
	log_field(&line, "client", request->remote_addr.n ? request->remote_addr : STR("-"));
	log_number(&line, "status", 204);
	log_field(&line, "rid", str_of(request->id));
	log_field(&line, "policy", policy->name);
	log_foreign(&line, "origin", request->origin);
	log_foreign(&line, "path", request->raw_path);
	log_end(&line);
}

void event_act(const char *event, const struct request *request, enum err err, struct str user, const char *text)
{
	struct log_line line;
	begin(&line, event, err_row(err)->level, request, err);
	log_field(&line, "text", str_of(text));
	log_foreign(&line, "user", user);
	log_end(&line);
}
