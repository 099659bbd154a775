// SPDX-License-Identifier: Apache-2.0
// Make ../tokens-npm.json with the libraries that real sites run, each through its
// own front door: the sign-in handlers of NextAuth, Auth.js and Better Auth, Clerk's
// signJwt, jose, jsonwebtoken. New keys, IVs and ids each time: the file is made anew
// only when a library's version changes.
//   npm ci && node make_tokens.mjs > ../tokens-npm.json
import { createHash, generateKeyPairSync } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

// The libraries take the time from Date: it stands still while tokens are made.
const NOW = 1767225600, END = 4102444800, PAST = 1577836800;
let clock = NOW;
globalThis.Date = class extends Date {
  constructor(...given) { super(...(given.length ? given : [clock * 1000])); }
  static now() { return clock * 1000; }
};
async function at(seconds, make) {
  clock = seconds;
  try { return await make(); } finally { clock = NOW; }
}

const jose = await import("jose");
const { default: jsonwebtoken } = await import("jsonwebtoken");
const { signJwt } = await import("@clerk/backend/jwt");
const { Auth } = await import("@auth/core");
const authjs = await import("@auth/core/jwt");
const { default: Credentials } = await import("@auth/core/providers/credentials");
const { betterAuth } = await import("better-auth");
const { jwt: jwtPlugin, bearer } = await import("better-auth/plugins");
const { memoryAdapter } = await import("better-auth/adapters/memory");
const require = createRequire(import.meta.url);
const nextauth = require("next-auth/jwt");

const rows = [];

function version(name) {
  const file = new URL(`./node_modules/${name}/package.json`, import.meta.url);
  return `${name} ${JSON.parse(readFileSync(file)).version}`;
}

function add(name, library, kind, token, key, policy, more = {}) {
  const { reason, ...others } = more;
  rows.push({ name, issuer: version(library), kind, token, key, policy: { leeway: 0, ...policy }, now: NOW,
    expect: reason ? "reject" : "accept", ...(reason ? { reason } : {}), ...others });
}

// The same token with one character of its part n changed to another that base64url has.
function flip(token, n) {
  const parts = token.split("."), at = parts[n].length >> 1;
  parts[n] = parts[n].slice(0, at) + (parts[n][at] === "A" ? "B" : "A") + parts[n].slice(at + 1);
  return parts.join(".");
}

// --- signed tokens: jose and jsonwebtoken -------------------------------------

const ISS = "https://issuer.example.com", AUD = "app";
const SECRET = "data-secret-Vn4rTz8pKq2wYx6mBc9dLg3hJf7sAa5e-and-some-more-so-that-it-is-long-enough";
const OTHER = "other-secret-Hd7kWq3zRt9yPn5xLm2vBc8gJf4sAa6e-and-some-more-so-that-it-is-long-enough";
const user = { sub: "alice", email: "alice@example.com" };
const CURVES = { ES256: "P-256", ES384: "P-384", ES512: "P-521" };

function pair(alg) {
  if (alg[0] === "E" && alg[1] === "S") return generateKeyPairSync("ec", { namedCurve: CURVES[alg] });
  if (alg.startsWith("Ed")) return generateKeyPairSync("ed25519");
  return generateKeyPairSync("rsa", { modulusLength: 2048 });
}

const policyOf = (alg) => ({ algs: [alg], iss: ISS, aud: AUD });
const pem = (key) => ({ type: "pem", pem: key.export({ type: "spki", format: "pem" }) });
const jwk = (key, more) => ({ ...key.export({ format: "jwk" }), ...more });

function withJose(alg, key, { header = {}, exp = END, ...claims } = {}) {
  return new jose.SignJWT({ ...user, ...claims }).setProtectedHeader({ alg, typ: "JWT", ...header }).setIssuer(ISS)
    .setAudience(claims.aud ?? AUD).setIssuedAt().setExpirationTime(exp).sign(key);
}

for (const alg of ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
  "Ed25519"]) {
  const own = pair(alg), foreign = pair(alg), kid = `jose-${alg}`;
  const jwks = { type: "jwks", jwks: { keys: [jwk(own.publicKey, { kid, alg, use: "sig" })] } };
  const token = await withJose(alg, own.privateKey, { header: { kid } });
  add(`jose-${alg}-ok`, "jose", "jws", token, jwks, policyOf(alg), { user: "alice" });
  add(`jose-${alg}-wrong-key`, "jose", "jws", await withJose(alg, foreign.privateKey, { header: { kid } }), jwks,
    policyOf(alg), { reason: "bad-signature" });
  add(`jose-${alg}-flipped`, "jose", "jws", flip(token, 2), jwks, policyOf(alg), { reason: "bad-signature" });
}

