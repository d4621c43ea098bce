"""Measurements of whole processes, and the models that they run on."""
