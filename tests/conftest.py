"""What holds for all tests."""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "centre",
    # How long an example takes tells how busy the machine is, not whether the code is right.
    deadline=None,
    # Examples share their folder: each writes its files anew.
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("centre")
