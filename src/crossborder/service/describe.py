"""What `/openapi.json` says beyond the routes: bodies of a post, the key, the columns of a shipment."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from crossborder.service.bodies import FILES
from crossborder.service.problems import MEDIA_TYPE
from crossborder.shipments.models import Shipment

_PLACE = "#/components/schemas/{model}"
_FILE = {"schema": {"type": "string", "format": "binary"}}
_BODY = {
    "type": "object",
    "required": ["shipments"],
    "additionalProperties": False,
    "properties": {
        "submit": {"type": "boolean", "default": False, "description": "file it as soon as it is recorded"},
        "shipments": {"type": "array", "minItems": 1, "items": {"$ref": _PLACE.format(model="Shipment")}},
    },
}  # fmt: skip
_PROBLEM = {
    "type": "object",
    "properties": {
        "type": {"type": "string"}, "title": {"type": "string"}, "status": {"type": "integer"},
        "detail": {"type": "string"}, "detail_zh": {"type": "string"},
        "errors": {"type": "array", "items": {"type": "object"}},
    },
}  # fmt: skip
POST_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": _BODY}, **dict.fromkeys(FILES, _FILE)},
    }
}


def describe(app: FastAPI) -> None:
    """Give the app an OpenAPI document with the shipment's schema, problem documents and the bearer key."""

    def openapi() -> dict[str, Any]:
        if not app.openapi_schema:
            app.openapi_schema = _document(app)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # the documented way to extend it


def _document(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(
        title=app.title, version=app.version, description=app.description, routes=app.routes
    )
    shipment = Shipment.model_json_schema(ref_template=_PLACE)
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    schemas |= shipment.pop("$defs", {}) | {"Shipment": shipment, "Problem": _PROBLEM}
    document["components"]["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
    document["security"] = [{"key": []}]
    refused = {
        "description": "refused; nothing was recorded",
        "content": {MEDIA_TYPE: {"schema": {"$ref": _PLACE.format(model="Problem")}}},
    }
    for path in document["paths"].values():
        for route in path.values():
            route["responses"] = {k: v for k, v in route["responses"].items() if k != "422"}
            route["responses"]["4XX"] = refused
    return document
