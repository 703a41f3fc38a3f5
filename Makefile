# make serve   the data centre at http://localhost:8080/, from nothing, until Ctrl-C
# make test    everything that is checked before a change is taken, on instances of its own
# make bench   the measurements the documentation quotes
# JMMC_ROOT and JMMC_PORT choose another directory and port: bin/jmmc --help.

python = /usr/bin/python3
tools = var/tools/bin

half = tests/live/test_o[p-z]*.py tests/live/test_[p-z]*.py

.PHONY: serve test static test-1 test-2 bench

serve:
	@centre/install.sh
	@bin/jmmc serve

# Two halves of about the same duration at a time, each with an instance of its own.
test:
	@centre/install.sh test
	@$(python) tests/tools.py
	@$(MAKE) --no-print-directory --jobs=2 --keep-going --output-sync=target test-2 static test-1

static:
	$(tools)/ruff check
	$(tools)/ruff format --check
	$(tools)/mypy

test-1:
	$(python) -m pytest --durations=10 $(foreach some,$(half),--ignore-glob='$(some)')

test-2:
	$(python) -m pytest --durations=10 $(half)

bench:
	@centre/install.sh bench
	@$(python) tests/bench/bench.py
	@$(python) tests/bench/tap.py
	@$(python) tests/bench/mixed.py
	@$(python) tests/bench/obsportal.py --memory 100000
	@$(python) tests/bench/badcal.py
	@$(python) tests/bench/stars.py
