"""What several keyword libraries need: causes and failures, waiting, the ledger, secrets, cluster connections."""