const ring = [pair("RS256"), pair("ES256")];
const ringKeys = [jwk(ring[0].publicKey, { kid: "a" }), jwk(ring[1].publicKey, { kid: "b" })];
const ringKey = { type: "jwks", jwks: { keys: ringKeys } };
const ringPolicy = { ...policyOf("RS256"), algs: ["RS256", "ES256"] };
function inRing(alg, kid) {
  return withJose(alg, ring[alg === "RS256" ? 0 : 1].privateKey, { header: kid ? { kid } : {} });
}
add("jose-ring-first-ok", "jose", "jws", await inRing("RS256", "a"), ringKey, ringPolicy, { user: "alice" });
add("jose-ring-second-ok", "jose", "jws", await inRing("ES256", "b"), ringKey, ringPolicy, { user: "alice" });
add("jose-ring-no-kid-ok", "jose", "jws", await inRing("ES256"), ringKey, ringPolicy, { user: "alice" });
add("jose-ring-unknown-kid", "jose", "jws", await inRing("ES256", "c"), ringKey, ringPolicy, { reason: "unknown-kid" });
add("jose-ring-kid-of-the-other", "jose", "jws", await inRing("ES256", "a"), ringKey, ringPolicy,
  { reason: "key-type-mismatch" });

const rsa = pair("RS256"), rsaPem = pem(rsa.publicKey);
const jwtOptions = (more) => ({ issuer: ISS, audience: AUD, algorithm: "RS256", ...more });
const signed = (claims, key, options) => jsonwebtoken.sign({ ...user, ...claims }, key, jwtOptions(options));
const secretKey = { type: "secret", value: SECRET };
for (const alg of ["HS256", "HS384", "HS512"]) {
  add(`jsonwebtoken-${alg}-ok`, "jsonwebtoken", "jws", signed({ exp: END }, SECRET, { algorithm: alg }), secretKey,
    policyOf(alg), { user: "alice" });
  add(`jsonwebtoken-${alg}-wrong-secret`, "jsonwebtoken", "jws", signed({ exp: END }, OTHER, { algorithm: alg }),
    secretKey, policyOf(alg), { reason: "bad-signature" });
}
for (const [name, claims, options, reason] of [
  ["ok", {}, {}], ["expired", { exp: PAST }, {}, "expired"], ["not-yet-valid", { nbf: END - 9 }, {}, "not-yet-valid"],
  ["wrong-aud", {}, { audience: "other" }, "wrong-aud"], ["wrong-iss", {}, { issuer: `${ISS}/` }, "wrong-iss"],
  ["several-aud-ok", {}, { audience: ["other", AUD] }], ["PS256", {}, { algorithm: "PS256" }, "alg-not-allowed"],
]) add(`jsonwebtoken-RS256-${name}`, "jsonwebtoken", "jws", signed({ exp: END, ...claims }, rsa.privateKey, options),
  rsaPem, policyOf("RS256"), reason ? { reason } : { user: "alice" });
// The public key as an HMAC secret, which every verifier that trusts the header accepts.
add("jose-HS256-with-public-key", "jose", "jws", await withJose("HS256", Buffer.from(rsaPem.pem)), rsaPem,
  policyOf("RS256"), { reason: "alg-not-allowed" });
const endless = new jose.SignJWT({ ...user, iss: ISS, aud: AUD }).setProtectedHeader({ alg: "HS256" });
add("jose-no-exp", "jose", "jws", await endless.sign(Buffer.from(SECRET)), secretKey,
  { ...policyOf("HS256"), require: ["exp"] }, { reason: "missing-claim" });

