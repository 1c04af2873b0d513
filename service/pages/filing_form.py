"""The four steps in which somebody fills in a claim: their fields, what claim they make, what is wrong there."""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

from domain.claim import PlaceLink
from domain.errors import Invalid
from domain.faults import Faults
from domain.level import LEVELS, Scheme
from service.catalog.schemas import ItemView
from service.claims.commands.reading import read_all
from service.claims.schemas import NewAccount, NewClaim
from service.claims.schemas.filing import NewGroup
from service.pages.catalog_pages import names_near
from service.pages.forms import Fault, Typed, day_typed, faults_of
from service.policies.queries import DATA, groups
from service.wording import spoken, words

STEPS = ("identity", "certificate", "account", "check")

#: What each step asks for, by the beginning of the fields' names.
_ASKS: Mapping[str, tuple[str, ...]] = {
    "identity": ("district", "place_link", "group"),
    "certificate": ("certificate", "item", "level", "training"),
    "account": ("account",),
    "check": (),
}
#: The number of a card that stands for the claimant's own until they have named one: no amount depends on it.
_SOME_CARD = "0" * 16


@dataclass(frozen=True)
class Filled:
    """What was typed so far, as a claim; `faults` of all that is not as it should be, for whichever step."""

    new: NewClaim
    faults: list[Fault]

    def faults_in(self, step: str) -> list[Fault]:
        """Those that this step can mend."""
        return [each for each in self.faults if each[0].startswith(_ASKS[step])]

    @property
    def step_to_mend(self) -> str | None:
        """The first step in which something is wrong."""
        return next((step for step in STEPS if self.faults_in(step)), None)


@dataclass(frozen=True)
class Under:
    """The paper by which an institution claims for somebody: it tells whose district it is."""

    mandate_id: UUID | None = None
    contract_id: UUID | None = None


def filled(
    typed: Typed,
    items: Iterable[ItemView],
    holder: str,
    *,
    with_card: bool = True,
    under: Under | None = None,
) -> Filled:
    """`holder`: the claimant's name, in which the card has to be. Without `with_card` any card will do yet; an
    enterprise with a contract names none."""
    faults, paper = Faults(), under or Under()
    new = NewClaim(
        item_code=faults.read(_item_code, typed.get("item", ""), items) or "",
        level=typed.get("level", ""),
        certificate_number=typed.get("certificate_number", ""),
        certificate_issued_on=day_typed(typed, "certificate_issued_on"),
        account=_card(typed, holder, paper, with_card=with_card),
        district=typed.get("district") or None,
        training_started_on=day_typed(typed, "training_started_on") or None,
        group=group_typed(typed),
        place_link=place_link_typed(typed),
        insist=typed.get("insist") == "yes",
        class_number=typed.get("class_number") or None,
        mandate_id=paper.mandate_id,
        contract_id=paper.contract_id,
    )
    if under is None and new.district is None:
        faults.tell("district.missing", "district")
    if not new.certificate_issued_on:
        faults.tell("value.missing", "certificate_issued_on")
    read_all(new, faults)
    first = {each.field: each for each in reversed(faults.found)}
    return Filled(new, faults_of(each for each in faults.found if each is first[each.field]))


def _card(typed: Typed, holder: str, under: Under, *, with_card: bool) -> NewAccount | None:
    if under.contract_id is not None:
        return None
    return account_typed(typed, holder) if with_card else NewAccount(_SOME_CARD, holder, next(iter(banks())))


def account_typed(typed: Typed, holder: str) -> NewAccount:
    """The card that was typed; it has to be in the claimant's own name."""
    return NewAccount(typed.get("account_number", ""), holder, typed.get("account_bank_code", ""))


def group_typed(typed: Typed) -> NewGroup | None:
    """A group with the one kind of proof that was chosen for it: `graduate/diploma`."""
    code, _, proof_kind = typed.get("group_code", "").partition("/")
    if not code:
        return None
    return NewGroup(code, proof_kind, typed.get("group_proof_number", ""), day_typed(typed, "group_valid_from"))


def place_link_typed(typed: Typed) -> PlaceLink | None:
    """What ties them to the city, where it is said."""
    said = typed.get("place_link", "")
    return PlaceLink(said) if said in set(PlaceLink) else None


def _item_code(said: str, items: Iterable[ItemView]) -> str:
    """The code of an occupation that is named as printed, or by its code. Invalid `item.say_which` (near)."""
    known = [row for row in items if row.code]
    by_name = {row.code for row in known if said in (row.name, row.code)}
    if len(by_name) == 1:
        return str(by_name.pop())
    if not said:
        raise Invalid("value.missing", field="item")
    raise Invalid("item.say_which", field="item", near=names_near(said, known) or [said])


@cache
def banks() -> dict[str, str]:
    """Clearing number (12 digits) → bank, of the common ones."""
    with (DATA / "banks.csv").open(encoding="utf-8", newline="") as file:
        return {row["code"]: row["name"] for row in csv.DictReader(file)}


def choices() -> dict[str, Any]:
    """What the steps let one choose from: (code, name) each."""
    english = spoken.get() == "en"
    proofs = [
        (
            f"{code}/{proof.kind}",
            f"{group.name_en} ({proof.name_en})" if english else f"{group.name}（{proof.name}）",
        )
        for code, group in groups().items()
        for proof in group.proofs
    ]
    levels = [each for each in LEVELS.values() if each.scheme is not Scheme.PROJECT]
    return {
        "levels": [(each.code, words(f"level_name.{each.code}") if english else each.name) for each in levels],
        "groups": proofs,
        "place_links": [(str(link), words(f"place_link.{link}")) for link in PlaceLink],
        "banks": list(banks().items()),
    }
