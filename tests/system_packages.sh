#!/bin/sh
# What the slow tests need beside Python: a browser, Japanese fonts, a spreadsheet program,
# a PDF reader, a database server, Java, a clock that can be set, systemd.
set -eu
missing=""
for pair in chromium:chromium faketime:faketime systemd-analyze:systemd soffice:libreoffice-calc pdftoppm:poppler-utils pg_ctlcluster:postgresql java:default-jre-headless; do
    command -v "${pair%%:*}" >/dev/null 2>&1 || missing="$missing ${pair##*:}"
done
fc-list 2>/dev/null | grep -qi 'noto.*cjk' || missing="$missing fonts-noto-cjk fontconfig"
[ -z "$missing" ] && exit 0
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    echo "The slow tests need:$missing. Install them." >&2
    exit 1
fi
apt-get update -qq
# shellcheck disable=SC2086
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
