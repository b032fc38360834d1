"""Where phones, apps, listeners and browsers come in, but for MQTT and phones that are dialled."""
