"""The five flows, each with its simulators, what happens in its source, and what must be at its target."""

from __future__ import annotations

from tests.torture.sites._cleo import CleoSite, segments
from tests.torture.sites._common import Arrived, Site
from tests.torture.sites._fusion_to_cleo import FusionToCleo
from tests.torture.sites._jde_to_bill import JDEToBill
from tests.torture.sites._jde_to_cleo import JDEToCleo
from tests.torture.sites._jde_to_coupa import JDEToCoupa
from tests.torture.sites._peoplesoft_to_cleo import PeopleSoftToCleo

__all__ = ["SITES", "Arrived", "CleoSite", "Site", "segments"]

SITES: dict[str, type[Site]] = {
    site.name: site for site in (JDEToCleo, FusionToCleo, PeopleSoftToCleo, JDEToCoupa, JDEToBill)
}
