"""What the city is told a catalog should hold (notice 二.1, 二.2): sources beside a draft, districts' proposals."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from domain.catalog.published import CatalogItem
from domain.catalog.reading import read_code, read_name
from domain.lifecycle import Lifecycle


class SourceKind(StrEnum):
    PROVINCIAL_GUIDE = "provincial_guide"
    SHORTAGE = "shortage"  # the enterprises' shortage catalog
    SURVEY = "survey"  # of training needs


class ProposalStatus(StrEnum):
    PROPOSED = "proposed"
    ACCEPTED = "accepted"
    DECLINED = "declined"


class ProposalAction(StrEnum):
    ACCEPT = "accept"
    DECLINE = "decline"


PROPOSAL_LIFECYCLE = Lifecycle(
    noun="proposal",
    first=ProposalStatus.PROPOSED,
    moves={
        (ProposalStatus.PROPOSED, ProposalAction.ACCEPT): ProposalStatus.ACCEPTED,
        (ProposalStatus.PROPOSED, ProposalAction.DECLINE): ProposalStatus.DECLINED,
    },
)


@dataclass(frozen=True)
class BesideSource:
    """`missing`: in the source and not in the draft; `named_otherwise`: (source's, draft's) of one code;
    `unsupported`: in the draft and not in the source, each occupation once."""

    missing: tuple[CatalogItem, ...]
    named_otherwise: tuple[tuple[CatalogItem, CatalogItem], ...]
    unsupported: tuple[CatalogItem, ...]


def beside_source(
    draft: Iterable[CatalogItem], source: Iterable[CatalogItem], aliases: Mapping[str, str]
) -> BesideSource:
    """Compare by occupation, whatever the list: by the code that is meant now, by the name where there is no code."""

    def meant(item: CatalogItem) -> str:
        code = read_code(item.code) if item.code else None
        return aliases.get(code, code) if code else read_name(item.name)[0]

    have: dict[str, CatalogItem] = {}
    told: dict[str, CatalogItem] = {}
    for items, kept in ((draft, have), (source, told)):
        for item in items:
            kept.setdefault(meant(item), item)
    names = {read_name(item.name)[0] for item in have.values()}
    both = [(item, have[key]) for key, item in told.items() if key in have]
    return BesideSource(
        missing=tuple(item for key, item in told.items() if key not in have and (item.code or key not in names)),
        named_otherwise=tuple(
            (item, ours) for item, ours in both if read_name(item.name)[0] != read_name(ours.name)[0]
        ),
        unsupported=tuple(item for key, item in have.items() if key not in told),
    )
