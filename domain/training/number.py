"""开班编号: given once to a class, when it is approved."""

import re

from domain.errors import Invalid
from domain.text import half_width

_FORM = re.compile(r"KB[0-9A-Z]{6}(-[A-Z]{2,8})?-[0-9]{4}-[0-9]{4,8}")


def class_number(district: str, year: int, serial: int) -> str:
    """Such as KB370102-2026-0001: the letters keep it from being taken for a number of a person."""
    return f"KB{district}-{year}-{serial:04}"


def read_class_number(text: str, field: str = "class_number") -> str:
    """As it was typed, but upper case, half-width and without blanks around it. Invalid `class_number.form`: nothing
    else may be kept in its place."""
    number = half_width(text).strip().upper()
    if not _FORM.fullmatch(number):
        raise Invalid("class_number.form", field)
    return number
