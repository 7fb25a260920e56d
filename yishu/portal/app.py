"""`create_app`: the portal of one installation as an ASGI application."""

from pathlib import Path

from fastapi import FastAPI
from starlette.middleware.gzip import GZipMiddleware
from starlette.staticfiles import StaticFiles

from yishu import secrets
from yishu.portal import problems
from yishu.portal.areas import AREAS
from yishu.portal.messages import Language
from yishu.portal.notes import Notes
from yishu.portal.openid import OpenId, Provider
from yishu.portal.pages import environment
from yishu.portal.security import BodyLimit, SecureHeaders
from yishu.portal.warming import warming
from yishu.portal.world import World

STATIC = Path(__file__).parent / "static"
API_VERSION = "v1"


def create_app(world: World) -> FastAPI:
    """The portal over a world: every area of ``AREAS``, assets, errors, secure headers."""
    app = FastAPI(
        title="Yishu",
        version=API_VERSION,
        docs_url=None,
        redoc_url=None,
        openapi_url=f"/api/{API_VERSION}/openapi.json",
        lifespan=warming(world),
    )
    app.state.world = world
    app.state.templates = {each: environment(each, world.org_name) for each in Language}
    key = secrets.portal_key(world.settings.secrets_dir)
    app.state.notes = Notes(key)
    app.state.openid = _openid(world, key)
    app.state.links = [link for area in AREAS for link in getattr(area, "LINKS", ())]
    for area in AREAS:
        app.include_router(area.router)
    # Assets alone are compressed: a page holds a token, whose length must not depend on guesses.
    app.mount("/static", GZipMiddleware(StaticFiles(directory=STATIC)), name="static")
    problems.install(app)
    app.add_middleware(BodyLimit)
    app.add_middleware(SecureHeaders, secure=world.secure)
    return app


def _openid(world: World, key: str) -> OpenId | None:
    here = world.settings
    if here.openid_issuer is None:
        return None
    secret = here.openid_client_secret.get_secret_value()
    return OpenId(Provider(here.openid_issuer, here.openid_client_id, secret), key)
