"""TinyDB, through its own extension points: an indexed table over a journalled storage."""
