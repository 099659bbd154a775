/* SPDX-License-Identifier: Apache-2.0 */
/* The clients: one thread, one epoll, each client with one question at a time. */
#include "load.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

/* A run with that many errors measures nothing any more. */
enum { ERRORS_MAX = 100, SILENCE_MS = 5000, EVENTS = 64 };

struct client {
	int descriptor; /* -1: not connected */
	bool waiting;
	bool served; /* at least once before the time was over */
	uint64_t asked_at;
	size_t used;
	unsigned char bytes[ANSWER_MAX];
};

struct load {
	const struct load_settings *settings;
	const struct request *request;
	struct load_result *result;
	struct client *clients;
	int epoll;
	unsigned waiting; /* clients */
	uint64_t asked;
	uint64_t now, ends; /* nanoseconds */
};

static uint64_t clock_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

static bool may_ask(const struct load *load)
{
	const struct load_settings *settings = load->settings;

	return load->now < load->ends && load->result->errors < ERRORS_MAX &&
	       (settings->requests == 0 || load->asked < settings->requests);
}

static void count_error(struct load *load, const char *what, int error)
{
	if (load->result->errors++ == 0)
		snprintf(load->result->first_error, sizeof load->result->first_error, "%s%s%s", what,
			 error != 0 ? ": " : "", error != 0 ? strerror(error) : "");
}

static void disconnect(struct client *client)
{
	if (client->descriptor >= 0)
		close(client->descriptor);
	client->descriptor = -1;
}

static bool connected(struct load *load, struct client *client)
{
	struct epoll_event event = { .events = EPOLLIN, .data = { .ptr = client } };

	if (client->descriptor >= 0)
		return true;
	client->descriptor = address_connect(&load->settings->address);
	return client->descriptor >= 0 && epoll_ctl(load->epoll, EPOLL_CTL_ADD, client->descriptor, &event) == 0;
}

/* The request is far smaller than a socket's buffer: one send takes it all. */
static bool sent(const struct load *load, const struct client *client)
{
	const struct request *request = load->request;

	return send(client->descriptor, request->bytes, request->length, MSG_NOSIGNAL) == (ssize_t)request->length;
}

static void ask(struct load *load, struct client *client)
{
	while (may_ask(load)) {
		load->asked++;
		client->asked_at = load->now;
		client->used = 0;
		if (connected(load, client) && sent(load, client)) {
			client->waiting = true;
			load->waiting++;
			return;
		}
		count_error(load, "cannot ask", errno);
		disconnect(client);
		load->now = clock_now();
	}
	disconnect(client);
}

static void finish(struct load *load, struct client *client, const char *wrong, int error)
{
	load->now = clock_now();
	client->waiting = false;
	load->waiting--;
	if (wrong != NULL) {
		count_error(load, wrong, error);
	} else {
		load->result->right++;
		histogram_add(&load->result->times, load->now - client->asked_at);
		client->served |= load->now < load->ends;
	}
	if (wrong != NULL || !load->settings->keep)
		disconnect(client);
	ask(load, client);
}

static void receive(struct load *load, struct client *client)
{
	ssize_t got = recv(client->descriptor, client->bytes + client->used, sizeof client->bytes - client->used,
			   MSG_DONTWAIT);
	enum answer_state state;
	const char *wrong = NULL;

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0) {
		finish(load, client, "the connection ended before the answer", got < 0 ? errno : 0);
		return;
	}
	client->used += (size_t)got;
	state = answer_check(&load->settings->expected, client->bytes, client->used, &wrong);
	if (state != ANSWER_INCOMPLETE)
		finish(load, client, wrong, 0);
}

static void run(struct load *load)
{
	struct epoll_event events[EVENTS];

	for (unsigned i = 0; i < load->settings->clients; i++) {
		load->now = clock_now();
		ask(load, &load->clients[i]);
	}
	while (load->waiting > 0) {
		int ready = epoll_wait(load->epoll, events, EVENTS, SILENCE_MS);

		if (ready < 0 && errno == EINTR)
			continue;
		if (ready <= 0)
			break;
		for (int i = 0; i < ready; i++)
			receive(load, events[i].data.ptr);
	}
	for (unsigned i = 0; i < load->settings->clients; i++)
		if (load->clients[i].waiting)
			count_error(load, "no answer", 0);
}

bool load_run(const struct load_settings *settings, const struct request *request, struct load_result *out)
{
	uint64_t started = clock_now();
	struct load load = {
		.settings = settings,
		.request = request,
		.result = out,
		.clients = calloc(settings->clients, sizeof *load.clients),
		.epoll = epoll_create1(EPOLL_CLOEXEC),
		.now = started,
		.ends = settings->seconds > 0 ? started + (uint64_t)(settings->seconds * 1e9) : UINT64_MAX,
	};
	bool ready = load.clients != NULL && load.epoll >= 0;

	if (ready) {
		for (unsigned i = 0; i < settings->clients; i++)
			load.clients[i].descriptor = -1;
		run(&load);
		out->seconds = (double)(clock_now() - started) / 1e9;
	}
	for (unsigned i = 0; ready && i < settings->clients; i++) {
		out->starved += !load.clients[i].served;
		disconnect(&load.clients[i]);
	}
	if (load.epoll >= 0)
		close(load.epoll);
	free(load.clients);
	return ready;
}
