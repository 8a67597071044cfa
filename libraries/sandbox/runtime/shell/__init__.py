"""A small shell: what it does not know raises `tokens.Unsupported`, and is never guessed at."""
