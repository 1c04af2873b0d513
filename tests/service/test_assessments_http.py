"""Results of classes over HTTP: the doors, the sheet, and that refusals name their places."""

import httpx
import msgspec
import pytest

from service.database import transaction
from service.gateways.sheet_files import CSV_TYPE
from tests.assessments import body, id_of
from tests.service.test_batches_http import client, desk
from tests.training import School
from tests.world import World

__all__ = ["client"]


@pytest.fixture
async def school(committed: World) -> School:
    async with transaction() as tx:
        return await School.build(tx, committed)


async def test_a_body_is_told_what_is_wrong_by_json_and_by_sheet(client: httpx.AsyncClient, school: School) -> None:
    world, maker = school.world, school.world.maker
    async with transaction() as tx:
        view, clerk = await school.approved(tx), await body(tx, school)
    examiner, trainee = maker.person(), maker.person()
    new = {
        "class_number": view.number,
        "assessed_on": str(world.today),
        "examiners": [{"name": examiner.name, "id_number": examiner.id_number}],
        "results": [{"name": trainee.name, "id_number": trainee.id_number, "mark": "absent"}],
    }
    of_body, trainer = await desk(client, clerk), await desk(client, world.clerks[0])
    early = await of_body.post("/assessments", new)
    assert early.status_code == 422
    assert [each["code"] for each in early.json()["errors"]] == ["assessment.not_ended", "assessment.before_end"]
    assert (await trainer.post("/assessments", new)).json()["code"] == "assessment.not_a_body"
    unknown = await of_body.post("/assessments", {**new, "class_number": "KB370102-2020-9999"})
    assert (unknown.status_code, unknown.json()["code"]) == (404, "class.not_found")
    heading = (await of_body.get("/assessments/template?kind=csv")).content
    people = f"{examiner.name},{examiner.id_number},考评员,,,\n{trainee.name},{trainee.id_number},好,,,\n"
    about = f"class_number={view.number}&assessed_on={world.today}"
    sheet = await of_body.client.post(
        f"/api/assessments/sheet?{about}",
        content=heading + people.encode(),
        headers={**of_body.headers, "Content-Type": CSV_TYPE, "Idempotency-Key": "sheet"},
    )
    assert [(each["field"], each["code"]) for each in sheet.json()["errors"]] == [("line 3.mark", "assessment.mark")]
    assert (await of_body.get(f"/classes/{view.id}/assessments")).json()["code"] == "assessment.not_found"
    rates = (await of_body.get("/assessments/rates")).json()
    assert (rates["trained"], rates["assessed"]) == ([], [])


async def test_officers_say_which_institutions_belong_together(client: httpx.AsyncClient, school: School) -> None:
    async with transaction() as tx:
        clerk = await body(tx, school)
    officer, day = await desk(client, school.officers[0]), str(school.world.today)
    one, other = id_of(clerk), id_of(school.world.clerks[0])
    new = {"one": str(one), "other": str(other), "first": day, "source": "同一法定代表人"}
    declared = await officer.post("/affiliations", new)
    assert declared.status_code == 201
    listed = (await officer.get(f"/affiliations?institution_id={one}")).json()["affiliations"]
    assert listed == [msgspec.json.decode(declared.content)]
    backwards = await officer.post("/affiliations", {**new, "last": "2020-01-01"})
    assert (backwards.status_code, backwards.json()["code"]) == (422, "period.reversed")
    assert (await (await desk(client, clerk)).post("/affiliations", new)).status_code == 403
