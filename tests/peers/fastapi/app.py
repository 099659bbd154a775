# SPDX-License-Identifier: Apache-2.0
"""Stand-ins for three FastAPI services, loopback only: PORT=27020 /usr/bin/python3 app.py

Settings: API_KEY (test-api-key), JWT_SECRET_KEY (login service), BETTER_AUTH_SECRET (tasks application),
SLOW_MS=0 (delay of a profile), FAIL=0 (every nth profile answers 500), HOST=127.0.0.1 (address to listen on),
MORE_USERS=0 (user-0, user-1, … have a profile, too).
  profiles  GET /api/v1/users/{id} with X-API-Key: 401, 403, 404, 200;  GET /api/v1/users/me: 307 to /login
  login     POST /auth/register, /auth/login (OAuth2 form), /auth/logout, GET /auth/users/me
  tasks     POST /api/auth/signup 201, /api/auth/signin, /api/auth/signout, GET /api/{user_id}/tasks (403 of others)
  tests     GET /_test/calls (profiles asked for), GET /health"""

import asyncio
import hashlib
import os
import secrets
import uuid
from datetime import datetime, timedelta, timezone

import jwt as pyjwt
from fastapi import Depends, FastAPI, Header, HTTPException
from fastapi.responses import RedirectResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer, OAuth2PasswordBearer, OAuth2PasswordRequestForm
from jose import ExpiredSignatureError, JWTError
from jose import jwt as jose_jwt
from pydantic import BaseModel, Field

API_KEY = os.getenv("API_KEY", "test-api-key")
LOGIN_SECRET = os.getenv("JWT_SECRET_KEY", "seed001-secret-key-0123456789abcdef0123456789")
TASKS_SECRET = os.getenv("BETTER_AUTH_SECRET", "better-auth-lab-secret-0123456789abcdef")
SLOW_MS = int(os.getenv("SLOW_MS", "0"))
FAIL = int(os.getenv("FAIL", "0"))
app = FastAPI()
calls = {"users": 0}


def scramble(password):
    return hashlib.scrypt(password.encode(), salt=b"salt", n=1024, r=8, p=1).hex()


# --- profiles ------------------------------------------------------------------------

def profile(id_, name, email, **more):
    return {"id": id_, "email": email, "username": email.partition("@")[0], "name": name, "firstName": None,
            "lastName": None, "displayName": None, "image": None, "role": "MEMBER", "positionTitle": None,
            "division": None, "department": None, "section": None, "customTeam": None, "isActive": True,
            "isLeader": False} | more


USERS = {
    "cmgoip1nt0001s89pzkw7bzlg": profile(
        "cmgoip1nt0001s89pzkw7bzlg", "Ann Lab", "ann@example.com", firstName="Ann", lastName="Lab",
        displayName="Ann L.", role="ADMIN", positionTitle="Engineer", division="IT", department="Platform",
        section="Core", isLeader=True),
    "u-2": profile("u-2", "Zo\u00eb \u5f20", "zoe@example.com", firstName="Zo\u00eb", lastName="\u5f20",
                   image="/i/zoe.png", department="Ventas, \"Sur\"\nX", customTeam="A;B=C"),
    "u-3": profile("u-3", "Old", "old@example.com", firstName="Old", lastName="Acc", displayName="Old",
                   isActive=False),
    "42": profile(42, "Int Id", "int@example.com", firstName="Int", lastName="Id", displayName="Int Id"),
} | {f"user-{i}": profile(f"user-{i}", f"Name {i}", f"user-{i}@example.com", department=f"department of user-{i}")
     for i in range(int(os.getenv("MORE_USERS", "0")))}


async def verify_api_key(x_api_key: str = Header(None)):
    if not x_api_key:
        raise HTTPException(status_code=401, detail="API Key required")
    if x_api_key != API_KEY:
        raise HTTPException(status_code=403, detail="Invalid API Key")
    return True


@app.get("/api/v1/users/me")
async def users_me():
    return RedirectResponse("/login", status_code=307)


@app.get("/api/v1/users/{user_id}")
async def get_user(user_id: str, _: bool = Depends(verify_api_key)):
    calls["users"] += 1
    if SLOW_MS:
        await asyncio.sleep(SLOW_MS / 1000)
    if FAIL and calls["users"] % FAIL == 0:
        raise HTTPException(status_code=500, detail="test failure")
    if user_id not in USERS:
        raise HTTPException(status_code=404, detail="User not found")
    return USERS[user_id]


@app.get("/_test/calls")
async def test_calls():
    return calls


@app.get("/health")
async def health():
    return {"status": "ok"}


# --- login service -------------------------------------------------------------------

