"""What a part of the product really sends: read back from the server's log, and written again without the product."""

import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

from bench.ground import LOG_PREFIX, Database, Ground

_SAID = re.compile(r"(?:statement|execute (?P<prepared>[^:]+)): (?P<sql>.*)", re.DOTALL)
_PARAMETER = re.compile(r"\$(\d+) = (?:NULL|'((?:[^']|'')*)')(?:, |$)", re.DOTALL)
_PLACE = re.compile(r"\$(\d+)")
#: What the driver asks of a new connection, once; no part of any work.
_OF_A_CONNECTION = re.compile(
    r"\s*(show |set |select (pg_catalog\.)?version|select current_schema|select\s+current_setting"
    r"|with recursive typeinfo)",
    re.IGNORECASE,
)


@dataclass
class Statement:
    """One round trip: the text with `$n`, and the values in the server's own spelling (None: NULL)."""

    sql: str
    values: list[str | None] = field(default_factory=list)

    @property
    def name(self) -> str:
        """A short name for people: the first words that say what and where."""
        plain = " ".join(self.sql.split())
        tables = re.findall(r"(INSERT INTO|(?<!FOR )(?<!KEY )UPDATE|FROM|JOIN) \"?(\w+)", plain)
        writes = [f"{verb.split()[0].lower()} {table}" for verb, table in tables if verb in {"INSERT INTO", "UPDATE"}]
        reads = [f"select {table}" for verb, table in tables if verb == "FROM" and table != "unnest"]
        return ", ".join(dict.fromkeys(writes)) or next(iter(reads), plain[:40].rstrip(";").lower())


@dataclass
class Recording:
    """The statements of one database while the block of `recorded` lasted, in order."""

    statements: list[Statement] = field(default_factory=list)


@contextmanager
def recorded(ground: Ground, database: Database) -> Iterator[Recording]:
    """Have the server log what the service's role sends to `database` until the block ends."""
    log, recording = ground.place.inner("logs") / "postgres.log", Recording()  # `log()` would put a long one aside
    database.run("ALTER SYSTEM SET log_statement = 'all'", "SELECT pg_reload_conf()", "SELECT pg_sleep(0.2)")
    start = log.stat().st_size
    try:
        yield recording
    finally:
        with log.open("rb") as file:
            file.seek(start)
            told = file.read().decode("utf-8", "replace")
        database.run("ALTER SYSTEM RESET log_statement", "SELECT pg_reload_conf()")
    recording.statements.extend(_read(told, database.name))


def _read(log: str, database: str) -> Iterator[Statement]:
    mark = LOG_PREFIX.replace("%d", database).replace("%u", "zhida_app")
    latest: Statement | None = None
    for entry in re.split(r"^(?=@)", log, flags=re.MULTILINE):
        if not entry.startswith(mark):
            continue
        level, _, text = entry[len(mark) :].partition(":  ")
        text = text.removesuffix("\n").replace("\n\t", "\n")
        said = _SAID.fullmatch(text) if level == "LOG" else None
        if said and not _OF_A_CONNECTION.match(said["sql"]):
            latest = Statement(said["sql"])
            yield latest
        elif said:
            latest = None
        elif level == "DETAIL" and latest is not None:
            latest.values.extend(_values(text.partition(": ")[2]))
            latest = None


def _values(text: str) -> list[str | None]:
    found = [(int(at), None if quoted is None else quoted.replace("''", "'")) for at, quoted in _matches(text)]
    assert [at for at, _ in found] == list(range(1, len(found) + 1)), "a statement's values are numbered"
    return [value for _, value in found]


def _matches(text: str) -> Iterator[tuple[str, str | None]]:
    for match in _PARAMETER.finditer(text):
        yield match[1], match[2]


def in_full(statement: Statement) -> str:
    """The statement with its values written into it, for `psql`."""
    return _PLACE.sub(lambda place: _literal(statement.values[int(place[1]) - 1]), statement.sql).rstrip("; \n") + ";"


def for_pgbench(statement: Statement, varying: Mapping[str, str]) -> str:
    """The statement for a pgbench script: values found in `varying` become the expression they map to (over `:n`)."""
    return (
        _PLACE.sub(lambda place: _expression(statement.values[int(place[1]) - 1], varying), statement.sql).rstrip(
            "; \n"
        )
        + ";"
    )


def _literal(value: str | None) -> str:
    if value is None:
        return "NULL"
    # Without a colon, which pgbench would read as the beginning of a variable.
    plain = value.replace("\\", "\\\\").replace("'", "''").replace(":", "\\x3A")
    return f"E'{plain}'" if plain != value else f"'{value}'"


def _expression(value: str | None, varying: Mapping[str, str]) -> str:
    """`value` as a literal, or, where something that varies stands in it, as a text put together."""
    if value is None or not any(each in value for each in varying):
        return _literal(value)
    parts = re.split("(" + "|".join(map(re.escape, sorted(varying, key=len, reverse=True))) + ")", value)
    return "(" + " || ".join(varying.get(part) or _literal(part) for part in parts if part) + ")"


def replay(ground: Ground, database: Database, statements: Sequence[Statement], script: Path) -> float:
    """Send the same statements again, without the product, and answer the seconds it took."""
    script.write_text("\n".join(in_full(each) for each in statements))
    command = [str(ground.bin / "psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-o", "/dev/null", "-f", str(script)]
    began = monotonic()
    done = subprocess.run([*command, database.app_url], capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise RuntimeError(done.stderr[:2000])
    return monotonic() - began
