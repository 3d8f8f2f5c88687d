"""Passwords, lockout and the one gate for foreign text."""
