// SPDX-License-Identifier: Apache-2.0
// An authorizer on Node and jose, without revocation. FOLDER has node_modules. bench/web starts it as
//   SECRET_FILE=… PUBLIC_KEY_FILE=… PEERS=FOLDER/ node authorizer_jose.mjs SOCKET WORKERS
import cluster from "node:cluster";
import { readFileSync } from "node:fs";
import http from "node:http";
import { createRequire } from "node:module";

const [socket, workers] = process.argv.slice(2);

async function serve() {
  const { decodeProtectedHeader, importSPKI, jwtVerify } = await import(createRequire(process.env.PEERS).resolve("jose"));
  const keys = new Map([
    ["HS256", new TextEncoder().encode(readFileSync(process.env.SECRET_FILE, "utf8"))],
    ["RS256", await importSPKI(readFileSync(process.env.PUBLIC_KEY_FILE, "utf8"), "RS256")],
  ]);

  async function judge(header = "") {
    const token = /^Bearer (\S+)$/.exec(header)?.[1] ?? "";
    const { alg } = decodeProtectedHeader(token);
    const wanted = { algorithms: [alg], audience: "www", issuer: `https://${String(alg).toLowerCase()}.example.org` };
    return (await jwtVerify(token, keys.get(alg), wanted)).payload.sub;
  }

  http.createServer(async (request, response) => {
    try {
      response.setHeader("X-Auth-User", await judge(request.headers.authorization));
      response.writeHead(200, { "Content-Length": 0 });
    } catch {
      response.writeHead(401, { "Content-Length": 0, "WWW-Authenticate": "Bearer" });
    }
    response.end();
  }).listen(socket);
}

if (cluster.isPrimary) {
  for (let i = 0; i < Number(workers); i++) cluster.fork();
  process.on("SIGTERM", () => { cluster.disconnect(); process.exit(0); });
} else {
  await serve();
}
