"""Speed, memory and quality beside the peers, on real music: `python -m bench`."""
