"""The commands of ``python -m halfopen``: each module adds one to the parser, and runs it."""
