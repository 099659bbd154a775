/* SPDX-License-Identifier: Apache-2.0 */
/* What an answer means. Only a proved yes is a yes: an answer without status,
 * without proof, cut short or malformed denies. */
#include <string.h>

#include <apr_lib.h>
#include <apr_strings.h>
#include <http_protocol.h>

#include "auth_request.h"

static bool is_token(const char *name, apr_size_t n)
{
	for (apr_size_t i = 0; i < n; i++)
		if (!apr_isalnum(name[i]) && !strchr("!#$%&'*+-.^_`|~", name[i]))
			return false;
	return n > 0;
}

/* NULL, or what is wrong with the line. */
static const char *parse_line(apr_pool_t *p, const char *line, apr_size_t n, struct answer *answer)
{
	const char *colon = memchr(line, ':', n);
	if (n > LINE_MAX_BYTES)
		return "has a header line that is too long";
	if (!colon || !is_token(line, (apr_size_t)(colon - line)))
		return "has a header line without name and colon";
	for (apr_size_t i = 0; i < n; i++)
		if ((line[i] >= 0 && line[i] < ' ' && line[i] != '\t') || line[i] == 127)
			return "has a control byte in a header";
	char *name = apr_pstrmemdup(p, line, (apr_size_t)(colon - line));
	char *value = apr_pstrmemdup(p, colon + 1, n - (apr_size_t)(colon + 1 - line));
	while (*value == ' ' || *value == '\t')
		value++;
	for (apr_size_t end = strlen(value); end > 0 && (value[end - 1] == ' ' || value[end - 1] == '\t');)
		value[--end] = '\0';
	apr_table_addn(answer->headers, name, value);
	return NULL;
}

/* "200 OK" → 200; 0: no status. */
static int parse_status(const char *text)
{
	if (!text || !apr_isdigit(text[0]) || !apr_isdigit(text[1]) || !apr_isdigit(text[2])
	    || (text[3] != '\0' && text[3] != ' ') || text[0] == '0')
		return 0;
	return (text[0] - '0') * 100 + (text[1] - '0') * 10 + text[2] - '0';
}

struct counting {
	int n;
};

static int count(void *context, const char *name, const char *value)
{
	(void)name;
	(void)value;
	((struct counting *)context)->n++;
	return 1;
}

bool answer_parse(apr_pool_t *p, const char *text, apr_size_t n, struct answer *out, const char **why)
{
	struct answer answer = {.headers = apr_table_make(p, 12), .head = text};
	struct counting statuses = {0};
	apr_size_t at = 0;
	for (;;) {
		const char *line = text + at, *end = memchr(line, '\n', n - at);
		if (!end) {
			*why = "ends before the end of its head";
			return false;
		}
		apr_size_t length = (apr_size_t)(end - line);
		at += length + 1;
		if (length > 0 && line[length - 1] == '\r')
			length--;
		if (length == 0)
			break;
		*why = parse_line(p, line, length, &answer);
		if (*why)
			return false;
	}
	apr_table_do(count, &statuses, answer.headers, "Status", NULL);
	answer.status = parse_status(apr_table_get(answer.headers, "Status"));
	if (answer.status == 0 || statuses.n != 1) {
		*why = "has no status";
		return false;
	}
	answer.head_n = at;
	answer.body = text + at;
	answer.body_n = n - at;
	*out = answer;
	return true;
}

const char *answer_header(const struct answer *answer, const char *name)
{
	return answer ? apr_table_get(answer->headers, name) : NULL;
}

/* Over FastCGI and by our programs 200 allows, else any 2xx. Where no proof= is
 * given, an answer over HTTP needs none: it cannot be without status. */
static bool is_proved_yes(const struct backend *backend, const struct answer *answer)
{
	const char *proof = backend->proof ? answer_header(answer, backend->proof) : "none";
	bool ours = backend->proof && strcasecmp(backend->proof, PROOF_OF_OURS) == 0;
	bool yes = ours || answer->head ? answer->status == HTTP_OK : ap_is_HTTP_SUCCESS(answer->status);
	/* An answer of CGI that sends the client elsewhere may do so without a status. */
	if (answer_header(answer, "Location"))
		return false;
	if (!backend->proof_given && answer->by_http && ap_is_HTTP_SUCCESS(answer->status))
		return true;
	return yes && proof && *proof;
}

static bool is_passed_on(const struct answer *answer)
{
	switch (answer->status) {
	case HTTP_BAD_REQUEST:
	case HTTP_UNAUTHORIZED:
	case HTTP_FORBIDDEN:
	case HTTP_TOO_MANY_REQUESTS:
	case HTTP_SERVICE_UNAVAILABLE:
		return true;
	case HTTP_NO_CONTENT: /* the answer to a preflight */
		return answer_header(answer, "Access-Control-Allow-Origin") != NULL;
	default:
		return ap_is_HTTP_REDIRECT(answer->status) && answer_header(answer, "Location");
	}
}

void answer_judge(const struct asker *asker, enum outcome outcome, const struct answer *answer, struct decision *made)
{
	static const int without[] = {[UNREACHABLE] = HTTP_SERVICE_UNAVAILABLE, [TIMED_OUT] = HTTP_GATEWAY_TIME_OUT,
				      [MALFORMED] = HTTP_BAD_GATEWAY};
	const struct backend *backend = made->backend;
	if (outcome != ANSWERED) {
		made->status = without[outcome];
	} else if (is_proved_yes(backend, answer)) {
		made->status = OK;
		made->answer = answer;
	} else if (is_passed_on(answer)) {
		made->status = answer->status;
		made->answer = answer;
	} else if (ap_is_HTTP_SUCCESS(answer->status)) {
		LOG_ASKER(asker, APLOG_ERR, "the answer %d of %s is taken for no: an allow must be 200 and have the "
			  "header %s (see proof= in mod_auth_request(8))", answer->status, backend->name,
			  backend->proof ? backend->proof : "Status");
		made->status = HTTP_BAD_GATEWAY;
	} else {
		LOG_ASKER(asker, APLOG_ERR, "%s has answered %d, which is no decision", backend->name, answer->status);
		made->status = HTTP_INTERNAL_SERVER_ERROR;
	}
}
