// SPDX-License-Identifier: Apache-2.0
// A JWKS server with key rotation and faults (system S3), loopback only.
//   PORT=27030 [ALG=RS256] [MAX_AGE=60] node server.mjs
// GET  /.well-known/jwks.json, /jwks   public keys; ETag and Cache-Control: max-age=$MAX_AGE
// GET  /.well-known/openid-configuration   issuer and jwks_uri
// POST /rotate[?alg=ES256&drop=1]      new signing key; drop=1 removes all older keys from the set (hard rotation)
// POST /sign   {claims?, header?, kid?, noKid?, alg?} -> {token, kid}   signs with the newest (or the named) key;
//              default claims iat, exp (+1 h), sub; a claim or header member given as null is left out
// POST /mode   {status?, delayMs?, body?, contentType?, truncate?}      the JWKS answer misbehaves; {} ends that
// GET  /stats  {jwks_hits, keys, current}   GET /private  private JWKS   GET /health
import http from "node:http";
import { createHash } from "node:crypto";
import * as jose from "jose";

const PORT = Number(process.env.PORT || 27030);
const ORIGIN = `http://127.0.0.1:${PORT}`;
const ALG = process.env.ALG || "RS256";
const MAX_AGE = process.env.MAX_AGE || "60";
const ALIASES = { "/.well-known/jwks.json": "/jwks" };

let keys = [], mode = {}, hits = 0, serial = 0;

async function addKey(alg) {
  const pair = await jose.generateKeyPair(alg, { extractable: true, ...(alg === "EdDSA" ? { crv: "Ed25519" } : {}) });
  const secret = await jose.exportJWK(pair.privateKey), open = await jose.exportJWK(pair.publicKey);
  const kid = `${++serial}-${(await jose.calculateJwkThumbprint(open)).slice(0, 16)}`;
  keys.push({ kid, alg, pub: { ...open, kid, alg, use: "sig" }, priv: { ...secret, kid, alg }, key: pair.privateKey });
  return kid;
}

const present = (o) => Object.fromEntries(Object.entries(o).filter(([, v]) => v !== null));

async function bodyOf(req) {
  let text = "";
  for await (const part of req) text += part;
  try { return text ? JSON.parse(text) : {}; } catch { return {}; }
}

async function jwks(req, res) {
  hits++;
  if (mode.delayMs) await new Promise((r) => setTimeout(r, mode.delayMs));
  let text = mode.body !== undefined ? String(mode.body) : JSON.stringify({ keys: keys.map((k) => k.pub) });
  if (mode.truncate) text = text.slice(0, mode.truncate);
  const etag = `"${createHash("sha1").update(text).digest("hex").slice(0, 16)}"`;
  if (!mode.status && req.headers["if-none-match"] === etag) return res.writeHead(304, { etag }).end();
  const headers = { "content-type": mode.contentType || "application/json", "cache-control": `public, max-age=${MAX_AGE}`, etag };
  res.writeHead(mode.status || 200, headers).end(text);
}

async function rotate(req, res, url) {
  const kid = await addKey(url.searchParams.get("alg") || ALG);
  if (url.searchParams.get("drop") === "1") keys = keys.slice(-1);
  json(res, { kid, keys: keys.map((k) => k.kid) });
}

async function sign(req, res) {
  const want = await bodyOf(req), k = want.kid ? keys.find((x) => x.kid === want.kid) : keys.at(-1);
  if (!k) return json(res, { error: "no such kid" }, 404);
  const now = Math.floor(Date.now() / 1000);
  const claims = present({ iat: now, exp: now + 3600, sub: "user_1", ...want.claims });
  const header = present({ alg: want.alg || k.alg, typ: "JWT", kid: want.noKid ? null : k.kid, ...want.header });
  json(res, { token: await new jose.SignJWT(claims).setProtectedHeader(header).sign(k.key), kid: k.kid });
}

function json(res, value, status = 200) {
  res.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
}

const routes = {
  "GET /jwks": jwks,
  "GET /.well-known/openid-configuration": (req, res) => json(res, { issuer: ORIGIN, jwks_uri: `${ORIGIN}/.well-known/jwks.json` }),
  "POST /rotate": rotate,
  "POST /sign": sign,
  "POST /mode": async (req, res) => json(res, (mode = await bodyOf(req))),
  "GET /stats": (req, res) => json(res, { jwks_hits: hits, keys: keys.map((k) => k.kid), current: keys.at(-1).kid }),
  "GET /private": (req, res) => json(res, { keys: keys.map((k) => k.priv) }),
  "GET /health": (req, res) => json(res, { status: "ok" }),
};

await addKey(ALG);
http.createServer(async (req, res) => {
  const url = new URL(req.url, ORIGIN), path = ALIASES[url.pathname] || url.pathname;
  const route = routes[`${req.method} ${path}`];
  try { await (route ? route(req, res, url) : json(res, { error: "not found" }, 404)); }
  catch (e) { json(res, { error: String(e.message) }, 400); }
}).listen(PORT, "127.0.0.1", () => console.log(`jwks on ${ORIGIN} alg=${ALG} pid=${process.pid}`));
