"""The only package that starts, signals, tails and re-adopts processes, and that reads rtnetlink."""
