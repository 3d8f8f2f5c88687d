"""Widgets, each a noun of what it shows."""
