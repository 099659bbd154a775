/* SPDX-License-Identifier: Apache-2.0 */
/* One question to one authorizer over FastCGI. Every wait has the deadline of
 * the whole answer, so that bytes that drip do not lengthen it. */
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include <util_fcgi.h>

#include "auth_request.h"

enum { FIRST_BUFFER = 8192 };

/* What has arrived, and the output in it, moved together at its beginning. */
struct reading {
	apr_pool_t *pool;
	unsigned char *bytes;
	apr_size_t size, n; /* of the buffer; what has arrived */
	apr_size_t at;      /* the record that comes next */
	apr_size_t out;     /* output so far */
	bool ended;         /* END_REQUEST has come, */
	bool complete;      /* and says that all is well */
};

static bool send_all(int fd, const struct question *question, apr_time_t deadline)
{
	for (apr_size_t done = 0; done < question->n;) {
		ssize_t n = send(fd, question->bytes + done, question->n - done, MSG_NOSIGNAL);
		if (n > 0)
			done += (apr_size_t)n;
		else if (errno == EAGAIN ? !clock_wait(fd, POLLOUT, deadline) : errno != EINTR)
			return false;
	}
	return true;
}

static bool grow(struct reading *in)
{
	if (in->n < in->size)
		return true;
	if (in->size >= ANSWER_MAX)
		return false;
	unsigned char *bytes = apr_palloc(in->pool, in->size * 2);
	memcpy(bytes, in->bytes, in->n);
	in->bytes = bytes;
	in->size *= 2;
	return true;
}

/* ANSWERED: something has arrived. */
static enum outcome receive(int fd, struct reading *in, apr_time_t deadline)
{
	if (!grow(in))
		return MALFORMED;
	for (;;) {
		ssize_t n = recv(fd, in->bytes + in->n, in->size - in->n, 0);
		if (n > 0) {
			in->n += (apr_size_t)n;
			return ANSWERED;
		}
		int error = n < 0 ? errno : 0;
		if (error != EAGAIN && error != EINTR)
			return in->n == 0 ? UNREACHABLE : MALFORMED;
		if (!clock_wait(fd, POLLIN, deadline))
			return TIMED_OUT;
	}
}

static void end_request(struct reading *in, const unsigned char *content, apr_size_t n)
{
	static const unsigned char well[5] = {0};
	in->ended = true;
	in->complete = n == 8 && memcmp(content, well, 5) == 0;
}

/* All records that are here as a whole. False: no FastCGI. */
static bool read_records(const struct asker *asker, struct reading *in)
{
	while (!in->ended && in->n - in->at >= AP_FCGI_HEADER_LEN) {
		const unsigned char *head = in->bytes + in->at, *content = head + AP_FCGI_HEADER_LEN;
		apr_size_t n = (apr_size_t)(head[4] << 8 | head[5]), whole = AP_FCGI_HEADER_LEN + n + head[6];
		if (head[0] != 1 || head[2] != 0 || head[3] != 1)
			return false;
		if (in->n - in->at < whole)
			return true;
		in->at += whole;
		if (head[1] == AP_FCGI_STDOUT) {
			memmove(in->bytes + in->out, content, n);
			in->out += n;
		} else if (head[1] == AP_FCGI_END_REQUEST) {
			end_request(in, content, n);
		} else if (head[1] == AP_FCGI_STDERR) {
			if (n > 0)
				LOG_ASKER(asker, APLOG_WARNING, "the authorizer says: %.*s", (int)(n < 1000 ? n : 1000),
					  (const char *)content);
		} else {
			return false;
		}
	}
	return true;
}

static enum outcome exchange(const struct asker *asker, int fd, const struct question *question, apr_time_t deadline,
			     struct reading *in)
{
	*in = (struct reading){.pool = asker->pool, .size = FIRST_BUFFER};
	in->bytes = apr_palloc(asker->pool, in->size);
	/* Who refuses the rest of a question may have said why. */
	if (!send_all(fd, question, deadline) && clock_now() >= deadline)
		return TIMED_OUT;
	while (!in->ended) {
		enum outcome outcome = receive(fd, in, deadline);
		if (outcome != ANSWERED)
			return outcome;
		if (!read_records(asker, in))
			return MALFORMED;
	}
	return in->complete ? ANSWERED : MALFORMED;
}

static enum outcome ask_once(const struct asker *asker, const struct member *member, const struct question *question,
			     bool fresh, struct reading *in)
{
	struct connection connection;
	if (pool_take(member, fresh, &connection) != ANSWERED) {
		LOG_ASKER(asker, APLOG_ERR, "%s cannot be reached: %s", member->text, strerror(errno));
		return UNREACHABLE;
	}
	enum outcome outcome = exchange(asker, connection.fd, question, clock_now() + member->timeout, in);
	/* Whoever said more than was asked for is not asked again on that connection. */
	pool_give(member, &connection, outcome == ANSWERED && in->at == in->n && member->pool_size != 0);
	if (outcome == UNREACHABLE && connection.kept)
		return ask_once(asker, member, question, true, in);
	if (outcome == UNREACHABLE)
		LOG_ASKER(asker, APLOG_ERR, "%s has closed the connection without an answer", member->text);
	return outcome;
}

enum outcome fcgi_ask(const struct asker *asker, const struct member *member, const struct question *question,
		      struct answer *answer)
{
	struct reading in;
	const char *why = "is no complete FastCGI answer";
	enum outcome outcome = ask_once(asker, member, question, false, &in);
	if (outcome == TIMED_OUT)
		LOG_ASKER(asker, APLOG_ERR, "%s has not answered within %d ms", member->text,
			  (int)apr_time_as_msec(member->timeout));
	if (outcome == ANSWERED && !answer_parse(asker->pool, (const char *)in.bytes, in.out, answer, &why))
		outcome = MALFORMED;
	if (outcome == MALFORMED)
		LOG_ASKER(asker, APLOG_ERR, "what %s has sent %s", member->text, why);
	return outcome;
}
