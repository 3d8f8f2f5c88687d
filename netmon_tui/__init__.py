"""netmon-tui: nmap scans, the neighbour table and tcpdump captures in one terminal application.

The package root imports nothing, so that ``netmon-tui --version`` answers at once.
"""

__version__ = "0.1.0"
