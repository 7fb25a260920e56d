"""The portal of the demo: what happened in the city, the process that serves it, and its tour."""

import os
import sys
import time
from pathlib import Path

import httpx

from yishu import ports
from yishu.cli import world
from yishu.orchestration.errors import ComponentFailed, NotReady, PortTaken
from yishu.orchestration.processes import Processes
from yishu.portal import story
from yishu.portal.world import World
from yishu.settings import Settings, project_root

SERVICE = "portal"
HOST = "127.0.0.1"
_FIRST_PORT = 8200
_PORTS_TRIED = 50
_READY_SECONDS = 120.0

TOUR = {
    "department officer": (
        ("officer.taxation", "/", "your work list, the oldest deadline first"),
        (
            "officer.taxation",
            "/catalog",
            "search the catalog, look at an entry",
        ),
        ("officer.taxation", "/sharing", "your requests; ask for data at the foot of the page"),
        ("officer.market_regulation", "/objections", "an objection waits for your verification"),
        ("officer.taxation", "/cards", "a red card for an overdue change of the catalog"),
    ),
    "reviewer": (
        ("reviewer", "/", "the inbox: one reply is nearly due"),
        ("reviewer", "/sharing", "open the request of the tax office: decide, return or refuse it"),
        ("reviewer", "/review", "a new version of an entry, with its difference"),
        ("reviewer", "/objections", "an objection waits to be accepted"),
        ("reviewer", "/clocks", "every time limit that runs: green, yellow and one red"),
    ),
    "operator": (
        ("operator", "/", "a grant waits to be opened"),
        ("operator", "/sharing", "follow a grant's number to its channel"),
        ("operator", "/sharing", "open it: the token is shown once; serve it: yishu share serve"),
        ("operator", "/sharing", "on an open channel: its use, suspend and close with the reason"),
        ("operator", "/notices", "what you were told"),
    ),
    "quality monitor": (
        ("monitor", "/quality", "scores by department and dimension"),
        ("monitor", "/quality", "from a score to the failing rules and the masked rows"),
        ("monitor", "/objections", "raise an objection; follow those that run"),
        ("monitor", "/cards", "cards, supervision orders and their answers"),
        ("monitor", "/clocks", "whose deadline it is"),
    ),
    "auditor": (
        ("auditor", "/journal", "who did what, and the proof that nothing was changed"),
        ("auditor", "/sharing", "every request and its timeline"),
        ("auditor", "/catalog", "every version of every entry"),
        ("auditor", "/objections", "every objection with its course"),
        ("auditor", "/clocks", "every clock with its pauses and extensions"),
    ),
}
"""Five steps for each role: as which account, on which page, and what is to be seen."""


def let_happen(here: Settings) -> story.Told:
    """Put the demo's story on record, unless it is there."""
    return story.happen(World(here, world.engine(here), world.clock, demo=True))


def address(here: Settings, children: Processes) -> str:
    """Where the portal is or will be."""
    port = kept_port(here, SERVICE, _FIRST_PORT, is_running=children.find(SERVICE) is not None)
    return f"http://{HOST}:{port}"


def start(here: Settings, children: Processes, airflow_url: str) -> str:
    """Start the portal unless it runs, and wait until it answers; where it is.

    Raises:
        ComponentFailed: it ended; the error carries the end of its log.
        NotReady: it does not answer after two minutes.
    """
    url = address(here, children)
    argv = [sys.executable, "-c", "from yishu.cli import app; app()", "portal", "--demo"]
    argv += ["--port", url.rpartition(":")[2], "--airflow", airflow_url]
    own = {"YISHU_VAR_DIR": str(here.var_dir), "YISHU_CATALOG_DIR": str(here.catalog_dir)}
    children.start(SERVICE, argv, {**os.environ, **own}, project_root())
    _wait_until_ready(children, url)
    return url


def kept_port(here: Settings, service: str, first: int, *, is_running: bool) -> int:
    """The port of the last time where it is still to be had, else the first free one."""
    kept = here.var_dir / "run" / f"{service}.port"
    if is_running:
        return int(kept.read_text("ascii"))
    wish = [int(kept.read_text("ascii"))] if kept.exists() else []
    wished = [*wish, *range(first, first + _PORTS_TRIED)]
    port = ports.claim(f"{here.var_dir} {service}", wished)
    if port is None:
        raise PortTaken(
            f"the port of {service}",
            found=f"ports {first} to {wished[-1]} taken",
            expected="one free port on the loopback interface",
            remedy="end what listens there, then start again",
        )
    kept.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    kept.write_text(str(port), "ascii")
    return port


def tour(url: str) -> list[dict[str, str]]:
    """The steps of every role, with the addresses."""
    return [
        {"role": role, "account": account, "page": f"{url}{path}", "see": text}
        for role, steps in TOUR.items()
        for account, path, text in steps
    ]


def _wait_until_ready(children: Processes, url: str) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while time.monotonic() < deadline:
        if children.find(SERVICE) is None:
            raise _died(children.log(SERVICE), children.tail(SERVICE))
        try:
            if httpx.get(f"{url}/sign-in", timeout=5, trust_env=False).is_success:
                return
        except httpx.TransportError:
            pass  # it is still starting
        time.sleep(0.3)
    raise NotReady(
        "the portal",
        found=f"no answer at {url} after {_READY_SECONDS:.0f} s",
        expected="its sign-in page",
        remedy=f"see its log, {children.log(SERVICE)}; on a busy machine start again",
    )


def _died(log: Path, tail: str) -> ComponentFailed:
    return ComponentFailed(
        "the portal",
        found=f"it is not running; its log ends with:\n{tail}\n",
        expected="to run",
        remedy=f"mend what the log says ({log}), then start again",
    )
