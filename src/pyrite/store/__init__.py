"""Data: the engine and its transactions, migrations, and the shapes that plugins get."""
