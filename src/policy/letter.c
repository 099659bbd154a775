/* SPDX-License-Identifier: Apache-2.0 */
/* Writing mails. They say nothing that a stranger typed but a user name: who can have
 * mails sent to others' addresses would have them carry messages. */
#include "policy/letter.h"

#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/secret.h"
#include "policy/event.h"
#include "policy/mailer.h"
#include "policy/pages.h"

enum { LETTER_MAX = 12 << 10, BODY_MAX = 4 << 10, LINE_MAX = 76, WORD_MAX = 75, ID_BYTES = 16 };

static const struct {
	const char *name; /* for the log */
	const char *subject, *before, *after;
	const char *path; /* of the link; NULL: none */
} letters[LETTERS] = {
	[LETTER_CONFIRM] = {
		"confirm", N_("Confirm your e-mail address"),
		N_("Somebody, probably you, has made an account with this e-mail address. Please confirm with this "
		   "link that it is yours; the link is good for one day:"),
		N_("If it was not you, there is nothing to do: without the link nobody can use the account."),
		"/verify-email",
	},
	[LETTER_RESET] = {
		"reset", N_("Choose a new password"),
		N_("Somebody, probably you, has forgotten the password of the account with this e-mail address. "
		   "Choose a new one with this link, which is good for one hour:"),
		N_("If it was not you, there is nothing to do: your password stays as it is."),
		"/reset-password",
	},
	[LETTER_TAKEN] = {
		"taken", N_("You have an account already"),
		N_("Somebody, probably you, wanted to make an account with this e-mail address. There is one already. "
		   "If you have forgotten its password, choose a new one with this link, which is good for one hour:"),
		N_("If it was not you, there is nothing to do."),
		"/reset-password",
	},
	[LETTER_CHANGED] = {
		"changed", N_("Your password was changed"),
		N_("The password of your account was changed, and all its sessions have ended."),
		N_("If it was not you, choose a new password at once:"),
		"/forgot-password",
	},
};

/* Headers ---------------------------------------------------------------- */

static bool is_plain(struct str text)
{
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] < ' ' || text.p[i] > '~')
			return false;
	return true;
}

/* How many bytes the next character of UTF-8 has. */
static size_t character(struct str text)
{
	size_t n = 1;
	while (n < text.n && ((unsigned char)text.p[n] & 0xc0) == 0x80)
		n++;
	return n;
}

/* Encoded words (RFC 2047), none longer than 75 characters, no character split. */
static void add_encoded(struct buf *b, struct str text)
{
	size_t used = WORD_MAX;
	for (size_t i = 0; i < text.n;) {
		size_t n = character(str_skip(text, i));
		if (used + 3 * n + 2 > WORD_MAX) {
			buf_add(b, i ? STR("?=\r\n =?UTF-8?Q?") : STR("=?UTF-8?Q?"));
			used = 10;
		}
		for (size_t end = i + n; i < end; i++, used += 3)
			buf_printf(b, "=%02X", (unsigned)(unsigned char)text.p[i]);
	}
	buf_add(b, STR("?="));
}

static void add_text(struct buf *b, struct str text)
{
	if (is_plain(text))
		buf_add(b, text);
	else
		add_encoded(b, text);
}

static void add_from(struct buf *b, const struct mail_sender *sender)
{
	buf_add(b, STR("From: "));
	if (sender->name.n && is_plain(sender->name))
		buf_printf(b, "\"%.*s\" ", STR_ARGS(sender->name));
	else if (sender->name.n) {
		add_encoded(b, sender->name);
		buf_add(b, STR("\r\n "));
	}
	buf_printf(b, "<%s>\r\n", sender->address);
}

