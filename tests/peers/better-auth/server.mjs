// SPDX-License-Identifier: Apache-2.0
// A real Better Auth server (system S2), loopback only.
//   PORT=27001 [CACHE=compact|jwt|jwe|none] [ALG=EdDSA|ES256|ES512|RS256|PS256] [SESSION_COOKIE_CACHE=1] node server.mjs
// Other settings: BASE_URL, BETTER_AUTH_SECRET, BETTER_AUTH_SECRETS (2:new,1:old), ISSUER, AUDIENCE, RATE=1 (rate limits on).
// Endpoints: Better Auth's own under /api/auth, and GET /health.
import http from "node:http";
import { betterAuth } from "better-auth";
import { jwt, bearer } from "better-auth/plugins";
import { toNodeHandler } from "better-auth/node";
import { memoryAdapter } from "better-auth/adapters/memory";

const env = process.env;
const PORT = Number(env.PORT || 27001);
const baseURL = env.BASE_URL || `http://127.0.0.1:${PORT}`;
const cache = env.CACHE || "compact";
const alg = env.ALG || "EdDSA";

const auth = betterAuth({
  baseURL,
  secret: env.BETTER_AUTH_SECRET || "better-auth-lab-secret-0123456789abcdef", // the secret of the vectors
  database: memoryAdapter({ user: [], session: [], account: [], verification: [], jwks: [] }),
  emailAndPassword: { enabled: true },
  rateLimit: { enabled: env.RATE === "1" },
  telemetry: { enabled: false },
  databaseHooks: { user: { create: { before: async (user) => ({ data: { ...user, image: user.image ?? null } }) } } }, // NULL, as in SQL
  session: cache === "none" ? {} : { cookieCache: { enabled: true, maxAge: 300, strategy: cache } },
  plugins: [
    jwt({
      jwks: { keyPairConfig: alg === "EdDSA" ? { alg, crv: "Ed25519" } : { alg } },
      sessionCookieCache: env.SESSION_COOKIE_CACHE === "1" ? true : undefined,
      ...(env.ISSUER || env.AUDIENCE ? { jwt: { issuer: env.ISSUER, audience: env.AUDIENCE } } : {}),
    }),
    bearer(),
  ],
});

const handler = toNodeHandler(auth);
http.createServer((req, res) => {
  if (req.url !== "/health") return handler(req, res);
  res.setHeader("content-type", "application/json");
  res.end('{"status":"ok"}');
}).listen(PORT, "127.0.0.1", () => console.log(`better-auth on ${baseURL} cache=${cache} alg=${alg} pid=${process.pid}`));
