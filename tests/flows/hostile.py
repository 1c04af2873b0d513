"""What the tests of hostile input share: the look of a refusal."""

from typing import Any

import httpx

Json = dict[str, Any]


def refused(answer: httpx.Response, status: int, code: str | None = None, field: str | None = None) -> Json:
    """The problem, after a look at its form."""
    assert answer.status_code == status, answer.text[:500]
    assert answer.headers["content-type"] == "application/problem+json"
    problem: Json = answer.json()
    assert problem["status"] == status
    assert problem["detail"] not in {"", problem["code"]}
    assert "{" not in problem["detail"]
    assert code in (None, problem["code"]), problem
    if field is not None:
        assert [each["field"] for each in problem["errors"]] == [field], problem
    return problem
