"""Whether an Ogg file was cut short, told from its last page (RFC 3533)."""

from pathlib import Path

LARGEST_PAGE = 27 + 255 + 255 * 255  # bytes
HEADER = 27
END_OF_STREAM = 0x04


def is_cut_short(path: Path) -> bool:
    """Whether the last page is incomplete, or not marked as the end of its stream."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 2 * LARGEST_PAGE))
        tail = file.read()
    page = tail[max(0, tail.rfind(b"OggS")) :]
    if len(page) < HEADER:
        return True
    segments = page[HEADER : HEADER + page[26]]
    complete = len(page) >= HEADER + page[26] + sum(segments)
    return not (complete and page[5] & END_OF_STREAM)
