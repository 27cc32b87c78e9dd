"""A Linq to play with: the v3 API and its webhooks, in memory, as strict as the documentation. See `app.Emulator`."""
