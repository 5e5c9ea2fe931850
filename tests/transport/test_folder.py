"""The boxes of an import client: durable handing over, finding again by content, receipts that are whole."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from crossborder.errors import TransportError
from crossborder.settings import Endpoint
from crossborder.testing import ImportClient, message
from crossborder.transport import FolderTransport, boxes
from crossborder.transport.folder import file_name


@pytest.fixture
def client(tmp_path: Path) -> ImportClient:
    return ImportClient(tmp_path / "client")


def opened(client: ImportClient) -> FolderTransport:
    return FolderTransport(Endpoint(transport="folder", address=str(client.folder)), "ningbo")


def names(box: Path) -> list[str]:
    return sorted(p.name for p in box.iterdir() if p.is_file())


def test_a_file_name_tells_time_type_and_digest_only(client: ImportClient) -> None:
    sent = message(7)
    opened(client).submit(sent)
    (name,) = names(client.folder / "OutBox")
    assert name == f"S_20261123180000007_EXP301_{sent.digest[:8]}.xml"


@pytest.mark.parametrize("kind", ["EXP301", "../../etc", "exp/311", "", "报文"])
def test_a_file_name_takes_no_foreign_parts(kind: str) -> None:
    at = datetime(2026, 11, 23, 10, 0, 0, 999_999, tzinfo=UTC)
    assert re.fullmatch(
        r"S_20261123180000999_[A-Z0-9]{1,16}_0a0b0c0d\.xml", file_name(at, kind, "0a0b0c0d")
    )


def test_bytes_reach_the_disk_before_the_name_does(
    client: ImportClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    transport, done = opened(client), []
    real_fsync, real_replace = os.fsync, Path.replace

    def fsync(handle: int) -> None:
        done.append("folder" if stat.S_ISDIR(os.fstat(handle).st_mode) else "file")
        real_fsync(handle)

    def replace(self: Path, target: Path) -> Path:
        done.append("rename")
        assert self.parent == target.parent
        assert self.read_bytes() == message(1).body
        return real_replace(self, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(Path, "replace", replace)
    transport.submit(message(1))
    assert done == ["file", "rename", "folder"]


def test_what_a_dead_try_left_is_not_taken_for_handed_over(client: ImportClient) -> None:
    sent, transport = message(1), opened(client)
    name = file_name(sent.created, sent.message_type, sent.digest[:8])
    left = client.folder / "OutBox" / (name + boxes.PART)
    left.write_bytes(sent.body)  # all bytes are there, the name is not: nobody will take it
    assert transport.look_up(sent.key, sent.message_id, sent.digest).outcome == "not_received"
    left.write_bytes(sent.body[:5])
    assert transport.submit(sent).outcome == "received"
    assert names(client.folder / "OutBox") == [name]
    assert (client.folder / "OutBox" / name).read_bytes() == sent.body


def test_a_link_planted_in_the_out_box_is_not_followed(
    client: ImportClient, tmp_path: Path
) -> None:
    sent, target = message(1), tmp_path / "precious"
    target.write_text("kept", encoding="utf-8")
    name = file_name(sent.created, sent.message_type, sent.digest[:8])
    (client.folder / "OutBox" / (name + boxes.PART)).symlink_to(target)
    assert opened(client).submit(sent).outcome == "received"
    assert target.read_text(encoding="utf-8") == "kept"


@pytest.mark.parametrize(
    "rename", ["{name}", "OK-{stem}.done", "20261123/{name}", "2026/11/{stem}-sent.xml"]
)
def test_a_message_is_found_wherever_the_client_put_it(client: ImportClient, rename: str) -> None:
    transport, sent = opened(client), message(1)
    transport.submit(sent)
    client.take(rename)
    found = transport.look_up(sent.key, sent.message_id, sent.digest)
    assert (found.outcome, found.detail) == ("received", "taken")


def test_equal_names_do_not_prove_equal_content(client: ImportClient) -> None:
    transport, sent = opened(client), message(1)
    name = file_name(sent.created, sent.message_type, sent.digest[:8])
    (client.folder / "SentBox" / name).write_bytes(b"<other/>")
    assert transport.look_up(sent.key, sent.message_id, sent.digest).outcome == "not_received"
    assert transport.submit(sent).outcome == "received"
    (put,) = names(client.folder / "OutBox")
    assert put == file_name(sent.created, sent.message_type, sent.digest)
    assert transport.look_up(sent.key, sent.message_id, sent.digest).outcome == "received"
    (client.folder / "OutBox" / put).write_bytes(b"<tampered/>")
    assert transport.submit(sent).conflict


def test_a_second_try_puts_no_second_file(client: ImportClient) -> None:
    transport, sent = opened(client), message(1)
    transport.submit(sent)
    assert transport.submit(sent).detail == "already_there"
    client.take()
    assert transport.submit(sent).detail == "already_there"
    assert names(client.folder / "OutBox") == []


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("无此收件人".encode(), "无此收件人"),
        ("\ufeff无此收件人".encode(), "无此收件人"),
        ("无此收件人".encode("gb18030"), "无此收件人"),
        (b"tel 13800138000 is wrong\r\nline 2", "tel *** is wrong line 2"),
    ],
)
def test_a_refusal_brings_its_reason(client: ImportClient, written: bytes, said: str) -> None:
    transport, sent = opened(client), message(1)
    transport.submit(sent)
    client.refuse_next("x")
    client.take()
    (reason,) = (client.folder / "FailBox").glob("*.txt")
    reason.write_bytes(written)
    found = transport.look_up(sent.key, sent.message_id, sent.digest)
    assert (found.outcome, found.declined, found.detail) == (
        "not_received", True, f"declined: {said}",
    )  # fmt: skip
    again = transport.submit(sent)
    assert (again.outcome, again.detail) == ("declined", f"declined: {said}")


def test_an_unreadable_box_is_unknown_not_not_received(client: ImportClient) -> None:
    transport, sent = opened(client), message(1)
    (client.folder / "SentBox").rename(client.folder / "Elsewhere")
    said = transport.look_up(sent.key, sent.message_id, sent.digest)
    assert (said.outcome, said.detail.partition(":")[0]) == ("unknown", "cannot_read")
    (client.folder / "FailBox").rmdir()
    (client.folder / "FailBox").write_bytes(b"")
    (client.folder / "SentBox").mkdir()
    assert transport.look_up(sent.key, sent.message_id, sent.digest).outcome == "unknown"


def test_a_full_disk_hands_nothing_over(
    client: ImportClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    transport, sent = opened(client), message(1)

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        said = transport.submit(sent)
    assert (said.outcome, said.nothing_left) == ("unknown", True)
    assert said.detail == "cannot_write: No space left on device"
    assert client.take() == []
    assert transport.submit(sent).outcome == "received"
    assert client.take() == [sent.body]


def test_a_rename_that_fails_is_unknown(
    client: ImportClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(self: Path, target: Path) -> Path:
        raise PermissionError(13, "in use")

    monkeypatch.setattr(Path, "replace", busy)
    said = opened(client).submit(message(1))
    assert (said.outcome, said.nothing_left) == ("unknown", False)


def test_a_search_is_bounded_and_goes_on(client: ImportClient) -> None:
    sent = message(1)
    for number in range(25):
        (client.folder / "SentBox" / f"renamed-{number:02}").write_bytes(message(number + 2).body)
    finder = boxes.Finder(budget=10)
    for _ in range(2):
        assert finder.find(client.folder / "SentBox", sent.digest) is None
        assert not finder.complete
    assert finder.find(client.folder / "SentBox", sent.digest) is None
    assert finder.complete
    (client.folder / "SentBox" / "renamed-00").write_bytes(sent.body)
    found = finder.find(client.folder / "SentBox", sent.digest)
    assert found is not None
    assert found.name == "renamed-00"


def test_an_unfinished_search_says_unknown(client: ImportClient) -> None:
    transport, sent = opened(client), message(1)
    transport._finder = boxes.Finder(budget=1)
    for number in range(5):
        (client.folder / "SentBox" / f"renamed-{number}").write_bytes(message(number + 2).body)
    said = [transport.look_up(sent.key, sent.message_id, sent.digest) for _ in range(5)]
    assert said[0].outcome == "unknown"
    assert said[0].detail == "more_to_read"
    assert said[-1].outcome == "not_received"


# ---- receipts ---------------------------------------------------------------------------------------


def aged(path: Path, seconds: float) -> None:
    """Nobody has touched the file for so long."""
    touched = path.stat().st_mtime - seconds
    os.utime(path, (touched, touched))


def test_a_growing_file_is_left_until_it_is_whole(client: ImportClient) -> None:
    transport, path = opened(client), client.folder / "InBox" / "R.xml"
    whole = '<?xml version="1.0"?><p:Package xmlns:p="x"><a>回执</a></p:Package>\n'.encode()
    for cut in (0, 10, 50, len(whole) - 3):
        path.write_bytes(whole[:cut])
        assert list(transport.receipts()) == []
        assert transport.trouble == "still_written: R.xml"
    path.write_bytes(whole)
    (found,) = transport.receipts()
    assert found.data == whole


def test_what_never_becomes_whole_is_taken_when_nobody_touches_it(client: ImportClient) -> None:
    path = client.folder / "InBox" / "R.bin"
    path.write_bytes(b"\x00 broken")
    assert list(opened(client).receipts()) == []
    aged(path, 4)
    (found,) = opened(client).receipts()  # by whatever process comes next
    assert found.data == b"\x00 broken"
    assert names(client.folder / "InBox" / "done") == []


@pytest.mark.parametrize("name", ["R.xml.tmp", "R.XML.PART", ".R.xml", "~R.xml"])
def test_names_of_unfinished_files_are_left(client: ImportClient, name: str) -> None:
    (client.folder / "InBox" / name).write_bytes(b"<a></a>")
    transport = opened(client)
    aged(client.folder / "InBox" / name, 60)
    assert list(transport.receipts()) == []


def test_a_stored_receipt_is_moved_and_no_older_one_lost(client: ImportClient) -> None:
    transport = opened(client)
    for body in (b"<a>1</a>", b"<a>2</a>"):
        client.leave_receipt("R.xml", body)
        for incoming in transport.receipts():
            incoming.acknowledge()
    done = client.folder / "InBox" / "done"
    assert {p.name: p.read_bytes() for p in done.iterdir()} == {
        "R.xml": b"<a>1</a>",
        "R.2.xml": b"<a>2</a>",
    }


def test_a_receipt_that_changed_after_reading_comes_again(client: ImportClient) -> None:
    transport = opened(client)
    client.leave_receipt("R.xml", b"<a>1</a>")
    (first,) = transport.receipts()
    (client.folder / "InBox" / "R.xml").write_bytes(b"<a>1</a><!-- more -->")
    first.acknowledge()
    aged(client.folder / "InBox" / "R.xml", 4)
    (second,) = transport.receipts()
    assert second.data == b"<a>1</a><!-- more -->"


def test_receipts_that_cannot_be_moved_do_not_block_the_others(client: ImportClient) -> None:
    transport, done = opened(client), client.folder / "InBox" / "done"
    done.rmdir()
    client.leave_receipt("A.xml", b"<a></a>")
    (first,) = transport.receipts()
    first.acknowledge()
    assert transport.trouble.startswith("cannot_write")
    client.leave_receipt("B.xml", b"<b></b>")
    assert [i.name for i in transport.receipts()] == ["B.xml"]
    done.mkdir()
    assert [i.name for i in transport.receipts()] == ["B.xml"]
    assert names(done) == ["A.xml"]


def test_a_receipt_too_large_is_named_and_left(
    client: ImportClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crossborder.transport.folder._MAX_RECEIPT", 100)
    client.leave_receipt("A.xml", b"<a>" + b"x" * 100 + b"</a>")
    client.leave_receipt("B.xml", b"<b></b>")
    transport = opened(client)
    assert [i.name for i in transport.receipts()] == ["B.xml"]
    assert transport.trouble == "too_large: A.xml"


def test_links_and_folders_in_the_in_box_are_no_receipts(
    client: ImportClient, tmp_path: Path
) -> None:
    (tmp_path / "precious").write_bytes(b"<a></a>")
    (client.folder / "InBox" / "L.xml").symlink_to(tmp_path / "precious")
    (client.folder / "InBox" / "D.xml").mkdir()
    assert list(opened(client).receipts()) == []


# ---- settings ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", ["", "nowhere/at/all"])
def test_a_missing_folder_is_named(address: str, tmp_path: Path) -> None:
    endpoint = Endpoint(transport="folder", address=str(tmp_path / address) if address else "")
    with pytest.raises(TransportError) as caught:
        FolderTransport(endpoint, "ningbo")
    assert caught.value.place == "endpoints.ningbo.address"


def test_a_box_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "OutBox").write_text("a file where a box belongs", encoding="utf-8")
    with pytest.raises(TransportError, match="OutBox") as caught:
        FolderTransport(Endpoint(transport="folder", address=str(tmp_path)), "ningbo")
    assert "OutBox" in caught.value.text("zh")
    assert caught.value.fix_zh.startswith("请")


def test_opening_leaves_nothing_behind(client: ImportClient) -> None:
    opened(client)
    assert [p for p in client.folder.rglob("*") if p.is_file()] == []


def test_digest_of_reads_the_file(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"x" * 3_000_000)
    assert boxes.digest_of(tmp_path / "f") == hashlib.sha256(b"x" * 3_000_000).hexdigest()
