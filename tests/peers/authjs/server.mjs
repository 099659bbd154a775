// SPDX-License-Identifier: Apache-2.0
// Real Auth.js v5 (@auth/core) under /auth and real NextAuth v4 (next-auth/core) under /api/auth, on one loopback port (system S0).
//   PORT=27040 [AUTH_SECRET=new,old] [NEXTAUTH_SECRET=...] node server.mjs
// One user: ann / pw (Credentials provider, JWT sessions). The default secrets are those of the vectors.
import http from "node:http";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { Auth } from "@auth/core";
import Credentials5 from "@auth/core/providers/credentials";

const PORT = Number(process.env.PORT || 27040);
const ORIGIN = `http://127.0.0.1:${PORT}`;
process.env.NEXTAUTH_URL ||= ORIGIN;

// next-auth v4 exports no path to its request handler: load the files of the package.
const v4 = fileURLToPath(new URL("../node_modules/next-auth/", import.meta.url));
const requireV4 = createRequire(v4);
const { AuthHandler } = requireV4(v4 + "core/index.js");
const Credentials4 = requireV4(v4 + "providers/credentials.js").default;
const { serialize } = requireV4("cookie");

const ann = { id: "cmgoip1nt0001s89pzkw7bzlg", name: "Ann Lab", email: "ann@example.com" };
const credentials = {
  credentials: { username: {}, password: {} },
  authorize: async (c) => (c?.username === "ann" && c?.password === "pw" ? ann : null),
};
const quiet = { error() {}, warn() {}, debug() {} };
const config5 = {
  basePath: "/auth",
  trustHost: true,
  secret: (process.env.AUTH_SECRET || "authjs-new-secret-0123456789,authjs-old-secret-0123456789").split(","),
  providers: [Credentials5(credentials)],
  session: { strategy: "jwt" },
  logger: quiet,
};
const config4 = {
  secret: process.env.NEXTAUTH_SECRET || "0e8a1d6f2b7c4e5990a1nextauth-secret-lab==",
  providers: [Credentials4({ name: "Credentials", ...credentials })],
  session: { strategy: "jwt" },
  logger: quiet,
};

async function serve5(req, res, body) {
  const request = new Request(ORIGIN + req.url, {
    method: req.method,
    headers: req.headers,
    ...(body.length ? { body, duplex: "half" } : {}),
  });
  const r = await Auth(request, config5);
  res.statusCode = r.status;
  for (const [k, v] of r.headers) if (k !== "set-cookie") res.setHeader(k, v);
  const cookies = r.headers.getSetCookie();
  if (cookies.length) res.setHeader("set-cookie", cookies);
  res.end(await r.text());
}

function cookiesOf(header) {
  const pairs = (header || "").split(/; */).filter(Boolean);
  return Object.fromEntries(pairs.map((c) => {
    const i = c.indexOf("=");
    return [c.slice(0, i), decodeURIComponent(c.slice(i + 1))];
  }));
}

async function serve4(req, res, body, url) {
  const [action, provider] = url.pathname.slice("/api/auth/".length).split("/");
  const json = (req.headers["content-type"] || "").includes("json");
  const fields = json ? JSON.parse(body.toString() || "{}") : Object.fromEntries(new URLSearchParams(body.toString()));
  const r = await AuthHandler({
    req: {
      origin: ORIGIN, action, providerId: provider, method: req.method, headers: req.headers, body: fields,
      query: Object.fromEntries(url.searchParams), cookies: cookiesOf(req.headers.cookie),
      error: url.searchParams.get("error") || provider,
    },
    options: config4,
  });
  res.statusCode = r.status || 200;
  for (const h of r.headers || []) res.setHeader(h.key, h.value);
  if (r.cookies?.length) res.setHeader("set-cookie", r.cookies.map((c) => serialize(c.name, c.value, c.options)));
  if (r.redirect && (fields.json === "true" || fields.json === true)) {
    res.setHeader("content-type", "application/json");
    return res.end(JSON.stringify({ url: r.redirect }));
  }
  if (r.redirect) {
    res.statusCode = 302;
    res.setHeader("location", r.redirect);
    return res.end();
  }
  res.end(typeof r.body === "object" ? JSON.stringify(r.body) : String(r.body ?? ""));
}

http.createServer(async (req, res) => {
  try {
    const parts = [];
    for await (const part of req) parts.push(part);
    const body = Buffer.concat(parts), url = new URL(req.url, ORIGIN);
    if (url.pathname === "/health") { res.setHeader("content-type", "application/json"); return res.end('{"status":"ok"}'); }
    if (url.pathname.startsWith("/api/auth/")) return await serve4(req, res, body, url);
    if (url.pathname.startsWith("/auth/")) return await serve5(req, res, body);
    res.statusCode = 404;
    res.end();
  } catch {
    res.statusCode = 400;
    res.end();
  }
}).listen(PORT, "127.0.0.1", () => console.log(`authjs v5 ${ORIGIN}/auth  next-auth v4 ${ORIGIN}/api/auth  pid=${process.pid}`));
