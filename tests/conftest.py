"""Settings of every test."""

from __future__ import annotations

from hypothesis import settings

# What is asserted are counts, not seconds: how long an example takes is the machine's business.
settings.register_profile("counts", deadline=None)
settings.load_profile("counts")
