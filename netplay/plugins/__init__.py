"""
What the daemon is made of, found by L{twisted.plugin.getPlugins}: features, games, price sources, stores.

A third party adds to it with a directory C{netplay/plugins} (without C{__init__.py}) in a package of its own.
"""

from twisted.plugin import pluginPackagePaths

__path__.extend(pluginPackagePaths(__name__))
__all__: list[str] = []
