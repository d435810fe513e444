"""JD Edwards EnterpriseOne over its AIS server."""

from __future__ import annotations

from mlconnector.jdedwards._approval import Approval
from mlconnector.jdedwards._client import JDEdwardsAIS
from mlconnector.jdedwards._session import AISSession

__all__ = ["AISSession", "Approval", "JDEdwardsAIS"]
