"""Mistakes of every kind, planted at random places of the real notice: each must be named where it was planted."""

from collections import Counter
from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.catalog import Kind, PublishedRow, find_mistakes
from service.gateways.notice_text import read_notice
from tests.gateways.test_notice_text import FINDINGS, LINES, MAKING, PUBLISHED, Place, place_of

Planted = tuple[list[str], Callable[[Place], bool]]
ROWS_OF: dict[str, list[PublishedRow]] = {}
for _row in PUBLISHED.rows:
    ROWS_OF.setdefault(_row.list_name, []).append(_row)
TWICE = Counter(row.code_text for row in PUBLISHED.rows if row.code_text)
SPOILT_ALREADY = {each.serial for each in FINDINGS if each.serial} | {8, 10}
WIDE = str.maketrans({chr(code): chr(code + 0xFEE0) for code in range(0x21, 0x7F)})


def cells_of(row: PublishedRow) -> list[str]:
    return LINES[row.line - 1].split("\t")


def replaced(row: PublishedRow, *new: str) -> list[str]:
    return [*LINES[: row.line - 1], *new, *LINES[row.line :]]


def with_cell(row: PublishedRow, place: int, text: str) -> list[str]:
    cells = cells_of(row)
    cells[place] = text
    return replaced(row, "\t".join(cells))


def here(kind: str, row: PublishedRow, serial: int | None = None) -> Callable[[Place], bool]:
    wanted = (kind, row.list_name, serial or int(row.serial_text))
    return lambda place: place == wanted


def some(kind: str) -> Callable[[Place], bool]:
    return lambda place: place[0] == kind


def plant_gap(row: PublishedRow, draw: st.DataObject) -> Planted | None:
    return None if row is ROWS_OF[row.list_name][-1] else (replaced(row), here("serial_gap", row))


def plant_serial_duplicate(row: PublishedRow, draw: st.DataObject) -> Planted | None:
    other = draw.draw(st.sampled_from(ROWS_OF[row.list_name]))
    return None if other is row else (
        with_cell(row, 0, other.serial_text), here("serial_duplicate", row, int(other.serial_text))
    )  # fmt: skip


def plant_industry_misspelt(row: PublishedRow, draw: st.DataObject) -> Planted | None:
    letters = list(row.industry_text)
    place = draw.draw(st.integers(0, len(letters) - 2))
    if draw.draw(st.booleans()):
        letters[place] = draw.draw(st.sampled_from("甲乙磁气水维"))
    else:
        letters[place], letters[place + 1] = letters[place + 1], letters[place]
    spoilt = "".join(letters)
    if any(spoilt in known for known in PUBLISHED.industries) or row.industry_text not in PUBLISHED.industries:
        return None
    return with_cell(row, -1, spoilt), here("industry_misspelt", row)


def plant_industry_truncated(row: PublishedRow, draw: st.DataObject) -> Planted | None:
    if row.industry_text not in PUBLISHED.industries:
        return None
    keep = draw.draw(st.integers(1, 3))
    text = row.industry_text[:keep] if draw.draw(st.booleans()) else row.industry_text[-keep:]
    return with_cell(row, -1, text), here("industry_truncated", row)


def plant_industry_unknown(row: PublishedRow, draw: st.DataObject) -> Planted | None:
    text = draw.draw(st.sampled_from(["航空航天", "金融保险", "其他", "旅游服务", "智能制造", "A"]))
    return with_cell(row, -1, text), here("industry_unknown", row)


def plant_code_two_names(row: PublishedRow, draw: st.DataObject) -> Planted | None:
    if row.code_text is None or TWICE[row.code_text] < 2 or row.code_text == "6-17-05-04":
        return None
    return with_cell(row, 2, "新" + row.name_text), some("code_two_names")


def plant_name_two_codes(row: PublishedRow, draw: st.DataObject) -> Planted | None:
    if row.code_text is None or TWICE[row.code_text] < 2 or row.code_text.startswith("6-17-05-0"):
        return None
    return with_cell(row, 1, "7-99-99-99"), some("name_two_codes")


def plant_industry_differs(row: PublishedRow, draw: st.DataObject) -> Planted | None:
    known = [each for each in PUBLISHED.industries if each != row.industry_text]
    if TWICE[row.code_text] < 2 or int(row.serial_text) in SPOILT_ALREADY or row.list_name != MAKING:
        return None
    return with_cell(row, -1, draw.draw(st.sampled_from(known))), here("industry_differs", row)


def plant_tag_differs(row: PublishedRow, draw: st.DataObject) -> Planted | None:
    if TWICE[row.code_text] < 2 or row.list_name != MAKING or int(row.serial_text) in SPOILT_ALREADY:
        return None
    name, _, tag = row.name_text.partition(" ")
    other = draw.draw(st.sampled_from([each for each in ("", "L", "S", "L/S") if each != tag]))
    return with_cell(row, 2, f"{name} {other}".strip()), here("tag_differs", row)


