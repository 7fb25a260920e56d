"""Rows of a projection by key, in well under a millisecond: what verification asks.

Beside a projection lie its rows as an uncompressed Arrow file and the sorted hashes of its keys,
both read through memory maps: five million keys take no memory of their own.
"""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from yishu.library.key_hash import hash_key, hash_keys
from yishu.sharing.projection import Projection

BATCH_ROWS = 1 << 16


class Lookup:
    """Finds rows of one projection by their key."""

    def __init__(self, projection: Projection, key: Sequence[str]) -> None:
        self.key = tuple(key)
        self.schema = projection.schema
        folder = projection.folder / f"_lookup-{'-'.join(self.key)}"
        if not folder.exists():
            _build(projection, self.key, folder)
        # Plain arrays over the maps: every operation on a memmap object makes another one.
        self._hashes = np.asarray(np.load(folder / "hashes.npy", mmap_mode="r"))
        self._rows = np.asarray(np.load(folder / "rows.npy", mmap_mode="r"))
        reader = pa.ipc.open_file(pa.memory_map(str(folder / "rows.arrow")))
        batches = [reader.get_batch(number) for number in range(reader.num_record_batches)]
        self._columns = {
            name: [batch.column(place) for batch in batches]
            for place, name in enumerate(self.schema.names)
        }
        self._others = [name for name in self.schema.names if name not in self.key]
        self._kinds = [self.schema.field(name).type for name in self.key]
        self._is_text = all(pa.types.is_string(kind) for kind in self._kinds)

    def find(self, key: Mapping[str, Any]) -> dict[str, Any] | None:
        """The row of a key, or None; a value that the column cannot hold finds nothing."""
        plain, texts = self._sought(key)
        if plain is None:
            return None
        sought = np.uint64(hash_key(texts))
        start = int(self._hashes.searchsorted(sought))
        while start < len(self._hashes) and self._hashes[start] == sought:
            row = int(self._rows[start])
            if [self._value(row, name) for name in self.key] == plain:
                return dict(zip(self.key, plain, strict=True)) | {
                    name: self._value(row, name) for name in self._others
                }
            start += 1
        return None

    def _sought(self, key: Mapping[str, Any]) -> tuple[list[Any] | None, list[str]]:
        """A key's values as the columns hold them (None: they cannot), and as they are hashed."""
        if self._is_text and all(type(key[name]) is str for name in self.key):
            plain = [key[name] for name in self.key]
            return plain, plain
        try:
            values = [
                pa.array([key[name]]).cast(kind)
                for name, kind in zip(self.key, self._kinds, strict=True)
            ]
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError):
            return None, []
        texts = [one.cast(pa.string())[0].as_py() or "" for one in values]
        return [one[0].as_py() for one in values], texts

    def _value(self, row: int, name: str) -> Any:
        return self._columns[name][row // BATCH_ROWS][row % BATCH_ROWS].as_py()


def _build(projection: Projection, key: Sequence[str], folder: Path) -> None:
    beside = Path(tempfile.mkdtemp(dir=projection.folder, prefix=".lookup-"))
    hashes = []
    with (
        pa.OSFile(str(beside / "rows.arrow"), "wb") as sink,
        pa.ipc.new_file(sink, projection.schema) as writer,
    ):
        for batch in _even(projection):
            hashes.append(hash_keys([batch.column(name) for name in key]))
            writer.write_batch(batch)
    whole = np.concatenate(hashes) if hashes else np.empty(0, np.uint64)
    order = np.argsort(whole, kind="stable")
    np.save(beside / "hashes.npy", whole[order])
    np.save(beside / "rows.npy", order.astype(np.uint32))
    try:
        beside.rename(folder)
    except OSError:
        if not folder.exists():
            raise


def _even(projection: Projection) -> Any:
    """The rows in batches of exactly ``BATCH_ROWS``, so that a row's place is a division."""
    waiting = projection.schema.empty_table()
    for batch in projection.batches():
        waiting = pa.concat_tables([waiting, pa.Table.from_batches([batch], projection.schema)])
        while waiting.num_rows >= BATCH_ROWS:
            yield from waiting.slice(0, BATCH_ROWS).combine_chunks().to_batches()
            waiting = waiting.slice(BATCH_ROWS)
    if waiting.num_rows:
        yield from waiting.combine_chunks().to_batches()
