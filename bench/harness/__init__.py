"""Side-by-side benchmarks of a Cairn node against its peers; see ../README.md."""
