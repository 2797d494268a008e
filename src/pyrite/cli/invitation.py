"""Invitations to make an account, for hosts whose registration is not closed."""

from __future__ import annotations

from .call import Where, call, show

HERE = Where()


def create(
    *,
    host: str | None = None,
    name: str | None = None,
    contact: str | None = None,
    uses: int | None = None,
    valid: str | None = None,
    where: Where = HERE,
) -> None:
    """Invite somebody; what is printed is shown once.

    Parameters
    ----------
    host
        The domain; needed where several are served.
    name
        The name that the account must have; any without it.
    contact
        An account of the host that the new one is to have in its roster.
    uses
        How many accounts may be made with it; 1 unless you say more.
    valid
        How long it is good, such as 3d.
    """
    made = call(
        "invitation-create",
        where,
        host=host,
        name=name,
        contact=contact,
        uses=uses,
        valid=valid,
    )
    show(made, where)


def listed(*, host: str | None = None, where: Where = HERE) -> None:
    """List the invitations that are still good.

    Parameters
    ----------
    host
        The domain; needed where several are served.
    """
    show(call("invitation-list", where, host=host), where)


def revoke(id: str, /, *, host: str | None = None, where: Where = HERE) -> None:
    """Take an invitation back.

    Parameters
    ----------
    id
        As the list shows it.
    host
        The domain; needed where several are served.
    """
    call("invitation-revoke", where, host=host, id=id)
