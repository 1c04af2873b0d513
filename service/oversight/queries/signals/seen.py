"""What the runs found, for officers and auditors of its district."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select

from domain.actor import Actor, Post
from domain.errors import NotFound
from domain.signal import Signal
from service.database import Tx
from service.institutions.tables import InstitutionRow
from service.oversight.queries.whom import visible_to
from service.oversight.schemas import SignalFindingView, SignalRunView, SignalsView
from service.oversight.tables import SignalFindingRow, SignalRunRow
from service.wording import words

READERS = (Post.INSTITUTION_OFFICER, Post.AUDITOR)
#: Findings that are shown at once, the strongest, and of each the first of its rows.
FINDINGS_MAX, ROWS_MAX = 500, 500


async def signals(tx: Tx, me: Actor, run_id: UUID | None = None) -> SignalsView:
    """What the latest run found in one's district, or what `run_id` did, the strongest first.

    NotFound `signal.no_run`, also before the first run is done.
    """
    me.must_hold(*READERS)
    row = SignalRunRow
    asked = select(*row.__table__.c).where(row.done_at.is_not(None)).order_by(row.done_at.desc(), row.id).limit(1)
    if run_id is not None:
        asked = select(*row.__table__.c).where(row.id == run_id)
    run = (await tx.execute(asked)).one_or_none()
    if run is None:
        raise NotFound("signal.no_run")
    return SignalsView(run_view(run), await _findings(tx, SignalFindingRow.run_id == run.id, visible_to(me)))


async def everything_of(tx: Tx, run_id: UUID) -> list[SignalFindingView]:
    """What a run found, for whoever works on the machine itself."""
    return await _findings(tx, SignalFindingRow.run_id == run_id)


async def _findings(tx: Tx, *where: Any) -> list[SignalFindingView]:
    row, institution = SignalFindingRow, InstitutionRow
    asked = (
        select(*row.__table__.c, institution.credit_code, institution.name)
        .join(institution, institution.id == row.institution_id)
        .where(*where)
        .order_by(row.score.desc(), institution.credit_code, row.signal)
        .limit(FINDINGS_MAX)
    )
    return [_view(each) for each in await tx.execute(asked)]


def run_view(run: Any) -> SignalRunView:
    return SignalRunView(run.id, run.origin, words(f"signal_run.{run.origin}"), run.day, run.asked_at, run.done_at)


def explanation(signal: str, figures: Any) -> str:
    """Why a signal speaks, in a sentence with its figures."""
    return words(f"signal.{signal}", {**figures, "others": figures["cases"] - 1} if figures["cases"] > 1 else figures)


def _view(row: Any) -> SignalFindingView:
    rows: Sequence[dict[str, str]] = row.rows
    return SignalFindingView(
        id=row.id,
        signal=Signal(row.signal),
        signal_name=words(f"signal_name.{row.signal}"),
        institution=row.credit_code,
        institution_name=row.name,
        score=row.score,
        why=explanation(row.signal, row.figures),
        figures=row.figures,
        first_seen=row.first_seen,
        rows_found=len(rows),
        rows=list(rows[:ROWS_MAX]),
    )
