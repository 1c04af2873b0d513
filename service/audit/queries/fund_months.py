"""The promise about the monthly statement: it comes to what the positions hold, and every month could be."""

from service.audit.queries.checks import Check, Promise

# As the statement adds up: by the kinds of the domain, whatever the lines say of their source and target. The months
# are added up first: a kind has two pots, and years have few months.
_EFFECTS = """
    SELECT m.position_id, pot.name AS pot, m.month,
           sum(CASE pot.name WHEN way.target THEN m.fen ELSE -m.fen END) AS fen
      FROM (SELECT position_id, kind, date_trunc('month', at AT TIME ZONE 'Asia/Shanghai') AS month,
                   sum(amount_fen) AS fen
              FROM fund_movements GROUP BY 1, 2, 3) AS m
      JOIN unnest(CAST(:way_kinds AS text[]), CAST(:way_sources AS text[]), CAST(:way_targets AS text[]))
           AS way (kind, source, target) ON way.kind = m.kind
      JOIN (VALUES ('free'), ('set_aside'), ('reserved'), ('in_flight'), ('paid')) AS pot (name)
        ON pot.name IN (way.source, way.target)
     GROUP BY 1, 2, 3"""

STATEMENT = Promise(
    None,
    "statement_adds_up",
    "fund_movements",
    (
        Check(
            "fund_positions",
            "月报的期末与额度的现状不符",
            f"""SELECT p.id
                  FROM fund_positions p
                 CROSS JOIN LATERAL (VALUES ('free', p.free_fen), ('set_aside', p.set_aside_fen),
                                            ('reserved', p.reserved_fen), ('in_flight', p.in_flight_fen),
                                            ('paid', p.paid_fen)) AS kept (pot, fen)
                  LEFT JOIN (SELECT position_id, pot, sum(fen) AS fen FROM ({_EFFECTS}) AS e GROUP BY 1, 2) AS closing
                    ON closing.position_id = p.id AND closing.pot = kept.pot
                 WHERE kept.fen <> coalesce(closing.fen, 0)""",  # noqa: S608 (our own constants)
        ),
        # a line that was dated into a month it does not belong to takes there what was not there yet
        Check(
            "fund_positions",
            "有一个月的期末为负，有一笔收支的日期不对",
            f"""SELECT position_id FROM (
                    SELECT position_id, sum(fen) OVER (PARTITION BY position_id, pot ORDER BY month) AS closing
                      FROM ({_EFFECTS}) AS e) AS months
                 WHERE closing < 0""",  # noqa: S608 (our own constants)
        ),
    ),
)
