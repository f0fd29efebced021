"""Signing in and out of a server with accounts, and the keys of its programs."""

import datetime
from http import HTTPStatus
from typing import Annotated, Any, Literal, Self

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from unbraid.service.accounts import Scope, scopes_of
from unbraid.service.allowances import Left
from unbraid.service.db import ApiKey
from unbraid.service.gate import (
    COOKIE,
    AtGate,
    AtTrail,
    Caller,
    Gate,
    SignedIn,
    address_of,
)
from unbraid.service.passwords import MAX_LENGTH
from unbraid.service.refusals import NotAllowed
from unbraid.service.schemas import Allowances, moment
from unbraid.service.settings import Mode

router = APIRouter(tags=["accounts"])

Password = Annotated[SecretStr, Field(max_length=MAX_LENGTH)]


def in_person(gate: AtGate, caller: SignedIn) -> Caller:
    """One who has signed in: keys make no keys, and change no password."""
    if gate.accounts and caller.by != "session":  # the first says it where there are none
        raise NotAllowed("sign in for this; a key does not suffice")
    return caller


InPerson = Annotated[Caller, Depends(in_person)]


class SignIn(BaseModel):
    """Who one is, and what shows it."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(max_length=64, examples=["elise"])]
    password: Annotated[Password, Field(examples=["not this one, please"])]


class SessionView(BaseModel):
    """What a session is shown by; browsers have it as a cookie already."""

    token: Annotated[str, Field(description="for `Authorization: Bearer`")]
    expires_in: Annotated[float, Field(description="seconds until it must be renewed")]


class Me(BaseModel):
    """Who asks."""

    mode: Annotated[Mode, Field(description="of the server; in local mode there are no accounts")]
    name: str
    tier: str
    scopes: Annotated[tuple[Scope, ...], Field(description="of what is shown with the request")]
    allowances: Annotated[Allowances | None, Field(description="null in local mode")]


class PasswordChange(BaseModel):
    """A password, and the one that takes its place."""

    model_config = ConfigDict(extra="forbid")

    old: Password
    new: Password


class KeyRequest(BaseModel):
    """A key to make."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=64, examples=["laptop"])]
    scopes: Annotated[
        tuple[Literal["read", "write"], ...],
        Field(min_length=1, description="write alone cannot read"),
    ] = ("read", "write")


class KeyView(BaseModel):
    """A key, without what only its owner knows."""

    id: Annotated[str, Field(description="begins the key, after `unbraid_`")]
    name: str
    scopes: tuple[Scope, ...]
    created: datetime.datetime
    last_used: Annotated[datetime.datetime | None, Field(description="to the minute")]

    @classmethod
    def of(cls, key: ApiKey) -> Self:
        """The view of a key."""
        return cls(**_facts(key))


class NewKeyView(KeyView):
    """A key that was just made."""

    token: Annotated[str, Field(description="shown this once")]


@router.post("/session", status_code=HTTPStatus.CREATED)
def sign_in(wish: SignIn, gate: AtGate, request: Request, response: Response) -> SessionView:
    """Sign in with a name and a password."""
    token = gate.sign_in(wish.name, wish.password.get_secret_value(), address_of(request))
    return _session(gate, token, response)


@router.post("/session/renew", status_code=HTTPStatus.CREATED)
def renew(gate: AtGate, caller: SignedIn, response: Response) -> SessionView:
    """Go on with a session that would soon end."""
    return _session(gate, gate.renew(caller), response)


@router.delete("/session", status_code=HTTPStatus.NO_CONTENT)
def sign_out(gate: AtGate, caller: InPerson, trail: AtTrail, response: Response) -> None:
    """Sign out, wherever one is signed in; keys stay."""
    gate.accounts.end_sessions(caller.name)
    trail.note("signed out", caller.name)
    response.delete_cookie(COOKIE, secure=True, httponly=True, samesite="strict")


@router.get("/me")
def me(gate: AtGate, caller: SignedIn, left: Left) -> Me:
    """Say who asks, and what one may still do."""
    return Me(
        mode=gate.settings.mode,
        name=caller.name,
        tier=caller.tier,
        scopes=caller.scopes,
        allowances=left,
    )


@router.put("/me/password", status_code=HTTPStatus.NO_CONTENT)
def change_password(change: PasswordChange, gate: AtGate, caller: InPerson, trail: AtTrail) -> None:
    """Take another password, which ends all sessions."""
    gate.check_password(caller, change.old.get_secret_value(), trail.address)
    gate.accounts.set_password(caller.name, change.new.get_secret_value())
    trail.note("password changed", caller.name)


@router.get("/keys")
def list_keys(gate: AtGate, caller: SignedIn) -> list[KeyView]:
    """List the keys of one's programs."""
    return [KeyView.of(key) for key in gate.accounts.keys(caller.owner)]


@router.post("/keys", status_code=HTTPStatus.CREATED)
def add_key(wish: KeyRequest, gate: AtGate, caller: InPerson, trail: AtTrail) -> NewKeyView:
    """Make a key for a program; one must have signed in for that."""
    made = gate.accounts.add_key(caller.owner, wish.name, wish.scopes)
    trail.note("key added", made.key.id)
    return NewKeyView(**_facts(made.key), token=made.token)


@router.delete("/keys/{key_id}", status_code=HTTPStatus.NO_CONTENT)
def revoke_key(key_id: str, gate: AtGate, caller: InPerson, trail: AtTrail) -> None:
    """End a key at once."""
    trail.note("key revoked", gate.accounts.revoke_key(key_id, caller.owner).id)


def _session(gate: Gate, token: str, response: Response) -> SessionView:
    lasts_s = round(gate.settings.session_minutes * 60)
    response.set_cookie(
        COOKIE, token, max_age=lasts_s, secure=True, httponly=True, samesite="strict"
    )
    return SessionView(token=token, expires_in=lasts_s)


def _facts(key: ApiKey) -> dict[str, Any]:
    return {
        "id": key.id,
        "name": key.name,
        "scopes": scopes_of(key),
        "created": moment(key.created),
        "last_used": moment(key.last_used),
    }
