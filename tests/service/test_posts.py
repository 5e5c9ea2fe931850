"""Posting parcels: what is recorded, what is refused, and that a key makes a post happen once."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from tests.service.house import Parcel, Partner, parcels, port, settings_text

from crossborder import china_time, samples, settings
from crossborder.engine import Engine
from crossborder.ledger import Ledger
from crossborder.sandbox import Sandbox
from crossborder.service import build_app


def pointers(answer: Any) -> list[str]:
    return [error["pointer"] for error in answer.json()["errors"]]


def refused(answer: Any, status: int, said: str) -> None:
    """A problem document that says so, in both languages."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == status
    assert body["title"]
    assert body["type"] == "about:blank"
    assert said in body["detail"]
    assert body["detail_zh"]


def test_a_post_is_recorded_and_says_where_to_look(shop: Partner, engine: Engine) -> None:
    answer = shop.post({"shipments": parcels(3)})
    assert answer.status_code == 202
    body = answer.json()
    assert body["format"] == 1
    assert body["counts"] == {"prepared": 3}
    assert body["submitted_at"] is None
    assert body["account"]["handed_in"] == [3, 3]
    assert answer.headers["location"] == body["links"]["self"] == f"/v1/batches/{body['id']}"
    assert engine.batch(body["id"])["counts"] == {"prepared": 3}
    assert shop.get(body["links"]["self"]).json()["counts"] == {"prepared": 3}
    assert shop.get(body["links"]["findings"]).status_code == 200


def test_bad_values_are_findings_not_errors(shop: Partner) -> None:
    sent = parcels(3)
    sent[1]["movement_date"] = "20261399"
    sent[2]["gross_weight"] = "a lot"
    body = shop.post({"shipments": sent}).json()
    assert body["counts"] == {"prepared": 1, "rejected": 2}
    found = shop.get(body["links"]["findings"]).json()["findings"]
    rejected = {(f["shipment"], f["row"]) for f in found if f["severity"] == "reject"}
    assert rejected == {(sent[1]["house_waybill"], 2), (sent[2]["house_waybill"], 3)}
    assert {"zh", "en", "fix", "rule", "column", "element", "value"} <= set(found[0])


def test_findings_come_in_pages(shop: Partner) -> None:
    sent = parcels(4)
    for parcel in sent:
        parcel["gross_weight"] = "x"
    links = shop.post({"shipments": sent}).json()["links"]
    every = shop.get(links["findings"]).json()["findings"]
    page = shop.get(f"{links['findings']}?limit=3").json()
    assert page["findings"] == every[:3]
    rest = []
    while "next" in page["links"]:
        page = shop.get(page["links"]["next"]).json()
        rest += page["findings"]
    assert every[:3] + rest == every


def test_numbers_keep_the_digits_they_were_written_with(shop: Partner, engine: Engine) -> None:
    text = json.dumps({"shipments": parcels(1)})
    weight = json.loads(text)["shipments"][0]["gross_weight"]
    assert f'"gross_weight": "{weight}"' in text
    bare = text.replace(f'"gross_weight": "{weight}"', f'"gross_weight": {weight}')
    answer = shop.send(bare, "application/json")
    assert answer.json()["counts"] == {"prepared": 1}
    again = shop.post({"shipments": parcels(1)})
    assert again.json()["counts"] == {"already_filed": 1}


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ([], "expected"),
        ({"submit": True}, "expected"),
        ({"shipments": []}, "1 to"),
        ({"shipments": [1]}, "every shipment is an object"),
        ({"shipments": [{"house_waybill": "A"}], "sumbit": True}, "did you mean 'submit'"),
        ({"shipments": [{"house_waybill": "A"}], "submit": "yes"}, "true or false"),
        ({"shipments": [{"house_waybill": "A", "goods": {}}]}, "a list of objects"),
        ({"shipments": [{"house_waybill": "A", "goods": [1]}]}, "an object"),
        ({"shipments": [{"house_waybill": ["A"]}]}, "text, a number"),
        ({"shipments": [{"house_waybil": "A", "goods": []}]}, "did you mean 'house_waybill'"),
        ({"shipments": [{"a": {"b": {"c": {"d": {"e": {"f": {"g": 1}}}}}}}]}, "nested deeper"),
    ],
)
def test_a_body_of_the_wrong_shape_is_refused_whole(
    shop: Partner, engine: Engine, body: Any, said: str
) -> None:
    refused(shop.post(body), 422, said)
    assert engine.batches() == []


def test_every_wrong_key_is_named_by_its_place(shop: Partner, engine: Engine) -> None:
    sent = parcels(2)
    sent[0]["recever_name"] = "x"
    sent[1]["goods"][0]["gross/weight"] = 1
    sent[1]["documents"] = [{"code": ["x"]}]
    answer = shop.post({"shipments": sent})
    refused(answer, 422, "did you mean 'receiver_name'?")
    assert pointers(answer) == [
        "/shipments/0/recever_name",
        "/shipments/1/goods/0/gross~1weight",
        "/shipments/1/documents/0/code",
    ]
    assert engine.batches() == []


