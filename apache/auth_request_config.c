/* SPDX-License-Identifier: Apache-2.0 */
/* The directives, how sections are merged, and what `apachectl -t` says about
 * a mistake. Addresses are written in the server's configuration alone: a
 * .htaccess file picks a name, and cannot make the server talk to a socket. */
#include <sys/un.h>

#include <apr_hash.h>
#include <apr_lib.h>
#include <apr_strings.h>

#include "auth_request.h"

enum { CONNECT_MS = 200, ANSWER_MS = 3000, POOL_LIMIT = 4096 };

/* A name that a location uses: it may be defined further down. */
struct reference {
	const char *name, *file;
	int line;
};

struct server_conf {
	apr_hash_t *backends;           /* name → struct backend * */
	apr_array_header_t *references; /* of struct reference */
};

void *config_new_server(apr_pool_t *p, server_rec *server)
{
	(void)server;
	struct server_conf *conf = apr_pcalloc(p, sizeof(*conf));
	conf->backends = apr_hash_make(p);
	conf->references = apr_array_make(p, 4, sizeof(struct reference));
	return conf;
}

/* A virtual host has its own backends and those of the server; its own win. */
void *config_merge_server(apr_pool_t *p, void *base_config, void *add_config)
{
	const struct server_conf *base = base_config, *add = add_config;
	struct server_conf *conf = apr_pcalloc(p, sizeof(*conf));
	conf->backends = apr_hash_overlay(p, add->backends, base->backends);
	conf->references = add->references;
	return conf;
}

void *config_new_dir(apr_pool_t *p, char *dir)
{
	(void)dir;
	struct dir_conf *conf = apr_pcalloc(p, sizeof(*conf));
	conf->on = conf->redirect_on = conf->cache = UNSET;
	conf->on_error = UNSET;
	conf->headers = apr_array_make(p, 0, sizeof(struct header_row));
	conf->sets = apr_array_make(p, 0, sizeof(struct set_row));
	return conf;
}

void *config_merge_dir(apr_pool_t *p, void *base_config, void *add_config)
{
	const struct dir_conf *base = base_config, *add = add_config;
	struct dir_conf *conf = apr_pmemdup(p, base, sizeof(*conf));
	if (add->on != UNSET) {
		conf->on = add->on;
		conf->backend_name = add->backend_name;
		conf->direct = add->direct;
	}
	if (add->redirect_on != UNSET) {
		conf->redirect_on = add->redirect_on;
		conf->redirect = add->redirect;
	}
	if (add->policy)
		conf->policy = add->policy;
	if (add->cache != UNSET)
		conf->cache = add->cache;
	if (add->on_error != UNSET)
		conf->on_error = add->on_error;
	conf->headers = apr_array_append(p, base->headers, add->headers);
	conf->sets = apr_array_append(p, base->sets, add->sets);
	return conf;
}

static struct server_conf *server_conf(const server_rec *server)
{
	return ap_get_module_config(server->module_config, &auth_request_module);
}

const struct backend *config_backend(const server_rec *server, const struct dir_conf *conf)
{
	if (conf->direct)
		return conf->direct;
	return apr_hash_get(server_conf(server)->backends, conf->backend_name, APR_HASH_KEY_STRING);
}

bool config_check(server_rec *server)
{
	bool good = true;
	for (; server; server = server->next) {
		const struct server_conf *conf = server_conf(server);
		const struct reference *references = (const void *)conf->references->elts;
		for (int i = 0; i < conf->references->nelts; i++) {
			if (apr_hash_get(conf->backends, references[i].name, APR_HASH_KEY_STRING))
				continue;
			ap_log_error(APLOG_MARK, APLOG_CRIT, 0, server,
				     "%s:%d: AuthRequest backend:%s: no AuthRequestBackend of this server has that "
				     "name: write AuthRequestBackend %s fcgi:unix:/path outside of any <Location>",
				     references[i].file, references[i].line, references[i].name, references[i].name);
			good = false;
		}
	}
	return good;
}

void config_each_backend(server_rec *server, void (*call)(struct backend *, void *), void *context)
{
	for (; server; server = server->next) {
		apr_hash_t *backends = server_conf(server)->backends;
		for (apr_hash_index_t *at = apr_hash_first(NULL, backends); at; at = apr_hash_next(at))
			call(apr_hash_this_val(at), context);
	}
}

/* --- AuthRequestBackend --------------------------------------------------- */

