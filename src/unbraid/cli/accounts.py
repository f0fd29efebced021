"""The command line's `users` and `keys`: who may use a server, and what they did."""

import datetime
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, cast, get_args

import typer

from unbraid import terminal
from unbraid.cli.serve import Data, explained, read_settings
from unbraid.errors import InputError

if TYPE_CHECKING:
    from unbraid.service.accounts import Accounts, Scope
    from unbraid.service.audit import Audit

users_app = typer.Typer(no_args_is_help=True, help="The accounts of a server.")
keys_app = typer.Typer(no_args_is_help=True, help="The API keys of a server.")

Name = Annotated[str, typer.Argument(help="An account.", metavar="NAME")]
Tier = Annotated[str, typer.Option(help="Whose limits hold for it.")]


@users_app.command("add")
def add_user(name: Name, tier: Tier = "standard", data: Data = None) -> None:
    """Make an account; asks for its password, or reads it from a pipe."""
    with _server(data) as (accounts, audit):
        account = accounts.add(name, _password(), _known(tier))
        audit.note("account added", account.name, account.id)


@users_app.command("list")
def list_users(data: Data = None) -> None:
    """Show all accounts."""
    with _server(data) as (accounts, _):
        terminal.show_table(
            ("account", "tier", "since"),
            [(each.name, each.tier, _moment(each.created)) for each in accounts.all()],
        )


@users_app.command("remove")
def remove_user(name: Name, data: Data = None) -> None:
    """Remove an account with its keys, recordings and results."""
    with _server(data) as (accounts, audit):
        account = accounts.remove(name)
        audit.note("account removed", account.name, account.id)


@users_app.command("password")
def set_password(name: Name, data: Data = None) -> None:
    """Give an account another password, and end its sessions."""
    with _server(data) as (accounts, audit):
        account = accounts.set_password(name, _password())
        audit.note("password changed", account.name, account.id)


@users_app.command("tier")
def set_tier(
    name: Name, tier: Annotated[str, typer.Argument(metavar="TIER")], data: Data = None
) -> None:
    """Put an account into another tier."""
    with _server(data) as (accounts, audit):
        account = accounts.set_tier(name, _known(tier))
        audit.note("tier changed", f"{account.name}: {tier}", account.id)


@users_app.command("log")
def show_log(
    count: Annotated[int, typer.Option("--last", help="Entries.", min=1)] = 100,
    data: Data = None,
) -> None:
    """Show who signed in or failed to, and what was given and taken away."""
    with _server(data) as (accounts, audit):
        names = {account.id: account.name for account in accounts.all()}
        for entry in audit.last(count):
            owner = names.get(entry.owner or "", entry.owner or "nobody")
            subject = ascii(entry.subject)  # which strangers may have chosen
            typer.echo(
                f"{_moment(entry.at)}  {entry.event}: {subject}, by {owner} from {entry.address}"
            )


@keys_app.command("add")
def add_key(
    user: Name,
    name: Annotated[str, typer.Option(help="What it is for.")] = "key",
    scopes: Annotated[
        str, typer.Option(help="What it may be used for: read, write, metrics.")
    ] = "read,write",
    data: Data = None,
) -> None:
    """Make a key of an account, and print it this once."""
    with _server(data) as (accounts, audit):
        made = accounts.add_key(accounts.named(user).id, name, _scopes(scopes))
        audit.note("key added", made.key.id, made.key.owner)
        typer.echo(made.token)


@keys_app.command("list")
def list_keys(
    user: Annotated[str | None, typer.Argument(help="By default all.", metavar="NAME")] = None,
    data: Data = None,
) -> None:
    """Show keys, without what only their owners know."""
    with _server(data) as (accounts, _):
        names = {account.id: account.name for account in accounts.all()}
        terminal.show_table(
            ("key", "account", "for", "scopes", "since", "last used"),
            [
                (
                    key.id,
                    names[key.owner],
                    key.name,
                    key.scopes,
                    _moment(key.created),
                    _moment(key.last_used),
                )
                for key in accounts.keys(accounts.named(user).id if user else None)
            ],
        )


@keys_app.command("revoke")
def revoke_key(
    key: Annotated[str, typer.Argument(help="Its id, which `list` shows.", metavar="KEY")],
    data: Data = None,
) -> None:
    """End a key at once."""
    with _server(data) as (accounts, audit):
        revoked = accounts.revoke_key(key)
        audit.note("key revoked", revoked.id, revoked.owner)


@contextmanager
def _server(data: Data) -> "Iterator[tuple[Accounts, Audit]]":
    """The accounts and the audit log of the server on a data folder, running or not."""
    with explained():
        settings = read_settings(data=data)
        from unbraid.service.accounts import Accounts
        from unbraid.service.audit import Audit
        from unbraid.service.db import Database

        settings.data.mkdir(parents=True, exist_ok=True)
        database = Database(settings.database_url)
        database.migrate()
        try:
            yield Accounts(database), Audit(database)
        finally:
            database.close()


def _known(tier: str) -> str:
    tiers = read_settings().tiers
    if tier not in tiers:
        raise InputError(f"there is no tier {tier!r}; UNBRAID_TIERS has: {', '.join(tiers)}")
    return tier


def _password() -> str:
    if sys.stdin.isatty():
        return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))
    return sys.stdin.readline().rstrip("\n")


def _scopes(text: str) -> "tuple[Scope, ...]":
    from unbraid.service.accounts import Scope

    scopes = [part.strip() for part in text.split(",")]
    if unknown := [each for each in scopes if each not in get_args(Scope)]:
        raise InputError(
            f"there is no scope {unknown[0]!r}; choose of: {', '.join(get_args(Scope))}"
        )
    return cast("tuple[Scope, ...]", tuple(scopes))


def _moment(time_s: float | None) -> str:
    if time_s is None:
        return "never"
    return datetime.datetime.fromtimestamp(time_s).astimezone().isoformat(" ", "seconds")
