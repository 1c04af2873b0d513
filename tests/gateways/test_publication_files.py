"""What the bureau publishes as files, read again by other readers than ours."""

import csv
from datetime import UTC, datetime
from io import BytesIO, StringIO
from xml.etree import ElementTree

from openpyxl import load_workbook

from service.gateways.publication_files import FeedEntry, as_csv, as_feed, as_workbook

ROWS = [("1", "6-18-02-04", "焊工"), ("2", "007", '=HYPERLINK("http://x")'), ("3", "", "a,b\n“c”")]


def test_a_csv_keeps_every_cell_as_text_and_calculates_nothing() -> None:
    content = as_csv(("序号", "编码", "名称"), ROWS)
    assert content.startswith(b"\xef\xbb\xbf")
    read = list(csv.reader(StringIO(content.decode("utf-8-sig"), newline="")))
    assert read == [["序号", "编码", "名称"], ["1", "6-18-02-04", "焊工"],
                    ["2", "007", "'" + ROWS[1][2]], ["3", "", ROWS[2][2]]]  # fmt: skip


def test_a_workbook_has_a_sheet_for_each_list_whatever_it_is_called() -> None:
    long = "急需紧缺职业技能培训项目目录（济南市二〇二三年度试行版本）之一"
    names = [long, long + "续", "A/B:[1]", "a/b:[1]", ""]
    book = load_workbook(BytesIO(as_workbook(("序号", "编码", "名称"), dict.fromkeys(names, ROWS))))
    assert len(book.sheetnames) == len({name.lower() for name in book.sheetnames}) == 5
    assert all(0 < len(name) <= 31 for name in book.sheetnames)
    assert book.sheetnames[2:4] == ["A_B__1_", "a_b__1__2"]
    for sheet in book:
        cells = [[cell.value or "" for cell in row] for row in sheet.iter_rows(min_row=2)]
        assert cells == [list(row) for row in ROWS]
        assert {cell.data_type for row in sheet.iter_rows(min_row=2) for cell in row if cell.value} == {"s"}
        assert all(cell.quotePrefix for row in sheet.iter_rows(min_row=2) for cell in row if cell.value)


def test_a_feed_is_atom_with_its_newest_day() -> None:
    days = [datetime(2024, 2, 1, tzinfo=UTC), datetime(2023, 9, 18, tzinfo=UTC)]
    entries = [
        FeedEntry(f"urn:x:{n}", "目录 <1>", day, "http://h/catalog", "共 3 项 & 更多") for n, day in enumerate(days)
    ]
    feed = ElementTree.fromstring(as_feed("更新", "http://h/feed", entries))
    atom = {"a": "http://www.w3.org/2005/Atom"}
    assert feed.findtext("a:updated", None, atom) == "2024-02-01T00:00:00+00:00"
    assert [each.findtext("a:title", None, atom) for each in feed.findall("a:entry", atom)] == ["目录 <1>"] * 2
    assert [each.findtext("a:summary", None, atom) for each in feed.findall("a:entry", atom)] == [
        "共 3 项 & 更多"
    ] * 2
    assert all(feed.find(f"a:{name}", atom) is not None for name in ("id", "title", "author", "link"))
    assert feed.find("a:entry/a:id", atom) is not None
