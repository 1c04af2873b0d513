"""A catalog as it was printed: nothing mended, nothing left out."""

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import TypedDict

#: The ten industries of 济人社函〔2023〕28号, 二.1. A text that names its own replaces them.
INDUSTRIES = (
    "加工维修",
    "建筑施工",
    "软件智能",
    "电力水利",
    "家政养老",
    "农林牧渔",
    "商业旅游",
    "纺织服装",
    "食品餐饮",
    "社会服务",
)


@dataclass(frozen=True, slots=True)
class PublishedRow:
    """One row as printed. `line` counts from 1 in the file that was read.

    `code_text` is None where the list has no column of codes (项目制). `cut` holds the pieces as printed when the row
    was not printed whole; the texts are then what the pieces could be read as, '' where nothing could.
    """

    list_name: str
    line: int
    serial_text: str
    code_text: str | None
    name_text: str
    industry_text: str
    cut: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PublishedList:
    """A list of the annex. `repeated_headings` are the lines where its heading or its table's stands once more."""

    name: str
    line: int
    repeated_headings: tuple[int, ...] = ()
    untitled: bool = False  # a table without a heading; `name` is then ours, not the publisher's


@dataclass(frozen=True, slots=True)
class NamedList:
    """A list that the text says there is (notice 二.1)."""

    name: str
    line: int


@dataclass(frozen=True, slots=True)
class PublishedCatalog:
    """`named` is empty where a source has no text around its tables."""

    lists: tuple[PublishedList, ...]
    rows: tuple[PublishedRow, ...]
    named: tuple[NamedList, ...] = ()
    industries: tuple[str, ...] = INDUSTRIES

    def rows_per_list(self) -> dict[str, int]:
        """How many rows each list has, in the order of the annex; a list can be empty."""
        count = Counter(row.list_name for row in self.rows)
        return {each.name: count[each.name] for each in self.lists}


@dataclass(frozen=True, slots=True)
class CatalogItem:
    """A row with its tag taken off its name; every text is still as printed, mistakes included.

    `serial` is None where none was printed; `tag` is '', 'L' (绿色), 'S' (数字) or 'L/S'.
    """

    list_name: str
    serial: int | None
    code: str | None
    name: str
    tag: str
    industry: str
    line: int


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class Kind(StrEnum):
    SERIAL_GAP = "serial_gap"
    SERIAL_DUPLICATE = "serial_duplicate"
    INDUSTRY_MISSPELT = "industry_misspelt"
    INDUSTRY_TRUNCATED = "industry_truncated"
    INDUSTRY_UNKNOWN = "industry_unknown"
    CODE_TWO_NAMES = "code_two_names"
    NAME_TWO_CODES = "name_two_codes"
    INDUSTRY_DIFFERS = "industry_differs"
    TAG_DIFFERS = "tag_differs"
    STRAY_BLANK = "stray_blank"
    HEADING_REPEATED = "heading_repeated"
    LIST_NAME_DIFFERS = "list_name_differs"
    LIST_MISSING = "list_missing"
    CODE_MALFORMED = "code_malformed"
    CODE_DUPLICATE = "code_duplicate"
    ROW_CUT = "row_cut"
    FULLWIDTH_CHARACTERS = "fullwidth_characters"
    CODE_UNKNOWN = "code_unknown"
    NAME_NOT_CLASSIFIED = "name_not_classified"
    TAG_NOT_CLASSIFIED = "tag_not_classified"


#: An error leaves open which row is meant or what it says, so an edition should not go out with it. The rest are
#: warnings: the row can be told apart and read, though an editor should decide. A page break's heading says nothing.
SEVERITIES = dict.fromkeys(Kind, Severity.WARNING) | {
    Kind.CODE_MALFORMED: Severity.ERROR,
    Kind.ROW_CUT: Severity.ERROR,
    Kind.SERIAL_DUPLICATE: Severity.ERROR,
    Kind.CODE_DUPLICATE: Severity.ERROR,
    Kind.INDUSTRY_UNKNOWN: Severity.ERROR,
    Kind.CODE_UNKNOWN: Severity.ERROR,
    Kind.HEADING_REPEATED: Severity.NOTE,
}


#: As the command line prints it and the draft stores it.
class FindingFacts(TypedDict):
    kind: str
    severity: str
    list: str
    serial: int | None
    line: int
    code: str | None
    message: str
    suggestion: str


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong with a published list, and where.

    `serial` is the published one (told from the neighbours where it was lost), for a gap the missing one, None where
    the place is no row. `code` is half-width and without blanks. `suggestion` is the value proposed, or a sentence
    saying what to do where no rule can tell the value.
    """

    kind: Kind
    list_name: str
    serial: int | None
    line: int
    code: str | None
    message: str
    suggestion: str

    @property
    def severity(self) -> Severity:
        return SEVERITIES[self.kind]

    def facts(self) -> FindingFacts:
        return {
            "kind": self.kind.value,
            "severity": self.severity.value,
            "list": self.list_name,
            "serial": self.serial,
            "line": self.line,
            "code": self.code,
            "message": self.message,
            "suggestion": self.suggestion,
        }
