import pytest
from hypothesis import given
from hypothesis import strategies as st

from unbraid.audio import Tags
from unbraid.errors import InputError
from unbraid.export.naming import MAX_NAME_BYTES, check_template, safe_name, stem_file_name

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=400)


@given(texts)
def test_a_safe_name_is_one_component_of_a_path(text: str) -> None:
    name = safe_name(text)
    assert 0 < len(name.encode()) <= MAX_NAME_BYTES + 1
    assert not set(name) & set('/\\:*?"<>|\0\n')
    assert name not in {".", ".."}
    assert name == name.strip()
    assert not name.endswith(".")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Für Elise – 悲愴", "Für Elise – 悲愴"),
        ("AC/DC: Live?", "AC_DC_ Live_"),
        ("../../etc/passwd", "_.._etc_passwd"),
        ("...", "_"),
        ("con", "_con"),
        ("é" * 300, "é" * (MAX_NAME_BYTES // 2)),
    ],
)
def test_names_stay_close_to_their_text(text: str, name: str) -> None:
    assert safe_name(text) == name


def file_name(template: str, tags: Tags, stem: str = "vocals") -> str:
    return stem_file_name(template, stem, track="t", model="lite", tags=tags)


def test_a_template_is_filled_with_tags() -> None:
    tags = Tags(artist="Karissa Hobbs", title="Let's Go Fishin'")
    assert (
        file_name("{artist} - {title} ({stem})", tags)
        == "Karissa Hobbs - Let's Go Fishin' (vocals)"
    )


def test_a_missing_tag_reads_unknown() -> None:
    assert file_name("{artist} ({stem})", Tags()) == "unknown (vocals)"


@given(texts, texts)
def test_however_long_the_tags_stems_have_different_names(artist: str, title: str) -> None:
    tags = Tags(artist=artist, title=title)
    names = {file_name("{artist}{title} {stem}", tags, stem) for stem in ("vocals", "drums")}
    assert len(names) == 2


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("{title}", "must contain {stem}"),
        ("{stem} {year}", "unknown fields: year"),
        ("{stem.__class__}", "unknown fields"),
        ("{stem} {}", "unknown fields"),
        ("{stem:>999999}", "plain fields"),
        ("{stem!r}", "plain fields"),
        ("{stem", "cannot be read"),
    ],
)
def test_templates_that_cannot_work_are_refused(template: str, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        check_template(template)


def test_a_template_that_is_too_long_is_refused() -> None:
    with pytest.raises(InputError, match="shorten it"):
        file_name("x" * 300 + "{stem}", Tags())
