"""The log: a rotating file, 0600, one line per event whatever a host on the network called itself."""

from __future__ import annotations

import logging
import logging.handlers
from contextlib import suppress
from io import TextIOWrapper
from pathlib import Path
from typing import cast

from netmon_tui.config.defaults import LOG_FILE_BYTES, LOG_FILES_KEPT
from netmon_tui.config.files import explain, private_opener

LOGGER_NAME = "netmon_tui"
_PRIORITIES = ((logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6))
_SHORT_FORMAT = "%(asctime)s %(levelname)s %(message)s"
_FORMAT = "%(asctime)s %(levelname)s %(process)d %(name)s: %(message)s"


def configure_logging(log_file: Path, level: str = "info") -> None:
    """Send everything logged below ``netmon_tui`` to a file, and nothing to the terminal.

    Called again, it replaces the former file and level. No caller logs passwords, tokens or captured bytes.

    Args:
        log_file: In a directory that exists.
        level: ``debug``, ``info``, ``warning`` or ``error``.

    Raises:
        StorageError: The file cannot be opened.
    """
    try:
        handler = _PrivateFile(
            log_file, maxBytes=LOG_FILE_BYTES, backupCount=LOG_FILES_KEPT, encoding="utf-8"
        )
    except OSError as error:
        raise explain(error, log_file) from error
    handler.setFormatter(_OneLine(_FORMAT))
    logger = logging.getLogger(LOGGER_NAME)
    for former in tuple(logger.handlers):
        logger.removeHandler(former)
        with suppress(OSError):  # what a full disk did not take is lost already
            former.close()
    logger.addHandler(handler)
    logger.setLevel(level.upper())
    logger.propagate = False


def log_to_stderr(*, is_journal: bool) -> None:
    """Send what is logged to stderr as well, for a program without a screen; configure_logging ends it.

    Args:
        is_journal: Whether systemd's journal reads it, which knows the time and wants the priority in front
            (sd-daemon(3)).
    """
    handler = logging.StreamHandler()
    handler.setFormatter(_JournalLine("%(message)s") if is_journal else _OneLine(_SHORT_FORMAT))
    logging.getLogger(LOGGER_NAME).addHandler(handler)


class _PrivateFile(logging.handlers.RotatingFileHandler):
    """Every file, the rotated ones included, has mode 0600."""

    def _open(self) -> TextIOWrapper:
        stream = open(self.baseFilename, self.mode, encoding=self.encoding, opener=private_opener)  # noqa: SIM115
        return cast(TextIOWrapper, stream)

    def handleError(self, record: logging.LogRecord) -> None:
        """Let a log that cannot be written (a full disk) not disturb the screen or the work."""


class _OneLine(logging.Formatter):
    """Escapes what could forge a line or control a terminal that shows the file."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, and what follows it (a traceback) indented."""
        first, *rest = super().format(record).split("\n")
        return "\n".join([_printable(first), *(f"    {_printable(line)}" for line in rest)])


class _JournalLine(_OneLine):
    """Puts the priority of the journal in front of every line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line or lines."""
        priority = next((p for level, p in _PRIORITIES if record.levelno >= level), 7)
        return "\n".join(f"<{priority}>{line}" for line in super().format(record).split("\n"))


def _printable(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