oauth2 = OAuth2PasswordBearer(tokenUrl="auth/login")
accounts = {"test@example.com": {"email": "test@example.com", "password": scramble("password"), "name": "Test"}}
ended = set()


class Registration(BaseModel):
    email: str
    password: str = Field(..., min_length=8)
    name: str = ""


def create_access_token(subject, lifetime=timedelta(minutes=30)):
    now = datetime.now(timezone.utc)
    claims = {"sub": subject, "exp": now + lifetime, "iat": now, "jti": secrets.token_urlsafe(16)}
    return pyjwt.encode(claims, LOGIN_SECRET, algorithm="HS256")


def verify_login_token(token: str = Depends(oauth2)):
    headers = {"WWW-Authenticate": "Bearer"}
    if token in ended:
        raise HTTPException(401, "Token has been invalidated", headers)
    try:
        claims = pyjwt.decode(token, LOGIN_SECRET, algorithms=["HS256"])
    except pyjwt.ExpiredSignatureError:
        raise HTTPException(401, "Token has expired", headers) from None
    except pyjwt.InvalidTokenError:
        raise HTTPException(401, "Invalid token", headers) from None
    if claims.get("sub") is None:
        raise HTTPException(401, "Could not validate credentials", headers)
    return claims["sub"]


@app.post("/auth/register", status_code=201)
async def register(given: Registration):
    if given.email in accounts:
        raise HTTPException(400, "Email already registered")
    accounts[given.email] = {"email": given.email, "password": scramble(given.password), "name": given.name}
    return {"email": given.email, "name": given.name}


@app.post("/auth/login")
async def log_in(form: OAuth2PasswordRequestForm = Depends()):  # noqa: B008 - FastAPI's way
    account = accounts.get(form.username)
    if not account or account["password"] != scramble(form.password):
        raise HTTPException(401, "Incorrect username or password", {"WWW-Authenticate": "Bearer"})
    return {"access_token": create_access_token(account["email"]), "token_type": "bearer", "expires_in": 1800}


@app.post("/auth/logout")
async def log_out(token: str = Depends(oauth2)):
    ended.add(token)
    return {"message": "Successfully logged out", "detail": "Token has been invalidated"}


@app.get("/auth/users/me")
async def me(subject: str = Depends(verify_login_token)):
    return {"email": subject}


# --- tasks application ---------------------------------------------------------------

bearer = HTTPBearer()
owners = {}


class Signup(BaseModel):
    email: str = Field(..., regex=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")
    password: str = Field(..., min_length=8)
    name: str


class Signin(BaseModel):
    email: str
    password: str


def answer(owner):
    now = datetime.utcnow()
    claims = {"sub": owner["id"], "user_id": owner["id"], "email": owner["email"], "exp": now + timedelta(days=7),
              "iat": now}
    return {"success": True, "data": {"token": jose_jwt.encode(claims, TASKS_SECRET, algorithm="HS256"),
                                      "user": {key: owner[key] for key in ("id", "email", "name")}}}


def verify_tasks_token(given: HTTPAuthorizationCredentials = Depends(bearer)):  # noqa: B008
    try:
        claims = jose_jwt.decode(given.credentials, TASKS_SECRET, algorithms=["HS256"])
    except ExpiredSignatureError:
        raise HTTPException(401, "Token has expired. Please sign in again.") from None
    except JWTError:
        raise HTTPException(401, "Invalid token") from None
    user_id = claims.get("sub") or claims.get("user_id")
    if not user_id:
        raise HTTPException(401, "Invalid token: missing user_id")
    return user_id


@app.post("/api/auth/signup", status_code=201)
async def sign_up(given: Signup):
    if given.email in owners:
        raise HTTPException(400, "Email already exists")
    owners[given.email] = {"id": str(uuid.uuid4()), "email": given.email, "name": given.name,
                           "password": scramble(given.password)}
    return answer(owners[given.email])


@app.post("/api/auth/signin")
async def sign_in(given: Signin):
    owner = owners.get(given.email)
    if not owner or owner["password"] != scramble(given.password):
        raise HTTPException(401, "Invalid email or password")
    return answer(owner)


@app.post("/api/auth/signout")
async def sign_out(_: str = Depends(verify_tasks_token)):
    return {"success": True}


@app.get("/api/{user_id}/tasks")
async def tasks(user_id: str, owner: str = Depends(verify_tasks_token)):
    if owner != user_id:
        raise HTTPException(403, "User ID mismatch: You can only access your own data")
    return {"success": True, "data": []}


if __name__ == "__main__":
    import uvicorn
    uvicorn.run(app, host=os.getenv("HOST", "127.0.0.1"), port=int(os.getenv("PORT", "27020")), log_level="warning")
