/* SPDX-License-Identifier: Apache-2.0 */
/* The options of [mail], and what must hold between them. */
#include "policy/mail_options.h"

#include <stddef.h>
#include <string.h>

#include "base/secret.h"
#include "policy/runtime.h"

enum { LOCAL_MAX = 64, ADDRESS_MAX = 254, LABEL_MAX = 63, NAME_MAX_BYTES = 100 };

static const struct conf_opt opts[] = {
	{"from", CONF_TEXT, offsetof(struct mail_conf, from), NULL, NULL,
	 "Sender of the mails to users, as auth@example.org or Example <auth@example.org>"},
	{"smtp", CONF_TEXT, offsetof(struct mail_conf, smtp), NULL, NULL,
	 "Mail server that takes them: smtp://host:port with STARTTLS, smtps://host:port with TLS from the start"},
	{"command", CONF_TEXT, offsetof(struct mail_conf, command), NULL, NULL,
	 "Program that takes them on standard input, in place of smtp: /usr/sbin/sendmail -t -i"},
	{"user", CONF_TEXT, offsetof(struct mail_conf, user), NULL, NULL, "User name for the mail server"},
	{"password", CONF_TEXT, offsetof(struct mail_conf, password), NULL, NULL,
	 "Password for the mail server: file:PATH, cred:NAME or env:NAME"},
	{"ca-file", CONF_PATH, offsetof(struct mail_conf, ca_file), NULL, NULL,
	 "PEM file of the authorities that the mail server's certificate must come from; else the system's"},
	{"timeout", CONF_DURATION, offsetof(struct mail_conf, timeout), "30s", "1s-5m",
	 "How long handing over one mail may take"},
	{NULL, CONF_TEXT, 0, NULL, NULL, NULL},
};

const struct conf_kind mail_kind = {"mail", false, sizeof(struct mail_conf), opts,
				    "auth-login-proxy: mail to users, for confirmed addresses and forgotten passwords"};

