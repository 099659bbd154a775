# SPDX-License-Identifier: Apache-2.0
"""The table of requests and what must come of them, the same for every way in.

{name} in a header or target stands for a token of TOKENS. A case that names a
reason expects the whole answer that goes with it; `status` alone is for what
the web server may refuse by itself.
"""

import functools
from dataclasses import dataclass

import tokens
from tokens import mint

#: Of the site that is asked; a way in puts its address in the place of {origin}.
FORM = ["Sec-Fetch-Mode: navigate", "Sec-Fetch-Site: same-origin", "Sec-Fetch-Dest: document", "Accept: text/html",
        "Origin: {origin}", "Content-Type: application/x-www-form-urlencoded"]
NAVIGATION = ["Sec-Fetch-Mode: navigate", "Sec-Fetch-Site: none", "Sec-Fetch-Dest: document", "Accept: text/html"]
REFUSED = (400, 401, 403, 404)  # whoever refuses, the page is not shown

#: reason: (status, error of RFC 6750, detail)
REASONS = {
    "no_token": (401, None, "Authentication required"),
    "token_expired": (401, "invalid_token", "Token has expired"),
    "token_revoked": (401, "invalid_token", "Token has been invalidated"),
    "user_mismatch": (403, "insufficient_scope", "User ID mismatch"),
    "rule_failed": (403, "insufficient_scope", "Not allowed"),
    "no_policy": (403, None, "Not allowed"),
    "bad_request": (400, "invalid_request", "Bad request"),
    "store_unavailable": (503, None, "Temporarily unavailable"),
} | {reason: (401, "invalid_token", "Invalid token") for reason in (
    "token_malformed", "bad_signature", "bad_algorithm", "unknown_key", "bad_issuer", "bad_audience", "bad_claim",
    "not_yet_valid", "ambiguous_token")}


@dataclass(frozen=True)
class Case:
    name: str
    headers: tuple = ()
    target: str = "/app/app.cgi"
    method: str = "GET"
    body: bytes | None = None
    chunked: bool = False
    #: allowed as this user
    user: str | None = None
    #: a further variable that the application must see; None for one that it must not
    variables: tuple = ()
    #: one of these reasons
    reason: tuple = ()
    #: sent to the login page
    redirect: bool = False
    #: sent to where a posted form waits for the login
    resume: bool = False
    #: status 403 with a page for people that says which account is signed in
    page_for: str | None = None
    #: any of these statuses
    status: tuple = ()


def allowed(name, *headers, user="alice", variables=(), **more):
    return Case(name, headers, user=user, variables=tuple(variables), **more)


def denied(name, reason, *headers, **more):
    return Case(name, headers, reason=(reason,) if isinstance(reason, str) else reason, **more)


def redirected(name, *headers, **more):
    return Case(name, headers, redirect=True, **more)


def waits(name, *headers, **more):
    return Case(name, headers, resume=True, method="POST", body=b"a=b", **more)


def shown_a_page(name, *headers, user="alice", **more):
    return Case(name, headers, page_for=user, **more)


def refused(name, *headers, status=REFUSED, **more):
    return Case(name, headers, status=status, **more)


def bearer(token):
    return f"Authorization: Bearer {{{token}}}"


def cookie(token):
    return f"Cookie: auth={{{token}}}"


# --- tokens -----------------------------------------------------------------

