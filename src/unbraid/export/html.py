"""HTML that escapes what it is given: whatever a title says, it stays text."""

import json
from html import escape
from typing import Any


class Html(str):
    """Text that is HTML already."""


def text(content: str) -> Html:
    """Text as HTML shows it."""
    return Html(escape(content))


def tag(name: str, *children: str, **attributes: str | float | bool) -> Html:
    """An element.

    >>> tag("p", "1 < 2 ", tag("b", "& so on"), class_="note", hidden=True)
    '<p class="note" hidden>1 &lt; 2 <b>&amp; so on</b></p>'

    Args:
        name: of the element; those without an end, such as `img`, take no children.
        children: elements, or text to be escaped.
        attributes: _ stands for -, and none at the end; those that are True have no value, those
            that are False are left out.
    """
    shown = [
        f" {_name(key)}" if value is True else f' {_name(key)}="{escape(str(value))}"'
        for key, value in attributes.items()
        if value is not False
    ]
    inside = "".join(child if isinstance(child, Html) else escape(child) for child in children)
    end = "" if name in ("img", "input") else f"{inside}</{name}>"
    return Html(f"<{name}{''.join(shown)}>{end}")


def joined(*parts: str) -> Html:
    """Elements, or text to be escaped, one after the other."""
    return Html("\n".join(part if isinstance(part, Html) else escape(part) for part in parts))


def island(value: Any) -> Html:
    """A value as JSON for a script element, which nothing in it can end."""
    json_text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return Html(
        json_text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    )


def _name(key: str) -> str:
    return key.rstrip("_").replace("_", "-")
