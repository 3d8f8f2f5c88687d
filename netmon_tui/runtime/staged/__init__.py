"""The staged scan: a program of the standard library alone that runs one scan as several nmaps.

A runner starts it as its tool (``python -I -S .../staged/__main__.py``) in the job directory, where ``plan.json``
says what to run. It writes one document, ``scan.xml``, as nmap would have written it; the documents that it is
made of stay beside it as ``stage-*.xml``. What a run before has left in ``earlier`` is not scanned again.
"""

from pathlib import Path

PROGRAM = Path(__file__).parent / "__main__.py"
"""What a runner starts."""
