"""What those who ask may be refused for, whatever it is that they ask."""

from unbraid.errors import UnbraidError


class NotSignedIn(UnbraidError):  # noqa: N818  what is told, rather than a fault
    """Nobody may ask this without showing who it is."""


class NotAllowed(UnbraidError):  # noqa: N818
    """One who is known may not ask this."""


class TooMany(UnbraidError):  # noqa: N818
    """Something was asked for too often.

    Attributes:
        retry_after_s: when it may be asked for again.
    """

    def __init__(self, message: str, retry_after_s: float) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s
