"""Typed settings and the paths they live in."""
