/* SPDX-License-Identifier: Apache-2.0 */
/* The floor: an authorizer on libfcgi that always says yes. It serves the
 * listening socket on descriptor 0 with 8 threads, or as many as it is told. */
#include <fcgiapp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

enum { THREADS = 8, THREADS_MAX = 256 };

static void *serve(void *unused)
{
	FCGX_Request request;

	if (FCGX_InitRequest(&request, 0, 0) != 0)
		return unused;
	while (FCGX_Accept_r(&request) == 0) {
		FCGX_PutS("Status: 200 OK\r\nVariable-REMOTE_USER: alice\r\n\r\n", request.out);
		FCGX_Finish_r(&request);
	}
	return unused;
}

int main(int argc, char **argv)
{
	long threads = argc > 1 ? strtol(argv[1], NULL, 10) : THREADS;
	int listening = 0;
	socklen_t size = sizeof listening;

	if (getsockopt(0, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) != 0 || listening == 0 || threads < 1 ||
	    threads > THREADS_MAX) {
		fputs("usage: floor_libfcgi [THREADS], with a listening socket on descriptor 0\n", stderr);
		return 64;
	}
	if (FCGX_Init() != 0)
		return 1;
	for (long started = 1; started < threads; started++) {
		pthread_t thread;

		if (pthread_create(&thread, NULL, serve, NULL) != 0)
			return 1;
	}
	serve(NULL);
	return 1;
}
