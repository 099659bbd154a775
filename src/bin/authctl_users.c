/* SPDX-License-Identifier: Apache-2.0 */
/* `authctl users`: the commands that change one account. */
#include "bin/authctl_users.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/codec.h"
#include "base/secret.h"
#include "bin/authctl_output.h"
#include "policy/attempt.h"
#include "policy/password.h"
#include "policy/revocation.h"
#include "token/claims.h"

enum { GENERATED_BYTES = 18 };

const char *users_id_problem(struct str id)
{
	if (!claims_user_id_valid(id))
		return "an id is 1 to 255 bytes of UTF-8 without control bytes and without blanks at the ends";
	if (str_find(id, '/') < id.n || str_eq(id, STR(".")) || str_eq(id, STR("..")))
		return "an id has no '/' and is not \".\" or \"..\": it may stand in paths";
	return NULL;
}

int users_open(const struct arguments *arguments, struct tool *out)
{
	int status = tool_open(arguments, out);
	if (status)
		return status;
	if (tool_need_accounts(out))
		return EX_OK;
	tool_close(out);
	return EXIT_FAILED;
}

bool users_find(struct tool *tool, struct account *out)
{
	struct str id = str_of(tool->arguments->operands[0]);
	enum err err = accounts_find(tool->worker.accounts, tool->worker.arena, id, out);
	if (!err && str_eq(out->id, id))
		return true;
	if (!err)
		output_error("there is no account with this id; the one with this e-mail address has the id \"%.*s\"",
			     STR_ARGS(out->id));
	else if (err == ERR_NOT_FOUND)
		output_error("there is no account with this id (all: authctl users list)");
	else
		output_error("the accounts cannot be read: authctl check says more");
	return false;
}

/* Passwords -------------------------------------------------------------- */

static size_t count_characters(struct str s)
{
	size_t n = 0;
	for (size_t i = 0; i < s.n; i++)
		n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
	return n;
}

/* May a person have chosen it? false: an error has been printed. */
static bool check_password(const struct tool *tool, struct str password)
{
	uint64_t least = (uint64_t)tool->snapshot->login->password_min;
	const char *problem = password_problem(password);
	if (!str_is_utf8(password))
		problem = "The password is not UTF-8.";
	else if (str_has_control(password))
		problem = "The password has a control byte, which no form can send.";
	else if (!problem && tool->snapshot->breached && breached_find(tool->snapshot->breached, password))
		problem = "The password is in the list of [login] breached-passwords, or that cannot be read.";
	if (problem)
		output_error("%s", problem);
	else if (count_characters(password) < least)
		output_error("The password is too short: %llu characters at least.", (unsigned long long)least);
	return !problem && count_characters(password) >= least;
}

static struct str generate(struct arena *arena)
{
	unsigned char bytes[GENERATED_BYTES];
	struct buf text = arena_buf(arena, BASE64URL_ENCODED(GENERATED_BYTES));
	random_bytes(bytes, sizeof bytes);
	base64url_encode(&text, bytes, sizeof bytes);
	secret_wipe(bytes, sizeof bytes);
	return text.full ? STR_NONE : buf_str(&text);
}

bool users_password(struct tool *tool, struct str *hash, struct str *made)
{
	struct arena *arena = tool->worker.arena;
	bool generated = arguments_value(tool->arguments, OPTION_GENERATE) != NULL;
	struct str password = generated ? generate(arena) : STR_NONE;
	if (!generated && !input_password(arena, &password))
		return false;
	if (!generated && !check_password(tool, password))
		return false;
	if (!password_hash(arena, password, (unsigned)tool->snapshot->login->password_cost, hash)) {
		output_error("the password cannot be hashed: does crypt(3) of this system offer bcrypt?");
		return false;
	}
	*made = generated ? password : STR_NONE;
	return true;
}

/* Revoking --------------------------------------------------------------- */

bool users_revoke(struct tool *tool, struct str id, const char *note, size_t *revoked)
{
	const struct str *iss;
	size_t n;
	*revoked = 0;
	if (!tool_login_iss(tool, &iss, &n))
		return false;
	if (n > 0 && !tool->worker.store && !tool_need_store(tool))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (revocation_add_user(&tool->worker, iss[i], id, str_of(note))) {
			output_error("the tokens of \"%.*s\" could NOT be revoked and stay good until they expire; "
				     "authctl check says more, then give the command again",
				     STR_ARGS(id));
			return false;
		}
	}
	*revoked = n;
	return true;
}

/* An account that is closed: programs with its API keys are out as well. */
static bool revoke_all(struct tool *tool, struct str id, const char *note, size_t *revoked)
{
	if (!users_revoke(tool, id, note, revoked) || (!tool->worker.store && !tool_need_store(tool)))
		return false;
	enum err err = revocation_add_user(&tool->worker, STR(API_KEY_ISS), id, str_of(note));
	if (err == ERR_NONE || err == ERR_STORE_PARTIAL)
		return true;
	output_error("the API keys of \"%.*s\" could NOT be revoked and stay good; authctl check says more, then give "
		     "the command again",
		     STR_ARGS(id));
	return false;
}

