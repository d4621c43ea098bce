"""How sure a fact is, in words."""

from __future__ import annotations

from anecheck.knowledge.evidence import Confidence

STANDING = {
    Confidence.DOCUMENTED: "documented by Apple",
    Confidence.MEASURED: "measured",
    Confidence.REVERSE_ENGINEERED: "reverse-engineered",
    Confidence.COMMUNITY: "reported by users",
    Confidence.ESTIMATED: "estimated",
    Confidence.EXTRAPOLATED: "extrapolated from other chips",
    Confidence.FOLKLORE: "folklore",
}
