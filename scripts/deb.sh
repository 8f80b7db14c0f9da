#!/usr/bin/env bash
# Builds the Debian package into target/debian/, and tells what is in it.
#
#   scripts/deb.sh                build it
#   scripts/deb.sh --no-build     package the program and the dashboard that are built already
#   scripts/deb.sh --try FOLDER   then install it in the Debian in this folder, which debootstrap makes if it is not there, start
#                                 the hub, post a delivery, read it back, install it again, and purge it; needs root
#
# It needs Rust, Node.js for the dashboard, and Debian's dpkg-dev and binutils. lintian is asked if it is there.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/checks.sh
. scripts/checks.sh

# How long the hub may take to start, in tenths of a second.
TRIES_MAX=300
PORT=13901
SUITE=bookworm
target=${CARGO_TARGET_DIR:-target}

builds=yes
root=""
while [ $# -gt 0 ]; do
    case "$1" in
        -h | --help)
            sed -n '2,/^$/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
            exit 0
            ;;
        --no-build) builds="" ;;
        --try)
            root=${2:?--try needs the folder of a Debian}
            shift
            ;;
        *)
            echo "$1 is not known; see --help" >&2
            exit 2
            ;;
    esac
    shift
done

need() {
    local tool
    for tool in "$@"; do command -v "$tool" >/dev/null || fail "$tool is needed"; done
}

build() {
    need cargo npm
    (cd frontend && npm ci --no-audit --no-fund && npm run build)
    cargo build --release --locked
}

# install_docs FOLDER: the documents, and what Debian wants beside them.
install_docs() {
    local doc=$1
    install -d "$doc"
    cp -r docs/. "$doc"
    # The documents name them by these paths.
    install -d "$doc/ops"
    cp -r ops/prometheus ops/grafana "$doc/ops"
    install -m 644 README.md SECURITY.md "$doc"
    install -m 644 ops/debian/copyright "$doc/copyright"
    gzip -9n <CHANGELOG.md >"$doc/changelog.gz"
    gzip -9n <"$work/debian/changelog" >"$doc/changelog.Debian.gz"
}

# Lays out the files of the package in $stage.
lay_out() {
    install -d "$stage/DEBIAN" "$stage/usr/bin" "$stage/usr/share/umbler-hub" "$stage/usr/share/lintian/overrides" "$stage/usr/lib/systemd/system"
    install -d -m 700 "$stage/etc/umbler-hub"
    strip --strip-debug -o "$stage/usr/bin/umbler-hub" "$target/release/umbler-hub"
    chmod 755 "$stage/usr/bin/umbler-hub"
    cp -r frontend/dist "$stage/usr/share/umbler-hub/dashboard"
    # What an administrator installs by hand is in /usr/local, what a package brings is not.
    sed 's:/usr/local/:/usr/:g' ops/systemd/umbler-hub.service >"$stage/usr/lib/systemd/system/umbler-hub.service"
    install -m 644 ops/debian/umbler-hub.env "$stage/etc/umbler-hub/umbler-hub.env"
    install -m 644 ops/debian/lintian-overrides "$stage/usr/share/lintian/overrides/umbler-hub"
    install_docs "$stage/usr/share/doc/umbler-hub"
    # Whatever the umask was: only the folder of the secrets is private.
    chmod -R u=rwX,go=rX "$stage/usr"
    install -m 755 ops/debian/postinst ops/debian/prerm ops/debian/postrm "$stage/DEBIAN/"
    echo /etc/umbler-hub/umbler-hub.env >"$stage/DEBIAN/conffiles"
    (cd "$stage" && find usr -type f -print0 | sort -z | xargs -0 md5sum) >"$stage/DEBIAN/md5sums"
}

# Writes DEBIAN/control: which libraries the program needs is read from the program.
describe() {
    (
        cd "$work"
        dpkg-shlibdeps -Tsubstvars "$stage/usr/bin/umbler-hub"
        dpkg-gencontrol -Tsubstvars -fmade -P"$stage"
    )
}

package_it() {
    local version
    need dpkg-deb dpkg-shlibdeps strip
    [ -x "$target/release/umbler-hub" ] || fail "$target/release/umbler-hub is not built"
    [ -f frontend/dist/index.html ] || fail "frontend/dist is not built"
    # The same commit makes the same package: files bear the time of the commit.
    SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
    export SOURCE_DATE_EPOCH
    version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)-1
    work=$(realpath "$target")/debian/work
    stage=$work/stage
    rm -rf "$work"
    mkdir -p "$work/debian"
    cp ops/debian/control "$work/debian/control"
    cat >"$work/debian/changelog" <<END
