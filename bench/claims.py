"""Many claims at once, written by the superuser with the guards asleep: what would take a city a year to file."""

from collections.abc import Sequence
from uuid import UUID, uuid4

import asyncpg

from bench.ground import Database
from bench.trainees import DISTRICT
from service.crypto import keyring
from service.local.made_up import Maker

#: The person and user behind everything that needs one: files, opens batches, hands in returns.
STAFF_PERSON, STAFF_USER = UUID(int=1), UUID(int=2)

_STAFF = f"""
    INSERT INTO people (id, name_sealed, id_number_sealed) VALUES ('{STAFF_PERSON}', '', '');
    INSERT INTO users (id, login, person_id, password_hash) VALUES ('{STAFF_USER}', 'bench', '{STAFF_PERSON}', '-');
    CREATE TABLE bench_payees (n bigint, person_id uuid, account_id uuid, name_sealed bytea, id_number_sealed bytea,
                               holder_sealed bytea, number_sealed bytea);
"""  # noqa: S608 (ids of our own)

# Filed one after another over two hundred days; each for an occupation and level that has a standard.
_CLAIMS = """
    INSERT INTO people (id, name_sealed, id_number_sealed)
    SELECT person_id, name_sealed, id_number_sealed FROM bench_payees;
    INSERT INTO accounts (id, person_id, holder_sealed, number_sealed, number_index, tail, bank_code)
    SELECT account_id, person_id, holder_sealed, number_sealed, sha256(n::text::bytea), '0018', '102451000018'
      FROM bench_payees;
    WITH offers AS (
        SELECT i.id AS item_id, i.code, i.list_kind, i.industry, s.id AS standard_id, s.level, s.amount_fen,
               row_number() OVER (ORDER BY i.line, s.level) - 1 AS place
          FROM catalog_items i
          JOIN catalog_editions e ON e.id = i.edition_id AND e.in_force @> current_date
          JOIN standards s ON s.occupation = i.code AND s.in_force @> current_date
         WHERE s.level IN ('5', '4', '3')
    )
    INSERT INTO claims (id, person_id, channel, via, filed_by, district, item_id, list_kind, industry, subsidy_key,
                        level, once_in, certificate_number, certificate_issued_on, training_started_on, standard_id,
                        amount_fen, account_id, status, filed_on, filed_at, decision)
    SELECT gen_random_uuid(), p.person_id, 'individual', 'web', '{user}', '{district}', o.item_id, o.list_kind,
           o.industry, o.code, o.level, 'ever',
           format('S000037%s%s%s%s', lpad((p.n / 1000000)::text, 6, '0'), to_char(current_date, 'YY'), o.level,
                  lpad((p.n % 1000000)::text, 6, '0')),
           current_date - 210, current_date - 240, o.standard_id, o.amount_fen, p.account_id, '{status}',
           current_date - 200 + (p.n * 200 / {count})::integer,
           now() - interval '200 days' + p.n * interval '200 days' / {count},
           jsonb_build_object('facts', repeat(md5(p.n::text), 25))
      FROM bench_payees p JOIN offers o ON o.place = p.n % (SELECT count(*) FROM offers);
    INSERT INTO journal (subject_kind, subject_id, action, after, actor_name, at)
    SELECT 'claim', id, 'file', jsonb_build_object('status', status, 'amount_fen', amount_fen), 'trainee', filed_at
      FROM claims;
    DROP TABLE bench_payees;
"""


# What an appropriation of just this sum would have left when all claims were approved, and perhaps sent.
_MONEY = """
    INSERT INTO funds VALUES ('employment_subsidy', '示例') ON CONFLICT DO NOTHING;
    INSERT INTO fund_positions (id, district, fund, year, appropriated_fen, {pot}_fen)
    SELECT gen_random_uuid(), district, 'employment_subsidy', extract(year FROM current_date), sum(amount_fen),
           sum(amount_fen)
      FROM claims GROUP BY district;
    INSERT INTO fund_reservations (claim_id, position_id, amount_fen, pot)
    SELECT c.id, p.id, c.amount_fen, '{pot}' FROM claims c JOIN fund_positions p ON p.district = c.district;
"""


def make_claims(
    database: Database, count: int, status: str, *, readable: int, seed: int, pot: str | None = None
) -> None:
    """`count` claims of as many persons, all in `status`, with their money in `pot`.

    Names, ids and accounts of the first `readable` ones can be opened, the others' are copies: sealing is what takes
    the time.
    """

    async def make(connection: asyncpg.Connection) -> None:
        await connection.execute("SET session_replication_role = replica")
        await connection.execute(_STAFF)
        await connection.copy_records_to_table("bench_payees", records=_payees(count, readable, seed))
        told = {"user": STAFF_USER, "district": DISTRICT, "status": status, "count": count}
        await connection.execute(_CLAIMS.format(**told), timeout=3600)
        if pot is not None:
            await connection.execute(_MONEY.format(pot=pot), timeout=3600)
        await connection.execute("VACUUM ANALYZE", timeout=3600)

    database.on_connection(make)


def names_and_ids(count: int, seed: int) -> list[tuple[str, str]]:
    """Name and id number of each claimant, in order."""
    maker = Maker(seed)
    people = [maker.person() for _ in range(count)]
    return [(each.name, each.id_number) for each in people]


def _payees(count: int, readable: int, seed: int) -> Sequence[tuple[object, ...]]:
    keys, maker = keyring(), Maker(seed + 1)
    rows: list[tuple[object, ...]] = []
    for number, (name, id_number) in enumerate(names_and_ids(min(count, readable), seed)):
        person, account = uuid4(), uuid4()
        of_person = keys.seal(name, person), keys.seal(id_number, person)
        rows.append((number, person, account, *of_person, keys.seal(name, account), keys.seal(maker.card(), account)))
    copied = rows[0][3:]
    rows += [(number, uuid4(), uuid4(), *copied) for number in range(len(rows), count)]
    return rows