void users_done(struct tool *tool, struct str id, const struct users_act *act)
{
	tool_log(tool, act->event, id);
	if (tool->arguments->json) {
		struct document document;
		document_begin(&document);
		document_text(&document, "user", id);
		document_text(&document, "act", str_of(act->word));
		if (act->revokes)
			document_bool(&document, "tokens_revoked", act->revoked > 0);
		if (act->made.p)
			document_text(&document, "password", act->made);
		document_end(&document);
		return;
	}
	fputs("user \"", stdout);
	output_text(id);
	printf("\" %s", act->word);
	if (act->revokes)
		fputs(act->revoked ? "; all tokens issued up to now are revoked"
				   : "; no issuer signs for local accounts, so there are no tokens to revoke",
		      stdout);
	putchar('\n');
	if (act->made.p)
		printf("password: %.*s\n", STR_ARGS(act->made));
}

/* Commands --------------------------------------------------------------- */

static struct str join_roles(const struct tool *tool)
{
	struct buf roles = arena_buf(tool->worker.arena, ACCOUNT_ROLES_MAX + 1);
	for (size_t i = 0; i < tool->arguments->n_given; i++) {
		if (tool->arguments->given[i].id != OPTION_ROLE)
			continue;
		if (roles.n)
			buf_char(&roles, ' ');
		buf_add(&roles, str_of(tool->arguments->given[i].value));
	}
	return roles.full ? STR_NONE : buf_str(&roles);
}

static bool is_text(const char *text, size_t most)
{
	struct str s = str_of(text);
	return !text || (s.n > 0 && s.n <= most && str_is_utf8(s) && !str_has_control(s));
}

/* Everything that can be wrong about the options, before a password is asked for. */
static int check_options(const struct tool *tool)
{
	const struct arguments *arguments = tool->arguments;
	const char *problem = users_id_problem(str_of(arguments->operands[0]));
	const char *email = arguments_value(arguments, OPTION_EMAIL);
	struct str address = str_of(email), domain = str_skip(address, str_find(address, '@'));
	if (problem)
		return arguments_wrong(arguments, "%s", problem);
	if (!is_text(email, ACCOUNT_EMAIL_MAX) ||
	    (email && (domain.n < 2 || domain.n == address.n || str_find(str_skip(domain, 1), '@') < domain.n - 1)))
		return arguments_wrong(arguments, "--email is one address, as alice@example.org");
	if (!is_text(arguments_value(arguments, OPTION_NAME), ACCOUNT_NAME_MAX))
		return arguments_wrong(arguments, "--name is 1 to %d bytes of UTF-8", ACCOUNT_NAME_MAX);
	for (size_t i = 0; i < arguments->n_given; i++) {
		struct str role = str_of(arguments->given[i].value);
		if (arguments->given[i].id == OPTION_ROLE &&
		    (!is_text(role.p, ACCOUNT_ROLES_MAX) || str_find(role, ' ') < role.n))
			return arguments_wrong(arguments, "--role is one word; give the option once for each role");
	}
	if (arguments_value(arguments, OPTION_VERIFIED) && !email)
		return arguments_wrong(arguments, "--verified is about an address: give --email, too");
	if (!join_roles(tool).p)
		return arguments_wrong(arguments, "the roles have more than %d bytes", ACCOUNT_ROLES_MAX);
	return EX_OK;
}

static struct str text_or_empty(const char *text)
{
	return text ? str_of(text) : STR("");
}

static int add(struct tool *tool)
{
	const struct arguments *arguments = tool->arguments;
	struct account account = {.id = str_of(arguments->operands[0]), .created = clock_now()}, other;
	struct users_act act = {.event = "user_add", .word = "added"};
	int status = check_options(tool);
	if (status)
		return status;
	if (accounts_find(tool->worker.accounts, tool->worker.arena, account.id, &other) == ERR_NONE) {
		output_error(
			"there is an account with this id or e-mail address already: authctl users show, users passwd");
		return EXIT_FAILED;
	}
	if (!users_password(tool, &account.password, &act.made))
		return EXIT_FAILED;
	account.email = text_or_empty(arguments_value(arguments, OPTION_EMAIL));
	account.name = text_or_empty(arguments_value(arguments, OPTION_NAME));
	account.roles = join_roles(tool);
	account.changed = account.created;
	account.verified = arguments_value(arguments, OPTION_VERIFIED) ? account.created : 0;
	enum err err = accounts_add(tool->worker.accounts, &account);
	if (err) {
		output_error(err == ERR_BAD_REQUEST ? "another account has this id or e-mail address"
						    : "the account cannot be written: authctl check says more");
		return EXIT_FAILED;
	}
	users_done(tool, account.id, &act);
	return EX_OK;
}

