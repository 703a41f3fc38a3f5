#!/bin/sh
# Installs the Debian packages the centre needs, and only those that are missing.
#
#   centre/install.sh          what a running centre needs
#   centre/install.sh test     that, and what the tests need
#   centre/install.sh bench    that, and what the measurements need
#
# For Debian 12 (bookworm) and 13 (trixie), as root or with sudo. DaCHS 2.11 is part of Debian 13.
# On Debian 12 its four packages, which hold nothing but Python, come from Debian 13 through a
# pin that lets nothing else in from there.
set -eu

fail() { echo "install: $*" >&2; exit 1; }

. /etc/os-release
case "${VERSION_CODENAME:-}" in
    bookworm) postgresql=15 ;;
    trixie) postgresql=17 ;;
    *) fail "Debian 12 (bookworm) or 13 (trixie) is needed; this is ${PRETTY_NAME:-unknown}." ;;
esac

dachs="python3-gavo python3-gavo-stc python3-gavo-utils python3-gavo-votable"
wanted="$dachs
    postgresql-$postgresql postgresql-$postgresql-pgsphere postgresql-$postgresql-q3c
    python3 python3-astropy python3-healpy python3-matplotlib python3-numpy python3-psycopg2
    python3-xlrd"
for_tests="chromium git nginx-light openssl python3-hypothesis python3-pytest python3-pyvo
    python3-venv"
case "${1:-}" in
    "") ;;
    test) wanted="$wanted $for_tests" ;;
    bench) wanted="$wanted $for_tests curl wrk" ;;
    *) fail "the arguments are 'test' and 'bench'." ;;
esac

missing=""
for package in $wanted; do
    status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) || status=""
    [ "$status" = installed ] || missing="$missing $package"
done
shared=$(stat -c %a /dev/shm 2>/dev/null) || shared=none
[ -n "$missing" ] || [ "$shared" != 1777 ] || exit 0

sudo=""
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || fail "missing packages:$missing – run this as root, or install sudo."
    sudo=sudo
fi

# Shared memory and semaphores of ordinary accounts live there; in a bare chroot it is closed.
[ "$shared" = 1777 ] || $sudo install -d -m 1777 /dev/shm
[ -n "$missing" ] || exit 0

apt_get() { $sudo env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=600 "$@"; }
write() { $sudo mkdir -p "$(dirname "$1")"; $sudo tee "$1" >/dev/null; }

echo "install: missing:$missing"

# The centre brings its own PostgreSQL cluster; Debian's "main" is neither needed nor started.
[ -e /etc/postgresql-common ] || write /etc/postgresql-common/createcluster.d/jmmc.conf <<'END'
create_main_cluster = false
END

apt_get update

if [ "$VERSION_CODENAME" = bookworm ]; then
    # The mirror is the one this machine already takes bookworm from.
    mirror=$(apt-get indextargets --format '$(CODENAME) $(REPO_URI)' 'Created-By: Packages' |
        sed -n 's/^bookworm //p' | head -n 1)
    trixie=/etc/apt/sources.list.d/jmmc-trixie.sources
    write /etc/apt/preferences.d/jmmc-trixie <<END
Package: *
Pin: release n=trixie
Pin-Priority: -1

Package: $dachs
Pin: release n=trixie
Pin-Priority: 600
END
    write "$trixie" <<END
Types: deb
URIs: ${mirror:-http://deb.debian.org/debian/}
Suites: trixie
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
END
    apt_get update -o Dir::Etc::SourceList="$trixie" -o Dir::Etc::SourceParts=/dev/null \
        -o APT::Get::List-Cleanup=false
fi

# shellcheck disable=SC2086  # a list of packages
apt_get install --no-install-recommends $missing

# Debian starts it at once, on port 80; the tests run their own.
case "$missing" in
    *nginx-light*) [ ! -d /run/systemd/system ] || $sudo systemctl disable --now nginx ;;
esac
