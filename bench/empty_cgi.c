/* SPDX-License-Identifier: Apache-2.0 */
/* What starting any C program as CGI costs: it says yes and ends. */
#include <stdio.h>

int main(void)
{
	return fputs("Status: 200 OK\r\nVariable-REMOTE_USER: alice\r\n\r\n", stdout) < 0;
}
