"""Who had a clawback raised, in whatever way, does not answer the appeal against it; nor does who reviewed a claim,
or is partial to it, answer an objection to its line."""

from alembic import op

revision = "who_answers"
down_revision = "clawback_appeals"
branch_labels = None
depends_on = None

# Functions alone: no lock is taken on the tables.
FUNCTIONS = [
    # Whoever raised it, upheld the objection, or proposed the correction that it follows from; of what a supplement
    # owes back because its claim does, whoever raised that. Two ids of one human are one person.
    """
    CREATE FUNCTION raisers_of(clawback uuid) RETURNS SETOF uuid LANGUAGE sql STABLE AS $$
      SELECT coalesce(p.merged_into, p.id)
        FROM clawbacks k
        LEFT JOIN claim_objections o ON o.id = k.ground_id
        LEFT JOIN amount_corrections c ON c.id = k.ground_id
        LEFT JOIN clawbacks b ON b.id = k.ground_id
        JOIN people p ON p.id IN (k.raised_person, o.closed_person, c.proposed_person, b.raised_person)
       WHERE k.id = clawback
    $$
    """,
    """
    CREATE OR REPLACE FUNCTION guard_clawback_answers() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF EXISTS (SELECT FROM people a
                  WHERE a.id = NEW.answered_person
                    AND coalesce(a.merged_into, a.id) IN (
                        SELECT raisers_of(NEW.clawback_id)
                         UNION ALL
                        SELECT coalesce(p.merged_into, p.id) FROM people p
                         WHERE p.id = NEW.appealed_person
                            OR p.id = (SELECT c.person_id FROM clawbacks k JOIN claims c ON c.id = k.claim_id
                                        WHERE k.id = NEW.clawback_id))) THEN
        RAISE EXCEPTION 'who had a clawback raised, or owes it, does not answer the appeal' USING ERRCODE = 'ZD264';
      END IF;
      RETURN NEW;
    END $$
    """,
    """
    CREATE OR REPLACE FUNCTION guard_notice_objection_answers() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE claim uuid;
    BEGIN
      IF EXISTS (SELECT FROM notice_objections o LEFT JOIN claims c ON c.id = o.claim_id
                   JOIN people a ON a.id = NEW.answered_person
                   LEFT JOIN people p ON p.id = o.person_id LEFT JOIN people q ON q.id = c.person_id
                  WHERE o.id = NEW.objection_id
                    AND (o.filed_on > NEW.answered_on
                         OR coalesce(a.merged_into, a.id) IN (coalesce(p.merged_into, p.id),
                                                              coalesce(q.merged_into, q.id)))) THEN
        RAISE EXCEPTION 'nobody answers what they raised or gain by, nor before it came' USING ERRCODE = 'ZD261';
      END IF;
      SELECT claim_id INTO claim FROM notice_objections WHERE id = NEW.objection_id;
      IF EXISTS (SELECT FROM journal j
                   JOIN post_exclusions e ON e.scope = 'claim'
                    AND (e.post, e.other) IN ((j.actor_name, 'notice_publisher'), ('notice_publisher', j.actor_name))
                  WHERE j.subject_kind = 'claim' AND j.subject_id = claim
                    AND j.actor_person_id IN (SELECT person_id FROM kin_of(NEW.answered_person) WHERE own)) THEN
        RAISE EXCEPTION 'who reviewed a claim does not answer what is objected to it' USING ERRCODE = 'ZD266';
      END IF;
      IF EXISTS (SELECT FROM claims c JOIN users f ON f.id = c.filed_by
                   JOIN kin_of(NEW.answered_person) k
                     ON (k.person_id = c.person_id AND c.filed_at < k.until) OR (k.own AND k.person_id = f.person_id)
                  WHERE c.id = claim)
         OR EXISTS (SELECT FROM claim_recusals r
                      JOIN kin_of(NEW.answered_person) k ON k.own AND k.person_id = r.person_id
                     WHERE r.claim_id = claim) THEN
        RAISE EXCEPTION 'nobody answers for their own, or what they left to others' USING ERRCODE = 'ZD267';
      END IF;
      RETURN NEW;
    END $$
    """,
]


def upgrade() -> None:
    for function in FUNCTIONS:
        op.execute(function)