const content = Buffer.from(createHash("sha512").update("content key").digest());
for (const [enc, size] of [["A128GCM", 16], ["A192GCM", 24], ["A256GCM", 32], ["A128CBC-HS256", 32],
  ["A192CBC-HS384", 48], ["A256CBC-HS512", 64]]) {
  const own = content.subarray(0, size), key = { type: "jwk", jwk: { kty: "oct", k: own.toString("base64url") } };
  const token = await new jose.EncryptJWT(user).setProtectedHeader({ alg: "dir", enc }).setIssuer(ISS).setAudience(AUD)
    .setIssuedAt().setExpirationTime(END).encrypt(own);
  const policy = { algs: ["dir"], encs: [enc], iss: ISS, aud: AUD };
  add(`jose-${enc}-ok`, "jose", "jwe-dir", token, key, policy, { user: "alice" });
  add(`jose-${enc}-flipped`, "jose", "jwe-dir", flip(token, 3), key, policy, { reason: "decrypt-failed" });
}

// --- Clerk ----------------------------------------------------------------------

const clerk = pair("RS256"), CLERK = "https://clerk.example.com";
const clerkKey = { type: "jwks", jwks: { keys: [jwk(clerk.publicKey, { kid: "ins_1", alg: "RS256", use: "sig" })] } };
const clerkPolicy = { leeway: 5, algs: ["RS256"], iss: CLERK, azp: ["https://app.example.com"], userClaim: "sub" };
async function clerkToken(claims, header) {
  const full = { azp: "https://app.example.com", exp: END, iat: NOW, iss: CLERK, nbf: NOW - 10, sid: "sess_1",
    sub: "user_1", ...claims };
  const made = await signJwt(full, clerk.privateKey.export({ format: "jwk" }),
    { algorithm: "RS256", header: { kid: "ins_1", typ: "JWT", ...header } });
  return made.data ?? made;
}
for (const [name, claims, header, reason] of [
  ["ok", {}], ["v2-ok", { v: 2, fva: [3, -1], sts: "active", o: { id: "org_1", slg: "lab", rol: "admin" } }],
  ["expired", { exp: NOW - 5 }, {}, "expired"], ["wrong-party", { azp: "https://evil.example" }, {}, "wrong-azp"],
  ["wrong-iss", { iss: "https://clerk.example.org" }, {}, "wrong-iss"],
  ["unknown-kid", {}, { kid: "ins_2" }, "unknown-kid"],
]) add(`clerk-made-${name}`, "@clerk/backend", "jws", await clerkToken(claims, header), clerkKey, clerkPolicy,
  reason ? { reason } : { user: "user_1" });

// --- NextAuth v4 and Auth.js v5: cookies of a sign-in --------------------------

const ann = { id: "ann-1", name: "Ann", email: "ann@example.com" };
const credentials = { credentials: { username: {}, password: {} }, authorize: async () => ann };
const LONG = { maxAge: END - NOW, strategy: "jwt" };
const quiet = { error() {}, warn() {}, debug() {} };
const jarOf = (lines) => lines.map((line) => line.split(";")[0]);
const chunksOf = (cookies, name) => cookies.filter((c) => c.startsWith(`${name}=`) || c.startsWith(`${name}.`));
const joined = (cookies) => cookies.map((c) => c.slice(c.indexOf("=") + 1)).join("");

async function signIn5(secret, filler, origin) {
  const config = { basePath: "/auth", trustHost: true, secret, providers: [Credentials(credentials)], session: LONG,
    logger: quiet, callbacks: { jwt: ({ token }) => (filler ? { ...token, filler } : token) } };
  const csrf = await Auth(new Request(`${origin}/auth/csrf`), config);
  const fields = new URLSearchParams({ csrfToken: (await csrf.json()).csrfToken, username: "ann", password: "pw" });
  const done = await Auth(new Request(`${origin}/auth/callback/credentials`, { method: "POST", body: fields,
    headers: { cookie: jarOf(csrf.headers.getSetCookie()).join("; ") } }), config);
  return jarOf(done.headers.getSetCookie());
}

async function signIn4(secret, filler) {
  const folder = new URL("./node_modules/next-auth/", import.meta.url).pathname;
  const { AuthHandler } = require(`${folder}core/index.js`);
  const options = { secret, session: LONG, jwt: LONG, logger: quiet,
    providers: [require(`${folder}providers/credentials.js`).default({ name: "Credentials", ...credentials })],
    callbacks: { jwt: ({ token }) => (filler ? { ...token, filler } : token) } };
  const call = (more) => AuthHandler({ options, req: { origin: "http://127.0.0.1", headers: {}, query: {}, cookies: {},
    body: {}, ...more } });
  const csrf = await call({ action: "csrf", method: "GET" });
  const cookies = Object.fromEntries(csrf.cookies.map((c) => [c.name, c.value]));
  const done = await call({ action: "callback", providerId: "credentials", method: "POST", cookies,
    body: { csrfToken: csrf.body.csrfToken, username: "ann", password: "pw" } });
  return done.cookies.map((c) => `${c.name}=${c.value}`);
}

