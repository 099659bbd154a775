-- No pass without a decision (mod_magnet, attract-raw-url-to in protect.conf).
-- lighttpd asks the authorizer once and, when it says yes, starts the request
-- anew. AUTH_REQUEST_ID comes with every decision and from no client: a second
-- start of the same path without it is a pass that nobody decided.

local env = lighty.r.req_env
local path = lighty.r.req_attr["uri.path"]

if env["AUTH_REQUEST_ID"] then
	env["FCGI_AUTH_ASKED"] = nil
	env["FCGI_AUTH_COOKIE_WANTED"] = nil
	return 0
end
if env["FCGI_AUTH_ASKED"] == path then return 503 end
env["FCGI_AUTH_ASKED"] = path
-- lighttpd drops a Set-Cookie of the authorizer's yes; identity.lua passes this one on.
env["FCGI_AUTH_COOKIE_WANTED"] = "1"
return 0
