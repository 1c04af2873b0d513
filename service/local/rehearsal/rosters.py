"""The institutions' part: rosters go in with mistakes, come back with reasons, are mended and go in again."""

import asyncio
import csv
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from io import StringIO
from typing import Any

from service.gateways.sheet_files import FILES, TYPES
from service.local.rehearsal.calls import Desk, GaveUp, Unexpected
from service.local.rehearsal.filing import Filed
from service.local.rehearsal.people import CLERKS, Mistake, Trainee, Trouble, Way
from service.local.rehearsal.season import Season

Line = dict[str, str]

_CERTIFICATE = "证书编号"
#: Mistake → the column it stands in, and the code of what the clerk is told.
_MISTYPED = {
    Mistake.ID_NUMBER: ("身份证号", "id.check_digit"),
    Mistake.ITEM: ("职业编码", "item.not_in_catalog"),
    Mistake.DATE: ("证书日期", "date.no_such_day"),
}
_STANDS_TWICE, _OVERDUE, _FILED_BEFORE = "roster.repeated", "window.over", "claim.already_filed"
_PAGE = 200


@dataclass(frozen=True)
class Sheet:
    """What a clerk hands in as one file. Of each line `told` says by which code it is refused; empty: it is filed."""

    clerk: str
    kind: str
    trainees: Sequence[Trainee]
    headings: Sequence[str]
    lines: Sequence[Line]
    told: Sequence[str]

    def __len__(self) -> int:
        return len(self.lines)

    def content(self) -> bytes:
        file = FILES[self.kind]()
        file.add([self.headings, *([line.get(heading, "") for heading in self.headings] for line in self.lines)])
        return file.content()


async def file_rosters(
    desk: Desk, season: Season, everybody: Sequence[Trainee], today: date, over_seconds: float, filed: Filed
) -> None:
    """Each institution hands in a sheet of each kind, at once or spread over some time; then, mended, the lines that
    came back. Every file is posted twice, and is one roster."""
    trainees = [each for each in everybody if each.way is Way.ROSTER]
    mended: list[Sheet] = []

    async def file_and_mend(sheet: Sheet) -> None:
        mended.append(_mended(sheet, await _file(desk, season, sheet, filed), today))

    async def file(sheet: Sheet) -> None:
        await _file(desk, season, sheet, filed)

    async with season.stage("roster", len(trainees)) as bar:
        sheets = list(_sheets(trainees, today, await _headings(desk)))
        await season.each(sheets, file_and_mend, bar, over_seconds, size=lambda sheet: len(sheet.trainees))
    async with season.stage("roster_mend", sum(map(len, mended))) as bar:
        await season.each([sheet for sheet in mended if sheet.lines], file, bar, size=len)


async def _headings(desk: Desk) -> list[str]:
    template = (await desk.ask("GET", "/api/rosters/template?kind=csv", login=next(iter(CLERKS.values())))).body
    return next(_rows(template))


def _rows(file: bytes) -> Iterator[list[str]]:
    return csv.reader(StringIO(file.decode("utf-8-sig"), newline=""))


def _sheets(trainees: Sequence[Trainee], today: date, headings: Sequence[str]) -> Iterator[Sheet]:
    """The sheets with the mistakes in them; who stands in one twice does so at its end."""
    for clerk in CLERKS.values():
        own = [each for each in trainees if each.filer == clerk]
        for place, kind in enumerate(sorted(FILES)):
            listed = own[place :: len(FILES)]
            twice = [each for each in listed if each.mistake is Mistake.TWICE]
            lines = [_mistyped(each, today) for each in listed] + [_line(each, today) for each in twice]
            told = [_told(each) for each in listed] + [_STANDS_TWICE for _ in twice]
            if lines:
                yield Sheet(clerk, kind, listed, headings, lines, told)


def _line(trainee: Trainee, today: date) -> Line:
    """The line as it ought to be."""
    paper = trainee.paper(today)
    return {
        "姓名": trainee.person.name,
        "身份证号": trainee.person.id_number,
        "手机号": trainee.person.phone,
        "职业编码": trainee.offer.item_code,
        "目录": trainee.offer.list_kind,
        "等级": trainee.level.name,
        _CERTIFICATE: trainee.certificate,
        "证书日期": trainee.issued_on.isoformat(),
        "培训开始日期": trainee.started_on.isoformat(),
        "收款卡号": trainee.card,
        "开户行联行号": trainee.bank_code,
        "协议签订日期": paper["signed_on"],
        "协议开始日期": paper["valid_from"],
        "协议结束日期": paper["valid_to"],
        "协议文件指纹": paper["document_sha256"],
        "开班编号": trainee.class_number,
    }


