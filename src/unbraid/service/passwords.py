"""Passwords, which are kept as Argon2id makes them.

Each takes 64 MiB and some tens of milliseconds to check (the parameters of RFC 9106 for little
memory), so only a few are checked at once.
"""

from threading import Semaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

from unbraid.errors import InputError, ResourceError

MIN_LENGTH, MAX_LENGTH = 12, 200
AT_ONCE = 2
PATIENCE_S = 5.0


class Passwords:
    """Hashes passwords; checking one takes the same time where there is no account."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher()
        self._room = Semaphore(AT_ONCE)
        self._nobodys = self._hasher.hash("")

    def hash(self, password: str) -> str:
        """What to keep of a new password.

        Raises:
            InputError: it is too short or too long.
        """
        if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
            raise InputError(f"a password has {MIN_LENGTH} to {MAX_LENGTH} characters")
        return self._hasher.hash(password)

    def fits(self, password: str, kept: str | None) -> bool:
        """Whether a password is the one that was kept; `None` is nobody's.

        Raises:
            ResourceError: too many are being checked.
        """
        if not self._room.acquire(timeout=PATIENCE_S):
            raise ResourceError("too many sign in at once; try again soon")
        try:
            self._hasher.verify(kept or self._nobodys, password)
        except (VerifyMismatchError, InvalidHashError):
            return False
        finally:
            self._room.release()
        return kept is not None
