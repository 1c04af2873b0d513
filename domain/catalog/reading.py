"""What a printed cell means: blanks and full-width characters seen through, tags taken off, industries recognised.

Reading never changes what was printed; it only lets a row with one mistake be compared with others by its meaning.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from domain.catalog.published import CatalogItem, Kind, PublishedCatalog, PublishedRow

#: Whatever leaves a hole or nothing visible: Unicode white space, and the characters of no width.
BLANK = re.compile(r"[\s\u00ad\u200b-\u200d\u2060\ufeff]+")
#: Occupation code of the national classification: major class 1-8, medium, small, detail (国家职业分类大典).
CODE = re.compile(r"[1-8](?:-[0-9]{2}){3}")
FULLWIDTH = re.compile(r"[\uff01-\uff5e\u2014\u2015]")
#: In names the full-width brackets are ordinary Chinese; digits, letters, hyphen and slash are not.
FULLWIDTH_IN_NAME = re.compile(r"[\uff0d\uff0f-\uff19\uff21-\uff3a\uff41-\uff5a]")
_EDGE = " \t\u00a0\u3000\u00ad\u200b\u200c\u200d\u2060\ufeff"
TAGS = ("L/S", "S/L", "L", "S")

_HALF = {wide: wide - 0xFEE0 for wide in range(0xFF01, 0xFF5F)}
_HYPHENS = dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe63"), "-")


def tight(text: str) -> str:
    """Without any blank."""
    return BLANK.sub("", text)


def half_width(text: str) -> str:
    """Full-width digits, letters and signs as ASCII; every kind of dash as a hyphen."""
    return text.translate(_HALF).translate(_HYPHENS)


def read_serial(text: str) -> int | None:
    """The number printed, or None where there is none."""
    digits = half_width(tight(text))
    return int(digits) if re.fullmatch(r"[0-9]{1,9}", digits) else None


def read_code(text: str) -> str:
    """Half-width and without blanks; whether it is a code, `CODE.fullmatch` says."""
    return half_width(tight(text))


def read_name(text: str) -> tuple[str, str]:
    """Name and tag; the tag is '', 'L', 'S' or 'L/S'. A blank stays only between two Latin words."""
    name, tag = _name_and_tag(text)
    return name, "L/S" if tag == "S/L" else tag


def tidy_name(text: str) -> str:
    """The name cell as it should be printed: no blank but the one before the tag."""
    name, tag = _name_and_tag(text)
    return f"{name} {tag}" if tag else name


def _name_and_tag(text: str) -> tuple[str, str]:
    closed = _close_up(half_width_in_name(text))
    for tag in TAGS:
        before = closed.removesuffix(tag).rstrip()
        # a Latin letter before it makes it the end of a word, not a tag
        if before and closed.endswith(tag) and not re.match(r"[A-Za-z/]", before[-1]):
            return before, tag
    return closed, ""


def half_width_in_name(text: str) -> str:
    """The brackets of a name stay as they are."""
    return FULLWIDTH_IN_NAME.sub(lambda wide: half_width(wide[0]), text)


def _close_up(text: str) -> str:
    def kept(blank: re.Match[str]) -> str:
        around = text[blank.start() - 1 : blank.start()] + text[blank.end() : blank.end() + 1]
        return " " if len(around) == 2 and around.isascii() and around.isalnum() else ""

    return BLANK.sub(kept, text)


def read_industry(text: str, known: Sequence[str]) -> tuple[str, Kind | None]:
    """The industry meant, and what is wrong with how it is printed.

    Truncated: a piece of a known one. Misspelt: the same characters in another order, or one slip of the pen
    (a character replaced, added, left out, two neighbours swapped) for every four characters. A cell that is two
    characters off is another word (旅游服务 is not 社会服务), so it is unknown and stays as printed.
    """
    printed = half_width(tight(text))
    if printed in known or not printed:
        return printed, None
    for each in known:
        if printed in each:
            return each, Kind.INDUSTRY_TRUNCATED
    for each in known:
        slips = max(1, len(each) // 4)
        if sorted(printed) == sorted(each) or _distance(printed, each, slips) <= slips:
            return each, Kind.INDUSTRY_MISSPELT
    return printed, Kind.INDUSTRY_UNKNOWN


def _distance(one: str, other: str, limit: int) -> int:
    """Edits between two words, a swap of neighbours counting once; `limit + 1` where lengths already tell."""
    if abs(len(one) - len(other)) > limit:
        return limit + 1
    rows = [list(range(len(other) + 1))]
    for i, left in enumerate(one, 1):
        row = [i]
        for j, right in enumerate(other, 1):
            cost = min(rows[-1][j] + 1, row[-1] + 1, rows[-1][j - 1] + (left != right))
            if i > 1 and j > 1 and left == other[j - 2] and one[i - 2] == right:
                cost = min(cost, rows[-2][j - 2] + 1)
            row.append(cost)
        rows.append(row)
    return rows[-1][-1]


@dataclass(frozen=True, slots=True)
class Reading:
    """A row and what it means. `serial` may be told from the neighbours where none was printed.

    `code` is None where the list has none or what is printed is no code; `industry` is the known one that was meant.
    """

    row: PublishedRow
    serial: int | None
    code: str | None
    name: str
    tag: str
    industry: str
    industry_fault: Kind | None

    @property
    def place(self) -> str:
        serial = "序号不详" if self.serial is None else f"序号 {self.serial}"
        return f"“{self.row.list_name}”{serial}（第 {self.row.line} 行）"


def read_rows(published: PublishedCatalog) -> list[Reading]:
    """Every row's reading, in order."""
    industries: dict[str, tuple[str, Kind | None]] = {}
    readings = []
    for row, serial in _numbered(published.rows):
        text = row.industry_text
        if text not in industries:
            industries[text] = read_industry(text, published.industries)
        code = None if row.code_text is None else read_code(row.code_text)
        name, tag = read_name(row.name_text)
        well_formed = code if code and CODE.fullmatch(code) else None
        readings.append(Reading(row, serial, well_formed, name, tag, *industries[text]))
    return readings


def _numbered(rows: Iterable[PublishedRow]) -> Iterator[tuple[PublishedRow, int | None]]:
    """Rows with serials; one that was lost is told from the row before, unless its number is taken."""
    rows = tuple(rows)
    printed = {(row.list_name, read_serial(row.serial_text)) for row in rows}
    last: dict[str, int] = {}
    for row in rows:
        serial = read_serial(row.serial_text)
        if serial is None and (row.list_name, last.get(row.list_name, 0) + 1) not in printed:
            serial = last.get(row.list_name, 0) + 1
        if serial is not None:
            last[row.list_name] = serial
        yield row, serial


def items_of(published: PublishedCatalog) -> list[CatalogItem]:
    """Every row as an item, texts as printed."""
    items = []
    for row in published.rows:
        tag = read_name(row.name_text)[1]
        items.append(
            CatalogItem(
                list_name=row.list_name,
                serial=read_serial(row.serial_text),
                code=row.code_text,
                name=_without_tag(row.name_text, tag),
                tag=tag,
                industry=row.industry_text,
                line=row.line,
            )
        )
    return items


def _without_tag(text: str, tag: str) -> str:
    """The name as printed, its tag and the blanks around that taken off."""
    for _ in tag:
        text = text.rstrip(_EDGE)[:-1]
    return text.rstrip(_EDGE) if tag else text
