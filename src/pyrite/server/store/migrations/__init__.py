"""The revisions of the server's database, oldest first in ``versions``.

A revision that has been released is never changed: what it makes is what people have.
"""
