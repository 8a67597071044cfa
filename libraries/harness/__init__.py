"""What several keyword libraries need: causes and failures, waiting, the ledger, secrets, cluster connections."""

VERSION = "0.1.0"
"""Of the whole project; pyproject.toml takes it from here."""