TOKENS = {
    "alice": mint,
    "alice_again": lambda: mint("alice"),
    "bob": lambda: mint("bob"),
    "root": lambda: mint("root", roles=["staff", "admin"]),
    "expired": lambda: mint(lifetime=-3600),
    "future": lambda: mint(nbf=4102444800),
    "no_exp": lambda: mint(drop=["exp"]),
    "exp_text": lambda: mint_raw('"sub":"alice","exp":"9999999999"'),
    "exp_true": lambda: mint_raw('"sub":"alice","exp":true'),
    "exp_twice": lambda: mint_raw('"sub":"alice","exp":1,"exp":9999999999'),
    "nul_in_name": lambda: mint_raw('"sub":"alice","exp\\u0000x":9999999999'),
    "no_user": lambda: mint(drop=["sub"]),
    "user_number": lambda: mint_raw('"user_id":42,"exp":9999999999'),
    "user_line": lambda: mint_raw('"sub":"alice\\r\\nSet-Cookie: a=b","exp":9999999999'),
    "array": lambda: tokens.sign({"alg": "HS256"}, b'["alice"]', tokens.SECRET),
    "other_key": lambda: mint(key=tokens.OTHER_SECRET),
    "tampered": lambda: tokens.tampered(mint()),
    "cut": lambda: tokens.sensitive(mint()[:-4]),
    "none": tokens.unsigned,
    "hs512": lambda: mint(algorithm="HS512"),
    "empty_key": lambda: tokens.sign({"alg": "HS256"}, b'{"sub":"alice","exp":9999999999}', ""),
    "critical": lambda: mint(header={"crit": ["x"], "x": 1}),
    "kid_path": lambda: mint(header={"kid": "../../../../dev/null"}, key=""),
    "kid_escape": lambda: mint(header={"kid": "k\x1b[31m\nevent=allow client=1.2.3.4 \u009b\""},
                               key=tokens.OTHER_SECRET),
    "user_escape": lambda: mint("mallory\x1b[2J\u009b"),
    "wrong_iss": lambda: mint(iss="https://sso.example.evil"),
    "iss_prefix": lambda: mint(iss="https://sso"),
    "wrong_aud": lambda: mint(aud="other"),
    "no_aud": lambda: mint(drop=["aud"]),
    "some_aud": lambda: mint(aud=["other", tokens.AUDIENCE]),
    "email_lines": lambda: mint(email="x\r\nSet-Cookie: a=b"),
    "email_lf": lambda: mint(email="x\nStatus: 403"),
    "email_del": lambda: mint(email="x\x7fy"),
    "email_utf8": lambda: mint(email="jürgen@example.org"),
    "email_long": lambda: mint(email="e" * 5000),
    "big": lambda: mint(padding="p" * 5000),
}


def mint_raw(members):
    """Members as JSON text that no library would write."""
    payload = f'{{"iss":"{tokens.ISSUER}","aud":"{tokens.AUDIENCE}",{members}}}'
    return tokens.sign({"alg": "HS256", "typ": "JWT"}, payload.encode(), tokens.SECRET)


@functools.cache
def token(name):
    return TOKENS[name]()


# --- the table ----------------------------------------------------------------

UNAUTHENTICATED = [
    denied("curl", "no_token", "Accept: */*", "User-Agent: curl/7.88.1"),
    denied("program-without-accept", "no_token"),
    redirected("browser", *NAVIGATION),
    redirected("browser-head", *NAVIGATION, method="HEAD"),
    redirected("old-browser", "Accept: text/html,application/xhtml+xml,*/*;q=0.8"),
    redirected("query-kept", *NAVIGATION, target="/app/app.cgi?a=1&b=%26%20x&rd=/evil"),
    redirected("path-kept", *NAVIGATION, target="/app/page%20one.txt"),
    denied("xhr", "no_token", "Accept: text/html", "X-Requested-With: XMLHttpRequest"),
    denied("fetch", "no_token", "Sec-Fetch-Mode: cors", "Sec-Fetch-Site: same-origin", "Accept: text/html"),
    denied("image", "no_token", "Sec-Fetch-Mode: no-cors", "Sec-Fetch-Dest: image", "Accept: text/html"),
    denied("post-of-a-browser", "no_token", *NAVIGATION, method="POST", body=b"a=b"),
    waits("form", *FORM, target="/app/app.cgi?a=1&b=%26%20x"),
    waits("form-with-files", *FORM[:-1], "Content-Type: multipart/form-data; boundary=x"),
    waits("form-as-text", *FORM[:-1], "Content-Type: Text/Plain; charset=utf-8", target="/app/page%20one.txt"),
    waits("form-of-an-old-browser", "Accept: text/html", *FORM[-2:]),
    denied("form-of-another-site", "no_token", *FORM[:1], "Sec-Fetch-Site: cross-site", "Accept: text/html",
           "Origin: https://evil.example", FORM[-1], method="POST", body=b"a=b"),
    denied("form-of-a-sibling", "no_token", *FORM[:1], "Sec-Fetch-Site: same-site", *FORM[2:], method="POST",
           body=b"a=b"),
    denied("form-of-a-sandbox", "no_token", *FORM[:4], "Origin: null", FORM[-1], method="POST", body=b"a=b"),
    denied("form-of-nobody", "no_token", "Accept: text/html", FORM[-1], method="POST", body=b"a=b"),
    denied("form-in-a-frame", "no_token", *FORM[:2], "Sec-Fetch-Dest: iframe", *FORM[3:], method="POST", body=b"a=b"),
    denied("form-by-fetch", "no_token", "Sec-Fetch-Mode: cors", *FORM[1:], method="POST", body=b"a=b"),
    denied("form-by-ajax", "no_token", "Accept: text/html", "X-Requested-With: XMLHttpRequest", *FORM[-2:],
           method="POST", body=b"a=b"),
    denied("form-of-json", "no_token", *FORM[:-1], "Content-Type: application/json", method="POST", body=b"{}"),
    denied("form-put", "no_token", *FORM, method="PUT", body=b"a=b"),
    denied("form-under-a-policy-of-401", "no_token", *FORM, target="/admin/app.cgi", method="POST", body=b"a=b"),
    denied("policy-of-401", "no_token", *NAVIGATION, target="/admin/app.cgi"),
    denied("static-file", "no_token", target="/app/page.txt"),
    denied("H4-health-check", "no_token", "User-Agent: kube-probe/1.29", target="/app/app.cgi"),
    denied("H4-google", "no_token", "User-Agent: GoogleHC/1.0"),
    denied("H15-options", "no_token", "Access-Control-Request-Method: GET", method="OPTIONS"),
    denied("H15-head", "no_token", method="HEAD"),
    denied("H15-put", "no_token", method="PUT", body=b"x"),
    denied("H15-delete", "no_token", method="DELETE"),
    denied("H15-propfind", "no_token", method="PROPFIND"),
    denied("H15-post-without-type", "no_token", method="POST", body=b"x" * 1000),
    denied("H15-post-chunked", "no_token", method="POST", body=b"x" * 1000, chunked=True),
    denied("H15-post-1mb", "no_token", method="POST", body=b"x" * 1048576),
    refused("H15-trace", method="TRACE", status=(401, 405, 501)),
]

