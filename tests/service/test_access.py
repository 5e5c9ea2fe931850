"""Who may see what: keys, partners, and what an unknown caller is told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.service.house import Partner, parcels

from crossborder.cli import main
from crossborder.engine import Engine

PATHS = ("/v1/batches/20261123-01", "/v1/batches/20261123-01/findings", "/v1/shipments?house_waybill=A")  # fmt: skip


@pytest.mark.parametrize("key", ["", "cb_wrong", "x" * 5000])
@pytest.mark.parametrize("path", PATHS)
def test_without_a_good_key_nothing_is_told(shop: Partner, path: str, key: str) -> None:
    answer = shop.ask("GET", path, key=key)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.headers["content-type"] == "application/problem+json"
    assert "keys add" in answer.json()["detail"]


def test_another_scheme_is_no_key(shop: Partner) -> None:
    answer = shop.ask("GET", PATHS[0], headers={"Authorization": f"Basic {shop.key}"})
    assert answer.status_code == 401


def test_a_post_without_a_key_records_nothing(shop: Partner, engine: Engine) -> None:
    answer = shop.ask("POST", "/v1/batches", key="no", json={"shipments": parcels(1)})
    assert answer.status_code == 401
    assert engine.batches() == []


def test_a_partner_sees_only_its_own(shop: Partner, engine: Engine) -> None:
    other = Partner(engine, "shop-one.b")
    mine = parcels(1)
    batch = shop.post({"shipments": mine}).json()
    house = mine[0]["house_waybill"]
    for path in batch["links"].values():
        assert shop.get(path).status_code == 200
        answer = other.get(path)
        assert answer.status_code == 404
        assert answer.json()["title"] == "Not Found"
    assert len(shop.get(f"/v1/shipments?house_waybill={house}").json()["shipments"]) == 1
    assert other.get(f"/v1/shipments?house_waybill={house}").json()["shipments"] == []
    master = mine[0]["master_waybill"]
    assert other.get(f"/v1/shipments?house_waybill={master}").json()["shipments"] == []


def test_what_the_desk_hands_in_is_no_partners_business(shop: Partner, engine: Engine) -> None:
    sent = parcels(1)
    batch = engine.prepare(sent).batch
    assert shop.get(f"/v1/batches/{batch}").status_code == 404
    house = sent[0]["house_waybill"]
    assert shop.get(f"/v1/shipments?house_waybill={house}").json()["shipments"] == []


@pytest.mark.parametrize("name", ["a/b", "", "-x", "..", "x" * 65, "商店", "a b"])
def test_a_name_that_could_be_taken_for_another_partner_is_refused(
    home: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["keys", "add", "--", name]) == 2
    assert capsys.readouterr().out == ""


def test_a_key_is_shown_once_and_stored_as_a_digest(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["keys", "add", "shop-two", "--lang", "en"]) == 0
    key = capsys.readouterr().out.strip()
    assert len(key) > 40
    assert main(["keys", "add", "shop-two", "--lang", "en"]) == 2
    assert "shop-two" in capsys.readouterr().err
    assert main(["keys", "list", "--json"]) == 0
    listed = capsys.readouterr().out
    assert [k["name"] for k in json.loads(listed)["keys"]] == ["shop-two"]
    assert key not in listed
    for file in home.rglob("*"):
        if file.is_file():
            assert key.encode() not in file.read_bytes(), file
    with Engine() as engine:
        assert engine.partner(key) == (1, "shop-two")


def test_a_revoked_key_counts_no_longer(shop: Partner, capsys: pytest.CaptureFixture[str]) -> None:
    assert shop.get("/v1/shipments?house_waybill=A").status_code == 200
    assert main(["keys", "revoke", "shop-one"]) == 0
    assert shop.get("/v1/shipments?house_waybill=A").status_code == 401
    assert main(["keys", "revoke", "shop-one"]) == 2
    assert main(["keys", "list", "--lang", "en"]) == 0
    assert "revoked" in capsys.readouterr().out


def test_an_unknown_path_and_method_are_problems_too(shop: Partner) -> None:
    for method, path, status in (("GET", "/v1/nothing", 404), ("DELETE", "/v1/batches", 405)):
        answer = shop.ask(method, path)
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["status"] == status


def test_an_argument_out_of_bounds_is_named(shop: Partner) -> None:
    answer = shop.get("/v1/shipments")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "query/house_waybill"
    batch = shop.post({"shipments": parcels(1)}).json()["id"]
    assert shop.get(f"/v1/batches/{batch}/findings?limit=0").status_code == 422


def test_a_failure_of_ours_tells_nothing_but_that(
    shop: Partner, engine: Engine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:  # fmt: skip
    def broken(*_args: object, **_asked: object) -> None:
        raise RuntimeError("330200197404189778 in the message")

    monkeypatch.setattr(engine, "post", broken)
    answer = shop.post({"shipments": parcels(1)})
    assert answer.status_code == 500
    assert "Idempotency-Key" in answer.json()["detail"]
    told = answer.text + "".join(capsys.readouterr())
    assert "330200197404189778" not in told
    assert "RuntimeError" in told


def test_the_service_describes_itself(shop: Partner) -> None:
    document = shop.get("/openapi.json").json()
    schemas = document["components"]["schemas"]
    assert {"Shipment", "GoodsLine", "Document", "Problem"} <= set(schemas)
    assert "house_waybill" in schemas["Shipment"]["properties"]
    body = document["paths"]["/v1/batches"]["post"]["requestBody"]["content"]
    assert body["application/json"]["schema"]["properties"]["shipments"]["items"] == {
        "$ref": "#/components/schemas/Shipment"
    }
    assert shop.get("/docs").status_code == 404
    assert shop.ask("GET", "/health", key="").json()["status"] == "ok"
