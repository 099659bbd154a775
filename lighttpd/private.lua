-- Pages for members are not kept (mod_magnet, attract-response-start-to in
-- protect.conf): else a browser shows them from its cache, or by its back button,
-- when their reader has signed out. A part of a page, such as a picture, may be kept
-- by the browser alone, which asks each time whether it is still good. An application
-- that says Cache-Control itself knows better.

local parts = {
	["audio"] = true, ["font"] = true, ["image"] = true, ["manifest"] = true, ["script"] = true, ["style"] = true,
	["track"] = true, ["video"] = true,
}
local headers = lighty.r.resp_header

if not headers["Cache-Control"] then
	headers["Cache-Control"] = parts[lighty.r.req_header["Sec-Fetch-Dest"]] and "private, no-cache" or "no-store"
end
-- The next token of a session is for one client: no shared cache keeps such an answer.
local kept = (headers["Cache-Control"] or ""):lower()
if headers["Set-Cookie"] and not kept:find("private", 1, true) and not kept:find("no-store", 1, true) then
	headers["Cache-Control"] = "private"
end
return 0