def plant_stray_blank(row: PublishedRow, draw: st.DataObject) -> Planted | None:
    cells = cells_of(row)
    place = draw.draw(st.integers(0, len(cells) - 1))
    at = draw.draw(st.integers(0, len(cells[place])))
    blank = draw.draw(st.sampled_from([" ", "  ", "\u3000", "\u00a0", "\u2003", "\u200b"]))
    if int(row.serial_text) == 324:
        return None
    return with_cell(row, place, cells[place][:at] + blank + cells[place][at:]), here("stray_blank", row)


def plant_heading_repeated(row: PublishedRow, draw: st.DataObject) -> Planted | None:
    heading = (
        "序号\t项目名称\t行业分类" if row.code_text is None else "序号\t编码\t职业名称（包括所含工种）\t行业分类"
    )
    wanted = ("heading_repeated", row.list_name, None)
    return replaced(row, heading, LINES[row.line - 1]), lambda place: place == wanted


def plant_list_name_differs(row: PublishedRow, draw: st.DataObject) -> Planted | None:
    each = next(each for each in PUBLISHED.lists if each.name == row.list_name)
    name = draw.draw(st.sampled_from(["通用技能培训项目目录", "甲类工种", row.list_name.replace("培训", "训练")]))
    lines = [*LINES[: each.line - 1], "（九）" + name, *LINES[each.line :]]
    wanted = ("list_name_differs", name, None)
    return lines, lambda place: place == wanted


def plant_list_missing(row: PublishedRow, draw: st.DataObject) -> Planted | None:
    each = next(each for each in PUBLISHED.lists if each.name == row.list_name)
    return [
        *LINES[: each.line - 1],
        *LINES[each.line :],
    ], lambda place: place[0] == "list_missing" and place[1][:3] == each.name[:3]


def plant_code_malformed(row: PublishedRow, draw: st.DataObject) -> Planted | None:
    code = row.code_text
    if code is None:
        return None
    spoilt = [code[:-1], code + "1", code.replace("-", ""), code.replace("-", "."), "X" + code[1:], "9" + code[1:]]
    return with_cell(row, 1, draw.draw(st.sampled_from(spoilt))), here("code_malformed", row)


def plant_code_duplicate(row: PublishedRow, draw: st.DataObject) -> Planted | None:
    other = draw.draw(st.sampled_from(ROWS_OF[row.list_name]))
    if row.code_text is None or other is row or other.code_text is None:
        return None
    later = max(int(row.serial_text), int(other.serial_text))
    return with_cell(row, 1, other.code_text), here("code_duplicate", row, later)


def plant_row_cut(row: PublishedRow, draw: st.DataObject) -> Planted | None:
    line, cells = LINES[row.line - 1], cells_of(row)
    at = draw.draw(st.integers(len(cells[0]), len(line) - 1))  # cut within its serial it is a row of another
    lost = draw.draw(st.integers(0, len(cells) - 1))
    ways = [
        [line[:at], line[at:]],
        [line[:at], "", line[at:]],
        [line.replace("\t", "")],
        [line.replace("\t", " ")],
        ["\t".join(cells[:lost] + cells[lost + 1 :])],
        ["\t".join([*cells[:lost], "", *cells[lost + 1 :]])],
        ["\t".join(cells[: max(1, lost)])],
    ]
    return replaced(row, *draw.draw(st.sampled_from(ways))), here("row_cut", row)


def plant_fullwidth_characters(row: PublishedRow, draw: st.DataObject) -> Planted | None:
    place = draw.draw(st.integers(0, 1))
    cells = cells_of(row)
    if row.code_text is None:
        return None
    at = draw.draw(st.integers(0, len(cells[place]) - 1))
    wide = cells[place][:at] + cells[place][at:].translate(WIDE)
    return with_cell(row, place, wide), here("fullwidth_characters", row)


PLANTS = [value for name, value in sorted(globals().items()) if name.startswith("plant_")]


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_mistake_planted_anywhere_in_the_notice_is_named(draw: st.DataObject) -> None:
    plant = draw.draw(st.sampled_from(PLANTS))
    row = draw.draw(st.sampled_from(ROWS_OF[draw.draw(st.sampled_from(sorted(ROWS_OF)))]))
    planted = plant(row, draw)
    if planted is None:
        return
    lines, is_named = planted
    published = read_notice("\n".join(lines).encode())
    # a planted mistake may hide an old one at the same place, so all findings count that were not there before
    new = Counter(map(place_of, find_mistakes(published))) - Counter(map(place_of, FINDINGS))
    assert any(map(is_named, new)), (plant.__name__, row, new)
    assert len(published.rows) == 778 - (plant is plant_gap)


def test_every_kind_can_be_planted() -> None:
    planted = {plant.__name__.removeprefix("plant_") for plant in PLANTS}
    beside_the_classification = {Kind.CODE_UNKNOWN, Kind.NAME_NOT_CLASSIFIED, Kind.TAG_NOT_CLASSIFIED}
    kinds = {kind.value for kind in set(Kind) - beside_the_classification}
    assert planted == kinds - {"serial_gap"} | {"gap"}
