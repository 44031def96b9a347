#!/bin/sh
# Runs a kizuna command as of the Monday of this week, so that a late start, or a retry after midnight, means the same list:
#   weekly.sh score /srv/kizuna/shop.yaml
# Change, by the environment: KIZUNA_ZONE, the shop's time zone (data.timezone of the config); KIZUNA_TRIES, how often to
# try in all (1; schedulers that try again by themselves leave it so); KIZUNA_PAUSE_SECONDS between two tries (600).
# Tried again is only what may pass by itself: 10 data not there yet, 14 another run, 15 a destination, 75 a server.
set -u
# Nobody else reads what is written: the data report, rows set aside.
umask 077
usage() {
    echo "weekly.sh: $1" >&2
    exit 2
}
[ $# -ge 2 ] || usage "asks for a command and a config, such as: weekly.sh score /srv/kizuna/shop.yaml"
command=$1 config=$2
shift 2
zone=${KIZUNA_ZONE:-}
[ -n "$zone" ] && [ -f "/usr/share/zoneinfo/$zone" ] ||
    usage "KIZUNA_ZONE asks for the shop's time zone, such as Asia/Tokyo; found '$zone'. Set it."
# The clock is read once, and days are counted from noon, which is there on every day whatever the clocks do at night.
today=$(TZ=$zone date -d "@$(date +%s)" "+%F %u") || usage "date cannot count days; GNU date can."
monday=$(TZ=$zone date -d "${today% *} 12:00 $((${today#* } - 1)) days ago" +%F)

left=${KIZUNA_TRIES:-1}
while [ "$left" -gt 1 ]; do
    kizuna "$command" "$config" --as-of "$monday" "$@"
    code=$?
    case $code in
        10 | 14 | 15 | 75) ;;
        *) exit "$code" ;;
    esac
    left=$((left - 1))
    echo "weekly.sh: kizuna $command ended with $code; again in ${KIZUNA_PAUSE_SECONDS:-600} s, $left left." >&2
    sleep "${KIZUNA_PAUSE_SECONDS:-600}"
done
# In place of the shell, so that SIGTERM reaches kizuna itself.
exec kizuna "$command" "$config" --as-of "$monday" "$@"
