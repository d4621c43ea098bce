"""Turning a report into words: one pure function a format."""
