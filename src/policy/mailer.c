/* SPDX-License-Identifier: Apache-2.0 */
/* The queue of mails and the thread that sends them. It is in memory: a mail that is
 * lost when a program ends is one that its reader asks for again. */
#include "policy/mailer.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/secret.h"

enum { QUEUE_MAX = 100, LAST_TIMEOUT_MS = 5000 };

/* Before the second try and those after it: what a server that is started again takes,
 * and one that lets strangers wait. */
static const int64_t pauses_ms[] = {1000, 10000, 60000, 300000, 900000};

enum { TRIES = 1 + sizeof pauses_ms / sizeof *pauses_ms };

struct job {
	struct job *next;
	int64_t due_ms; /* monotonic */
	unsigned tries;
	struct mail mail;
	struct mail_way way;
	struct str about;
	size_t size;
	char memory[];
};

struct mailer {
	pthread_mutex_t lock;
	pthread_cond_t news;
	struct job *jobs; /* by due_ms */
	size_t n;
	bool patient, running, closing;
	pthread_t thread;
};

/* Jobs ------------------------------------------------------------------- */

/* Copy a text behind the others of the job, with a NUL; NULL stays NULL. */
static const char *keep(struct job *job, const char *text, size_t n)
{
	if (!text)
		return NULL;
	char *copy = job->memory + job->size;
	memcpy(copy, text, n);
	copy[n] = '\0';
	job->size += n + 1;
	return copy;
}

static const char *keep_z(struct job *job, const char *text)
{
	return keep(job, text, text ? strlen(text) : 0);
}

static size_t size_of(const char *text)
{
	return text ? strlen(text) + 1 : 0;
}

static struct job *make_job(const struct mail_way *way, const struct mail *mail, struct str about)
{
	size_t size = size_of(mail->from) + size_of(mail->to) + mail->text.n + 1 + about.n + 1 + size_of(way->smtp) +
		      size_of(way->command) + size_of(way->user) + size_of(way->password) + size_of(way->ca_file);
	struct job *job = calloc(1, sizeof *job + size);
	if (!job)
		return NULL;
	job->due_ms = clock_monotonic_ms();
	job->mail.from = keep_z(job, mail->from);
	job->mail.to = keep_z(job, mail->to);
	job->mail.text = (struct str){keep(job, mail->text.p, mail->text.n), mail->text.n};
	job->about = (struct str){keep(job, about.p, about.n), about.n};
	job->way.smtp = keep_z(job, way->smtp);
	job->way.command = keep_z(job, way->command);
	job->way.user = keep_z(job, way->user);
	job->way.password = keep_z(job, way->password);
	job->way.ca_file = keep_z(job, way->ca_file);
	job->way.timeout_ms = way->timeout_ms;
	return job;
}

/* It had a link in it that changes passwords. */
static void free_job(struct job *job)
{
	secret_wipe(job->memory, job->size);
	free(job);
}

static void insert(struct mailer *mailer, struct job *job)
{
	struct job **at = &mailer->jobs;
	while (*at && (*at)->due_ms <= job->due_ms)
		at = &(*at)->next;
	job->next = *at;
	*at = job;
	mailer->n++;
}

static void say(int level, const char *event, const struct job *job, const char *why)
{
	struct log_line line;
	log_begin(&line, level, event);
	log_number(&line, "tries", job->tries);
	if (why)
		log_field(&line, "text", str_of(why));
	log_foreign(&line, "about", job->about);
	log_end(&line);
}

/* The thread ------------------------------------------------------------- */

/* Without the lock. Is it to be tried again? */
static bool try_job(struct job *job, bool last)
{
	char memory[512];
	struct buf why = buf_over(memory, sizeof memory - 1);
	struct mail_way way = job->way;
	if (last && way.timeout_ms > LAST_TIMEOUT_MS)
		way.timeout_ms = LAST_TIMEOUT_MS;
	job->tries++;
	enum mail_result result = MAIL_LATER;
	if (!way.smtp || mail_start(&why))
		result = mail_send(&way, &job->mail, &why);
	if (result == MAIL_SENT) {
		say(LOG_INFO, "mail_sent", job, NULL);
		return false;
	}
	bool again = result == MAIL_LATER && !last && job->tries < TRIES;
	say(again ? LOG_WARNING : LOG_ERR, again ? "mail_delayed" : "mail_lost", job, buf_z(&why));
	return again;
}

