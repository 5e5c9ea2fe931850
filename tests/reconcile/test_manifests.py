"""Manifest first: what EXP312 does to manifests, their houses and the declarations that wait."""

from __future__ import annotations

import pytest

from crossborder.ledger import AttemptRecord
from crossborder.reconcile import differences

from .book import MASTER, VOYAGE, Book, house


def manifest(book: Book, part: int = 1) -> AttemptRecord:
    return [a for a in book.ledger.attempts_of(MASTER) if a.key.endswith(f"|{part}")][-1]


def waiting(book: Book, count: int = 3) -> str:
    """`count` declarations that await a manifest, which is filed."""
    batch = book.hand_in(range(count), listed=range(count), manifest_first=True)
    assert [o.kind for o in book.send()] == ["manifest"]
    return batch


def houses(book: Book) -> dict[str, str]:
    with book.ledger.applying(book.now) as desk:
        (found,) = desk.houses([manifest(book).id]).values()
    return {key.split("|")[1]: state for key, state in found.items()}


def test_ny_lets_all_houses_go(book: Book) -> None:
    waiting(book)
    book.say_manifest("DY", 1)
    book.apply()
    assert (manifest(book).state, book.send()) == ("stored", [])
    book.say_manifest("NY", 2)
    done = book.apply()
    assert (manifest(book).state, manifest(book).final, done.houses) == ("accepted", True, 3)
    assert manifest(book).live
    assert [o.kind for o in book.send()] == ["declaration"] * 3
    assert book.of(0).state == "sent"
    assert differences(book.ledger) == []


def test_a_house_that_was_refused_stays(book: Book) -> None:
    waiting(book)
    book.say_manifest("NY", 2, {0: "NY", 1: "NN"})
    book.apply()
    assert houses(book) == {house(0): "accepted", house(1): "refused", house(2): "accepted"}
    assert (book.of(1).state, book.of(1).attention) == ("awaiting_manifest", ("house_refused",))
    assert len(book.send()) == 2
    assert book.of(1).state == "awaiting_manifest"
    assert book.ledger.manifested([book.of(1).key]) == {}
    assert differences(book.ledger) == []


def test_a_refused_house_goes_once_another_manifest_carries_it(book: Book) -> None:
    waiting(book)
    book.say_manifest("NY", 2, {1: "NN"})
    book.apply()
    book.send()
    book.later(10)
    book.hand_in([], listed=[1], part=2, manifest_first=True)
    assert [o.key for o in book.send()] == [f"{MASTER}|{VOYAGE}|I|2"]
    book.say_manifest("NY", 11, {1: "NY"})
    book.apply()
    assert (manifest(book, 2).state, book.of(1).attention) == ("accepted", ())
    assert [o.key for o in book.send()] == [book.of(1).key]
    assert differences(book.ledger) == []


@pytest.mark.parametrize(("code", "state"), [("DN", "platform_failed"), ("NN", "refused")])
def test_a_refused_manifest_holds_everything_and_frees_its_key(
    book: Book, code: str, state: str
) -> None:
    waiting(book)
    book.say_manifest(code, 2)
    book.apply()
    assert (manifest(book).state, manifest(book).live) == (state, False)
    assert {a.attention for a in book.ledger.attempts_in(kind="declaration")} == {("house_refused",)}  # fmt: skip
    assert book.send() == []
    book.later(10)
    book.hand_in([], listed=range(3), manifest_first=True)
    assert [o.kind for o in book.send()] == ["manifest"]
    book.say_manifest("NY", 11)
    book.apply()
    assert (manifest(book).number, manifest(book).state) == (2, "accepted")
    assert {a.attention for a in book.ledger.attempts_in(kind="declaration")} == {()}
    assert len(book.send()) == 3
    assert differences(book.ledger) == []


def test_a_manifest_the_endpoint_declined_refuses_its_houses(book: Book) -> None:
    book.hand_in(range(2), listed=range(2), manifest_first=True)
    book.send("declined")
    assert set(houses(book).values()) == {"refused"}
    assert book.of(0).attention == ("house_refused",)
    assert differences(book.ledger) == []


def test_head_and_houses_may_come_apart_and_in_any_order(book: Book) -> None:
    waiting(book)
    book.say_manifest(None, 3, {1: "NN"})
    book.apply()
    assert houses(book)[house(1)] == "refused"
    book.say_manifest("NY", 2)
    book.apply()
    assert houses(book) == {house(0): "accepted", house(1): "refused", house(2): "accepted"}
    book.say_manifest(None, 1, {1: "NY"})
    book.apply()
    assert houses(book)[house(1)] == "refused"
    book.say_manifest(None, 4, {1: "NY"})
    book.apply()
    assert set(houses(book).values()) == {"accepted"}
    assert len(book.send()) == 3
    assert differences(book.ledger) == []


@pytest.mark.parametrize("order", [("NY", "NN"), ("NN", "NY")])
def test_on_a_tie_a_house_is_refused(book: Book, order: tuple[str, str]) -> None:
    waiting(book)
    for code in order:
        book.say_manifest(None, 1, {0: code})
        book.apply()
    assert houses(book)[house(0)] == "refused"


