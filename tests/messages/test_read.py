"""Receipts: every spelling is read, hostile ones are refused at once, the fast path equals the careful one."""

from __future__ import annotations

import codecs

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossborder import messages
from crossborder.messages import read as reading
from crossborder.messages.read import read_receipts, read_receipts_carefully
from crossborder.messages.receipt_bytes import MAX_BYTES

HEAD = {
    "PreEntryId": "202600001507083001", "OpType": "ADD", "BillNo": "999-12345675",
    "AssBillNo": "HZ2611230001", "IEFlag": "I", "EntryId": "292820261000000138",
    "OpTime": "20261123180911995", "OpResult": "11", "Notes": "放行",
}  # fmt: skip
ENVELOPE = (
    "<EnvelopInfo><version>1.0</version><message_id>E</message_id><file_name>E.EXP</file_name>"
    "<message_type>EXP302</message_type><sender_id>E010000</sender_id><receiver_id>D</receiver_id>"
    "<send_time>2026-11-23T18:09:11</send_time></EnvelopInfo>"
)
PROLOG = '<?xml version="1.0" encoding="UTF-8"?>'


def receipt(
    head=None, *, prolog=PROLOG, package=True, name="EXP302", root="", message="", **change
) -> str:
    said = {**(HEAD if head is None else head), **change}
    inside = "".join(f"<{k}>{v}</{k}>" for k, v in said.items() if v is not None)
    body = f"<{name}{message}><EntryHead>{inside}</EntryHead></{name}>"
    if not package:
        return prolog + body
    return (
        f"{prolog}<Package{root}>{ENVELOPE}<DataInfo><SignedData><Data>{body}</Data>"
        "<HashSign></HashSign><SignerInfo></SignerInfo></SignedData></DataInfo></Package>"
    )


def one(xml: str | bytes) -> dict[str, str | None]:
    """The only line of a receipt that must be readable, both ways."""
    data = xml.encode() if isinstance(xml, str) else xml
    read = read_receipts([("r.xml", data)])
    assert read.problems.is_empty(), read.problems.to_dicts()
    assert read.lines.equals(read_receipts_carefully([("r.xml", data)]).lines)
    (line,) = read.lines.to_dicts()
    return line


def problem(xml: str | bytes) -> str:
    """The English reason of a receipt that must not be read, whichever way."""
    data = xml.encode() if isinstance(xml, str) else xml
    read = read_receipts([("r.xml", data)])
    assert read.lines.is_empty(), read.lines.to_dicts()
    assert read.problems.equals(read_receipts_carefully([("r.xml", data)]).problems)
    (row,) = read.problems.to_dicts()
    assert row["name"] == "r.xml"
    assert any("\u4e00" <= c <= "\u9fff" for c in row["reason_zh"])
    return str(row["reason_en"])


NS = {
    "upper": ' xmlns="http://www.chinaport.gov.cn/Exp"',
    "lower": ' xmlns="http://www.chinaport.gov.cn/exp"',
    "xmldsig": ' xmlns="http://www.w3.org/2000/09/xmldsig#"',
    "none": "",
}


@pytest.mark.parametrize("root", NS)
@pytest.mark.parametrize("message", NS)
@pytest.mark.parametrize("package", [True, False])
def test_every_namespace_on_either_element(root, message, package):
    line = one(receipt(root=NS[root], message=NS[message], package=package))
    assert (line["code"], line["house_waybill"], line["message_type"]) == (
        "11",
        "HZ2611230001",
        "EXP302",
    )


@pytest.fixture
def without_libxml2(monkeypatch):
    """The careful path must not be taken."""

    def never(*_args):
        raise AssertionError("the careful path was taken")

    monkeypatch.setattr(reading, "read_tree", never)


