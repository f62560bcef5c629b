"""The family API's `/api/me` as the B2C integration guide designs it: FastAPI, python-jose, keys
kept for the life of the process, claims in a dict for five minutes. Only what the guide has wrong
about issuers is put right, else no token would ever pass. Written for the benchmark, to be
measured beside the product; nobody is meant to use it.
"""

import os
import time
from typing import Any

import httpx
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import OAuth2AuthorizationCodeBearer
from jose import JWTError, jwk, jwt
from pydantic import BaseModel

METADATA = os.environ["B2C_OPENID_CONFIG"]
AUDIENCE = os.environ["B2C_CLIENT_ID"]
CACHE_SECONDS = int(os.environ["CACHE_SECONDS"])

app = FastAPI()
scheme = OAuth2AuthorizationCodeBearer(authorizationUrl="unused", tokenUrl="unused")

_metadata: dict[str, Any] | None = None
_keys: dict[str, Any] | None = None
_claims: dict[str, dict[str, Any]] = {}


class User(BaseModel):
    user_id: str
    name: str
    email: str
    roles: list[str] = []


async def fetch(url: str) -> dict[str, Any]:
    async with httpx.AsyncClient() as client:
        answer = await client.get(url)
        answer.raise_for_status()
        return answer.json()


async def key_of(header: dict[str, Any]) -> dict[str, Any] | None:
    global _metadata, _keys
    if _metadata is None:
        _metadata = await fetch(METADATA)
    if _keys is None:
        _keys = await fetch(_metadata["jwks_uri"])
    return next((key for key in _keys["keys"] if key["kid"] == header.get("kid")), None)


def refuse(detail: str) -> HTTPException:
    return HTTPException(401, detail, headers={"WWW-Authenticate": "Bearer"})


def cached(token: str) -> dict[str, Any] | None:
    entry = _claims.get(token)
    if entry is None or entry["until"] <= time.time():
        return None
    return entry["claims"]


async def verified(token: str) -> dict[str, Any]:
    claims = cached(token)
    if claims is not None:
        return claims
    try:
        key = await key_of(jwt.get_unverified_header(token))
        if key is None:
            raise refuse("unknown key")
        pem = jwk.construct(key, algorithm="RS256").to_pem().decode()
        claims = jwt.decode(
            token, pem, algorithms=["RS256"], audience=AUDIENCE, issuer=_metadata["issuer"]
        )
    except JWTError as error:
        raise refuse(str(error)) from error
    if CACHE_SECONDS:
        _claims[token] = {"claims": claims, "until": time.time() + CACHE_SECONDS}
    return claims


async def current_user(token: str = Depends(scheme)) -> User:
    claims = await verified(token)
    emails = claims.get("emails") or [""]
    return User(
        user_id=claims.get("oid") or claims.get("sub"),
        name=claims.get("name", ""),
        email=emails[0],
        roles=claims.get("roles", []),
    )


async def active_user(user: User = Depends(current_user)) -> User:
    return user


@app.get("/api/me")
async def me(user: User = Depends(active_user)) -> User:
    return user