TOKEN_CHECKS = [
    allowed("bearer", bearer("alice"), variables=[("AUTH_EMAIL", "alice@example.org")]),
    allowed("cookie", cookie("alice"), variables=[("AUTH_EMAIL", "alice@example.org")]),
    allowed("cookie-among-others", "Cookie: a=b; auth={alice}; c=d"),
    allowed("post", bearer("alice"), method="POST", body=b"a=b"),
    allowed("head", bearer("alice"), method="HEAD"),
    allowed("user-id-number", bearer("user_number"), user="42"),
    allowed("long-token", bearer("big")),
    denied("expired", "token_expired", bearer("expired")),
    denied("expired-cookie", "token_expired", cookie("expired")),
    redirected("expired-browser", cookie("expired"), *NAVIGATION),
    waits("expired-form", cookie("expired"), *FORM),
    denied("not-yet-valid", "not_yet_valid", bearer("future")),
    denied("J4-no-exp", "bad_claim", bearer("no_exp")),
    denied("J3-exp-text", ("bad_claim", "token_malformed"), bearer("exp_text")),
    denied("J3-exp-true", ("bad_claim", "token_malformed"), bearer("exp_true")),
    denied("J1-exp-twice", "token_malformed", bearer("exp_twice")),
    denied("J2-nul-in-name", "token_malformed", bearer("nul_in_name")),
    denied("J8-array", "token_malformed", bearer("array")),
    denied("no-user", "bad_claim", bearer("no_user")),
    denied("H17-user-with-line-end", "bad_claim", bearer("user_line")),
    denied("other-key", "bad_signature", bearer("other_key")),
    denied("tampered", "bad_signature", bearer("tampered")),
    denied("cut-signature", ("bad_signature", "token_malformed"), bearer("cut")),
    denied("A1-none", "bad_algorithm", bearer("none")),
    denied("algorithm-not-configured", "bad_algorithm", bearer("hs512")),
    denied("A4-empty-key", "bad_signature", bearer("empty_key")),
    denied("A12-crit", ("bad_claim", "token_malformed"), bearer("critical")),
    denied("A15-kid-path", ("bad_signature", "unknown_key"), bearer("kid_path")),
    denied("H18-kid-of-control-bytes", ("bad_signature", "unknown_key"), bearer("kid_escape")),
    denied("H18-user-of-control-bytes", "bad_claim", bearer("user_escape")),
    denied("J5-wrong-issuer", "bad_issuer", bearer("wrong_iss")),
    denied("J5-wrong-audience", "bad_audience", bearer("wrong_aud")),
    denied("J5-no-audience", "bad_audience", bearer("no_aud")),
    allowed("one-of-its-audiences", bearer("some_aud")),
    denied("J6-issuer-prefix", "bad_issuer", bearer("iss_prefix")),
    denied("not-a-token", "token_malformed", "Authorization: Bearer hello"),
    denied("A19-dots", "token_malformed", "Authorization: Bearer " + "." * 6000),
    denied("five-parts", "token_malformed", "Authorization: Bearer a.b.c.d.e"),
    denied("two-dots", "token_malformed", "Authorization: Bearer .."),
]

