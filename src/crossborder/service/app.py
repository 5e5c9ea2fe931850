"""The routes. Each calls the façade and shows its answer; errors are RFC 9457 problem documents."""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Header, Query, Request
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

from crossborder import __version__
from crossborder.engine import Engine, Posted
from crossborder.service import problems
from crossborder.service.bodies import Upload, read_body, read_upload
from crossborder.service.describe import POST_BODY, describe
from crossborder.service.problems import NotAccepted

Caller = tuple[int, str]
"""Id and name of the partner whose key was sent."""


async def partner(request: Request, authorization: Annotated[str, Header()] = "") -> Caller:
    """Who calls, by the key that was sent. Raises `NotAccepted`."""
    engine: Engine = request.app.state.engine
    scheme, _, key = authorization.partition(" ")
    known = None
    if scheme.lower() == "bearer" and key.strip():
        known = await run_in_threadpool(engine.partner, key.strip())
    if known is None:
        raise NotAccepted(
            401, "send Authorization: Bearer KEY; `crossborder keys add` makes one",
            "请发送 Authorization: Bearer 密钥；密钥由 crossborder keys add 生成",
        )  # fmt: skip
    return known


Partner = Annotated[Caller, Depends(partner)]


def build_app(engine: Engine) -> FastAPI:
    """The service on an open engine. Its engine calls run in threads; the app itself holds no state."""
    app = FastAPI(
        title="crossborder", version=__version__, docs_url=None, redoc_url=None,
        description="Post parcels, be told what became of them. 提交包裹，查询去向。",
    )  # fmt: skip
    app.state.engine = engine
    limits = engine.settings.service
    problems.install(app)
    describe(app)

    @app.get("/health", summary="Is the service alive?")
    async def health() -> dict[str, str]:
        return {"status": "ok", "version": __version__}

    @app.post(
        "/v1/batches", status_code=202, summary="Hand in parcels", openapi_extra=POST_BODY
    )  # fmt: skip
    async def post_batch(
        request: Request, who: Partner,
        mapping: Annotated[str, Query(max_length=64, pattern=r"^[\w-]*$", description="how the file is to be read")] = "",
        submit: Annotated[bool, Query(description="file it as soon as it is recorded")] = False,
        idempotency_key: Annotated[str, Header(max_length=128)] = "",
    ) -> JSONResponse:  # fmt: skip
        raw = await read_body(request, limits.max_body_bytes)
        kind = request.headers.get("content-type", "")
        upload = await run_in_threadpool(read_upload, raw, kind, mapping, limits.max_shipments)
        asked = (mapping, submit or upload.submit)
        digest = hashlib.sha256(json.dumps(asked).encode() + b"\n" + raw).hexdigest()
        posted = await run_in_threadpool(_post, engine, upload, who, idempotency_key, digest, asked[1])  # fmt: skip
        if not posted.same_body:
            raise NotAccepted(
                422, "this Idempotency-Key was used with another body", "该 Idempotency-Key 已用于其他内容"
            )  # fmt: skip
        answer = _batch(posted.batch) | {"let_go": list(posted.let_go)} | _not_filed(posted)
        return JSONResponse(answer, status_code=202, headers={"Location": answer["links"]["self"]})

    @app.get("/v1/batches/{batch_id}", summary="A batch and where its parcels stand")
    async def get_batch(batch_id: str, who: Partner) -> dict[str, Any]:
        return _batch(await run_in_threadpool(engine.batch, batch_id, who[1]))

    @app.get("/v1/batches/{batch_id}/findings", summary="What was found in a batch")
    async def get_findings(
        batch_id: str, who: Partner,
        limit: Annotated[int, Query(ge=1, le=10_000)] = 1000,
        after: Annotated[int, Query(ge=0, description="how many to pass over")] = 0,
    ) -> dict[str, Any]:  # fmt: skip
        await run_in_threadpool(engine.batch, batch_id, who[1])
        rows = await run_in_threadpool(engine.findings, batch_id, limit, after)
        here = f"/v1/batches/{batch_id}/findings"
        more = {"next": f"{here}?limit={limit}&after={after + limit}"} if len(rows) == limit else {}
        return {"format": 1, "batch": batch_id, "findings": rows, "links": {"self": here, **more}}

    @app.get("/v1/shipments", summary="The story of a parcel")
    async def get_shipments(
        who: Partner, house_waybill: Annotated[str, Query(min_length=1, max_length=64)]
    ) -> dict[str, Any]:
        found = await run_in_threadpool(engine.status, house_waybill, who[1])
        return {"format": 1, "house_waybill": house_waybill, "shipments": found}

    return app


def _post(
    engine: Engine, upload: Upload, who: Caller, key: str, digest: str, submit: bool
) -> Posted:
    try:
        return engine.post(
            upload.data, mapping=upload.mapping, partner=who, idempotency_key=key, body_digest=digest, submit=submit
        )  # fmt: skip
    finally:
        upload.close()


def _batch(batch: dict[str, Any]) -> dict[str, Any]:
    here = f"/v1/batches/{batch['id']}"
    return {"format": 1, **batch, "links": {"self": here, "findings": f"{here}/findings"}}


def _not_filed(posted: Posted) -> dict[str, Any]:
    """Why a batch that is recorded could not be let go, although that was asked for."""
    error = posted.not_filed
    if error is None:
        return {}
    return {"not_filed": {"detail": error.text("en"), "detail_zh": error.text("zh")}}
