# Shortcuts for https://just.systems. Each recipe is one command that works without just as well.

# Lists the recipes.
default:
    @just --list

# Format, lints, types and quick tests: the loop while you work.
check *part:
    scripts/check.sh {{ part }}

# Everything that CI runs.
ci:
    ./test.sh

# Puts all code into form.
fmt:
    cargo fmt
    npm run --silent --prefix tests/js format

# The hub, the dashboard and a simulated team.
demo *flags:
    ./start-servers.sh --demo {{ flags }}

# Ends what `demo` started.
stop:
    ./stop-servers.sh
