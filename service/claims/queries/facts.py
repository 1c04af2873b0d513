"""The facts of many claims in one statement; deciding is `domain/eligibility`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from asyncpg import Record

from domain.claim import Channel, PlaceLink
from domain.eligibility import (
    AgeFacts,
    ClassFacts,
    EarlierClaim,
    Facts,
    FeeFacts,
    GroupFacts,
    InstitutionFacts,
    ItemFacts,
    MandateFacts,
    Parameters,
    StandardFacts,
    StandingClaim,
)
from domain.eligibility.facts import ALLOWANCE
from domain.identity import NationalId
from domain.institution import LISTED, History, Sanction, Stop, left_on, standing_on, stopped_on
from domain.period import Period, whole_months
from domain.register import Looked
from domain.share import list_filed_under
from domain.standard import Formula
from domain.training import Rate
from service.claims.queries.kinds import (
    AttendedClass,
    Drawn,
    allowance_facts,
    contract_facts,
    project_facts,
)
from service.claims.tables import ALIVE_SQL
from service.crypto import keyring
from service.database import Tx, fetch
from service.policies.queries import retirement_ages
from service.registers.queries import IN_FORCE_JSON, Sought, look_up, snapshots_of
from service.standards.queries.formulas import formed_with, formulas_of
from service.training.queries.attendance_rates import attendance_rates


@dataclass(frozen=True)
class Asked:
    """One claim as it was asked for, parsed. `training_started_on` is what was typed, or None; the first day of a
    class that is named comes before it, and the certificate's day stands in for it. `institution_id` is the filing
    clerk's; `fee_fen` is what the invoice says was paid; `excluding` is the claim itself where it is decided again,
    so that it stands in nobody's way.

    A newcomer, who is not in the database yet, has no claims there and is given with their `id_number`. A `mandate`
    that is recorded only when the claim is granted is given by its days.
    """

    person_id: UUID
    channel: Channel
    item_code: str
    list_kind: str | None
    level: str
    certificate_number: str
    issued_on: date
    training_started_on: date | None
    holder_is_payee: bool
    mandate_id: UUID | None
    institution_id: UUID | None
    warnings: tuple[str, ...]
    group: GroupFacts | None = None
    invoice_number: str | None = None
    fee_fen: int | None = None
    payer_is_claimant: bool = False
    place_link: PlaceLink | None = None
    excluding: UUID | None = None
    id_number: NationalId | None = None
    mandate: Period | None = None
    class_number: str | None = None
    contract_id: UUID | None = None
    payee_has_account: bool = True
    project: Drawn | None = None
    attended: AttendedClass | None = None


_FACTS = f"""
    SELECT asked.n, started.day, class.found AS class, key.subsidy_key, items.found AS items,
           standard.found AS standard, standing.found AS standing,
           person.id_number_sealed,
           EXISTS (SELECT FROM claims c
                    WHERE c.certificate_number = asked.certificate AND c.id IS DISTINCT FROM asked.excluding
                      AND c.{ALIVE_SQL}) AS certificate_used,
           EXISTS (SELECT FROM claims c
                    WHERE c.invoice_number = asked.invoice AND c.id IS DISTINCT FROM asked.excluding
                      AND c.{ALIVE_SQL}) AS invoice_used,
           mandate.found AS mandate,
           (SELECT jsonb_build_object(
                     'same_enterprise', k.institution_id = asked.institution_id AND k.person_id = asked.person_id,
                     'signed_on', k.signed_on, 'first', lower(k.in_force), 'last', upper(k.in_force) - 1,
                     'employed_before', EXISTS (SELECT FROM employment_contracts e
                                                 WHERE e.person_id = k.person_id AND e.signed_on < k.signed_on
                                                   AND e.institution_id = k.institution_id))
              FROM employment_contracts k WHERE k.id = asked.contract_id) AS contract,
           (SELECT jsonb_build_object(
                     'id', p.id, 'confirmed', p.confirmed_at IS NOT NULL, 'first', lower(p.in_force),
                     'last', upper(p.in_force) - 1, 'places', p.places, 'cap_fen', p.cap_fen,
                     'taken', live.taken, 'drawn_fen', live.drawn_fen,
                     'item', jsonb_build_object('id', i.id, 'edition_id', i.edition_id, 'code', i.code,
                                                'list_kind', i.list_kind, 'industry', i.industry))
              FROM procured_projects p JOIN catalog_items i ON i.id = p.item_id
             CROSS JOIN LATERAL (
                   SELECT count(*) AS taken, coalesce(sum(c.amount_fen), 0)::bigint AS drawn_fen FROM claims c
                    WHERE c.project_id = p.id AND c.id IS DISTINCT FROM asked.excluding AND c.{ALIVE_SQL}) AS live
             WHERE p.id = asked.project_id) AS project,
           CASE WHEN asked.n = 1 THEN policy.found END AS policy,
           CASE WHEN asked.n = 1 THEN institutions.found END AS institutions,
           CASE WHEN asked.n = 1 THEN registers.found END AS registers
      FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::date[], $6::uuid[], $7::uuid[], $8::text[],
                  $9::uuid[], $11::date[], $12::text[], $13::uuid[], $14::uuid[])
           WITH ORDINALITY AS asked (person_id, code, level, certificate, day, mandate_id, institution_id, invoice,
                                     excluding, issued_on, class_number, contract_id,
                                     project_id, n)
      LEFT JOIN people person ON person.id = asked.person_id
      LEFT JOIN LATERAL (
           SELECT c.first, jsonb_build_object('id', c.id, 'status', c.status, 'occupation', c.occupation,
                                              'level', c.level, 'filed_on', c.filed_on, 'first', c.first,
                                              'marked', EXISTS (SELECT FROM attendance_marks m
                                                                 WHERE m.class_id = c.id),
                                              'on_roster', EXISTS (SELECT FROM training_places p
                                                                    WHERE p.class_id = c.id
                                                                      AND p.person_id = asked.person_id)) AS found
             FROM training_classes c
            WHERE c.number = asked.class_number
              AND c.institution_id = coalesce(asked.institution_id, c.institution_id)) AS class ON true
     CROSS JOIN LATERAL (SELECT coalesce(class.first, asked.day, asked.issued_on) AS day) AS started
     CROSS JOIN LATERAL (
           SELECT coalesce((SELECT a.canonical FROM occupation_aliases a WHERE a.code = asked.code),
                           asked.code) AS subsidy_key) AS key
      LEFT JOIN LATERAL (
           SELECT jsonb_agg(jsonb_build_object('id', i.id, 'edition_id', i.edition_id, 'code', i.code,
                                               'list_kind', i.list_kind, 'industry', i.industry)
                            ORDER BY i.place) AS found
             FROM catalog_items i JOIN catalog_editions e ON e.id = i.edition_id
            WHERE e.in_force @> started.day AND i.code = asked.code) AS items ON true
      LEFT JOIN LATERAL (
           SELECT jsonb_build_object('id', s.id, 'amount_fen', s.amount_fen, 'sample', s.sample,
                                     'set_id', s.set_id, 'facts', s.facts) AS found
             FROM standards s
            WHERE s.occupation = key.subsidy_key AND s.level = asked.level
              AND s.in_force @> started.day) AS standard ON true
      LEFT JOIN LATERAL (
           SELECT jsonb_agg(jsonb_build_object('subsidy_key', c.subsidy_key, 'level', c.level, 'channel', c.channel,
                                               'status', c.status, 'filed_on', c.filed_on, 'once_in', c.once_in)
                            ORDER BY c.filed_at, c.id) AS found
             FROM claims c
            WHERE c.person_id = asked.person_id AND c.id IS DISTINCT FROM asked.excluding
              AND c.kind <> 'supplement' AND c.{ALIVE_SQL}) AS standing ON true
      LEFT JOIN LATERAL (
           SELECT jsonb_build_object(
                    'same_institution',
                    m.institution_id = asked.institution_id AND m.person_id = asked.person_id,
                    -- a mandate that was taken back was in force to the day before; for who comes late with a roster
                    -- of an earlier day it is over as well
                    'first', lower(m.in_force),
                    'last', least(upper(m.in_force), r.revoked_on,
                                  CASE WHEN r.revoked_on IS NOT NULL THEN $10::date END) - 1,
                    'fee_fen', m.fee_fen) AS found
             FROM mandates m LEFT JOIN mandate_revocations r ON r.mandate_id = m.id
            WHERE m.id = asked.mandate_id) AS mandate ON true
     CROSS JOIN (SELECT jsonb_object_agg(p.key, p.value) AS found
                   FROM policies p WHERE p.in_force @> $10::date) AS policy
     CROSS JOIN (
           SELECT jsonb_object_agg(i.id, jsonb_build_object(
                    'listings', (SELECT jsonb_agg(jsonb_build_array(lower(l.in_force), upper(l.in_force) - 1))
                                   FROM institution_listings l WHERE l.institution_id = i.id),
                    'exits', (SELECT jsonb_agg(e.left_on) FROM institution_exits e WHERE e.institution_id = i.id),
                    'sanctions', (SELECT jsonb_agg(jsonb_build_array(lower(s.days), upper(s.days) - 1, s.stops,
                                                                     lift.lifted_on))
                                    FROM institution_sanctions s
                                    LEFT JOIN institution_sanction_lifts lift ON lift.sanction_id = s.id
                                   WHERE s.institution_id = i.id))) AS found
             FROM (SELECT DISTINCT id FROM unnest($7::uuid[]) AS named (id) WHERE id IS NOT NULL) AS i
           ) AS institutions
     CROSS JOIN ({IN_FORCE_JSON.format(day="$10::date")}) AS registers
     ORDER BY asked.n
