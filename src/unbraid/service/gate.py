"""Who asks: the one user of this machine, or an account, by a session or a key.

A session's token comes as `Authorization: Bearer` or, from the server's own pages, in a cookie that
no script can read and that browsers send along by themselves. So that no other page can make use of
that, the cookie counts only for requests of the same origin, and where they change something, only
with the header `X-Requested-With`, which pages of other sites cannot set.
"""

import ipaddress
import secrets
import time
from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import Depends
from limits import RateLimitItem, RateLimitItemPerMinute
from starlette.exceptions import WebSocketException
from starlette.requests import HTTPConnection
from starlette.status import WS_1008_POLICY_VIOLATION

from unbraid.errors import UnbraidError
from unbraid.service.accounts import KEY_PREFIX, SCOPES, Accounts, Scope, scopes_of
from unbraid.service.audit import Audit, AuditEvent
from unbraid.service.db import Account, Database
from unbraid.service.jobs import Conflict
from unbraid.service.refusals import NotAllowed, NotSignedIn, TooMany
from unbraid.service.security import same_origin
from unbraid.service.sessions import Sessions
from unbraid.service.settings import Settings
from unbraid.service.signed_links import SignedLinks
from unbraid.service.throttle import Throttle
from unbraid.service.tiers import STANDARD

API = "/api/v1"
OPEN = ("GET /health", "GET /ready", f"POST {API}/session")
LINKS = f"{API}/links/"  # which show by themselves that they may be followed
METRICS = "/metrics"
COOKIE = "__Host-unbraid"
CSRF_HEADER = "x-requested-with"
SAFE = ("GET", "HEAD", "OPTIONS")
WEBSOCKET = "websocket"  # which has no method, and takes wishes
PER_NAME = RateLimitItemPerMinute(5, 15)  # sign-ins that fail, from one address
PER_ADDRESS = RateLimitItemPerMinute(60, 15)  # sign-ins for any name

By = Literal["nobody", "machine", "session", "key"]


@dataclass(frozen=True)
class Caller:
    """One who asks.

    Attributes:
        owner: what is made belongs to it.
        name: for people.
        tier: whose limits hold.
        scopes: what may be asked.
        by: what showed it.
        signed_in: when the password was given, for a session.
    """

    owner: str
    name: str
    tier: str
    scopes: tuple[Scope, ...]
    by: By
    signed_in: float | None = None


THIS_MACHINE = Caller("local", "local", "local", SCOPES, "machine")
NOBODY = Caller("", "nobody", "", (), "nobody")


