"""A published list beside the national classification (国家职业分类大典), as far as that is loaded (notice 二.3)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from domain.catalog.published import Finding, Kind
from domain.catalog.reading import Reading


@dataclass(frozen=True, slots=True)
class Occupation:
    """As the classification names it; `tag` as in the catalog: '', L, S or L/S."""

    code: str
    name: str
    tag: str = ""


def compare_with_classification(
    readings: Sequence[Reading], classification: Mapping[str, Occupation], aliases: Mapping[str, str]
) -> Iterator[Finding]:
    """Codes it does not know, names and tags it has otherwise. A code that an alias carries over is an older one,
    not an unknown one, and its name and tag are those of its time."""
    for each in readings:
        if each.code is None or each.code in aliases:
            continue
        known = classification.get(each.code)
        if known is None:
            message = f"编码 {each.code}“{each.name}”不在国家职业分类大典之中。"
            yield _at(each, Kind.CODE_UNKNOWN, message, _named_alike(each.name, classification))
            continue
        if each.name and each.name != known.name:
            message = f"编码 {each.code} 此处名为“{each.name}”，国家职业分类大典为“{known.name}”。"
            yield _at(each, Kind.NAME_NOT_CLASSIFIED, message, known.name)
        if each.tag != known.tag:
            message = f"“{each.name}”此处标识为“{each.tag or '无'}”，国家职业分类大典为“{known.tag or '无'}”。"
            yield _at(each, Kind.TAG_NOT_CLASSIFIED, message, known.tag or "去掉标识。")


def _named_alike(name: str, classification: Mapping[str, Occupation]) -> str:
    found = next((each.code for each in classification.values() if each.name == name), None)
    return found or "核对国家职业分类大典中的编码。"


def _at(reading: Reading, kind: Kind, message: str, suggestion: str) -> Finding:
    return Finding(kind, reading.row.list_name, reading.serial, reading.row.line, reading.code, message, suggestion)
