"""hass-cli, started as its installed command starts it: what stands behind the name of this file goes to it."""

from homeassistant_cli.cli import run

if __name__ == "__main__":
    run()
