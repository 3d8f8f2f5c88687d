"""Display filters for the answers whose times tshark measured, by the procedure that was called.

tshark prints over its table which field has the procedure (``epan/srt_table.c``). Where answers have it as well,
those whose time is known are the calls that were counted; where not, what tells answers stands in a table here.
"""

from __future__ import annotations

_TIMED = frozenset(("afp", "dcerpc", "fc", "rpc", "scsi", "smb", "smb2"))
"""Protocols with a field ``X.time``, whose answers have their calls' procedures."""
_LDAP_ANSWERS = {0: 1, 3: 5, 6: 7, 8: 9, 10: 11, 12: 13, 14: 15, 23: 24}
"""Operations of the last answers to operations (RFC 4511)."""
_GTP_ANSWERS = {"Echo": 2, "Create PDP context": 17, "Update PDP context": 19, "Delete PDP context": 21}
"""Messages (3GPP TS 29.060) by tshark's names of what they answer."""


def procedure_filter(protocol: str, field: str, number: int, name: str) -> str:
    """Return the filter for the answers to a procedure; empty where none tells them.

    Args:
        protocol: What was asked about: ``smb2``, ``rpc``.
        field: The one that has the procedure; may be empty.
        number: The procedure's there.
        name: tshark's for it.
    """
    if protocol == "ldap":
        answer = _LDAP_ANSWERS.get(number)
        return f"ldap.protocolOp == {answer} && ldap.time" if answer is not None else ""
    if protocol == "gtp":
        answer = _GTP_ANSWERS.get(name)
        return f"gtp.message == {answer} && gtp.time" if answer is not None else ""
    if protocol == "snmp":
        return f"snmp.data == {number}"  # answers are all of one kind; unanswered calls are among these
    return f"{field} == {number} && {protocol}.time" if field and protocol in _TIMED else ""
