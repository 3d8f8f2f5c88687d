"""One external program or file format per module: argument lists out, domain values in. Starts nothing."""
