"""The way of a file's rows into the tables of q.rd: DaCHS' grammar for what ``rows`` makes."""

from collections.abc import Iterator
from typing import Any

from gavo.grammars.customgrammar import CustomRowIterator


class RowIterator(CustomRowIterator):  # type: ignore[misc]
    """Hands on the (role, row) pairs that a source consists of."""

    def _iterRows(self) -> Iterator[tuple[str, dict[str, Any]]]:
        for role, row in self.sourceToken:
            yield role, row
            if role == "product":
                # DaCHS keeps what it delivers in a table of its own, dc.products.
                yield "products", row

    def getLocator(self) -> str:
        """Where an error is, for DaCHS' messages."""
        return "rows of an OIFITS file"
