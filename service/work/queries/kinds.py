"""The kinds of work: whose each is, where its open rows are, and in which order they wait."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from domain.actor import Actor, Post
from service.work.schemas import Kind


class Due(StrEnum):
    """By which day a row of work is due: the review's working days after its filing, its own day, or none."""

    AFTER_FILING = "after_filing"
    ITS_OWN = "its_own"
    NONE = "none"


@dataclass(frozen=True)
class Source:
    """Parts of a statement over a claim `c`: `rows` and which are open (`is_open`), in which district each waits
    (`place`), by which day (`on`) and id it is ordered, and `why` it waits."""

    post: Post
    rows: str
    is_open: str
    place: str
    on: str
    id: str
    why: str
    due: Due = Due.AFTER_FILING
    #: Posts that exclude each other on a claim are asked for.
    apart: bool = True


_QUESTIONED = """
    (SELECT array_remove(string_to_array(j.reason, ' '), '') FROM journal j
      WHERE j.subject_kind = 'claim' AND j.subject_id = c.id AND j.after ->> 'status' = 'in_review'
      ORDER BY j.id DESC LIMIT 1)"""

SOURCES: Mapping[Kind, Source] = {
    Kind.REVIEW: Source(
        Post.REVIEWER,
        "claims c",
        "c.status IN ('verified', 'in_review')",
        *("c.district", "c.filed_on", "c.id"),
        why=f"CASE WHEN c.status = 'in_review' THEN {_QUESTIONED} END",
    ),
    Kind.SECOND_REVIEW: Source(
        Post.SECOND_REVIEWER,
        "claim_approvals w JOIN claims c ON c.id = w.claim_id AND c.status = 'approved'",
        "w.why <> '{}' AND w.finding IS NULL",
        *("w.district", "w.filed_on", "w.claim_id"),
        why="w.why",
    ),
    Kind.APPEAL: Source(
        Post.REVIEWER,
        "claim_appeals w JOIN claims c ON c.id = w.claim_id JOIN journal refused ON refused.id = w.refusal_id",
        """w.answered_at IS NULL AND w.appealed_person <> ALL (CAST(:own AS uuid[]))
           AND coalesce(refused.actor_person_id <> ALL (CAST(:own AS uuid[])), true)""",
        *("c.district", "w.due_on", "w.id"),
        why="NULL::text[]",
        due=Due.ITS_OWN,
        apart=False,
    ),
    Kind.AMOUNT_APPEAL: Source(
        Post.REVIEWER,
        "amount_appeals w JOIN claims c ON c.id = w.claim_id",
        """w.answered_at IS NULL AND w.appealed_person <> ALL (CAST(:own AS uuid[]))
           AND NOT EXISTS (SELECT FROM journal j
                            WHERE j.subject_kind = 'claim' AND j.subject_id = c.id AND j.action = 'approve'
                              AND j.actor_person_id = ANY (CAST(:own AS uuid[])))""",
        *("c.district", "w.due_on", "w.id"),
        why="NULL::text[]",
        due=Due.ITS_OWN,
        apart=False,
    ),
    Kind.DEMAND_APPEAL: Source(
        Post.REVIEWER,
        "clawback_appeals w JOIN clawbacks k ON k.id = w.clawback_id JOIN claims c ON c.id = k.claim_id",
        """w.answered_at IS NULL AND w.appealed_person <> ALL (CAST(:own AS uuid[]))
           AND NOT EXISTS (SELECT FROM raisers_of(k.id) AS r (id) WHERE r.id = ANY (CAST(:own AS uuid[])))""",
        *("c.district", "w.due_on", "w.id"),
        why="NULL::text[]",
        due=Due.ITS_OWN,
        apart=False,
    ),
    Kind.OBJECTION: Source(
        Post.REVIEWER,
        "claim_objections w JOIN claims c ON c.id = w.claim_id",
        "w.closed_at IS NULL",
        *("c.district", "(w.raised_at AT TIME ZONE 'Asia/Shanghai')::date", "w.id"),
        why="ARRAY[w.ground]",
        due=Due.NONE,
        apart=False,
    ),
}


def kinds_of(me: Actor) -> list[Kind]:
    """The kinds of work of one's posts."""
    return [kind for kind, source in SOURCES.items() if me.holds(source.post)]
