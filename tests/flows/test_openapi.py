"""The OpenAPI document is complete and true: what it describes is what the running service takes and answers."""

import re
import time
from typing import Any
from uuid import uuid4

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from litestar.routes import HTTPRoute
from schemathesis import Case, GenerationMode
from schemathesis.checks import CheckFunction, negative_data_rejection, not_a_server_error
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from service.local.sample_codes import SampleCodes
from tests.app import the_app
from tests.flows.hostile import refused
from tests.flows.office import PASSWORD, WELDER
from tests.flows.served import Served

pytestmark = pytest.mark.usefixtures("quiet")

#: The same requests in every run; another seed makes others.
SEED = 20261124
EXAMPLES = 7

CONFORMANCE: list[CheckFunction] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]

#: Who may ask, by the beginning of the path; the first that fits.
ASKERS = (
    ("/api/mandates/{mandate_id}/revoke", "xuehua"),
    ("/api/mandates", "clerk-a"),
    ("/api/rosters", "clerk-a"),
    *((f"/api/claims/{what}", "reviewer-370102") for what in ("approve", "{claim_id}/approve", "{claim_id}/refuse")),
    *((f"/api/claims/{{claim_id}}/{what}", "reviewer-370102") for what in ("send-back", "hold", "lift")),
    *((f"/api/claims/{{claim_id}}/{what}", "reviewer-370102") for what in ("lease", "recuse", "approvals")),
    ("/api/claims/{claim_id}/second-review", "second-370102"),
    *((f"/api/{what}", "reviewer-370102") for what in ("work", "me")),
    ("/api/claims/{claim_id}/retry", "maker-370102"),
    ("/api/claims/{claim_id}/object", "xuehua"),
    ("/api/objections", "reviewer-370102"),
    ("/api/holds", "reviewer-370102"),
    ("/api/notices", "publisher-370102"),
    ("/api/batches/{batch_id}/reject", "checker-370102"),
    ("/api/batches", "maker-370102"),
    ("/api/returns/{return_id}", "checker-370102"),
    ("/api/returns", "maker-370102"),
    ("/api/policies/{proposal_id}", "catalog-publisher"),
    ("/api/policies", "catalog-editor"),
    ("/api/exceptions", "maker-370102"),
    ("/api/attempts", "maker-370102"),
    ("/api/jobs", "operator"),
    ("/api/funds/appropriations/", "checker-370102"),
    ("/api/funds/transfers/", "checker-370102"),
    ("/api/funds", "maker-370102"),
    ("/api/standards/reviews", "standard-editor"),
    ("/api/statistics/simulations", "standard-editor"),
    ("/api", "xuehua"),
)
#: Days that pass here would pass for every other test.
LEFT_OUT = {"POST /api/demo/clock"}


@pytest.fixture(scope="module")
def document(served: Served) -> dict[str, Any]:
    answer = served.http.get("/schema/openapi.json")
    assert answer.status_code == 200
    return dict(answer.json())


def _routes() -> set[tuple[str, str]]:
    return {
        (route.path_format, method)
        for route in the_app().routes
        if isinstance(route, HTTPRoute)
        for handler in route.route_handlers
        for method in handler.http_methods - {"OPTIONS"}
        if handler.resolve_include_in_schema()
    }


def test_every_route_is_described(document: dict[str, Any]) -> None:
    described = {(path, method.upper()) for path, item in document["paths"].items() for method in item}
    assert described == _routes()


def test_every_operation_says_how_it_refuses_and_who_may_ask(document: dict[str, Any]) -> None:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            assert operation["description"], path
            assert {"400", "503"} <= operation["responses"].keys(), path
            problems = [told for status, told in operation["responses"].items() if status >= "400"]
            assert all("application/problem+json" in told["content"] for told in problems)
            assert ("security" in operation) == ("403" in operation["responses"]), path
            if method == "post" and "requestBody" in operation:
                assert {"413", "415", "422"} <= operation["responses"].keys()


