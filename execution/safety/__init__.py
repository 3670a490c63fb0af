"""A small REST client of our own that cancels, asks and flattens when everything else is in doubt. See docs/safety-client.md."""
