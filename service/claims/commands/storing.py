"""Granted claims come into being, with everything that comes with them, in one statement."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import service.access.tables
import service.catalog.tables
import service.institutions.tables  # noqa: F401 (a claim's references have the types of what they refer to)
from domain.actor import Actor, Post
from domain.claim import Channel, Via
from service.claims.tables import ClaimRow
from service.database import Tx, fetch, types_of, unnested
from service.jobs import OWE, nudge
from service.journal import By
from service.people.commands import ACCOUNT, ENSURE_ACCOUNTS
from service.queue import Job
from service.settings import settings

#: What a claim is given at filing, but for its account, which may be known already. A supplement is not filed.
_NOT_GIVEN = {"account_id", "supplement_of"}
_CLAIM = types_of(ClaimRow, *(each for each in ClaimRow.__table__.c.keys() if each not in _NOT_GIVEN))  # noqa: SIM118
_GIVEN = {**_CLAIM, **ACCOUNT, "to_verify": "BOOLEAN"}
_COUNTED_BY = "filed_on, district, list_kind, industry, level, channel"
_AFTER_ARRAYS = len(_GIVEN)
_USER, _PERSON, _POST, _AT, _LEASE = (f"${_AFTER_ARRAYS + place}" for place in range(1, 6))

# In order of the certificate, so that two who file the same certificates wait for each other and not around each
# other; whoever waits holds the locks on persons already.
_STORE = f"""
    WITH given AS MATERIALIZED (SELECT * FROM {unnested(_GIVEN)}),
    {ENSURE_ACCOUNTS},
    filed AS (
        INSERT INTO claims ({", ".join(_CLAIM)}, account_id)
        SELECT {", ".join(f"given.{each}" for each in _CLAIM)}, account.id
          FROM given JOIN account ON account.n = given.n AND account.id IS NOT NULL
         ORDER BY given.n
        ON CONFLICT DO NOTHING
        RETURNING id, item_id, account_id, subsidy_key, status, amount_fen, {_COUNTED_BY}
    ), noted AS (
        INSERT INTO journal (subject_kind, subject_id, action, after, actor_user_id, actor_person_id, actor_name, at)
        SELECT 'claim', id, 'file',
               jsonb_build_object('status', status, 'amount_fen', amount_fen, 'account_id', account_id,
                                  'subsidy_key', subsidy_key, 'level', level),
               {_USER}::uuid, {_PERSON}::uuid, {_POST}::text, {_AT}::timestamptz
          FROM filed
    ), counted AS (
        INSERT INTO claim_tally_deltas ({_COUNTED_BY}, count, amount_fen)
        SELECT {_COUNTED_BY}, count(*), sum(amount_fen) FROM filed GROUP BY {_COUNTED_BY}
    ), owing AS (
        SELECT '{Job.VERIFY_CERTIFICATE}' AS kind, id AS subject, {_LEASE}::double precision AS lease
          FROM filed JOIN given USING (id) WHERE to_verify
    ), owed AS ({OWE})
    SELECT filed.id, item.name AS item_name, owed.id AS job
      FROM filed JOIN catalog_items item ON item.id = filed.item_id LEFT JOIN owed ON owed.subject = filed.id
"""  # noqa: S608 (our own constants)


async def store_claims(tx: Tx, me: Actor, rows: Sequence[Mapping[str, Any]], now: datetime) -> dict[UUID, str]:
    """Claims with their accounts, journal rows, figures, and the check owed for each that is `to_verify`.

    Each row has the columns of a claim and of `ACCOUNT`. Answers id → name of the catalog item, without the claims
    that another's kept out.
    """
    rows = sorted(rows, key=lambda row: str(row["certificate_number"]))
    arrays = ([row[name] for row in rows] for name in _GIVEN)
    by = By.actor(me, _post(rows[0]), now)
    filed = await fetch(
        tx, _STORE, *arrays, by.user_id, by.person_id, str(by.name), by.at, settings().job_lease_seconds
    )
    for _, _, job_id in filed:
        if job_id is not None:
            nudge(tx, Job.VERIFY_CERTIFICATE, job_id)
    return {claim_id: item_name for claim_id, item_name, _ in filed}


def _post(row: Mapping[str, Any]) -> Post:
    """In which post it was filed: what keeps an acceptor from reviewing the claim."""
    if row["channel"] != Channel.INDIVIDUAL:
        return Post.CLERK
    return Post.ACCEPTOR if row["via"] == Via.COUNTER else Post.TRAINEE
