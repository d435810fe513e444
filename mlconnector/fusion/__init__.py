"""Oracle Fusion Cloud ERP over its REST API."""

from __future__ import annotations

from mlconnector.fusion._client import OracleFusion
from mlconnector.fusion._settings import Chart, Gate, ShipmentNames

__all__ = ["Chart", "Gate", "OracleFusion", "ShipmentNames"]
