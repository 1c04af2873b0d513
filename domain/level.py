"""Skill levels: a code with a scheme and a rank; only levels of one scheme compare."""

import re
from dataclasses import dataclass
from enum import StrEnum

from domain.errors import Invalid
from domain.text import half_width


class Scheme(StrEnum):
    """SKILL: five levels, with those that 人社部发〔2022〕14号 puts below and above. ENGINEER: three grades.
    PROJECT: a project item (项目制) has no levels, and this stands for the whole of it."""

    SKILL = "skill"
    ENGINEER = "engineer"
    PROJECT = "project"


@dataclass(frozen=True)
class SkillLevel:
    """`code` is unique over all schemes; a larger `rank` is a higher level; `short` is what pages print."""

    code: str
    scheme: Scheme
    rank: int
    name: str
    short: str

    def outranks(self, other: "SkillLevel") -> bool:
        """Whether this is the higher level; ValueError when the schemes differ, for then nothing is higher."""
        if self.scheme != other.scheme:
            raise ValueError(f"{self.name} and {other.name} do not compare")
        return self.rank > other.rank


def _ladder(scheme: Scheme, *steps: tuple[str, str, str]) -> dict[str, SkillLevel]:
    return {code: SkillLevel(code, scheme, rank, name, short) for rank, (code, name, short) in enumerate(steps)}


#: The one level of a project item.
WHOLE_PROJECT = "project"

#: By code, each scheme from its lowest level up.
LEVELS: dict[str, SkillLevel] = {
    **_ladder(
        Scheme.SKILL,
        ("apprentice", "学徒工", "学徒工"),
        ("5", "五级/初级工", "五级"),
        ("4", "四级/中级工", "四级"),
        ("3", "三级/高级工", "三级"),
        ("2", "二级/技师", "二级"),
        ("1", "一级/高级技师", "一级"),
        ("special", "特级技师", "特级技师"),
        ("chief", "首席技师", "首席技师"),
    ),
    **_ladder(
        Scheme.ENGINEER,
        ("junior", "初级", "初级"),
        ("intermediate", "中级", "中级"),
        ("senior", "高级", "高级"),
    ),
    **_ladder(Scheme.PROJECT, (WHOLE_PROJECT, "项目制", "项目制")),
}


def level_of(code: object, *, field: str = "level") -> SkillLevel:
    """The level with this code; Invalid `level.unknown` for any other value."""
    if not isinstance(code, str) or code not in LEVELS:
        raise Invalid("level.unknown", field)
    return LEVELS[code]


def level_named(text: str, *, field: str = "level") -> SkillLevel:
    """The level that people write as its code (4), as printed (四级/中级工), or as half of that (四级, 中级工).

    Invalid `level.unknown` for any other text.
    """
    return level_of(_SPELLINGS.get(half_width(text).strip()), field=field)


def level_told(text: str) -> str:
    """The code of the level that a registry writes: as for `level_named`, and both halves in either order or with
    brackets (四级（中级工）). The text as it stands where it names none, or two."""
    halves = filter(None, _BETWEEN_HALVES.split(half_width(text).strip()))
    meant = {_SPELLINGS.get(half) for half in halves}
    return (meant.pop() if len(meant) == 1 else None) or text


_BETWEEN_HALVES = re.compile(r"\s*[/()]\s*")
_SPELLINGS = {
    spelling: level.code for level in LEVELS.values() for spelling in (level.code, level.name, *level.name.split("/"))
}


def schemes_for(occupation_code: str | None) -> frozenset[Scheme]:
    """The schemes that an occupation's levels come from; none for project items, which have no code.

    2-02-… are engineers (国家职业分类大典, major class 2 专业技术人员): three grades.
    """
    if occupation_code is None:
        return frozenset()
    return frozenset({Scheme.ENGINEER if occupation_code.startswith("2-02-") else Scheme.SKILL})
