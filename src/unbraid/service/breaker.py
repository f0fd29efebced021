"""A circuit breaker: hosts that fail again and again are left in peace for a while.

After Nygard, "Release It!" (2007): closed while calls succeed, open after too many failures in a
row, and half open once its pause has passed, when the next call decides.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from unbraid.errors import ResourceError


@dataclass
class Breaker:
    """The breakers of all hosts.

    Attributes:
        limit: failures in a row that open a breaker.
        pause_s: that it stays open.
        now: a clock in seconds.
    """

    limit: int = 5
    pause_s: float = 60.0
    now: Callable[[], float] = time.monotonic
    _failures: dict[str, int] = field(default_factory=dict)
    _opened: dict[str, float] = field(default_factory=dict)

    def check(self, host: str) -> None:
        """Refuse a call while the breaker is open.

        Raises:
            ResourceError: it is.
        """
        if self.now() < self._opened.get(host, -float("inf")) + self.pause_s:
            raise ResourceError(f"{host} has not answered for a while; try again later")

    def failed(self, host: str) -> None:
        """Note that a call has failed."""
        self._failures[host] = self._failures.get(host, 0) + 1
        if self._failures[host] >= self.limit:
            self._opened[host] = self.now()

    def answered(self, host: str) -> None:
        """Note that a call has succeeded."""
        self._failures.pop(host, None)
        self._opened.pop(host, None)
