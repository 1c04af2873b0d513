"""The number of a complaint: what anybody reads by it, and what they do not."""

import re
from uuid import uuid4

from tests.pages import Browser, read
from tests.service.test_pages_public import Town, anybody, office, town

__all__ = ["anybody", "office", "town"]  # fixtures


async def test_a_number_that_was_heard_says_how_far_a_complaint_is_and_no_more(anybody: Browser, town: Town) -> None:
    form = await anybody.get("/complain")
    done = await anybody.send(form, "/complain", institution=town.name, words="老师不来", kind="opinion")
    (number,) = re.findall(r"TS\d{10}", done.text)
    assert done.url.path.rpartition("/")[2] not in read(done).text  # of an id nobody reads out
    for typed in (number, f" {number[:2].lower()} {number[2:6]} {number[6:]}"):
        found = await anybody.client.get("/complain/find", params={"number": typed})
        assert (found.status_code, number in read(found).text) == (200, True)
        assert not {"老师不来", town.name} & set(read(found).words["main"][0].split())
    assert number in read(await anybody.get(f"/complain/{number}")).text
    wrong = f"{number[:-1]}{(int(number[-1]) + 1) % 10}"
    for unknown in (uuid4(), wrong, "1", "%_"):
        assert (await anybody.client.get(f"/complain/{unknown}")).status_code == 404
    lost = await anybody.client.get("/complain/find", params={"number": wrong}, headers={"accept": "text/html"})
    assert (lost.status_code, "没有这个受理号" in read(lost).text) == (404, True)
