/* SPDX-License-Identifier: Apache-2.0 */
/* One connection in the hands of the worker that owns it: read, answer every
 * request that is complete, and let it wait or close it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/secret.h"
#include "web/engine.h"
#include "web/frame.h"

enum {
	FAIR = 8,      /* requests answered in a row on one connection */
	ROOM_MIN = 512 /* less room is not worth a read */
};

enum {
	SECOND_US = 1000000,
	FIRST_US = 2 * SECOND_US, /* accept to the first byte */
	HEAD_US = 2 * SECOND_US,  /* first byte to the end of the head, however it drips */
	BODY_US = 30 * SECOND_US,
	STALL_US = 5 * SECOND_US, /* of a body or an answer, without progress */
	IDLE_US = 60 * SECOND_US,
	LINGER_US = SECOND_US
};

enum next {
	NEXT_GO_ON,
	NEXT_READ,   /* wait for bytes */
	NEXT_WRITE,  /* wait for room; that is ready at once when there is, but after others */
	NEXT_LINGER, /* answered; wait for the end of what the peer still sends */
	NEXT_CLOSE
};

/* --- memory ---------------------------------------------------------------- */

static bool on_scratch(const struct engine_worker *w, const struct connection *c)
{
	return c->in.bytes == w->scratch;
}

static void drop_memory(struct transport *t, struct connection *c)
{
	if (c->memory)
		buffers_give(t->buffers, c->memory, c->memory_size);
	c->memory = NULL;
	c->in.bytes = NULL;
	c->in.cap = c->in.n = c->in.at = 0;
}

static size_t memory_max(const struct transport *t)
{
	return t->limits.head + t->limits.body + t->protocol->pending_max;
}

/* Move what is held to memory of the connection's own of at least that size. */
static bool move_to_own(struct transport *t, struct connection *c, size_t least)
{
	size_t most = memory_max(t), size;
	char *memory = least <= most ? buffers_take(t->buffers, least, most, &size) : NULL;
	if (!memory) {
		complaint_add(&t->complaints, COMPLAINT_MEMORY, "request");
		return false;
	}
	t->protocol->move(&c->in, memory, size);
	if (c->memory)
		buffers_give(t->buffers, c->memory, c->memory_size);
	c->memory = memory;
	c->memory_size = size;
	return true;
}

/* Room for the next read. Memory follows what has arrived, never what was announced. */
static bool make_room(struct engine_worker *w, struct connection *c)
{
	if (!c->in.bytes) {
		c->in.bytes = w->scratch;
		c->in.cap = sizeof w->scratch;
	}
	const struct protocol *protocol = w->transport->protocol;
	if (protocol->held(&c->in) == 0)
		c->in.n = c->in.at = 0;
	if (c->in.cap - c->in.n >= ROOM_MIN)
		return true;
	if (c->in.cap - protocol->held(&c->in) >= ROOM_MIN) {
		protocol->move(&c->in, c->in.bytes, c->in.cap);
		return true;
	}
	size_t most = memory_max(w->transport);
	return move_to_own(w->transport, c, c->in.cap * 2 < most ? c->in.cap * 2 : most);
}

/* Before it waits: keep what is half there, give back what is not needed. */
static bool stow(struct engine_worker *w, struct connection *c)
{
	size_t held = w->transport->protocol->held(&c->in);
	if (held == 0)
		drop_memory(w->transport, c);
	else if (on_scratch(w, c))
		return move_to_own(w->transport, c, held);
	return true;
}

/* --- writing --------------------------------------------------------------- */

