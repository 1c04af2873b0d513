"""An institution's clerk files for sixty trainees with one sheet, over HTTP, on the whole stack."""

import json
from datetime import date
from typing import Any
from uuid import uuid4

import httpx

from service.gateways.sheet_files import CSV_TYPE, XLSX_TYPE
from tests.flows.office import Office, Person, wait_for
from tests.sheets import HEADINGS, Line, line_for, read_csv, sheet

LINES, BAD = 60, 7


def line_of(office: Office, **other: str) -> Line:
    made = office.maker.person()
    return line_for(made, office.maker, date.fromisoformat(office.today), 证书编号=office.certificate(made), **other)


def upload(clerk: Person, data: bytes, kind: str, key: str | None = None) -> httpx.Response:
    headers = {"Authorization": f"Bearer {clerk.token}", "Idempotency-Key": key or str(uuid4()), "Content-Type": kind}
    return clerk.http.post("/api/rosters", content=data, headers=headers)


def finished(clerk: Person, roster_id: str) -> dict[str, Any]:
    def ended() -> dict[str, Any] | None:
        seen: dict[str, Any] = clerk.see(f"/api/rosters/{roster_id}?limit=200")
        return seen if seen["status"] in {"finished", "rejected"} else None

    return dict(wait_for(f"roster {roster_id} to be finished", ended))


def followed(clerk: Person, roster_id: str) -> list[dict[str, Any]]:
    """What a listener is told until the roster is done."""
    path, headers = f"/api/rosters/{roster_id}/progress", {"Authorization": f"Bearer {clerk.token}"}
    with clerk.http.stream("GET", path, headers=headers) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        lines = [line.removeprefix("data: ") for line in answer.iter_lines() if line.startswith("data: ")]
    return [json.loads(line) for line in lines]


def download(clerk: Person, path: str) -> httpx.Response:
    answer = clerk.http.get(path, headers={"Authorization": f"Bearer {clerk.token}"})
    assert answer.status_code == 200, answer.text
    assert "attachment" in answer.headers["content-disposition"]
    return answer


def test_sixty_lines_seven_bad_ones_and_the_mended_sheet(office: Office) -> None:
    clerk, stranger = office.sign_in("clerk-a"), office.sign_in("clerk-b")
    lines = [line_of(office, **({"等级": "五级"} if n % 9 == 4 else {})) for n in range(LINES)]
    data, key = sheet(lines, "xlsx"), str(uuid4())
    accepted = upload(clerk, data, XLSX_TYPE, key)
    assert (accepted.status_code, accepted.json()["status"]) == (202, "received")
    roster_id = accepted.json()["id"]
    assert upload(clerk, data, XLSX_TYPE, key).headers["Idempotent-Replayed"] == "true"
    assert upload(clerk, data, XLSX_TYPE).json()["id"] == roster_id  # another key, the same bytes

    told = followed(clerk, roster_id)
    filed = [each["filed"] for each in told]
    assert (told[-1]["status"], filed[-1], filed) == ("finished", LINES - BAD, sorted(filed))
    done = finished(clerk, roster_id)
    assert (done["lines"], done["filed"], done["refused"], done["waiting"]) == (LINES, LINES - BAD, BAD, 0)
    refused = [each for each in done["results"] if each["outcome"] == "refused"]
    assert [each["line"] for each in refused] == [n + 2 for n in range(LINES) if n % 9 == 4]
    assert {why["heading"] for each in refused for why in each["reasons"]} == {"证书编号"}
    assert not [line["身份证号"] for line in lines if line["身份证号"] in str(done)]
    claims = [each["claim_id"] for each in done["results"] if each["claim_id"]]
    assert clerk.see(f"/api/claims/{claims[0]}")["channel"] == "institution"
    for claim_id in (claims[0], claims[-1]):
        assert office.wait_until(claim_id, "verified") == "verified"

    for path in ("", "/sheet", "/progress"):
        answer = stranger.http.get(
            f"/api/rosters/{roster_id}{path}", headers={"Authorization": f"Bearer {stranger.token}"}
        )
        assert (answer.status_code, answer.json()["code"]) == (404, "roster.not_found")
    assert roster_id not in str(stranger.see("/api/rosters"))
    assert roster_id in str(clerk.see("/api/rosters"))

    assert download(clerk, f"/api/rosters/{roster_id}/sheet").headers["content-type"] == XLSX_TYPE
    back = download(clerk, f"/api/rosters/{roster_id}/sheet?kind=csv")
    assert back.headers["content-type"].startswith(CSV_TYPE)
    to_mend = read_csv(back.content)
    assert len(to_mend) == BAD
    assert len(read_csv(download(clerk, f"/api/rosters/{roster_id}/sheet?all=true&kind=csv").content)) == LINES
    mended = sheet([{**line, "等级": "四级"} for line in to_mend], "csv", [*HEADINGS, "须改的内容"])
    again = finished(clerk, upload(clerk, mended, CSV_TYPE).json()["id"])
    assert (again["filed"], again["refused"]) == (BAD, 0)


def test_what_is_no_roster_is_told_at_the_door_or_soon_after(office: Office) -> None:
    clerk = office.sign_in("clerk-a")
    for data, kind, status, code in (
        (b"x", XLSX_TYPE, 422, "file.not_a_workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512), XLSX_TYPE, 422, "file.encrypted_or_old_workbook"),
        (b"a\0b", CSV_TYPE, 422, "file.not_text"),
        (b"{}", "application/json", 415, "http.415"),
        (b"x" * (20 * 1024 * 1024 + 1), CSV_TYPE, 413, "http.413"),
    ):
        answer = upload(clerk, data, kind)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
    late = upload(clerk, f"姓名,身份证号\n{uuid4()},1\n".encode("gb18030"), CSV_TYPE)
    rejected = finished(clerk, late.json()["id"])
    assert (rejected["status"], rejected["rejection"]["code"]) == ("rejected", "roster.columns_missing")
    answer = upload(office.trainee()[0], b"x", CSV_TYPE)
    assert (answer.status_code, answer.json()["code"]) == (403, "post_missing")


def test_the_template_can_be_had_in_both_forms(office: Office) -> None:
    clerk = office.sign_in("clerk-a")
    assert download(clerk, "/api/rosters/template").content.startswith(b"PK")
    text = download(clerk, "/api/rosters/template?kind=csv").content.decode("utf-8-sig")
    assert text.strip().split(",") == HEADINGS