def test_real_receipts_do_not_go_through_libxml2(golden, without_libxml2):
    names = ["exp302-no-namespace", "exp302-upper-exp", "exp302-lower-exp-offset", "exp312-xmldsig"]
    read = read_receipts([(n, (golden / f"{n}.xml").read_bytes()) for n in names])
    assert read.lines["name"].unique(maintain_order=True).to_list() == names


@pytest.mark.parametrize("space", NS)
@pytest.mark.parametrize("pretty", [False, True])
@pytest.mark.parametrize("where", ["root", "message"])
def test_ordinary_receipts_of_both_kinds_do_not_go_through_libxml2(
    without_libxml2, space, pretty, where
):
    spelling = {where: NS[space]}
    made = [
        receipt(**spelling),
        receipt(Notes="，全角。𠮷", EntryId="", **spelling),
        receipt(Notes=None, **spelling),
    ]
    made += [_packed(_manifest_body(n), **spelling) for n in (0, 1, 30)]
    made = [xml.replace("><", ">\n\t<") if pretty else xml for xml in made]
    read = read_receipts([(str(n), xml.encode()) for n, xml in enumerate(made)])
    assert read.lines["message_type"].to_list() == ["EXP302"] * 3 + ["EXP312"] * 34
    assert read.lines["index"].to_list() == [0, 1, 2, 3, 4, 4, *[5] * 31]
    assert read.lines["line"].to_list() == [0, 0, 0, 0, 0, 1, *range(31)]
    assert read.lines["house_waybill"].to_list()[-30:] == [f"HZ{n}" for n in range(30)]


def test_what_is_left_out_of_the_fast_path_harms_no_neighbour():
    """Before, between and behind them: each spoils the lot in another way."""
    spoilers = [
        receipt().encode("utf-16"), receipt(Notes="\ufffe").encode(), receipt(Notes="a\0b").encode(), b"", b"\0",
        receipt(Notes="x").replace(">x<", ">\xe4\xf6<").encode("latin-1"), receipt(Notes="<!-- -->好").encode(),
        receipt().replace("<version>1.0", "<version>一").encode(), receipt(Notes="&amp;").encode(),
    ]  # fmt: skip
    good = [receipt(AssBillNo=f"HZ{n}").encode() for n in range(3)]
    for bad in spoilers:
        items = [
            (str(n), data) for n, data in enumerate([bad, good[0], bad, good[1], good[2], bad])
        ]
        read, careful = read_receipts(items), read_receipts_carefully(items)
        assert read.lines.equals(careful.lines)
        assert read.problems.equals(careful.problems)
        assert read.lines.filter(pl.col("index").is_in([1, 3, 4]))["house_waybill"].to_list() == [
            "HZ0",
            "HZ1",
            "HZ2",
        ]


@pytest.mark.parametrize("size", [5_000_000, 11_000_000])
def test_a_huge_text_is_read_or_refused_as_libxml2_does(size):
    items = [("huge", receipt(Notes="x" * size).encode()), ("next", receipt().encode())]
    read, careful = read_receipts(items), read_receipts_carefully(items)
    assert read.lines.equals(careful.lines)
    assert read.problems.equals(careful.problems)
    assert read.problems.height == (size > 10_000_000)


def test_many_lots_read_as_one(monkeypatch):
    items = [
        (str(n), receipt(AssBillNo=f"HZ{n}", Notes="&lt;" if n % 3 else "").encode())
        for n in range(20)
    ]
    items.insert(7, ("m", _packed(_manifest_body(3)).encode()))
    items.insert(9, ("bad", b"<"))
    whole = read_receipts(items)
    for size in (1, 900, 2500):
        monkeypatch.setattr(reading, "_LOT_BYTES", size)
        lots = read_receipts(items)
        assert lots.lines.equals(whole.lines)
        assert lots.problems.equals(whole.problems)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("20261123180911995", "20261123180911995"),
        ("20280229235959999", "20280229235959999"),
        ("18991231000000000", "18991231000000000"),
        ("20260731000000000", "20260731000000000"),
        ("20261123180911", "20261123180911000"),
        ("20261123180911+08", "20261123180911000"),
        ("20261123100911+00", "20261123180911000"),
        ("20261123230911-05", "20261124120911000"),
        ("20261231170911+00", "20270101010911000"),
        (" 20261123180911 ", "20261123180911000"),
        ("2026-11-23 18:09:11", "20261123180911000"),
        ("2026-11-23T18:09:11.007", "20261123180911007"),
    ],
)
def test_times_become_seventeen_digits_of_china_time(written, expected):
    assert one(receipt(OpTime=written))["op_time"] == expected


