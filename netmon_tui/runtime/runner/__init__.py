"""The runner: a small program of its own that starts one tool, watches it, and outlives the application.

Standard library only and nothing of the rest of the package, because it runs as
``python -I -S .../runner/__main__.py JOBDIR``: 12 MB and well under a tenth of a second. The modules here
therefore import each other relatively, and work under the name ``runner`` as well.

It reads ``spec.json`` in the job directory, keeps ``status.json`` up to date, and ends when the tool has.
"""
