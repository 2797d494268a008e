"""One feature per file, named as its specification in `wire` is. None imports another."""