@pytest.mark.parametrize(
    "written",
    ["", "20261123", "20260230180911", "20260229180911000", "20260631180911000", "20261301180911000", "20260100180911000", "20261123250911", "20261123180960", "20261123186011", "2026112318091", "２０２６１１２３１８０９１１", "20261123180911+15", "soon", None],
)  # fmt: skip
def test_a_declaration_receipt_without_a_moment_waits_for_a_person(written):
    assert problem(receipt(OpTime=written)) == "its time is missing or unreadable"


def _manifest_body(houses):
    """A manifest's receipt with so many houses."""
    line = _manifest().partition("<ExpMftList>")[2].partition("</ExpMftList>")[0]
    lines = "".join(
        f"<ExpMftList>{line.replace('HZ1', f'HZ{n}')}</ExpMftList>" for n in range(houses)
    )
    return _manifest().partition("<ExpMftList>")[0] + lines + "</EXP312>"


def _packed(body, root="", message=""):
    """The same in its envelope."""
    outer = receipt(root=root).replace("EXP302", "EXP312")
    before, _, rest = outer.partition("<EXP312>")
    return before + body.replace("<EXP312>", f"<EXP312{message}>") + rest.partition("</EXP312>")[2]


def _manifest(head_time="20261123181311", line_time="20261123181311", code="NY", house="HZ1"):
    return (
        f"<EXP312><ExpMftHead><BillNo>999</BillNo><VoyageNo>CA1</VoyageNo><EntryDate>{head_time}</EntryDate>"
        f"<RtnFlag>NY</RtnFlag><Notes></Notes></ExpMftHead><ExpMftList><BillNo>999</BillNo>"
        f"<AssBillNo>{house}</AssBillNo><EntryDate>{line_time}</EntryDate><RtnFlag>{code}</RtnFlag><Notes>好</Notes>"
        "</ExpMftList></EXP312>"
    )


def test_a_manifest_receipt_may_have_any_date():
    read = read_receipts([("m", _manifest("today", "").encode())])
    assert read.lines.select("line", "code", "op_time", "house_waybill").rows() == [
        (0, "NY", None, None), (1, "NY", None, "HZ1"),
    ]  # fmt: skip


@pytest.mark.parametrize("change", [{"code": ""}, {"house": ""}])
def test_a_manifest_line_without_code_or_house_is_a_problem(change):
    problem(_manifest(**change))


def test_manifest_receipt_of_nine_thousand_houses():
    line = _manifest().partition("<ExpMftList>")[2].partition("</EXP312>")[0]
    many = "".join("<ExpMftList>" + line.replace("HZ1", f"HZ{i}") for i in range(9_999))
    xml = _manifest().partition("<ExpMftList>")[0] + many + "</EXP312>"
    read = read_receipts([("m", xml.encode())])
    assert read.lines.height == 10_000
    assert read.lines["line"].to_list() == list(range(10_000))
    assert read.lines["house_waybill"].to_list()[1:4] == ["HZ0", "HZ1", "HZ2"]


@pytest.mark.parametrize("missing", ["Notes", "EntryId", "PreEntryId", "IEFlag", "OpType"])
def test_missing_elements_are_null(missing):
    column = {"Notes": "notes", "EntryId": "entry_id", "PreEntryId": "pre_entry_id", "IEFlag": "direction", "OpType": "op_type"}  # fmt: skip
    assert one(receipt(**{missing: None}))[column[missing]] is None
    assert one(receipt(**{missing: "  \n "}))[column[missing]] is None


