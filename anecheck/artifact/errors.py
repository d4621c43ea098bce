"""What can be wrong with an artifact, each with a code that never changes its meaning."""

from __future__ import annotations

from enum import Enum


class Fault(str, Enum):
    """Why a model could not be read: the code and, as `label`, the name of the diagnostic."""

    MODEL_POINTER = "ANE001"
    EMPTY = "ANE002"
    CORRUPT = "ANE003"
    NO_MANIFEST = "ANE004"
    BAD_MANIFEST = "ANE005"
    OUTSIDE = "ANE006"
    NO_PERMISSION = "ANE007"
    NOT_FOUND = "ANE008"
    INVALID_PROGRAM = "ANE009"
    BAD_TEXT = "ANE010"
    NOT_A_MODEL = "ANE011"

    @property
    def label(self) -> str:
        """The name of the diagnostic, which reads as 'allow NAME'."""
        return _LABELS[self]


_LABELS = {
    Fault.MODEL_POINTER: "git-lfs-pointer",
    Fault.EMPTY: "empty-model",
    Fault.CORRUPT: "corrupt-model",
    Fault.NO_MANIFEST: "missing-manifest",
    Fault.BAD_MANIFEST: "invalid-manifest",
    Fault.OUTSIDE: "path-outside-package",
    Fault.NO_PERMISSION: "permission-denied",
    Fault.NOT_FOUND: "missing-file",
    Fault.INVALID_PROGRAM: "invalid-program",
    Fault.BAD_TEXT: "invalid-mil-text",
    Fault.NOT_A_MODEL: "not-a-model",
}


class ArtifactError(Exception):
    """A model could not be read. The message says what was found, what was expected and what to do."""

    def __init__(self, fault: Fault, message: str) -> None:
        super().__init__(message)
        self.fault = fault
        self.message = message