def test_nobody_gets_past_what_one_signs_in_for(served: Served, document: dict[str, Any]) -> None:
    closed = [(path, m) for path, item in document["paths"].items() for m, told in item.items() if "security" in told]
    assert len(closed) > 20
    for path, method in closed:
        for headers in ({}, {"Authorization": "Bearer none"}):
            answer = served.http.request(method, re.sub(r"\{\w+\}", _an_id, path), json={}, headers=headers)
            refused(answer, 401, "signed_out")


def test_the_posts_that_may_ask_are_those_that_the_door_lets_in(served: Served, document: dict[str, Any]) -> None:
    tokens = {post: _session(served, login) for post, login in (("trainee", "xuehua"), ("operator", "operator"))}
    ways = [
        (path, m, told.get("security", ())) for path, item in document["paths"].items() for m, told in item.items()
    ]
    closed = [
        (path, m, posts) for path, m, way in ways if (posts := [post for each in way for post in each["bearer"]])
    ]
    assert len(closed) > 15
    for path, method, posts in closed:
        token = next(token for post, token in tokens.items() if post not in posts)
        headers = {"Authorization": f"Bearer {token}"}
        answer = served.http.request(method, re.sub(r"\{\w+\}", _an_id, path), json={}, headers=headers)
        refused(answer, 403, "post_missing")
        assert answer.json()["facts"]["posts"] == sorted(posts), path


def _an_id(found: re.Match[str]) -> str:
    return "1" if found[0] in {"{job_id}", "{line_no}", "{from_year}", "{to_year}"} else str(uuid4())


def test_bodies_with_unknown_fields_are_described_as_refused(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    bodies = [name for name in schemas if name.startswith("New")]
    assert len(bodies) > 8
    assert all(schemas[name]["additionalProperties"] is False for name in [*bodies, "Shown", "BatchFilter"])


def _requests() -> list[tuple[str, GenerationMode]]:
    """Every operation with requests that fit it, and with requests that do not where there is something to fit."""
    paths = the_app().openapi_schema.to_schema()["paths"]
    described = {f"{method.upper()} {path}": told for path, item in paths.items() for method, told in item.items()}
    return [
        (label, mode)
        for label, told in sorted(described.items())
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
        if label not in LEFT_OUT
        if mode == GenerationMode.POSITIVE or "parameters" in told or "requestBody" in told
    ]


@pytest.fixture(scope="module")
def operations(served: Served, document: dict[str, Any]) -> dict[str, APIOperation[Any, Any, Any, Any]]:
    schema = schemathesis.openapi.from_url(f"{served.address}/schema/openapi.json")
    return {operation.ok().label: operation.ok() for operation in schema.get_all_operations()}


@pytest.mark.parametrize(("label", "mode"), _requests(), ids=lambda value: getattr(value, "value", value))
def test_made_up_requests(
    served: Served,
    operations: dict[str, APIOperation[Any, Any, Any, Any]],
    label: str,
    mode: GenerationMode,
) -> None:
    """Requests that fit the document, and requests that do not: never a 5xx, and every answer as described.

    A body that does not fit is always refused; query parameters that nobody reads are only left unread.
    """
    print(f"seed {SEED}")  # shown when a request fails
    login = next((who for beginning, who in ASKERS if label.partition(" ")[2].startswith(beginning)), None)
    headers = {"Authorization": f"Bearer {_session(served, login)}"} if login else {}
    must_be_refused = mode == GenerationMode.NEGATIVE and operations[label].body
    checks = [*CONFORMANCE, negative_data_rejection] if must_be_refused else CONFORMANCE

    @seed(SEED)
    @settings(
        max_examples=EXAMPLES,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operations[label].as_strategy(generation_mode=mode))
    def ask(case: Case) -> None:
        case.validate_response(case.call(headers=headers), checks=checks)

    ask()


def _session(served: Served, login: str) -> str:
    """A session of its own: signing out is among the operations."""
    answer = served.http.post("/api/sign-in", json={"login": login, "password": PASSWORD})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["token"])