def test_a_receipt_is_kept_as_long_as_something_names_the_declaration():
    assert one(receipt(BillNo=None, AssBillNo=None))["entry_id"] == "292820261000000138"
    bare = {"BillNo": None, "PreEntryId": None, "EntryId": ""}
    assert problem(receipt(**bare)) == "it names neither waybill nor declaration"


@pytest.mark.parametrize("code", [None, "", " "])
def test_a_receipt_without_a_code_is_a_problem(code):
    assert problem(receipt(OpResult=code)) == "it holds no result code"


def test_unknown_elements_comments_cdata_and_references_are_understood():
    xml = receipt(Notes="<![CDATA[a<b & c]]> &lt;d&gt; &#x4e2d;").replace(
        "<OpTime>", "<!-- x --><Future a='1'>9<deep/></Future><?pi x?><OpTime>"
    )
    assert one(xml)["notes"] == "a<b & c <d> 中"


def test_elements_in_another_order_are_read():
    assert one(receipt(dict(reversed(HEAD.items()))))["code"] == "11"


@pytest.mark.parametrize(
    ("data", "notes"),
    [
        (codecs.BOM_UTF8 + receipt().encode(), "放行"),
        (receipt(prolog='<?xml version="1.0" encoding="GB18030"?>').encode("gb18030"), "放行"),
        (receipt(prolog='<?xml version="1.0" encoding="GBK"?>').encode("gbk"), "放行"),
        (receipt(prolog="<?xml version='1.0' encoding='gb2312'?>", Notes="𠮷").encode("gb18030"), "𠮷"),
        (receipt(prolog='<?xml version="1.0" encoding="UTF-16"?>').encode("utf-16"), "放行"),
        (codecs.BOM_UTF16_BE + receipt(prolog='<?xml version="1.0" encoding="utf-16"?>').encode("utf-16-be"), "放行"),
        (receipt(prolog='<?xml version="1.0"?>').encode("utf-16-le"), "放行"),
        (receipt(prolog='<?xml version="1.0" encoding="UTF-16"?>').encode(), "放行"),  # saved as UTF-8
        (receipt(prolog="").encode(), "放行"),
        (b"\r\n  " + receipt().encode() + b"\r\n", "放行"),
        (receipt(prolog='<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n').encode(), "放行"),
    ],
)  # fmt: skip
def test_encodings(data, notes):
    assert one(data)["notes"] == notes


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"  \n", "empty"),
        (codecs.BOM_UTF8, "empty"),
        (b"\xff\xfe\x00", "UTF-16"),
        (receipt().encode("gb18030"), "UTF-8"),
        (receipt(prolog='<?xml version="1.0" encoding="GBK"?>').encode() + b"\xff", "GB18030"),
        (receipt(prolog='<?xml version="1.0" encoding="EBCDIC"?>').encode(), "unknown encoding"),
        (b"hello", "well-formed"),
        (receipt().encode()[:-5], "well-formed"),
        (receipt().encode() + b"<x/>", "well-formed"),
        (receipt(Notes="\x01").encode(), "well-formed"),
        (receipt(Notes="\uffff").encode(), "well-formed"),
        (receipt(Notes="&#0;").encode(), "well-formed"),
        (receipt(Notes="]]>").encode(), "well-formed"),
        (receipt(Notes="&nbsp;").encode(), "well-formed"),
        (b"<a/>", "no EXP message"),
        (receipt(root=' xmlns="urn:other"').encode(), "unknown namespace"),
        (receipt().replace("<Notes>", '<Notes xmlns="urn:x">').encode(), "unknown namespace"),
        (receipt().replace("<OpResult>", "<OpResult>00</OpResult><OpResult>").encode(), "stands twice"),
        (receipt().replace("放行", "<b>放行</b>").encode(), "holds elements"),
        (receipt().replace("</EXP302>", "<EntryHead/></EXP302>").encode(), "2 elements EntryHead"),
        (b"<EXP302/>", "0 elements EntryHead"),
        (receipt().replace("</Data>", "<EXP302/></Data>").encode(), "more than one"),
        (b"<EXP302>" + b"<a>" * 300 + b"</a>" * 300 + b"</EXP302>", "well-formed"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_a_problem_with_its_reason(data, reason):
    assert reason in problem(data)


@pytest.mark.parametrize(
    "name", ["EXP301", "EXP304", "EXP306", "EXP307", "EXP308", "EXP310", "EXP311"]
)
def test_known_messages_are_recognised_and_not_read(name):
    reason = problem(receipt(name=name))
    assert reason.startswith(f"{name} is known but not read here")
    types = read_receipts([("r", receipt(name=name).encode())]).problems["message_type"]
    assert types.to_list() == [name]


def test_numbers_that_do_not_exist_are_unknown():
    assert problem(receipt(name="EXP303")) == "EXP303 is an unknown message type"


BOMB = (
    '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "lol">'
    + "".join(f'<!ENTITY a{i} "{f"&a{i - 1 or str()};" * 10}">' for i in range(1, 15))
    + "]><EXP302><EntryHead><Notes>&a14;</Notes></EntryHead></EXP302>"
)


@pytest.mark.parametrize(
    "xml",
    [
        BOMB,
        '<!DOCTYPE EXP302 SYSTEM "http://example.invalid/x.dtd"><EXP302/>',
        '<?xml version="1.0"?>\n<!-- <x> -->\n<?p q?><!DOCTYPE EXP302 [<!ENTITY f SYSTEM "file:///etc/passwd">]>'
        "<EXP302><EntryHead><Notes>&f;</Notes></EntryHead></EXP302>",
        '<!DOCTYPE a [<!ENTITY % p SYSTEM "file:///etc/hostname"> %p;]><EXP302/>',
    ],
)
def test_document_types_are_refused_before_anything_is_parsed(xml):
    assert "document type declaration" in problem(xml)
    assert "document type declaration" in problem(codecs.BOM_UTF16_LE + xml.encode("utf-16-le"))


def test_a_prolog_that_never_ends_is_no_trap():
    for piece in ("<!-- ", "<?x ", "<!-- -->", "<!--->"):
        assert "well-formed" in problem(piece * 200_000)


def test_a_receipt_beyond_the_limit_is_not_parsed():
    assert "larger than" in problem(b" " * (MAX_BYTES + 1))


def test_every_item_is_in_exactly_one_place():
    items = [
        ("a", receipt().encode()), ("b", b"nonsense"), ("a", _manifest().encode()),
        ("", receipt(OpTime="x").encode()), ("e", receipt(name="EXP310").encode()),
    ]  # fmt: skip
    read = read_receipts(iter(items))
    assert read.lines.select("index", "name").rows() == [(0, "a"), (2, "a"), (2, "a")]
    assert read.problems.select("index", "name").rows() == [(1, "b"), (3, ""), (4, "e")]


def test_nothing_gives_nothing():
    read = read_receipts([])
    assert read.lines.is_empty()
    assert read.problems.is_empty()
    assert read.lines.schema == pl.Schema(reading.LINES)
    assert read.problems.schema == pl.Schema(reading.PROBLEMS)
    assert read_receipts([("r", receipt().encode())]).lines.schema == pl.Schema(reading.LINES)


SNIPPETS = [
    "", " ", "\n", "\r\n", "\t", "&amp;", "&#65;", "&lt;", "&bad;", "<!-- c -->", "<!---->", "<![CDATA[x]]>", "<![CDATA[<Notes>]]>",
    "]]>", "<", ">", "&", "<x/>", "<x>1</x>", "</x>", "<Notes>2</Notes>", "<Notes/>", "<OpResult>00</OpResult>", "<EntryHead>",
    "</EntryHead>", "</Data>", ' a="1"', ' xmlns="urn:x"', ' xmlns="http://www.chinaport.gov.cn/exp"', "<?pi?>", "<!DOCTYPE a>",
    "\x00", "\x0b", "\ufffe", "\uffff", "\u0085", "\u2028", "\ufeff", "中", "𠮷", "'", '"', "/", "=", "EXP302", "<EXP302>", "</EXP302>", "<EXP304/>", "，", "\u00ef", "\uffbe", "&#13;", "\r", "\n\n", "<BillNo>9</BillNo>", "<Notes />", "<Notes  />", "<ExpMftList>",
    "<ExpMftList><AssBillNo>Q</AssBillNo></ExpMftList>", "</ExpMftList>", "<?xml version='1.0'?>", "<HashSign/>", "\x7f", "\x1f",
]  # fmt: skip


@st.composite
def hostile(draw) -> bytes:
    """A receipt with pieces put in, cut out or swapped at drawn places."""
    text = draw(
        st.sampled_from([receipt(), receipt(package=False), _manifest(), _packed(_manifest_body(2)), receipt(root=NS["lower"]), receipt(message=NS["upper"]), receipt(Notes="  a\n b ")])
    )  # fmt: skip
    places = [0, *(i for i, c in enumerate(text) if c in "<>"), len(text)]
    for _ in range(draw(st.integers(0, 3))):
        at = min(draw(st.sampled_from(places)) + draw(st.integers(0, 1)), len(text))
        until = at + draw(st.sampled_from([0, 0, 0, 1, 5, 17]))
        text = text[:at] + draw(st.sampled_from(SNIPPETS)) + text[until:]
    if draw(st.integers(0, 4)) == 0:
        text = text.replace("><", draw(st.sampled_from([">\n <", ">\r\n<", "> x<"])))
    data = text.encode("utf-8")
    shapes = [
        data,
        data,
        data,
        data,
        codecs.BOM_UTF8 + data,
        text.encode("utf-16"),
        data.replace(b"\xe6", b"\xef"),
        data[:-1] + b"\x00",
    ]
    return draw(st.sampled_from(shapes))


@st.composite
def ordinary(draw) -> bytes:
    """A receipt whose values are drawn, none of them markup."""
    text = st.text(
        st.characters(blacklist_characters="<>&", blacklist_categories=["Cs"]), max_size=12
    )
    said = {name: draw(st.one_of(st.none(), st.just(value), text)) for name, value in HEAD.items()}
    xml = receipt(
        said,
        root=draw(st.sampled_from(list(NS.values()))),
        message=draw(st.sampled_from(list(NS.values()))),
    )
    return xml.encode()


@settings(deadline=None, max_examples=300, derandomize=True)
@given(st.lists(st.one_of(hostile(), ordinary()), min_size=1, max_size=6))
def test_the_fast_path_says_what_the_careful_one_says(documents):
    items = [(str(i), data) for i, data in enumerate(documents)]
    fast, careful = read_receipts(items), read_receipts_carefully(items)
    assert fast.lines.equals(careful.lines)
    assert fast.problems.equals(careful.problems)
    assert {*fast.lines["index"], *fast.problems["index"]} == set(range(len(items)))


@settings(deadline=None, max_examples=100, derandomize=True)
@given(st.text(max_size=40), st.binary(max_size=60))
def test_no_bytes_raise(text, data):
    for one_of in (
        data,
        text.encode("utf-8", "surrogatepass"),
        receipt(Notes=text).encode("utf-8", "surrogatepass"),
    ):
        read = messages.read_receipts([("x", one_of)])
        assert read.lines.height + read.problems.height == 1
        assert read.lines.equals(read_receipts_carefully([("x", one_of)]).lines)
