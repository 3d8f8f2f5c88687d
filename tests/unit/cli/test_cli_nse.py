"""``scan scripts``, and the question before scripts that may do harm."""

from __future__ import annotations

import pytest

from netmon_tui.runtime.tool_paths import find_tool

pytestmark = pytest.mark.skipif(find_tool("nmap") is None, reason="nmap is not installed")


def test_scripts_are_listed_by_word_and_category(admin) -> None:
    found = admin("scan", "scripts", "http-", "--category", "dos", "--json").document
    assert {"name": "http-slowloris", "categories": ["dos", "intrusive"], "risky": True} in found
    assert all("http-" in one["name"] and "dos" in one["categories"] for one in found)
    assert "NAME" in admin("scan", "scripts", "vuln").out
    assert "no script is called so" in admin("scan", "scripts", "wibble").err
    wrong = admin("scan", "scripts", "--category", "wibble")
    assert wrong.code == 2 and "not a category" in wrong.err


def test_a_name_shows_description_and_arguments(admin) -> None:
    shown = admin("scan", "scripts", "http-title", "--json").document
    assert shown["name"] == "http-title" and "title" in shown["description"]
    assert {"name": "http-title.url", "description": "The url to fetch. Default: /"} in shown["arguments"]
    assert "http-title.url\n  The url" in admin("scan", "scripts", "http-title").out


def test_scripts_that_may_do_harm_are_confirmed(admin) -> None:
    run = ("scan", "run", "127.0.0.1", "--detach", "--args")
    refused = admin(*run, "-sL --script http-slowloris")
    assert refused.code == 2
    assert "http-slowloris (dos, intrusive)" in refused.err and "--confirm-intrusive" in refused.err
    missing = admin(*run, "-sL --script http-titel", "--confirm-intrusive")
    assert missing.code == 2 and "http-title" in missing.err
    plan = admin(*run[:3], "--dry-run", "--json", "--args", "--script http-slowloris").document
    assert plan["to_confirm"] == ["http-slowloris (dos, intrusive)"]
    assert admin("scan", "list", "--json").document == []
    assert admin(*run, "-sL --script http-slowloris", "--confirm-intrusive").code == 0
