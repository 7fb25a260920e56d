"""Bytes of a text file as UTF-8: GB18030 by the C library, everything else by Python's codecs.

The C library does it at more than twice the pace and lets other threads work meanwhile. The two
differ in where they have 25 characters: the standard of 2000 kept them in the area of private use,
those of 2005 and 2022 moved them. Nobody can search for or show a private character, so here they
are always what they mean, whichever code and whoever decodes.
"""

import codecs
import ctypes
import errno
import os
import weakref
from functools import cache
from typing import Any, Protocol

GB18030 = "gb18030"

_MEANT = {
    "a6d9a6daa6dba6dca6dda6dea6dfa6eca6eda6f3": "︐︒︑︓︔︕︖︗︘︙",
    "a8bc": "ḿ",
    "fe51fe52fe53fe6cfe76fe91": "𠂇𠂉𠃌𡗗𢦏𤇾",
    "fe59fe61fe66fe67fe6dfe7efe90fea0": "龴龵龶龷龸龹龺龻",
}
"""Codes whose characters Python has in private use -> what GB 18030-2022 means by them."""

_PRIVATE = b"\xee"
"""All of those, and only private characters, begin with this byte in UTF-8."""

_WIDEST = 2
"""No code of GB18030 makes more than so many times as many bytes of UTF-8."""

_FAILED = ctypes.c_size_t(-1).value


class Decoder(Protocol):
    """A file's bytes, block by block."""

    def decode(self, block: bytes, *, final: bool) -> bytes:
        """The next characters that are whole, as UTF-8.

        Raises:
            UnicodeDecodeError: a byte that the encoding does not allow.
        """


def decoder_of(encoding: str) -> Decoder:
    """The fastest way to decode.

    Raises:
        LookupError: an encoding that is not known.
    """
    if encoding == GB18030 and _has_gnu_library():
        return _LibraryDecoder()
    return _PythonDecoder(encoding)


def settled(text: str, encoding: str) -> str:
    """A decoded text without the private characters of GB18030 that have a meaning."""
    return text.translate(_meanings()) if encoding == GB18030 else text


class _PythonDecoder:
    def __init__(self, encoding: str) -> None:
        self._encoding = encoding
        self._codec = codecs.getincrementaldecoder(encoding)()

    def decode(self, block: bytes, *, final: bool) -> bytes:
        return settled(self._codec.decode(block, final), self._encoding).encode()


class _LibraryDecoder:
    """GB18030 by ``iconv(3)``; from a code that it does not know on, by Python."""

    def __init__(self) -> None:
        library = _library()
        self._iconv = library.iconv
        self._handle = library.iconv_open(b"UTF-8", GB18030.encode())
        weakref.finalize(self, library.iconv_close, self._handle)
        self._room: Any = ctypes.create_string_buffer(0)
        self._held = b""
        self._python: Decoder | None = None

    def decode(self, block: bytes, *, final: bool) -> bytes:
        if self._python is not None:
            return self._python.decode(block, final=final)
        block = self._held + block
        made, left, why = self._converted(block)
        self._held = block[len(block) - left :]
        if why == errno.EILSEQ or (final and left):
            self._python = _PythonDecoder(GB18030)
            made += self._python.decode(self._held, final=final)
        return made

    def _converted(self, block: bytes) -> tuple[bytes, int, int]:
        """UTF-8 of a block, how many of its last bytes were left, and the error's number."""
        if len(self._room) < _WIDEST * len(block):
            self._room = ctypes.create_string_buffer(_WIDEST * len(block))
        source = ctypes.cast(ctypes.c_char_p(block), ctypes.c_void_p)
        target = ctypes.c_void_p(ctypes.addressof(self._room))
        left, room = ctypes.c_size_t(len(block)), ctypes.c_size_t(len(self._room))
        where = [ctypes.byref(each) for each in (source, left, target, room)]
        failed = self._iconv(self._handle, *where) == _FAILED
        made = ctypes.string_at(self._room, len(self._room) - room.value)
        if _PRIVATE in made:
            made = settled(made.decode(), GB18030).encode()
        return made, left.value, ctypes.get_errno() if failed else 0


@cache
def _library() -> Any:
    library = ctypes.CDLL(None, use_errno=True)
    library.iconv_open.restype = ctypes.c_void_p
    library.iconv.argtypes = [ctypes.c_void_p] * 5
    library.iconv.restype = ctypes.c_size_t
    library.iconv_close.argtypes = [ctypes.c_void_p]
    return library


@cache
def _has_gnu_library() -> bool:
    try:
        return (os.confstr("CS_GNU_LIBC_VERSION") or "").startswith("glibc")
    except ValueError:
        return False


@cache
def _meanings() -> dict[int, int]:
    private = bytes.fromhex("".join(_MEANT)).decode(GB18030)
    return str.maketrans(private, "".join(_MEANT.values()))
