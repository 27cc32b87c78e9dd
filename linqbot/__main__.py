"""`python -m linqbot` is `linqbot`."""

from linqbot.cli.app import main

if __name__ == "__main__":
    main()
