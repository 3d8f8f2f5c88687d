"""What panes ask of the frame: requests that cross from one tool to another."""

from __future__ import annotations

from dataclasses import dataclass

from textual.message import Message


@dataclass
class ScanAddress(Message):
    """Open the scan form for an address (a pivot)."""

    address: str
    """Foreign text: the form's grammar decides whether it is a target."""
    interface: str = ""
    """Where it was seen; empty where that is not known."""


@dataclass
class CaptureAddress(Message):
    """Open the capture form for an address (a pivot)."""

    address: str
    interface: str = ""


@dataclass
class CaptureBegun(Message):
    """A capture was begun that the list of captures does not know of yet."""

    capture_id: int


@dataclass
class ApplyDisplayFilter(Message):
    """Show only the packets of the open capture that meet a display filter."""

    text: str
    since: str = ""
    """Name of the file from whose first packet the filter counts, where it does; empty for the oldest there is."""


@dataclass
class ShowHost(Message):
    """Show what is known of an address."""

    address: str
