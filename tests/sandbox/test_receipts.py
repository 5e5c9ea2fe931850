"""How receipts look: the fields, the times, the numbers, the four namespaces."""

from __future__ import annotations

import base64
import re
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from lxml import etree

from crossborder.errors import SettingsError
from crossborder.sandbox import Mix
from crossborder.sandbox.mix import share_of
from crossborder.sandbox.receipts import digits17, next_digits17, notes

from .builder import SENDER, declaration, manifest
from .conftest import Desk, fields_of

HEAD = [
    "PreEntryId",
    "OpType",
    "BillNo",
    "AssBillNo",
    "IEFlag",
    "EntryId",
    "OpTime",
    "OpResult",
    "Notes",
]


def test_a_receipt_looks_like_a_real_one(free: Desk) -> None:
    before = datetime.now(timezone(timedelta(hours=8)))
    free.file(declaration("DEMO & <1>"))
    receipt = free.fetch()[-1]
    body = base64.b64decode(receipt["body_base64"])
    assert body.startswith(b'<?xml version="1.0" encoding="UTF-8"?><Package><EnvelopInfo><version>')
    root = etree.fromstring(body)
    info = fields_of(root[0])
    assert list(info) == [
        "version", "message_id", "file_name", "message_type", "sender_id", "receiver_id", "send_time",
    ]  # fmt: skip
    assert (info["message_type"], info["sender_id"], info["receiver_id"]) == (
        "EXP302",
        "E010000",
        SENDER,
    )
    assert info["file_name"] == info["message_id"] + ".EXP"
    assert re.fullmatch(rf"E010000{SENDER}[0-9]{{25}}", info["message_id"])
    assert receipt["name"].startswith(f"Receipt_{info['message_id']}_")
    assert receipt["name"].endswith(".xml")
    signed = root[1][0]
    assert [etree.QName(child).localname for child in signed] == ["Data", "HashSign", "SignerInfo"]
    head = fields_of(signed[0][0][0])
    assert list(head) == HEAD
    assert (head["BillNo"], head["AssBillNo"], head["IEFlag"], head["OpType"]) == (
        "99912345675",
        "DEMO & <1>",
        "I",
        "ADD",
    )
    assert re.fullmatch(rf"{before.year}[0-9]{{14}}", head["PreEntryId"])
    assert re.fullmatch(rf"2910{before.year}1[0-9]{{9}}", head["EntryId"])
    assert head["Notes"] == "SANDBOX 放行 / Released"
    assert f"{before:%Y%m%d%H%M%S}000" <= head["OpTime"]


def test_numbers_come_when_they_are_given(free: Desk) -> None:
    free.file(declaration("DEMO1"), declaration("DEMO2"))
    first, second = free.answers("DEMO1"), free.answers("DEMO2")
    assert [bool(a["EntryId"]) for a in first] == [False, False, True, True]
    assert len({a["PreEntryId"] for a in first}) == 1
    assert first[0]["PreEntryId"] != second[0]["PreEntryId"]
    assert first[-1]["EntryId"] != second[-1]["EntryId"]


def test_times_rise_within_a_declaration(free: Desk) -> None:
    free.file(*(declaration(f"DEMO{n}SB04") for n in range(20)))
    for n in range(20):
        times = [a["OpTime"] for a in free.answers(f"DEMO{n}SB04")]
        assert len(times) == 5
        assert times == sorted(set(times))
        assert all(len(t) == 17 and t.isdigit() for t in times)


def test_times_count_a_started_millisecond_as_full() -> None:
    moment = datetime(2026, 11, 22, 16, 59, 59, 999_100, UTC).timestamp()
    assert digits17(moment) == "20261123010000000"
    exact = datetime(2026, 11, 23, 0, 0, 0, 250_000, UTC).timestamp()
    assert digits17(exact) == "20261123080000250"
    assert next_digits17(exact, "") == "20261123080000250"
    assert next_digits17(exact, "20261123080000250") == "20261123080000251"
    assert next_digits17(exact, "20261231235959999") == "20270101000000000"


def test_all_four_spellings_occur_and_say_the_same(run: Callable[..., Desk]) -> None:
    desk = run(mix=Mix.load().with_shares(**{"11": 1}), require_manifest=False)
    desk.file(*(declaration(f"DEMO{n:04d}") for n in range(100)))
    roots = [etree.fromstring(body) for body in desk.bodies()]
    assert len(roots) == 400
    spaces: Counter[tuple[str | None, str | None]] = Counter()
    for root in roots:
        (message,) = root.iter("{*}EXP302")
        spaces[etree.QName(root).namespace, etree.QName(message).namespace] += 1
        assert list(fields_of(message[0])) == HEAD
    exp = "http://www.chinaport.gov.cn/"
    assert set(spaces) == {
        (None, None),
        (None, exp + "Exp"),
        (exp + "exp", exp + "exp"),
        (None, "http://www.w3.org/2000/09/xmldsig#"),
    }
    assert spaces[None, None] > 300
    pretty = sum(b"\n    <version>" in body for body in desk.bodies())
    assert 10 < pretty < 120
    assert [desk.codes(f"DEMO{n:04d}") for n in range(100)] == [["D0", "D2", "Y", "11"]] * 100


