"""What pydantic knows of reports. To find it out takes longer than to write most of them, so only JSON imports this."""

from __future__ import annotations

from pydantic import TypeAdapter

from anecheck.lint import finding, reports
from anecheck.lint.finding import Finding
from anecheck.lint.footprint_report import FootprintReport, MemoryTotal
from anecheck.lint.measured_report import MeasuredReport
from anecheck.lint.placement_report import OperationReport, PlacementReport
from anecheck.lint.reports import ReadError, Report
from anecheck.lint.run_report import Gone, Shard, Suppression, SuppressionReport

vars(finding).update(Suppression=Suppression)
vars(reports).update(
    FootprintReport=FootprintReport,
    Gone=Gone,
    MeasuredReport=MeasuredReport,
    MemoryTotal=MemoryTotal,
    OperationReport=OperationReport,
    PlacementReport=PlacementReport,
    Shard=Shard,
    SuppressionReport=SuppressionReport,
)
"""Both name these without importing them, and pydantic looks names up there."""

REPORT = TypeAdapter(Report)
FINDING = TypeAdapter(Finding)
READ_ERROR = TypeAdapter(ReadError)
