"""Sign-in by the city's OpenID provider: authorization code with PKCE, state and nonce.

The provider says who somebody is; through which account they act is in the ledger
(`yishu user link`). What goes between the two requests is sealed into a cookie of ten minutes.
"""

import base64
import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import httpx
from itsdangerous import BadSignature, URLSafeTimedSerializer
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert

from catalog.roles import Action
from yishu.governance import accounts
from yishu.governance.permission import require
from yishu.ledger.journal import Act, Actor, append
from yishu.ledger.models import OutsideIdentity
from yishu.portal.errors import SignInRefused

COOKIE = "yishu_openid"
_SECONDS = 600
_TIMEOUT = 10.0
_ALGORITHMS = ["RS256", "RS384", "RS512", "ES256", "ES384", "PS256"]
_LEEWAY = 60


@dataclass(frozen=True)
class Provider:
    """An OpenID provider that knows this portal."""

    issuer: str
    client_id: str
    client_secret: str


@dataclass(frozen=True)
class Journey:
    """What must come back unchanged between leaving for the provider and returning."""

    state: str
    nonce: str
    verifier: str


class OpenId:
    """Signs people in by a provider; ``key`` seals the cookie."""

    def __init__(self, provider: Provider, key: str) -> None:
        self._provider = provider
        self._serializer = URLSafeTimedSerializer(key, salt="openid")

    def leave(self, callback: str) -> tuple[str, str]:
        """Where to send the browser, and the cookie that it takes along."""
        trip = Journey(*(secrets.token_urlsafe(32) for _ in range(3)))
        hashed = hashlib.sha256(trip.verifier.encode()).digest()
        asked = {
            "response_type": "code",
            "client_id": self._provider.client_id,
            "redirect_uri": callback,
            "scope": "openid",
            "state": trip.state,
            "nonce": trip.nonce,
            "code_challenge": base64.urlsafe_b64encode(hashed).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        address = self._described()["authorization_endpoint"]
        return f"{address}?{urlencode(asked)}", str(self._serializer.dumps(vars(trip)))

    def back(self, cookie: str | None, state: str, code: str, callback: str) -> tuple[str, str]:
        """Issuer and subject of whoever came back.

        Raises:
            SignInRefused: not the journey that began here, or no proof of who it is.
        """
        trip = self._journey(cookie)
        if trip is None or not secrets.compare_digest(trip.state, state):
            raise refused("a return that began elsewhere, or more than ten minutes ago")
        claims = self._claims(code, trip, callback)
        return str(claims["iss"]), str(claims["sub"])

    def _journey(self, cookie: str | None) -> Journey | None:
        try:
            return Journey(**self._serializer.loads(cookie or "", max_age=_SECONDS))
        except BadSignature:
            return None

    def _described(self) -> Mapping[str, Any]:
        address = f"{self._provider.issuer.rstrip('/')}/.well-known/openid-configuration"
        try:
            answer = httpx.get(address, timeout=_TIMEOUT).raise_for_status()
        except httpx.HTTPError as error:
            raise refused(f"a provider that does not answer: {type(error).__name__}") from None
        return answer.json()  # type: ignore[no-any-return]

    def _claims(self, code: str, trip: Journey, callback: str) -> Mapping[str, Any]:
        described = self._described()
        given = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": callback,
            "code_verifier": trip.verifier,
        }
        us = (self._provider.client_id, self._provider.client_secret)
        try:
            answer = httpx.post(
                described["token_endpoint"], data=given, auth=us, timeout=_TIMEOUT
            ).raise_for_status()
            keys = httpx.get(described["jwks_uri"], timeout=_TIMEOUT).raise_for_status().json()
            token = jwt.decode(
                answer.json()["id_token"], KeySet.import_key_set(keys), algorithms=_ALGORITHMS
            )
            self._required(described["issuer"], trip.nonce).validate(token.claims)
        except (httpx.HTTPError, JoseError, KeyError, ValueError) as error:
            raise refused(f"no proof of who it is: {type(error).__name__}") from None
        return token.claims

    def _required(self, issuer: str, nonce: str) -> jwt.JWTClaimsRegistry:
        return jwt.JWTClaimsRegistry(
            leeway=_LEEWAY,
            iss={"essential": True, "value": issuer},
            aud={"essential": True, "value": self._provider.client_id},
            nonce={"essential": True, "value": nonce},
            sub={"essential": True},
            exp={"essential": True},
        )


@dataclass(frozen=True)
class OutsidePerson:
    """A person as an OpenID provider knows them."""

    issuer: str
    subject: str


def link_by(
    connection: Connection, person: OutsidePerson, account: str, actor: Actor, at: datetime
) -> None:
    """Let a person of a provider act through an account; linked again, through another one.

    Raises:
        Forbidden: the actor may not manage accounts.
    """
    require(actor, Action.MANAGE_ACCOUNTS, account)
    accounts.find(connection, account, at.date())
    values = {"issuer": person.issuer, "subject": person.subject, "account": account}
    keys = ["issuer", "subject"]
    statement = insert(OutsideIdentity).values(values)
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=values))
    told = {"linked": person.issuer}
    append(connection, Act(actor, Action.MANAGE_ACCOUNTS, "account", account, at, after=told))


def account_of(connection: Connection, issuer: str, subject: str) -> str:
    """The account of a person of a provider.

    Raises:
        SignInRefused: none is linked.
    """
    asked = select(OutsideIdentity.account).where(
        OutsideIdentity.issuer == issuer, OutsideIdentity.subject == subject
    )
    account = connection.execute(asked).scalar()
    if account is None:
        raise refused("a person whom no account is linked to")
    return account


def refused(found: str) -> SignInRefused:
    """A sign-in by the provider that fails."""
    return SignInRefused(
        "openid",
        found=found,
        expected="a person of the provider whom an account is linked to",
        remedy="try again, or ask the administrator for `yishu user link`",
    )
