"""What was said against decisions and nobody may answer: whoever could is kept from it, so it stands in no list."""

from typing import Any

from sqlalchemy import Row, text

from domain.actor import Post, Scope, excluded_with
from service.claims.queries.barring import acted_on_by, partial_is
from service.database import Tx
from service.operations.schemas import UnansweredView
from service.wording import words

# Of each, who never answers it besides those who are partial to the claim. What is open is little; where nothing is,
# no officer is looked at. A claim that a colleague took for half an hour keeps nobody from it for long.
_UNANSWERED = text(f"""
    WITH said AS MATERIALIZED (
      SELECT 'notice_objection' AS kind, '{Post.NOTICE_PUBLISHER}' AS post, n.district, o.claim_id, o.filed_at AS at,
             ARRAY[o.person_id] AS never
        FROM notice_objections o JOIN public_notices n ON n.id = o.notice_id
       WHERE NOT EXISTS (SELECT FROM notice_objection_answers a WHERE a.objection_id = o.id)
       UNION ALL
      SELECT 'objection', '{Post.REVIEWER}', c.district, o.claim_id, o.raised_at, ARRAY[]::uuid[]
        FROM claim_objections o JOIN claims c ON c.id = o.claim_id WHERE o.closed_at IS NULL
       UNION ALL
      SELECT 'appeal', '{Post.REVIEWER}', c.district, a.claim_id, a.appealed_at,
             ARRAY[a.appealed_person, refusal.actor_person_id]
        FROM claim_appeals a JOIN claims c ON c.id = a.claim_id JOIN journal refusal ON refusal.id = a.refusal_id
       WHERE a.answered_at IS NULL
       UNION ALL
      SELECT 'amount_appeal', '{Post.REVIEWER}', c.district, a.claim_id, a.appealed_at,
             a.appealed_person || ARRAY(SELECT j.actor_person_id FROM journal j
                                         WHERE j.subject_kind = 'claim' AND j.subject_id = c.id
                                           AND j.action = 'approve')
        FROM amount_appeals a JOIN claims c ON c.id = a.claim_id WHERE a.answered_at IS NULL
       UNION ALL
      SELECT 'demand_appeal', '{Post.REVIEWER}', c.district, k.claim_id, a.appealed_at,
             a.appealed_person || ARRAY(SELECT raisers_of(k.id))
        FROM clawback_appeals a JOIN clawbacks k ON k.id = a.clawback_id JOIN claims c ON c.id = k.claim_id
       WHERE a.answered_at IS NULL
    ), officers AS MATERIALIZED (
      SELECT p.post, u.district, kin.own, kin.kin, kin.untils
        FROM user_posts p JOIN users u ON u.id = p.user_id
       CROSS JOIN LATERAL (SELECT array_agg(k.person_id) FILTER (WHERE k.own) AS own,
                                  coalesce(array_agg(k.person_id ORDER BY k.person_id, k.until)
                                           FILTER (WHERE NOT k.own), '{{}}') AS kin,
                                  coalesce(array_agg(k.until ORDER BY k.person_id, k.until)
                                           FILTER (WHERE NOT k.own), '{{}}') AS untils
                             FROM kin_of(u.person_id) k) AS kin
       WHERE p.post IN (SELECT post FROM said) AND u.disabled_at IS NULL
    )
    SELECT s.district, s.kind, s.post, count(*) AS count_, min(s.at) AS oldest
      FROM said s LEFT JOIN claims c ON c.id = s.claim_id
     WHERE (CAST(:district AS text) IS NULL OR s.district = :district)
       AND NOT EXISTS (
           SELECT FROM officers f
            WHERE f.post = s.post AND (f.district IS NULL OR f.district = s.district) AND NOT f.own && s.never
              AND (c.id IS NULL OR NOT ({partial_is("f")}
                   OR (s.post = '{Post.NOTICE_PUBLISHER}' AND {acted_on_by("f")}))))
     GROUP BY s.district, s.kind, s.post ORDER BY oldest, s.kind
""")  # noqa: S608 (our own constants)
_EXCLUDED = sorted(map(str, excluded_with(Post.NOTICE_PUBLISHER, Scope.CLAIM)))


async def unanswered(tx: Tx, district: str | None) -> list[UnansweredView]:
    """In a district, or in the city (None): how many of which kind, and since when; nothing of what was said."""
    rows = await tx.execute(_UNANSWERED, {"district": district, "excluded": _EXCLUDED})
    return [_view(row) for row in rows]


def _view(row: Row[Any]) -> UnansweredView:
    facts = {"post": f"post.{row.post}"}
    message = words(f"unanswered.{row.kind}")
    return UnansweredView(row.district, row.kind, message, words("unanswered.then", facts), row.count_, row.oldest)
