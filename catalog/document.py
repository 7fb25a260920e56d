"""One YAML file as plain data, with the line of every value at hand.

The file is composed into nodes, not loaded: nodes know their lines, and show duplicate keys, which
a loader silently drops. Lines are looked up again only for faults, so that reading thousands of
sound files costs no memory for them.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from yaml.constructor import SafeConstructor

from catalog.faults import Fault, KeyPath, label

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TEXT_TAG = "tag:yaml.org,2002:str"


@dataclass(frozen=True)
class Document:
    """A file's content; ``data`` is None when the file is empty or broken.

    Attributes:
        file: Path below the catalog's root, with ``/``.
        data: Mappings, lists and scalars as YAML has them.
        faults: What is wrong with the file as YAML.
        unread: Paths of values that are None because YAML could not give them.
    """

    file: str
    data: Any
    faults: tuple[Fault, ...] = ()
    unread: frozenset[KeyPath] = frozenset()


def read_document(root: Path, file: str) -> Document:
    """Read one file below the root; whatever is wrong with it becomes a fault."""
    try:
        node = _compose(root / file)
    except yaml.YAMLError as error:
        return Document(file, None, (_broken(file, error),))
    except (OSError, UnicodeDecodeError) as error:
        return Document(file, None, (_unreadable(file, error),))
    if node is None:
        return Document(file, None, (_empty(file),))
    reader = _Reader(file)
    data = reader.value(node, ())
    return Document(file, data, tuple(reader.faults), frozenset(reader.unread))


def line_of(root: Path, file: str, path: KeyPath) -> int:
    """Line, from 1, of the value at a path, or of what encloses it most closely; 1 if unknown."""
    try:
        node = _compose(root / file)
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return 1
    line = _line(node) if node else 1
    for step in path:
        for key, value, key_line in _children(node):
            if key == str(step):
                node, line = value, key_line
                break
        else:
            break
    return line


def _compose(path: Path) -> yaml.Node | None:
    text = path.read_text(encoding="utf-8-sig")
    return yaml.compose(text, Loader=_Loader)


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _children(node: yaml.Node | None) -> Iterator[tuple[str, yaml.Node, int]]:
    """Keys or positions, values, and lines: that of the key, a block value begins below it."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield str(key.value), value, _line(key)
    elif isinstance(node, yaml.SequenceNode):
        for position, value in enumerate(node.value):
            yield str(position), value, _line(value)


@dataclass
class _Reader:
    """Turns nodes into data and collects what is wrong on the way."""

    file: str
    faults: list[Fault] = field(default_factory=list)
    unread: set[KeyPath] = field(default_factory=set)
    _seen: set[int] = field(default_factory=set)
    _scalars: SafeConstructor = field(default_factory=SafeConstructor)

    def value(self, node: yaml.Node, path: KeyPath) -> Any:
        """The data of a node; None where it cannot be read."""
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, path)
        if id(node) in self._seen:
            self._fault(
                "CAT_YAML_ALIAS",
                node,
                path,
                found="an alias (*name)",
                expected="the values themselves",
                remedy="write the values out where they are used",
            )
            self.unread.add(path)
            return None
        self._seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        return [self.value(child, (*path, i)) for i, child in enumerate(node.value)]

    def _mapping(self, node: yaml.MappingNode, path: KeyPath) -> dict[Any, Any]:
        data: dict[Any, Any] = {}
        lines: dict[Any, int] = {}
        for key_node, value_node in node.value:
            here = (*path, str(key_node.value))
            if not isinstance(key_node, yaml.ScalarNode):
                self._fault(
                    "CAT_YAML_BROKEN",
                    key_node,
                    path,
                    found="a list or mapping as a key",
                    expected="a word",
                    remedy="write the key as a plain word",
                )
                continue
            key = self._scalar(key_node, here)
            if key in data:
                self._fault(
                    "CAT_KEY_DUPLICATE",
                    key_node,
                    here,
                    found=f"`{key}` again, first on line {lines[key]}",
                    expected="each key once",
                    remedy="keep one of the two",
                )
                continue
            lines[key] = _line(key_node)
            data[key] = self.value(value_node, here)
        return data

    def _scalar(self, node: yaml.ScalarNode, path: KeyPath) -> Any:
        if node.tag == _TEXT_TAG:
            return node.value
        value: Any = b""
        with contextlib.suppress(ValueError, yaml.YAMLError):
            value = self._scalars.construct_object(node)
        if not isinstance(value, bytes):
            return value
        self._fault(
            "CAT_VALUE_INVALID",
            node,
            path,
            found=f"`{node.value}`",
            expected="a value that exists, e.g. a day of the calendar",
            remedy="correct it, or put it in quotes if it is text",
        )
        self.unread.add(path)
        return None

    def _fault(
        self, code: str, node: yaml.Node, path: KeyPath, *, found: str, expected: str, remedy: str
    ) -> None:
        about = label(self.file, path)
        self.faults.append(Fault(code, self.file, _line(node), about, found, expected, remedy))


def _broken(file: str, error: yaml.YAMLError) -> Fault:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error).splitlines()[0]
    return Fault(
        "CAT_YAML_BROKEN",
        file,
        mark.line + 1 if mark else 1,
        file,
        found=f"text that is not YAML: {problem}",
        expected="one YAML document",
        remedy="look at this line and the one above: indentation, colons, quotes, brackets",
    )


def _unreadable(file: str, error: OSError | UnicodeDecodeError) -> Fault:
    reason = error.strerror if isinstance(error, OSError) else f"byte {error.start} is not UTF-8"
    return Fault(
        "CAT_FILE_UNREADABLE",
        file,
        1,
        file,
        found=f"a file that cannot be read: {reason}",
        expected="a readable file in UTF-8",
        remedy="save the file as UTF-8 and check its permissions",
    )


def _empty(file: str) -> Fault:
    return Fault(
        "CAT_FILE_EMPTY",
        file,
        1,
        file,
        found="an empty file",
        expected="one catalog object",
        remedy="fill the file or delete it",
    )
