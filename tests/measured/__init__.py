"""Measured plans: the files they come in, and how they compare with predictions."""
