"""Text as people type it, before it means anything: no blanks around it, half-width."""

from domain.errors import Invalid

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
    return text.translate(_HALF_WIDTH)


def must_consist_of(text: str, allowed: str, field: str, noun: str) -> None:
    """Invalid `<noun>.characters` with the `place` (from 1) of the first character outside `allowed`."""
    for place, character in enumerate(text, start=1):
        if character not in allowed:
            raise Invalid(f"{noun}.characters", field, place=place)
