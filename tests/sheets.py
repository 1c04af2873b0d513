"""Sheets as clerks write them, by heading and cell; nothing here knows how the service reads them."""

import csv
from collections.abc import Iterable, Sequence
from datetime import date
from io import StringIO

from service.gateways.roster_sheets import COLUMNS
from service.gateways.sheet_files import FILES
from service.local.made_up import MadeUpPerson, Maker

#: A shortage item with five levels.
WELDER = "6-18-02-04"
HEADINGS = [column.heading for column in COLUMNS]
Line = dict[str, str]


def line_for(made: MadeUpPerson, maker: Maker, today: date, **other: str) -> Line:
    """A line that is filed today, for the welder's level 4; cells by heading may be given otherwise."""
    day = today.isoformat()
    given = {
        "姓名": made.name,
        "身份证号": made.id_number,
        "手机号": made.phone,
        "职业编码": WELDER,
        "等级": "四级",
        "证书编号": other.get("证书编号") or maker.certificate("4", today.year),
        "证书日期": day,
        "收款卡号": maker.card(),
        "开户行联行号": maker.bank_code(),
        "协议签订日期": day,
        "协议开始日期": day,
        "协议结束日期": today.replace(month=12, day=31).isoformat(),
        "协议文件指纹": "0" * 64,
    }
    return {**given, **other}


def sheet(lines: Iterable[Line], kind: str = "csv", headings: Sequence[str] = HEADINGS) -> bytes:
    file = FILES[kind]()
    file.add([headings, *([line.get(heading, "") for heading in headings] for line in lines)])
    return file.content()


def read_csv(data: bytes) -> list[Line]:
    return list(csv.DictReader(StringIO(data.decode("utf-8-sig"), newline="")))
