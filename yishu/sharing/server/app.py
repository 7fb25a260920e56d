"""`create_app`: the channels of one house as an ASGI application."""

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from catalog.errors import YishuError
from yishu.library.errors import LibraryError
from yishu.sharing.errors import AccessDenied, GrantHeld, GrantStale, UseNotRecorded
from yishu.sharing.house import House
from yishu.sharing.server import delta, downloads, handover, licences, rows, verification
from yishu.sharing.server.gate import Gate


def create_app(house: House) -> FastAPI:
    """The channels of a house."""
    app = FastAPI(title="Yishu sharing", version="v1", docs_url=None, redoc_url=None)
    app.state.gate = Gate(house)
    for area in (rows, verification, licences, downloads, handover, delta):
        app.include_router(area.router)
    app.add_exception_handler(YishuError, _problem)
    app.add_exception_handler(RequestValidationError, _not_understood)
    return app


def status_of(error: Exception) -> int:
    """The HTTP status that says what an error is."""
    if isinstance(error, AccessDenied):
        return error.status
    if isinstance(error, GrantHeld | UseNotRecorded):
        return 503
    if isinstance(error, GrantStale):
        return 410
    return 503 if isinstance(error, LibraryError) and error.retryable else 422


def _problem(_: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, YishuError):
        raise error
    status = status_of(error)
    body = {
        "errorCode": error.code,
        "message": str(error),
        "object": error.obj,
        "found": error.found,
        "expected": error.expected,
        "remedy": error.remedy,
    }
    headers = {"WWW-Authenticate": "Bearer"} if status == _UNAUTHORIZED else None
    return JSONResponse(body, status, headers)


_UNAUTHORIZED = 401


def _not_understood(_: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, RequestValidationError):
        raise error
    # What was sent may be personal, so only where and what is wrong is said again.
    faults = [
        {"part": ".".join(map(str, one["loc"])), "fault": one["msg"]} for one in error.errors()
    ]
    return JSONResponse(
        {"errorCode": "SHR_REQUEST", "message": "parts are wrong", "parts": faults}, 422
    )