def test_a_thousand_faults_are_not_a_thousand_lines(shop: Partner) -> None:
    answer = shop.post({"shipments": [{"house_waybill": "A", "x": 1}] * 1000})
    assert len(pointers(answer)) == 20


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b'{"shipments": [], "shipments": []}', "occurs twice"),
        (b"[" * 100_000, "not JSON"),
    ],
)
def test_what_is_not_json_says_so(shop: Partner, raw: bytes, said: str) -> None:
    answer = shop.send(raw, "application/json")
    refused(answer, 422, said)


def test_a_body_of_unknown_type_is_refused(shop: Partner) -> None:
    answer = shop.send(b"x", "text/plain")
    refused(answer, 415, "application/json")


def test_a_body_that_is_too_large_is_refused(home: Path) -> None:
    (home / "crossborder.toml").write_text(
        settings_text(None, "max_body_bytes = 1000\nmax_shipments = 2"), encoding="utf-8"
    )
    with Engine(settings.load(home=home)) as engine:
        shop = Partner(engine, "shop-one")
        refused(shop.post({"shipments": parcels(1)}), 413, "at most 1000 bytes")

        async def chunks() -> AsyncIterator[bytes]:
            yield b"x" * 600
            yield b"x" * 600

        refused(shop.send(chunks(), "application/json"), 413, "at most 1000 bytes")
        refused(shop.post({"shipments": [{"house_waybill": "A"}] * 3}), 422, "1 to 2 shipments")


@pytest.mark.parametrize(
    ("suffix", "kind", "mapping"),
    [
        (".csv", "text/csv", "elements"),
        (".csv", "text/csv; charset=utf-8", "zh-desk"),
        (".ndjson", "application/x-ndjson", "canonical"),
        (".xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "elements"),
        (".parquet", "application/vnd.apache.parquet", "elements"),
    ],
)
def test_a_file_is_read_through_its_mapping(
    shop: Partner, tmp_path: Path, suffix: str, kind: str, mapping: str
) -> None:
    file = tmp_path / f"day{suffix}"
    samples.create(file, shipments=4, seed=3, day=china_time.now().date(), mapping=mapping)
    answer = shop.send(file.read_bytes(), kind, f"?mapping={mapping}")
    assert answer.status_code == 202, answer.text
    assert answer.json()["counts"] == {"prepared": 4}
    assert answer.json()["mapping"] == mapping


def test_a_file_that_cannot_be_read_is_refused(shop: Partner, engine: Engine) -> None:
    refused(shop.send(b"a,b\n1,2\n", "text/csv", "?mapping=elements"), 422, "missing columns")
    refused(shop.send(b"a\n1\n", "text/csv", "?mapping=nobody"), 422, "nobody")
    refused(shop.send(b"a\n1\n", "text/csv", "?mapping=../x"), 422, "not as documented")
    refused(shop.send(b"", "text/csv", "?mapping=elements"), 422, "empty")
    assert engine.batches() == []


def test_the_same_key_and_body_make_one_batch(shop: Partner, engine: Engine) -> None:
    body = {"shipments": parcels(2)}
    first = shop.post(body, idempotency="order-1")
    again = shop.post(body, idempotency="order-1")
    assert first.status_code == again.status_code == 202
    assert first.json()["id"] == again.json()["id"]
    assert len(engine.batches()) == 1


def test_the_same_key_with_another_body_is_refused(shop: Partner, engine: Engine) -> None:
    shop.post({"shipments": parcels(1)}, idempotency="order-1")
    refused(shop.post({"shipments": parcels(2)}, idempotency="order-1"), 422, "another body")
    refused(
        shop.post({"shipments": parcels(1), "submit": True}, idempotency="order-1"),
        422,
        "another body",
    )
    assert len(engine.batches()) == 1


def test_a_key_survives_a_restart(shop: Partner, engine: Engine, home: Path) -> None:
    body = {"shipments": parcels(2)}
    first = shop.post(body, idempotency="order-1").json()
    engine.close()
    with Engine(settings.load(home=home)) as later:
        shop.app = build_app(later)
        assert shop.post(body, idempotency="order-1").json()["id"] == first["id"]
        assert len(later.batches()) == 1


def test_keys_of_two_partners_do_not_meet(shop: Partner, engine: Engine) -> None:
    other = Partner(engine, "shop-two")
    mine = shop.post({"shipments": parcels(1, seed=1)}, idempotency="1").json()["id"]
    theirs = other.post({"shipments": parcels(1, seed=2)}, idempotency="1").json()["id"]
    assert mine != theirs


def test_posts_at_the_same_time_are_all_recorded_once(shop: Partner, engine: Engine) -> None:
    days = [parcels(2, seed=seed) for seed in range(1, 7)]

    def send(number: int) -> Parcel:
        answer = shop.post({"shipments": days[number % 6]}, idempotency=f"order-{number % 6}")
        assert answer.status_code == 202, answer.text
        body: Parcel = answer.json()
        return body

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(send, range(12)))
    batches = {answer["id"] for answer in answers}
    assert len(batches) == len(engine.batches()) == 6
    assert [a["id"] for a in answers[:6]] == [a["id"] for a in answers[6:]]
    assert engine.account()["handed_in"][0] == 12
    assert engine.reconcile(ask_endpoints=False).differences == []


