# Processes that start-servers.sh leaves running and stop-servers.sh ends. Sourced by both; bash 3.2 will do.
#
# shellcheck shell=bash
#
# .run/NAME.pid holds the process's number and the command it was started as. A number may have been given to
# somebody else's process since, so a process counts as ours only while it still runs that command.

RUN_DIR=.run

# The command line of a process, or nothing where it is gone.
command_of() {
    if [ -r "/proc/$1/cmdline" ]; then
        tr '\0' ' ' <"/proc/$1/cmdline" 2>/dev/null
    else
        ps -o command= -p "$1" 2>/dev/null
    fi
}

# remember NAME PID COMMAND
remember() {
    mkdir -p "$RUN_DIR"
    printf '%s\n%s\n' "$2" "$3" >"$RUN_DIR/$1.pid"
}

forget() { rm -f "$RUN_DIR/$1.pid" "$RUN_DIR/$1.address"; }

# The number of a process that we started and that still runs, or nothing.
running() {
    local pid command
    [ -f "$RUN_DIR/$1.pid" ] || return 1
    { read -r pid && read -r command; } <"$RUN_DIR/$1.pid" || return 1
    case "$pid" in '' | *[!0-9]*) return 1 ;; esac
    case "$(command_of "$pid")" in
        *"$command"*) printf '%s\n' "$pid" ;;
        *) return 1 ;;
    esac
}
