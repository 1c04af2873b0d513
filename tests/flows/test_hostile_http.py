"""Keys, queries, cursors, methods and what belongs to others: refused as a problem with a code, never as a 500."""

import json
from base64 import b64encode
from functools import partial
from uuid import UUID, uuid4

import pytest

from service.local.made_up import MadeUpPerson
from tests.flows.hostile import Json, refused
from tests.flows.office import Person
from tests.flows.served import Served

pytestmark = pytest.mark.usefixtures("quiet")


# ---- idempotency


async def test_keys(served: Served) -> None:
    me, made = served.trainee()
    claim, before = served.claim_body(made), await served.kept()
    sign = ("Authorization", f"Bearer {me.token}")
    ask = partial(served.http.post, "/api/claims", json=claim)
    refused(ask(headers=[sign]), 400, "malformed", "Idempotency-Key")
    refused(ask(headers=[sign, ("Idempotency-Key", "")]), 400, "malformed", "Idempotency-Key")
    refused(ask(headers=[sign, ("Idempotency-Key", "k" * 129)]), 400, "malformed", "Idempotency-Key")
    refused(ask(headers=[sign, ("Idempotency-Key", "13800138000")]), 422, "text.personal_number", "Idempotency-Key")
    two = [sign, ("Idempotency-Key", "a"), ("Idempotency-Key", "b")]
    refused(ask(headers=two), 400, "idempotency.two_keys", "Idempotency-Key")
    refused(ask(headers=[*two[:2], ("idempotency-key", "a")]), 400, "idempotency.two_keys")
    assert await served.kept() == before

    key = str(uuid4())
    first = me.post("/api/claims", claim, key)
    assert (first.status_code, "Idempotent-Replayed" in first.headers) == (201, False)
    again = me.post("/api/claims", claim, key)
    assert (again.status_code, again.json(), again.headers["Idempotent-Replayed"]) == (201, first.json(), "true")
    refused(me.post("/api/claims", {**claim, "level": "5"}, key), 422, "idempotency.other_body")
    refused(me.post("/api/claims", claim), 409, "claim.already_filed")
    stored = await served.kept()
    assert (stored["claims"], stored["idempotency_keys"]) == (before["claims"] + 1, before["idempotency_keys"] + 1)


async def test_a_refusal_stores_no_key(served: Served) -> None:
    me, made = served.trainee()
    claim, key = served.claim_body(made), str(uuid4())
    refused(me.post("/api/claims", {**claim, "item_code": "0-00-00-00"}, key), 422, "claim.ineligible")
    assert me.post("/api/claims", claim, key).status_code == 201


# ---- queries, paths and methods

#: Of the right form, but not given out by us: a time and an id.
MADE_UP_CURSOR = b64encode(json.dumps(["2026-01-01T00:00:00Z", str(UUID(int=1))]).encode()).decode()

QUERIES: list[tuple[str, int, str]] = [
    *((f"/api/claims?limit={value}", 400, "malformed") for value in (10**9, 0, -1, "abc", "1.5", "1e10", "")),
    *(
        (f"/api/claims?cursor={value}", 400, "cursor.forged")
        for value in (
            "x",
            "W10=",
            "%ff",
            "WyIyMDI2LTAxLTAxVDAwOjAwOjAwWiIsIjEyMzQ1Njc4LTEyMzQtMTIzNC0xMjM0LTEyMzQ1Njc4OTAxMiJd",
        )
    ),
    *(
        (f"/api/{path}=%00", 400, "json.strange_text")
        for path in ("claims?status", "catalog?q", "standards?occupation")
    ),
    ("/api/catalog?a%00b=1", 400, "json.strange_text"),
    ("/api/claims?status=" + "x" * 21, 400, "malformed"),
    ("/api/catalog?q=" + "x" * 61, 400, "malformed"),
    ("/api/catalog?on=2025-02-29", 422, "date.no_such_day"),
    ("/api/catalog?on=9999-12-31", 422, "date.out_of_range"),
    ("/api/standards", 400, "malformed"),
    ("/api/statistics/individual-share?by=name", 422, "statistics.unknown_by"),
    ("/api/statistics/individual-share?from=2026-02-01&to=2026-01-01", 422, "period.reversed"),
    ("/api/statistics/individual-share?from=1900-01-01&to=2100-12-31", 422, "period.too_long"),
    ("/api/notices/00000000-0000-0000-0000-000000000000", 404, "notice.not_found"),
    ("/api/notices/not-an-id", 404, "http.404"),
    ("/api/claims/00000000-0000-0000-0000-000000000000", 404, "claim.not_found"),
    ("/api/claims/%00", 404, "http.404"),
    ("/api/nowhere", 404, "http.404"),
]


@pytest.mark.parametrize(("path", "status", "code"), QUERIES)
def test_queries_that_are_refused(
    served: Served, trainee: tuple[Person, MadeUpPerson], path: str, status: int, code: str
) -> None:
    answer = served.http.get(path, headers={"Authorization": f"Bearer {trainee[0].token}"})
    refused(answer, status, code)


@pytest.mark.parametrize("text", ["%", "_", "%%", "焊_", "焊%", "\\", "'", "\\%", "%ff", "*", "[a-z]"])
def test_a_search_is_literal(served: Served, text: str) -> None:
    assert served.http.get("/api/catalog", params={"q": text}).json()["items"] == []


