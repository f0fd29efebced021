"""How often something may happen, counted in memory or in Redis."""

import time

from limits import RateLimitItem
from limits.errors import ConfigurationError, StorageError
from limits.storage import storage_from_string
from limits.strategies import MovingWindowRateLimiter

from unbraid.errors import MissingExtraError, ResourceError
from unbraid.service.refusals import TooMany


class Throttle:
    """Counts what happens.

    Args:
        url: of Redis, where several servers share the counts.
    """

    def __init__(self, url: str | None = None) -> None:
        try:
            storage = storage_from_string(url or "memory://", wrap_exceptions=True)
        except ConfigurationError as error:
            raise MissingExtraError("UNBRAID_REDIS needs a driver: pip install redis") from error
        self._window = MovingWindowRateLimiter(storage)

    def spend(self, limit: RateLimitItem, *who: str, what: str) -> None:
        """Count once more.

        Args:
            limit: how often, in what time.
            who: does it.
            what: it is, for people.

        Raises:
            TooMany: that was too often.
            ResourceError: Redis does not answer.
        """
        try:
            if self._window.hit(limit, *who):
                return
            wait_s = max(1.0, self._window.get_window_stats(limit, *who).reset_time - time.time())
        except StorageError as error:
            raise ResourceError("the server cannot count requests now; try again soon") from error
        raise TooMany(f"too many {what}: {limit} at most; wait {wait_s:.0f} s", wait_s)

    def left(self, limit: RateLimitItem, *who: str) -> tuple[int, float]:
        """How often it may still happen now, and seconds until it may happen more often."""
        stats = self._window.get_window_stats(limit, *who)
        return stats.remaining, max(0.0, stats.reset_time - time.time())

    def forgive(self, limit: RateLimitItem, *who: str) -> None:
        """Begin to count anew."""
        self._window.clear(limit, *who)
