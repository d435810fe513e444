"""Cleo Integration Cloud, Harmony and VLTrader: files out and in, connections, transfers, actions, payloads."""

from __future__ import annotations

from mlconnector.cleo._client import Cleo
from mlconnector.cleo._codes import restored, translated
from mlconnector.cleo._files import CleoFile, CleoFiles
from mlconnector.cleo._routes import Route, Routes, pair_of
from mlconnector.cleo._targets import FilesTarget

__all__ = ["Cleo", "CleoFile", "CleoFiles", "FilesTarget", "Route", "Routes", "pair_of", "restored", "translated"]
