"""XML documents from nested values, with nothing in them that XML cannot hold."""

import re
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def element(
    tag: str, *children: Element, text: str | None = None, **attributes: str | float | None
) -> Element:
    """An element; attributes that are None are left out."""
    made = Element(
        tag,
        {name: plain(str(value)) for name, value in attributes.items() if value is not None},
    )
    made.text = text if text is None else plain(text)
    made.extend(children)
    return made


def serialised(root: Element) -> bytes:
    """The document in UTF-8, indented."""
    ElementTree.indent(root)
    document: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return document


def plain(text: str) -> str:
    """A text in which only signs are left that XML knows."""
    return _FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", text)
