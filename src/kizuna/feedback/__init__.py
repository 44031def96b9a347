"""What people filled into the workbook, read back: who was contacted, when, with what, and what came of it."""