def test_notes_keep_to_their_field() -> None:
    assert notes("放行", "Released") == "SANDBOX 放行 / Released"
    assert notes("放行", "Released", limit=20) == "SANDBOX 放行"
    assert len(notes("很" * 50, limit=30)) == 30


def test_the_same_seed_decides_the_same_way_in_any_order(run: Callable[..., Desk]) -> None:
    houses = [f"DEMO{n:05d}" for n in range(150)]
    mix = Mix.load().with_shares(**{"11": 1, "18": 1, "00": 1, "05": 1, "reviewed": 1})

    def outcome(folder: str, seed: int, order: list[str]) -> dict[str, str]:
        desk = run(folder, mix=mix, seed=seed, require_manifest=False)
        desk.file(*(declaration(house) for house in order))
        return {m["house"]: m["state"] for m in desk.sandbox.account("hangzhou")["messages"]}

    first = outcome("a", 1, houses)
    assert outcome("b", 1, houses[::-1]) == first
    assert outcome("c", 2, houses) != first
    assert set(first.values()) == {"11", "18", "00", "05"}
    assert Counter(first.values())["11"] in range(40, 81)


def test_the_packaged_mix_releases_most_and_reaches_much_else() -> None:
    mix = Mix.load()
    drawn = Counter(mix.paths[mix.draw(1, f"DEMO{n}", 0)][-1] for n in range(20_000))
    released = sum(count for code, count in drawn.items() if code in ("11", "12", "13", "16", "18"))
    assert 0.93 < drawn["11"] / 20_000 < 0.95
    assert 0.96 < released / 20_000 < 0.98
    assert len(drawn) >= 25
    assert mix.draw(1, "DEMO1", 0) == mix.draw(1, "DEMO1", 0)


def test_a_mix_of_ones_own_is_laid_over_the_packaged_one(tmp_path: Path) -> None:
    file = tmp_path / "mix.toml"
    file.write_text(
        '[paths]\nodd = ["D0", "D3"]\n[shares]\nodd = 1\n[delays]\nD0 = [0, 0]\n', encoding="utf-8"
    )
    mix = Mix.load(file)
    assert mix.draw(1, "ANY", 0) == "odd"
    assert mix.delay(1, "D0", "any") == 0
    assert mix.paths["11"] == ("D0", "D2", "Y", "11")
    assert 5 <= mix.delay(1, "D2", "any") <= 20


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[paths]\nodd = ["D0", "ZZ"]', "paths.odd"),
        ("[paths]\nodd = []", "paths.odd"),
        ("[shares]\nnowhere = 1", "shares.nowhere"),
        ("[shares]\n11 = -1", "shares.11"),
        ('[shares]\n11 = "many"', "shares.11"),
        ("[shares]\n11 = 0", "shares"),
        ("[receipts]\nnone = 0\nExp = 0\nexp = 0\nxmldsig = 0", "receipts"),
        ("[delays]\nD0 = [5, 1]", "delays.D0"),
        ("[delays]\nD0 = 5", "delays.D0"),
        ("[surprise]\nx = 1", "surprise"),
        ("not toml", "cannot be read"),
    ],
)
def test_a_mix_that_cannot_be_used_is_refused(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "mix.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        Mix.load(file)
    assert said in caught.value.text("en")
    assert str(file) in caught.value.text("zh")


def test_delays_are_divided_by_the_speed(run: Callable[..., Desk]) -> None:
    slow = run("slow", require_manifest=False, speed=0.01)
    slow.post(declaration("DEMO1"))
    assert slow.sandbox.account("hangzhou")["answers_to_come"] == 1
    assert slow.fetch() == []
    fast = run("fast", require_manifest=False, speed=1_000_000)
    fast.file(declaration("DEMO1"), manifest(["DEMO1"]))
    assert len(fast.fetch()) == 6


def test_draws_are_even() -> None:
    drawn = [share_of(1, "x", str(n)) for n in range(4000)]
    assert all(0 <= value < 1 for value in drawn)
    assert all(
        900 < sum(low <= v < low + 0.25 for v in drawn) < 1100 for low in (0, 0.25, 0.5, 0.75)
    )
