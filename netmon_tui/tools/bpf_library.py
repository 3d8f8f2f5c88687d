"""Capture filters that administrators ask for again and again."""

from __future__ import annotations

from netmon_tui.domain.capture_filter_library import CaptureFilter

_PAYLOAD = "tcp[((tcp[12] & 0xf0) >> 2)"
LIBRARY = (
    CaptureFilter("ARP", "arp", "Who has which address, also gratuitous ARP and probes."),
    CaptureFilter("CARP and VRRP", "ip proto 112", "Routers that share an address, over IPv4."),
    CaptureFilter(
        "DHCP", "udp and (port 67 or 68 or 546 or 547)", "Leases asked for and given, for IPv4 and IPv6."
    ),
    CaptureFilter("DNS", "port 53", "Names looked up, by UDP and TCP."),
    CaptureFilter("Fragments", "ip[6:2] & 0x3fff != 0 or ip6 proto 44", "Packets that came in several pieces."),
    CaptureFilter(
        "HTTP requests",
        f"{_PAYLOAD}:4] = 0x47455420 or {_PAYLOAD}:4] = 0x504f5354 or {_PAYLOAD}:4] = 0x48454144",
        "GET, POST and HEAD in the clear, on any port, over IPv4.",
    ),
    CaptureFilter(
        "ICMP errors",
        "icmp and icmp[icmptype] != icmp-echo and icmp[icmptype] != icmp-echoreply"
        " or (icmp6 and icmp6[icmp6type] < 128)",
        "What ICMP says other than ping: unreachable, redirect, time exceeded.",
    ),
    CaptureFilter(
        "ICMP unreachable",
        "icmp[icmptype] = icmp-unreach or icmp6[icmp6type] = icmp6-destinationunreach",
        "Hosts, ports and networks that are not to be reached, and what a firewall says.",
    ),
    CaptureFilter(
        "IPv6 neighbours",
        "icmp6[icmp6type] = 135 or icmp6[icmp6type] = 136",
        "What ARP is to IPv4: solicitations and advertisements.",
    ),
    CaptureFilter(
        "IPv6 routers",
        "icmp6[icmp6type] = icmp6-routeradvert or icmp6[icmp6type] = icmp6-routersolicit",
        "Who claims to be a router, and who asks for one.",
    ),
    CaptureFilter("Kerberos and LDAP", "port 88 or 389 or 636 or 3268", "Logging in to a directory."),
    CaptureFilter("Large packets", "greater 1515", "Jumbo frames, and segments not cut up yet by the card."),
    CaptureFilter(
        "LLDP and CDP",
        "ether proto 0x88cc or ether dst 01:00:0c:cc:cc:cc",
        "Switches that say who they are, and on which port.",
    ),
    CaptureFilter(
        "Multicast", "ether multicast", "Everything that is sent to more than one station."
    ),
    CaptureFilter("mDNS and LLMNR", "udp port 5353 or 5355", "Names looked up among neighbours."),
    CaptureFilter("NTP", "udp port 123", "Clocks being set."),
    CaptureFilter("Ping", "icmp[icmptype] = icmp-echo or icmp[icmptype] = icmp-echoreply"
                  " or icmp6[icmp6type] = icmp6-echo or icmp6[icmp6type] = icmp6-echoreply",
                  "Echo requests and replies."),
    CaptureFilter("RADIUS", "udp port 1812 or 1813 or 1645 or 1646", "Logins by 802.1X and VPN."),
    CaptureFilter("Routing protocols", "proto 89 or proto 88 or tcp port 179 or udp port 520 or udp port 521",
                  "OSPF, EIGRP, BGP and RIP."),
    CaptureFilter("SIP", "port 5060 or 5061", "Telephone calls being set up; the second port is encrypted."),
    CaptureFilter("SMB", "tcp port 445 or 139", "Windows file shares."),
    CaptureFilter("SNMP", "udp port 161 or 162", "Devices that are asked, and their traps."),
    CaptureFilter("Spanning tree", "stp", "Bridges that agree on a tree, and how often it changes."),
    CaptureFilter("SSH", "tcp port 22", "Secure shell and what goes through it."),
    CaptureFilter("Syslog", "udp port 514 or tcp port 6514", "Messages on their way to a log server."),
    CaptureFilter(
        "TCP resets", "tcp[tcpflags] & tcp-rst != 0", "Connections that were refused or broken off, over IPv4."
    ),
    CaptureFilter(
        "TCP SYN only",
        "tcp[tcpflags] & (tcp-syn|tcp-ack) = tcp-syn",
        "New connections, by those who open them, over IPv4.",
    ),
    CaptureFilter(
        "TCP zero window",
        "tcp[14:2] = 0 and tcp[tcpflags] & (tcp-rst|tcp-syn|tcp-fin) = 0",
        "Receivers that cannot keep up, over IPv4.",
    ),
    CaptureFilter(
        "TLS ClientHello",
        f"{_PAYLOAD}] = 0x16 and {_PAYLOAD} + 5] = 1",
        "Encrypted connections being opened, with the server's name, over IPv4.",
    ),
    CaptureFilter("VLAN tagged", "vlan", "Frames with an 802.1Q tag."),
    CaptureFilter("Without SSH", "not port 22", "Everything else; one's own session is left out anyway."),
)  # fmt: skip
