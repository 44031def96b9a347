"""The parts of the report's page: what each shows, ready for its template."""
