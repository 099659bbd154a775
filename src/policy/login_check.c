/* SPDX-License-Identifier: Apache-2.0 */
/* Is it the account's password? And renewing its hash once the password is known. */
#include "base/log.h"
#include "policy/login_routes.h"
#include "policy/password.h"

static enum err find_account(struct worker *worker, struct str user, struct account *out)
{
	struct accounts *accounts = worker_accounts(worker);
	bool plausible = user.n > 0 && user.n <= ACCOUNT_ID_MAX && !str_has_control(user);
	if (!accounts)
		return ERR_STORE;
	return plausible ? accounts_find(accounts, worker->arena, user, out) : ERR_NOT_FOUND;
}

/* The login does not depend on it: the next one tries again. */
static void renew_hash(struct worker *worker, struct str password, unsigned cost, struct account *account)
{
	struct str hash;
	/* What an imported bcrypt hash cut off behind its 72nd byte can't be set anew. */
	if (password_problem(password))
		return;
	enum err err = password_hash(worker->arena, password, cost, &hash) ? ERR_NONE : ERR_INTERNAL;
	if (err == ERR_NONE)
		err = accounts_renew_hash(worker_accounts(worker), account->id, account->password, hash);
	if (err == ERR_NONE)
		account->password = hash;
	else if (err != ERR_NOT_FOUND)
		log_text(LOG_WARNING, "accounts", "the hash of a password could not be renewed");
}

/* The same work whatever is wrong. */
static enum err verify(struct worker *worker, bool found, struct login_proof *proof)
{
	struct account *account = &proof->account;
	unsigned cost = (unsigned)worker->snapshot->login->password_cost;
	if (!found || account->password.n == 0) {
		password_verify_nobody(worker->arena, proof->password, cost);
		proof->why = found ? "the account has no password" : "no such account";
		return ERR_BAD_CREDENTIALS;
	}
	bool outdated = password_is_outdated(account->password, cost);
	bool right = password_verify(worker->arena, proof->password, account->password);
	bool good = right && !account->disabled;
	if (outdated && good)
		renew_hash(worker, proof->password, cost, account);
	else if (outdated) /* a cheap hash would be told from no account by the time it takes */
		password_verify_nobody(worker->arena, proof->password, cost);
	if (!good)
		proof->why = right ? "the account is disabled" : "wrong password";
	return good ? ERR_NONE : ERR_BAD_CREDENTIALS;
}

enum err login_check_password(const struct call *call, struct login_proof *proof)
{
	enum err err = find_account(call->worker, proof->user, &proof->account);
	if (err && err != ERR_NOT_FOUND)
		return err;
	bool found = err == ERR_NONE;
	struct str counted = found ? proof->account.id : proof->user;
	err = attempt_begin(call, proof->kind, counted, &proof->retry_after);
	if (err)
		return err;
	err = verify(call->worker, found, proof);
	attempt_end(call, proof->kind, counted, err == ERR_NONE);
	if (err == ERR_NONE && proof->account.pending) {
		proof->why = "the e-mail address is not confirmed";
		return ERR_USER_INACTIVE;
	}
	return err;
}
