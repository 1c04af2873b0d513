"""证书: more in a day than classes could earn, and occupations that the institution never filed."""

from collections.abc import Mapping

from domain.signal import Signal

# Claims that came through an institution, or that name a class of it.
_CLAIM = """
    claim AS MATERIALIZED (
        SELECT c.id AS claim_id, coalesce(c.institution_id, k.institution_id) AS institution_id,
               c.subsidy_key, c.level, c.list_kind, c.training_started_on, c.certificate_issued_on AS day
          FROM claims c LEFT JOIN training_classes k ON k.id = c.class_id
         WHERE coalesce(c.institution_id, k.institution_id) IS NOT NULL AND c.status <> 'withdrawn'
           AND c.certificate_issued_on BETWEEN :since AND :until
    )
"""

# Certificates by the day printed on them. Beside each day that brings many: places of the institution's classes that
# ended in the days before, its largest class, and what its other days bring.
_BURST = f"""
    WITH {_CLAIM}, day AS MATERIALIZED (
        SELECT institution_id, day, count(*) AS certificates, jsonb_agg(jsonb_build_object('claim', claim_id)) AS rows
          FROM claim GROUP BY institution_id, day
    ), many AS (
        SELECT * FROM day WHERE certificates >= :certificates_least
    ), class AS (
        SELECT k.institution_id, k.last, count(*) AS places
          FROM training_classes k JOIN training_places p ON p.class_id = k.id
         WHERE k.status <> ALL (CAST(:dead AS text[])) GROUP BY k.id
    ), taught AS (
        SELECT many.institution_id, many.day, max(class.places) AS largest,
               sum(class.places) FILTER (WHERE class.last BETWEEN many.day - CAST(:class_days AS integer)
                                                              AND many.day) AS places
          FROM many JOIN class USING (institution_id) GROUP BY many.institution_id, many.day
    ), usual AS (
        SELECT many.institution_id, many.day,
               percentile_disc(0.5) WITHIN GROUP (ORDER BY other.certificates) AS certificates
          FROM many JOIN day other ON other.institution_id = many.institution_id AND other.day <> many.day
         GROUP BY many.institution_id, many.day
    )
    SELECT many.institution_id,
           jsonb_build_object('certificates', many.certificates, 'on', many.day,
                              'taught', coalesce(taught.places, 0), 'usual', coalesce(usual.certificates, 0),
                              'largest_class', coalesce(taught.largest, 0)) AS figures, many.rows
      FROM many
      LEFT JOIN taught USING (institution_id, day)
      LEFT JOIN usual USING (institution_id, day)
"""  # noqa: S608 (our own constants)

# Judged by the day on which training started, so that what was renewed or has ended since is as it was then. Before
# an institution has filed any scope there is none to be outside of; projects have no occupation.
_SCOPE = f"""
    WITH {_CLAIM}
    SELECT c.institution_id,
           jsonb_build_object('claims', count(*), 'occupations', count(DISTINCT c.subsidy_key)) AS figures,
           jsonb_agg(jsonb_build_object('claim', c.claim_id)) AS rows
      FROM claim c
     WHERE c.list_kind <> 'project'
       AND EXISTS (SELECT FROM institution_scopes s
                    WHERE s.institution_id = c.institution_id AND lower(s.in_force) <= c.training_started_on)
       AND NOT EXISTS (SELECT FROM institution_scopes s
                        WHERE s.institution_id = c.institution_id AND s.occupation = c.subsidy_key
                          AND c.level = ANY (s.levels) AND s.in_force @> c.training_started_on)
     GROUP BY c.institution_id
    HAVING count(*) >= :claims_least
"""  # noqa: S608 (our own constants)

QUESTIONS: Mapping[Signal, str] = {Signal.CERTIFICATE_BURST: _BURST, Signal.OUT_OF_SCOPE: _SCOPE}
