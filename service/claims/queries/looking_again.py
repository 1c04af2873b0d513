"""What the registers that are asked today say of claims that are about to be paid: the rules are those of filing."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

import msgspec
from asyncpg import Record

from domain.eligibility.facts import ALLOWANCE
from domain.eligibility.outcome import Said
from domain.eligibility.registers import PARAMETERS, ExclusionPolicy, LookedAgain, objections_of
from domain.identity import NationalId
from domain.register import Looked
from service.crypto import keyring
from service.database import Tx, fetch
from service.policies.queries import required_by_day
from service.registers.queries import Snapshot, Sought, look_up

#: Claims that are looked up in one statement.
CLAIMS_AT_ONCE = 5_000


@dataclass(frozen=True)
class Finding:
    """What the registers have against a claim, and what they say of its person."""

    claim_id: UUID
    objections: Sequence[Said]
    registers: tuple[Looked, ...]

    @property
    def stored(self) -> list[dict[str, Any]]:
        return [{"code": each.code, "facts": dict(each.facts)} for each in self.objections]

    @property
    def stored_registers(self) -> list[Any]:
        """As a decision keeps them."""
        return [msgspec.to_builtins(each) for each in self.registers]


_CLAIMS = """
    SELECT c.id, c.person_id, p.id_number_sealed, c.training_started_on,
           coalesce(c.certificate_issued_on, CAST(c.decision #>> '{facts,issued_on}' AS date)) AS issued_on,
           c.subsidy_key, c.level, c.group_code, c.filed_on
      FROM unnest($1::uuid[]) AS asked (id) JOIN claims c ON c.id = asked.id JOIN people p ON p.id = c.person_id
     ORDER BY c.id
"""


async def findings_of(
    tx: Tx, claim_ids: Sequence[UUID], snapshots: Mapping[str, Snapshot], today: date
) -> list[Finding]:
    """The claims against which these snapshots have something that nobody has weighed yet.

    A few statements for every `CLAIMS_AT_ONCE`, and none where no register is loaded. Conflict `policy.missing`.
    """
    found: list[Finding] = []
    if snapshots:
        for start in range(0, len(claim_ids), CLAIMS_AT_ONCE):
            found += await _findings(tx, claim_ids[start : start + CLAIMS_AT_ONCE], snapshots, today)
    weighed = await _weighed(tx, [each.claim_id for each in found])
    return [each for each in found if not _keys(each.stored) <= weighed[each.claim_id]]


async def _findings(
    tx: Tx, claim_ids: Sequence[UUID], snapshots: Mapping[str, Snapshot], today: date
) -> list[Finding]:
    rows = await fetch(tx, _CLAIMS, claim_ids)
    keys = keyring()
    sought = [
        Sought(
            NationalId(keys.open(row["id_number_sealed"], row["person_id"])),
            *(row["group_code"], row["subsidy_key"].removeprefix(ALLOWANCE), row["level"]),
        )
        for row in rows
    ]
    looked = await look_up(tx, sought, snapshots)
    policies = await required_by_day(tx, {row["filed_on"] for row in rows}, frozenset(PARAMETERS))
    by_day = {day: _policy(values) for day, values in policies.items()}
    return [
        Finding(row["id"], objections, registers)
        for row, registers in zip(rows, looked, strict=True)
        if (objections := _objections(row, registers, by_day[row["filed_on"]], today))
    ]


def _policy(values: Mapping[str, Any]) -> ExclusionPolicy:
    return ExclusionPolicy(**{**values, "excluding_registers": tuple(values["excluding_registers"])})


def _objections(row: Record, registers: tuple[Looked, ...], policy: ExclusionPolicy, today: date) -> list[Said]:
    if not row["group_code"] and not any(each.entries for each in registers):
        return []  # nearly everybody
    days = (today, row["training_started_on"], row["issued_on"])
    return objections_of(LookedAgain(*days, row["group_code"], policy, registers))


async def _weighed(tx: Tx, claim_ids: Sequence[UUID]) -> Mapping[UUID, set[str]]:
    """What was found before and let go on, by claim."""
    weighed: dict[UUID, set[str]] = defaultdict(set)
    if claim_ids:
        rows = await fetch(
            tx,
            """SELECT f.claim_id, f.objections FROM claim_register_findings f JOIN claim_holds h ON h.id = f.hold_id
                WHERE f.claim_id = ANY ($1::uuid[]) AND h.lifted_at IS NOT NULL""",
            claim_ids,
        )
        for row in rows:
            weighed[row["claim_id"]] |= _keys(row["objections"])
    return weighed


def _keys(found: Iterable[Mapping[str, Any]]) -> set[str]:
    """What makes two findings the same: the day of the snapshot does not, the next month's says it again."""
    return {
        f"{each['code']} {sorted((name, value) for name, value in each['facts'].items() if name != 'as_of')}"
        for each in found
    }