static bool change(struct tool *tool, struct account *account)
{
	account->changed = clock_now();
	if (accounts_change(tool->worker.accounts, account) == ERR_NONE)
		return true;
	output_error("the account cannot be written: authctl check says more");
	return false;
}

/* First the account, so that no login gets a token after the mark, then the mark. */
static int passwd(struct tool *tool)
{
	struct account account;
	struct users_act act = {.event = "user_passwd", .word = "has a new password", .revokes = true};
	if (!users_find(tool, &account) || !users_password(tool, &account.password, &act.made) ||
	    !change(tool, &account) || !users_revoke(tool, account.id, "users passwd", &act.revoked))
		return EXIT_FAILED;
	users_done(tool, account.id, &act);
	return EX_OK;
}

static int disable(struct tool *tool)
{
	struct account account;
	struct users_act act = {.event = "user_disable", .word = "disabled", .revokes = true};
	if (!users_find(tool, &account))
		return EXIT_FAILED;
	account.disabled = true;
	if (!change(tool, &account) || !revoke_all(tool, account.id, "users disable", &act.revoked))
		return EXIT_FAILED;
	users_done(tool, account.id, &act);
	return EX_OK;
}

/* By hand what the link in a mail does. */
static int confirm(struct tool *tool)
{
	struct account account;
	struct users_act act = {.event = "user_confirm", .word = "confirmed"};
	if (!users_find(tool, &account))
		return EXIT_FAILED;
	if (account.email.n == 0) {
		output_error("the account has no e-mail address");
		return EXIT_FAILED;
	}
	account.pending = false;
	account.verified = clock_now();
	if (!change(tool, &account))
		return EXIT_FAILED;
	users_done(tool, account.id, &act);
	return EX_OK;
}

static int enable(struct tool *tool)
{
	struct account account;
	struct users_act act = {.event = "user_enable", .word = "enabled"};
	if (!users_find(tool, &account))
		return EXIT_FAILED;
	account.disabled = false;
	if (!change(tool, &account))
		return EXIT_FAILED;
	users_done(tool, account.id, &act);
	return EX_OK;
}

static int unlock(struct tool *tool)
{
	struct account account;
	struct users_act act = {.event = "user_unlock", .word = "unlocked"};
	if (!users_find(tool, &account) || !tool_need_store(tool))
		return EXIT_FAILED;
	enum err err = attempt_unlock(&tool->worker, account.id);
	if (err == ERR_STORE_PARTIAL)
		output_error("it is unlocked on this host, but the others cannot be told: give the command again "
			     "there, or when authctl check finds the servers of memcached well");
	else if (err)
		output_error("the attempts to sign in cannot be counted: authctl check says more");
	if (err)
		return EXIT_FAILED;
	users_done(tool, account.id, &act);
	return EX_OK;
}

/* Disabled first: when the revocation fails the account is still there, and the
 * command can be given again. */
static int remove_account(struct tool *tool)
{
	struct account account;
	struct users_act act = {.event = "user_remove", .word = "removed", .revokes = true};
	if (!users_find(tool, &account))
		return EXIT_FAILED;
	account.disabled = true;
	if (!change(tool, &account) || !revoke_all(tool, account.id, "users remove", &act.revoked))
		return EXIT_FAILED;
	if (accounts_remove(tool->worker.accounts, account.id)) {
		output_error("the account is disabled but cannot be removed: authctl check says more");
		return EXIT_FAILED;
	}
	users_done(tool, account.id, &act);
	return EX_OK;
}

static int show(struct tool *tool)
{
	struct account account;
	if (!users_find(tool, &account))
		return EXIT_FAILED;
	users_print(tool, &account);
	return EX_OK;
}

static int run(const struct arguments *arguments, int (*command)(struct tool *tool))
{
	struct tool tool;
	int status = users_open(arguments, &tool);
	if (status)
		return status;
	status = command(&tool);
	tool_close(&tool);
	return status;
}

int authctl_users_add(const struct arguments *arguments)
{
	return run(arguments, add);
}

int authctl_users_passwd(const struct arguments *arguments)
{
	return run(arguments, passwd);
}

int authctl_users_disable(const struct arguments *arguments)
{
	return run(arguments, disable);
}

int authctl_users_confirm(const struct arguments *arguments)
{
	return run(arguments, confirm);
}

int authctl_users_unlock(const struct arguments *arguments)
{
	return run(arguments, unlock);
}

int authctl_users_enable(const struct arguments *arguments)
{
	return run(arguments, enable);
}

int authctl_users_remove(const struct arguments *arguments)
{
	return run(arguments, remove_account);
}

int authctl_users_show(const struct arguments *arguments)
{
	return run(arguments, show);
}
