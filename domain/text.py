"""Text as people type it, before it means anything: no blanks around it, half-width."""

import re
import unicodedata

from domain.errors import Invalid

# A telephone number, an id number or a card number, however it is grouped; not the digits of a certificate or of a
# payment reference, which begin with letters.
_PERSONAL_NUMBER = re.compile(r"(?<![0-9A-Za-z])[0-9](?:[ -]?[0-9]){9,}(?:[ -]?[0-9Xx])")

# Only blanks that people cannot see they typed. Zero-width characters are no blanks: they are refused.
_BLANKS = " \t\r\n\u00a0\u3000"
# Controls, formats (zero-width), surrogates, line and paragraph separators.
_NO_TEXT = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_HALF_WIDTH = {full: full - 0xFEE0 for full in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}


def trimmed(value: object, field: str, noun: str) -> str:
    """`value` without blanks around it.

    Invalid `<noun>.not_text` for anything but a string (a JSON number has already lost its digits),
    `<noun>.empty` when nothing is left.
    """
    if not isinstance(value, str):
        raise Invalid(f"{noun}.not_text", field)
    text = value.strip(_BLANKS)
    if not text:
        raise Invalid(f"{noun}.empty", field)
    return text


def is_no_text(character: str) -> bool:
    """Whether nobody types it: a control, a format such as a zero-width blank, a surrogate, a noncharacter."""
    is_noncharacter = ord(character) & 0xFFFE == 0xFFFE or 0xFDD0 <= ord(character) <= 0xFDEF
    # U+FFFD means that somebody before us decoded the text wrongly.
    return is_noncharacter or character == "\ufffd" or unicodedata.category(character) in _NO_TEXT


def plain_words(value: object, field: str, *, most: int = 200) -> str:
    """One line that somebody typed and others will read, without blanks around it.

    Invalid `words.not_text`, `words.empty`, `words.characters` (place), `words.too_long` (limit) or
    `text.personal_number`.
    """
    text = trimmed(value, field, "words")
    if len(text) > most:
        raise Invalid("words.too_long", field, limit=most)
    for place, character in enumerate(text, start=1):
        if is_no_text(character):
            raise Invalid("words.characters", field, place=place)
    must_hold_no_personal_number(text, field)
    return text


def half_width(text: str) -> str:
    """Full-width ASCII (an input method's ３７ and Ｘ) as plain ASCII; no other script is touched."""
    return text if text.isascii() else text.translate(_HALF_WIDTH)


def must_consist_of(text: str, allowed: str, field: str, noun: str) -> None:
    """Invalid `<noun>.characters` with the `place` (from 1) of the first character outside `allowed`."""
    for place, character in enumerate(text, start=1):
        if character not in allowed:
            raise Invalid(f"{noun}.characters", field, place=place)


def must_hold_no_personal_number(text: str, field: str) -> None:
    """Invalid `text.personal_number` where free words hold what could be a telephone, id or card number.

    Such words are kept in clear, in the journal above all (promise 14).
    """
    if _PERSONAL_NUMBER.search(half_width(text)):
        raise Invalid("text.personal_number", field)


def public_words(text: str, field: str) -> str:
    """What somebody typed that everybody may read, without blanks around it.

    Invalid `words.empty`, `text.personal_number`.
    """
    must_hold_no_personal_number(text, field)
    return trimmed(text, field, "words")
