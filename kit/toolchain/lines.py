"""Which line of source each instruction of a program comes from: the program's debug information.

Names of files are as the builder gave them: from the folder that was built on, or from the kit's
``guests/``. They never name a folder of the computer on which the program was built.
"""

from __future__ import annotations

import io
import posixpath
from collections.abc import Iterator
from typing import Any

from elftools.elf.elffile import ELFFile

from kit.errors import KitError

__all__ = ["source_lines"]


def source_lines(elf: bytes, name: str = "program") -> dict[int, tuple[str, int]]:
    """File and line by the address of the first instruction that was made from a line.

    An address between two of them belongs to the lower one. Empty where there is no debug
    information; raises `KitError` where it, or the file, is damaged.
    """
    try:
        file = ELFFile(io.BytesIO(elf))
        if not file.has_dwarf_info():
            return {}
        information = file.get_dwarf_info()
        return {
            address: place
            for unit in information.iter_CUs()
            for address, place in _of_unit(information.line_program_for_CU(unit))
        }
    except Exception as error:  # pyelftools has no one kind of error for damaged files
        raise KitError(f"{name}: its debug information is damaged: {error}") from None


def _of_unit(program: Any) -> Iterator[tuple[int, tuple[str, int]]]:
    """What one source and its headers have contributed."""
    if program is None:
        return
    names = _names(program.header)
    for entry in program.get_entries():
        state = entry.state
        if state is not None and not state.end_sequence and state.line:
            yield state.address, (names[state.file], state.line)


def _names(header: Any) -> dict[int, str]:
    """The files by their numbers, which count from 0 since version 5, and from 1 before."""
    newer = header["version"] >= 5
    folders = [folder.decode("utf-8", "replace") for folder in header["include_directory"]]
    folders = folders if newer else [".", *folders]
    names = {}
    for number, file in enumerate(header["file_entry"], 0 if newer else 1):
        path = posixpath.join(folders[file["dir_index"]], file["name"].decode("utf-8", "replace"))
        names[number] = posixpath.normpath(path)
    return names
