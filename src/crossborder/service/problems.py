"""Errors of the service as RFC 9457 problem documents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from crossborder import log
from crossborder.engine import KeyInUse
from crossborder.errors import CrossborderError, NotFound

MEDIA_TYPE = "application/problem+json"
TITLES = {
    400: "Bad Request", 401: "Unauthorized", 404: "Not Found", 405: "Method Not Allowed", 409: "Conflict", 413: "Content Too Large",
    415: "Unsupported Media Type", 422: "Unprocessable Content", 500: "Internal Server Error",
}  # fmt: skip
_log = log.get("service")

Errors = Sequence[Mapping[str, str]]
"""Places in the body and what is wrong there: `pointer` (RFC 6901), `detail`, `detail_zh`."""


class NotAccepted(Exception):
    """A request that is not taken; nothing was recorded."""

    def __init__(self, status: int, en: str, zh: str, errors: Errors = ()) -> None:
        super().__init__(en)
        self.status, self.en, self.zh, self.errors = status, en, zh, list(errors)


def problem(
    status: int, en: str, zh: str = "", *, headers: Mapping[str, str] | None = None, **more: Any
) -> JSONResponse:
    """A problem document: `type, title, status, detail, detail_zh` and whatever else there is to say."""
    title = TITLES.get(status, "Error")
    body = {"type": "about:blank", "title": title, "status": status, "detail": en, "detail_zh": zh or en}  # fmt: skip
    body |= {name: value for name, value in more.items() if value}
    return JSONResponse(
        body, status_code=status, media_type=MEDIA_TYPE, headers=dict(headers or {})
    )


def install(app: FastAPI) -> None:
    """Answer every error of the app as a problem document."""

    @app.exception_handler(HTTPException)
    async def refused(_request: Request, error: HTTPException) -> JSONResponse:
        return problem(error.status_code, str(error.detail), headers=error.headers)

    @app.exception_handler(NotAccepted)
    async def not_accepted(_request: Request, error: NotAccepted) -> JSONResponse:
        headers = {"WWW-Authenticate": "Bearer"} if error.status == 401 else None
        return problem(error.status, error.en, error.zh, headers=headers, errors=error.errors)

    @app.exception_handler(RequestValidationError)
    async def malformed(_request: Request, error: RequestValidationError) -> JSONResponse:
        errors = [
            {"pointer": "/".join(str(part) for part in one["loc"]), "detail": one["msg"]}
            for one in error.errors()
        ]
        return problem(422, "the request is not as documented", "请求不符合接口说明", errors=errors)

    @app.exception_handler(CrossborderError)
    async def clear(_request: Request, error: CrossborderError) -> JSONResponse:
        if isinstance(error, KeyInUse):
            return problem(409, error.text("en"), error.text("zh"), headers={"Retry-After": "1"})
        status = 404 if isinstance(error, NotFound) else 422
        return problem(status, error.text("en"), error.text("zh"))

    @app.exception_handler(Exception)
    async def failed(_request: Request, error: Exception) -> JSONResponse:
        _log.error("a request failed", kind=type(error).__name__)
        return problem(
            500,
            "an error of the service; with the same Idempotency-Key the request can safely be repeated",
            "服务内部错误；可用同一 Idempotency-Key 安全重发",
        )
