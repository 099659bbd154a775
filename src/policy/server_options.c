/* SPDX-License-Identifier: Apache-2.0 */
/* The options of [server], and the list of all kinds of sections. */
#include <stddef.h>

#include "policy/runtime.h"

static const struct conf_opt opts[] = {
	{"state-dir", CONF_PATH, offsetof(struct server_conf, state_dir), "/var/lib/fcgi-auth", NULL,
	 "Folder of the databases: revocations, accounts; one local disk, the programs' users can write it"},
	{"user-records", CONF_PATH, offsetof(struct server_conf, user_records), NULL, NULL,
	 "Folder of the records that local-user keeps, for applications to read; none: state-dir"},
	{"transport", CONF_TEXT, offsetof(struct server_conf, transport), "fastcgi", NULL,
	 "What is spoken on the socket: fastcgi (our own), libfcgi (unix sockets only), http"},
	{"log", CONF_WORD, offsetof(struct server_conf, log), "stderr", "stderr|syslog|journal", "Where log lines go"},
	{"log-level", CONF_WORD, offsetof(struct server_conf, log_level), "info",
	 "emerg|alert|crit|error|warning|notice|info|debug", "The least important level that is logged"},
	{"log-format", CONF_WORD, offsetof(struct server_conf, log_format), "logfmt", "logfmt|json",
	 "How a log line looks"},
	{"log-allow", CONF_BOOL, offsetof(struct server_conf, log_allow), "off", NULL, "Log every allowed request too"},
	{"threads", CONF_INT, offsetof(struct server_conf, threads), "16", "1-256", "Worker threads of a process"},
	{"max-connections", CONF_INT, offsetof(struct server_conf, max_connections), "1024", "1-65536",
	 "Connections of web servers that a process holds at once"},
	{"max-request-headers", CONF_SIZE, offsetof(struct server_conf, max_request_headers), "64k", "4k-1m",
	 "Size of one request's FastCGI parameters"},
	{"trusted-proxies", CONF_LIST, offsetof(struct server_conf, trusted_proxies), NULL, NULL,
	 "Addresses and networks (10.0.0.0/8) of proxies whose headers are believed; loopback too must be listed"},
	{"drain-timeout", CONF_DURATION, offsetof(struct server_conf, drain_timeout), "10s", "0-10m",
	 "How long a stopping process finishes running requests"},
	{NULL, CONF_TEXT, 0, NULL, NULL, NULL},
};

const struct conf_kind server_kind = {"server", false, sizeof(struct server_conf), opts, "The processes"};

bool server_options_check(struct snapshot *s, const struct conf_section *section, struct conf_error *error)
{
	const struct conf_list *list = &((const struct server_conf *)section->values)->trusted_proxies;
	struct network *networks = arena_array(s->arena, list->n, sizeof *networks);
	if (!networks && list->n > 0)
		return conf_fail(error, section, "trusted-proxies", "too many");
	for (size_t i = 0; i < list->n; i++) {
		const char *why = network_parse(list->items[i].value, &networks[i]);
		if (why)
			return conf_fail_at(error, &list->items[i], "trusted-proxies",
					    "\"%.*s\" %s: give addresses, or networks like 10.0.0.0/8 or 2001:db8::/32",
					    STR_ARGS(list->items[i].value), why);
	}
	s->trusted = (struct networks){networks, list->n};
	return true;
}

const char *server_records_folder(const struct server_conf *server)
{
	return server->user_records.value.p ? server->user_records.value.p : server->state_dir.value.p;
}

const struct conf_kind *const runtime_kinds[] = {&server_kind, &store_kind, &issuer_kind,  &profile_kind,
						 &policy_kind, &login_kind, &mail_kind, &upstream_kind,
						 &logout_kind, &api_keys_kind, NULL};

const char *const runtime_masked[] = {"secret", "key-ring", "api-key", "password", NULL};
