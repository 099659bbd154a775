-- Lets pages of other origins read the answer to an allowed request (mod_magnet,
-- attract-response-start-to in protect.conf). The policy says which: its cors-origin.
-- An application that sets the header itself knows better.

local origin = lighty.r.req_env["AUTH_CORS_ORIGIN"]
local headers = lighty.r.resp_header

if not origin or headers["Access-Control-Allow-Origin"] then return 0 end
headers["Access-Control-Allow-Origin"] = origin
if origin ~= "*" then headers["Access-Control-Allow-Credentials"] = "true" end

-- What a cache keeps for one origin is no answer for another one.
local vary = headers["Vary"]
if not vary or vary == "" then
	headers["Vary"] = "Origin"
elseif vary ~= "*" and not ("," .. vary:lower():gsub("%s", "") .. ","):find(",origin,", 1, true) then
	headers["Vary"] = vary .. ", Origin"
end
return 0
