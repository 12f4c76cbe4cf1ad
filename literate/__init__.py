"""Literate: tangle, check, stitch and weave a book that is its own program."""
