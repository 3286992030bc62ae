"""``python -m mailwright`` is the program too."""

from mailwright.cli.main import main

if __name__ == "__main__":
    main(prog_name="mailwright")
