"""Names every mistake of a published catalog, by rule: where it stands, what is wrong, what is proposed.

Where two rows contradict each other the finding stands at the later one and names the earlier: the earlier is the
first row of that code (or name), so k rows give at most k-1 findings. An industry that is only misspelt or cut short
does not also differ from the one that was meant, and a code that is none is compared with nothing.
"""

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence

from domain.catalog.classification import Occupation, compare_with_classification
from domain.catalog.lists import compare_lists
from domain.catalog.published import Finding, Kind, PublishedCatalog, PublishedRow
from domain.catalog.reading import (
    BLANK,
    CODE,
    FULLWIDTH,
    FULLWIDTH_IN_NAME,
    Reading,
    half_width,
    half_width_in_name,
    read_code,
    read_rows,
    read_serial,
    tidy_name,
    tight,
)

#: A longer gap is one finding with its first serial: a slip such as 890 for 89 must not yield eight hundred.
GAP_MAX = 50

_CELLS = ("序号", "编码", "名称", "行业分类")


def find_mistakes(
    published: PublishedCatalog,
    classification: Mapping[str, Occupation] | None = None,
    aliases: Mapping[str, str] | None = None,
) -> list[Finding]:
    """All findings in order of line, then of kind. Linear in the rows, whatever they hold.

    With a `classification` (by code), rows are held against that too; `aliases` are codes of an older one.
    """
    readings = read_rows(published)
    findings = [*compare_lists(published), *_headings(published)]
    for rule in _RULES:
        findings.extend(rule(readings))
    if classification:
        findings.extend(compare_with_classification(readings, classification, aliases or {}))
    order = list(Kind)
    return sorted(findings, key=lambda each: (each.line, order.index(each.kind)))


def _at(reading: Reading, kind: Kind, message: str, suggestion: str) -> Finding:
    row = reading.row
    code = read_code(row.code_text) if row.code_text else None
    return Finding(kind, row.list_name, reading.serial, row.line, code, message, suggestion)


def _headings(published: PublishedCatalog) -> Iterator[Finding]:
    for each in published.lists:
        if BLANK.search(each.name):
            message = f"目录名“{each.name}”中有多余的空白。"
            yield Finding(Kind.STRAY_BLANK, each.name, None, each.line, None, message, tight(each.name))
        for line in each.repeated_headings:
            message = f"表内第 {line} 行重复出现表头（多为换页所致）。"
            yield Finding(Kind.HEADING_REPEATED, each.name, None, line, None, message, "删去重复的表头。")


def _cut_rows(readings: Sequence[Reading]) -> Iterator[Finding]:
    for each in readings:
        empty = [label for label, text in _cells(each.row) if not tight(text)]
        if not tight(each.row.serial_text):
            message = f"此行没有印出序号，按前一行应为 {each.serial or '（不详）'}。"
            yield _at(each, Kind.ROW_CUT, message, _as_read(each))
        elif each.row.cut:
            pieces = " ⏎ ".join(piece.replace("\t", " ⇥ ") for piece in each.row.cut)[:200]
            missing = f"，缺{'、'.join(empty)}" if empty else ""
            yield _at(each, Kind.ROW_CUT, f"此行被截断或单元格错位{missing}：{pieces}", _as_read(each))
        elif read_serial(each.row.serial_text) is None:
            yield _at(each, Kind.ROW_CUT, f"序号“{each.row.serial_text}”不是数字。", _as_read(each))
        elif empty:
            yield _at(each, Kind.ROW_CUT, f"此行缺{'、'.join(empty)}。", _as_read(each))


def _as_read(reading: Reading) -> str:
    row = reading.row
    texts = (reading.serial, None if row.code_text is None else reading.code, reading.name, reading.industry)
    shown = [f"{label} {text or '？'}" for label, text in zip(_CELLS, texts, strict=True)]
    if row.code_text is None:
        del shown[1]
    return "对照原件补全，可读作：" + "，".join(shown)


