"""Sharing: bulk download beside nginx, verification on one core, projection, opening to first byte.

Contenders: nginx of Debian over the very same files (`sendfile on`, its own default of one worker),
and for the projection a bare read and write of the same columns by pyarrow. Same bytes and same
digest are asserted before a ratio is printed.

What is measured: one process of ours, pinned to core 0, as nginx is. The load runs on core 1, or
wherever there is room for downloads; the ledger's PostgreSQL is not pinned and not counted. A
verification is a call over HTTP by one of 16 kept-open connections, answered once its record is
committed. A download is every file of a grant by its signed address, one after another, by one
client; it takes in the check of each address and its record. Processor time is that of our process
(or nginx) alone: it says what a calm machine would do where this one is busy.
"""

import http.client
import json
import secrets
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from urllib.parse import quote, urlsplit

import psutil  # type: ignore[import-untyped]
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import share_world
from harness import Options, Section

from yishu.embedded import EmbeddedPostgres
from yishu.library.place import Place
from yishu.sharing.house import House, ready, rules_of
from yishu.sharing.projection import GROUP_ROWS, build

SIZE = 5_000_000
CALLS = 30_000
"""Verification calls of one round; a tenth of the rows where there are fewer."""
HERE = Path(__file__).resolve().parent


def run(options: Options) -> Section:
    """Measure all four claims at one size."""
    size, folder = options.size or SIZE, Path(tempfile.mkdtemp(prefix="yishu-bench-share-"))
    server = EmbeddedPostgres(folder / "postgres", secrets.token_urlsafe(16))
    server.start()
    try:
        share_world.prepare(folder, server.ensure_database("share"), size)
        house = share_world.house_of(folder)
        lines = [
            *_projections(house, folder, options),
            *_channels(house, folder, size, options),
        ]
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
    heading = "| claim | goal | measured |\n|---|---|---|\n"
    return Section(f"Sharing, {size:,} rows", heading + "\n".join(lines))


def _projections(house: House, folder: Path, options: Options) -> list[str]:
    grant_id = share_world.granted(house, mode="batch_exchange", format="delta_sharing")
    share_world.opened(house, grant_id)
    with house.engine.begin() as connection:
        grant = ready(house, connection, grant_id).grant
    place = Place(house.library, f"unified/{share_world.ENTRY}")
    rules = rules_of(house, grant)
    bare: list[float] = []
    ours: list[float] = []
    for turn in range(options.rounds):
        target = folder / f"bare{turn}.parquet"
        bare.append(_timed(lambda: _bare(place, target)))  # noqa: B023 - called at once
        root = folder / f"ours{turn}"
        ours.append(_timed(lambda: build(root, place, rules)))  # noqa: B023
        built = build(root, place, rules)
        if pq.read_metadata(target).num_rows != built.rows:
            raise SystemExit("the bare projection holds other rows")
        options.say(f"projection: bare {bare[-1]:.2f} s, ours {ours[-1]:.2f} s")
    first = _timed(lambda: _open_and_read(house))
    ratio = statistics.median(ours) / statistics.median(bare)
    return [
        f"| projection of 3 columns, s | 1.3 times the bare one | {ratio:.2f}: {_spread(ours)} |",
        f"| the bare projection, s | | {_spread(bare)} |",
        f"| opening to first readable byte | under 5 s | {first:.2f} s |",
    ]


def _bare(place: Place, target: Path) -> None:
    source = ds.dataset(place.files(place.open()), format="parquet")
    scanner = source.scanner(columns=list(share_world.FIELDS))
    with pq.ParquetWriter(target, scanner.projected_schema, compression="zstd") as writer:
        for batch in scanner.to_batches():
            writer.write_batch(batch, row_group_size=GROUP_ROWS)


def _open_and_read(house: House) -> None:
    shutil.rmtree(house.projections, ignore_errors=True)
    grant_id = share_world.granted(house, mode="batch_exchange", format="delta_sharing")
    share_world.opened(house, grant_id)
    with house.engine.begin() as connection:
        ready(house, connection, grant_id).projection.files[0].read_bytes()


def _channels(house: House, folder: Path, size: int, options: Options) -> list[str]:
    bulk = share_world.opened(
        house, share_world.granted(house, mode="batch_exchange", format="delta_sharing")
    )
    check = share_world.opened(house, share_world.granted(house, mode="api", format="verification"))
    port, nginx_port = _free(), _free()
    argv = [sys.executable, str(HERE / "share_world.py"), str(folder), str(port)]
    with subprocess.Popen(["taskset", "-c", "0", *argv]) as process:
        _wait(port)
        try:
            verified = [_verify(port, check, size, process) for _ in range(options.rounds + 1)][1:]
            options.say(f"verification: {verified}")
            loads, worked = _downloads(
                port, nginx_port, bulk, folder, options=options, ours=process
            )
        finally:
            process.terminate()
    rates = [one["calls_per_second"] for one in verified]
    tails = [one["p99_ms"] for one in verified]
    used = [one["cpu_us"] for one in verified]
    ratio = statistics.median(loads["nginx"]) / statistics.median(loads["yishu"])
    return [
        f"| verification, one core | 1,500 a second | {_spread(rates, 0)} |",
        f"| verification, p99 | under 20 ms | {_spread(tails)} ms |",
        f"| verification, processor time of a call | 667 µs | {_spread(used, 0)} µs |",
        f"| bulk download, s | 80 % of nginx | {ratio:.0%}: {_spread(loads['yishu'])} |",
        f"| nginx, s | | {_spread(loads['nginx'])} |",
        f"| bulk download, processor time of the server, s | | {_spread(worked['yishu'])} |",
        f"| nginx, processor time, s | | {_spread(worked['nginx'])} |",
    ]


