"""Where a value stands in a TOML file: its key path, and the line of it."""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right

KeyPath = tuple[str | int, ...]
"""Keys from the outermost; a number counts the elements of an array."""

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_SPACE = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_BLANK = re.compile(r"[ \t]*")
_QUOTED = re.compile(r""""(?:\\.|[^"\\\n])*"|'[^'\n]*'""")
_MULTILINE = re.compile(r'"""(?:\\.|[^\\])*?""""{0,2}' r"|'''.*?''''{0,2}", re.DOTALL)
_SCALAR = re.compile(r"[^,\]}#\n]+")  # number, boolean, date


def dotted(path: KeyPath) -> str:
    """The path as it is written in TOML; array elements as ``[0]``."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += ("." if text else "") + (part if _BARE.fullmatch(part) else _quote(part))
    return text


def _quote(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else f"\\U{ord(c):08X}" for c in escaped) + '"'


def lines(text: str) -> dict[KeyPath, int]:
    """The line, from 1, on which each key and array element of `text` first stands.

    `text` is what tomllib has read without an error; of anything else only so much is
    promised that this ends.
    """
    return _Scanner(text).run()


class _Scanner:
    """Walks over TOML that is known to be well-formed, and notes where keys are."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._breaks = [i for i, c in enumerate(text) if c == "\n"]
        self._lines: dict[KeyPath, int] = {}
        self._arrays: dict[KeyPath, int] = {}  # array of tables -> its last element

    def run(self) -> dict[KeyPath, int]:
        table: KeyPath = ()
        self._skip(_SPACE)
        while self._at < len(self._text):
            before = self._at
            if self._has("["):
                table = self._header()
            else:
                self._pair(table)
            self._skip(_SPACE)
            if self._at == before:
                break  # not TOML after all
        return self._lines

    def _header(self) -> KeyPath:
        is_array = self._takes("[[")
        if not is_array:
            self._at += 1
        start = self._at
        path = self._resolve(self._key(), is_array)
        self._note(path, start)
        self._takes("]]" if is_array else "]")
        return path

    def _resolve(self, keys: tuple[str, ...], is_array: bool) -> KeyPath:
        """Below an array of tables, a header means the array's last element."""
        path: KeyPath = ()
        for key in keys[:-1]:
            path = (*path, key)
            if path in self._arrays:
                path = (*path, self._arrays[path])
        path = (*path, keys[-1]) if keys else path
        if is_array:
            self._arrays[path] = self._arrays.get(path, -1) + 1
        return (*path, self._arrays[path]) if path in self._arrays else path

    def _pair(self, table: KeyPath) -> None:
        start = self._at
        path = (*table, *self._key())
        self._note(path, start)
        self._takes("=")
        self._skip(_BLANK)
        self._value(path)

    def _key(self) -> tuple[str, ...]:
        keys: list[str] = []
        while True:
            self._skip(_BLANK)
            if found := _BARE.match(self._text, self._at):
                keys.append(found[0])
            elif found := _QUOTED.match(self._text, self._at):
                keys.append(tomllib.loads(f"key = {found[0]}")["key"])
            else:
                return tuple(keys)
            self._at = found.end()
            self._skip(_BLANK)
            if not self._takes("."):
                return tuple(keys)

    def _value(self, path: KeyPath) -> None:
        if self._takes("["):
            self._array(path)
        elif self._takes("{"):
            self._inline(path)
        else:
            any(self._skip(kind) for kind in (_MULTILINE, _QUOTED, _SCALAR))

    def _array(self, path: KeyPath) -> None:
        index = 0
        self._skip(_SPACE)
        while self._at < len(self._text) and not self._takes("]"):
            before = self._at
            self._note((*path, index), before)
            self._value((*path, index))
            self._skip(_SPACE)
            self._takes(",")
            self._skip(_SPACE)
            index += 1
            if self._at == before:
                return

    def _inline(self, path: KeyPath) -> None:
        self._skip(_SPACE)
        while self._at < len(self._text) and not self._takes("}"):
            before = self._at
            self._pair(path)
            self._skip(_SPACE)
            self._takes(",")
            self._skip(_SPACE)
            if self._at == before:
                return

    def _note(self, path: KeyPath, offset: int) -> None:
        line = bisect_right(self._breaks, offset - 1) + 1
        for length in range(1, len(path) + 1):
            self._lines.setdefault(path[:length], line)

    def _has(self, word: str) -> bool:
        return self._text.startswith(word, self._at)

    def _takes(self, word: str) -> bool:
        found = self._has(word)
        self._at += len(word) if found else 0
        return found

    def _skip(self, pattern: re.Pattern[str]) -> bool:
        found = pattern.match(self._text, self._at)
        self._at = found.end() if found else self._at
        return bool(found)
