"""The client library: one call gives a session that lasts, or raises the reason.

    async with Client("romeo@example.net", password=password) as me:
        await me.send("juliet@example.com", "But soft!")

`pyrite.client.api` is all that programs may rely on.
"""
