"""Working findings through: what an editor may decide about one, and what a row may be corrected to."""

import re
from enum import StrEnum

from domain.catalog.reading import CODE, TAGS
from domain.errors import Invalid

_TEXT_MAX = 100


class FindingDecision(StrEnum):
    ACCEPT = "accept"  # it stands as published
    CORRECT = "correct"  # a row was changed for it
    ASK = "ask"  # the source was asked: it stays open until it answers


#: A finding that was decided so no longer stands in the way of publishing.
SETTLED = frozenset({FindingDecision.ACCEPT, FindingDecision.CORRECT})


def must_be_code(text: str | None, field: str) -> None:
    """Invalid `catalog.code` unless it is a code of the national classification, or None (a project has none)."""
    if text is not None and not CODE.fullmatch(text):
        raise Invalid("catalog.code", field)


def must_be_tag(text: str, field: str) -> None:
    """Invalid `catalog.tag` unless '', L, S or L/S."""
    if text not in ("", *TAGS):
        raise Invalid("catalog.tag", field)


def must_be_words(text: str, field: str) -> None:
    """Invalid `catalog.words` unless one line of 1 to 100 characters without blanks at its ends."""
    if not 0 < len(text) <= _TEXT_MAX or text != text.strip() or re.search(r"[\x00-\x1f\x7f]", text):
        raise Invalid("catalog.words", field, longest=_TEXT_MAX)
