"""Browser modules of the pages on vector calculus."""
