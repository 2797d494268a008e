"""The aggregates in SQLite, one file each, under the names of their interfaces."""
