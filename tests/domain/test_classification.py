"""A published list beside the national classification."""

import pytest

from domain.catalog import Occupation, PublishedCatalog, PublishedList, PublishedRow, find_mistakes

KNOWN = {each.code: each for each in (Occupation("6-18-02-04", "焊工"), Occupation("4-10-01-05", "养老护理员", "L"))}
ALIASES = {"2-02-10-09": "2-02-38-01"}

CASES = {
    "as classified": ("6-18-02-04", "焊工", []),
    "as classified, with its tag": ("4-10-01-05", "养老护理员 L", []),
    "a code nobody has": ("6-18-02-99", "焊工", [("code_unknown", "6-18-02-04")]),
    "a code and a name nobody has": (
        "6-18-02-99", "激光焊工", [("code_unknown", "核对国家职业分类大典中的编码。")],
    ),
    "an older code": ("2-02-10-09", "人工智能工程技术人员 S", []),
    "another name": ("6-18-02-04", "电焊工", [("name_not_classified", "焊工")]),
    "a tag too many": ("6-18-02-04", "焊工 S", [("tag_not_classified", "去掉标识。")]),
    "a tag too few": ("4-10-01-05", "养老护理员", [("tag_not_classified", "L")]),
    "no code that could be looked up": ("6180204", "焊工", [("code_malformed", "6-18-02-04")]),
}  # fmt: skip


def catalog(code: str, name: str) -> PublishedCatalog:
    return PublishedCatalog(
        (PublishedList("急需紧缺", 1),), (PublishedRow("急需紧缺", 2, "1", code, name, "加工维修"),)
    )


@pytest.mark.parametrize("case", CASES)
def test_codes_names_and_tags_are_held_against_the_classification(case: str) -> None:
    code, name, expected = CASES[case]
    found = find_mistakes(catalog(code, name), KNOWN, ALIASES)
    assert [(str(each.kind), each.suggestion) for each in found] == expected
    assert all((str(each.severity) == "error") == (each.kind in ("code_unknown", "code_malformed")) for each in found)


def test_without_a_classification_nothing_is_said() -> None:
    assert find_mistakes(catalog("6-18-02-99", "电焊工")) == []