def test_a_search_finds_what_is_there(served: Served) -> None:
    names = [item["name"] for item in served.http.get("/api/catalog", params={"q": "焊工"}).json()["items"]]
    assert names
    assert all("焊工" in name for name in names)


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/api/claims/check"), ("DELETE", "/api/claims"), ("PUT", "/api/sign-in"), ("TRACE", "/api/catalog")],
)
def test_other_methods(served: Served, method: str, path: str) -> None:
    answer = served.http.request(method, path)
    refused(answer, 405, "http.405")
    assert "POST" in answer.headers["allow"] or "GET" in answer.headers["allow"]


async def test_what_is_not_mine_is_not_there(served: Served) -> None:
    """Another trainee's, another institution's, another district's: all answer as what does not exist."""
    owner, made = served.trainee()
    claim = owner.post("/api/claims", served.claim_body(made)).json()
    before = await served.kept()
    path = f"/api/claims/{claim['id']}"
    stranger, _ = served.trainee()
    others = [stranger, *map(served.sign_in, ("clerk-a", "reviewer-370112"))]
    for other in others:
        answer = served.http.get(path, headers={"Authorization": f"Bearer {other.token}"})
        assert refused(answer, 404, "claim.not_found")["facts"] == {}
    for other in others[:2]:
        refused(other.post(f"{path}/withdraw", {"note": ""}), 404, "claim.not_found")
    refused(others[2].post(f"{path}/approve", {"note": ""}), 404, "claim.not_found")
    refused(others[2].post(f"{path}/refuse", {"reasons": ["other"], "note": ""}), 404, "claim.not_found")
    refused(stranger.post(f"{path}/approve", {"note": ""}), 403, "post_missing")
    mandate = served.sign_in("clerk-a").post("/api/mandates", served.mandate_body(served.maker.person())).json()
    taken = {**served.claim_body(made), "district": None, "mandate_id": mandate["id"]}
    refused(served.sign_in("clerk-b").post("/api/claims", taken), 404, "mandate.not_found")
    assert (await served.kept())["claims"] == before["claims"]


def test_a_cursor_that_was_changed(served: Served) -> None:
    for _ in range(2):
        me, made = served.trainee()
        assert me.post("/api/claims", served.claim_body(made)).status_code == 201
    auditor = served.sign_in("auditor")
    sign = {"Authorization": f"Bearer {auditor.token}"}
    page = auditor.see("/api/claims?limit=1")
    following = auditor.see(f"/api/claims?limit=1&cursor={page['next']}")
    assert following["claims"][0]["id"] != page["claims"][0]["id"]
    for place in range(0, len(page["next"]), 7):
        changed = page["next"][:place] + ("A" if page["next"][place] != "A" else "B") + page["next"][place + 1 :]
        refused(served.http.get("/api/claims", params={"cursor": changed}, headers=sign), 400, "cursor.forged")


REVIEWS: list[tuple[str, Json, int, str]] = [
    ("approve", {"limit": 10**9}, 422, "limit.range"),
    ("approve", {"limit": 0}, 422, "limit.range"),
    ("approve", {"limit": "5"}, 400, "malformed"),
    ("approve", {"status": "paid"}, 422, "approve.only_verified"),
    ("approve", {"filed_to": "2026-02-30"}, 422, "date.no_such_day"),
]


@pytest.mark.parametrize(("verb", "body", "status", "code"), REVIEWS)
async def test_sets_that_are_not_approved(served: Served, verb: str, body: Json, status: int, code: str) -> None:
    before = await served.kept()
    refused(served.sign_in("reviewer-370102").post(f"/api/claims/{verb}", body), status, code)
    assert await served.kept() == before


async def test_words_of_officers_have_a_limit_and_reasons_a_list(served: Served) -> None:
    owner, made = served.trainee()
    path = f"/api/claims/{owner.post('/api/claims', served.claim_body(made)).json()['id']}"
    reviewer, before = served.sign_in("reviewer-370102"), await served.kept()
    refused(reviewer.post(f"{path}/approve", {"note": "x" * 501}), 400, "malformed", "note")
    refused(reviewer.post(f"{path}/approve", {"note": "\0"}), 422, "json.strange_text", "note")
    for reasons in ([], ["because"], ["other", "because"]):
        refused(reviewer.post(f"{path}/refuse", {"reasons": reasons, "note": ""}), 422, "refusal.reasons")
    refused(reviewer.post(f"{path}/refuse", {"reasons": ["other"] * 21, "note": ""}), 400, "malformed", "reasons")
    refused(reviewer.post(f"{path}/approve", {"note": ""}), 409, "wrong_status")
    assert await served.kept() == before


def test_english_is_answered_where_it_is_asked_for(served: Served) -> None:
    for language, sentence in (
        ("en-GB,en;q=0.9", "You are not signed in"),
        ("zh-CN", "还没有登录"),
        ("\xff", "还没有登录"),
    ):
        answer = served.http.get("/api/claims", headers={"Accept-Language": language.encode("latin-1")})
        assert refused(answer, 401, "signed_out")["detail"].startswith(sentence)