"""  # noqa: S608 (our own constants)


async def facts_for(tx: Tx, asked: Sequence[Asked], today: date) -> list[Facts]:
    """The facts of each claim asked for, in order; one round trip however many there are, and another where a
    register is loaded."""
    rows = await fetch(
        tx,
        _FACTS,
        [each.person_id for each in asked],
        [each.item_code for each in asked],
        [each.level for each in asked],
        [each.certificate_number for each in asked],
        [each.training_started_on for each in asked],
        [each.mandate_id for each in asked],
        [each.institution_id for each in asked],
        [each.invoice_number for each in asked],
        [each.excluding for each in asked],
        today,
        [each.issued_on for each in asked],
        [each.class_number for each in asked],
        [each.contract_id for each in asked],
        [each.project.project_id if each.project else None for each in asked],
    )
    if not rows:
        return []
    grouped = zip(asked, rows, strict=True)
    formulas = await formulas_of(
        tx, {UUID(row["standard"]["set_id"]) for each, row in grouped if each.group and row["standard"]}
    )
    # the same for all, they come with the first
    parameters = Parameters.of(rows[0]["policy"] or {}, today)
    histories = {UUID(key): _history(found) for key, found in (rows[0]["institutions"] or {}).items()}
    rates = await _rates(tx, asked, rows)
    given = _Given(parameters, formulas, histories, rates, today)
    numbers = [_id_number(each, row["id_number_sealed"]) for each, row in zip(asked, rows, strict=True)]
    sought = [
        Sought(number, each.group.group if each.group else "", row["subsidy_key"], each.level)
        for each, row, number in zip(asked, rows, numbers, strict=True)
    ]
    looked = await look_up(tx, sought, snapshots_of(rows[0]["registers"]))
    return [
        _facts(each, row, given, number, found)
        for each, row, number, found in zip(asked, rows, numbers, looked, strict=True)
    ]


@dataclass(frozen=True)
class _Given:
    """What is the same for all claims that are asked for together."""

    parameters: Parameters
    formulas: Mapping[UUID, Formula | None]
    histories: Mapping[UUID, History]
    rates: Mapping[tuple[UUID, UUID], Rate]
    today: date


def _facts(
    asked: Asked, row: Record, given: _Given, person: NationalId | None, registers: tuple[Looked, ...]
) -> Facts:
    institution, taught = _institution(asked, row["day"], given), row["subsidy_key"]
    subsidy_key = f"{ALLOWANCE}{taught}" if asked.attended else taught
    priced = row["standard"] is not None and asked.attended is None
    standing = [{**each, "filed_on": date.fromisoformat(each["filed_on"])} for each in row["standing"] or []]
    return Facts(
        today=given.today,
        channel=asked.channel,
        training_started_on=row["day"],
        issued_on=asked.issued_on,
        level=asked.level,
        certificate_number=asked.certificate_number,
        subsidy_key=subsidy_key,
        item=ItemFacts(**row["project"]["item"]) if row["project"] else _item(row["items"] or [], asked.list_kind),
        standard=_standard(asked, row["standard"], given.formulas) if priced else None,
        earlier=tuple(
            EarlierClaim(each["channel"], each["status"], each["filed_on"], each["once_in"])
            for each in standing
            if (each["subsidy_key"], each["level"]) == (subsidy_key, asked.level)
        ),
        certificate_used=row["certificate_used"],
        holder_is_payee=asked.holder_is_payee,
        mandate=_typed(asked.mandate, institution) if asked.mandate else _mandate(row["mandate"], institution),
        parameters=given.parameters,
        warnings=asked.warnings,
        standing=tuple(
            StandingClaim(each["subsidy_key"], each["level"], each["status"], each["filed_on"]) for each in standing
        ),
        age=_age(row["day"], person),
        group=asked.group,
        fee=None if asked.fee_fen is None else FeeFacts(asked.fee_fen, asked.payer_is_claimant, row["invoice_used"]),
        place_link=asked.place_link,
        institution=institution,
        class_number=asked.class_number,
        of_class=_class(asked, row["class"], given) if row["class"] else None,
        registers=registers,
        contract=contract_facts(row["contract"]),
        payee_has_account=asked.payee_has_account,
        project=project_facts(asked.project, row["project"]) if asked.project else None,
        allowance=allowance_facts(asked.attended, standing, taught, asked.level) if asked.attended else None,
    )


async def _rates(tx: Tx, asked: Sequence[Asked], rows: Sequence[Record]) -> Mapping[tuple[UUID, UUID], Rate]:
    """What was attended of the classes that are named and in which attendance was taken."""
    marked = {UUID(row["class"]["id"]) for row in rows if row["class"] and row["class"]["marked"]}
    return await attendance_rates(tx, marked, {each.person_id for each in asked}) if marked else {}


def _class(asked: Asked, found: dict[str, Any], given: _Given) -> ClassFacts:
    first, typed = date.fromisoformat(found["first"]), asked.training_started_on
    rate = given.rates.get((UUID(found["id"]), asked.person_id))
    return ClassFacts(
        id=found["id"],
        status=found["status"],
        occupation=found["occupation"],
        level=found["level"],
        filed_on=date.fromisoformat(found["filed_on"]),
        first=first,
        on_roster=found["on_roster"],
        typed_start=None if typed == first else typed,
        attended_percent=rate.percent if rate else None,
    )


def _history(found: dict[str, Any]) -> History:
    """The dated facts of an institution, for `standing_on`."""
    day = date.fromisoformat
    listings = [Period(day(first), last and day(last)) for first, last in found["listings"] or []]
    exits = [day(each) for each in found["exits"] or []]
    sanctions = [
        Sanction(Period(day(first), last and day(last)), frozenset(map(Stop, stops)), lifted and day(lifted))
        for first, last, stops, lifted in found["sanctions"] or []
    ]
    return History(listings, exits, sanctions)


def _institution(asked: Asked, started: date, given: _Given) -> InstitutionFacts | None:
    history = given.histories.get(asked.institution_id) if asked.institution_id else None
    if history is None:
        return None
    trained, files = standing_on(history, started), standing_on(history, given.today)
    suspended = stopped_on(history, Stop.BE_LISTED, started) or stopped_on(history, Stop.FILE_CLAIMS, given.today)
    return InstitutionFacts(trained.standing, files.standing, suspended, left_on(history, given.today))


def _standard(asked: Asked, found: dict[str, Any], formulas: Mapping[UUID, Formula | None]) -> StandardFacts:
    """What the standard gives this claim: equal facts, equal amount."""
    of_claim = {"group": asked.group.group} if asked.group else {}
    formula = formulas.get(UUID(found["set_id"]))
    formed = formed_with(formula, asked.level, found["amount_fen"], found["facts"], of_claim)
    return StandardFacts(found["id"], formed.amount_fen, found["sample"], tuple(formed.steps))


def _id_number(asked: Asked, id_number_sealed: bytes | None) -> NationalId | None:
    """None for a person who is not in the database and came without a number."""
    if id_number_sealed is None:
        return asked.id_number
    return NationalId(keyring().open(id_number_sealed, asked.person_id))


def _age(started: date, person: NationalId | None) -> AgeFacts | None:
    """Months instead of a day of birth, which is nobody's business once the rules have been asked. None for a person
    whose number is not known, whom the rules then refuse."""
    if person is None:
        return None
    retires = retirement_ages().age_of(person.sex, person.birth_date)
    months = whole_months(person.birth_date, started)
    return AgeFacts(months, retires.earliest_months, retires.latest_months)


def _item(items: list[dict[str, Any]], chosen: str | None) -> ItemFacts | None:
    """The item under the list the person chose, or the one it counts under when they did not."""
    kinds = {each["list_kind"] for each in items}
    kind = chosen or (list_filed_under(kinds) if kinds else None)
    return next((ItemFacts(**each) for each in items if each["list_kind"] == kind), None)


def _mandate(found: dict[str, Any] | None, institution: InstitutionFacts | None) -> MandateFacts | None:
    if found is None:
        return None
    days = {name: date.fromisoformat(found[name]) for name in ("first", "last")}
    same = bool(found["same_institution"])
    return MandateFacts(**{**found, "same_institution": same, **days, "listed": _is_listed(institution)})


def _typed(days: Period, institution: InstitutionFacts | None) -> MandateFacts:
    """A mandate that a line of a roster brings with it: its institution's own, and without a fee."""
    assert days.last is not None, "read from a value that is required"
    return MandateFacts(True, days.first, days.last, fee_fen=0, listed=_is_listed(institution))


def _is_listed(institution: InstitutionFacts | None) -> bool:
    return institution is not None and institution.trained in LISTED
