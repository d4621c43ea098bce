"""The calls into Core ML, through coremltools. They work on a Mac only, and nothing else is in this file."""

from __future__ import annotations

import platform
import subprocess
from pathlib import Path
from typing import Final

from anecheck.knowledge.target import ComputeUnits
from anecheck.measured.core_ml import ComputePlan

SYSCTL: Final = ("/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string")


class Mac:
    """This Mac; coremltools is imported when it is first asked."""

    def chip(self) -> str | None:
        """The name of the chip, such as "Apple M4"."""
        try:
            answer = subprocess.run(SYSCTL, capture_output=True, text=True, check=True, timeout=10)  # noqa: S603
        except (OSError, subprocess.SubprocessError):
            return None
        return answer.stdout.strip() or None

    def system(self) -> str | None:
        """The OS with its version, such as "macOS 26.1"."""
        version = platform.mac_ver()[0]
        return f"macOS {version}" if version else None

    def compile(self, model: Path, folder: Path) -> Path:
        """Compile a model into `folder`."""
        from coremltools.models.utils import compile_model  # noqa: PLC0415

        return Path(compile_model(str(model), str(folder / f"{model.stem}.mlmodelc")))

    def plan(self, compiled: Path, units: ComputeUnits) -> ComputePlan:
        """The compute plan of a compiled model (macOS 14.4 and later)."""
        from coremltools import ComputeUnit  # noqa: PLC0415
        from coremltools.models.compute_plan import MLComputePlan  # noqa: PLC0415

        plan: ComputePlan = MLComputePlan.load_from_path(str(compiled), compute_units=ComputeUnit[units.name])
        return plan