static const char *unix_address(cmd_parms *cmd, const char *path, struct member *member)
{
	if (path[0] != '/')
		return apr_psprintf(cmd->pool, "AuthRequestBackend: fcgi:unix:%s: the path must begin with /", path);
	if (strlen(path) >= sizeof(((struct sockaddr_un *)0)->sun_path))
		return apr_psprintf(cmd->pool, "AuthRequestBackend: fcgi:unix:%s: a path of a socket has less than %d "
				    "bytes", path, (int)sizeof(((struct sockaddr_un *)0)->sun_path));
	if (apr_sockaddr_info_get(&member->address, path, APR_UNIX, 0, 0, cmd->pool) != APR_SUCCESS)
		return apr_psprintf(cmd->pool, "AuthRequestBackend: fcgi:unix:%s: no address can be made of it", path);
	return NULL;
}

static const char *tcp_address(cmd_parms *cmd, const char *text, struct member *member)
{
	char *host = NULL, *scope = NULL;
	apr_port_t port = 0;
	if (apr_parse_addr_port(&host, &scope, &port, text, cmd->pool) != APR_SUCCESS || !host || scope || !port)
		return apr_psprintf(cmd->pool, "AuthRequestBackend: fcgi://%s: write fcgi://host:port", text);
	if (apr_sockaddr_info_get(&member->address, host, APR_UNSPEC, port, 0, cmd->pool) != APR_SUCCESS)
		return apr_psprintf(cmd->pool, "AuthRequestBackend: fcgi://%s: the host is not known here", text);
	return NULL;
}

static const char *address(cmd_parms *cmd, const char *text, struct member *member)
{
	member->text = text;
	if (strncmp(text, "fcgi:unix:", 10) == 0)
		return unix_address(cmd, text + 10, member);
	if (strncmp(text, "fcgi://", 7) == 0)
		return tcp_address(cmd, apr_pstrmemdup(cmd->pool, text + 7, strcspn(text + 7, "/")), member);
	if (text[0] != '/')
		return apr_psprintf(cmd->pool, "AuthRequestBackend: %s is no address: write fcgi:unix:/path, "
				    "fcgi://host:port or the /path of a location", text);
	member->uri = text;
	return NULL;
}

/* HEADER, or none. NULL: fine. */
static const char *proof(cmd_parms *cmd, const char *value, struct backend *backend)
{
	for (const char *c = value; *c; c++)
		if (!apr_isalnum(*c) && *c != '-' && *c != '_')
			return apr_psprintf(cmd->pool, "proof=%s: write the name of a header, or none", value);
	const char *name = strcasecmp(value, "none") == 0 ? NULL : value;
	if (*value == '\0' || (backend->proof_given && (!name || !backend->proof || strcasecmp(name, backend->proof))))
		return apr_psprintf(cmd->pool, "proof=%s: give one header for all lines of %s", value, backend->name);
	backend->proof = name;
	backend->proof_given = true;
	return NULL;
}

static const char *duration(cmd_parms *cmd, const char *name, const char *value, apr_interval_time_t *out)
{
	apr_interval_time_t time;
	if (ap_timeout_parameter_parse(value, &time, "s") != APR_SUCCESS || time <= 0
	    || time > apr_time_from_sec(3600))
		return apr_psprintf(cmd->pool, "AuthRequestBackend: %s=%s: write a time such as 200ms or 3s", name,
				    value);
	*out = time;
	return NULL;
}

static const char *option(cmd_parms *cmd, const char *text, struct backend *backend, struct member *member)
{
	const char *value = strchr(text, '=');
	const char *name = value ? apr_pstrmemdup(cmd->pool, text, (apr_size_t)(value++ - text)) : text;
	if (value && strcmp(name, "connect") == 0)
		return duration(cmd, name, value, &member->connect);
	if (value && strcmp(name, "timeout") == 0)
		return duration(cmd, name, value, &member->timeout);
	if (value && strcmp(name, "proof") == 0)
		return proof(cmd, value, backend);
	if (value && strcmp(name, "pool") == 0) {
		char *end;
		apr_int64_t number = apr_strtoi64(value, &end, 10);
		if (*value == '\0' || *end || number < 0 || number > POOL_LIMIT)
			return apr_psprintf(cmd->pool, "AuthRequestBackend: pool=%s: write a number up to %d", value,
					    POOL_LIMIT);
		member->pool_size = (int)number;
		return NULL;
	}
	if (value && strcmp(name, "cache") == 0) {
		if (*value != '/' || (backend->page_path && strcmp(backend->page_path, value) != 0))
			return apr_psprintf(cmd->pool, "AuthRequestBackend: cache=%s: give the one path of the "
					    "generation.page of %s", value, backend->name);
		backend->page_path = value;
		return NULL;
	}
	return apr_psprintf(cmd->pool, "AuthRequestBackend: %s is no option: connect=, timeout=, pool=, proof= and "
			    "cache= are", text);
}

