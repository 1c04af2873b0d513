"""The promise about oversight: two persons penalise, a third answers appeals, and evaluations recompute."""

from typing import Any

from sqlalchemy import Row, select

from domain.evaluation import EvaluationFormula, Indicator, score
from service.audit.queries.checks import Breach, Check, Promise
from service.database import Tx
from service.oversight.tables import EvaluationFormulaRow, EvaluationRow

#: Evaluations that are held here at once.
PAGE = 1_000

OVERSIGHT = Promise(
    None,
    "penalties_by_two_persons",
    "penalties",
    (
        Check(
            "penalties",
            "拟定、决定、处理申诉的不是不同的人",
            """SELECT n.id FROM penalties n JOIN people p ON p.id = n.proposed_person
                 JOIN people d ON d.id = n.decided_person LEFT JOIN people a ON a.id = n.answered_person
                WHERE n.status <> 'dropped'
                  AND (coalesce(d.merged_into, d.id) = coalesce(p.merged_into, p.id)
                       OR coalesce(a.merged_into, a.id) IN (coalesce(p.merged_into, p.id),
                                                            coalesce(d.merged_into, d.id)))""",
        ),
        Check(
            "penalties",
            "停的事、停的日子不是惩戒所定的",
            """SELECT n.id FROM penalties n JOIN penalty_ladders l ON l.code = n.ladder
                 CROSS JOIN LATERAL jsonb_array_elements(l.content -> 'step') AS step (said)
                 LEFT JOIN institution_sanctions s ON s.id = n.sanction_id
                WHERE step.said ->> 'code' = n.step AND n.status NOT IN ('proposed', 'dropped')
                  AND (jsonb_array_length(step.said -> 'stops') > 0) IS DISTINCT FROM coalesce(
                        s.institution_id = n.institution_id AND s.days = daterange(n.first, n.last, '[]')
                        AND to_jsonb(s.stops) @> (step.said -> 'stops')
                        AND to_jsonb(s.stops) <@ (step.said -> 'stops'), false)""",
        ),
        Check(
            "penalties",
            "申诉成立，却没有解除",
            """SELECT n.id FROM penalties n LEFT JOIN institution_sanction_lifts l ON l.sanction_id = n.sanction_id
                WHERE n.status = 'overturned'
                  AND (l.lifted_on IS DISTINCT FROM n.lifted_on
                       OR NOT EXISTS (SELECT FROM credit_events e WHERE e.penalty_id = n.id))""",
        ),
        Check(
            "evaluations",
            "评估的更正不是另一个人做的，或不接着上一版",
            """SELECT e.id FROM evaluations e LEFT JOIN evaluations b ON b.id = e.corrects_id
                 LEFT JOIN people p ON p.id = e.evaluated_person LEFT JOIN people q ON q.id = b.evaluated_person
                WHERE (e.version > 1) IS DISTINCT FROM (b.id IS NOT NULL)
                   OR b.version <> e.version - 1 OR (b.institution_id, b.year) <> (e.institution_id, e.year)
                   OR coalesce(p.merged_into, p.id) = coalesce(q.merged_into, q.id)""",
        ),
        Check(
            "complaints",
            "投诉由投诉人自己答复",
            """SELECT c.id FROM complaints c JOIN complaint_answers a ON a.complaint_id = c.id
                 JOIN people p ON p.id = c.person_id JOIN people q ON q.id = a.answered_person
                WHERE coalesce(p.merged_into, p.id) = coalesce(q.merged_into, q.id)""",
        ),
        Check(
            "claim_holds",
            "按风险信号冻结，却没有这样的发现，或不是它说的申领",
            """SELECT h.id FROM claim_holds h
                 LEFT JOIN signal_holds s ON s.hold_id = h.id AND s.claim_id = h.claim_id
                 LEFT JOIN signal_findings f ON f.id = s.finding_id AND f.signal = s.signal
                 LEFT JOIN signal_runs r ON r.id = f.run_id AND r.done_at IS NOT NULL
                WHERE h.placed_by IS NULL AND h.code = 'signal' AND r.id IS NULL""",
        ),
        *(
            Check(
                table,
                "没有记入日志",
                f"""SELECT r.{key} FROM {table} r WHERE NOT EXISTS (
                       SELECT FROM journal j WHERE j.subject_kind = '{kind}' AND j.subject_id = r.{key}
                          AND j.action = ANY ('{{{actions}}}') {who})""",  # noqa: S608 (our own constants)
            )
            for table, key, kind, actions, who in (
                ("credit_events", "id", "credit_event", "record", "AND j.actor_person_id = r.recorded_person"),
                (
                    *("evaluations", "id", "evaluation", "evaluate,correct"),
                    "AND j.actor_person_id = r.evaluated_person"
                    " AND j.after ->> 'score_hundredths' = r.score_hundredths::text",
                ),
                (
                    "complaints",
                    "id",
                    "complaint",
                    "complain",
                    "AND j.actor_person_id IS NOT DISTINCT FROM r.person_id",
                ),
                (
                    *("complaint_answers", "complaint_id", "complaint", "answer"),
                    "AND j.actor_person_id = r.answered_person",
                ),
            )
        ),
    ),
)


async def evaluations_recompute(tx: Tx) -> Breach | None:
    """The first evaluation whose score its stored values do not give by its stored formula."""
    row = EvaluationRow
    formulas = {
        code: EvaluationFormula.read(content)
        for code, content in await tx.execute(select(EvaluationFormulaRow.code, EvaluationFormulaRow.content))
    }
    asked = select(row.id, row.formula, row.values, row.score_hundredths, row.passed).order_by(row.id).limit(PAGE)
    page = (await tx.execute(asked)).all()
    while page:
        for each in page:
            if not _gives(each, formulas[each.formula]):
                return Breach("evaluations", str(each.id), "由存下的指标和公式重算，结果不同")
        page = (await tx.execute(asked.where(row.id > page[-1].id))).all()
    return None


def _gives(stored: Row[Any], formula: EvaluationFormula) -> bool:
    try:
        found = score(formula, {Indicator(name): value for name, value in stored.values.items()})
    except (ValueError, TypeError):
        return False
    return (found.hundredths, found.passed) == (stored.score_hundredths, stored.passed)
