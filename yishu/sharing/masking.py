"""How columns are delivered: as they are, masked, or as tokens that join but do not tell.

Masks are the catalog's (`catalog.masks`), run once for each different value of a batch. A token is
HMAC-SHA-256 (or HMAC-SM3, GB/T 32905) of the value under a key of the grant: equal values have
equal tokens within the grant, so tables of one grant join, and tokens of two grants never do.
"""

import hmac
from collections.abc import Callable, Mapping
from functools import partial

import pyarrow as pa
import pyarrow.compute as pc
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.hmac import HMAC

from catalog.masks import mask
from catalog.vocabulary import Mask
from yishu.sharing.vocabulary import Treatment

TOKEN = Treatment.TOKEN.value
_TOKEN_CHARACTERS = 32
"""128 bits of the HMAC in hex: no two of a billion values meet."""


def delivered_type(kind: pa.DataType, how: str | None) -> pa.DataType:
    """The type of a column after masking: text wherever it is masked."""
    return kind if how is None or how == Mask.NONE else pa.string()


def apply(values: pa.Array, how: str | None, key: bytes, algorithm: str = "sha256") -> pa.Array:
    """A column's values as they are delivered; nulls stay null.

    Args:
        values: The values.
        how: A mask of the catalog, ``token``, or None for as they are.
        key: The grant's key; used by tokens alone.
        algorithm: ``sha256`` or ``sm3``.
    """
    if how is None or how == Mask.NONE:
        return values
    if how == TOKEN:
        return _mapped(values, partial(_MACS[algorithm], key))
    return _mapped(values, partial(mask, rule=Mask(how)))


def grant_key(master: bytes, grant_id: str) -> bytes:
    """The key of a grant's tokens."""
    return hmac.digest(master, f"token\n{grant_id}".encode(), "sha256")


def _mapped(values: pa.Array, function: Callable[[str], str]) -> pa.Array:
    text = values if pa.types.is_string(values.type) else values.cast(pa.string())
    coded = pc.dictionary_encode(text)
    told = pa.array([function(one) for one in coded.dictionary.to_pylist()], type=pa.string())
    return told.take(coded.indices)


def _sha256(key: bytes, value: str) -> str:
    return hmac.digest(key, value.encode(), "sha256").hex()[:_TOKEN_CHARACTERS]


def _sm3(key: bytes, value: str) -> str:
    made = HMAC(key, hashes.SM3())
    made.update(value.encode())
    return made.finalize().hex()[:_TOKEN_CHARACTERS]


_MACS: Mapping[str, Callable[[bytes, str], str]] = {"sha256": _sha256, "sm3": _sm3}
