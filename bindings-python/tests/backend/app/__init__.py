"""A small backend that imports the replaced module by its old name."""
