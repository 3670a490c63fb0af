"""Raw WebSocket recordings (``<local ns> <json>`` lines, gzip or plain) into the catalog."""
