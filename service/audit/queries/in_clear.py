"""The promise about personal data: no id number, phone or card number stands in clear, and what is to be sealed is.

Every text and JSON column of every table is read whole, whatever it is called and whoever made it: the catalog of the
database says which there are. The server reads 32 MB at a time and hands back only what could be such a number.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from sqlalchemy import text

from domain.personal_number import CANDIDATE, RUN_OF_DIGITS, holds_personal_number, personal_number
from service.audit.queries.checks import Breach, Promise
from service.crypto import keyring
from service.database import Tx

#: Pages of 8 kB that one statement reads.
PAGES = 4_096

#: Amounts in JSON, stored as such or as text: 150 million yuan in fen have the digits of a phone.
_MONEY = '_fen": ?-?[0-9]+'

#: An old invoice's code of 10 digits and its number of 8 have the length of a card, and one in ten its check digit.
_ANOTHER_KIND = {("claims", "invoice_number"): "card"}

_NUMBERS = {"id": "身份证号", "phone": "手机号", "card": "银行卡号"}

#: Tables with what may hold text, what is to be sealed, and the primary key, each quoted.
_TABLES = """
    SELECT c.oid::regclass::text AS name,
           coalesce(array_agg(quote_ident(a.attname) ORDER BY a.attnum)
                      FILTER (WHERE t.typcategory = 'S'
                                 OR t.typname IN ('json', 'jsonb', 'xml', '_text', '_varchar')),
                    '{}') AS readable,
           coalesce(array_agg(quote_ident(a.attname) ORDER BY a.attnum)
                      FILTER (WHERE t.typname = 'bytea' AND a.attname LIKE '%\\_sealed'), '{}') AS sealed,
           coalesce(array_agg(quote_ident(a.attname) ORDER BY array_position(p.conkey, a.attnum))
                      FILTER (WHERE a.attnum = ANY (p.conkey)), '{ctid}') AS keys
      FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
      JOIN pg_type t ON t.oid = a.atttypid
      LEFT JOIN pg_constraint p ON p.conrelid = c.oid AND p.contype = 'p'
     WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace
     GROUP BY c.oid"""

NOTHING_IN_CLEAR = Promise(
    14, "nothing_in_clear", f"({_TABLES}) AS tables CROSS JOIN LATERAL unnest(readable || sealed) AS one (name)", ()
)


@dataclass(frozen=True)
class _Table:
    name: str
    readable: list[str]
    sealed: list[str]
    keys: list[str]

    @property
    def key(self) -> str:
        return f"concat_ws('/', {', '.join(f't.{each}' for each in self.keys)})"


async def first_in_clear(tx: Tx) -> Breach | None:
    """The first row, in the order in which tables and rows are stored, that holds a personal number in clear."""
    for table in [_Table(*row) for row in await tx.execute(text(f"{_TABLES} ORDER BY name"))]:
        async for here in _places(tx, table.name):
            if breach := await _unsealed(tx, table, here) or await _readable(tx, table, here):
                return breach
    return None


async def _places(tx: Tx, table: str) -> AsyncIterator[str]:
    """Conditions that share the table's pages out."""
    size = await tx.execute(text("SELECT pg_relation_size(CAST(:name AS regclass)) / 8192"), {"name": table})
    for first in range(0, int(size.scalar_one()), PAGES):
        yield f"t.ctid >= '({first},0)' AND t.ctid < '({first + PAGES},0)'"


async def _readable(tx: Tx, table: _Table, here: str) -> Breach | None:
    """A run of digits is looked for first: it is found three times as quickly, and most rows have none."""
    if not table.readable:
        return None
    whole = f"concat_ws(' | ', {', '.join(f't.{each}::text' for each in table.readable)})"
    columns = ", ".join(f"('{each}', t.{each}::text)" for each in table.readable)
    asked = f"""
        SELECT {table.key}, t.ctid::text, named.name, found[1] FROM {table.name} t
         CROSS JOIN LATERAL (VALUES {columns}) AS named (name, value)
         CROSS JOIN LATERAL regexp_matches(regexp_replace(named.value, :money, '', 'g'), :candidate, 'g') AS found
         WHERE {here} AND {whole} ~ :run AND {whole} ~ :candidate ORDER BY t.ctid"""  # noqa: S608 (names from the catalog, quoted)
    patterns = {"candidate": CANDIDATE, "run": RUN_OF_DIGITS, "money": _MONEY}
    for key, place, column, candidate in await tx.execute(text(asked), patterns):
        kind = personal_number(candidate)
        if kind and kind != _ANOTHER_KIND.get((table.name, column)):
            return Breach(table.name, _row(key, place), f"{column} 列里有明文的{_NUMBERS[kind]}")
    return None


async def _unsealed(tx: Tx, table: _Table, here: str) -> Breach | None:
    """What is in a column for envelopes and begins with the name of no key that is known here."""
    known = [bytes([len(name)]) + name.encode() for name in keyring().keys]
    for column in table.sealed:
        asked = f"""
            SELECT {table.key}, t.ctid::text FROM {table.name} t
             WHERE {here} AND t.{column} IS NOT NULL
               AND NOT EXISTS (SELECT FROM unnest(CAST(:known AS bytea[])) AS k
                                WHERE substring(t.{column} FROM 1 FOR length(k)) = k)
             ORDER BY t.ctid LIMIT 1"""  # noqa: S608 (names from the catalog, quoted)
        found = (await tx.execute(text(asked), {"known": known})).one_or_none()
        if found is not None:
            return Breach(table.name, _row(*found), f"{column} 列应当加密，却没有用已知的密钥加密")
    return None


def _row(key: str, place: str) -> str:
    """How a row is named: by where it is stored if its key is what must not be told."""
    return f"ctid {place}" if holds_personal_number(key) else key
