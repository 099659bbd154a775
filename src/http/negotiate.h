/* SPDX-License-Identifier: Apache-2.0 */
/* Is a person's browser asking for a page, or a program for data? */
#ifndef HTTP_NEGOTIATE_H
#define HTTP_NEGOTIATE_H

#include "http/request.h"

/* GET or HEAD with Sec-Fetch-Mode: navigate; without any Sec-Fetch header, an
 * Accept that names text/html and no X-Requested-With. */
bool negotiate_navigation(const struct request *request);
/* A person's browser that sends a form of this very site, to be shown what comes of
 * it in the whole window? */
bool negotiate_form(const struct request *request);
/* Does the client want HTML rather than JSON (for answers to a form post)? */
bool negotiate_html(const struct request *request);
/* Is the header Origin that of the request itself: "https://host[:port]"? */
bool negotiate_own_origin(const struct request *request);
/* Sent by a page of this very site (Sec-Fetch-Site and Origin)? A request
 * without either header is not from a browser's page and counts as no. */
bool negotiate_same_origin(const struct request *request);

/* Which of the n languages offered the reader likes best, by Accept-Language (RFC
 * 9110 section 12.5.4): "de-AT" takes "de" too. The first where it names none. */
size_t negotiate_language(struct str accept, const struct str *offered, size_t n);

#endif