def _proof(served: Served, login: str, session: str, purpose: str, subject: str) -> str:
    """A step-up for one decision in this session, by the next code of the telephone that serves."""
    codes, headers = SampleCodes(), {"Authorization": f"Bearer {session}"}
    while True:
        code, wait = codes.next(login)
        time.sleep(wait)
        asked = {"password": PASSWORD, "code": code, "signs": [{"purpose": purpose, "subject": subject}]}
        answer = served.http.post("/api/step-up", json=asked, headers=headers)
        if answer.is_success:
            return str(answer.json()["token"])
        assert answer.json()["code"] == "step_up.used", answer.text


#: Requests that succeed, so that what is described of success is looked at too: who, operation, query.
READS = (
    ("xuehua", "GET /api/claims", {"limit": 1}),
    ("auditor", "GET /api/claims/counts", {}),
    ("xuehua", "GET /api/catalog", {"q": "焊"}),
    ("xuehua", "GET /api/standards", {"occupation": WELDER}),
    ("xuehua", "GET /api/policies", {}),
    ("xuehua", "GET /api/groups", {}),
    ("auditor", "GET /api/policies/proposals", {}),
    ("auditor", "GET /api/standards/sets", {}),
    ("xuehua", "GET /api/standards/reviews", {}),
    ("auditor", "GET /api/standards/reviews", {}),
    ("auditor", "GET /api/statistics/simulations", {}),
    ("xuehua", "GET /api/standards/lookup", {"code": WELDER, "level": "4"}),
    ("xuehua", "GET /api/standards/lookup", {"name": "没有这个职业", "level": "4"}),
    ("auditor", "GET /api/batches", {}),
    ("auditor", "GET /api/batches/due", {}),
    ("auditor", "GET /api/returns/exceptions", {}),
    ("auditor", "GET /api/returns/exceptions", {"resolved": True}),
    ("auditor", "GET /api/exceptions/missing", {}),
    ("auditor", "GET /api/holds", {}),
    ("xuehua", "GET /api/objections", {"closed": True}),
    ("clerk-a", "GET /api/mandates", {"limit": 1}),
    ("reviewer-370102", "GET /api/work", {"limit": 1}),
    ("reviewer-370102", "GET /api/work/summary", {}),
    ("reviewer-370102", "GET /api/me/relatives", {}),
    ("auditor", "GET /api/funds", {}),
    ("auditor", "GET /api/funds/appropriations", {"limit": 1}),
    ("auditor", "GET /api/funds/transfers", {"limit": 1}),
    ("auditor", "GET /api/funds/forecast", {"days": 7}),
    ("auditor", "GET /api/funds/statement", {}),
    ("clerk-a", "GET /api/rosters", {}),
    ("operator", "GET /api/jobs/counts", {}),
    ("operator", "GET /api/jobs/dead", {}),
    *(("xuehua", "GET /api/statistics/individual-share", {"by": by}) for by in ("month", "list", "district")),
)