def _mistyped(trainee: Trainee, today: date) -> Line:
    line = _line(trainee, today)
    number, item, day = line["身份证号"], line["职业编码"], line["证书日期"]
    wrong = {
        Mistake.ID_NUMBER: {"身份证号": number[:-1] + ("1" if number[-1] == "0" else "0")},
        Mistake.ITEM: {"职业编码": f"{item[:-2]}99"},
        Mistake.DATE: {"证书日期": f"{day[:4]}-02-30"},
    }
    return line | wrong.get(trainee.mistake, {})


def _told(trainee: Trainee) -> str:
    if trainee.trouble is Trouble.OVERDUE:
        return _OVERDUE
    return _MISTYPED[trainee.mistake][1] if trainee.mistake in _MISTYPED else ""


def _mended(sheet: Sheet, back: bytes, today: date) -> Sheet:
    """The returned lines whose cell the clerk can mend, and, of clerks who copy too much, some that were filed
    before. Overdue lines and those that stood there twice are left out."""
    headings, *rows = _rows(back)
    by_certificate = {each.certificate: each for each in sheet.trainees}
    lines = []
    for row in rows:
        line = dict(zip(headings, row, strict=True))
        trainee = by_certificate[line[_CERTIFICATE]]
        if trainee.mistake in _MISTYPED:
            column, _ = _MISTYPED[trainee.mistake]
            lines.append(line | {column: _line(trainee, today)[column]})
    again = [_line(each, today) for each in sheet.trainees if each.trouble is Trouble.REPEATED]
    told = ["" for _ in lines] + [_FILED_BEFORE for _ in again]
    return Sheet(sheet.clerk, sheet.kind, sheet.trainees, headings, lines + again, told)


async def _file(desk: Desk, season: Season, sheet: Sheet, filed: Filed) -> bytes:
    """Post the sheet and wait until every line is filed or refused; the sheet that comes back.

    Unexpected when other lines are refused than ought to be, or for another reason.
    """
    try:
        path = f"/api/rosters/{await _post(desk, sheet)}"

        async def has_ended() -> bool:
            roster = (await desk.ask("GET", f"{path}?limit=1", login=sheet.clerk)).body
            return roster["status"] in {"finished", "rejected"}

        await season.until(has_ended)
        results = {line["line"]: line async for line in _results(desk, sheet.clerk, path)}
    except GaveUp:
        filed.unsure += len(sheet)
        raise
    filed.claim_ids |= {line["claim_id"] for line in results.values() if line["claim_id"]}
    for row, code in enumerate(sheet.told, start=2):  # below the heading
        said = {reason["code"] for reason in results[row]["reasons"]} if row in results else {"?"}
        as_it_ought = code in said if code else not said
        if not as_it_ought:
            raise Unexpected(f"{path} 第 {row} 行：{'、'.join(sorted(said)) or '受理了'}，本应是 {code or '受理'}")
    return bytes((await desk.ask("GET", f"{path}/sheet?kind=csv", login=sheet.clerk)).body)


async def _post(desk: Desk, sheet: Sheet) -> str:
    """The roster's id. The same file, posted twice at once, is the same roster."""
    data, kind = sheet.content(), TYPES[sheet.kind]
    keys = [f"{sha256(data).hexdigest()}-{n}" for n in (1, 2)]
    posted = await asyncio.gather(
        *(desk.ask("POST", "/api/rosters", data, login=sheet.clerk, key=key, kind=kind) for key in keys)
    )
    first, *others = {each.body["id"] for each in posted}
    if others:
        raise Unexpected(f"同一份文件成了两份名册：{first}、{others[0]}")
    return str(first)


async def _results(desk: Desk, login: str, path: str) -> AsyncIterator[dict[str, Any]]:
    """What became of each line, page by page."""
    after = 0
    while after is not None:
        page = (await desk.ask("GET", f"{path}?limit={_PAGE}&after={after}", login=login)).body
        for line in page["results"]:
            yield line
        after = page["next"]