CREDENTIALS = [
    denied("H8-authorization-twice", ("ambiguous_token", "token_malformed", "bad_request"),
           bearer("alice"), bearer("bob")),
    denied("H8-good-then-bad", ("ambiguous_token", "token_malformed", "bad_request"),
           bearer("alice"), "Authorization: Bearer x"),
    denied("H8-bad-header-good-cookie", "token_malformed", "Authorization: Bearer x", cookie("alice")),
    allowed("H8-header-before-cookie", bearer("alice"), cookie("bob")),
    denied("H8-expired-header-good-cookie", "token_expired", bearer("expired"), cookie("alice")),
    allowed("H9-lower-case", "Authorization: bearer {alice}"),
    allowed("H9-upper-case", "Authorization: BEARER {alice}"),
    refused("H9-two-blanks", "Authorization: Bearer  {alice}", status=(401,)),
    refused("H9-tab", "Authorization: Bearer\t{alice}", status=(400, 401)),
    refused("H9-no-blank", "Authorization: Bearer{alice}", status=(401,)),
    refused("H9-bearerx", "Authorization: BearerX {alice}", status=(401,)),
    refused("H9-basic", "Authorization: Basic {alice}", status=(401,)),
    refused("H9-comma", "Authorization: Bearer {alice},", status=(401,)),
    refused("H9-quotes", 'Authorization: Bearer "{alice}"', status=(401,)),
    refused("H9-empty", "Authorization: Bearer", status=(401,)),
    refused("H9-token-alone", "Authorization: {alice}", status=(401,)),
    refused("H9-parameters", "Authorization: Bearer token={alice}", status=(401,)),
    denied("H14-semicolons", "no_token", "Cookie: ;;;"),
    denied("H14-equal", "no_token", "Cookie: ="),
    denied("H14-name-alone", "no_token", "Cookie: auth"),
    denied("H14-other-name", "no_token", "Cookie: xauth={alice}; auth2={alice}; AUTH={alice}"),
    denied("H14-many", "no_token", "Cookie: " + "; ".join(f"c{i}=v" for i in range(500))),
    denied("H14-chunk-names", "no_token", "Cookie: auth.={alice}; auth.-1=x; auth.00={alice}; auth.1e9=x; auth-x=y"),
    denied("H14-chunk-count", "token_malformed", "Cookie: auth.0={alice}; auth.999999999=x"),
    denied("H14-chunk-missing", "token_malformed", "Cookie: auth.1={alice}"),
    denied("H14-chunk-twice", "ambiguous_token", "Cookie: auth.0={alice}; auth.0={bob}"),
    denied("H14-chunks-many", "token_malformed", "Cookie: " + "; ".join(f"auth.{i}=x" for i in range(500))),
    allowed("H14-one-chunk", "Cookie: auth.0={alice}; auth.x=y; auth-x=y"),
    refused("H14-empty-value", "Cookie: auth=", status=(401,)),
    refused("H14-wrong-value", "Cookie: auth=%00", status=(401,)),
    denied("L5-tossed", "ambiguous_token", "Cookie: auth={alice}; auth={bob}"),
    denied("L5-tossed-good-last", "ambiguous_token", "Cookie: auth=x; auth={alice}"),
    denied("L5-tossed-two-headers", "ambiguous_token", "Cookie: auth={alice}", "Cookie: auth={bob}"),
    allowed("H6-proxy-header", bearer("alice"), "Proxy: http://127.0.0.1:1", variables=[("HTTP_PROXY", None)]),
    refused("token-in-query", target="/app/app.cgi?token={alice}&access_token={alice}", status=(401,)),
    allowed("H16-odd-query", bearer("alice"), target="/app/app.cgi?&"),
    allowed("H16-equals-query", bearer("alice"), target="/app/app.cgi?=&rd&rd=&rd=x"),
    allowed("H17-lines-in-claim", bearer("email_lines"), variables=[("AUTH_EMAIL", None)]),
    allowed("H17-lf-in-claim", bearer("email_lf"), variables=[("AUTH_EMAIL", None)]),
    allowed("H17-del-in-claim", bearer("email_del"), variables=[("AUTH_EMAIL", None)]),
    allowed("H17-utf8-in-claim", bearer("email_utf8"), variables=[("AUTH_EMAIL", "jürgen@example.org")]),
    allowed("H17-long-claim", bearer("email_long"), variables=[("AUTH_EMAIL", None)]),
]

