"""Rules about formats, releases and load (ANE8xx)."""