def test_a_request_that_another_process_works_on_is_answered_when_that_is_done(
    shop: Partner, engine: Engine, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two services share a ledger: the same post reaches both, the second while the first one records it."""
    body = {"shipments": parcels(2)}
    seal, met = Ledger.seal, []
    with Engine(settings.load(home=home)) as elsewhere:
        other = build_app(elsewhere)

        def sealed(ledger: Ledger, *asked: Any, **more: Any) -> Any:
            if not met:
                met.append(ledger)
                shop.app = other
                answer = shop.post(body, idempotency="order-1")
                refused(answer, 409, "being worked on")
                assert answer.headers["Retry-After"] == "1"
            return seal(ledger, *asked, **more)

        monkeypatch.setattr(Ledger, "seal", sealed)
        first = shop.post(body, idempotency="order-1").json()
        again = shop.post(body, idempotency="order-1").json()  # at the other one
        assert met == [engine.ledger]
        assert again["id"] == first["id"]
        assert [b["id"] for b in elsewhere.batches()] == [first["id"]]


def test_submit_without_an_address_is_recorded_and_says_why_it_waits(shop: Partner) -> None:
    body = {"submit": True, "shipments": parcels(1)}
    answer = shop.post(body, idempotency="1")
    assert answer.status_code == 202
    assert "no address" in answer.json()["not_filed"]["detail"]
    assert answer.json()["submitted_at"] is None
    again = shop.post(body, idempotency="1")
    assert "no address" in again.json()["not_filed"]["detail"]


def filed_home(folder: Path, sandbox: Sandbox) -> Any:
    """Settings of a home whose endpoints are this sandbox."""
    folder.mkdir()
    (folder / "crossborder.toml").write_text(settings_text(sandbox), encoding="utf-8")
    return settings.load(home=folder)


def test_what_was_posted_without_submit_is_filed_when_it_is_posted_again(tmp_path: Path) -> None:
    with (
        port(tmp_path / "port") as sandbox,
        Engine(filed_home(tmp_path / "home", sandbox)) as engine,
    ):
        shop = Partner(engine, "shop-one")
        first = shop.post({"shipments": parcels(4)}).json()
        assert (first["let_go"], first["settled"]) == ([], True)
        assert [e["what"] for e in first["needs_attention"]] == ["not_submitted"] * 2
        kept = shop.post({"shipments": parcels(4)}).json()
        assert kept["let_go"] == []
        assert kept["already_filed_in"] == [
            {"batch": first["id"], "submitted": False, "shipments": 4}
        ]
        second = shop.post({"shipments": parcels(4), "submit": True}, idempotency="n").json()
        assert second["let_go"] == [first["id"], second["id"]]
        assert "not_filed" not in second
        assert second["already_filed_in"] == [
            {"batch": first["id"], "submitted": True, "shipments": 4}
        ]
        assert engine.batch(first["id"])["submitted_by"] == "partner shop-one"
        again = shop.post({"shipments": parcels(4), "submit": True}, idempotency="n").json()
        assert (again["id"], again["let_go"]) == (second["id"], [])
        assert shop.get(first["links"]["self"]).json()["settled"] is False
        engine.submit([first["id"]], wait=20)
        assert sandbox.wait_idle()
        engine.receive()
        done = shop.get(first["links"]["self"]).json()
        assert (done["settled"], done["account"]["released"][0]) == (True, 4)


def test_what_somebody_else_handed_in_is_not_let_go_and_not_named(tmp_path: Path) -> None:
    with (
        port(tmp_path / "port") as sandbox,
        Engine(filed_home(tmp_path / "home", sandbox)) as engine,
    ):
        other, shop = Partner(engine, "shop"), Partner(engine, "shop-one")
        theirs = other.post({"shipments": parcels(4)[:3]}).json()
        mine = shop.post({"shipments": parcels(4), "submit": True}).json()
        assert mine["let_go"] == [mine["id"]]
        assert mine["already_filed_in"] == [{"batch": None, "submitted": False, "shipments": 3}]
        assert theirs["id"] not in json.dumps(mine)
        assert "already_filed_not_submitted" in {e["what"] for e in mine["needs_attention"]}
        assert engine.batch(theirs["id"])["submitted_at"] is None
