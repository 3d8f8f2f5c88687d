"""Hosts, ports, scripts and runs of scans as JSON documents; the others are in :mod:`documents`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from netmon_tui.domain.host import NO_DETAIL, Host, OsMatch, Port, PortDetail, Script, Service
from netmon_tui.domain.scan_run import ScanRun

Document = dict[str, Any]


def host_document(host: Host) -> Document:
    """Return one host with everything a scan found of it."""
    return {
        "address": host.address,
        "addresses": [a._asdict() for a in host.addresses],
        "lladdr": host.lladdr,
        "vendor": host.vendor,
        "hostnames": [{"name": name, "type": kind} for name, kind in host.hostnames],
        "status": host.status,
        "reason": host.reason,
        "reason_ttl": host.reason_ttl,
        "comment": host.comment,
        "started": host.started,
        "finished": host.finished,
        "timed_out": host.timed_out,
        "os": [_os_document(match) for match in host.os],
        "os_ports": [{"state": s, "protocol": p, "number": n} for s, p, n in host.os_ports],
        "os_fingerprints": list(host.os_fingerprints),
        "sequences": [test._asdict() for test in host.sequences],
        "distance": host.distance,
        "uptime": host.uptime,
        "last_boot": host.last_boot,
        "round_trip": host.round_trip and host.round_trip._asdict(),
        "smurf_responses": host.smurf_responses,
        "partial": host.partial,
        "ports": [port_document(port) for port in host.ports],
        "extraports": [
            {
                "state": e.state,
                "count": e.total,
                "reasons": dict(e.reasons),
                "ports": [{"protocol": protocol, "ports": ports} for protocol, ports in e.where],
            }
            for e in host.extraports
        ],
        "scripts": [script_document(script) for script in host.scripts],
        "trace": {"protocol": host.trace_protocol, "port": host.trace_port},
        "hops": [h._asdict() for h in host.hops],
    }


def _os_document(match: OsMatch) -> Document:
    names = ("type", "vendor", "family", "generation", "accuracy")
    return {
        "name": match.name,
        "accuracy": match.accuracy,
        "cpe": list(match.cpe),
        "classes": [dict(zip(names, one, strict=True)) for one in match.classes],
        "line": match.line,
    }


def run_document(run: ScanRun) -> Document:
    """Return what a scan's document says of the run itself."""
    document = {
        name: getattr(run, name)
        for name in (
            *("scanner", "version", "arguments", "profile", "format", "verbosity", "debugging"),
            *("elapsed", "summary", "exit", "error", "output"),
        )
    }
    return document | {
        "ports": [asdict(info) for info in run.infos],
        "skipped": [asdict(target) for target in run.skipped],
        "phases": [asdict(phase) for phase in run.phases],
        "scripts": [{"stage": one.stage} | script_document(one.script) for one in run.scripts],
    }


def port_document(port: Port) -> Document:
    """Return one port with its service."""
    detail = port.detail or NO_DETAIL
    return {
        "number": port.number,
        "protocol": port.protocol,
        "state": port.state,
        "reason": port.reason,
        "reason_ttl": port.reason_ttl,
        "reason_ip": detail.reason_ip,
        "owner": detail.owner,
        "service": service_document(port.service, detail),
        "scripts": [script_document(script) for script in port.scripts],
    }


def service_document(service: Service | None, detail: PortDetail = NO_DETAIL) -> Document | None:
    """Return what listens on a port."""
    if service is None:
        return None
    return {
        "name": service.name,
        "product": service.product,
        "version": service.version,
        "extrainfo": service.extrainfo,
        "tunnel": service.tunnel,
        "method": service.method,
        "confidence": service.confidence,
        "cpe": list(service.cpe),
        "hostname": service.hostname,
        "ostype": service.ostype,
        "devicetype": service.devicetype,
        "rpc": detail.rpc,
        "rpc_number": detail.rpc_number,
        "rpc_lowest": detail.rpc_lowest,
        "rpc_highest": detail.rpc_highest,
        "fingerprint": detail.fingerprint,
    }


def script_document(script: Script) -> Document:
    """Return one script's output."""
    return {"id": script.id, "output": script.output, "data": script.data}
