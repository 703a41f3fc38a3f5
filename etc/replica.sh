#!/bin/sh
# Makes a streaming replica of an instance's PostgreSQL cluster, or starts one that was made.
#
#   etc/replica.sh PRIMARY DIRECTORY ADDRESS PORT
#
# PRIMARY     how the primary is reached as a role that may replicate, as libpq has it:
#             'host=db.example.org user=replica passfile=/srv/replica/password'
# DIRECTORY   of the replica, with its log and its socket
# ADDRESS     address it listens on; '' for its socket alone
# PORT        its port
#
# It stops by `pg_ctl stop --pgdata DIRECTORY`. Not as root: PostgreSQL refuses that.
set -eu

[ $# -eq 4 ] || { sed -n '4s/^# *//p' "$0" >&2; exit 2; }
primary=$1 directory=$2 address=$3 port=$4
etc=$(cd "$(dirname "$0")" && pwd)

sphere=$(ls -d /usr/lib/postgresql/*/lib/pg_sphere.so 2>/dev/null | sort -V | tail -n 1)
[ -n "$sphere" ] || { echo "replica: PostgreSQL with pg_sphere is not installed." >&2; exit 1; }
bin=${sphere%/lib/*}/bin

umask 077
mkdir -p "$directory"
chmod 700 "$directory"    # PostgreSQL takes no other
if [ ! -e "$directory/PG_VERSION" ]; then
    "$bin/pg_basebackup" --dbname="$primary" --pgdata="$directory" --write-recovery-conf \
        --wal-method=stream --checkpoint=fast
    # What the primary listens on, also by ALTER SYSTEM, is not for its replica.
    sed -i '/^\(listen_addresses\|port\|unix_socket_directories\) *=/d' \
        "$directory/postgresql.auto.conf"
fi
cat "$etc/postgresql.conf" "$etc/replica.conf" - >"$directory/jmmc.conf" <<END
listen_addresses = '$address'
port = $port
unix_socket_directories = '$directory'
END
"$bin/pg_ctl" start --silent --wait --timeout=600 --pgdata="$directory" --log="$directory/log" || {
    echo "replica: it does not start: $(tail -n 1 "$directory/log")" >&2
    exit 1
}
