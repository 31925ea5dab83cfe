"""The live price ticker: the market's rules, alerts, where prices come from, and the feature made of them."""
