"""Text as people type it, before it means anything: no blanks around it, half-width."""

import re

from domain.errors import Invalid

# A telephone number, an id number or a card number, however it is grouped; not the digits of a certificate or of a
# payment reference, which begin with letters.
_PERSONAL_NUMBER = re.compile(r"(?<![0-9A-Za-z])[0-9](?:[ -]?[0-9]){9,}(?:[ -]?[0-9Xx])")

# Only blanks that people cannot see they typed. Zero-width characters are no blanks: they are refused.
_BLANKS = " \t\r\n\u00a0\u3000"
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
