"""Sets up and runs an instance of the data centre: packages, database, DaCHS, command line."""


class CentreError(Exception):
    """Something an operator can put right; its text is one sentence for him, shown as it is."""
