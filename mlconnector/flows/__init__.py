"""The integrations: each a flow made of syncs, with the routes that say what goes where."""

from __future__ import annotations

from mlconnector.cleo import Route, Routes
from mlconnector.delivery import Flow
from mlconnector.flows._jde_to_cleo import jde_to_cleo

__all__ = ["Flow", "Route", "Routes", "jde_to_cleo"]
