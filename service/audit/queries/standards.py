"""The promise about standards: two bureaus signed them, days follow from what was published, amounts recompute."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Row, select

from domain.errors import DomainError
from domain.money import Fen
from domain.standard import content_of, parse_formula, recompute
from service.audit.queries.checks import Breach, Check, Promise
from service.database import Tx
from service.standards.queries.formulas import forming, given_of
from service.standards.tables import StandardRow, StandardSetRow

_PUBLISHED = "s.status IN ('published', 'superseded') AND s.formula IS NOT NULL"

STANDARDS = Promise(
    None,
    "standards_of_two_bureaus",
    "standards",
    (
        Check(
            "standard_sets",
            "没有人社、财政两个部门各一个人对现有内容的签字",
            f"""SELECT s.id FROM standard_sets s LEFT JOIN people a ON a.id = s.proposer_id
                 WHERE {_PUBLISHED} AND NOT s.sample
                   AND NOT EXISTS (
                       SELECT FROM standard_signatures h JOIN people p ON p.id = h.person_id
                         JOIN standard_signatures f ON f.set_id = h.set_id AND f.bureau = 'finance'
                         JOIN people q ON q.id = f.person_id
                        WHERE h.set_id = s.id AND h.bureau = 'hr'
                          AND (h.content_hash, f.content_hash) = (s.content_hash, s.content_hash)
                          AND coalesce(p.merged_into, p.id) <> coalesce(q.merged_into, q.id)
                          AND coalesce(a.merged_into, a.id) NOT IN (
                              coalesce(p.merged_into, p.id), coalesce(q.merged_into, q.id)))""",  # noqa: S608 (our own constants)
        ),
        Check(
            "standard_sets",
            "执行的日子不是历次发布所定的日子",
            f"""SELECT s.id FROM standard_sets s
                 WHERE {_PUBLISHED} AND s.in_force IS DISTINCT FROM datemultirange(daterange(s.first, s.until))
                       - coalesce((SELECT range_agg(daterange(later.first, later.until)) FROM standard_sets later
                                    WHERE later.place > s.place), '{{}}')""",  # noqa: S608 (our own constants)
        ),
        Check(
            "standards",
            "标准的日子不是所属方案的日子",
            """SELECT r.id FROM standards r LEFT JOIN standard_sets s ON s.id = r.set_id
                WHERE s.id IS NULL OR r.in_force IS DISTINCT FROM s.in_force OR r.sample <> s.sample""",
        ),
        Check(
            "standards",
            "同一职业同一等级同一天有两个标准",
            """SELECT r.id FROM standards r JOIN standards o ON (o.occupation, o.level) = (r.occupation, r.level)
                WHERE o.id < r.id AND o.in_force && r.in_force""",
        ),
        Check(
            "standard_reviews",
            "评估结束了，但有意见没有答复",
            """SELECT r.id FROM standard_reviews r
                WHERE r.status IN ('closed', 'concluded')
                  AND EXISTS (SELECT FROM standard_review_opinions p
                               WHERE p.review_id = r.id
                                 AND NOT EXISTS (SELECT FROM standard_review_answers a WHERE a.opinion_id = p.id))""",
        ),
    ),
)


async def standards_recompute(tx: Tx) -> Breach | None:
    """The first set whose content is not what its hash says, or amount that its formula or its steps do not give."""
    row = StandardRow
    asked = select(row.set_id, row.id, row.occupation, row.level, row.facts, row.amount_fen, row.derivation)
    for each in (await tx.execute(select(*StandardSetRow.__table__.c).order_by(StandardSetRow.id))).all():
        if each.formula is None:
            continue
        amounts = (await tx.execute(asked.where(row.set_id == each.id).order_by(row.id))).all()
        if breach := _differs(each, amounts):
            return breach
    return None


def _differs(of: Row[Any], amounts: Any) -> Breach | None:
    told = {
        "year": of.year,
        "revision": of.revision,
        "first": of.first.isoformat(),
        "until": of.until and of.until.isoformat(),
        "edition_id": of.edition_id and str(of.edition_id),
        "source": of.source,
        "reason": of.reason,
        "sample": of.sample,
        "corrects_id": of.corrects_id and str(of.corrects_id),
        "formula": of.formula,
        "projects": of.projects,
        "facts": of.facts,
    }
    rows = [(each.occupation, each.level, each.facts, each.amount_fen) for each in amounts]
    if content_of(told, rows) != of.content_hash:
        return Breach("standard_sets", str(of.id), "内容与签字的不符")
    try:
        formula = parse_formula(of.formula)
    except DomainError:
        return Breach("standard_sets", str(of.id), "公式读不出")
    form, again = forming(formula), _recomputing()
    for each in amounts:
        formed = form(given_of(each.level, each.facts))
        if formed is None or not formed.amount_fen == again(each.derivation) == each.amount_fen:
            return Breach("standards", str(each.id), "由公式或推导重算，金额不同")
    return None


def _recomputing() -> Callable[[dict[str, Any]], Fen | None]:
    """What a derivation comes to, None for one that does not hold; once for all that are alike."""
    known: dict[str, Fen | None] = {}

    def again(derivation: dict[str, Any]) -> Fen | None:
        key = str(derivation)
        if key not in known:
            try:
                known[key] = recompute(derivation["steps"])
            except (ValueError, KeyError):
                known[key] = None
        return known[key]

    return again
