#!/usr/bin/env bash
# Ends what start-servers.sh started, and nothing else.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
# shellcheck source=scripts/processes.sh
. scripts/processes.sh

# Fifths of a second that a process may take: the hub sends its sessions home and closes its journal.
TRIES_MAX=100

end() {
    local name=$1 pid try=0
    if ! pid=$(running "$name"); then
        forget "$name"
        return
    fi
    printf 'Ending the %s (process %s) ' "$name" "$pid"
    kill "$pid" 2>/dev/null || true
    while [ "$(running "$name")" = "$pid" ]; do
        if [ "$try" -ge "$TRIES_MAX" ]; then
            printf 'by force '
            kill -9 "$pid" 2>/dev/null || true
            break
        fi
        printf '.'
        sleep 0.2
        try=$((try + 1))
    done
    forget "$name"
    echo
    ended=yes
}

ended=no
for name in simulator frontend backend; do end "$name"; done
[ "$ended" = yes ] || echo "Nothing was running."