def _verify(port: int, token: str, keys: int, server: subprocess.Popen[bytes]) -> dict[str, float]:
    calls = min(CALLS, keys // 10)
    argv = [
        sys.executable,
        str(HERE / "share_load.py"),
        str(port),
        token,
        str(keys),
        str(calls),
    ]
    before = _worked(server)
    done = subprocess.run(["taskset", "-c", "1", *argv], check=True, capture_output=True, text=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found | {"cpu_us": (_worked(server) - before) / calls * 1e6}


def _worked(server: subprocess.Popen[bytes]) -> float:
    """Processor time of a server and its workers so far, s."""
    first = psutil.Process(server.pid)
    times = [one.cpu_times() for one in (first, *first.children(recursive=True))]
    return float(sum(one.user + one.system for one in times))


def _downloads(
    port: int,
    nginx_port: int,
    token: str,
    folder: Path,
    *,
    options: Options,
    ours: subprocess.Popen[bytes],
) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    urls = _urls(port, token)
    root = folder / "www"
    root.mkdir()
    for url in urls:
        name = urlsplit(url).path.rsplit("/", 1)[1]
        identity = urlsplit(url).path.split("/")[3]
        shutil.copy(folder / "sharing" / "projections" / identity / name, root / name)
    config = folder / "nginx.conf"
    config.write_text(
        f"daemon off; pid {folder}/nginx.pid; error_log {folder}/nginx.log;\n"
        "worker_processes 1; user root; events {}\n"
        f"http {{ sendfile on; access_log {folder}/access.log;\n"
        f"server {{ listen 127.0.0.1:{nginx_port}; root {root}; }} }}\n"
    )
    plain = [f"http://127.0.0.1:{nginx_port}/{urlsplit(u).path.rsplit('/', 1)[1]}" for u in urls]
    found: dict[str, list[float]] = {"nginx": [], "yishu": []}
    worked: dict[str, list[float]] = {"nginx": [], "yishu": []}
    with subprocess.Popen(["taskset", "-c", "0", "nginx", "-c", str(config)]) as nginx:
        _wait(nginx_port)
        try:
            if [_digest(url) for url in plain] != [_digest(url) for url in urls]:
                raise SystemExit("nginx serves other bytes")
            for _ in range(max(options.rounds, 3)):
                for name, server, asked in (("nginx", nginx, plain), ("yishu", ours, urls)):
                    before = _worked(server)
                    found[name].append(_timed(lambda: [_fetch(url) for url in asked]))  # noqa: B023
                    worked[name].append(_worked(server) - before)
        finally:
            nginx.terminate()
    return found, worked


def _urls(port: int, token: str) -> list[str]:
    client = http.client.HTTPConnection("127.0.0.1", port)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    client.request("GET", "/delta-sharing/shares", headers=headers)
    share = json.loads(client.getresponse().read())["items"][0]["name"]
    client.request("GET", f"/delta-sharing/shares/{quote(share)}/all-tables", headers=headers)
    one = json.loads(client.getresponse().read())["items"][0]
    path = (
        f"/delta-sharing/shares/{one['share']}/schemas/{one['schema']}/tables/{one['name']}/query"
    )
    client.request("POST", quote(path), "{}", headers)
    lines = client.getresponse().read().decode().splitlines()[2:]
    return [json.loads(line)["file"]["url"] for line in lines]


def _fetch(url: str, take: Callable[[bytes], object] = len) -> None:
    parts = urlsplit(url)
    client = http.client.HTTPConnection(parts.hostname or "", parts.port)
    client.request("GET", f"{parts.path}?{parts.query}")
    answer = client.getresponse()
    if answer.status != http.HTTPStatus.OK:
        raise SystemExit(f"{answer.status} for {parts.path}")
    while data := answer.read(1 << 20):
        take(data)


def _digest(url: str) -> str:
    found = sha256()
    _fetch(url, found.update)
    return found.hexdigest()


def _timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _spread(values: list[float], digits: int = 2) -> str:
    middle = statistics.median(values)
    return f"{middle:,.{digits}f} ({min(values):,.{digits}f} to {max(values):,.{digits}f})"


def _free() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def _wait(port: int) -> None:
    for _ in range(1_200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise SystemExit(f"nothing listens at {port}")
