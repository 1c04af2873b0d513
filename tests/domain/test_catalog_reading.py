"""What a printed cell means, whatever blanks and wide characters stand in it."""

import pytest

from domain.catalog import INDUSTRIES, Kind
from domain.catalog.reading import CODE, read_code, read_industry, read_name, read_serial, tidy_name


@pytest.mark.parametrize(
    ("printed", "name", "tag"),
    [
        ("焊工", "焊工", ""),
        ("电子商务师 S", "电子商务师", "S"),
        ("保洁员 L", "保洁员", "L"),
        ("增材制造设备操作员 L/S", "增材制造设备操作员", "L/S"),
        ("增材制造设备操作员 S/L", "增材制造设备操作员", "L/S"),
        ("增材制造设备操作员 Ｌ／Ｓ", "增材制造设备操作员", "L/S"),
        ("保洁员L", "保洁员", "L"),
        ("保 洁\u3000员  L ", "保洁员", "L"),
        ("Java Script 工程师 S", "Java Script工程师", "S"),
        ("会用CSS", "会用CSS", ""),
        ("S", "S", ""),
        ("", "", ""),
    ],
)
def test_a_name_and_its_tag(printed: str, name: str, tag: str) -> None:
    assert read_name(printed) == (name, tag)


def test_a_name_is_tidied_to_one_blank_before_its_tag() -> None:
    assert tidy_name(" 汽轮机和 水轮机检修工  Ｓ") == "汽轮机和水轮机检修工 S"


@pytest.mark.parametrize(
    ("printed", "meant", "fault"),
    [
        ("电力水利", "电力水利", None),
        (" 电力\u3000水利", "电力水利", None),
        ("电气水利", "电力水利", Kind.INDUSTRY_MISSPELT),
        ("力电水利", "电力水利", Kind.INDUSTRY_MISSPELT),
        ("利力水电", "电力水利", Kind.INDUSTRY_MISSPELT),
        ("电力力水利", "电力水利", Kind.INDUSTRY_MISSPELT),
        ("电水利", "电力水利", Kind.INDUSTRY_MISSPELT),
        ("加工维修类", "加工维修", Kind.INDUSTRY_MISSPELT),
        ("建筑施", "建筑施工", Kind.INDUSTRY_TRUNCATED),
        ("筑施工", "建筑施工", Kind.INDUSTRY_TRUNCATED),
        ("旅游服务", "旅游服务", Kind.INDUSTRY_UNKNOWN),
        ("航空航天", "航空航天", Kind.INDUSTRY_UNKNOWN),
        ("加" * 100_000, "加" * 100_000, Kind.INDUSTRY_UNKNOWN),
        ("", "", None),
    ],
)
def test_an_industry_and_what_is_wrong_with_it(printed: str, meant: str, fault: Kind | None) -> None:
    assert read_industry(printed, INDUSTRIES) == (meant, fault)


@pytest.mark.parametrize(
    ("printed", "serial"),
    [("12", 12), (" １２ ", 12), ("1 2", 12), ("0", 0), ("", None), ("1O", None), ("١٢", None), ("9" * 5000, None)],
)
def test_a_serial_is_ascii_digits_once_half_width(printed: str, serial: int | None) -> None:
    assert read_serial(printed) == serial


@pytest.mark.parametrize(
    ("printed", "is_code"),
    [
        ("6-18-02-04", True),
        ("６－１８－０２－０４", True),
        (" 6-18 -02-04", True),
        ("6–18—02−04", True),
        ("9-18-02-04", False),
        ("0-18-02-04", False),
        ("6-18-02-4", False),
        ("6-18-02-٠٤", False),
        ("6-18-02-04-01", False),
    ],
)
def test_a_code_has_the_form_of_the_classification(printed: str, is_code: bool) -> None:
    assert (CODE.fullmatch(read_code(printed)) is not None) is is_code