static enum next write_rest(struct connection *c)
{
	while (c->rest_at < c->rest_n) {
		ssize_t n = send(c->fd, c->rest + c->rest_at, c->rest_n - c->rest_at, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN || errno == EWOULDBLOCK ? NEXT_WRITE : NEXT_CLOSE;
		c->rest_at += (size_t)n;
	}
	secret_wipe(c->rest, c->rest_n);
	free(c->rest);
	c->rest = NULL;
	return NEXT_GO_ON;
}

/* Send, and keep for later what the peer does not take now. */
static enum next write_all(struct transport *t, struct connection *c, const char *bytes, size_t n)
{
	ssize_t sent;
	do
		sent = send(c->fd, bytes, n, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	if (sent == (ssize_t)n)
		return NEXT_GO_ON;
	if (sent < 0 && errno != EAGAIN && errno != EWOULDBLOCK) {
		log_text(LOG_DEBUG, "transport", "peer gone before the answer");
		return NEXT_CLOSE;
	}
	size_t done = sent > 0 ? (size_t)sent : 0;
	c->rest = malloc(n - done);
	if (!c->rest) {
		complaint_add(&t->complaints, COMPLAINT_MEMORY, "answer");
		return NEXT_CLOSE;
	}
	memcpy(c->rest, bytes + done, n - done);
	c->rest_n = n - done;
	c->rest_at = 0;
	return NEXT_WRITE;
}

/* The answer is out and the connection is done. The peer may still be about to
 * write a body, and a closed socket would turn that into an error that hides the
 * answer: such a peer sees the end of the stream and can write on. */
static enum next part(struct engine_worker *w, struct connection *c)
{
	if (!w->transport->protocol->lingers(&c->in, &w->transport->limits, &w->params))
		return NEXT_CLOSE;
	shutdown(c->fd, SHUT_WR);
	drop_memory(w->transport, c);
	c->linger_us = clock_monotonic_us() + LINGER_US;
	return NEXT_LINGER;
}

/* --- answering ------------------------------------------------------------- */

static void fill_reply(struct engine_worker *w, struct connection *c, enum protocol_event event, struct reply *reply)
{
	struct transport *t = w->transport;
	struct incoming in = {
		.params = w->params.items,
		.n_params = w->params.n,
		.body = event == PROTOCOL_REQUEST ? t->protocol->body(&c->in) : STR_NONE,
		.arrived_us = c->phase == PHASE_BETWEEN ? c->read_us : c->begun_us,
		.asked = c->in.asked,
	};
	if (event == PROTOCOL_REFUSE) {
		in.refused = ERR_BAD_REQUEST;
		in.why = c->in.why;
	} else if (overload_is(t)) {
		complaint_add(&t->complaints, COMPLAINT_OVERLOADED, NULL);
		in.refused = ERR_OVERLOADED;
		in.why = "waited too long";
	}
	t->handler->handle(t->handler->context, w->number, &in, reply);
}

static enum next answer(struct engine_worker *w, struct connection *c, enum protocol_event event)
{
	struct transport *t = w->transport;
	struct reply reply = {.out = buf_over(w->frame + PROTOCOL_ROOM_BEFORE, t->handler->max_reply)};

	fill_reply(w, c, event, &reply);
	/* Without a whole head nothing is sent: an END_REQUEST alone would be an allow to some servers. */
	if (!frame_takes(&reply)) {
		complaint_add(&t->complaints, COMPLAINT_REPLY, NULL);
		return NEXT_CLOSE;
	}
	bool last = t->protocol->announces_close && atomic_load_explicit(&t->draining, memory_order_relaxed);
	c->closing = event == PROTOCOL_REFUSE || !c->in.keep || last;
	struct str frame = t->protocol->frame(&c->in, reply.out.p, reply.out.n, c->closing);
	if (!frame.p) {
		complaint_add(&t->complaints, COMPLAINT_REPLY, NULL);
		return NEXT_CLOSE;
	}
	t->protocol->finish(&c->in);
	c->phase = PHASE_BETWEEN;
	c->served = true;
	enum next next = write_all(t, c, frame.p, frame.n);
	secret_wipe(w->frame + (frame.p - w->frame), frame.n);
	return next == NEXT_GO_ON && c->closing ? part(w, c) : next;
}

static enum next react(struct engine_worker *w, struct connection *c, enum protocol_event event)
{
	char interim[PROTOCOL_INTERIM_MAX];
	struct transport *t = w->transport;
	switch (event) {
	case PROTOCOL_REQUEST:
	case PROTOCOL_REFUSE:
		return answer(w, c, event);
	case PROTOCOL_INTERIM:
		return write_all(t, c, interim,
				 t->protocol->interim(&c->in, t->settings.max_connections, interim));
	case PROTOCOL_BROKEN:
	case PROTOCOL_MORE:
		break;
	}
	complaint_add(&t->complaints, COMPLAINT_BROKEN, c->in.why);
	return NEXT_CLOSE;
}

/* --- reading --------------------------------------------------------------- */

static enum next read_more(struct engine_worker *w, struct connection *c)
{
	if (!make_room(w, c))
		return NEXT_CLOSE;
	size_t room = c->in.cap - c->in.n;
	ssize_t n;
	do
		n = recv(c->fd, c->in.bytes + c->in.n, room, 0);
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) ? NEXT_READ : NEXT_CLOSE;
	c->in.n += (size_t)n;
	c->filled = (size_t)n == room;
	c->read_us = clock_monotonic_us();
	if (on_scratch(w, c) && c->in.n > w->scratch_used)
		w->scratch_used = c->in.n;
	return NEXT_GO_ON;
}

/* Throw away what the peer sends, a bounded amount at a time. false: it has ended. */
static bool read_away(struct engine_worker *w, struct connection *c)
{
	for (unsigned i = 0; i < FAIR; i++) {
		ssize_t n = recv(c->fd, w->scratch, sizeof w->scratch, 0);
		if (n <= 0)
			return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR);
		if ((size_t)n > w->scratch_used)
			w->scratch_used = (size_t)n;
	}
	return true;
}

