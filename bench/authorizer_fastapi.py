# SPDX-License-Identifier: Apache-2.0
"""The authorizer as applications have it without fcgi-auth: FastAPI, PyJWT and a blacklist in Redis.

bench/web runs it by uvicorn, behind a web server that asks it about each request. Settings: SECRET_FILE,
PUBLIC_KEY_FILE, REDIS_SOCKET; PARSE_ONCE=1 parses the public key once, which few applications do."""

import os
from pathlib import Path

import jwt
import redis.asyncio
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from fastapi import Depends, FastAPI, HTTPException, Response
from fastapi.security import OAuth2PasswordBearer

PEM = Path(os.environ["PUBLIC_KEY_FILE"]).read_text()
KEYS = {"HS256": Path(os.environ["SECRET_FILE"]).read_text(),
        "RS256": load_pem_public_key(PEM.encode()) if os.environ.get("PARSE_ONCE") else PEM}
ISSUERS = {algorithm: f"https://{algorithm.lower()}.example.org" for algorithm in KEYS}
HEADERS = {"WWW-Authenticate": "Bearer"}

app = FastAPI()
bearer = OAuth2PasswordBearer(tokenUrl="login")
blacklist = redis.asyncio.Redis(unix_socket_path=os.environ["REDIS_SOCKET"])


async def user(token: str = Depends(bearer)):
    if await blacklist.exists(f"blacklist:{token}"):
        raise HTTPException(401, "Token has been invalidated", HEADERS)
    try:
        algorithm = jwt.get_unverified_header(token)["alg"]
        claims = jwt.decode(token, KEYS[algorithm], algorithms=[algorithm], audience="www", issuer=ISSUERS[algorithm])
    except jwt.ExpiredSignatureError:
        raise HTTPException(401, "Token has expired", HEADERS) from None
    except (jwt.InvalidTokenError, KeyError):
        raise HTTPException(401, "Invalid token", HEADERS) from None
    return claims["sub"]


@app.get("/verify")
async def verify(name: str = Depends(user)):
    return Response(headers={"X-Auth-User": name})


@app.post("/logout")
async def logout(token: str = Depends(bearer), _: str = Depends(user)):
    await blacklist.setex(f"blacklist:{token}", 30 * 60, "1")
    return {"message": "Successfully logged out"}
