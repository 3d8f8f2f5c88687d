"""Write nmap XML of any size, the same for the same arguments: ``python generate_nmap_xml.py PATH HOSTS [PORTS]``.

65,536 hosts with 5 ports are about 117 MB: service versions, CPE, scripts with structured output, MAC
addresses with vendors, host names, extra ports and times, as nmap 7.93 writes them with ``-sV -sC -v``.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from pathlib import Path

HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE nmaprun>\n'
    '<?xml-stylesheet href="file:///usr/bin/../share/nmap/nmap.xsl" type="text/xsl"?>\n'
    '<nmaprun scanner="nmap" args="nmap -v -sV -sC -oX scan.xml 10.0.0.0/16" start="1700000000"'
    ' startstr="Tue Nov 14 22:13:20 2023" version="7.93" xmloutputversion="1.05">\n'
    '<scaninfo type="syn" protocol="tcp" numservices="1000" services="1-1000"/>\n'
    '<verbose level="1"/>\n<debugging level="0"/>\n'
    '<taskbegin task="SYN Stealth Scan" time="1700000001"/>\n'
    '<taskprogress task="SYN Stealth Scan" time="1700000002" percent="12.34" remaining="9" etc="1700000011"/>\n'
    '<taskend task="SYN Stealth Scan" time="1700000011" extrainfo="1000 total ports"/>\n'
)
SERVICES = (
    (
        22,
        "ssh",
        "OpenSSH",
        "9.2p1 Debian 2+deb12u2",
        "protocol 2.0",
        "cpe:/a:openbsd:openssh:9.2p1",
        "SSH-2.0",
    ),
    (80, "http", "nginx", "1.22.1", "", "cpe:/a:igor_sysoev:nginx:1.22.1", "Welcome to nginx!"),
    (443, "http", "Apache httpd", "2.4.57", "(Debian)", "cpe:/a:apache:http_server:2.4.57", "It works"),
    (25, "smtp", "Postfix smtpd", "", "", "cpe:/a:postfix:postfix", "mail ESMTP"),
    (3306, "mysql", "MySQL", "8.0.33", "", "cpe:/a:mysql:mysql:8.0.33", "caching_sha2"),
    (53, "domain", "dnsmasq", "2.89", "", "cpe:/a:thekelleys:dnsmasq:2.89", "dnsmasq-2.89"),
    (5432, "postgresql", "PostgreSQL DB", "9.6.0 or later", "", "cpe:/a:postgresql:postgresql", "ready"),
    (8080, "http", "Jetty", "9.4.51.v20230217", "", "cpe:/a:mortbay:jetty:9.4.51", "Error 404 &amp; more"),
)
VENDORS = (("00:1B:21", "Intel Corporate"), ("B8:27:EB", "Raspberry Pi Foundation"), ("00:0C:29", "VMware"))


def host(index: int, ports: int, chance: random.Random) -> str:
    """One ``<host>`` element."""
    prefix, vendor = VENDORS[index % len(VENDORS)]
    tail = ":".join(f"{index >> shift & 255:02X}" for shift in (16, 8, 0))
    start = 1_700_000_000 + index // 64
    parts = [
        f'<host starttime="{start}" endtime="{start + 60}">'
        '<status state="up" reason="arp-response" reason_ttl="0"/>\n'
        f'<address addr="10.{index >> 16 & 255}.{index >> 8 & 255}.{index & 255}" addrtype="ipv4"/>\n'
        f'<address addr="{prefix}:{tail}" addrtype="mac" vendor="{vendor}"/>\n'
        f'<hostnames>\n<hostname name="host-{index}.example.net" type="PTR"/>\n</hostnames>\n'
        f'<ports><extraports state="closed" count="{1000 - ports}">\n'
        f'<extrareasons reason="reset" count="{1000 - ports}" proto="tcp" ports="1-21,23-24"/>\n</extraports>\n'
    ]
    parts += [port(number, service, chance) for number, service in _chosen(ports, chance)]
    parts.append(
        f'</ports>\n<times srtt="{chance.randrange(100, 90_000)}" rttvar="5000" to="100000"/>\n</host>\n'
    )
    return "".join(parts)


def _chosen(ports: int, chance: random.Random) -> Iterator[tuple[int, int]]:
    """Pairs of (port number, index of a service), the numbers all different."""
    kinds = chance.sample(range(len(SERVICES)), min(ports, len(SERVICES)))
    kinds.sort(key=lambda kind: SERVICES[kind][0])
    yield from ((SERVICES[kind][0], kind) for kind in kinds)
    yield from ((10_000 + extra, extra % len(SERVICES)) for extra in range(ports - len(kinds)))


def port(number: int, kind: int, chance: random.Random) -> str:
    """One ``<port>`` element: every fifth one with a script."""
    _, name, product, version, extrainfo, cpe, output = SERVICES[kind]
    version = f' version="{version}"' if version else ""
    extrainfo = f' extrainfo="{extrainfo}"' if extrainfo else ""
    script = ""
    if chance.random() < 0.2:
        script = f'<script id="banner" output="{output}"><elem key="title">{output}</elem>\n</script>'
    return (
        f'<port protocol="tcp" portid="{number}"><state state="open" reason="syn-ack" reason_ttl="64"/>'
        f'<service name="{name}" product="{product}"{version}{extrainfo} ostype="Linux" method="probed" conf="10">'
        f"<cpe>{cpe}</cpe></service>{script}</port>\n"
    )


def generate(path: Path, hosts: int, ports: int = 5) -> None:
    """Write a scan of so many hosts with so many open ports each."""
    chance = random.Random(20_231_114)
    with path.open("w", encoding="utf-8") as file:
        file.write(HEAD)
        for index in range(hosts):
            file.write(host(index, ports, chance))
        file.write(
            '<runstats><finished time="1700009999" timestr="Wed Nov 15 00:59:59 2023"'
            f' summary="Nmap done: {hosts} IP addresses ({hosts} hosts up) scanned"'
            ' elapsed="9999.00" exit="success"/>'
            f'<hosts up="{hosts}" down="0" total="{hosts}"/>\n</runstats>\n</nmaprun>\n'
        )


def main() -> None:
    """Write the file named on the command line."""
    path, hosts, *ports = sys.argv[1:]
    generate(Path(path), int(hosts), int(ports[0]) if ports else 5)


if __name__ == "__main__":
    main()
