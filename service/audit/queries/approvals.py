"""The promise about approvals: samples are what their seeds draw, and another person confirmed what they had to."""

from service.audit.queries.checks import Check, Promise


def related(officer: str, at: str) -> str:
    """That an officer had declared the `holder` of a claim `c` as a relative before an instant."""
    return f"""EXISTS (
        SELECT FROM declared_relatives r
         CROSS JOIN LATERAL unnest(r.key_ids, r.indexes) AS k (key_id, index)
          JOIN person_blind_indexes b ON b.key_id = k.key_id AND b.index = k.index
          JOIN people p ON p.id = b.person_id
         WHERE r.person_id = {officer} AND r.declared_at < {at} AND c.filed_at < coalesce(r.ended_at, 'infinity')
           AND coalesce(p.merged_into, p.id) = coalesce(holder.merged_into, holder.id))"""


APPROVALS = Promise(
    None,
    "approvals_looked_at_again",
    "claim_approvals",
    (
        Check(
            "claim_approvals",
            "抽样或大额与种子、金额重算的不一致",
            """SELECT a.id FROM claim_approvals a JOIN claims c ON c.id = a.claim_id
                WHERE ('sample' = ANY (a.why)) IS DISTINCT FROM
                      (('x' || encode(substr(sha256(a.seed || uuid_send(a.claim_id)), 1, 4), 'hex'))::bit(32)::bigint
                       % 100 < a.percent)
                   OR 'amount' = ANY (a.why) AND a.from_fen IS NULL""",
        ),
        Check(
            "claims",
            "要复核的没有人复核同意，就公示了",
            """SELECT c.id FROM claims c
                 JOIN LATERAL (SELECT a.why, a.finding FROM claim_approvals a
                                WHERE a.claim_id = c.id ORDER BY a.id DESC LIMIT 1) AS last ON true
                WHERE c.status IN ('noticed', 'payable', 'batched', 'paid', 'bounced', 'recovered')
                  AND last.why <> '{}' AND last.finding IS DISTINCT FROM 'confirmed'""",
        ),
        Check(
            "claim_approvals",
            "复核的人就是审核的人，或在这笔申领上办过别的环节",
            """SELECT a.id FROM claim_approvals a JOIN people f ON f.id = a.found_person
                WHERE EXISTS (SELECT FROM journal j
                                JOIN people p ON p.id = j.actor_person_id
                               WHERE j.subject_kind = 'claim' AND j.subject_id = a.claim_id
                                 AND coalesce(p.merged_into, p.id) = coalesce(f.merged_into, f.id)
                                 AND j.actor_name IN ('acceptor', 'reviewer', 'notice_publisher'))""",
        ),
        Check(
            "claim_approvals",
            "审核或复核了自己或申报过的亲属的申领",
            f"""SELECT a.id FROM claim_approvals a
                 JOIN claims c ON c.id = a.claim_id JOIN people holder ON holder.id = c.person_id
                 CROSS JOIN LATERAL (VALUES (a.approved_person, a.approved_at), (a.found_person, a.found_at))
                         AS officer (id, at)
                 JOIN people me ON me.id = officer.id
                WHERE coalesce(me.merged_into, me.id) = coalesce(holder.merged_into, holder.id)
                   OR {related("me.id", "officer.at")}""",  # noqa: S608 (our own constants)
        ),
    ),
)
