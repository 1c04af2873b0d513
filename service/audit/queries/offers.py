"""The promise about offers: what was confirmed is a claim of one's own, and what was offered is in the results
or in a file of the registry that two persons vouch for."""

from service.audit.queries.checks import Check, Promise

OFFERS = Promise(
    None,
    "offers_become_claims",
    "claim_offers",
    (
        Check(
            "claim_offers",
            "已确认，却没有同一个人同一证书的个人申领",
            """SELECT o.id FROM claim_offers o
                 JOIN people p ON p.id = o.person_id
                 LEFT JOIN claims c ON c.id = o.claim_id
                 LEFT JOIN people k ON k.id = c.person_id
                WHERE o.status = 'confirmed'
                  AND (c.channel, c.certificate_number, coalesce(k.merged_into, k.id))
                      IS DISTINCT FROM ('individual', o.certificate_number, coalesce(p.merged_into, p.id))""",
        ),
        Check(
            "claim_offers",
            "没有确认，却有申领",
            "SELECT id FROM claim_offers WHERE status <> 'confirmed' AND claim_id IS NOT NULL",
        ),
        Check(
            "claim_offers",
            "不是本人确认或放弃的",
            """SELECT o.id FROM claim_offers o
                 JOIN people p ON p.id = o.person_id
                 JOIN journal j ON j.subject_kind = 'offer' AND j.subject_id = o.id
                  AND j.action IN ('confirm', 'decline')
                 LEFT JOIN people a ON a.id = j.actor_person_id
                WHERE coalesce(a.merged_into, a.id) IS DISTINCT FROM coalesce(p.merged_into, p.id)""",
        ),
        Check(
            "claim_offers",
            "评价结果里没有这本证书",
            """SELECT o.id FROM claim_offers o
                 LEFT JOIN assessment_results r ON r.assessment_id = o.assessment_id AND r.person_id = o.person_id
                WHERE o.entry_id IS NULL
                  AND (r.class_id, r.certificate_number, r.certificate_issued_on)
                      IS DISTINCT FROM (o.class_id, o.certificate_number, o.issued_on)""",
        ),
        Check(
            "claim_offers",
            "登记机构的文件里没有这个人的这本证书，或那份文件没有第二个人确认",
            """SELECT o.id FROM claim_offers o
                 LEFT JOIN registry_entries e ON e.id = o.entry_id
                 LEFT JOIN registry_file_confirmations k ON k.file_id = e.file_id
                WHERE o.entry_id IS NOT NULL
                  AND ((e.certificate_number, e.issued_on, e.revoked, k.file_id IS NULL)
                       IS DISTINCT FROM (o.certificate_number, o.issued_on, false, false)
                       OR NOT EXISTS (SELECT FROM person_blind_indexes b
                                       WHERE b.index = e.holder_index AND b.person_id = o.person_id))""",
        ),
        Check(
            "registry_files",
            "装入登记机构文件的人又自己确认",
            """SELECT f.id FROM registry_files f
                 JOIN registry_file_confirmations k ON k.file_id = f.id
                 JOIN people loader ON loader.id = f.loader_id
                 JOIN people other ON other.id = k.person_id
                WHERE coalesce(loader.merged_into, loader.id) = coalesce(other.merged_into, other.id)""",
        ),
    ),
)
