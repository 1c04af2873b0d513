"""The officers' desk on pages: notices, what is answered, and the counter."""

import re
from uuid import uuid4

from domain.actor import Post
from domain.objection import Ground
from service.claims.commands.appeals import appeal
from service.claims.commands.objections import object_to
from service.claims.commands.review import refuse_claim
from service.claims.schemas import NewAppeal, NewObjection, NewRefusal
from service.database import transaction
from tests.door import turned_away
from tests.objections import PaidForThem
from tests.office import XSS, Office, office
from tests.pages import read

__all__ = ["office"]  # a fixture


async def test_notices_are_read_as_the_public_will_and_published_once(office: Office) -> None:
    window = await office.open_browser(office.desk.publisher)
    assert "没有可以公示的" in read(await window.get("/desk/notices")).text
    claim = await office.claim("approved")
    made = office.trainees[claim].made
    page = await window.get("/desk/notices")
    shown = read(page)
    assert made.name in shown.text
    assert made.id_number not in page.text
    assert made.phone not in page.text
    for _ in range(2):
        done = await window.send(page, "/desk/notices")
        assert done.headers["location"] == "/desk/notices?told=published"
    after = read(await window.get("/desk/notices?told=published"))
    assert "公示发出去了" in after.text
    assert "正在公示的" in after.text
    assert await office.status(claim) == "noticed"
    stale = await window.send(page, "/desk/notices", once=str(uuid4()))
    assert stale.status_code == 409
    assert "超期的申领" in read(await window.get("/desk/overdue")).text


async def test_another_person_answers_an_appeal(office: Office) -> None:
    claim = await office.questioned()
    first, second = [await office.open_browser(me) for me in (office.desk.reviewer, office.desk.colleague)]
    async with transaction() as tx:
        await refuse_claim(tx, office.desk.reviewer, claim, NewRefusal(["other"]), office.world.now)
        me, new = office.trainees[claim].actor, NewAppeal(f"请再看{XSS}")
        raised = await appeal(tx, me, claim, new, office.world.today, office.world.now)
    at = f"/desk/appeals/{raised.id}"
    page = await first.get("/desk/appeals")
    assert "还剩" in read(page).text
    assert XSS not in page.text
    own = await first.send(page, at, answer="deny", reason="维持")
    assert own.status_code == 409
    page = await second.get("/desk/appeals")
    for fields in ({"answer": "grant"}, {"reason": "证书属实"}):
        assert (await second.send(page, at, **fields)).status_code == 422
    long = await second.send(page, at, answer="grant", reason="长" * 501)
    assert long.status_code == 422
    assert "长" * 400 in read(long).answer.text
    for _ in range(2):
        done = await second.send(page, at, answer="grant", reason="证书属实")
        assert done.headers["location"] == "/desk/appeals?told=answered"
    assert await office.status(claim) == "in_review"
    assert "证书属实" in read(await second.get("/desk/appeals?closed=true")).text
    assert "没有等待核实的异议" in read(await second.get("/desk/objections")).text
    token = re.search(r'name="_csrf_token" value="([^"]+)"', page.text)
    assert token is not None
    for kind in ("objections", "amounts", "appeals"):
        data = {"_csrf_token": token[1], "answer": "upheld", "reason": "x", "right_fen": "1"}
        answer = await second.client.post(f"/desk/{kind}/{uuid4()}", data=data)
        assert answer.status_code == 404, kind


async def test_objections_are_answered_by_those_of_the_district(office: Office) -> None:
    world = office.world
    async with transaction() as tx:
        paid = await PaidForThem.build(tx, world)
        raised = await object_to(
            tx, paid.trainee.actor, paid.claim_id, NewObjection(Ground.NEVER_GIVEN, XSS), world.now
        )
    reviewer = await office.open_browser(paid.reviewer)
    page, at = await reviewer.get("/desk/objections"), f"/desk/objections/{raised.id}"
    assert XSS not in page.text
    assert (
        "没有等待核实的异议"
        in read(await (await office.open_browser(office.desk.reviewer)).get("/desk/objections")).text
    )
    assert (await reviewer.send(page, at, answer="perhaps", reason="x")).status_code in {409, 422}
    assert (await reviewer.send(page, at, answer="upheld", reason="协议上的签字不符")).status_code == 303
    assert "协议上的签字不符" in read(await reviewer.get("/desk/objections?closed=true")).text


async def test_at_the_counter_somebody_files_for_whoever_stands_there(office: Office) -> None:
    async with transaction() as tx:
        acceptor = await office.desk.another(tx, Post.ACCEPTOR)
        await office.world.provide(tx, office.desk.district)
        trainee = await office.world.trainee(tx)
        new = office.world.new_claim(trainee)
    window, made, day = await office.open_browser(acceptor), trainee.made, office.world.today
    assert new.account is not None
    fields = {
        "trainee_name": made.name,
        "trainee_id_number": made.id_number,
        "item": new.item_code,
        "level": new.level,
        "certificate_number": new.certificate_number,
        **dict(
            zip(
                ("certificate_issued_on_y", "certificate_issued_on_m", "certificate_issued_on_d"),
                f"{day}".split("-"),
                strict=True,
            )
        ),
        "account_bank_code": new.account.bank_code,
        "account_number": new.account.number,
    }
    page = await window.get("/desk/counter")
    empty = await window.send(page, "/desk/counter")
    assert empty.status_code == 422
    hostile = await window.send(page, "/desk/counter", **{**fields, "trainee_name": XSS, "item": XSS})
    assert hostile.status_code == 422
    assert "&lt;script&gt;" in read(hostile).answer.text
    number = await window.send(page, "/desk/counter", **{**fields, "trainee_id_number": "44030519900230123X"})
    assert number.status_code == 422
    assert f'value="{made.name}"' in read(number).answer.text
    for _ in range(2):
        done = await window.send(page, "/desk/counter", **fields)
        assert done.headers["location"] == "/desk/counter?told=counter_filed", done.text
    before = await turned_away("individual")
    twice = await window.send(page, "/desk/counter", **{**fields, "once": str(uuid4())})
    assert twice.status_code == 409
    assert await turned_away("individual") == before + 1  # as over the API
    assert "已经" in read(twice).text
