"""The routes. Each calls the façade and shows its answer; errors are RFC 9457 problem documents."""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Header, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from crossborder import __version__
from crossborder.engine import Engine, Posted
from crossborder.errors import CrossborderError, NotFound
from crossborder.service.bodies import NotAccepted, Upload, read_body, read_upload

PROBLEM = "application/problem+json"


def problem(status: int, title: str, detail: str, **more: Any) -> JSONResponse:
    """An RFC 9457 problem document."""
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail, **more}
    return JSONResponse(body, status_code=status, media_type=PROBLEM)


def build_app(engine: Engine) -> FastAPI:
    """The service on an open engine."""
    app = FastAPI(
        title="crossborder", version=__version__,
        description="Post parcels, be told what became of them. 提交包裹，查询去向。",
    )  # fmt: skip
    limits = engine.settings.service
    _handlers(app)

    async def partner(authorization: Annotated[str, Header()] = "") -> tuple[int, str]:
        scheme, _, key = authorization.partition(" ")
        known = (
            await run_in_threadpool(engine.partner, key.strip())
            if scheme.lower() == "bearer"
            else None
        )
        if known is None:
            raise HTTPException(
                401, "send Authorization: Bearer KEY; `crossborder keys add` makes one"
            )
        return known

    Partner = Annotated[tuple[int, str], Depends(partner)]  # noqa: N806 - a type

    @app.get("/health")
    async def health() -> dict[str, str]:
        return {"status": "ok", "version": __version__}

    @app.post("/v1/batches", status_code=202)
    async def post_batch(
        request: Request, who: Partner,
        mapping: Annotated[str, Query()] = "",
        submit: Annotated[bool, Query()] = False,
        idempotency_key: Annotated[str, Header(max_length=128)] = "",
    ) -> JSONResponse:  # fmt: skip
        raw = await read_body(request, limits.max_body_bytes)
        upload = read_upload(
            raw, request.headers.get("content-type", ""), mapping, limits.max_shipments
        )
        letting_go = submit or upload.submit
        digest = _digest(raw, mapping, letting_go)
        posted = await run_in_threadpool(
            _post, engine, upload, who, idempotency_key, digest, letting_go
        )
        if not posted.same_body:
            raise HTTPException(422, "this Idempotency-Key was used with another body")
        return JSONResponse(
            _batch(posted.batch),
            status_code=202,
            headers={"Location": f"/v1/batches/{posted.batch['id']}"},
        )

    @app.get("/v1/batches/{batch_id}")
    async def get_batch(batch_id: str, who: Partner) -> dict[str, Any]:
        return _batch(await run_in_threadpool(engine.batch, batch_id, who[1]))

    @app.get("/v1/batches/{batch_id}/findings")
    async def get_findings(
        batch_id: str, who: Partner,
        limit: Annotated[int, Query(ge=1, le=10_000)] = 1000,
        after: Annotated[int, Query(ge=0)] = 0,
    ) -> dict[str, Any]:  # fmt: skip
        await run_in_threadpool(engine.batch, batch_id, who[1])
        rows = await run_in_threadpool(engine.findings, batch_id, limit, after)
        return {"format": 1, "batch": batch_id, "findings": rows}

    @app.get("/v1/shipments")
    async def get_shipments(
        who: Partner, house_waybill: Annotated[str, Query(min_length=1, max_length=64)]
    ) -> dict[str, Any]:
        found = await run_in_threadpool(engine.status, house_waybill, who[1])
        return {"format": 1, "house_waybill": house_waybill, "shipments": found}

    return app


def _post(
    engine: Engine, upload: Upload, who: tuple[int, str], key: str, digest: str, submit: bool
) -> Posted:
    return engine.post(
        upload.data, mapping=upload.mapping, partner=who, idempotency_key=key, body_digest=digest, submit=submit
    )  # fmt: skip


def _digest(raw: bytes, mapping: str, submit: bool) -> str:
    asked = json.dumps([mapping, submit]).encode()
    return hashlib.sha256(asked + b"\n" + raw).hexdigest()


def _batch(batch: dict[str, Any]) -> dict[str, Any]:
    here = f"/v1/batches/{batch['id']}"
    return {"format": 1, **batch, "links": {"self": here, "findings": f"{here}/findings"}}


def _handlers(app: FastAPI) -> None:
    @app.exception_handler(HTTPException)
    async def refused(_request: Request, error: HTTPException) -> JSONResponse:
        titles = {
            401: "Unauthorized",
            404: "Not Found",
            405: "Method Not Allowed",
            413: "Content Too Large",
            415: "Unsupported Media Type",
            422: "Unprocessable Content",
        }
        return problem(error.status_code, titles.get(error.status_code, "Error"), str(error.detail))

    @app.exception_handler(NotAccepted)
    async def not_accepted(_request: Request, error: NotAccepted) -> JSONResponse:
        return problem(error.status, error.title, error.detail, **error.more)

    @app.exception_handler(RequestValidationError)
    async def malformed(_request: Request, error: RequestValidationError) -> JSONResponse:
        where = [
            {"where": ".".join(str(p) for p in e["loc"]), "what": e["msg"]} for e in error.errors()
        ]
        return problem(
            422, "Unprocessable Content", "the request is not as documented", errors=where
        )

    @app.exception_handler(CrossborderError)
    async def clear(_request: Request, error: CrossborderError) -> JSONResponse:
        status = 404 if isinstance(error, NotFound) else 422
        return problem(
            status,
            "Not Found" if status == 404 else "Unprocessable Content",
            error.text("en"),
            detail_zh=error.text("zh"),
        )
