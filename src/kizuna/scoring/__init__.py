"""One day scored: everybody's numbers, the list in words, its files, and the job around them."""
