"""Understands the data: OIFITS files, their geometry and vocabulary. Knows no database."""
