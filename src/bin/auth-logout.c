/* SPDX-License-Identifier: Apache-2.0 */
/* auth-logout: ends a session and revokes its token, a FastCGI responder. */
#include "bin/program.h"
#include "policy/logout.h"

static bool open_adapter(struct runtime *runtime, struct adapter **out)
{
	return adapter_responder_open(runtime, logout_handle, out);
}

int main(int argc, char **argv)
{
	static const struct program program = {
		.name = "auth-logout",
		.summary = "Log out: revoke the token and clear the cookies; a FastCGI responder.",
		.reads_body = true,
		.max_body = 65536,
		.adapter_open = open_adapter,
	};
	return program_main(&program, argc, argv);
}