const SECRET4 = "nextauth-secret-8Qw2Er5Ty7Ui9Op1";
const SECRET5 = ["authjs-new-3Zx6Cv9Bn2Mq5Wr8", "authjs-old-7As4Df1Gh8Jk5Lp2"];
const key4 = (secret = SECRET4) => ({ type: "hkdf", scheme: "nextauth-v4", secrets: [secret], salt: "",
  info: "NextAuth.js Generated Encryption Key", hash: "SHA-256", length: 32 });
const key5 = (salt, secrets = SECRET5) => ({ type: "hkdf", scheme: "authjs-v5", secrets, salt,
  info: `Auth.js Generated Encryption Key (${salt})`, hash: "SHA-256", length: { "A256CBC-HS512": 64, A256GCM: 32 } });
const family = { leeway: 15, userClaim: "sub" };
const FILLER = "0123456789abcdef".repeat(500);

function addCookies(prefix, library, kind, name, key, wrong, small, large, expired) {
  const put = (what, cookies, more, withKey = key) => add(`${prefix}-${what}`, library, kind, joined(cookies), withKey,
    family, { cookieName: name, cookieHeader: ["theme=dark", ...cookies, "lang=en"].join("; "), ...more });
  const chunks = chunksOf(large, name);
  put("ok", chunksOf(small, name), { user: ann.id });
  put("wrong-secret", chunksOf(small, name), { reason: wrong.reason }, wrong.key);
  put("chunks-ok", chunks, { user: ann.id });
  add(`${prefix}-chunks-reversed-ok`, library, kind, joined(chunks), key, family,
    { cookieName: name, cookieHeader: [...chunks].reverse().join("; "), user: ann.id });
  put("last-chunk-missing", chunks.slice(0, -1), { reason: "decrypt-failed" });
  put("expired", [`${name}=${expired}`], { reason: "expired" });
  put("flipped", [`${name}=${flip(joined(chunksOf(small, name)), 3)}`], { reason: "decrypt-failed" });
}

process.env.NEXTAUTH_URL = "http://127.0.0.1";
const NAME4 = "next-auth.session-token", NAME5 = "authjs.session-token", HOST5 = `__Secure-${NAME5}`;
addCookies("nextauth-made", "next-auth", "nextauth-v4", NAME4, key4(),
  { key: key4("another-secret-6Tg3Yh8Uj1Ik5Ol9"), reason: "decrypt-failed" }, await signIn4(SECRET4),
  await signIn4(SECRET4, FILLER), await at(PAST, () => nextauth.encode({ token: { sub: ann.id }, secret: SECRET4 })));
addCookies("authjs-made", "@auth/core", "authjs-v5", NAME5, key5(NAME5),
  { key: key5(NAME5, ["another-secret-6Tg3Yh8Uj1Ik5Ol9"]), reason: "unknown-kid" },
  await signIn5(SECRET5, "", "http://127.0.0.1"), await signIn5(SECRET5, FILLER, "http://127.0.0.1"),
  await at(PAST, () => authjs.encode({ token: { sub: ann.id }, secret: SECRET5, salt: NAME5 })));
const secure = chunksOf(await signIn5(SECRET5, "", "https://127.0.0.1"), HOST5);
add("authjs-made-secure-ok", "@auth/core", "authjs-v5", joined(secure), key5(HOST5), family,
  { cookieName: HOST5, user: ann.id });
add("authjs-made-secure-under-plain-name", "@auth/core", "authjs-v5", joined(secure), key5(NAME5), family,
  { cookieName: NAME5, reason: "unknown-kid" });
add("authjs-made-old-secret-ok", "@auth/core", "authjs-v5",
  joined(chunksOf(await signIn5(SECRET5[1], "", "http://127.0.0.1"), NAME5)), key5(NAME5), family,
  { cookieName: NAME5, user: ann.id });

// --- Better Auth -----------------------------------------------------------------

