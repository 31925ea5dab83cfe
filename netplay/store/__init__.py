"""Where things are kept. Stores are plugins; the tap picks the one that C{--store} names."""