ROUTES = [
    allowed("own-folder", bearer("alice"), target="/users/alice/app.cgi"),
    denied("others-folder", "user_mismatch", bearer("alice"), target="/users/bob/app.cgi"),
    denied("others-folder-cookie", "user_mismatch", cookie("alice"), target="/users/bob/app.cgi"),
    denied("others-folder-encoded", "user_mismatch", bearer("alice"), target="/users/%62ob/app.cgi"),
    refused("others-folder-through-own", bearer("alice"), target="/users/alice/../bob/app.cgi"),
    refused("others-folder-slash", bearer("alice"), target="/users//bob/app.cgi"),
    refused("others-folder-encoded-slash", bearer("alice"), target="/users%2fbob/app.cgi"),
    refused("others-folder-encoded-dots", bearer("alice"), target="/users/alice/%2e%2e/bob/app.cgi"),
    shown_a_page("others-folder-person", *NAVIGATION, cookie("alice"), target="/users/bob/app.cgi"),
    denied("admin-without-role", "rule_failed", bearer("alice"), target="/admin/app.cgi"),
    allowed("admin-with-role", bearer("root"), target="/admin/app.cgi", user="root"),
    denied("H5-host", "rule_failed", bearer("alice"), "Host: intern.example"),
    denied("H5-host-case", "rule_failed", bearer("alice"), "Host: INTERN.Example"),
    denied("H5-host-dot", "rule_failed", bearer("alice"), "Host: intern.example."),
    denied("H5-host-port", "rule_failed", bearer("alice"), "Host: intern.example:80"),
    denied("H3-forwarded-host", "rule_failed", bearer("alice"), "Host: intern.example",
           "X-Forwarded-Host: 127.0.0.1"),
    denied("H3-forwarded-uri", "rule_failed", bearer("alice"), "X-Forwarded-Uri: /app/app.cgi",
           "X-Original-URI: /app/app.cgi", "X-Original-URL: /app/app.cgi", "X-Rewrite-URL: /app/app.cgi",
           target="/admin/app.cgi"),
    denied("policy-from-client", "rule_failed", bearer("alice"), "Auth-Policy: site", "AUTH_POLICY: site",
           "X-Auth-Policy: site", target="/admin/app.cgi"),
] + [
    refused("H5-" + target, bearer("alice"), target=target) for target in (
        "//admin/app.cgi", "/./admin/app.cgi", "/app/../admin/app.cgi", "/%61dmin/app.cgi", "/app/%2e%2e/admin/app.cgi",
        "/app/.%2e/admin/app.cgi", "/app/%2e%2e%2fadmin/app.cgi", "/app/..%2fadmin/app.cgi", "/admin%2fapp.cgi",
        "/admin/./app.cgi", "/admin//app.cgi", "/app/..;/admin/app.cgi", "/app/;/../../admin/app.cgi",
        "/app/..%5cadmin/app.cgi", "/app\\..\\admin/app.cgi", "/%2561dmin/app.cgi", "/app/%252e%252e/admin/app.cgi",
        "/%c0%ae%c0%ae/admin/app.cgi", "/admin/app.cgi#/app/app.cgi", "/app/app.cgi/../../admin/app.cgi",
        "http://127.0.0.1/admin/app.cgi", "/admin/app.cgi?x=/../app", "/admin/app.cgi%00.txt",
        "/app/.;/../admin/app.cgi", "/admin;x/app.cgi", "/admin;/app.cgi", "/users/bob;x/app.cgi",
        "/public/../admin/app.cgi", "/public/%2e%2e/admin/app.cgi", "/public/..%2fadmin/app.cgi",
        "/auth/../admin/app.cgi", "/auth/%2e%2e/admin/app.cgi", "/auth/..%2fadmin/app.cgi")
]

