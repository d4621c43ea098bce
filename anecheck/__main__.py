"""`python -m anecheck`."""

from anecheck.cli.main import main

main(prog_name="anecheck")
