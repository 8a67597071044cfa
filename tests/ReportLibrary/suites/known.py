"""The secret of these suites, known to the harness from the import on, as the settings make the token known."""

from harness.secrets import SECRETS

VALUE = "s3cr3t-t0ken/with+odd&<chars>-tail9x7q"
SECRETS.add(VALUE)


def get_variables():
    return {"SECRET": VALUE}