def test_a_house_refused_after_all_holds_what_has_not_left(book: Book) -> None:
    waiting(book)
    book.say_manifest("NY", 1)
    book.apply()
    book.say_manifest(None, 2, {0: "NN"})
    book.apply()
    assert (houses(book)[house(0)], book.of(0).state) == ("refused", "awaiting_manifest")
    assert len(book.send()) == 2
    book.say_manifest(None, 1, {2: "NY"})
    book.say_manifest(None, 2, {2: "NN"})
    book.apply()
    assert manifest(book).attention == ("contradictory",)


def test_nn_after_ny_for_the_head_waits_for_a_person(book: Book) -> None:
    waiting(book)
    book.say_manifest("NY", 1)
    book.apply()
    book.say_manifest("NN", 2)
    book.apply()
    assert (manifest(book).state, manifest(book).attention) == ("accepted", ("contradictory",))
    assert set(houses(book).values()) == {"accepted"}


def test_without_a_voyage_the_master_waybill_is_enough(book: Book) -> None:
    waiting(book)
    book.say_manifest("NY", 1, voyage=None)
    book.apply()
    assert manifest(book).state == "accepted"


def test_another_voyage_is_not_ours(book: Book) -> None:
    waiting(book)
    book.say_manifest("NY", 1, voyage="CX12")
    assert dict(book.apply().outcomes) == {"unmatched": 1}
    assert book.apply().lines == 0
    assert manifest(book).state == "sent"


def test_a_house_nobody_listed_stays_unmatched(book: Book) -> None:
    waiting(book)
    book.say_manifest("NY", 9, {0: "NY", 7: "NN"})  # the clock of the port is a minute behind
    assert dict(book.apply().outcomes) == {"applied": 2, "unmatched": 1}
    assert book.apply().lines == 0
    book.later(10)
    book.hand_in([7], listed=[7], part=2, manifest_first=True)
    book.send()
    assert dict(book.apply().outcomes) == {"applied": 1}
    assert book.of(7).attention == ("house_refused",)


def test_a_receipt_before_its_manifest_is_kept(book: Book) -> None:
    book.say_manifest("NY", 1)
    assert dict(book.apply().outcomes) == {"unmatched": 1}
    waiting(book)
    assert dict(book.apply().outcomes) == {"applied": 1}
    assert manifest(book).state == "accepted"


def test_an_appended_part_goes_when_the_part_before_is_accepted(book: Book) -> None:
    waiting(book)
    book.hand_in([5], listed=[5], part=2, manifest_first=True)
    assert book.send() == []
    book.say_manifest("NY", 1)
    book.apply()
    sent = book.send()
    assert [o.kind for o in sent] == ["manifest", *["declaration"] * 3]
    book.later(5)
    book.say_manifest("NY", 6)
    book.apply()
    assert (manifest(book, 1).state, manifest(book, 2).state) == ("accepted", "accepted")
    assert [o.key for o in book.send()] == [book.of(5).key]


def test_an_appended_part_nobody_let_go_stays(book: Book) -> None:
    waiting(book)
    later = book.hand_in([5], listed=[5], part=2, manifest_first=True, release=False)
    book.say_manifest("NY", 1)
    book.apply()
    assert len(book.send()) == 3
    book.ledger.release([later], "tester", book.now, {"hangzhou": True})
    assert [o.kind for o in book.send()] == ["manifest"]


def test_a_receipt_naming_houses_belongs_to_the_part_that_lists_them(book: Book) -> None:
    """Both parts have left; the receipt's time says part 2, its houses say part 1."""
    waiting(book)
    book.say_manifest("NY", 1)
    book.apply()
    book.later(5)
    book.hand_in([5], listed=[5], part=2, manifest_first=True)
    book.send()
    book.say_manifest("NN", 6, {0: "NN"})
    book.apply()
    assert (manifest(book, 1).attention, manifest(book, 2).state) == (("contradictory",), "sent")


def test_a_declaration_whose_house_is_already_accepted_does_not_wait(book: Book) -> None:
    """A refused declaration, repaired: its house stands on the manifest from before."""
    waiting(book)
    book.say_manifest("NY", 1)
    book.apply()
    book.send()
    book.told(0, ("N", 3))
    book.later(10)
    book.hand_in([0], manifest_first=True)
    assert [o.key for o in book.send()] == [book.of(0).key]
    assert book.of(0).number == 2
    assert differences(book.ledger) == []


def test_an_unknown_manifest_is_proved_received_by_its_receipt(book: Book) -> None:
    book.hand_in([0], listed=[0], manifest_first=True)
    book.send("unknown")
    book.say_manifest("DY", 1)
    book.apply()
    assert manifest(book).state == "stored"


def test_codes_that_are_not_for_houses(book: Book) -> None:
    waiting(book)
    book.say_manifest("NY", 1, {0: "DY", 1: "X9"})
    assert dict(book.apply().outcomes) == {"applied": 1, "noted": 1, "unknown_code": 1}
    assert manifest(book).attention == ("unknown_code",)
    assert set(houses(book).values()) == {"accepted"}
