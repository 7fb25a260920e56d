"""Every sentence of an error that people meet on pages has its Chinese, and no other is kept."""

import subprocess
import sys

import pytest


def test_every_sentence_has_its_chinese(root):
    command = [sys.executable, str(root / "tools" / "sentences.py")]
    found = subprocess.run(command, check=False, capture_output=True, text=True, cwd=root)

    assert (found.returncode, found.stdout, found.stderr) == (0, "", "")


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("raise Error('x', found=f'{n} rows of {t}', expected='some')", ["some", "{} rows of {}"]),
        ("Error(found='two ' + 'words' if x else 'one word')", ["one word", "two words"]),
        ("def f():\n  what, why = 'no key', 'by rule'\n  Error(found=what)", ["no key"]),
        (
            "def f(what):\n  Error(found=what)\nf('a mask')\nf(what='none given')",
            ["a mask", "none given"],
        ),
        ("def f(what):\n  what = what or 'nothing left'\n  Error(remedy=what)", ["nothing left"]),
        ("Error(found='没有条目', expected='NAME_OF_CODE', remedy=f'{x}')", []),
    ],
)
def test_sentences_are_read_from_the_code(load_tool, code, said):
    tool = load_tool("sentences")

    assert sorted({text for _, text in tool.of_code(code)}) == said