def test_what_succeeds_is_as_described(
    served: Served, operations: dict[str, APIOperation[Any, Any, Any, Any]]
) -> None:
    def done(who: str, label: str, status: int, proof: str = "", **given: Any) -> dict[str, Any]:
        case = operations[label].Case(**given)
        headers = {"Authorization": f"Bearer {tokens[who]}", "Idempotency-Key": str(uuid4())}
        headers |= {"Zhida-Step-Up": proof} if proof else {}
        answer = case.call(headers=headers)
        assert answer.status_code == status, answer.text
        case.validate_response(answer, checks=CONFORMANCE)
        return dict(answer.json())

    me, made = served.trainee()
    officers = [f"{post}-370102" for post in ("reviewer", "publisher", "maker", "checker")]
    staff = ("xuehua", "clerk-a", *officers, "auditor", "operator")
    tokens = {"me": me.token, **{login: _session(served, login) for login in staff}}
    tokens |= {name: _session(served, f"catalog-{name}") for name in ("editor", "publisher")}
    for who, label, query in READS:
        done(who, label, 200, query=query)

    body = {"media_type": "application/json"}
    decision = done("me", "POST /api/claims/check", 200, body=served.claim_body(made), **body)
    assert decision["eligible"]
    claim = done("me", "POST /api/claims", 201, body=served.claim_body(made), **body)
    path = {"path_parameters": {"claim_id": claim["id"]}}
    done("me", "GET /api/claims/{claim_id}", 200, **path)
    held = done("reviewer-370102", "POST /api/claims/{claim_id}/hold", 200, body={"code": "other"}, **path, **body)
    assert (held["claim_id"], held["dissolved"]) == (claim["id"], None)
    done("reviewer-370102", "POST /api/claims/{claim_id}/lift", 200, body={"note": ""}, **path, **body)
    done("me", "POST /api/claims/{claim_id}/withdraw", 200, body={"note": ""}, **path, **body)
    mandate = done("clerk-a", "POST /api/mandates", 201, body=served.mandate_body(made), **body)
    mandate_path = {"path_parameters": {"mandate_id": mandate["id"]}}
    revoked = done("me", "POST /api/mandates/{mandate_id}/revoke", 200, body={"note": ""}, **mandate_path, **body)
    assert revoked["withdrawn"] == []
    assert done("me", "GET /api/mandates", 200)["mandates"][0]["revoked_on"] == served.today
    done("reviewer-370102", "POST /api/claims/approve", 200, body={"status": "verified"}, **body)
    money = {"fund": "special_account", "year": int(served.today[:4]), "document": "示例下达文件", "reason": "示例"}
    new = done("maker-370102", "POST /api/funds/appropriations", 201, body={**money, "amount_fen": 1}, **body)
    path = {"path_parameters": {"appropriation_id": new["id"]}}
    confirm = "POST /api/funds/appropriations/{appropriation_id}/confirm"
    proof = _proof(served, "checker-370102", tokens["checker-370102"], "appropriation.confirm", new["id"])
    done("checker-370102", confirm, 200, proof, body={}, **path, **body)
    new = done("maker-370102", "POST /api/funds/appropriations", 201, body={**money, "amount_fen": -1}, **body)
    path = {"path_parameters": {"appropriation_id": new["id"]}}
    declined = {"body": {"reason": "示例"}, **path, **body}
    done("checker-370102", "POST /api/funds/appropriations/{appropriation_id}/decline", 200, **declined)
    here = {"district": "370102", "fund": "employment_subsidy", "year": money["year"]}
    carried = {"source": here, "target": {**here, "year": here["year"] + 1}, "amount_fen": 1, "document": "示例"}
    new = done("maker-370102", "POST /api/funds/transfers", 201, body={**carried, "reason": "示例"}, **body)
    path = {"path_parameters": {"transfer_id": new["id"]}}
    done(
        "checker-370102",
        "POST /api/funds/transfers/{transfer_id}/decline",
        200,
        body={"reason": "示例"},
        **path,
        **body,
    )
    asked = {**here, "month": served.today[:7], "kind": "appropriate"}
    assert done("auditor", "GET /api/funds/statement/lines", 200, query=asked)["lines"]
    batch = done("maker-370102", "POST /api/batches", 202, body={"fund": money["fund"], "filter": {}}, **body)
    done("maker-370102", "GET /api/batches/{batch_id}", 200, path_parameters={"batch_id": batch["id"]})
    done("maker-370102", "GET /api/batches/{batch_id}/lines", 200, path_parameters={"batch_id": batch["id"]})
    done("me", "POST /api/claims", 422, body={**served.claim_body(made), "item_code": "0"}, **body)
    overdue = {**served.claim_body(made), "certificate_issued_on": "2020-01-01", "training_started_on": served.today}
    refused_claim = done("me", "POST /api/claims", 201, body={**overdue, "insist": True}, **body)
    done("me", "GET /api/claims/{claim_id}", 200, path_parameters={"claim_id": refused_claim["id"]})
    new = {"key": "notice_working_days", "value": 6, "from": "2099-01-01", "source": "示例", "basis": "示例"}
    proposal = done("editor", "POST /api/policies", 201, body=new, **body)
    confirm = "POST /api/policies/{proposal_id}/confirm"
    done("publisher", confirm, 200, path_parameters={"proposal_id": proposal["id"]})
    done("publisher-370102", "POST /api/notices", 409, body={}, **body)