#: What a client may try to be taken for somebody else: none of it may reach the application.
FORGED_NAMES = (
    "AUTH-USER-ID", "Auth_User_Id", "Auth.User.Id", "aUtH_uSeR-iD", "X-Auth-User", "X_Auth_User", "X.Auth.User",
    "x_aUtH_uSeR", "X-Auth-User-Id", "X_Auth_User_Id", "X-Auth-Email", "X_Auth_Email", "X.Auth.Email",
    "Variable-AUTH_USER_ID", "Variable-REMOTE_USER", "Variable_REMOTE_USER", "X-User", "X_User", "X.User", "x_uSeR",
    "Remote-User", "REMOTE_USER", "Remote.User", "X-Remote-User", "X_Remote_User", "X-Forwarded-User",
    "X_Forwarded_User", "X.Forwarded.User", "X-Forwarded-Email", "X-User-Id", "X_Email", "X-Authenticated-User",
    "Auth!User!Id", "X~Auth~User", "AUTH_EMAIL", "AUTH_EXPIRES")
FORGED = tuple(f"{name}: mallory" for name in FORGED_NAMES)

SPOOFING = [
    allowed("H1-all-with-token", bearer("alice"), *FORGED, variables=[("AUTH_EMAIL", "alice@example.org")]),
    denied("H1-all-without-token", "no_token", *FORGED),
    redirected("H1-all-browser", *NAVIGATION, *FORGED),
    denied("H1-all-others-folder", "user_mismatch", bearer("alice"), *FORGED, target="/users/bob/app.cgi"),
] + [
    allowed("H1-" + line.split(":")[0], bearer("alice"), line, variables=[("AUTH_EMAIL", "alice@example.org")])
    for line in FORGED
]

#: What a browser sends to open a WebSocket.
HANDSHAKE = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
             "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")
LISTED, FOREIGN = "Origin: https://app.example", "Origin: https://evil.example"

WEBSOCKET = [
    denied("ws-no-token", "no_token", *HANDSHAKE),
    denied("ws-no-redirect", "no_token", *HANDSHAKE, "Accept: text/html"),
    denied("ws-no-redirect-browser", "no_token", *HANDSHAKE, "Sec-Fetch-Mode: websocket", "Accept: text/html"),
    denied("ws-cookie-foreign-origin", "rule_failed", *HANDSHAKE, FOREIGN, cookie("alice")),
    denied("ws-cookie-null-origin", "rule_failed", *HANDSHAKE, "Origin: null", cookie("alice")),
    denied("ws-cookie-no-origin", "rule_failed", *HANDSHAKE, cookie("alice")),
    denied("ws-cookie-key-alone", "rule_failed", HANDSHAKE[3], FOREIGN, cookie("alice")),
    allowed("ws-cookie-listed-origin", *HANDSHAKE, LISTED, cookie("alice")),
    allowed("ws-bearer-foreign-origin", *HANDSHAKE, FOREIGN, bearer("alice")),
    denied("ws-protocol-carries-none-here", "no_token", *HANDSHAKE, "Sec-WebSocket-Protocol: a, bearer.{alice}"),
    allowed("no-ws-cookie-foreign-origin", FOREIGN, cookie("alice")),
]

CORS = [
    refused("cors-preflight", LISTED, "Access-Control-Request-Method: PUT", method="OPTIONS", status=(204,)),
    denied("cors-preflight-foreign", "no_token", FOREIGN, "Access-Control-Request-Method: PUT", method="OPTIONS"),
    denied("cors-preflight-elsewhere", "no_token", LISTED, "Access-Control-Request-Method: PUT", method="OPTIONS",
           target="/admin/app.cgi"),
    denied("cors-options-is-no-preflight", "no_token", LISTED, method="OPTIONS"),
    denied("cors-get-is-no-preflight", "no_token", LISTED, "Access-Control-Request-Method: PUT"),
    denied("cors-preflight-foreign-claims-role", "no_token", FOREIGN, "Access-Control-Request-Method: PUT",
           "Auth-Preflight: answer", "AUTH_PREFLIGHT: answer", method="OPTIONS"),
    denied("cors-denied", "no_token", LISTED),
    allowed("cors-allowed", LISTED, bearer("alice")),
    denied("effective-path-from-client", "rule_failed", bearer("alice"), "Auth-Effective-Path: /public/x",
           "AUTH_EFFECTIVE_PATH: /public/x", target="/admin/app.cgi"),
]

CASES = UNAUTHENTICATED + TOKEN_CHECKS + CREDENTIALS + ROUTES + SPOOFING + WEBSOCKET + CORS
