"""Sessions: short-lived signed tokens (JWT) of those who have signed in with a password."""

import hmac
import time
from dataclasses import dataclass

import jwt

ALGORITHM = "HS256"
AUDIENCE = "unbraid"
CLAIMS = ("sub", "exp", "iat", "aud", "auth_time", "epoch")


@dataclass(frozen=True)
class Session:
    """What a token says.

    Attributes:
        owner: account.
        epoch: of the account's sessions; a later one has ended this.
        signed_in: time when the password was given.
        expires: time when the token ends.
    """

    owner: str
    epoch: int
    signed_in: float
    expires: float


class Sessions:
    """Makes and reads tokens.

    Args:
        secret: of the server.
        lasts_s: for which a token is good.
    """

    def __init__(self, secret: str, lasts_s: float) -> None:
        self._key = key_for("session", secret)
        self._lasts_s = lasts_s

    def token(self, owner: str, epoch: int, signed_in: float | None = None) -> str:
        """Make a token, for one who signed in before or now."""
        now = time.time()
        claims = {
            "sub": owner,
            "aud": AUDIENCE,
            "iat": int(now),
            "exp": int(now + self._lasts_s),
            "auth_time": signed_in or now,
            "epoch": epoch,
        }
        return jwt.encode(claims, self._key, ALGORITHM)

    def read(self, token: str) -> Session | None:
        """What a token says; None if it is not one of ours, or has ended."""
        try:
            claims = jwt.decode(
                token,
                self._key,
                algorithms=[ALGORITHM],
                audience=AUDIENCE,
                options={"require": list(CLAIMS)},
            )
        except jwt.InvalidTokenError:
            return None
        return Session(claims["sub"], claims["epoch"], claims["auth_time"], claims["exp"])


def key_for(purpose: str, secret: str) -> bytes:
    """A key of its own for each purpose, so that nothing signed for one passes for another."""
    return hmac.digest(secret.encode(), purpose.encode(), "sha256")
