"""The errors a caller of Unbraid may meet.

    UnbraidError
    ├── InputError           the caller's choice does not fit: an unknown stem, an impossible option
    ├── AudioError           a recording is missing, unreadable or not audio
    ├── ModelError           a model is unknown, incomplete or not what its checksum says
    ├── MissingExtraError    a program or an optional package is not installed
    ├── ResourceError        not enough memory or disk, or a folder that cannot be written
    └── Cancelled            the caller asked to stop

Every message says what was wrong and what to do, in one line.
"""

import errno


class UnbraidError(Exception):
    """Base of all errors that Unbraid raises on purpose."""


class InputError(UnbraidError, ValueError):
    """An option or argument has no meaning here."""


class AudioError(UnbraidError):
    """A recording is missing, unreadable or not audio."""


class ModelError(UnbraidError):
    """A model is unknown, incomplete or not the file its checksum names."""


class MissingExtraError(UnbraidError):
    """A program or optional package that this work needs is not installed."""


class ResourceError(UnbraidError):
    """Memory or disk do not suffice, or a folder cannot be written."""


class Cancelled(UnbraidError):  # noqa: N818  a wish of the caller's, not a fault
    """The caller asked to stop; what is finished stays, and a later run goes on from there."""


def resource_error(error: OSError) -> ResourceError:
    """What an error of the operating system, met while writing results, means to a user."""
    where = f" ({error.filename})" if error.filename else ""
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT | errno.EFBIG:
            return ResourceError(
                f"the disk is full{where}; free some space or choose another folder"
            )
        case errno.ENAMETOOLONG:
            return ResourceError(f"the path is too long for this disk{where}; choose a shorter one")
        case _:
            reason = error.strerror or str(error)
            return ResourceError(
                f"the result cannot be written: {reason}{where}; choose another folder"
            )
