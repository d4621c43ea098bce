"""How pydantic is to read the classes of a report."""

from __future__ import annotations

from typing import Final

DOCUMENTED: Final = {"use_attribute_docstrings": True}
"""What stands under a field describes it."""