umbler-hub ($version) unstable; urgency=medium

  * What changed is in changelog.gz.

 -- $(sed -n 's/^Maintainer: //p' ops/debian/control)  $(date --utc --rfc-email --date="@$SOURCE_DATE_EPOCH")
END
    lay_out
    describe
    package=$target/debian/umbler-hub_${version}_$(dpkg --print-architecture).deb
    dpkg-deb --root-owner-group --build "$stage" "$package"
}

tell() {
    dpkg-deb --info "$package"
    dpkg-deb --contents "$package" | awk '{print $1, $2, $3, $6}' | grep -v -e dashboard/assets/ -e /doc/umbler-hub/
    if command -v lintian >/dev/null; then
        lintian --allow-root --fail-on error,warning "$package"
    else
        echo "lintian is not installed: not asked"
    fi
    echo "$package: $(stat -c %s "$package") bytes"
}

clean_up() {
    [ -z "$hub" ] || kill "$hub" 2>/dev/null || true
    rm -f "$log"
}

# Starts the hub in the Debian as its unit does: its user, its folder, its secrets.
start() {
    local tries=0
    # Expanded inside.
    # shellcheck disable=SC2016
    PORT=$PORT chroot "$root" sh -ec '
        install -d -m 700 -o umbler-hub -g umbler-hub /var/lib/umbler-hub
        cd /var/lib/umbler-hub
        export WEBHOOK_SECRET="$(cat /etc/umbler-hub/webhook-secret)" JWT_SECRET="$(cat /etc/umbler-hub/jwt-secret)"
        export DATABASE_PATH=/var/lib/umbler-hub/umbler-hub.db DASHBOARD_DIR=/usr/share/umbler-hub/dashboard
        exec setpriv --reuid umbler-hub --regid umbler-hub --clear-groups /usr/bin/umbler-hub serve
    ' >"$log" 2>&1 &
    hub=$!
    until curl -fs "$address/health/ready" >/dev/null; do
        tries=$((tries + 1))
        [ "$tries" -lt "$TRIES_MAX" ] || fail "the hub does not start:" "$(cat "$log")"
        sleep 0.1
    done
}

stop() {
    kill -TERM "$hub"
    wait "$hub" || fail "the hub did not stop clean:" "$(cat "$log")"
    hub=""
}

use() {
    local token
    curl -fsS -H "Authorization: Bearer $secret" -H 'Content-Type: application/json' \
        --data-binary @tests/fixtures/deliveries/01_message_text_contact.json "$address/api/umbler/webhook" >/dev/null
    # The command takes the key from the environment, as the hub does.
    token=$(JWT_SECRET=$(cat "$root/etc/umbler-hub/jwt-secret") chroot "$root" /usr/bin/umbler-hub token --sub package --role admin)
    curl -fsS -H "Authorization: Bearer $token" "$address/api/umbler/stats" | grep -q '"totalMessages":1\b' ||
        fail "the delivery cannot be read back"
    curl -fsS "$address/" | grep -q '<div id="root"' || fail "the dashboard is not served"
}

try_out() {
    local secret address=http://127.0.0.1:$PORT
    need curl
    [ "$(id -u)" = 0 ] || fail "--try needs root"
    if [ ! -e "$root/etc/debian_version" ]; then
        need debootstrap
        debootstrap --variant=minbase "$SUITE" "$root"
    fi
    hub=""
    log=$(mktemp)
    trap clean_up EXIT
    cp "$package" "$root/tmp/umbler-hub.deb"
    export DEBIAN_FRONTEND=noninteractive
    chroot "$root" sh -ec 'apt-get update -qq && apt-get install -qq -y /tmp/umbler-hub.deb'
    [ "$(stat -c '%a %U' "$root/etc/umbler-hub")" = "700 root" ] || fail "others may look at the secrets"
    secret=$(cat "$root/etc/umbler-hub/webhook-secret")
    start
    use
    stop
    chroot "$root" dpkg --install /tmp/umbler-hub.deb
    [ "$(cat "$root/etc/umbler-hub/webhook-secret")" = "$secret" ] || fail "an upgrade changes the secret"
    chroot "$root" apt-get purge -qq -y umbler-hub
    [ ! -e "$root/etc/umbler-hub" ] || fail "the purge leaves /etc/umbler-hub"
    [ ! -e "$root/usr/bin/umbler-hub" ] || fail "the purge leaves the program"
    [ -e "$root/var/lib/umbler-hub/umbler-hub.db" ] || fail "the database went with the package"
    rm -r "$root/var/lib/umbler-hub" "$root/tmp/umbler-hub.deb"
    echo "installed, started, a delivery posted and read back, stopped, installed again, purged; the database was kept"
}

[ -z "$builds" ] || build
package_it
tell
[ -z "$root" ] || try_out
