"""The exit code of each kind of error."""

from unbraid.errors import (
    AudioError,
    Cancelled,
    InputError,
    MissingExtraError,
    ModelError,
    ResourceError,
    UnbraidError,
)

EXIT_CODES: dict[type[UnbraidError], int] = {
    InputError: 2,
    AudioError: 3,
    ModelError: 4,
    MissingExtraError: 4,
    ResourceError: 5,
    Cancelled: 130,
}
