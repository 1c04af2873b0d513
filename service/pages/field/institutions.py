"""The registry of institutions as its officers keep it: dated facts, their ends, and the account it is paid to."""

from typing import Any
from uuid import UUID

from domain.actor import Post
from domain.errors import Invalid, NotFound
from domain.institution import ContactRole, Grade, InstitutionKind
from domain.level import LEVELS, Scheme
from service.access.queries import claimable_districts, district_names
from service.catalog.queries.published import catalog_on
from service.institutions.commands import accounts, registering
from service.institutions.queries.registry import desk_page, record_of
from service.institutions.schemas import (
    AddedView,
    NewBranch,
    NewContact,
    NewEnd,
    NewGrade,
    NewInstitution,
    NewInstitutionAccount,
    NewScopes,
)
from service.pages.field.acts import Act, Said
from service.pages.filing_form import banks
from service.web import as_wanted
from service.wording import words

_INSTITUTIONS_A_PAGE = 50
LEVEL_CHOICES = [(each.code, each.name) for each in LEVELS.values() if each.scheme is not Scheme.PROJECT]
TONES = {"listed": "green", "suspended": "amber", "exited": "red"}
KIND_CHOICES = [(str(each), words(f"institution_kind.{each}")) for each in InstitutionKind]
_DAYS = frozenset({"from", "to"})


async def listed(said: Said) -> dict[str, Any]:
    """Those of my district by credit code, or those that are looked for."""
    sought, after = said.text("q")[:60], said.text("after")[:18]
    found = await desk_page(said.tx, said.me, sought, said.today, after, _INSTITUTIONS_A_PAGE)
    return {
        "q": sought,
        "institutions": found.institutions,
        "next": found.next,
        "tones": TONES,
        "districts": await district_names(said.tx),
    }


async def occupations(said: Said) -> dict[str, str]:
    """Code → name, by today's catalog."""
    return {row.code: row.name for row in (await catalog_on(said.tx, said.today)).items if row.code}


async def _record(said: Said) -> dict[str, Any]:
    """Everything about one. NotFound `institution.not_found`."""
    return {
        "record": await record_of(said.tx, said.me, said.id, said.today),
        "tones": TONES,
        "occupations": await occupations(said),
        "districts": await district_names(said.tx),
        "banks": banks(),
        "may": said.me.holds(Post.INSTITUTION_OFFICER),
    }


async def _form(said: Said) -> dict[str, Any]:
    """One form of an institution, with what one chooses from. NotFound `institution.not_found`."""
    record = await record_of(said.tx, said.me, said.id, said.today)
    return {
        "institution": record.institution,
        "grades": [(str(each), words(f"grade.{each.lower()}")) for each in Grade],
        "roles": [(str(each), words(f"contact_role.{each}")) for each in ContactRole],
        "levels": LEVEL_CHOICES,
        "districts": await claimable_districts(said.tx),
        "banks": list(banks().items()),
    }


def _days(said: Said) -> dict[str, Any]:
    return {"from": said.day("from"), "to": said.later_day("to")}


async def _new(said: Said) -> dict[str, Any]:
    return {"kinds": KIND_CHOICES, "districts": await claimable_districts(said.tx)}


async def _register(said: Said) -> AddedView:
    told = {name: said.text(name) for name in ("credit_code", "name", "kind", "district")}
    return await registering.register(said.tx, said.me, as_wanted(told, NewInstitution), said.now)


REGISTER = Act(
    "field/institution_new.html",
    _new,
    _register,
    AddedView,
    lambda _, view: f"/desk/institutions/{view.id}",
    "institution_added",
    frozenset({"credit_code", "name", "kind", "district"}),
)


async def _grade(said: Said) -> AddedView:
    told = {"grade": said.text("grade"), "source": said.text("source"), **_days(said)}
    return await registering.give_grade(said.tx, said.me, said.id, as_wanted(told, NewGrade), said.today, said.now)


async def _scope(said: Said) -> list[AddedView]:
    levels = [code for code, _ in LEVEL_CHOICES if said.text(f"level_{code}")]
    scope = {"occupation": said.text("occupation"), "levels": levels}
    told = {"scopes": [scope], "source": said.text("source"), **_days(said)}
    return await registering.add_scopes(said.tx, said.me, said.id, as_wanted(told, NewScopes), said.today, said.now)


async def _branch(said: Said) -> AddedView:
    told = {name: said.text(name) for name in ("name", "district", "address")}
    new = as_wanted({**told, **_days(said)}, NewBranch)
    return await registering.add_branch(said.tx, said.me, said.id, new, said.today, said.now)


async def _contact(said: Said) -> AddedView:
    told = {name: said.text(name) for name in ("role", "name", "phone")}
    new = as_wanted({**told, **_days(said)}, NewContact)
    return await registering.add_contact(said.tx, said.me, said.id, new, said.now)


async def _account(said: Said) -> AddedView:
    told = {name: said.text(name) for name in ("number", "holder", "bank_code", "reason")}
    new = as_wanted({**told, "from": said.day("from")}, NewInstitutionAccount)
    return await accounts.propose_account(said.tx, said.me, said.id, new, said.today, said.now)


async def _end(said: Said) -> AddedView:
    told = {"part": said.text("part"), "id": said.text("fact"), "to": said.day("to")}
    return await registering.end(said.tx, said.me, said.id, as_wanted(told, NewEnd), said.today, said.now)


def _back(said: Said, _: Any) -> str:
    return f"/desk/institutions/{said.id}"


#: By the last part of the address.
_ON: dict[str, Act[Any]] = {
    "grades": Act("field/grade.html", _form, _grade, AddedView, _back, "fact_added", _DAYS | {"grade", "source"}),
    "scopes": Act(
        "field/scope.html",
        _form,
        _scope,
        list[AddedView],
        _back,
        "fact_added",
        _DAYS | {"source", "scopes_0_occupation", "scopes_0_levels"},
    ),
    "branches": Act(
        "field/branch.html", _form, _branch, AddedView, _back, "fact_added", _DAYS | {"name", "district", "address"}
    ),
    "contacts": Act(
        "field/contact.html", _form, _contact, AddedView, _back, "fact_added", _DAYS | {"role", "name", "phone"}
    ),
    "accounts": Act(
        "field/account.html",
        _form,
        _account,
        AddedView,
        _back,
        "account_proposed",
        frozenset({"number", "holder", "bank_code", "reason", "from"}),
    ),
    "ends": Act("field/end.html", _form, _end, AddedView, _back, "fact_ended", frozenset({"to"})),
}


def on(name: str) -> Act[Any]:
    """What is done to an institution under the last part of an address. NotFound `page.not_found`."""
    if name not in _ON:
        raise NotFound("page.not_found")
    return _ON[name]


async def _answer(said: Said) -> AddedView:
    about: tuple[UUID, UUID] = said.id, said.part_id
    if said.text("answer") == "confirm":
        return await accounts.confirm_account(said.tx, said.me, *about, said.today, said.now)
    if said.text("answer") == "decline":
        return await accounts.decline_account(said.tx, said.me, *about, said.text("reason"), said.now)
    raise Invalid("value.missing", "form")


ANSWER_ACCOUNT = Act("field/institution.html", _record, _answer, AddedView, _back, "account_answered")
