-- Identity headers for proxied applications (mod_lua, LuaHookFixups): runs for
-- every request that has been decided about, just before it is answered.

local families = { "^auth%-", "^x%-auth%-", "^x%-authenticated%-", "^x%-webauth%-", "^remote%-", "^x%-remote%-", "^variable%-" }
local names = {
	["x-user"] = true, ["x-username"] = true, ["x-user-id"] = true, ["x-user-name"] = true, ["x-user-email"] = true,
	["x-email"] = true, ["x-forwarded-user"] = true, ["x-forwarded-email"] = true, ["x-forwarded-groups"] = true,
	["x-forwarded-preferred-username"] = true, ["x-forwarded-access-token"] = true,
	-- No identity, but no proxied application may take it for its environment's HTTP_PROXY.
	["proxy"] = true,
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

local function remove(headers, copy, is_unwanted)
	for name, value in pairs(copy) do
		if is_unwanted(name, value) then headers[name] = nil end
	end
end

local function is_variable(name) return name:lower():find("^variable%-") ~= nil end

function identity(request)
	remove(request.headers_in, request:headers_in_table(), is_identity)

	-- mod_fcgid gives the client all that the authorizer has said.
	remove(request.headers_out, request:headers_out_table(), is_variable)
	remove(request.err_headers_out, request:err_headers_out_table(), is_variable)

	-- After a decision by an API key: no application sees the key, whatever header it
	-- came in. Its id, which is no secret, stands in it between two '_'.
	local env = request:subprocess_env_table()
	local key_id = env["AUTH_API_KEY_ID"]
	if key_id then
		remove(request.headers_in, request:headers_in_table(), function(_, value)
			return value:find("_" .. key_id .. "_", 1, true) ~= nil
		end)
	end

	-- After a decision: AUTH_USER_ID becomes X-Auth-User, any other AUTH_NAME
	-- becomes X-Auth-Name, and the token that "pass-token" gives Authorization.
	if env["AUTH_REQUEST_ID"] then
		for name, value in pairs(env) do
			local word = name:match("^AUTH_(.+)$")
			if word == "TOKEN" then
				request.headers_in["Authorization"] = "Bearer " .. value
			elseif word and word ~= "WEBSOCKET_PROTOCOL" and word ~= "CORS_ORIGIN" then
				local header = word:lower():gsub("_", "-"):gsub("%f[%a]%l", string.upper)
				request.headers_in["X-Auth-" .. header] = value
			end
		end
		if env["AUTH_USER_ID"] then request.headers_in["X-Auth-User"] = env["AUTH_USER_ID"] end
	end
	return apache2.DECLINED
end