def _cells(row: PublishedRow) -> Iterator[tuple[str, str]]:
    for label, text in zip(_CELLS, (row.serial_text, row.code_text, row.name_text, row.industry_text), strict=True):
        if text is not None:
            yield label, text


def _serials(readings: Sequence[Reading]) -> Iterator[Finding]:
    lists: dict[str, list[Reading]] = defaultdict(list)
    for each in readings:
        if each.serial is not None:
            lists[each.row.list_name].append(each)
    for rows in lists.values():
        first: dict[int, Reading] = {}
        for each in rows:
            assert each.serial is not None
            earlier = first.setdefault(each.serial, each)
            if earlier is not each:
                message = f"序号 {each.serial} 在本目录第 {earlier.row.line} 行已经用过（“{earlier.name}”）。"
                yield _at(each, Kind.SERIAL_DUPLICATE, message, "核对原件后更正其中一行的序号。")
        yield from _gaps(rows, set(first))


def _gaps(rows: Sequence[Reading], printed: set[int]) -> Iterator[Finding]:
    before = 0
    for each in _longest_rise(rows):
        assert each.serial is not None
        nearest = range(before + 1, min(each.serial, before + 2 + GAP_MAX))
        missing = [serial for serial in nearest if serial not in printed]
        if len(missing) > GAP_MAX:
            missing = missing[:1]
        for serial in missing:
            span = f"{serial} 至 {each.serial - 1}" if each.serial - before > GAP_MAX + 1 else f"{serial}"
            message = f"缺序号 {span}：{f'{before} 之后' if before else '开头'}直接是 {each.serial}。"
            advice = "核对是漏印一行还是编号跳号。"
            yield Finding(Kind.SERIAL_GAP, each.row.list_name, serial, each.row.line, None, message, advice)
        before = each.serial


def _longest_rise(rows: Sequence[Reading]) -> list[Reading]:
    """The longest run of rising serials, so that one wild serial is left aside instead of opening a gap."""
    tails: list[int] = []
    ends: list[int] = []
    back: list[int] = []
    for index, each in enumerate(rows):
        assert each.serial is not None
        place = bisect_left(tails, each.serial)
        back.append(ends[place - 1] if place else -1)
        tails[place : place + 1] = [each.serial]
        ends[place : place + 1] = [index]
    rise = []
    index = ends[-1] if ends else -1
    while index >= 0:
        rise.append(rows[index])
        index = back[index]
    return rise[::-1]


def _industries(readings: Sequence[Reading]) -> Iterator[Finding]:
    said = {
        Kind.INDUSTRY_MISSPELT: "与已知行业分类只差一两个字，疑为错字",
        Kind.INDUSTRY_TRUNCATED: "只是已知行业分类的一部分，疑被截短",
        Kind.INDUSTRY_UNKNOWN: "不在正文列出的行业类别之中",
    }
    for each in readings:
        kind = each.industry_fault
        if kind is None:
            continue
        suggestion = "按正文列出的行业类别更正。" if kind is Kind.INDUSTRY_UNKNOWN else each.industry
        yield _at(each, kind, f"行业分类“{each.row.industry_text[:40]}”{said[kind]}。", suggestion)


def _malformed_codes(readings: Sequence[Reading]) -> Iterator[Finding]:
    codes: dict[str, str] = {}
    for each in readings:
        if each.code:
            codes.setdefault(each.name, each.code)
    for each in readings:
        printed = each.row.code_text
        if printed is None or not tight(printed) or _is_code_once_half_width(printed):
            continue
        suggestion = codes.get(each.name) or _regrouped(read_code(printed)) or "核对国家职业分类大典中的编码。"
        yield _at(each, Kind.CODE_MALFORMED, f"编码“{printed[:40]}”不合 X-XX-XX-XX 的格式。", suggestion)


def _is_code_once_half_width(text: str) -> bool:
    """Full-width characters have a finding of their own; any other dash than the hyphen makes a code malformed."""
    return bool(CODE.fullmatch(FULLWIDTH.sub(lambda wide: half_width(wide[0]), tight(text))))


