-- Identity headers for proxied applications (mod_magnet, attract-raw-url-to).
-- Runs for every request, and again when the authorizer has let it pass.

local request = lighty.r

local families = { "^auth%-", "^x%-auth%-", "^x%-authenticated%-", "^x%-webauth%-", "^remote%-", "^x%-remote%-", "^variable%-" }
local names = {
	["x-user"] = true, ["x-username"] = true, ["x-user-id"] = true, ["x-user-name"] = true, ["x-user-email"] = true,
	["x-email"] = true, ["x-forwarded-user"] = true, ["x-forwarded-email"] = true, ["x-forwarded-groups"] = true,
	["x-forwarded-preferred-username"] = true, ["x-forwarded-access-token"] = true,
}

-- Web servers and applications fold header names: what is no letter and no
-- digit becomes '_' in the CGI environment, so X-User, X_User and X.User are one.
local function is_identity(name)
	local folded = name:lower():gsub("[^%w]", "-")
	if names[folded] then return true end
	for _, family in ipairs(families) do
		if folded:find(family) then return true end
	end
	return false
end

local forged = {}
for name, _ in pairs(request.req_header) do
	if is_identity(name) then forged[#forged + 1] = name end
end
for _, name in ipairs(forged) do request.req_header[name] = nil end

-- After a decision no application sees an API key, whatever header it came in: not the
-- one that decided, whose id stands in it between two '_', nor another beside a token.
-- PREFIX_ID_SECRET of 16 and 49 letters and digits is one; what is longer or shorter
-- belongs to the application.
local key_shape = "%w_" .. ("%w"):rep(16) .. "_" .. ("%w"):rep(49) .. "%f[^%w]"
local key_id = request.req_env["AUTH_API_KEY_ID"]
if request.req_env["AUTH_REQUEST_ID"] then
	local keys = {}
	for name, value in pairs(request.req_header) do
		if value:find(key_shape) or key_id and value:find("_" .. key_id .. "_", 1, true) then
			keys[#keys + 1] = name
		end
	end
	for _, name in ipairs(keys) do request.req_header[name] = nil end
end

-- The handshake of a WebSocket: the application chooses from the protocols that are
-- left, and sees no token among them.
local protocols = request.req_env["AUTH_WEBSOCKET_PROTOCOL"]
if protocols then request.req_header["Sec-WebSocket-Protocol"] = protocols end

-- The next token of a session in use is for the client alone: no application sees it.
local cookie = request.req_env["AUTH_SET_COOKIE"]
if cookie then
	request.req_env["AUTH_SET_COOKIE"] = nil
	request.resp_header["Set-Cookie"] = cookie
end

-- After a decision: AUTH_USER_ID becomes X-Auth-User, any other AUTH_NAME
-- becomes X-Auth-Name, and the token that "pass-token" gives Authorization.
if request.req_env["AUTH_REQUEST_ID"] then
	local identity = {}
	for name, value in pairs(request.req_env) do
		local word = name:match("^AUTH_(.+)$")
		if word == "TOKEN" then
			identity["Authorization"] = "Bearer " .. value
		elseif word and word ~= "WEBSOCKET_PROTOCOL" and word ~= "CORS_ORIGIN" then
			identity["X-Auth-" .. word:lower():gsub("_", "-"):gsub("%f[%a]%l", string.upper)] = value
		end
	end
	identity["X-Auth-User"] = request.req_env["AUTH_USER_ID"]
	for name, value in pairs(identity) do request.req_header[name] = value end
end
return 0
