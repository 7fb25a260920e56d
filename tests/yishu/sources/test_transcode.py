"""Every code of GB18030 becomes the same character, whether the C library or Python decodes it."""

from collections.abc import Iterator
from itertools import product

import pytest

from yishu.sources import transcode
from yishu.sources.transcode import decoder_of, settled

LEADS, DIGITS = range(0x81, 0xFF), range(0x30, 0x3A)


def codes() -> Iterator[bytes]:
    """All codes of one, two and four bytes, those without a character too."""
    yield from (bytes([one]) for one in range(0x81))
    yield from (bytes(pair) for pair in product(LEADS, range(0x40, 0xFF)))
    yield from (bytes(four) for four in product(LEADS, DIGITS, LEADS, DIGITS))


def is_valid(code: bytes) -> bool:
    try:
        return bool(code.decode("gb18030"))
    except UnicodeDecodeError:
        return False


def batched(items: list[bytes], size: int) -> Iterator[list[bytes]]:
    yield from (items[start : start + size] for start in range(0, len(items), size))


def by_python(text: bytes) -> bytes:
    return settled(text.decode("gb18030"), "gb18030").encode()


def fast(text: bytes, size: int = 1 << 20) -> bytes:
    decoder = decoder_of("gb18030")
    blocks = [text[start : start + size] for start in range(0, len(text), size)]
    return b"".join([*(decoder.decode(block, final=False) for block in blocks),
                     decoder.decode(b"", final=True)])  # fmt: skip


def test_here_the_c_library_decodes() -> None:
    assert isinstance(decoder_of("gb18030"), transcode._LibraryDecoder)


def test_all_codes_become_the_characters_that_python_gives_them() -> None:
    valid = [code for code in codes() if is_valid(code)]

    assert len(valid) > 1_000_000
    # In pieces, since from a code that the C library does not know on Python decodes.
    for some in batched(valid, 1 << 12):
        piece = b"".join(some)
        assert fast(piece) == by_python(piece)


@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_a_character_may_lie_across_blocks(size: int) -> None:
    text = "无锡𠮷䶮€龴㐀a"

    assert fast(text.encode("gb18030"), size).decode() == text


@pytest.mark.parametrize(
    ("code", "character"),
    [
        ("fe59", "龴"),
        ("82359037", "龴"),
        ("a6d9", "︐"),
        ("a8bc", "ḿ"),
        ("8135f437", "ḿ"),
        ("fe51", "𠂇"),
        ("95329031", "𠂇"),
        ("aaa1", "\ue000"),
    ],
)
def test_no_character_stays_private_that_has_a_meaning(code: str, character: str) -> None:
    assert fast(bytes.fromhex(code)).decode() == character
    assert by_python(bytes.fromhex(code)).decode() == character


@pytest.mark.parametrize("broken", [b"\xff", b"\x80", "锡".encode("gb18030")[:1], b"\x81\x30\x81"])
def test_what_is_no_character_is_refused(broken: bytes) -> None:
    with pytest.raises(UnicodeDecodeError):
        fast("无锡".encode("gb18030") + broken)


def test_every_pair_of_bytes_that_python_refuses_is_refused() -> None:
    pairs = [bytes(pair) for pair in product(range(0x80, 0x100), range(0x80, 0x100))]
    refused = [pair for pair in pairs if not is_valid(pair)]

    assert refused
    for pair in refused:
        with pytest.raises(UnicodeDecodeError):
            fast(pair)
