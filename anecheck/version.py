"""The version of anecheck, in a module that imports nothing so that `anecheck --version` is instant."""

__version__ = "0.1.0"
