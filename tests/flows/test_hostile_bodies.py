"""Bodies that are no clear JSON document of the right form: refused at the door, with nothing stored."""

import json
from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import uuid4

import pytest

from service.local.made_up import MadeUpPerson
from tests.flows.hostile import Json, refused
from tests.flows.office import Person
from tests.flows.served import Served

pytestmark = pytest.mark.usefixtures("quiet")

TOO_LARGE = 11 * 2**20
DEPTH = 100_000
BODIES = (
    *("/api/claims", "/api/claims/check", "/api/mandates", "/api/sign-in", "/api/sign-up", "/api/claims/approve"),
    "/api/funds/appropriations",
)
SENDERS = {
    "/api/mandates": "clerk-a",
    "/api/claims/approve": "reviewer-370102",
    "/api/funds/appropriations": "maker-370102",
}


def headers_for(served: Served, trainee: tuple[Person, MadeUpPerson], path: str) -> dict[str, str]:
    login = SENDERS.get(path)
    who = served.sign_in(login) if login else trainee[0]
    return {
        "Authorization": f"Bearer {who.token}",
        "Content-Type": "application/json",
        "Idempotency-Key": str(uuid4()),
    }


Twisted = Callable[[Json], bytes]


def doubled(body: Json) -> bytes:
    name = next(iter(body))
    return json.dumps(body).encode()[:-1] + f', "{name}": "other"}}'.encode()


def with_field(body: Json, name: str, value: Any) -> bytes:
    return json.dumps({**body, name: value}).encode()


def doubled_inside(body: Json) -> bytes:
    return with_field(body, "more", {"a": 1}).replace(b'{"a": 1}', b'{"a": 1, "a": 2}')


NO_DOCUMENTS: dict[str, tuple[Twisted, int, str]] = {
    "a key twice": (doubled, 422, "json.duplicate_key"),
    "a key twice, deep inside": (doubled_inside, 422, "json.duplicate_key"),
    "arrays in arrays": (lambda _: b"[" * DEPTH + b"]" * DEPTH, 400, "json.unreadable"),
    "arrays without end": (lambda _: b"[" * DEPTH, 400, "json.unreadable"),
    "objects in objects": (lambda _: b'{"a":' * DEPTH + b"1" + b"}" * DEPTH, 400, "json.unreadable"),
    "depth just below the parser's": (lambda _: b'["\\u00e9",' * 900 + b"1" + b"]" * 900, 400, ""),
    "NUL, escaped": (partial(with_field, name="login", value="a\0b"), 422, "json.strange_text"),
    "NUL in a name": (partial(with_field, name="a\0b", value="x"), 422, "json.strange_text"),
    "NUL, raw": (lambda _: b'{"login": "a\0b"}', 400, "json.unreadable"),
    "a lone surrogate": (partial(with_field, name="login", value="\ud800"), 422, "json.strange_text"),
    "a lone surrogate inside": (partial(with_field, name="x", value=[{"y": "\udfff"}]), 422, "json.strange_text"),
    "NaN": (lambda _: b'{"login": NaN}', 422, "json.not_a_number"),
    "Infinity": (lambda _: b'{"login": -Infinity}', 422, "json.not_a_number"),
    "thousands of digits": (lambda _: b'{"login": ' + b"9" * 5_000 + b"}", 422, "json.not_a_number"),
    "a number beyond floats": (lambda _: b"1e999", 400, "malformed"),
    "bad UTF-8": (lambda _: b'{"login": "\xff\xfe"}', 400, "json.unreadable"),
    "UTF-16": (lambda body: json.dumps(body).encode("utf-16"), 400, "json.unreadable"),
    "cut off": (lambda body: json.dumps(body).encode()[:-1], 400, "json.unreadable"),
    "two documents": (lambda body: json.dumps(body).encode() * 2, 400, "json.unreadable"),
    "single quotes": (lambda body: repr(body).encode(), 400, "json.unreadable"),
    "blanks": (lambda _: b"   ", 400, "json.unreadable"),
    "nothing": (lambda _: b"", 400, "malformed"),
    "null": (lambda _: b"null", 400, "malformed"),
    "a list": (lambda body: json.dumps([body]).encode(), 400, "malformed"),
    "a text": (lambda _: b'"claim"', 400, "malformed"),
    "true": (lambda _: b"true", 400, "malformed"),
    "a number": (lambda _: b"7", 400, "malformed"),
    "an unknown field": (partial(with_field, name="paid", value=True), 400, "malformed"),
    "a field that is ours to set": (partial(with_field, name="person_id", value=str(uuid4())), 400, "malformed"),
    "11 MB": (lambda _: b" " * TOO_LARGE, 413, "http.413"),
}


@pytest.mark.parametrize("path", BODIES)
async def test_what_is_no_clear_document(
    served: Served, trainee: tuple[Person, MadeUpPerson], good: dict[str, Json], path: str
) -> None:
    before = await served.kept()
    headers = headers_for(served, trainee, path)
    for name, (twist, status, code) in NO_DOCUMENTS.items():
        answer = served.http.post(path, content=twist(good[path]), headers=headers)
        assert answer.status_code == status, (name, answer.text[:300])
        refused(answer, status, code or None)
    assert await served.kept() == before


@pytest.mark.parametrize("path", BODIES)
async def test_every_field_asks_for_its_type(
    served: Served, trainee: tuple[Person, MadeUpPerson], good: dict[str, Json], path: str
) -> None:
    before = await served.kept()
    headers = headers_for(served, trainee, path)
    for name in good[path]:
        for value in (True, 1.5, 2**63, 2**200 % 10**30, [], [[]], {}, {"a": None}):
            if isinstance(good[path][name], int) and isinstance(value, int) and not isinstance(value, bool):
                continue
            answer = served.http.post(path, content=with_field(good[path], name, value), headers=headers)
            refused(answer, 400, "malformed")
    assert await served.kept() == before


KINDS = (
    *("text/plain", "application/xml", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"),
    *("application/x-msgpack", "application/jsonp", "application/json; charset=utf-16", "", "/", ";;;"),
)


@pytest.mark.parametrize("kind", KINDS)
async def test_only_json_is_read(
    served: Served, trainee: tuple[Person, MadeUpPerson], good: dict[str, Json], kind: str
) -> None:
    before = await served.kept()
    for path in BODIES:
        headers = {**headers_for(served, trainee, path), "Content-Type": kind}
        refused(served.http.post(path, content=json.dumps(good[path]), headers=headers), 415, "http.415")
    assert await served.kept() == before
