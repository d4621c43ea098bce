"""Rules about single operations (ANE1xx)."""
