"""The routes that other systems had, over the same jobs, for clients written for those."""
