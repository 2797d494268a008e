"""Settings: one TOML file, read once into frozen structs that stand beside their users.

    class Settings(Table):
        \"\"\"How long messages are kept.\"\"\"

        keep: Duration = Duration(7 * DAY)
        \"\"\"Older ones are deleted.\"\"\"

    settings = read(Path("some.toml"), Settings)      # or ConfigError, with every mistake

In the file, words are joined by dashes. The text below a field is its documentation. A
field annotated `Annotated[…, LIVE]` may also be changed while the program runs.
"""

from .decoding import Decoder
from .mistakes import ConfigError, Mistake, Wrong
from .paths import KeyPath, dotted
from .reading import Reading, changed, read
from .table import LIVE, Table, live_fields
from .values import DAY, HOUR, MINUTE, WEEK, Address, Addresses, Duration, Secret, Size

__all__ = [
    "DAY",
    "HOUR",
    "LIVE",
    "MINUTE",
    "WEEK",
    "Address",
    "Addresses",
    "ConfigError",
    "Decoder",
    "Duration",
    "KeyPath",
    "Mistake",
    "Reading",
    "Secret",
    "Size",
    "Table",
    "Wrong",
    "changed",
    "dotted",
    "live_fields",
    "read",
]