/* In English, whatever the locale. */
static void add_date(struct buf *b, int64_t now)
{
	static const char days[][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
	static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
					 "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	time_t seconds = (time_t)now;
	struct tm tm;
	if (gmtime_r(&seconds, &tm))
		buf_printf(b, "Date: %s, %02d %s %d %02d:%02d:%02d +0000\r\n", days[tm.tm_wday], tm.tm_mday,
			   months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

static void add_message_id(struct buf *b, const char *address)
{
	unsigned char bytes[ID_BYTES];
	random_bytes(bytes, sizeof bytes);
	buf_add(b, STR("Message-ID: <"));
	buf_hex(b, bytes, sizeof bytes);
	buf_printf(b, "%s>\r\n", address + str_find(str_of(address), '@'));
}

static void add_header(struct buf *b, enum letter letter, const struct letter_text *text, struct arena *arena)
{
	struct str subject = catalogue_text(text->catalogue, arena, str_of(letters[letter].subject));
	struct buf whole = arena_buf(arena, text->site.n + subject.n + 3);
	if (text->site.n) {
		buf_add(&whole, text->site);
		buf_add(&whole, STR(": "));
	}
	buf_add(&whole, subject);
	add_from(b, text->sender);
	buf_printf(b, "To: <%.*s>\r\nSubject: ", STR_ARGS(text->to));
	add_text(b, buf_str(&whole));
	buf_add(b, STR("\r\n"));
	add_date(b, text->now);
	add_message_id(b, text->sender->address);
	buf_printf(b, "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Language: %.*s\r\n",
		   STR_ARGS(text->catalogue->language));
	buf_add(b, STR("Content-Transfer-Encoding: quoted-printable\r\nAuto-Submitted: auto-generated\r\n"
		       "X-Auto-Response-Suppress: All\r\n\r\n"));
}

/* Body ------------------------------------------------------------------- */

/* Quoted-printable (RFC 2045 section 6.7). A '.' that begins a line is encoded as well,
 * for programs that take it for the end. */
static void add_quoted(struct buf *b, struct str text)
{
	size_t column = 0;
	for (size_t i = 0; i < text.n; i++) {
		unsigned char c = (unsigned char)text.p[i];
		if (c == '\n') {
			buf_add(b, STR("\r\n"));
			column = 0;
			continue;
		}
		bool last = i + 1 == text.n || text.p[i + 1] == '\n';
		bool plain = c > ' ' && c <= '~' && c != '=' && !(c == '.' && column == 0);
		plain = plain || (c == ' ' && !last);
		if (column + (plain ? 1 : 3) > LINE_MAX - 1) {
			buf_add(b, STR("=\r\n"));
			column = 0;
			plain = plain && c != '.';
		}
		if (plain)
			buf_char(b, (char)c);
		else
			buf_printf(b, "=%02X", (unsigned)c);
		column += plain ? 1 : 3;
	}
}

static void add_paragraph(struct buf *b, const struct letter_text *text, struct arena *arena, const char *english)
{
	buf_add(b, catalogue_text(text->catalogue, arena, str_of(english)));
	buf_add(b, STR("\n\n"));
}

static void add_link(struct buf *b, enum letter letter, const struct letter_text *text)
{
	buf_printf(b, "%.*s%s", STR_ARGS(text->url), letters[letter].path);
	if (text->token.n)
		buf_printf(b, "?token=%.*s", STR_ARGS(text->token));
	buf_add(b, STR("\n\n"));
}

static void add_body(struct buf *b, enum letter letter, const struct letter_text *text, struct arena *arena)
{
	struct buf body = arena_buf(arena, BODY_MAX);
	bool ahead = text->token.n > 0; /* the link is what it is about */
	add_paragraph(&body, text, arena, letters[letter].before);
	if (ahead)
		add_link(&body, letter, text);
	add_paragraph(&body, text, arena, letters[letter].after);
	if (!ahead)
		add_link(&body, letter, text);
	buf_printf(&body, "%.*s: %.*s\n", STR_ARGS(catalogue_text(text->catalogue, arena, STR("User name"))),
		   STR_ARGS(text->user));
	add_quoted(b, buf_str(&body));
	b->full |= body.full;
}

struct str letter_print(struct arena *arena, enum letter letter, const struct letter_text *text)
{
	struct buf b = arena_buf(arena, LETTER_MAX);
	/* Accounts that an administrator made may have addresses that only SMTPUTF8 can carry. */
	if (!is_plain(text->to) || str_find(text->to, '>') < text->to.n || str_find(text->to, ' ') < text->to.n)
		return STR_NONE;
	add_header(&b, letter, text, arena);
	add_body(&b, letter, text, arena);
	return b.full ? STR_NONE : buf_str(&b);
}

void letter_send(const struct call *call, enum letter letter, const struct account *account, struct str token)
{
	struct worker *worker = call->worker;
	const struct snapshot *snapshot = worker->snapshot;
	const struct letter_text text = {
		.sender = &snapshot->mail,
		.catalogue = page_language(worker, call->request),
		.site = snapshot->login->title.value,
		.url = snapshot->login->url.value,
		.to = account->email,
		.user = account->id,
		.token = token,
		.now = clock_now(),
	};
	struct str about = arena_printf(worker->arena, "%s %.*s", letters[letter].name, STR_ARGS(account->id));
	const char *to = arena_copy(worker->arena, account->email).p;
	struct mail mail = {snapshot->mail.address, to, letter_print(worker->arena, letter, &text)};
	if (mail.to && mail.text.p && about.p)
		mailer_put(worker->mailer, &snapshot->mail, &mail, about);
	else
		event_act("mail_lost", call->request, ERR_INTERNAL, account->id,
			  "the address has other characters than ASCII, or there is no memory");
}
