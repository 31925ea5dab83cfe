"""A real daemon in a process of its own, over real sockets. Run by pytest with pytest-twisted, not by trial."""
