"""What happens when something breaks: the server, a connection, the disk, the clock, a client.

- `world.py` has fifty clients that talk, are cut off and come back, and write everything down;
  `history.py` judges what they wrote, `test_history.py` the judge. `test_kill.py` kills the server
  under them: nothing that was acknowledged is lost, doubled for a session or out of order.
- `test_cuts.py`: a connection breaks at each octet of a login and of a resumption.
- `test_handover.py`: what waited for somebody waits until it is there.
- `test_disk.py`: the disk is full, or the database is locked.
- `test_deaf.py`: somebody never reads, and three others write to it.
- `test_clock.py`: the machine's clock is set forwards and back.
- `test_stop.py`: the server stops under load, or is killed between requests and answers.

``make fault`` is the long form of all this. docs/explanation/nothing-is-lost.md says what is
promised, and what is not.
"""
