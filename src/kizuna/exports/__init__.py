"""The published list as files: for machines (csv), for marketing (workbook), for managers (report)."""
