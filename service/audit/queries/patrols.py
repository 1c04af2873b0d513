"""The promise about patrols: each draw is what its seed and its candidates give, and results are told by the book."""

from sqlalchemy import select

from domain.training import draw
from service.audit.queries.checks import Breach, Check, Promise
from service.database import Tx
from service.training.tables import PatrolCandidateRow, PatrolDrawRow, PatrolRow

#: Draws that are held here at once.
PAGE = 200

PATROLS = Promise(
    None,
    "patrols_drawn_honestly",
    "patrol_draws",
    (
        Check(
            "patrols",
            "巡查结果不足人数，或登记的人没有参加",
            """SELECT p.id FROM patrols p
                WHERE p.result IS NOT NULL AND (
                      (SELECT count(DISTINCT coalesce(one.merged_into, one.id))
                         FROM patrol_officers f JOIN people one ON one.id = f.person_id WHERE f.patrol_id = p.id)
                        < CASE p.kind WHEN 'on_site' THEN 2 ELSE 1 END
                      OR NOT EXISTS (SELECT FROM patrol_officers f
                                      WHERE f.patrol_id = p.id AND f.person_id = p.recorded_person))""",
        ),
        Check(
            "patrols",
            "巡查结果没有证据",
            """SELECT p.id FROM patrols p
                WHERE p.result IS NOT NULL AND NOT EXISTS (
                      SELECT FROM patrol_evidence e JOIN stored_files s ON s.sha256 = e.sha256
                       WHERE e.patrol_id = p.id)""",
        ),
        Check(
            "patrols",
            "巡查不合格，没有记分，也没有待办",
            """SELECT p.id FROM patrols p
                WHERE p.result = 'failed'
                  AND NOT EXISTS (SELECT FROM credit_events e WHERE e.patrol_id = p.id)
                  AND NOT EXISTS (SELECT FROM jobs j WHERE j.kind = 'oversight.credit_patrol' AND j.subject = p.id
                                     AND j.state <> 'done')""",
        ),
        Check(
            "credit_events",
            "按巡查记的分对不上巡查",
            """SELECT e.id FROM credit_events e LEFT JOIN patrols p ON p.id = e.patrol_id
                 LEFT JOIN training_classes c ON c.id = p.class_id
                WHERE e.patrol_id IS NOT NULL
                  AND (p.result IS DISTINCT FROM 'failed' OR c.institution_id IS DISTINCT FROM e.institution_id
                       OR p.recorded_person IS DISTINCT FROM e.recorded_person)""",
        ),
        *(
            Check(
                table,
                "没有记入日志",
                f"""SELECT r.id FROM {table} r WHERE NOT EXISTS (
                       SELECT FROM journal j WHERE j.subject_kind = '{kind}' AND j.subject_id = r.id
                          AND j.action = '{action}') {where}""",  # noqa: S608 (our own constants)
            )
            for table, kind, action, where in (
                ("patrol_draws", "patrol_draw", "draw", ""),
                ("patrols", "patrol", "draw", ""),
                ("patrols", "patrol", "record", "AND r.result IS NOT NULL"),
            )
        ),
    ),
)


async def draws_recompute(tx: Tx) -> Breach | None:
    """The first draw whose seed and candidates do not give, turn by turn, the patrols that came of it."""
    row = PatrolDrawRow
    asked = select(row.id, row.seed, row.wanted).order_by(row.id).limit(PAGE)
    page = (await tx.execute(asked)).all()
    while page:
        for each in page:
            if await _drawn(tx, each.id) != await _given(tx, each.id, each.seed, each.wanted):
                return Breach("patrol_draws", str(each.id), "由存下的种子和候选重抽，结果不同")
        page = (await tx.execute(asked.where(row.id > page[-1].id))).all()
    return None


async def _given(tx: Tx, draw_id: object, seed: bytes, wanted: int) -> list[object]:
    row = PatrolCandidateRow
    asked = select(row.class_id, row.begins, row.weight).where(row.draw_id == draw_id).order_by(row.n)
    candidates = (await tx.execute(asked)).all()
    places = draw(seed, [each.weight for each in candidates], wanted)
    return [(turn, candidates[place].class_id, candidates[place].begins) for turn, place in enumerate(places)]


async def _drawn(tx: Tx, draw_id: object) -> list[object]:
    row = PatrolRow
    asked = select(row.turn, row.class_id, row.begins).where(row.draw_id == draw_id).order_by(row.turn)
    return [tuple(each) for each in await tx.execute(asked)]