class Gate:
    """Knows those who ask. Without accounts, in local mode, it is always the same one."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self.audit = Audit(database)
        self.settings = settings
        self._throttle = Throttle(settings.redis)
        secret = settings.secret.get_secret_value() if settings.secret else secrets.token_hex()
        self.links = SignedLinks(secret)
        self._sessions = Sessions(secret, settings.session_minutes * 60)
        self._accounts = Accounts(database) if settings.mode == "server" else None

    @property
    def accounts(self) -> Accounts:
        """Of a server.

        Raises:
            Conflict: there are none in local mode.
        """
        if self._accounts is None:
            raise Conflict("this server has no accounts: it serves whoever uses its machine")
        return self._accounts

    def admit(self, connection: HTTPConnection) -> Caller:
        """Who asks.

        Raises:
            NotSignedIn: that cannot be seen.
            NotAllowed: it may not ask for this.
            TooMany: it asks too often.
        """
        if self._accounts is None:
            return THIS_MACHINE
        path, method = connection.scope["path"], connection.scope.get("method", WEBSOCKET)
        if f"{method} {path}" in OPEN or (path.startswith(LINKS) and method in SAFE):
            return NOBODY
        caller = self._known(connection)
        scope: Scope = "metrics" if path == METRICS else "read" if method in SAFE else "write"
        if scope not in caller.scopes:
            raise NotAllowed(f"this needs a key with the scope {scope!r}")
        return caller

    def sign_in(self, name: str, password: str, address: str) -> str:
        """Give a token for a name and its password.

        Raises:
            NotSignedIn: they do not go together.
            TooMany: that was tried too often.
            ResourceError: too many sign in at once.
        """
        account = self._checked(name.casefold(), password, address)
        self.audit.note("signed in", account.name, account.id, address)
        return self._sessions.token(account.id, account.epoch)

    def check_password(self, caller: Caller, password: str, address: str) -> None:
        """Make sure that one who has signed in still knows the password.

        Raises:
            NotAllowed: it is another.
            TooMany: that was tried too often.
            ResourceError: too many sign in at once.
        """
        try:
            self._checked(caller.name, password, address)
        except NotSignedIn as error:
            raise NotAllowed("the old password is another") from error

    def _checked(self, name: str, password: str, address: str) -> Account:
        try:
            self._throttle.spend(PER_ADDRESS, "address", address, what="sign-ins")
            self._throttle.spend(PER_NAME, "name", name, address, what="sign-ins")
        except TooMany:
            self.audit.note("sign-in throttled", name, None, address)
            raise
        account = self.accounts.signed_in(name, password)
        if account is None:
            self.audit.note("sign-in failed", name, None, address)
            raise NotSignedIn("this name and this password do not go together")
        self._throttle.forgive(PER_NAME, "name", name, address)
        return account

    def renew(self, caller: Caller) -> str:
        """Give another token to one who signed in not too long ago.

        Raises:
            NotSignedIn: it was too long ago.
            NotAllowed: the one has not signed in, but shown a key.
        """
        account = self.accounts.get(caller.owner)
        if caller.signed_in is None or account is None:
            raise NotAllowed("only a session can be renewed")
        if time.time() - caller.signed_in > self.settings.session_days * 86_400:
            raise NotSignedIn("you signed in long ago; sign in again")
        return self._sessions.token(account.id, account.epoch, caller.signed_in)

    def requests_left(self, caller: Caller) -> tuple[int | None, float | None]:
        """Requests that one may still send now, and seconds until there are more."""
        limit = self._requests(caller)
        return self._throttle.left(limit, "owner", caller.owner) if limit else (None, None)

    def _requests(self, caller: Caller) -> RateLimitItem | None:
        tiers = self.settings.tiers
        most = (tiers.get(caller.tier) or tiers[STANDARD]).requests_per_minute
        return RateLimitItemPerMinute(most) if most else None

    def _known(self, connection: HTTPConnection) -> Caller:
        """Who asks, if that is not too often."""
        try:
            caller = self._shown(connection)
        except NotSignedIn:
            strangers = RateLimitItemPerMinute(self.settings.requests_per_minute)
            self._throttle.spend(strangers, "stranger", address_of(connection), what="requests")
            raise
        if limit := self._requests(caller):
            self._throttle.spend(limit, "owner", caller.owner, what="requests")
        return caller

    def _shown(self, connection: HTTPConnection) -> Caller:
        kind, _, token = connection.headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer":
            if token.startswith(KEY_PREFIX):
                return self._by_key(token)
            return self._by_session(token)
        cookie = connection.cookies.get(COOKIE)
        if cookie is None or not same_origin(connection.headers):
            raise NotSignedIn("sign in, or send a key as `Authorization: Bearer …`")
        method = connection.scope.get("method", WEBSOCKET)
        if method not in (*SAFE, WEBSOCKET) and CSRF_HEADER not in connection.headers:
            raise NotAllowed("with a cookie, changes need the header X-Requested-With")
        return self._by_session(cookie)

    def _by_key(self, token: str) -> Caller:
        held = self.accounts.holder(token)
        if held is None:
            raise NotSignedIn("this key is unknown or was revoked")
        account, key = held
        return _caller(account, scopes_of(key), "key")

    def _by_session(self, token: str) -> Caller:
        session = self._sessions.read(token)
        account = self.accounts.get(session.owner) if session else None
        if session is None or account is None or account.epoch != session.epoch:
            raise NotSignedIn("this session has ended; sign in again")
        return _caller(account, ("read", "write"), "session", session.signed_in)


def _caller(
    account: Account, scopes: tuple[Scope, ...], by: By, signed_in: float | None = None
) -> Caller:
    return Caller(account.id, account.name, account.tier, scopes, by, signed_in)


def address_of(connection: HTTPConnection) -> str:
    """Where a request comes from; of IPv6 the network, for a machine has many addresses."""
    host = connection.client.host if connection.client else "unknown"
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    return str(ipaddress.ip_network((address, 64), strict=False)) if address.version == 6 else host


def gate_of(connection: HTTPConnection) -> Gate:
    """The gate of the server that a request came to."""
    gate: Gate = connection.app.state.gate
    return gate


AtGate = Annotated[Gate, Depends(gate_of)]


def admitted(connection: HTTPConnection, gate: AtGate) -> Caller:
    """Who asks; a WebSocket is closed where that is nobody."""
    try:
        return gate.admit(connection)
    except UnbraidError as error:
        if connection.scope["type"] == "websocket":
            raise WebSocketException(WS_1008_POLICY_VIOLATION, str(error)) from error
        raise


SignedIn = Annotated[Caller, Depends(admitted)]


@dataclass(frozen=True)
class Trail:
    """Where a request leaves what it did for the audit log."""

    gate: Gate
    caller: Caller
    address: str

    def note(self, event: AuditEvent, subject: str) -> None:
        """Write an entry; in local mode there is nobody to look into it."""
        if self.caller.by != "machine":
            self.gate.audit.note(event, subject, self.caller.owner or None, self.address)


def _trail(connection: HTTPConnection, gate: AtGate, caller: SignedIn) -> Trail:
    return Trail(gate, caller, address_of(connection))


AtTrail = Annotated[Trail, Depends(_trail)]
