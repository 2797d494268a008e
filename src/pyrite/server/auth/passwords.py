"""Which passwords are taken, and said to people in their words."""

from __future__ import annotations

from ...core.sasl import MAX_PASSWORD, PrepError, saslprep
from .settings import AuthSettings

#: What guessers try first, in lower case. All that is shorter than eight is there for operators
#: who allow short passwords.
COMMON = frozenset(
    """
    000000 00000000 111111 11111111 112233 11223344 121212 123123 123123123 123321 12341234
    123456 1234567 12345678 123456789 1234567890 123456a 1234qwer 123abc 123qwe 123qweasd 159753
    1q2w3e 1q2w3e4r 1q2w3e4r5t 1qaz2wsx 222222 333333 555555 654321 666666 66666666 6969696969
    777777 7777777 87654321 888888 88888888 987654321 999999 99999999 a123456 a1b2c3d4 aa123456
    aaaaaa aaaaaaaa abc123 abc12345 abc123456 abcd1234 abcdefgh access admin admin123 admin1234
    administrator asdasd asdf1234 asdfasdf asdfgh asdfghjk asdfghjkl azerty baseball batman
    changeme changeme1 charlie computer computer1 dragon football football1 freedom hello
    hello123 hunter2 iloveyou iloveyou1 internet jabber jordan23 killer letmein letmein1 login
    lovely master master123 michael michelle monkey mustang mypassword ninja nopassword p@ssw0rd
    p@ssword pa$$word pa55word pass pass1234 passw0rd password password! password1 password1!
    password12 password123 password1234 passwort pokemon princess princess1 qazwsx qazwsxedc
    qwaszx qwe123 qweasd qweasdzxc qwer1234 qwert123 qwerty qwerty1 qwerty12 qwerty123 qwertyui
    qwertyuiop root samsung secret secret123 shadow starwars sunshine sunshine1 superman test
    test1234 testtest trustno1 user welcome welcome1 welcome123 whatever xmpp zaq12wsx zxcvbnm
    zxcvbnm1
    """.split()
)


class PasswordError(ValueError):
    """The password is not taken; the text says why to who has chosen it."""


def storable(password: str) -> str:
    """`password` as it is hashed; raises `PasswordError` for what no mechanism can carry."""
    try:
        prepared = saslprep(password)
    except PrepError:
        raise PasswordError("the password has characters that cannot be typed in") from None
    if len(password.encode()) > MAX_PASSWORD:
        raise PasswordError(f"the password is longer than {MAX_PASSWORD} octets")
    if not prepared:
        raise PasswordError("the password is empty")
    return prepared


def acceptable(password: str, name: str, settings: AuthSettings) -> str:
    """Like `storable`, for what the user `name` chooses: not too easy to guess either."""
    prepared = storable(password)
    folded = prepared.casefold()
    if len(prepared) < settings.password_length:
        raise PasswordError(f"the password has less than {settings.password_length} characters")
    if folded in (name.casefold(), name.casefold()[::-1]):
        raise PasswordError("the password is the name of the account")
    if not settings.common_passwords and (folded in COMMON or len(set(folded)) == 1):
        raise PasswordError("the password is one that everybody tries first")
    return prepared
