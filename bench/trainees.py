"""Signed-in trainees who have not filed yet, as many as a bench needs, and the request by which each of them files.

Ids and tokens are made from a number, so that a pgbench script can name the same people.
"""

import hashlib
import json
import random
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import UUID

import asyncpg

from bench.ground import Database
from service.crypto import keyring
from service.local.made_up import MadeUpPerson, Maker

DISTRICT = "370102"

#: Occupations with a standard today under their own code, and one of their lower levels.
_OFFERS = """
    SELECT DISTINCT i.code, s.level
      FROM catalog_items i
      JOIN catalog_editions e ON e.id = i.edition_id AND e.in_force @> $1::date
      JOIN standards s ON s.occupation = i.code AND s.in_force @> $1::date
     WHERE s.level IN ('5', '4', '3')
     ORDER BY i.code, s.level
"""


def person_id(number: int) -> UUID:
    return _uuid(f"person-{number}")


def user_id(number: int) -> UUID:
    return _uuid(f"user-{number}")


def token(number: int) -> str:
    return f"bench-token-{number}"


def key(number: int) -> str:
    return f"bench-key-{number}"


def certificate(number: int, level: str, year: int) -> str:
    """22 characters, another one for each number."""
    return f"S000037{number // 10**6:06d}{year % 100:02d}{level}{number % 10**6:06d}"


def _uuid(text: str) -> UUID:
    return UUID(hashlib.md5(text.encode(), usedforsecurity=False).hexdigest())


def make_trainees(database: Database, count: int, seed: int, today: date, requests: Path) -> None:
    """Put `count` trainees with open sessions into the database, and their requests, one a line, into a file."""

    async def make(connection: asyncpg.Connection) -> None:
        offers = await offers_on(connection, today)
        maker = Maker(seed)
        people = [maker.person() for _ in range(count)]
        await _store(connection, people)
        _write(requests, people, offers, seed, today)

    database.on_connection(make)
    database.run("ANALYZE")


async def offers_on(connection: asyncpg.Connection, day: date) -> list[tuple[str, str]]:
    """The code of each occupation that a trainee of today may claim for, with a level."""
    return [(row["code"], row["level"]) for row in await connection.fetch(_OFFERS, day)]


async def _store(connection: asyncpg.Connection, made: Sequence[MadeUpPerson]) -> None:
    keys, now = keyring(), datetime.now(UTC)  # noqa: TID251 (when sessions end is real time, whatever day is played)
    people, users, posts, sessions = [], [], [], []
    for number, each in enumerate(made):
        person, user = person_id(number), user_id(number)
        people.append((person, keys.seal(each.name, person), keys.seal(each.id_number, person)))
        users.append((user, f"bench-{number}", person, "-"))
        posts.append((user, "trainee"))
        digest = hashlib.sha256(token(number).encode()).digest()
        sessions.append((digest, user, person, ["trainee"], now + timedelta(days=1)))
    for table, columns, rows in (
        ("people", "id name_sealed id_number_sealed", people),
        ("users", "id login person_id password_hash", users),
        ("user_posts", "user_id post", posts),
        ("sessions", "token_sha256 user_id person_id posts expires_at", sessions),
    ):
        await connection.copy_records_to_table(table, records=rows, columns=columns.split())


def _write(
    file: Path, people: Sequence[MadeUpPerson], offers: Sequence[tuple[str, str]], seed: int, today: date
) -> None:
    maker, chance = Maker(seed + 1), random.Random(seed)  # noqa: S311 (it must repeat)
    with file.open("w") as out:
        for number, person in enumerate(people):
            code, level = chance.choice(offers)
            body = {
                "item_code": code,
                "level": level,
                "district": DISTRICT,
                "certificate_number": certificate(number, level, today.year),
                "certificate_issued_on": today.isoformat(),
                "account": {"number": maker.card(), "holder": person.name, "bank_code": maker.bank_code()},
            }
            out.write(json.dumps([token(number), key(number), body], ensure_ascii=False) + "\n")
