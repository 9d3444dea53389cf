"""The rules of RFC 6455 that a server must keep, one case each."""