static struct member *new_member(apr_pool_t *p)
{
	struct member *member = apr_pcalloc(p, sizeof(*member));
	member->connect = CONNECT_MS * INT64_C(1000);
	member->timeout = ANSWER_MS * INT64_C(1000);
	member->pool_size = -1;
	return member;
}

static struct backend *new_backend(apr_pool_t *p, const char *name)
{
	struct backend *backend = apr_pcalloc(p, sizeof(*backend));
	backend->name = name;
	backend->proof = PROOF_OF_OURS;
	backend->members = apr_array_make(p, 2, sizeof(struct member *));
	return backend;
}

static const char *set_backend(cmd_parms *cmd, void *dir, int n, char *const words[])
{
	(void)dir;
	struct server_conf *conf = server_conf(cmd->server);
	if (n < 2)
		return "AuthRequestBackend takes a name and an address: AuthRequestBackend NAME fcgi:unix:/path";
	struct backend *backend = apr_hash_get(conf->backends, words[0], APR_HASH_KEY_STRING);
	struct member *member = new_member(cmd->pool);
	if (!backend) {
		backend = new_backend(cmd->pool, words[0]);
		apr_hash_set(conf->backends, words[0], APR_HASH_KEY_STRING, backend);
	}
	const char *error = address(cmd, words[1], member);
	for (int i = 2; i < n && !error; i++)
		error = option(cmd, words[i], backend, member);
	APR_ARRAY_PUSH(backend->members, struct member *) = member;
	return error;
}

/* --- Directives of a location --------------------------------------------- */

/* AuthRequest /local/uri [proof=…]: a backend of its own, as the module of that
 * name has it, which knows no proof (see answer_judge()). */
static const char *set_direct(cmd_parms *cmd, struct dir_conf *conf, const char *uri, const char *more)
{
	struct backend *backend = new_backend(cmd->pool, uri);
	struct member *member = new_member(cmd->pool);
	member->text = member->uri = uri;
	APR_ARRAY_PUSH(backend->members, struct member *) = member;
	conf->direct = backend;
	if (!more)
		return NULL;
	if (strncmp(more, "proof=", 6) != 0)
		return apr_psprintf(cmd->pool, "AuthRequest: %s is no option: proof=HEADER is", more);
	return proof(cmd, more + 6, backend);
}

static const char *set_auth_request(cmd_parms *cmd, void *dir, const char *whom, const char *more)
{
	struct dir_conf *conf = dir;
	conf->on = ON;
	conf->direct = NULL;
	conf->backend_name = NULL;
	if (whom[0] == '/')
		return set_direct(cmd, conf, whom, more);
	if (more)
		return apr_psprintf(cmd->pool, "AuthRequest: %s does not belong behind %s", more, whom);
	if (strcasecmp(whom, "off") == 0) {
		conf->on = OFF;
		return NULL;
	}
	if (strncmp(whom, "backend:", 8) != 0 || whom[8] == '\0')
		return apr_psprintf(cmd->pool, "AuthRequest: write backend:NAME, the /path of a location, or off "
				    "(not %s)", whom);
	conf->backend_name = whom + 8;
	if (ap_check_cmd_context(cmd, NOT_IN_HTACCESS)) {
		if (!config_backend(cmd->server, conf))
			return apr_psprintf(cmd->pool, "AuthRequest backend:%s: no AuthRequestBackend of this server "
					    "has that name", conf->backend_name);
		return NULL;
	}
	struct reference *reference = apr_array_push(server_conf(cmd->server)->references);
	*reference = (struct reference){.name = conf->backend_name, .file = cmd->directive->filename,
					.line = cmd->directive->line_num};
	return NULL;
}

static const char *expression(cmd_parms *cmd, const char *text, ap_expr_info_t **out)
{
	const char *error = NULL;
	*out = ap_expr_parse_cmd(cmd, text, AP_EXPR_FLAG_STRING_RESULT, &error, NULL);
	return error ? apr_psprintf(cmd->pool, "%s: %s: no expression (%s)", cmd->cmd->name, text, error) : NULL;
}

