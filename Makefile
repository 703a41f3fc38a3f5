# make serve   the data centre at http://localhost:8080/, from nothing, until Ctrl-C
# make test    everything that is checked before a change is taken, on an instance of its own
# make bench   the measurements the documentation quotes
# JMMC_ROOT and JMMC_PORT choose another directory and port: bin/jmmc --help.

python = /usr/bin/python3
tools = var/tools/bin

.PHONY: serve test bench

serve:
	@centre/install.sh
	@bin/jmmc serve

test:
	@centre/install.sh test
	@$(python) tests/tools.py
	$(tools)/ruff check
	$(tools)/ruff format --check
	$(tools)/mypy
	$(python) -m pytest

bench:
	@centre/install.sh test
	@$(python) tests/bench/bench.py
	@$(python) tests/bench/obsportal.py --memory 100000
