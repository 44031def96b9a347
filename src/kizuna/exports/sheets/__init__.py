"""The sheets of the workbook, one file for each kind."""
