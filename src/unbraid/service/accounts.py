"""Those who may use a server: their accounts, and the keys of their programs."""

import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from unbraid.errors import InputError
from unbraid.service.db import Account, ApiKey, Database
from unbraid.service.jobs import Conflict, NotFound, remove_all
from unbraid.service.passwords import Passwords
from unbraid.service.tiers import STANDARD

Scope = Literal["read", "write", "metrics"]
SCOPES: tuple[Scope, ...] = get_args(Scope)
KEY_PREFIX = "unbraid_"
MAX_KEYS = 50  # of an account
USE_S = 60.0  # to which it is known when a key was used
NAME = re.compile(r"[a-z0-9][a-z0-9._@+-]{0,63}")


@dataclass(frozen=True)
class NewKey:
    """A key as only its owner ever sees it.

    Attributes:
        key: what is kept of it.
        token: what a program shows.
    """

    key: ApiKey
    token: str


class Accounts:
    """The accounts of a database."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._passwords = Passwords()

    def add(self, name: str, password: str, tier: str = STANDARD) -> Account:
        """Make an account.

        Raises:
            InputError: the name or the password will not do.
            Conflict: the name is taken.
        """
        if not NAME.fullmatch(name := name.casefold()):
            raise InputError(
                "a name has up to 64 of a-z 0-9 . _ @ + - and begins with a letter or digit"
            )
        account = Account(
            id=secrets.token_urlsafe(12),
            name=name,
            password=self._passwords.hash(password),
            tier=tier,
            epoch=0,
            created=time.time(),
        )
        try:
            with self.database.write() as session:
                session.add(account)
        except IntegrityError as error:
            raise Conflict(f"there is an account {name!r} already; choose another name") from error
        return account

    def all(self) -> Sequence[Account]:
        """All accounts, by name."""
        with self.database.read() as session:
            return session.scalars(sa.select(Account).order_by(Account.name)).all()

    def get(self, account_id: str) -> Account | None:
        """An account."""
        with self.database.read() as session:
            return session.get(Account, account_id)

    def named(self, name: str) -> Account:
        """The account of a name.

        Raises:
            NotFound: there is none.
        """
        with self.database.read() as session:
            return _named(session, name)

    def signed_in(self, name: str, password: str) -> Account | None:
        """The account of a name and its password; None if they do not go together.

        Raises:
            ResourceError: too many sign in at once.
        """
        with self.database.read() as session:
            account = session.scalar(sa.select(Account).where(Account.name == name.casefold()))
        kept = account.password if account else None
        return account if self._passwords.fits(password, kept) else None

    def set_password(self, name: str, password: str) -> Account:
        """Give an account another password, and end its sessions.

        Raises:
            NotFound: there is no such account.
            InputError: the password will not do.
        """
        return self._change(name, password=self._passwords.hash(password), epoch=Account.epoch + 1)

    def set_tier(self, name: str, tier: str) -> Account:
        """Put an account into another tier.

        Raises:
            NotFound: there is no such account.
        """
        return self._change(name, tier=tier)

    def end_sessions(self, name: str) -> Account:
        """Sign an account out wherever it is signed in.

        Raises:
            NotFound: there is no such account.
        """
        return self._change(name, epoch=Account.epoch + 1)

    def remove(self, name: str) -> Account:
        """Remove an account with its keys and jobs; their files go soon.

        Raises:
            NotFound: there is no such account.
        """
        with self.database.write() as session:
            account = _named(session, name)
            remove_all(session, account.id)
            session.execute(sa.delete(ApiKey).where(ApiKey.owner == account.id))
            session.delete(account)
            return account

    def add_key(self, owner: str, name: str, scopes: Sequence[Scope]) -> NewKey:
        """Make a key.

        Raises:
            Conflict: the account has too many.
        """
        secret = secrets.token_urlsafe(32)
        key = ApiKey(
            id=secrets.token_hex(6),
            owner=owner,
            name=name,
            digest=_digest(secret),
            scopes=",".join(scope for scope in SCOPES if scope in scopes),
            created=time.time(),
        )
        with self.database.write() as session:
            count = sa.select(sa.func.count()).select_from(ApiKey).where(ApiKey.owner == owner)
            if (session.scalar(count) or 0) >= MAX_KEYS:
                raise Conflict(f"an account has {MAX_KEYS} keys at most; revoke some first")
            session.add(key)
        return NewKey(key, f"{KEY_PREFIX}{key.id}_{secret}")

    def keys(self, owner: str | None = None) -> Sequence[ApiKey]:
        """The keys of an account, or all."""
        query = sa.select(ApiKey).order_by(ApiKey.created)
        with self.database.read() as session:
            return session.scalars(query.where(ApiKey.owner == owner) if owner else query).all()

    def revoke_key(self, key_id: str, owner: str | None = None) -> ApiKey:
        """End a key, where given that of an owner.

        Raises:
            NotFound: there is none of that id.
        """
        query = sa.delete(ApiKey).where(ApiKey.id == key_id)
        with self.database.write() as session:
            own = query.where(ApiKey.owner == owner) if owner else query
            key: ApiKey | None = session.scalar(own.returning(ApiKey))
        if key is None:
            raise NotFound("there is no such key")
        return key

    def holder(self, token: str) -> tuple[Account, ApiKey] | None:
        """The account that a key is of, and what is kept of the key; None if it is no key."""
        key_id, _, secret = token.removeprefix(KEY_PREFIX).partition("_")
        now = time.time()
        with self.database.read() as session:
            key = session.get(ApiKey, key_id)
            fits = hmac.compare_digest(_digest(secret), key.digest if key else _digest(""))
            account = session.get(Account, key.owner) if key else None
        if not fits or key is None or account is None:
            return None
        if key.last_used is None or key.last_used < now - USE_S:
            with self.database.write() as session:
                used = sa.update(ApiKey).where(ApiKey.id == key.id)
                session.execute(used.values(last_used=now))
        return account, key

    def _change(self, name: str, **values: object) -> Account:
        with self.database.write() as session:
            account = _named(session, name)
            changed = sa.update(Account).where(Account.id == account.id).values(**values)
            session.execute(changed)
            session.refresh(account)
            return account


def scopes_of(key: ApiKey) -> tuple[Scope, ...]:
    """What a key may be used for."""
    return tuple(scope for scope in SCOPES if scope in key.scopes.split(","))


def _named(session: Session, name: str) -> Account:
    account = session.scalar(sa.select(Account).where(Account.name == name.casefold()))
    if account is None:
        raise NotFound("there is no account of that name; `unbraid users list` shows them")
    return account


def _digest(secret: str) -> str:
    """A key's secret is random and long, so that a plain hash keeps it."""
    return hashlib.sha256(secret.encode()).hexdigest()
