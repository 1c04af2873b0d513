"""The checks about step-ups: who signs or decides on money has just proved who they are; a code serves once."""

from domain.step_up import Decision
from service.audit.queries.checks import Check, Promise

#: Each decision: its table, what it is about, who took it and when, and when a row says that it was taken.
DECIDED = {
    Decision.APPROPRIATION: (
        *("appropriation_answers", "appropriation_id", "answered_by", "answered_at"),
        "answer = 'confirmed'",
    ),
    Decision.TRANSFER: ("fund_transfer_answers", "transfer_id", "answered_by", "answered_at", "answer = 'confirmed'"),
    Decision.CARRY: ("bank_file_sendings", "batch_id", "user_id", "began_at", "kind = 'carried'"),
    Decision.FILE_WORD: ("bank_file_handovers", "batch_id", "confirmed_by", "closed_at", "confirmed_by IS NOT NULL"),
    Decision.RESEND: ("bank_file_resends", "batch_id", "confirmed_by", "closed_at", "confirmed_by IS NOT NULL"),
    Decision.FATE: ("attempt_decisions", "attempt_id", "confirmed_by", "closed_at", "confirmed_by IS NOT NULL"),
    Decision.ACCOUNT: ("account_checks", "id", "answered_by", "answered_at", "confirmed"),
    Decision.DELEGATION: ("batch_delegations", "id", "confirmed_by", "confirmed_at", "confirmed_by IS NOT NULL"),
    Decision.WAIVER: ("clawback_waivers", "clawback_id", "answered_by", "answered_at", "granted"),
    Decision.ENFORCEMENT: ("clawback_enforcements", "clawback_id", "answered_by", "answered_at", "granted"),
    Decision.REPAYMENT: ("repayment_proposals", "line_id", "answered_by", "answered_at", "granted"),
    Decision.CORRECTION: ("amount_corrections", "id", "answered_by", "answered_at", "granted"),
}

STEP_UPS = Promise(
    None,
    "signed_anew",
    "step_ups",
    (
        Check(
            "batch_signatures",
            "签字所凭的验证是别人的，或者不是为它做的",
            """SELECT s.batch_id || '/' || s.step FROM batch_signatures s JOIN step_ups u ON u.id = s.step_up_id
                WHERE u.user_id <> s.user_id
                   OR 'batch.' || split_part(s.step, '_', 1) || ' ' || s.batch_id <> ALL (u.signs)""",
        ),
        Check(
            "batch_signatures",
            "签字之前没有重新验证",  # signatures of before there were step-ups have none
            """SELECT s.batch_id || '/' || s.step FROM batch_signatures s
                WHERE s.step_up_id IS NULL
                  AND s.signed_at > (SELECT min(p.signed_at) FROM batch_signatures p WHERE p.step_up_id IS NOT NULL)
                  AND NOT EXISTS (SELECT FROM policies p WHERE p.key = 'step_up' AND p.value = '"none"'
                                     AND p.in_force @> (s.signed_at AT TIME ZONE 'Asia/Shanghai')::date)""",
        ),
        Check(
            "step_ups",
            "一个验证码用了两次",
            """SELECT u.id FROM step_ups u JOIN step_ups o ON o.factor_id = u.factor_id AND o.counter = u.counter
                WHERE o.id < u.id""",
        ),
        Check(
            "step_ups",
            "验证所用的手机不是本人的",
            """SELECT u.id FROM step_ups u LEFT JOIN second_factors f ON f.id = u.factor_id AND f.user_id = u.user_id
                WHERE f.id IS NULL OR f.confirmed_at IS NULL""",
        ),
        Check(
            "step_up_uses",
            "验证用在了别的事上，或者用的是别人的",
            """SELECT u.step_up_id || '/' || u.sign FROM step_up_uses u LEFT JOIN step_ups s ON s.id = u.step_up_id
                WHERE s.user_id IS DISTINCT FROM u.user_id OR u.sign <> ALL (s.signs)""",
        ),
        *(
            Check(
                table,
                "决定之前没有重新验证",  # those of before there were any have none
                f"""SELECT d.{about} FROM {table} d
                     WHERE d.{taken} AND d.{at} > (SELECT min(u.used_at) FROM step_up_uses u)
                       AND NOT EXISTS (SELECT FROM step_up_uses u
                                        WHERE u.sign = '{name} ' || d.{about} AND u.user_id = d.{who}
                                          AND u.used_at = d.{at})
                       AND NOT EXISTS (SELECT FROM policies p WHERE p.key = 'step_up' AND p.value = '"none"'
                                          AND p.in_force @> (d.{at} AT TIME ZONE 'Asia/Shanghai')::date)""",  # noqa: S608 (our own names)
            )
            for name, (table, about, who, at, taken) in DECIDED.items()
        ),
    ),
)
