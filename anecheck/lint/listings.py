"""Programs as text files, for an editor to open where a finding points."""

from __future__ import annotations

import os
from pathlib import Path

from anecheck.lint.asked.wanted import SettingError
from anecheck.mil.model import Model
from anecheck.mil.printer import model_lines


def write_listing(model: Model, folder: Path) -> Path:
    """Write a model's program below a folder, at the model's own path from the working directory.

    Raises:
        SettingError: it cannot be written.

    """
    inside = Path(os.path.relpath(model.path))
    parts = [part if part != os.pardir else "_" for part in inside.parts]
    file = Path(folder, *parts).with_suffix(".mil")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes("".join(f"{line}\n" for line in model_lines(model)).encode("utf-8", "backslashreplace"))
    except OSError as error:
        raise SettingError(f"the listing '{file}' cannot be written: {error.strerror}") from error
    return file