const BETTER = "better-auth-secret-5Rf8Tg2Yh6Uj9Ik3Ol7Pq1";
const DATA = "better-auth.session_data", TOKEN = "better-auth.session_token";

async function signUp(strategy, alg, secret = BETTER) {
  const crv = alg === "EdDSA" ? { crv: "Ed25519" } : {};
  const auth = betterAuth({ baseURL: "http://127.0.0.1:27001", secret, telemetry: { enabled: false },
    database: memoryAdapter({ user: [], session: [], account: [], verification: [], jwks: [] }),
    emailAndPassword: { enabled: true }, logger: { disabled: true },
    session: { cookieCache: { enabled: true, maxAge: 300, strategy } },
    plugins: [jwtPlugin({ jwks: { keyPairConfig: { alg, ...crv } }, jwt: { expirationTime: END } }), bearer()] });
  const done = await auth.api.signUpEmail({ asResponse: true,
    body: { email: "ann@example.com", password: "a long password", name: "Ann \u201cquoted\u201d \u00e9" } });
  const cookies = jarOf(done.headers.getSetCookie()), id = (await done.json()).user.id;
  const { token } = await auth.api.getToken({ headers: new Headers({ cookie: cookies.join("; ") }) });
  const value = (name) => decodeURIComponent(cookies.find((c) => c.startsWith(`${name}=`)).slice(name.length + 1));
  return { cookies, id, token, value, jwks: await auth.api.getJwks() };
}

const betterJwe = (secrets) => ({ type: "hkdf", scheme: "better-auth-jwe", secrets, salt: "better-auth-session",
  info: "BetterAuth.js Generated Encryption Key", hash: "SHA-256", length: 64 });
const betterSecret = (value) => ({ type: "secret", value });
for (const [strategy, kind, policy, keyOf, wrong] of [
  ["compact", "better-auth-compact", {}, betterSecret, "bad-signature"],
  ["jwt", "jws", { algs: ["HS256"], userClaim: "user.id" }, betterSecret, "bad-signature"],
  ["jwe", "better-auth-jwe", { leeway: 15, userClaim: "user.id" }, (secret) => betterJwe([secret]), "unknown-kid"],
]) {
  const { cookies, id, value } = await signUp(strategy, "EdDSA");
  const put = (what, token, key, more) => add(`better-auth-made-${strategy}-${what}`, "better-auth", kind, token, key,
    policy, { cookieName: DATA, ...more });
  put("ok", value(DATA), keyOf(BETTER), { user: id, now: NOW + 299, cookieHeader: cookies.join("; ") });
  put("wrong-secret", value(DATA), keyOf(OTHER), { reason: wrong });
  put("expired", value(DATA), keyOf(BETTER), { reason: "expired", now: NOW + 315 });
  if (strategy === "compact") {
    const session = { cookieName: TOKEN };
    add("better-auth-made-session-ok", "better-auth", "better-auth-cookie", value(TOKEN), betterSecret(BETTER), {},
      { ...session, cookieHeader: cookies.join("; ") });
    add("better-auth-made-session-wrong-secret", "better-auth", "better-auth-cookie", value(TOKEN),
      betterSecret(OTHER), {}, { ...session, reason: "bad-signature" });
  }
}
for (const alg of ["EdDSA", "ES256", "PS256"]) {
  const { id, token, jwks } = await signUp("compact", alg), other = await signUp("compact", alg);
  const base = "http://127.0.0.1:27001", policy = { algs: [alg], iss: base, aud: base, userClaim: "sub" };
  const key = { type: "jwks", jwks: { keys: jwks.keys } };
  add(`better-auth-made-${alg}-ok`, "better-auth", "jws", token, key, policy, { user: id });
  add(`better-auth-made-${alg}-other-server`, "better-auth", "jws", other.token, key, policy,
    { reason: "unknown-kid" });
  add(`better-auth-made-${alg}-wrong-aud`, "better-auth", "jws", token, key, { ...policy, aud: "other" },
    { reason: "wrong-aud" });
}

// With the clock on the wall the verdict is the same until 2100, but for what lives five minutes.
for (const row of rows) if (!row.cookieName?.startsWith(DATA) || row.reason === "bad-signature") row.clock_free = true;
console.log(`[\n${rows.map((row) => JSON.stringify(row)).join(",\n")}\n]`);
console.error(`${rows.length} tokens, ${rows.filter((row) => row.expect === "accept").length} to accept`);