static void wait_for_news(struct mailer *mailer)
{
	if (!mailer->jobs) {
		pthread_cond_wait(&mailer->news, &mailer->lock);
		return;
	}
	int64_t due = mailer->jobs->due_ms;
	struct timespec at = {.tv_sec = (time_t)(due / 1000), .tv_nsec = (long)(due % 1000) * 1000000};
	pthread_cond_timedwait(&mailer->news, &mailer->lock, &at);
}

static void *run(void *context)
{
	struct mailer *mailer = context;
	pthread_mutex_lock(&mailer->lock);
	while (mailer->jobs || !mailer->closing) {
		struct job *job = mailer->jobs;
		if (!job || (job->due_ms > clock_monotonic_ms() && !mailer->closing)) {
			wait_for_news(mailer);
			continue;
		}
		mailer->jobs = job->next;
		mailer->n--;
		bool last = mailer->closing;
		pthread_mutex_unlock(&mailer->lock);
		bool again = try_job(job, last);
		pthread_mutex_lock(&mailer->lock);
		if (again) {
			job->due_ms = clock_monotonic_ms() + pauses_ms[job->tries - 1];
			insert(mailer, job);
		} else {
			free_job(job);
		}
	}
	pthread_mutex_unlock(&mailer->lock);
	return NULL;
}

/* A process of one request: its web server, and who waits for the answer, shall not wait
 * for a mail server, and may end it when it has answered. A child of its own session sends. */
static void send_apart(struct mailer *mailer)
{
	pid_t child = fork();
	if (child > 0)
		return;
	int null = child == 0 && setsid() >= 0 ? open("/dev/null", O_RDWR | O_CLOEXEC) : -1;
	if (null >= 0) {
		dup2(null, STDIN_FILENO);
		dup2(null, STDOUT_FILENO);
	}
	for (struct job *job = mailer->jobs; job; job = job->next)
		try_job(job, true);
	if (child == 0)
		_exit(0);
}

/* With the first mail; most processes never send one. Signals are the main thread's. */
static bool start(struct mailer *mailer)
{
	sigset_t all, before;
	if (mailer->running || !mailer->patient)
		return true;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	mailer->running = pthread_create(&mailer->thread, NULL, run, mailer) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return mailer->running;
}

/* Outside ---------------------------------------------------------------- */

bool mailer_open(bool patient, struct mailer **out)
{
	pthread_condattr_t monotonic;
	struct mailer *mailer = calloc(1, sizeof *mailer);
	if (!mailer)
		return false;
	mailer->patient = patient;
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_mutex_init(&mailer->lock, NULL);
	pthread_cond_init(&mailer->news, &monotonic);
	pthread_condattr_destroy(&monotonic);
	*out = mailer;
	return true;
}

void mailer_close(struct mailer **mailer)
{
	struct mailer *m = *mailer;
	if (!m)
		return;
	pthread_mutex_lock(&m->lock);
	m->closing = true;
	pthread_cond_signal(&m->news);
	pthread_mutex_unlock(&m->lock);
	if (m->running)
		pthread_join(m->thread, NULL);
	else if (m->jobs)
		send_apart(m);
	while (m->jobs) {
		struct job *job = m->jobs;
		m->jobs = job->next;
		free_job(job);
	}
	pthread_cond_destroy(&m->news);
	pthread_mutex_destroy(&m->lock);
	free(m);
	*mailer = NULL;
}

void mailer_put(struct mailer *mailer, const struct mail_sender *sender, const struct mail *mail, struct str about)
{
	struct job *job = make_job(&sender->way, mail, about);
	if (!job) {
		log_text(LOG_ERR, "mail_lost", "no memory");
		return;
	}
	pthread_mutex_lock(&mailer->lock);
	bool taken = mailer->n < QUEUE_MAX && start(mailer);
	if (taken) {
		insert(mailer, job);
		pthread_cond_signal(&mailer->news);
	}
	pthread_mutex_unlock(&mailer->lock);
	if (!taken) {
		say(LOG_ERR, "mail_lost", job, "too many mails wait, or no thread can be started");
		free_job(job);
	}
}
