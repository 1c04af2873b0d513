"""What a sheet says in people's words → the codes and days of a single claim."""

from collections.abc import Mapping
from functools import cache
from typing import Any
from uuid import UUID

from domain.catalog.lists import LIST_KINDS, OTHER, kind_of_list
from domain.claim import PlaceLink
from domain.errors import Invalid
from domain.faults import Faults
from domain.level import level_named
from service.gateways.headed_sheets import one_form
from service.gateways.roster_sheets import BY_FIELD, COLUMNS
from service.policies.queries import groups
from service.wording import words

NEEDED = tuple(column.field for column in COLUMNS if column.needed)
#: What a line says of a mandate that is not recorded yet.
PAPER = ("signed_on", "valid_from", "valid_to", "document_sha256")
#: Who names a group proves it. (An invoice has no column: a trainee of an institution that claims has paid nothing.)
GROUP = tuple(column.field for column in COLUMNS if column.field.startswith("group."))


def in_one_form(typed: Mapping[str, str]) -> dict[str, str]:
    """Days in one form, words as codes where they are known; what can be concluded where it was left out."""
    said = {field: one_form(text) if BY_FIELD[field].day else text for field, text in typed.items()}
    for field, codes in _codes().items():
        if field in said:
            said[field] = codes.get(said[field].strip(), said[field])
    if (kind := kind_of_list(said.get("list_kind", ""))) != OTHER:
        said["list_kind"] = kind  # a list by the name under which it was published
    proofs = groups()[said["group.code"]].proofs if said.get("group.code") in groups() else ()
    if len(proofs) == 1:
        said.setdefault("group.proof_kind", proofs[0].kind)
    return said


def complete(said: Mapping[str, str], faults: Faults) -> dict[str, Any]:
    """The values of the bodies that a single claim is made of; what is missing is empty."""
    blank = ["item_code", *NEEDED, *(GROUP if said.keys() & set(GROUP) else ())]
    given: dict[str, Any] = {**dict.fromkeys(blank, ""), **said}
    given["level"] = faults.read(lambda: level_named(given["level"]).code) or ""
    given.setdefault("account.holder", given["trainee.name"])
    if "mandate_id" in given:
        given["mandate_id"] = faults.read(_mandate_id, given["mandate_id"])
    if "place_link" in given:
        given["place_link"] = faults.read(_place_link, given["place_link"])
    return given


@cache
def _codes() -> dict[str, dict[str, str]]:
    """Field → what people read there → its code."""
    return {
        "list_kind": {words(f"list.{kind}"): kind for kind in LIST_KINDS},
        "group.code": {group.name: code for code, group in groups().items()},
        "group.proof_kind": {proof.name: proof.kind for group in groups().values() for proof in group.proofs},
        "place_link": {words(f"place_link.{link}"): str(link) for link in PlaceLink},
    }


def _mandate_id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Invalid("mandate.not_found", field="mandate_id") from None


def _place_link(text: str) -> PlaceLink:
    try:
        return PlaceLink(text)
    except ValueError:
        raise Invalid("value.form", field="place_link") from None
