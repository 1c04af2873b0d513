"""The check about step-ups: a batch is signed by who has just proved who they are, and a code serves once."""

from service.audit.queries.checks import Check, Promise

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
    ),
)