static enum next talk(struct engine_worker *w, struct connection *c)
{
	bool dry = false;
	if (c->linger_us != 0)
		return read_away(w, c) ? NEXT_LINGER : NEXT_CLOSE;
	if (c->rest) {
		enum next next = write_rest(c);
		if (next != NEXT_GO_ON)
			return next;
		if (c->closing)
			return part(w, c);
	}
	for (unsigned events = 0; events < FAIR;) {
		enum next next;
		enum protocol_event event = w->transport->protocol->parse(&c->in, &w->transport->limits, &w->params);
		if (event != PROTOCOL_MORE) {
			next = react(w, c, event);
			events++;
		} else if (dry) {
			next = NEXT_READ;
		} else {
			next = read_more(w, c);
			dry = !c->filled;
		}
		if (next != NEXT_GO_ON)
			return next;
	}
	return NEXT_WRITE;
}

/* --- waiting --------------------------------------------------------------- */

static int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* Until when may the peer take its time? */
static int64_t read_deadline(const struct protocol *protocol, struct connection *c, int64_t now_us)
{
	enum phase phase = protocol->phase(&c->in);
	if (c->since_us == 0)
		c->since_us = now_us;
	if (phase != c->phase) {
		if (c->phase == PHASE_BETWEEN)
			c->begun_us = c->read_us;
		c->since_us = now_us;
		c->phase = phase;
	}
	switch (phase) {
	case PHASE_BETWEEN:
		return c->served ? now_us + IDLE_US : c->since_us + FIRST_US;
	case PHASE_HEAD:
		return c->since_us + HEAD_US;
	case PHASE_BODY:
	case PHASE_SKIP:
		break;
	}
	return least(c->since_us + BODY_US, c->read_us + STALL_US);
}

/* Hand the connection back: from the last line on it may be somebody else's. */
static bool let_go(struct transport *t, struct connection *c, uint32_t events, int64_t deadline_us, bool idle)
{
	struct epoll_event event = {.events = events | EPOLLONESHOT, .data.ptr = c};
	if (epoll_ctl(t->epoll, c->watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, c->fd, &event) != 0) {
		complaint_add(&t->complaints, COMPLAINT_MEMORY, "epoll");
		return false;
	}
	c->watched = true;
	connection_wait(c, deadline_us, idle);
	return true;
}

/* false: it cannot wait, and is still the caller's. */
static bool wait_for(struct engine_worker *w, struct connection *c, enum next next)
{
	struct transport *t = w->transport;
	int64_t now_us = clock_monotonic_us();
	if (!stow(w, c))
		return false;
	c->writing = next == NEXT_WRITE;
	if (next == NEXT_WRITE)
		return let_go(t, c, EPOLLOUT, now_us + STALL_US, false);
	if (next == NEXT_LINGER)
		return let_go(t, c, EPOLLIN, c->linger_us, true);

	int64_t deadline_us = read_deadline(t->protocol, c, now_us);
	bool idle = c->served && c->phase == PHASE_BETWEEN;
	/* What has arrived by now is read and answered; then the peer sees the end. */
	if (idle && atomic_load(&t->draining))
		shutdown(c->fd, SHUT_RD);
	return let_go(t, c, EPOLLIN, deadline_us, idle);
}

void converse_close(struct transport *t, struct connection *c)
{
	drop_memory(t, c);
	if (c->rest)
		secret_wipe(c->rest, c->rest_n);
	free(c->rest);
	close(c->fd);
	connections_give(t->connections, c);
	acceptor_freed(t);
}

void converse(struct engine_worker *w, struct connection *c)
{
	enum next next = talk(w, c);
	if (next != NEXT_CLOSE && !wait_for(w, c, next))
		next = NEXT_CLOSE;
	if (next == NEXT_CLOSE) {
		/* Unread bytes would make TCP throw the answer away. */
		if (w->transport->tcp || c->filled)
			read_away(w, c);
		converse_close(w->transport, c);
	}
	secret_wipe(w->scratch, w->scratch_used);
	w->scratch_used = 0;
}

void converse_again(struct engine_worker *w, struct connection *c)
{
	struct transport *t = w->transport;
	if (connection_own(c) == CONNECTION_EXPIRED) {
		complaint_add(&t->complaints, COMPLAINT_DEADLINE,
			      c->writing ? "does not read the answer" : t->protocol->doing[c->phase]);
		converse_close(t, c);
		return;
	}
	converse(w, c);
}
