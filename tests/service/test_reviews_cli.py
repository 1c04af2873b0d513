"""`zhida reviews`: a review of standards as an editor works on it without the API."""

import asyncio
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from domain.actor import Post
from service.cli.reviews import reviews
from service.database import dispose
from tests.service.test_standards_http import PASSWORD, logins
from tests.world import WELDER

__all__ = ["logins"]

HEADINGS = "职业编码,等级,指标,数值,出处,文件指纹"
SHA = "ab" * 32


async def run(login: str, *arguments: str) -> Result:
    """In a thread, since a command starts a loop of its own."""
    await dispose()
    as_person = [*arguments, "--as", login] if login else list(arguments)
    return await asyncio.to_thread(CliRunner().invoke, reviews, as_person, input=f"{PASSWORD}\n")


async def opened(login: str) -> str:
    result = await run(login, "open", "2026 年度补贴标准评估", "--from", "2026-01-01", "--to", "2026-12-31")
    assert result.exit_code == 0, result.output
    return next(line.split()[-1] for line in result.output.splitlines() if line.startswith("编号"))


def sheet(tmp_path: Path, *lines: str) -> str:
    file = tmp_path / "figures.csv"
    file.write_text("\n".join([HEADINGS, *lines]), "utf-8")
    return str(file)


async def test_from_opening_to_the_summary(logins: dict[Post, str], tmp_path: Path) -> None:
    editor = logins[Post.STANDARD_EDITOR]
    review = await opened(editor)
    figures = sheet(
        tmp_path,
        f"{WELDER},四级,培训成本,1200.50,某校成本表,{SHA}",
        f"{WELDER},4,就业率,86.5%,抽样调查,{SHA}",
        f"{WELDER},4,求人倍率,1.375,人力资源市场季报,{SHA.upper()}",
    )
    collected = await run(editor, "collect", review, figures)
    assert "数据 3 条" in collected.output, collected.output
    heard = await run(editor, "hear", review, "焊材涨价，成本上升", "--voice", "trainee", "--on", "2026-03-01")
    assert "未答复 1 条" in heard.output, heard.output
    early = await run(editor, "close", review, "维持现行标准")
    assert early.exit_code == 1
    shown = json.loads((await run("", "show", review, "--json")).output)
    assert {each["measure"]: each["median"] for each in shown["figures"]} == {
        "training_cost": 120_050,
        "employment_rate": 865,
        "vacancy_ratio": 1_375,
    }
    (opinion,) = shown["said"]
    answered = await run(editor, "answer", review, opinion["id"], "已按季度成本核算", "--adopted")
    assert "未答复 0 条" in answered.output, answered.output
    assert "维持现行标准" in (await run(editor, "close", review, "维持现行标准")).output
    told = (await run("", "show", review)).output
    assert "1200.5 元" in told
    assert "86.5 %" in told
    assert "采纳：已按季度成本核算" in told
    assert "2026" in (await run("", "list")).output


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (f"{WELDER},4,培训成本,一千二,某校,{SHA}", "line 3：数值看不懂"),
        (f"{WELDER},4,培训成本,1200.505,某校,{SHA}", "line 3：数值看不懂"),
        (f"{WELDER},4,合格率,86.55,某校,{SHA}", "line 3：数值看不懂"),
        (f"{WELDER},4,满意度,5,某校,{SHA}", "line 3：没有这个指标"),
        (f"{WELDER},4,合格率,100.1,某校,{SHA}", "samples.1.value"),
        (f"9-99-99-99,4,合格率,50,某校,{SHA}", "samples.1.occupation"),
        (f"{WELDER},4,合格率,50,某校,abc", "samples[1].document_sha256"),
    ],
)
async def test_one_wrong_line_and_nothing_is_collected(
    logins: dict[Post, str], tmp_path: Path, line: str, says: str
) -> None:
    editor = logins[Post.STANDARD_EDITOR]
    review = await opened(editor)
    refused = await run(editor, "collect", review, sheet(tmp_path, f"{WELDER},4,合格率,86.5,某校,{SHA}", line))
    assert refused.exit_code == 1
    assert says in refused.output
    assert json.loads((await run("", "show", review, "--json")).output)["samples"] == 0


async def test_a_sheet_without_its_headings_is_refused(logins: dict[Post, str], tmp_path: Path) -> None:
    file = tmp_path / "figures.csv"
    file.write_text("职业编码,等级\n", "utf-8")
    review = await opened(logins[Post.STANDARD_EDITOR])
    refused = await run(logins[Post.STANDARD_EDITOR], "collect", review, str(file))
    assert refused.exit_code == 1
    assert "指标" in refused.output