static const char *set_redirect(cmd_parms *cmd, void *dir, const char *text)
{
	struct dir_conf *conf = dir;
	conf->redirect_on = strcasecmp(text, "off") == 0 ? OFF : ON;
	return conf->redirect_on == ON ? expression(cmd, text, &conf->redirect) : NULL;
}

static const char *set_policy(cmd_parms *cmd, void *dir, const char *name)
{
	(void)cmd;
	((struct dir_conf *)dir)->policy = name;
	return NULL;
}

static bool is_name(const char *text, const char *more)
{
	for (const char *c = text; *c; c++)
		if (!apr_isalnum(*c) && !strchr(more, *c))
			return false;
	return *text != '\0';
}

static const char *set_header(cmd_parms *cmd, void *dir, const char *header, const char *variable)
{
	if (!is_name(header, "-"))
		return apr_psprintf(cmd->pool, "AuthRequestHeader: %s: a header has letters, digits and -", header);
	if (!is_name(variable, "_"))
		return apr_psprintf(cmd->pool, "AuthRequestHeader: %s: a variable has letters, digits and _", variable);
	struct header_row *row = apr_array_push(((struct dir_conf *)dir)->headers);
	*row = (struct header_row){.header = header, .variable = variable};
	return NULL;
}

/* %{Name} alone is that header of the answer; anything else an expression. */
static const char *set_set(cmd_parms *cmd, void *dir, const char *variable, const char *text)
{
	apr_size_t n = strlen(text);
	if (!is_name(variable, "_"))
		return apr_psprintf(cmd->pool, "AuthRequestSet: %s: a variable has letters, digits and _", variable);
	struct set_row row = {.variable = variable};
	if (n > 3 && strncmp(text, "%{", 2) == 0 && text[n - 1] == '}') {
		const char *name = apr_pstrmemdup(cmd->pool, text + 2, n - 3);
		if (is_name(name, "-"))
			row.header = name;
	}
	const char *error = row.header ? NULL : expression(cmd, text, &row.expression);
	if (!error)
		APR_ARRAY_PUSH(((struct dir_conf *)dir)->sets, struct set_row) = row;
	return error;
}

static const char *set_on_error(cmd_parms *cmd, void *dir, const char *text)
{
	struct dir_conf *conf = dir;
	char *end;
	apr_int64_t number = strcasecmp(text, "off") == 0 ? OFF : apr_strtoi64(text, &end, 10);
	if (number != OFF && (*end || number < 400 || number > 599))
		return apr_psprintf(cmd->pool, "AuthRequestOnError: %s: write a status from 400 to 599, or off", text);
	conf->on_error = (int)number;
	return NULL;
}

static const char *set_cache(cmd_parms *cmd, void *dir, int on)
{
	(void)cmd;
	((struct dir_conf *)dir)->cache = on ? ON : OFF;
	return NULL;
}

/* Everywhere; in .htaccess with AllowOverride AuthConfig. */
enum { LOCATION = OR_AUTHCFG | RSRC_CONF };

const command_rec config_commands[] = {
	AP_INIT_TAKE_ARGV("AuthRequestBackend", set_backend, NULL, RSRC_CONF,
			  "a name, the address of an authorizer, and options; repeat the name for fail-over"),
	AP_INIT_TAKE12("AuthRequest", set_auth_request, NULL, LOCATION,
		       "backend:NAME, the /path of a location that is asked, or off"),
	AP_INIT_TAKE1("AuthRequestRedirect", set_redirect, NULL, LOCATION,
		      "where a client is sent in place of a 401: an expression, or off"),
	AP_INIT_TAKE1("AuthRequestPolicy", set_policy, NULL, LOCATION, "the policy by which the authorizer decides"),
	AP_INIT_TAKE2("AuthRequestHeader", set_header, NULL, LOCATION,
		      "a request header for the application, and the variable of the verdict that is its value"),
	AP_INIT_TAKE2("AuthRequestSet", set_set, NULL, LOCATION,
		      "a variable, and what it is set to: %{Header} of the answer, or an expression"),
	AP_INIT_TAKE1("AuthRequestOnError", set_on_error, NULL, LOCATION,
		      "the status when the authorizer cannot be asked or does not decide, or off"),
	AP_INIT_FLAG("AuthRequestCache", set_cache, NULL, LOCATION,
		     "whether verdicts may be kept (cache= of the backend)"),
	{.name = NULL},
};
