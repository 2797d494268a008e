"""The clients that have access to an account, for who looks after it."""

from __future__ import annotations

from .call import Where, call, show

HERE = Where()


def listed(jid: str, /, *, where: Where = HERE) -> None:
    """List the clients of an account: what they are, and by what means they come.

    Parameters
    ----------
    jid
        The account.
    """
    show(call("client-list", where, host=_host(jid), jid=jid), where)


def revoke(jid: str, id: str, /, *, where: Where = HERE) -> None:
    """End a client's tokens and sessions. One that knows the password can come again.

    Parameters
    ----------
    jid
        The account.
    id
        The client, as the list shows it.
    """
    call("client-revoke", where, host=_host(jid), jid=jid, id=id)


def _host(jid: str) -> str:
    return jid.rpartition("@")[2]