static bool is_alphanumeric(char c)
{
	return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

static bool is_local_part(struct str local)
{
	for (size_t i = 0; i < local.n; i++) {
		char c = local.p[i];
		bool dot = c == '.' && i > 0 && i + 1 < local.n && local.p[i - 1] != '.';
		if (!is_alphanumeric(c) && !dot && !(c && strchr(i ? "_+-'&=~" : "_+'", c)))
			return false;
	}
	return local.n > 0 && local.n <= LOCAL_MAX;
}

static bool is_label(struct str label)
{
	for (size_t i = 0; i < label.n; i++)
		if (!is_alphanumeric(label.p[i]) && (label.p[i] != '-' || i == 0 || i + 1 == label.n))
			return false;
	return label.n > 0 && label.n <= LABEL_MAX;
}

static bool is_address(struct str address, size_t labels_least)
{
	size_t at = str_find(address, '@'), labels = 0;
	struct str rest = str_skip(address, at + 1), label;
	if (at >= address.n || address.n > ADDRESS_MAX || !is_local_part((struct str){address.p, at}))
		return false;
	for (; str_split(&rest, '.', &label); labels++)
		if (!is_label(label))
			return false;
	return labels >= labels_least;
}

bool mail_address_is_valid(struct str address)
{
	return is_address(address, 2);
}

/* "address" or "Name <address>". */
static bool split_from(struct snapshot *s, struct str from)
{
	size_t open = str_find(from, '<');
	struct str address = from;
	if (open < from.n) {
		s->mail.name = str_trim((struct str){from.p, open});
		address = str_skip(from, open + 1);
		if (address.n == 0 || address.p[address.n - 1] != '>')
			return false;
		address.n--;
	}
	/* Quotes are ours to add. */
	if (s->mail.name.n > NAME_MAX_BYTES || !str_is_utf8(s->mail.name) || str_has_control(s->mail.name) ||
	    str_find(s->mail.name, '"') < s->mail.name.n || str_find(s->mail.name, '\\') < s->mail.name.n)
		return false;
	s->mail.address = arena_copy(s->arena, address).p;
	return s->mail.address && is_address(address, 1);
}

static bool check_way(const struct mail_conf *conf, const struct conf_section *section, struct conf_error *error)
{
	char memory[256];
	struct buf why = buf_over(memory, sizeof memory);
	bool smtp = conf->smtp.value.p, command = conf->command.value.p;
	if (smtp == command)
		return conf_fail(error, section, smtp ? "command" : "smtp",
				 "[mail] takes one of smtp = smtp://host:port and command = /usr/sbin/sendmail -t -i");
	if (smtp && !mail_check_url(conf->smtp.value, &why))
		return conf_fail(error, section, "smtp", "%s", buf_z(&why));
	if (command && conf->command.value.p[0] != '/')
		return conf_fail(error, section, "command", "begins with the whole path of the program; no shell "
				 "looks for it");
	if (!smtp && (conf->user.value.p || conf->ca_file.value.p))
		return conf_fail(error, section, conf->user.value.p ? "user" : "ca-file", "is for smtp alone");
	if (!conf->user.value.p != !conf->password.value.p)
		return conf_fail(error, section, conf->user.value.p ? "user" : "password",
				 "the server takes a user and a password, or neither");
	return true;
}

static bool compile(struct snapshot *s, const struct mail_conf *conf, const struct conf_section *section,
		    struct conf_error *error)
{
	char memory[512];
	struct buf why = buf_over(memory, sizeof memory);
	struct str password = STR_NONE;
	if (!conf->from.value.p || !split_from(s, conf->from.value))
		return conf_fail(error, section, "from", "is an address, as auth@example.org, or Example "
				 "<auth@example.org>");
	if (!check_way(conf, section, error))
		return false;
	if (conf->password.value.p && !secret_load(s->arena, conf->password.value, &password, &why))
		return conf_fail(error, section, "password", "%s", buf_z(&why));
	struct str terminated = password.p ? arena_copy(s->arena, password) : STR_NONE;
	if (password.p && (!terminated.p || str_has_control(password)))
		return conf_fail(error, section, "password", "has control characters");
	s->mail.way = (struct mail_way){
		.smtp = conf->smtp.value.p,
		.command = conf->command.value.p,
		.user = conf->user.value.p,
		.password = terminated.p,
		.ca_file = conf->ca_file.value.p,
		.timeout_ms = conf->timeout,
	};
	s->mail.on = true;
	return true;
}

static const struct conf_section *section_of(const struct snapshot *s, const struct conf_kind *kind)
{
	const struct conf_section *section = s->conf->sections;
	while (section->kind != kind)
		section = section->next;
	return section;
}

/* "https://host[:port][/path]". */
static bool is_public_url(struct str url)
{
	size_t scheme = str_starts(url, STR("https://")) ? 8 : str_starts(url, STR("http://")) ? 7 : 0;
	size_t host = scheme ? str_find(str_skip(url, scheme), '/') : 0;
	struct str path = str_skip(url, scheme + host);
	if (!scheme || !login_origin_is_valid((struct str){url.p, scheme + host}))
		return false;
	for (size_t i = 0; i < path.n; i++)
		if (!is_alphanumeric(path.p[i]) && !strchr("/-._~", path.p[i]))
			return false;
	return path.n == 0 || path.p[path.n - 1] != '/';
}

static bool check_login(struct snapshot *s, struct conf_error *error)
{
	const struct login_conf *login = s->login;
	const struct conf_section *section = section_of(s, &login_kind);
	if (login->url.value.p && !is_public_url(login->url.value))
		return conf_fail(error, section, "url",
				 "is where people find auth-login-proxy, as https://example.org/auth, without a '/' "
				 "at its end");
	if (login->backend != LOGIN_LOCAL)
		return true;
	if (login->registration && login->verify_email && !s->mail.on)
		return conf_fail(error, section, "registration",
				 "addresses are confirmed by mail, which takes a section [mail]; with verify-email = "
				 "off anybody gets an account with any address");
	if (s->mail.on && !login->url.value.p)
		return conf_fail(error, section, "url",
				 "[mail] sends links, which take url = https://example.org/auth, where people find "
				 "auth-login-proxy");
	return true;
}

bool mail_options_check(struct snapshot *snapshot, struct conf_error *error)
{
	const struct conf_section *section = section_of(snapshot, &mail_kind);
	/* Without the section there is no mail. */
	bool good = section->line == 0 || compile(snapshot, section->values, section, error);
	return good && check_login(snapshot, error);
}
