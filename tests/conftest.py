"""What every test may use: the lab (see tests/lab/plugin.py)."""

pytest_plugins = ["tests.lab.plugin"]
