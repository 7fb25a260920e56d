"""A load of verification calls over kept-open connections: ``share_load.py PORT TOKEN KEYS CALLS``.

Prints calls a second and the latencies' median and 99th percentile in milliseconds, as JSON.
"""

import asyncio
import json
import random
import sys
import time

CONNECTIONS = 16


async def _client(
    port: int, token: str, keys: int, calls: int, chance: random.Random
) -> list[float]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    taken = []
    for _ in range(calls):
        body = json.dumps(
            {
                "purpose": "statistics",
                "key": {"uscc": f"91320205MA{chance.randrange(keys):08d}"},
                "claims": {"status": "1"},
            }
        ).encode()
        head = (
            f"POST /v1/verify HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        started = time.perf_counter()
        writer.write(head.encode() + body)
        answer = await reader.readuntil(b"\r\n\r\n")
        length = int(answer.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        data = await reader.readexactly(length)
        taken.append(time.perf_counter() - started)
        if b'"result":"yes"' not in data.replace(b" ", b""):
            raise SystemExit(f"not verified: {data[:200]!r}")
    writer.close()
    return taken


async def _load(port: int, token: str, keys: int, calls: int) -> dict[str, float]:
    each = calls // CONNECTIONS
    chance = random.Random(8)  # noqa: S311 - repeatable
    started = time.perf_counter()
    parts = await asyncio.gather(
        *(_client(port, token, keys, each, chance) for _ in range(CONNECTIONS))
    )
    seconds = time.perf_counter() - started
    taken = sorted(one for part in parts for one in part)
    return {
        "calls_per_second": len(taken) / seconds,
        "median_ms": taken[len(taken) // 2] * 1_000,
        "p99_ms": taken[len(taken) * 99 // 100] * 1_000,
    }


if __name__ == "__main__":
    port, token, keys, calls = sys.argv[1:]
    print(json.dumps(asyncio.run(_load(int(port), token, int(keys), int(calls)))))