def _regrouped(code: str) -> str:
    digits = re.sub(r"[^0-9]", "", code)
    grouped = f"{digits[:1]}-{digits[1:3]}-{digits[3:5]}-{digits[5:]}"
    return grouped if CODE.fullmatch(grouped) else ""


def _duplicate_codes(readings: Sequence[Reading]) -> Iterator[Finding]:
    first: dict[tuple[str, str], Reading] = {}
    for each in readings:
        if not each.code:
            continue
        earlier = first.setdefault((each.row.list_name, each.code), each)
        if earlier is not each:
            message = f"编码 {each.code} 在本目录已用于{earlier.place}“{earlier.name}”。"
            yield _at(each, Kind.CODE_DUPLICATE, message, "核对后更正编码，或删去重复的一行。")


def _contradictions(readings: Sequence[Reading]) -> Iterator[Finding]:
    by_code: dict[str, Reading] = {}
    by_name: dict[str, Reading] = {}
    for each in readings:
        if each.code:
            earlier = by_code.setdefault(each.code, each)
            yield from _same_code(earlier, each)
            namesake = by_name.setdefault(each.name, each) if each.name else each
            if namesake.code != each.code:
                message = f"“{each.name}”的编码此处为 {each.code}，{namesake.place}为 {namesake.code}。"
                advice = f"核对国家职业分类大典：{namesake.code} 或 {each.code}。"
                yield _at(each, Kind.NAME_TWO_CODES, message, advice)


def _same_code(earlier: Reading, later: Reading) -> Iterator[Finding]:
    both = f"编码 {later.code}"
    if earlier.name and later.name and earlier.name != later.name:
        message = f"{both} 此处名为“{later.name}”，{earlier.place}名为“{earlier.name}”。"
        yield _at(later, Kind.CODE_TWO_NAMES, message, f"核对国家职业分类大典：“{earlier.name}”或“{later.name}”。")
    if earlier.row.list_name == later.row.list_name:
        return  # a code twice in one list is said already; what differs there is not a matter between lists
    meant = all(each.industry and each.industry_fault is not Kind.INDUSTRY_UNKNOWN for each in (earlier, later))
    if meant and earlier.industry != later.industry:
        message = f"{both}“{later.name}”此处属“{later.industry}”，{earlier.place}属“{earlier.industry}”。"
        yield _at(later, Kind.INDUSTRY_DIFFERS, message, f"统一为“{earlier.industry}”或“{later.industry}”。")
    if earlier.name and later.name and earlier.tag != later.tag:
        here, there = later.tag or "无", earlier.tag or "无"
        message = f"{both}“{later.name}”此处标识为“{here}”，{earlier.place}标识为“{there}”。"
        yield _at(later, Kind.TAG_DIFFERS, message, f"统一标识：“{there}”或“{here}”。")


def _blanks(readings: Sequence[Reading]) -> Iterator[Finding]:
    for each in readings:
        if each.row.cut:
            continue  # its pieces were joined by us: the blanks are no longer the publisher's
        for label, text in _cells(each.row):
            tidy = tidy_name(text) if label == "名称" else tight(text)
            if tidy and BLANK.search(text) and (label != "名称" or half_width_in_name(text) != tidy):
                yield _at(each, Kind.STRAY_BLANK, f"{label}“{text[:80]}”中有多余的空白。", tidy)


def _full_width(readings: Sequence[Reading]) -> Iterator[Finding]:
    for each in readings:
        for label, text in _cells(each.row):
            if (FULLWIDTH if label in ("序号", "编码") else FULLWIDTH_IN_NAME).search(text):
                proposed = tidy_name(text) if label == "名称" else half_width(tight(text))
                yield _at(each, Kind.FULLWIDTH_CHARACTERS, f"{label}“{text[:80]}”中有全角字符。", proposed)


_RULES: tuple[Callable[[Sequence[Reading]], Iterator[Finding]], ...] = (
    _cut_rows,
    _serials,
    _industries,
    _malformed_codes,
    _duplicate_codes,
    _contradictions,
    _blanks,
    _full_width,
)
