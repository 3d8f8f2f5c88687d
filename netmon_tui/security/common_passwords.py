"""What everybody tries first: an offline block list.

The list holds the words behind the most used passwords of public leaks, not the passwords themselves:
leaked long passwords are nearly all such words put together, repeated, or with digits and a sign at the
end. What counts is what remains of a password when they are taken out.
"""

from __future__ import annotations

import re
from functools import cache

_PRODUCT = ("netmon", "netmon-tui", "netmontui", "nmap", "tcpdump", "wireshark")
_WORDS = """
abc123 access account admin administrador administrator adobe amanda andrea andrew angel anthony apple
arsenal ashley austin azerty babygirl bailey barcelona baseball basketball batman biteme blink182 buster
butterfly changeit changeme charlie cheese chelsea chocolate computer cookie corvette daniel default diablo
dolphin donald dragon elephant email facebook ferrari flower football forever freedom friend friends fuckyou
george ginger google guest hannah harley hello helloworld hockey hunter hunter2 iloveu iloveyou internet
jasmine jennifer jessica jesuschrist jordan joshua justin killer letmein liverpool login london lovely
loveme lovers manchester master matrix matthew maverick mercedes michael michelle monkey monster motdepasse
mustang mynameis mypass mypassword nicole nothing operator orange p@ssw0rd pa55word pakistan pass passcode
passphrase passw0rd password passwort patrick pepper phoenix pokemon princess private purple qazwsx
qazwsxedc qwerty qwertyuiop qwertz raspberry robert root sample samsung scooter secret secure security
server shadow silver slipknot soccer spiderman starwars summer sunshine superman superuser sysadmin system
taylor temporary temppass thomas thunder tigger toor trustno1 twitter unknown user username viewer welcome
whatever william windows winter yellow zaq12wsx zxcvbn zxcvbnm
"""
_ROWS = (
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890",
    "qwertyuiop",
    "qwertzuiop",
    "asdfghjkl",
    "zxcvbnm",
    "1qaz2wsx3edc4rfv5tgb",
    "1q2w3e4r5t6y7u8i9o0p",
    "!@#$%^&*()_+",
)
_SEQUENCE = 4
"""So many characters side by side on a row of the keyboard, or in the alphabet, are a sequence."""
_LEET = str.maketrans(
    {"@": "a", "4": "a", "3": "e", "1": "i", "!": "i", "0": "o", "5": "s", "$": "s", "7": "t"}
)


@cache
def _common() -> re.Pattern[str]:
    """Compile the pattern of everything common; only who sets a password pays for it."""
    both = [way for row in _ROWS for way in (row, row[::-1])]
    ends = [(way, end) for way in both for end in range(_SEQUENCE, len(way) + 1)]
    sequences = {way[start:end] for way, end in ends for start in range(end - _SEQUENCE + 1)}
    words = sorted({*_PRODUCT, *_WORDS.split(), *sequences}, key=len, reverse=True)
    return re.compile("|".join([*map(re.escape, words), r"(?:19|20)[0-9]{2}", r"(.)\1{2,}"]))


def left_without_common_parts(password: str, names: tuple[str, ...]) -> str:
    """Return what is left of a password without common words, names, years, sequences and repetitions.

    Spaces do not count, and each sign of ASCII counts once.
    Of the two readings, as typed and with ``p@ssw0rd`` spelled out, the one that leaves less counts.

    Args:
        password: In any case.
        names: Further words to take out, such as the user's name; those under three characters are ignored.
    """
    text = password.casefold()
    own = [name.casefold() for name in names if len(name) >= 3]
    return min((_stripped(reading, own) for reading in (text, text.translate(_LEET))), key=len)


def _stripped(text: str, names: list[str]) -> str:
    for name in names:
        text = text.replace(name, " ")
    rest = _common().sub(" ", text)
    signs = {c for c in rest if c.isascii() and not c.isalnum() and not c.isspace()}
    return "".join(c for c in rest if c.isalnum() or not c.isascii()) + "".join(sorted(signs))
