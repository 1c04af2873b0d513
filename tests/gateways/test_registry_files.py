"""Files of the registry's owner: read whole, or refused with the places to mend."""

from datetime import date

import pytest

from domain.errors import Invalid
from domain.verification import RegistryEntry
from service.gateways.registry_files import EntryLine, read_registry_file
from tests.registry_files import file_of

GOOD = {
    "certificate_number": "S000037000001250400001",
    "holder_name": "张梅",
    "id_number": "11010519491231002X",
    "occupation_code": "6-18-02-04",
    "level": "四级（中级工）",
    "issued_on": "2025年3月1日",
    "status": "有效",
}
ENTRY = RegistryEntry(
    "S000037000001250400001", "张梅", "11010519491231002X", "6-18-02-04", "4", date(2025, 3, 1), False, None
)


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_a_line_is_a_certificate(kind: str) -> None:
    revoked = {**GOOD, "certificate_number": "s0000370000012504 00002", "status": "已撤销", "revoked_on": "2025.6.1"}
    silent = {**GOOD, "id_number": "110105********002X", "occupation_code": "", "level": "", "issued_on": ""}
    read = read_registry_file(file_of(GOOD, revoked, silent, kind=kind), f"f.{kind}")
    assert read[0] == EntryLine(2, ENTRY)
    assert (read[1].entry.number, read[1].entry.revoked_on) == ("S000037000001250400002", date(2025, 6, 1))
    assert read[1].entry.revoked
    assert read[2].entry == RegistryEntry(ENTRY.number, "张梅", "110105********002X")
    assert "张梅" not in repr(read)


def test_the_chinese_encoding_of_old_systems_is_read() -> None:
    data = file_of(GOOD).decode("utf-8-sig").encode("gb18030")
    assert read_registry_file(data, "f.csv")[0].entry == ENTRY


@pytest.mark.parametrize(
    ("spoilt", "field", "code"),
    [
        ({"certificate_number": ""}, "certificate_number", "value.missing"),
        ({"certificate_number": "证书甲"}, "certificate_number", "certificate.characters"),
        ({"holder_name": ""}, "holder_name", "value.missing"),
        ({"id_number": " "}, "id_number", "value.missing"),
        ({"occupation_code": "焊工"}, "occupation_code", "register.occupation"),
        ({"issued_on": "2025-02-30"}, "issued_on", "date.no_such_day"),
        ({"issued_on": "去年"}, "issued_on", "date.format"),
        ({"status": "不详"}, "status", "registry_file.status"),
        ({"revoked_on": "2025-06-01"}, "status", "registry_file.revoked"),
        ({"status": "撤销", "revoked_on": "6月"}, "revoked_on", "date.format"),
    ],
)
def test_a_line_that_cannot_be_read_is_named_and_the_others_with_it(
    spoilt: dict[str, str], field: str, code: str
) -> None:
    with pytest.raises(Invalid) as refusal:
        read_registry_file(file_of(GOOD, {**GOOD, **spoilt}, {**GOOD, "status": ""}), "f.csv")
    told = [(each.field, each.code) for each in (refusal.value, *refusal.value.others)]
    assert told == [(f"line 3.{field}", code), ("line 4.status", "value.missing")]


def test_of_many_such_lines_a_hundred_are_named() -> None:
    with pytest.raises(Invalid) as refusal:
        read_registry_file(file_of(*[{**GOOD, "status": "?"}] * 150), "f.csv")
    assert len(refusal.value.others) == 99


def test_what_is_no_such_file_is_refused_whole() -> None:
    for data, code in (
        ("姓名,证件号码\n张梅,1\n".encode(), "sheet.no_headings"),
        (file_of(), "roster.empty"),
        (b"\x00\xff\x00", "file.not_text"),
    ):
        with pytest.raises(Invalid) as refusal:
            read_registry_file(data, "f.csv")
        assert refusal.value.code == code
