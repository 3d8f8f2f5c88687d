"""Domain values as JSON documents with the keys that the command line and the exports promise.

Times are RFC 3339 in UTC, sizes bytes, durations seconds. Foreign text stays as it is: JSON has its own escapes.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from netmon_tui.domain.capture_request import request_document
from netmon_tui.domain.check import Check
from netmon_tui.domain.comparison import Comparison, HostChange, ScriptChange
from netmon_tui.domain.host import Host
from netmon_tui.domain.host_documents import host_document, service_document
from netmon_tui.domain.ignoring import IgnoreRule, Sifted
from netmon_tui.domain.job import Job
from netmon_tui.domain.named_set import NamedSet
from netmon_tui.domain.neighbour import Interface, NeighbourRecord
from netmon_tui.domain.nse import NseScript, ScriptDetail
from netmon_tui.domain.profile import Profile
from netmon_tui.domain.scan import Scan
from netmon_tui.domain.schedule import Schedule
from netmon_tui.domain.search import FoundPort, SavedSearch
from netmon_tui.domain.user import AuditEvent, User

Document = dict[str, Any]


def timestamp(moment: datetime | None) -> str | None:
    """Return an instant as RFC 3339, or None."""
    return None if moment is None else moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def scan_document(scan: Scan, hosts: Sequence[Host] | None = None) -> Document:
    """Return a scan; with ``hosts`` when they are given."""
    document = {
        "id": scan.id,
        "name": scan.name,
        "targets": list(scan.targets),
        "profile": scan.profile,
        "arguments": scan.arguments,
        "command": list(scan.command),
        "state": scan.state.value,
        "owner": scan.owner,
        "started": timestamp(scan.started),
        "finished": timestamp(scan.finished),
        "percent": scan.percent,
        "hosts_up": scan.hosts_up,
        "hosts_down": scan.hosts_down,
        "hosts_total": scan.hosts_total,
        "ports_open": scan.ports_open,
        "warnings": list(scan.warnings),
        "error": scan.error,
        "imported": scan.imported,
        "pinned": scan.pinned,
        "compared_with": scan.compared_with,
        "sets": list(scan.sets),
        "changes": None if scan.changes is None else scan.changes._asdict(),
    }
    if hosts is not None:
        document["hosts"] = [host_document(host) for host in hosts]
    return document


def profile_document(profile: Profile) -> Document:
    """Return a scan profile."""
    return {
        "name": profile.name,
        "arguments": profile.arguments,
        "description": profile.description,
        "owner": profile.owner,
        "shared": profile.shared,
    }


def set_document(found: NamedSet) -> Document:
    """Return a target set or a port set."""
    return {
        "name": found.name,
        f"{found.kind}s": found.content,
        "description": found.description,
        "owner": found.owner,
        "shared": found.shared,
    }


def schedule_document(schedule: Schedule, times: Sequence[datetime] | None = None) -> Document:
    """Return a schedule; with its next run times when they are given."""
    document: Document = {
        "name": schedule.name,
        "owner": schedule.owner,
        "targets": list(schedule.targets),
        "profile": schedule.profile,
        "arguments": schedule.arguments,
        "every": schedule.when.every or None,
        "cron": schedule.when.cron or None,
        "zone": schedule.when.zone,
        "when": schedule.words,
        "catch_up": schedule.catch_up,
        "confirmed": schedule.confirmed,
        "staged": schedule.staged,
        "enabled": schedule.enabled,
        "next_run": timestamp(schedule.next_run),
        "last_run": timestamp(schedule.last_run),
        "last_scan": schedule.last_scan,
        "capture": None if schedule.capture is None else request_document(schedule.capture),
        "last_capture": schedule.last_capture,
        "last_state": schedule.last_state and schedule.last_state.value,
        "last_changes": None if schedule.last_changes is None else schedule.last_changes._asdict(),
        "last_error": schedule.last_error,
    }
    if times is not None:
        document["next_runs"] = [timestamp(time) for time in times]
    return document


def comparison_document(comparison: Comparison) -> Document:
    """Return what changed from scan ``a`` to scan ``b``."""
    return {
        "a": comparison.a,
        "b": comparison.b,
        "hosts": [_host_change(host) for host in comparison.hosts],
        "summary": comparison.counts._asdict(),
        "notes": list(comparison.notes),
    }


def sifted_document(sifted: Sifted) -> Document:
    """Return what changed and is not ignored, beside how much is, and by which rules."""
    ignored = {"lines": sifted.count, "rules": [rule.reference for rule in sifted.rules]}
    return comparison_document(sifted.kept) | {"ignored": ignored}


def ignore_rule_document(rule: IgnoreRule) -> Document:
    """Return one rule; what is empty in it does not matter."""
    return {
        "rule": rule.reference,
        **rule.pattern._asdict(),
        "words": str(rule.pattern),
        "note": rule.note,
        "owner": rule.owner,
        "everybody": rule.everybody,
        "built_in": rule.is_built_in,
        "on": rule.on,
        "created": timestamp(rule.created),
    }


def _host_change(host: HostChange) -> Document:
    facts = ({**fact._asdict(), "severity": fact.severity.value} for fact in host.facts)
    ports = (
        {
            "number": port.number,
            "protocol": port.protocol,
            "change": port.change.value,
            "severity": port.severity.value,
            "moved_from": port.moved_from,
            "before": port.before and port.before._asdict(),
            "after": port.after and port.after._asdict(),
        }
        for port in host.ports
    )
    return {
        "address": host.address,
        "change": host.change.value,
        "severity": host.severity.value,
        "facts": list(facts),
        "ports": list(ports),
        "scripts": [_script_change(one) for one in host.scripts],
    }


def _script_change(one: ScriptChange) -> Document:
    return {
        "script": one.script,
        "number": one.number if one.protocol else None,
        "protocol": one.protocol or None,
        "change": one.change.value,
        "severity": one.severity.value,
        "before": one.before,
        "after": one.after,
    }


def found_document(found: FoundPort) -> Document:
    """Return one line of a search; ``number`` is null for a host without ports."""
    return {
        "scan": found.scan,
        "address": found.address,
        "hostname": found.hostname,
        "number": found.number,
        "protocol": found.protocol,
        "state": found.state,
        "service": service_document(found.service),
        "seen": None if found.seen is None else timestamp(datetime.fromtimestamp(found.seen, UTC)),
    }


def saved_search_document(saved: SavedSearch) -> Document:
    """Return a saved search."""
    return {"name": saved.name, "query": saved.text, "owner": saved.owner, "shared": saved.shared}


def neighbour_document(neighbour: NeighbourRecord) -> Document:
    """Return one neighbour."""
    return {
        "address": neighbour.address,
        "family": neighbour.family.value,
        "lladdr": neighbour.lladdr,
        "lladdr_remembered": neighbour.lladdr_remembered,
        "vendor": neighbour.vendor,
        "interface": neighbour.interface,
        "state": neighbour.state,
        "router": neighbour.router,
        "hostname": neighbour.hostname,
        "first_seen": timestamp(neighbour.first_seen),
        "last_seen": timestamp(neighbour.last_seen),
        "private": neighbour.private,
        "name": neighbour.name,
        "known": neighbour.known,
        "used": round(neighbour.used, 2),
        "confirmed": round(neighbour.confirmed, 2),
        "updated": round(neighbour.updated, 2),
        "probes": neighbour.probes,
    }


def interface_document(interface: Interface) -> Document:
    """Return one interface."""
    return {
        "name": interface.name,
        "lladdr": interface.lladdr,
        "addresses": [f"{a.address}/{a.prefix}" for a in interface.addresses],
        "up": interface.up,
        "loopback": interface.loopback,
        "gateways": list(interface.gateways),
    }


def job_document(job: Job) -> Document:
    """Return a job."""
    return {
        "id": job.id,
        "kind": job.kind.value,
        "subject": job.subject_id,
        "owner": job.owner,
        "state": job.state.value,
        "pid": job.pid,
        "command": list(job.command),
        "directory": job.directory,
        "created": timestamp(job.created),
        "started": timestamp(job.started),
        "finished": timestamp(job.finished),
        "error": job.error,
    }


def user_document(user: User) -> Document:
    """Return an account, without its secrets."""
    return {
        "id": user.id,
        "name": user.name,
        "role": user.role.value,
        "state": user.state.value,
        "email": user.email,
        "created": timestamp(user.created),
        "last_login": timestamp(user.last_login),
        "failures": user.failures,
        "locked_until": timestamp(user.locked_until),
        "never_scan": user.limits.never_scan.split(),
        "maximum_rate": user.limits.maximum_rate,
    }


def check_document(check: Check) -> Document:
    """Return one line of the doctor."""
    return {"name": check.name, "status": check.status.value, "detail": check.detail, "fix": check.fix}


def audit_document(event: AuditEvent) -> Document:
    """Return one row of the audit trail."""
    return {
        "id": event.id,
        "time": timestamp(event.time),
        "actor": event.actor,
        "action": event.action,
        "subject": event.subject,
        "detail": event.detail,
    }


def nse_document(script: NseScript) -> Document:
    """Return a script that is installed beside nmap."""
    return {"name": script.name, "categories": list(script.categories), "risky": script.is_risky}


def nse_detail_document(detail: ScriptDetail) -> Document:
    """Return a script with its description and arguments."""
    arguments = [{"name": one.name, "description": one.description} for one in detail.arguments]
    return {**nse_document(detail.script), "description": detail.description, "arguments": arguments}
